//! One way to write the sources' dictionaries: code, Chinese name, English name.

/// Makes an enum of a dictionary: its codes, its names, and `ALL` in the source's order.
macro_rules! dictionary {
    (
        $(#[$meta:meta])*
        $name:ident, $repr:ty, from $arg:ty, $get:ident, $from:ident;
        $( $variant:ident = $code:literal, $zh:literal, $en:literal; )+
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $code, "`: ", $en, ".")]
                $variant,
            )+
        }

        impl $name {
            /// Every entry, in the source's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code on the wire.
            pub const fn $get(self) -> $repr {
                match self { $(Self::$variant => $code),+ }
            }

            /// The entry with this code.
            pub fn $from(code: $arg) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The entry's name for people.
            pub const fn name(self, locale: $crate::locale::Locale) -> &'static str {
                match self { $(Self::$variant => locale.pick($zh, $en)),+ }
            }
        }
    };
}

pub(super) use dictionary;
