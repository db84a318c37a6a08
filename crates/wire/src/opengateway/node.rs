//! The tree every reply and notification becomes before it is written as JSON or XML.

use std::borrow::Cow;

use super::query::Format;
use super::{json, xml};

pub(super) use crate::node::Members;
pub use crate::node::{DEPTH_MAX, Node};

/// Writes a document: in JSON the root is a member around the body, if it has one there.
pub(super) fn encode(
    format: Format,
    root: &'static str,
    json_root: bool,
    body: Node<'_>,
) -> Vec<u8> {
    let mut out = String::with_capacity(512);
    match format {
        Format::Xml => {
            out.push_str(xml::HEADER);
            xml::write(&mut out, root, &body);
        }
        Format::Json if json_root => {
            json::write(&mut out, &Node::Object(vec![(Cow::Borrowed(root), body)]));
        }
        Format::Json => json::write(&mut out, &body),
    }
    out.into_bytes()
}
