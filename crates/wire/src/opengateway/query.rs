//! The parameters of a URL (tables 2.2, 3.2, 4.1 and sections 7.1, 8.1, 9.1).

use std::borrow::Cow;

use super::code::Locale;
use super::operation::Operation;
use super::text;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON.
    Json,
    /// XML, the dialect's default.
    Xml,
}

impl Format {
    /// The value of the reply's `Content-Type` header.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json;charset=UTF-8",
            Self::Xml => "application/xml;charset=UTF-8",
        }
    }

    /// The value of `_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }
}

/// How bodies are encrypted, `encrypt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encryption {
    /// Not at all.
    #[default]
    None,
    /// DESede, see [`super::seal`]. One cell of the source says `DES` and means this.
    TripleDes,
}

/// What the code in a query's path is, `serType` (section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SerialType {
    /// `0` or absent: the merchant's serial, CHARGE_CODE.
    #[default]
    Merchant,
    /// `1`: the gateway's serial, CHARGE_DOWN_CODE.
    Gateway,
    /// `2`: a verification code.
    VerifyCode,
}

impl SerialType {
    /// The value of `serType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merchant => "0",
            Self::Gateway => "1",
            Self::VerifyCode => "2",
        }
    }
}

/// The known parameters of a URL; an empty value is an absent one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryString {
    /// `sign`, see [`super::sign`].
    pub sign: Option<String>,
    /// `_type`; when absent the operation decides, see [`Self::reply_format`].
    pub format: Option<Format>,
    /// `encrypt`.
    pub encryption: Encryption,
    /// `busiCode`, the merchant.
    pub busi_code: Option<String>,
    /// `serType`, for query only.
    pub serial_type: SerialType,
    /// Whether `opType` is `ACO`: the cancellation waits for an operator's decision.
    pub needs_approval: bool,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryFault {
    /// A known parameter is there twice.
    #[error("parameter {0} is given twice")]
    Duplicate(&'static str),
    /// A value that is not in the parameter's list.
    #[error("parameter {0} has an unknown value")]
    Unknown(&'static str),
}

/// A refused query string, with what could be read of it: the reply's format and cipher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct QueryError {
    /// The first fault met.
    pub fault: QueryFault,
    /// Everything else, the faulty parameter left at its default. A faulty `_type` is XML.
    pub understood: Box<QueryString>,
}

impl QueryError {
    /// The faulty parameter's name.
    pub const fn field(&self) -> &'static str {
        match self.fault {
            QueryFault::Duplicate(field) | QueryFault::Unknown(field) => field,
        }
    }

    /// The message for ILLEGAL_PARAMETER.
    pub fn info(&self, locale: Locale) -> String {
        let field = self.field();
        let what = match self.fault {
            QueryFault::Duplicate(_) => locale.pick("重复出现", "is given twice"),
            QueryFault::Unknown(_) => locale.pick("取值无效", "has an unknown value"),
        };
        match locale {
            Locale::Zh => format!("参数 {field} {what}"),
            Locale::En => format!("parameter {field} {what}"),
        }
    }
}

/// The parameters that are looked at; others are ignored.
const KNOWN: [&str; 6] = ["sign", "_type", "encrypt", "busiCode", "serType", "opType"];

impl QueryString {
    /// Reads a URL's query, the text after `?`, still percent-encoded.
    ///
    /// # Errors
    ///
    /// [`QueryError`] when a known parameter is repeated or has an unknown value.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut seen: Vec<&'static str> = Vec::with_capacity(KNOWN.len());
        let mut fault = None;
        for pair in raw.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let Err(found) = query.take(&percent_decode(name), value, &mut seen) {
                fault.get_or_insert(found);
            }
        }
        match fault {
            None => Ok(query),
            Some(fault) => Err(QueryError {
                fault,
                understood: Box::new(query),
            }),
        }
    }

    /// The format of the reply to this operation.
    pub fn reply_format(&self, operation: Operation) -> Format {
        self.format.unwrap_or(operation.default_format())
    }

    fn take(
        &mut self,
        name: &str,
        raw: &str,
        seen: &mut Vec<&'static str>,
    ) -> Result<(), QueryFault> {
        let Some(known) = KNOWN.into_iter().find(|&known| known == name) else {
            return Ok(());
        };
        if seen.contains(&known) {
            return Err(QueryFault::Duplicate(known));
        }
        seen.push(known);
        let value = percent_decode(raw);
        if value.is_empty() {
            return Ok(());
        }
        self.set(known, &value).ok_or(QueryFault::Unknown(known))
    }

    /// Sets one parameter; `None` when the value is not in its list.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "sign" => self.sign = Some(value.to_owned()),
            "busiCode" => self.busi_code = Some(value.to_owned()),
            "encrypt" => self.encryption = encryption(value)?,
            "serType" => self.serial_type = serial_type(value)?,
            "opType" => self.needs_approval = value == "ACO",
            _ => {
                // A faulty `_type` is answered in XML whatever the operation's default.
                let format = format(value);
                self.format = Some(format.unwrap_or(Format::Xml));
                return format.map(|_| ());
            }
        }
        Some(())
    }
}

fn format(value: &str) -> Option<Format> {
    match value {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        _ => None,
    }
}

fn encryption(value: &str) -> Option<Encryption> {
    matches!(value, "3DES" | "DES").then_some(Encryption::TripleDes)
}

fn serial_type(value: &str) -> Option<SerialType> {
    match value {
        "0" => Some(SerialType::Merchant),
        "1" => Some(SerialType::Gateway),
        "2" => Some(SerialType::VerifyCode),
        _ => None,
    }
}

/// Undoes percent-encoding in a query value or a path segment. Total: a `%` without two
/// hexadecimal digits stays, bytes that are not UTF-8 become U+FFFD, `+` stays `+`.
pub fn percent_decode(raw: &str) -> Cow<'_, str> {
    if !raw.contains('%') {
        return Cow::Borrowed(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, after) = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                match (text::hex_value(*high), text::hex_value(*low)) {
                    (Some(high), Some(low)) => (high << 4 | low, after),
                    (None, _) | (_, None) => (*first, tail),
                }
            }
            _ => (*first, tail),
        };
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Percent-encodes a text for a path segment or a query value.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            text::push_hex(&mut out, &[byte]);
        }
    }
    out
}
