//! A body as its top-level members, exactly as they came: the signature of activeByPartNo covers
//! all of them, known or not.

use std::borrow::Cow;

use super::object::{self, Object};
use crate::json::{self, Value};
use crate::text::trim;

/// Most bytes of a request: 1,000 codes of 64 characters are 65,000.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most members of a body.
pub const MEMBERS_MAX: usize = 64;
/// Most characters of a member's name in a message for people.
const LABEL_CHARS_MAX: usize = 64;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More than [`BODY_BYTES_MAX`] bytes, or [`MEMBERS_MAX`] members.
    #[error("the body is too large")]
    TooLarge,
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// No JSON object, or something follows it.
    #[error("the body is no JSON object")]
    Malformed,
    /// Brackets nest too deeply.
    #[error("the body is nested too deeply")]
    TooDeep,
    /// A member is there twice.
    #[error("{field} is given twice")]
    Duplicate {
        /// The member's name.
        field: String,
    },
}

impl DocumentError {
    /// The member at fault; `body` when it is the body as a whole.
    pub fn field(&self) -> &str {
        match self {
            Self::TooLarge | Self::NotUtf8 | Self::Malformed | Self::TooDeep => "body",
            Self::Duplicate { field } => field,
        }
    }
}

/// A decoded body. No `Debug`: it may hold codes that pay.
pub struct Document<'a>(Object<'a>);

impl<'a> Document<'a> {
    /// Reads a request's body.
    ///
    /// # Errors
    ///
    /// [`DocumentError`], naming a member that is there twice.
    pub fn decode(body: &'a [u8]) -> Result<Self, DocumentError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(DocumentError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|_| DocumentError::NotUtf8)?;
        let text = trim(text);
        if !object::is_within_depth(text) {
            return Err(DocumentError::TooDeep);
        }
        let object = Object::read(text).ok_or(DocumentError::Malformed)?;
        refuse_duplicates(&object)?;
        Ok(Self(object))
    }

    /// Names and values of the members that say something, for the signature: a text as it reads,
    /// anything else by its JSON text. Empty texts and nulls are left out.
    pub fn values(&self) -> Vec<(&str, Cow<'a, str>)> {
        let members = self.0.members().iter();
        let values = members.map(|(name, text)| (&**name, value(text)));
        values.filter(|(_, value)| !value.is_empty()).collect()
    }

    pub(super) const fn object(&self) -> &Object<'a> {
        &self.0
    }
}

fn refuse_duplicates(object: &Object<'_>) -> Result<(), DocumentError> {
    let members = object.members();
    if members.len() > MEMBERS_MAX {
        return Err(DocumentError::TooLarge);
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    let twice = names
        .iter()
        .zip(names.iter().skip(1))
        .find(|(one, next)| one == next);
    twice.map_or(Ok(()), |(name, _)| {
        let field = label(name);
        Err(DocumentError::Duplicate { field })
    })
}

fn value(text: &str) -> Cow<'_, str> {
    match json::value(text) {
        Ok(Value::Text(text)) => text,
        Ok(Value::Null) | Err(_) => Cow::Borrowed(""),
        Ok(Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            Cow::Borrowed(text)
        }
    }
}

/// A member's name as it may be shown: bounded, printable, and without what separates members in
/// a signed text, since replies that show it are signed.
pub(super) fn label(name: &str) -> String {
    let harmless = |c: &char| !c.is_control() && !matches!(c, '&' | '=');
    let printable = name.chars().filter(harmless);
    printable.take(LABEL_CHARS_MAX).collect()
}
