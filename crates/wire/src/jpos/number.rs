//! The numbers by which messages and batches are known: fixed widths, leading zeros written.

use std::fmt;

use crate::text::is_digits;

/// Digits of a trace number and of a batch number.
const SHORT_DIGITS: usize = 6;
/// Digits of a serial number.
const SERIAL_DIGITS: usize = 12;
/// The largest number of six digits.
const SHORT_MAX: u32 = 999_999;

/// Makes a number of six digits, from 1 to 999999.
macro_rules! short_number {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The first number.
            pub const FIRST: Self = Self(1);

            /// A number from 1 to 999999; `None` outside.
            pub const fn new(number: u32) -> Option<Self> {
                match number {
                    1..=SHORT_MAX => Some(Self(number)),
                    _ => None,
                }
            }

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }

            /// The number after this one; 999999 is followed by 1.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 >= SHORT_MAX { Self(1) } else { Self(self.0 + 1) }
            }

            /// Reads exactly six digits that are not all zero.
            pub fn parse(text: &str) -> Option<Self> {
                let is_whole = text.len() == SHORT_DIGITS && is_digits(text);
                is_whole.then(|| text.parse().ok()).flatten().and_then(Self::new)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:06}", self.0)
            }
        }
    };
}

short_number! {
    /// `traceNo`: the terminal's number of a message in its batch.
    TraceNo
}

short_number! {
    /// `batchNo`: a terminal's batch, from check-in to settlement.
    BatchNo
}

/// `serialNo`: the gateway's number of a transaction, 12 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNo(u64);

impl SerialNo {
    /// The largest number: 12 nines.
    pub const MAX: Self = Self(999_999_999_999);

    /// A number of at most 12 digits; `None` above.
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads exactly 12 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_whole = text.len() == SERIAL_DIGITS && is_digits(text);
        is_whole.then(|| text.parse().ok()).flatten().map(Self)
    }
}

impl fmt::Display for SerialNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}
