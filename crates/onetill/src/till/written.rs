//! The dialect's numbers and keys as texts in a terminal's file: `#[serde(with = "written")]`.

use crate::vault::encode_hex;
use serde::{Deserialize, Deserializer, Serializer, de::Error};
use wire::jpos::{
    Amount, BatchNo, Key, Operation, SerialNo, TraceNo, key::SingleKey, person::TicketKind,
};

/// Something with one text.
pub(super) trait Written: Sized {
    /// Its text.
    fn write(&self) -> String;
    /// What the text says, if it says such a thing.
    fn read(text: &str) -> Option<Self>;
}

pub(super) fn serialize<T: Written, S: Serializer>(it: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&it.write())
}

pub(super) fn deserialize<'de, T: Written, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    // Not the text itself: it may be a key.
    T::read(&text).ok_or_else(|| D::Error::custom("a text is not what stands there"))
}

/// The same for what may be absent.
pub(super) mod maybe {
    use super::{Deserialize, Deserializer, Error, Serializer, Written};

    pub fn serialize<T: Written, S: Serializer>(it: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match it {
            Some(it) => to.serialize_some(&it.write()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, T: Written, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let read = |text: String| {
            T::read(&text).ok_or_else(|| D::Error::custom("a text is not what stands there"))
        };
        text.map(read).transpose()
    }
}

macro_rules! numbers {
    ($($name:ident),+) => {
        $(impl Written for $name {
            fn write(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        })+
    };
}

numbers!(BatchNo, TraceNo, SerialNo);

impl Written for Amount {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse_signed(text).ok()
    }
}

impl Written for Operation {
    fn write(&self) -> String {
        self.function().to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_function(text)
    }
}

impl Written for TicketKind {
    fn write(&self) -> String {
        self.code().to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_code(text)
    }
}

impl Written for Key {
    fn write(&self) -> String {
        encode_hex(self.bytes())
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse_hex(text).ok()
    }
}

impl Written for SingleKey {
    fn write(&self) -> String {
        encode_hex(self.bytes())
    }

    fn read(text: &str) -> Option<Self> {
        match Key::parse_hex(text).ok()? {
            Key::Single(key) => Some(key),
            Key::Double(_) => None,
        }
    }
}
