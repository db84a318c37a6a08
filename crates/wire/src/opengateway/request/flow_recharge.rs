//! flowRecharge: mobile data top-up (table 10.2).

use super::fields::{self, invalid, required};
use super::{Demand, RequestError, rules};
use crate::opengateway::document::{Document, Fields};
use crate::opengateway::node::Members;
use crate::opengateway::text::is_digits;

/// Digits of a telephone number.
const PHONE_DIGITS: usize = 11;

/// Where the data may be used, `flowType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FlowType {
    /// `0`: the whole country.
    #[default]
    Nationwide,
    /// `1`: the number's own province.
    Provincial,
}

impl FlowType {
    /// The value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nationwide => "0",
            Self::Provincial => "1",
        }
    }

    fn decode(f: &Fields<'_>) -> Result<Self, RequestError> {
        let rule = &rules::FLOW_TYPE;
        match fields::optional_number(f, rule, Demand::FlowType)? {
            None | Some(0) => Ok(Self::Nationwide),
            Some(1) => Ok(Self::Provincial),
            Some(_) => Err(invalid(rule, Demand::FlowType)),
        }
    }
}

/// A flowRecharge request. The merchant is in the URL's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRecharge {
    /// `phoneNo`, 11 digits, the first of them 1.
    pub phone_no: String,
    /// `flowVal`, in MB, above 0.
    pub flow_mb: u32,
    /// `flowType`.
    pub flow_type: FlowType,
    /// `notifyURL`, an http or https address without white space.
    pub notify_url: Option<String>,
}

impl FlowRecharge {
    /// Takes the message out of a document.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(document: &Document<'_>) -> Result<Self, RequestError> {
        let f = document.fields();
        Ok(Self {
            phone_no: phone_no(f)?,
            flow_mb: flow_mb(f)?,
            flow_type: FlowType::decode(f)?,
            notify_url: fields::url(f, &rules::NOTIFY_URL)?,
        })
    }

    /// The body a client sends.
    pub fn to_json(&self) -> String {
        let mut m = Members::with_capacity(4);
        m.text(rules::PHONE_NO.name, &self.phone_no)
            .int(rules::FLOW_VAL.name, self.flow_mb)
            .text(rules::FLOW_TYPE.name, self.flow_type.as_str())
            .maybe_text(rules::NOTIFY_URL.name, self.notify_url.as_deref());
        m.into_node().to_json()
    }
}

fn phone_no(f: &Fields<'_>) -> Result<String, RequestError> {
    let text = required(f, &rules::PHONE_NO)?;
    if text.len() == PHONE_DIGITS && text.starts_with('1') && is_digits(&text) {
        Ok(text)
    } else {
        Err(invalid(&rules::PHONE_NO, Demand::PhoneNumber))
    }
}

fn flow_mb(f: &Fields<'_>) -> Result<u32, RequestError> {
    match fields::number(f, &rules::FLOW_VAL, Demand::Positive)? {
        0 => Err(invalid(&rules::FLOW_VAL, Demand::Positive)),
        megabytes => Ok(megabytes),
    }
}
