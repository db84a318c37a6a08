//! The tree a document becomes before it is written, or after it was read.

use std::borrow::Cow;

use super::json;

/// Deepest nesting of a document, read or written.
pub const DEPTH_MAX: usize = 32;

/// A value in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number by its exact text. What is no JSON number is written as a string.
    Number(Cow<'a, str>),
    /// A truth value; only channels' own results have them.
    Bool(bool),
    /// A list: an array in JSON, repeated elements in XML.
    List(Vec<Node<'a>>),
    /// Named members, in JSON's order. XML sorts them.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl Node<'_> {
    /// Reads a JSON text, such as a channel's own result. `None` when it is no JSON,
    /// is null or nests deeper than [`DEPTH_MAX`].
    pub fn from_json(text: &str) -> Option<Node<'static>> {
        let text = super::text::trim(text);
        if !json::is_within_depth(text, DEPTH_MAX) {
            return None;
        }
        json::tree(text).ok().flatten().map(Node::into_owned)
    }

    /// The same tree, borrowing nothing.
    pub(super) fn into_owned(self) -> Node<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Text(text) => Node::Text(owned(text)),
            Self::Int(number) => Node::Int(number),
            Self::Number(number) => Node::Number(owned(number)),
            Self::Bool(bool) => Node::Bool(bool),
            Self::List(list) => Node::List(list.into_iter().map(Node::into_owned).collect()),
            Self::Object(members) => Node::Object(
                members
                    .into_iter()
                    .map(|(name, node)| (owned(name), node.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The same tree as JSON text.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        json::write(&mut out, self);
        out
    }

    /// The same tree, its texts borrowed.
    pub(super) fn as_borrowed(&self) -> Node<'_> {
        match self {
            Self::Text(text) => Node::Text(Cow::Borrowed(text)),
            Self::Int(number) => Node::Int(*number),
            Self::Number(number) => Node::Number(Cow::Borrowed(number)),
            Self::Bool(bool) => Node::Bool(*bool),
            Self::List(list) => Node::List(list.iter().map(Node::as_borrowed).collect()),
            Self::Object(members) => Node::Object(
                members
                    .iter()
                    .map(|(name, node)| (Cow::Borrowed(&**name), node.as_borrowed()))
                    .collect(),
            ),
        }
    }
}

/// Members in the making.
#[derive(Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Members<'a> {
    pub(super) fn with_capacity(members: usize) -> Self {
        Self(Vec::with_capacity(members))
    }

    pub(super) fn node(&mut self, name: &'static str, node: Node<'a>) -> &mut Self {
        self.0.push((Cow::Borrowed(name), node));
        self
    }

    pub(super) fn maybe(&mut self, name: &'static str, node: Option<Node<'a>>) -> &mut Self {
        if let Some(node) = node {
            self.node(name, node);
        }
        self
    }

    pub(super) fn text(&mut self, name: &'static str, text: &'a str) -> &mut Self {
        self.node(name, Node::Text(Cow::Borrowed(text)))
    }

    pub(super) fn maybe_text(&mut self, name: &'static str, text: Option<&'a str>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    pub(super) fn int(&mut self, name: &'static str, number: impl Into<i64>) -> &mut Self {
        self.node(name, Node::Int(number.into()))
    }

    pub(super) fn maybe_int(
        &mut self,
        name: &'static str,
        number: Option<impl Into<i64>>,
    ) -> &mut Self {
        if let Some(number) = number {
            self.int(name, number);
        }
        self
    }

    /// Appends the object so far as JSON text.
    pub(super) fn write(&self, out: &mut String) {
        json::write_object(out, &self.0);
    }

    /// Appends the object so far as JSON text, and in it, behind its members, a list whose elements
    /// are made as they are written.
    pub(super) fn write_with_list<'n>(
        &self,
        out: &mut String,
        name: &str,
        list: impl Iterator<Item = Node<'n>>,
    ) {
        self.write(out);
        out.pop();
        if !self.0.is_empty() {
            out.push(',');
        }
        json::write_text(out, name);
        out.push(':');
        json::write_list(out, list);
        out.push('}');
    }

    /// The object so far as JSON text.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write(&mut out);
        out
    }

    pub(super) fn into_node(self) -> Node<'a> {
        Node::Object(self.0)
    }
}
