//! Reading and writing XML: elements and text only, no DTD, no entities but the five
//! of XML itself and numeric ones.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::node::Node;
use super::text::{is_blank, without_white_space};

/// The declaration before every document written.
pub(super) const HEADER: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
/// Most elements a document may have.
const ELEMENTS_MAX: usize = 4096;

/// Why an XML text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum XmlFault {
    Malformed,
    Trailing,
    TooDeep,
    TooLarge,
    Doctype,
    Entity,
}

/// An element with either text or children. Attributes are not kept.
#[derive(Default)]
pub(super) struct Element<'a> {
    pub(super) name: String,
    pub(super) text: Cow<'a, str>,
    pub(super) children: Vec<Element<'a>>,
}

/// Reads a whole document and returns its root.
pub(super) fn tree(text: &str, depth_max: usize) -> Result<Element<'_>, XmlFault> {
    let mut builder = Builder {
        depth_max,
        ..Builder::default()
    };
    let mut reader = Reader::from_str(text);
    // White space is not signed: without this check, `-->` made `-- >` would let a comment
    // swallow the fields up to the next one.
    reader.config_mut().check_comments = true;
    loop {
        match reader.read_event().map_err(|_| XmlFault::Malformed)? {
            Event::Start(tag) => builder.open(tag.name().0)?,
            Event::End(_) => builder.close()?,
            Event::Empty(tag) => {
                builder.open(tag.name().0)?;
                builder.close()?;
            }
            Event::Text(text) => builder.text(text.into_inner())?,
            Event::CData(text) => builder.text(cdata(text.into_inner())?)?,
            Event::GeneralRef(reference) => builder.text(resolve(&reference)?)?,
            Event::Comment(_) => {}
            Event::Decl(_) => builder.declaration()?,
            Event::PI(_) => return Err(XmlFault::Malformed),
            Event::DocType(_) => return Err(XmlFault::Doctype),
            Event::Eof => return builder.finish(),
        }
    }
}

/// The elements open so far. Kept on the heap, so that depth costs no stack.
#[derive(Default)]
struct Builder<'a> {
    open: Vec<Element<'a>>,
    root: Option<Element<'a>>,
    elements: usize,
    depth_max: usize,
}

impl<'a> Builder<'a> {
    fn declaration(&self) -> Result<(), XmlFault> {
        if self.elements == 0 {
            Ok(())
        } else {
            Err(XmlFault::Malformed)
        }
    }

    fn open(&mut self, name: &str) -> Result<(), XmlFault> {
        if self.root.is_some() {
            return Err(XmlFault::Trailing);
        }
        if name.is_empty() {
            return Err(XmlFault::Malformed);
        }
        self.elements += 1;
        if self.open.len() >= self.depth_max {
            return Err(XmlFault::TooDeep);
        }
        if self.elements > ELEMENTS_MAX {
            return Err(XmlFault::TooLarge);
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlFault> {
        let mut element = self.open.pop().ok_or(XmlFault::Malformed)?;
        if is_blank(&element.text) {
            element.text = Cow::Borrowed("");
        } else if !element.children.is_empty() {
            return Err(XmlFault::Malformed);
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: Cow<'a, str>) -> Result<(), XmlFault> {
        match self.open.last_mut() {
            Some(element) if element.text.is_empty() => element.text = text,
            Some(element) => element.text.to_mut().push_str(&text),
            None if is_blank(&text) => {}
            None if self.root.is_some() => return Err(XmlFault::Trailing),
            None => return Err(XmlFault::Malformed),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element<'a>, XmlFault> {
        if self.open.is_empty() {
            self.root.ok_or(XmlFault::Malformed)
        } else {
            Err(XmlFault::Malformed)
        }
    }
}

/// A section's text. Like a comment it must not be lengthened by white space in its end.
fn cdata(text: Cow<'_, str>) -> Result<Cow<'_, str>, XmlFault> {
    if text.contains("]]") && without_white_space(&text).contains("]]>") {
        Err(XmlFault::Malformed)
    } else {
        Ok(text)
    }
}

fn resolve<'a>(reference: &BytesRef<'a>) -> Result<Cow<'a, str>, XmlFault> {
    let char = reference
        .resolve_char_ref()
        .map_err(|_| XmlFault::Malformed)?;
    if let Some(char) = char {
        return Ok(Cow::Owned(char.to_string()));
    }
    let text = match &**reference {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err(XmlFault::Entity),
    };
    Ok(Cow::Borrowed(text))
}

/// Appends a tree as the element `name`; a list becomes repeated elements.
pub(super) fn write(out: &mut String, name: &str, node: &Node<'_>) {
    if let Node::List(list) = node {
        for node in list {
            write(out, name, node);
        }
        return;
    }
    tag(out, "<", name);
    match node {
        Node::Text(text) | Node::Number(text) => write_text(out, text),
        Node::Int(number) => out.push_str(&number.to_string()),
        Node::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Node::Object(members) => write_sorted(out, members),
        Node::List(_) => {}
    }
    tag(out, "</", name);
}

fn tag(out: &mut String, open: &str, name: &str) {
    out.push_str(open);
    out.push_str(name);
    out.push('>');
}

/// Siblings come in the order clients' bindings were generated from: ASCII order of the
/// property's name with its first letter lowercased.
fn write_sorted(out: &mut String, members: &[(Cow<'_, str>, Node<'_>)]) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| property(a).cmp(property(b)));
    for (name, node) in sorted {
        write(out, name, node);
    }
}

/// The bytes of a property's name as they are sorted.
fn property(name: &str) -> impl Iterator<Item = u8> {
    let lower = name.bytes().take(1).map(|b| b.to_ascii_lowercase());
    lower.chain(name.bytes().skip(1))
}

/// A backslash is written as a reference because a receiver in use drops raw ones before it
/// checks a signature. What XML cannot hold at all becomes U+FFFD.
fn write_text(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\\' => out.push_str("&#92;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..=' ' if char != ' ' => out.push('\u{FFFD}'),
            '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            _ => out.push(char),
        }
    }
}
