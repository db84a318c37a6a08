//! A request's body as flat, named fields, whether it came as JSON or as XML.

use std::borrow::Cow;

use super::json::{self, JsonFault, Value};
use super::node::DEPTH_MAX;
use super::query::Format;
use super::text::{is_blank, is_white_space, trim};
use super::xml::{self, Element, XmlFault};

/// Most bytes of a body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most fields of a body, or of one item of its goods.
pub const FIELDS_MAX: usize = 128;
/// Most items in `GOODS_DETAIL`.
pub const GOODS_MAX: usize = 100;
/// The only field that is a list (appendix 1).
pub const GOODS_DETAIL: &str = "GOODS_DETAIL";

/// Why a body is refused. All become `ILLEGAL_PARAMETER`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// More than [`BODY_BYTES_MAX`] bytes, [`FIELDS_MAX`] fields, or too many elements.
    #[error("the body is too large")]
    TooLarge,
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Neither `{` nor `<` comes first, or what follows breaks the rules of JSON or XML.
    #[error("the body is not a JSON object or an XML document")]
    Malformed,
    /// Something follows the document; it would be an addition to a signed text.
    #[error("something follows the document")]
    Trailing,
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("the body is nested too deeply")]
    TooDeep,
    /// A document type declaration.
    #[error("a document type declaration is not allowed")]
    Doctype,
    /// An entity other than the five of XML itself.
    #[error("an entity is not allowed")]
    Entity,
    /// A field is there twice.
    #[error("{field} is given twice")]
    Duplicate {
        /// The field's name.
        field: String,
    },
    /// A field's name holds white space. It is not signed, so by adding some anybody could
    /// turn a known field into an unknown one, which is ignored.
    #[error("the name {field:?} holds white space")]
    NameWithSpace {
        /// The field's name.
        field: String,
    },
    /// A field's value holds a control character (U+0000 to U+001F, U+007F).
    #[error("{field} holds a control character")]
    ControlCharacter {
        /// The field's name.
        field: String,
    },
    /// A field that must be a string or a number is something else, or `GOODS_DETAIL`
    /// is no list of items.
    #[error("{field} has the wrong type")]
    WrongType {
        /// The field's name.
        field: String,
    },
    /// `GOODS_DETAIL` has more than [`GOODS_MAX`] items.
    #[error("GOODS_DETAIL has too many items")]
    TooManyGoods,
}

/// A field's value.
#[derive(Clone)]
enum Field<'a> {
    Text(Cow<'a, str>),
    /// JSON's null: counted as a duplicate, otherwise as if absent.
    Null,
    /// A truth value or something nested: harmless unless somebody asks for it.
    Unusable,
}

/// Named values. No `Debug`: they include codes that pay.
#[derive(Clone, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Field<'a>)>);

impl<'a> Fields<'a> {
    /// A field's text, exactly as sent. Absent, null and blank fields are `None`: white space
    /// is not signed, so a blank value could be made of an empty one.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongType`] when the field is neither a string nor a number.
    pub fn text(&self, name: &str) -> Result<Option<&str>, DocumentError> {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((_, Field::Text(text))) if !is_blank(text) => Ok(Some(text)),
            Some((_, Field::Unusable)) => Err(DocumentError::WrongType {
                field: name.to_owned(),
            }),
            Some((_, Field::Text(_) | Field::Null)) | None => Ok(None),
        }
    }

    fn push(&mut self, name: Cow<'a, str>, field: Field<'a>) -> Result<(), DocumentError> {
        if self.0.iter().any(|(known, _)| *known == name) {
            return Err(DocumentError::Duplicate {
                field: label(&name),
            });
        }
        if self.0.len() >= FIELDS_MAX {
            return Err(DocumentError::TooLarge);
        }
        if name.bytes().any(is_white_space) {
            return Err(DocumentError::NameWithSpace {
                field: label(&name),
            });
        }
        if let Field::Text(text) = &field
            && text.bytes().any(|b| b.is_ascii_control())
        {
            return Err(DocumentError::ControlCharacter {
                field: label(&name),
            });
        }
        self.0.push((name, field));
        Ok(())
    }
}

/// A decoded body. No `Debug`: it includes codes that pay.
#[derive(Clone)]
pub struct Document<'a> {
    format: Format,
    fields: Fields<'a>,
    goods: Vec<Fields<'a>>,
}

impl<'a> Document<'a> {
    /// Reads a plaintext body; its first non-blank byte tells JSON from XML.
    ///
    /// # Errors
    ///
    /// [`DocumentError`], naming the field where there is one.
    pub fn decode(body: &'a [u8]) -> Result<Self, DocumentError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(DocumentError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|_| DocumentError::NotUtf8)?;
        let text = trim(text);
        match text.as_bytes().first() {
            Some(b'{') => Self::from_json(text),
            Some(b'<') => Self::from_xml(text),
            Some(_) => Err(DocumentError::Malformed),
            None => Err(DocumentError::Empty),
        }
    }

    /// The format the body came in; the reply's is the URL's choice.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The fields, without `GOODS_DETAIL`.
    pub const fn fields(&self) -> &Fields<'a> {
        &self.fields
    }

    /// The items of `GOODS_DETAIL`.
    pub fn goods(&self) -> &[Fields<'a>] {
        &self.goods
    }

    const fn empty(format: Format) -> Self {
        Self {
            format,
            fields: Fields(Vec::new()),
            goods: Vec::new(),
        }
    }

    fn from_json(text: &'a str) -> Result<Self, DocumentError> {
        if !json::is_within_depth(text, DEPTH_MAX) {
            return Err(DocumentError::TooDeep);
        }
        let members = json::members(text)?;
        let mut document = Self::empty(Format::Json);
        document.fields.0.reserve(members.len().min(FIELDS_MAX));
        for (name, value) in members {
            if name == GOODS_DETAIL {
                document.goods = json_goods(value)?;
                document.fields.push(name, Field::Unusable)?;
            } else {
                document.fields.push(name, json_field(value)?)?;
            }
        }
        Ok(document)
    }

    fn from_xml(text: &'a str) -> Result<Self, DocumentError> {
        let root = xml::tree(text, DEPTH_MAX)?;
        if !root.text.is_empty() {
            return Err(DocumentError::Malformed);
        }
        let mut document = Self::empty(Format::Xml);
        for child in root.children {
            if child.name == GOODS_DETAIL {
                document.push_xml_goods(child)?;
            } else {
                let (name, field) = xml_field(child);
                document.fields.push(name, field)?;
            }
        }
        Ok(document)
    }

    /// One item whose children are its fields, or a wrapper around repeated items.
    fn push_xml_goods(&mut self, element: Element<'a>) -> Result<(), DocumentError> {
        if !element.text.is_empty() {
            return Err(wrong_goods());
        }
        let is_wrapper = element.children.iter().any(|c| !c.children.is_empty());
        if is_wrapper {
            for item in element.children {
                self.push_item(xml_item(item)?)?;
            }
        } else if !element.children.is_empty() {
            self.push_item(xml_item(element)?)?;
        }
        Ok(())
    }

    fn push_item(&mut self, item: Fields<'a>) -> Result<(), DocumentError> {
        if self.goods.len() >= GOODS_MAX {
            return Err(DocumentError::TooManyGoods);
        }
        self.goods.push(item);
        Ok(())
    }
}

fn json_field(text: &str) -> Result<Field<'_>, DocumentError> {
    Ok(match json::value(text)? {
        Value::Text(text) => Field::Text(text),
        Value::Number(number) => Field::Text(Cow::Borrowed(number)),
        Value::Null => Field::Null,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Field::Unusable,
    })
}

/// A list of items, one item alone, or nothing.
fn json_goods(text: &str) -> Result<Vec<Fields<'_>>, DocumentError> {
    match json::value(text)? {
        Value::Array(inside) => {
            let items = json::elements(inside)?;
            if items.len() > GOODS_MAX {
                return Err(DocumentError::TooManyGoods);
            }
            items.into_iter().map(json_item).collect()
        }
        Value::Object(_) => Ok(vec![json_item(text)?]),
        Value::Null => Ok(Vec::new()),
        Value::Text(text) if is_blank(&text) || text == "null" => Ok(Vec::new()),
        Value::Text(_) | Value::Number(_) | Value::Bool(_) => Err(wrong_goods()),
    }
}

fn json_item(text: &str) -> Result<Fields<'_>, DocumentError> {
    let Value::Object(inside) = json::value(text)? else {
        return Err(wrong_goods());
    };
    let mut item = Fields::default();
    for (name, value) in json::members(inside)? {
        item.push(name, json_field(value)?)?;
    }
    Ok(item)
}

fn xml_field(element: Element<'_>) -> (Cow<'_, str>, Field<'_>) {
    let field = if element.children.is_empty() {
        Field::Text(element.text)
    } else {
        Field::Unusable
    };
    (Cow::Owned(element.name), field)
}

fn xml_item(element: Element<'_>) -> Result<Fields<'_>, DocumentError> {
    if !element.text.is_empty() {
        return Err(wrong_goods());
    }
    let mut item = Fields::default();
    for child in element.children {
        let (name, field) = xml_field(child);
        item.push(name, field)?;
    }
    Ok(item)
}

fn wrong_goods() -> DocumentError {
    DocumentError::WrongType {
        field: GOODS_DETAIL.to_owned(),
    }
}

/// A field's name as it may be shown: bounded, printable.
fn label(name: &str) -> String {
    let printable = name.chars().filter(|c| !c.is_control());
    printable.take(64).collect()
}

impl From<JsonFault> for DocumentError {
    fn from(fault: JsonFault) -> Self {
        match fault {
            JsonFault::Malformed => Self::Malformed,
            JsonFault::Trailing => Self::Trailing,
        }
    }
}

impl From<XmlFault> for DocumentError {
    fn from(fault: XmlFault) -> Self {
        match fault {
            XmlFault::Malformed => Self::Malformed,
            XmlFault::Trailing => Self::Trailing,
            XmlFault::TooDeep => Self::TooDeep,
            XmlFault::TooLarge => Self::TooLarge,
            XmlFault::Doctype => Self::Doctype,
            XmlFault::Entity => Self::Entity,
        }
    }
}
