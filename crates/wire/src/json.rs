//! Reading and writing JSON. Numbers keep their exact text both ways.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::node::Node;

/// Why a JSON text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonFault {
    Malformed,
    Trailing,
}

/// A JSON value told apart by its first byte, its inside not looked at yet.
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(&'a str),
    Bool(bool),
    Null,
    Array(&'a str),
    Object(&'a str),
}

/// Whether brackets nest no deeper than `max`. To be asked before anything is parsed.
pub(super) fn is_within_depth(text: &str, max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max {
            return false;
        }
    }
    true
}

/// The members of an object, in their order, duplicates included.
pub(super) fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, JsonFault> {
    parse::<Members<'_>>(text).map(|members| members.0)
}

/// The elements of an array.
pub(super) fn elements(text: &str) -> Result<Vec<&str>, JsonFault> {
    let raw = parse::<Vec<&RawValue>>(text)?;
    Ok(raw.into_iter().map(RawValue::get).collect())
}

/// The elements of an array, unless there are more than `max`.
pub(super) fn elements_up_to(text: &str, max: usize) -> Result<Vec<&str>, JsonFault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader.deserialize_seq(ElementsVisitor { max });
    let elements = elements.map_err(|_| JsonFault::Malformed)?;
    reader.end().map_err(|_| JsonFault::Trailing)?;
    Ok(elements)
}

/// Tells a value's kind; strings are unescaped, borrowed when they need no change.
pub(super) fn value(text: &str) -> Result<Value<'_>, JsonFault> {
    match text.as_bytes().first() {
        Some(b'"') => parse::<Text<'_>>(text).map(|text| Value::Text(text.0)),
        Some(b'{') => Ok(Value::Object(text)),
        Some(b'[') => Ok(Value::Array(text)),
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'n') => Ok(Value::Null),
        _ => Ok(Value::Number(text)),
    }
}

/// Reads a whole text as a tree, which borrows what needs no change. Nulls are left out of objects and
/// lists. The caller has bounded the depth.
pub(super) fn tree(text: &str) -> Result<Option<Node<'_>>, JsonFault> {
    Ok(match value(text)? {
        Value::Text(text) => Some(Node::Text(text)),
        Value::Number(number) => Some(Node::Number(Cow::Borrowed(number))),
        Value::Bool(bool) => Some(Node::Bool(bool)),
        Value::Null => None,
        Value::Array(inside) => Some(Node::List(list(inside)?)),
        Value::Object(inside) => Some(Node::Object(object(inside)?)),
    })
}

fn list(text: &str) -> Result<Vec<Node<'_>>, JsonFault> {
    let trees = elements(text)?.into_iter().map(tree);
    trees.filter_map(Result::transpose).collect()
}

fn object(text: &str) -> Result<Vec<(Cow<'_, str>, Node<'_>)>, JsonFault> {
    let mut object = Vec::new();
    for (name, value) in members(text)? {
        if let Some(node) = tree(value)? {
            object.push((name, node));
        }
    }
    Ok(object)
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonFault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = T::deserialize(&mut reader).map_err(|_| JsonFault::Malformed)?;
    reader.end().map_err(|_| JsonFault::Trailing)?;
    Ok(parsed)
}

/// A string, borrowed when the text has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// An object's members; serde's own maps would swallow duplicates.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(24);
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            members.push((name.0, value.get()));
        }
        Ok(Members(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(serde::de::Error::custom("an array is no object"))
    }
}

/// An array's elements. It stops at the first that is too many, before they fill the memory.
struct ElementsVisitor {
    max: usize,
}

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} elements", self.max)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            if elements.len() == self.max {
                return Err(serde::de::Error::invalid_length(self.max + 1, &self));
            }
            elements.push(element.get());
        }
        Ok(elements)
    }
}

/// Appends a tree as JSON with no white space outside strings.
pub(super) fn write(out: &mut String, node: &Node<'_>) {
    match node {
        Node::Text(text) => write_text(out, text),
        Node::Int(number) => out.push_str(&number.to_string()),
        Node::Number(number) if is_number(number) => out.push_str(number),
        Node::Number(number) => write_text(out, number),
        Node::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Node::List(list) => {
            out.push('[');
            for (index, node) in list.iter().enumerate() {
                separate(out, index);
                write(out, node);
            }
            out.push(']');
        }
        Node::Object(members) => write_object(out, members),
    }
}

/// Appends a list whose elements are made one at a time: a long one is never in memory as a tree.
pub(super) fn write_list<'n>(out: &mut String, list: impl Iterator<Item = Node<'n>>) {
    out.push('[');
    for (index, node) in list.enumerate() {
        separate(out, index);
        write(out, &node);
    }
    out.push(']');
}

/// Appends an object of these members.
pub(super) fn write_object(out: &mut String, members: &[(Cow<'_, str>, Node<'_>)]) {
    out.push('{');
    for (index, (name, node)) in members.iter().enumerate() {
        separate(out, index);
        write_text(out, name);
        out.push(':');
        write(out, node);
    }
    out.push('}');
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

/// Only quotes, backslashes and control characters are escaped: a receiver in use drops
/// backslashes before it checks a signature, so there should be as few as possible.
pub(super) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some(control) => push_control(out, control),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn push_control(out: &mut String, control: char) {
    out.push_str("\\u00");
    super::text::push_hex(out, &[u8::try_from(control).unwrap_or(0)]);
}

/// Whether a text is a JSON number, so that a tree cannot break the document around it.
fn is_number(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'-' | b'0'..=b'9'))
        && parse::<&RawValue>(text).is_ok_and(|raw| raw.get().len() == text.len())
}
