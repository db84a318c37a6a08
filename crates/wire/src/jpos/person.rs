//! What the source's dictionary says of people and their cards: identity papers, gender, grade,
//! and the kinds of tickets.

/// Makes an enum of a dictionary: its codes and `ALL` in the source's order.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident; $( $variant:ident = $code:literal, $text:literal; )+) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( #[doc = concat!("`", $code, "`: ", $text, ".")] $variant, )+
        }

        impl $name {
            /// Every entry, in the source's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The entry with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// The kind of an identity paper, `idType`.
    IdType;
    IdentityCard = "01", "a resident's identity card";
    OfficerCard = "02", "an officer's card";
    StudentCard = "03", "a student's card";
    DrivingLicence = "04", "a driving licence";
    Passport = "05", "a passport";
    HongKongMacaoPermit = "06", "a permit for Hong Kong and Macao";
    Other = "07", "another paper";
}

codes! {
    /// `gender`.
    Gender;
    Male = "01", "male";
    Female = "02", "female";
    Unknown = "00", "unknown";
}

codes! {
    /// A member's grade, `grade`.
    Grade;
    Green = "0", "green card";
    Gold = "1", "gold card";
    Platinum = "2", "platinum card";
    Diamond = "3", "diamond card";
}

codes! {
    /// The kind of a ticket, `type`.
    TicketKind;
    GroupBuy = "01", "a group-buy ticket";
    Exchange = "02", "an exchange ticket";
    Cash = "03", "a cash ticket";
}
