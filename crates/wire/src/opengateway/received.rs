//! A client's side of a reply or notification: looked up by name, extras tolerated.

use std::borrow::Cow;

use super::code::ReturnCode;
use super::json;
use super::node::{DEPTH_MAX, Node};
use super::query::Format;
use super::text::trim;
use super::xml::{self, Element};

/// Why a reply cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceivedError {
    /// Not UTF-8.
    #[error("the reply is not UTF-8")]
    NotUtf8,
    /// Neither a JSON object nor an XML document, or nested too deeply.
    #[error("the reply is no JSON object and no XML document")]
    Malformed,
}

/// A reply or notification as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    format: Format,
    root: Option<String>,
    body: Node<'static>,
}

impl Received {
    /// Reads a plaintext; its first byte tells JSON from XML.
    ///
    /// # Errors
    ///
    /// [`ReceivedError`] when it is neither.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceivedError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ReceivedError::NotUtf8)?;
        let text = trim(text);
        match text.as_bytes().first() {
            Some(b'{') => Self::from_json(text),
            Some(b'<') => Self::from_xml(text),
            Some(_) | None => Err(ReceivedError::Malformed),
        }
    }

    /// The format it came in.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The root's name; flowRecharge has none in JSON.
    pub fn root(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// What is under the root.
    pub const fn body(&self) -> &Node<'static> {
        &self.body
    }

    /// `CODE`, if it is in appendix 5.
    pub fn code(&self) -> Option<ReturnCode> {
        ReturnCode::decode(&self.code_text()?)
    }

    /// `CODE` as it is written.
    pub fn code_text(&self) -> Option<String> {
        self.field("RESULT.CODE")
            .or_else(|| self.field("result.CODE"))
    }

    /// `INFO`.
    pub fn info(&self) -> Option<String> {
        self.field("RESULT.INFO")
            .or_else(|| self.field("result.INFO"))
    }

    /// A scalar by its path under the root, such as `AMT` or
    /// `FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT`. A list of one, which XML cannot tell from
    /// a single element, is found with or without its index.
    pub fn field(&self, path: &str) -> Option<String> {
        let mut node = &self.body;
        for step in path.split('.') {
            node = child(node, step)?;
        }
        scalar(node).map(Cow::into_owned)
    }

    /// Every scalar with its path, in the order received.
    pub fn flattened(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        flatten(&mut out, "", &self.body);
        out
    }

    fn from_json(text: &str) -> Result<Self, ReceivedError> {
        if !json::is_within_depth(text, DEPTH_MAX) {
            return Err(ReceivedError::Malformed);
        }
        let tree = json::tree(text).map_err(|_| ReceivedError::Malformed)?;
        let Some(Node::Object(members)) = tree.map(Node::into_owned) else {
            return Err(ReceivedError::Malformed);
        };
        let (root, body) = unwrap_root(members);
        Ok(Self {
            format: Format::Json,
            root,
            body,
        })
    }

    fn from_xml(text: &str) -> Result<Self, ReceivedError> {
        let root = xml::tree(text, DEPTH_MAX).map_err(|_| ReceivedError::Malformed)?;
        Ok(Self {
            format: Format::Xml,
            root: Some(root.name.clone()),
            body: element_node(root),
        })
    }
}

type OwnedMembers = Vec<(Cow<'static, str>, Node<'static>)>;

/// A single member that is an object is the root around the rest, unless it is the bare
/// `result` of a refused flowRecharge.
fn unwrap_root(mut members: OwnedMembers) -> (Option<String>, Node<'static>) {
    match members.pop() {
        Some((name, Node::Object(body))) if members.is_empty() && name != "result" => {
            (Some(name.into_owned()), Node::Object(body))
        }
        Some(last) => {
            members.push(last);
            (None, Node::Object(members))
        }
        None => (None, Node::Object(members)),
    }
}

fn element_node(element: Element<'_>) -> Node<'static> {
    if element.children.is_empty() {
        return Node::Text(Cow::Owned(element.text.into_owned()));
    }
    let mut members: OwnedMembers = Vec::new();
    for mut child in element.children {
        let name = std::mem::take(&mut child.name);
        let node = element_node(child);
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, Node::List(list))) => list.push(node),
            Some((_, first)) => *first = Node::List(vec![first.clone(), node]),
            None => members.push((Cow::Owned(name), node)),
        }
    }
    Node::Object(members)
}

fn child<'n>(node: &'n Node<'static>, step: &str) -> Option<&'n Node<'static>> {
    match node {
        Node::Object(members) => {
            let found = members.iter().find(|(name, _)| name == step);
            // The index of an element that turned out to be alone.
            found
                .map(|(_, node)| node)
                .or((step == "0").then_some(node))
        }
        Node::List(list) => match step.parse::<usize>() {
            Ok(index) => list.get(index),
            Err(_) if list.len() == 1 => child(list.first()?, step),
            Err(_) => None,
        },
        Node::Text(_) | Node::Int(_) | Node::Number(_) | Node::Bool(_) => None,
    }
}

fn scalar<'n>(node: &'n Node<'static>) -> Option<Cow<'n, str>> {
    match node {
        Node::Text(text) | Node::Number(text) => Some(Cow::Borrowed(text)),
        Node::Int(number) => Some(Cow::Owned(number.to_string())),
        Node::Bool(bool) => Some(Cow::Owned(bool.to_string())),
        Node::List(_) | Node::Object(_) => None,
    }
}

fn flatten(out: &mut Vec<(String, String)>, path: &str, node: &Node<'static>) {
    let join = |step: &str| match path {
        "" => step.to_owned(),
        path => format!("{path}.{step}"),
    };
    match node {
        Node::Object(members) => {
            for (name, node) in members {
                flatten(out, &join(name), node);
            }
        }
        Node::List(list) => {
            for (index, node) in list.iter().enumerate() {
                flatten(out, &join(&index.to_string()), node);
            }
        }
        Node::Text(_) | Node::Int(_) | Node::Number(_) | Node::Bool(_) => {
            out.extend(scalar(node).map(|text| (path.to_owned(), text.into_owned())));
        }
    }
}
