//! Reading named members out of a JSON object. Values stay text until somebody asks for them, so
//! that a large reply is never in memory as a tree of nodes.

use std::borrow::Cow;

use crate::json::{self, Value};

/// Deepest nesting of a body: a code stands nine brackets deep in its box.
const DEPTH_MAX: usize = 12;

/// What is wrong with an object's member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// It is not there, or null, or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// It is there twice, or not what it must be.
    #[error("{0} has no valid value")]
    Invalid(&'static str),
}

impl MemberError {
    /// The member's name.
    pub const fn member(&self) -> &'static str {
        match self {
            Self::Missing(member) | Self::Invalid(member) => member,
        }
    }
}

/// Whether a body nests no deeper than this dialect's own. To be asked before anything is read.
pub(super) fn is_within_depth(text: &str) -> bool {
    json::is_within_depth(text, DEPTH_MAX)
}

/// An object's members by their JSON text, duplicates included.
pub(super) struct Object<'t>(Vec<(Cow<'t, str>, &'t str)>);

impl<'t> Object<'t> {
    /// `None` when the text is no JSON object. The caller has bounded its depth.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        match text.as_bytes().first() {
            Some(b'{') => json::members(text).ok().map(Self),
            Some(_) | None => None,
        }
    }

    /// Names and JSON texts, in their order.
    pub(super) fn members(&self) -> &[(Cow<'t, str>, &'t str)] {
        &self.0
    }

    /// Whether there is such a member that is not null.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut members = self.0.iter();
        members.any(|(known, text)| known == name && *text != "null")
    }

    /// A string or a number, by its text; null and empty are absent.
    pub(super) fn maybe<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, MemberError> {
        let text = self.scalar(name)?.filter(|text| !text.is_empty());
        let read = text.map(|text| read(&text).ok_or(MemberError::Invalid(name)));
        read.transpose()
    }

    /// A string or a number that must be there.
    pub(super) fn get<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, MemberError> {
        self.maybe(name, read)?.ok_or(MemberError::Missing(name))
    }

    /// A text, which may be empty, and is when it is not there.
    pub(super) fn text(&self, name: &'static str) -> Result<String, MemberError> {
        Ok(self.scalar(name)?.unwrap_or_default().into_owned())
    }

    /// An object inside; null and an empty text are absent.
    pub(super) fn object(&self, name: &'static str) -> Result<Option<Object<'t>>, MemberError> {
        let Some(text) = self.find(name)?.filter(|text| *text != "\"\"") else {
            return Ok(None);
        };
        let object = Object::read(text).ok_or(MemberError::Invalid(name))?;
        Ok(Some(object))
    }

    /// What `read` makes of each object in a list; an absent list is empty.
    pub(super) fn list<T>(
        &self,
        name: &'static str,
        read: impl Fn(&Object<'_>) -> Result<T, MemberError>,
    ) -> Result<Vec<T>, MemberError> {
        let Some(text) = self.find(name)? else {
            return Ok(Vec::new());
        };
        let invalid = MemberError::Invalid(name);
        let elements = json::elements(text).map_err(|_| invalid)?;
        let objects = elements.into_iter().map(Object::read);
        objects
            .map(|object| read(&object.ok_or(invalid)?))
            .collect()
    }

    fn scalar(&self, name: &'static str) -> Result<Option<Cow<'t, str>>, MemberError> {
        let Some(text) = self.find(name)? else {
            return Ok(None);
        };
        match json::value(text) {
            Ok(Value::Text(text)) => Ok(Some(text)),
            Ok(Value::Number(number)) => Ok(Some(Cow::Borrowed(number))),
            Ok(Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_)) | Err(_) => {
                Err(MemberError::Invalid(name))
            }
        }
    }

    /// The JSON text of a member; null is absent.
    fn find(&self, name: &'static str) -> Result<Option<&'t str>, MemberError> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        let first = found.next().map(|(_, text)| *text);
        match found.next() {
            None => Ok(first.filter(|text| *text != "null")),
            Some(_) => Err(MemberError::Invalid(name)),
        }
    }
}
