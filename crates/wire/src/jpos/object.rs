//! Reading named members out of a JSON object, of a request's lists as well as of replies.

use std::borrow::Cow;

use super::amount::Amount;
use crate::json;
use crate::node::Node;

/// Deepest nesting of a JSON text: a journal's entries hold lists of objects.
const DEPTH_MAX: usize = 8;

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

/// The elements of a JSON list; `None` when it is none, nests too deeply, or has more than `max`.
/// The elements themselves are not looked at yet.
pub(super) fn elements(text: &str, max: usize) -> Option<Vec<&str>> {
    if !json::is_within_depth(text, DEPTH_MAX) {
        return None;
    }
    json::elements_up_to(text, max).ok()
}

/// A JSON text as a tree; `None` when it is no JSON or nests too deeply. Nulls inside are left out.
pub(super) fn tree(text: &str) -> Option<Node<'_>> {
    if !json::is_within_depth(text, DEPTH_MAX) {
        return None;
    }
    json::tree(text).ok().flatten()
}

/// An object's members.
#[derive(Clone, Copy)]
pub(super) struct Object<'n>(&'n [(Cow<'n, str>, Node<'n>)]);

impl<'n> Object<'n> {
    /// `None` when the node is no object.
    pub(super) fn of(node: &'n Node<'n>) -> Option<Self> {
        match node {
            Node::Object(members) => Some(Self(members)),
            Node::Text(_) | Node::Int(_) | Node::Number(_) | Node::Bool(_) | Node::List(_) => None,
        }
    }

    /// Whether there is such a member.
    pub(super) fn has(self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// A string or a number, by its text; empty is absent.
    pub(super) fn maybe<T>(
        self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, MemberError> {
        match self.scalar(name)? {
            None | Some("") => Ok(None),
            Some(text) => read(text).map(Some).ok_or(MemberError::Invalid(name)),
        }
    }

    /// A string or a number that must be there.
    pub(super) fn get<T>(
        self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, MemberError> {
        self.maybe(name, read)?.ok_or(MemberError::Missing(name))
    }

    /// An amount that must be there.
    pub(super) fn amount(self, name: &'static str) -> Result<Amount, MemberError> {
        self.get(name, |text| Amount::parse_signed(text).ok())
    }

    /// A text, which may be empty, and is when it is not there.
    pub(super) fn text(self, name: &'static str) -> Result<String, MemberError> {
        Ok(self.scalar(name)?.unwrap_or("").to_owned())
    }

    /// What `read` makes of each element of a list; an absent list is empty.
    pub(super) fn list<T>(
        self,
        name: &'static str,
        read: impl Fn(Object<'_>) -> Result<T, MemberError>,
    ) -> Result<Vec<T>, MemberError> {
        let elements = match self.find(name)? {
            None => return Ok(Vec::new()),
            Some(Node::List(elements)) => elements,
            Some(
                Node::Text(_) | Node::Int(_) | Node::Number(_) | Node::Bool(_) | Node::Object(_),
            ) => return Err(MemberError::Invalid(name)),
        };
        let objects = elements.iter().map(Object::of);
        objects
            .map(|object| read(object.ok_or(MemberError::Invalid(name))?))
            .collect()
    }

    fn scalar(self, name: &'static str) -> Result<Option<&'n str>, MemberError> {
        match self.find(name)? {
            None => Ok(None),
            Some(Node::Text(text) | Node::Number(text)) => Ok(Some(text)),
            Some(Node::Int(_) | Node::Bool(_) | Node::List(_) | Node::Object(_)) => {
                Err(MemberError::Invalid(name))
            }
        }
    }

    fn find(self, name: &'static str) -> Result<Option<&'n Node<'n>>, MemberError> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        let first = found.next().map(|(_, node)| node);
        match found.next() {
            None => Ok(first),
            Some(_) => Err(MemberError::Invalid(name)),
        }
    }
}
