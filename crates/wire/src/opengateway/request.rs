//! The typed messages a client sends, and what the dialect itself demands of their fields.
//!
//! Only shape is checked here: presence, length, white space that is not signed, closed lists.
//! Amounts stay text, because a wrong amount has a return code of its own.

mod fields;
mod flow_recharge;
mod good;
mod order;
mod pre_order;
mod refund;
pub mod rules;

pub use flow_recharge::{FlowRecharge, FlowType};
pub use good::Good;
pub use order::{Order, TradeType};
pub use pre_order::{DynamicIdType, PreOrder};
pub use refund::Refund;

use super::code::Locale;
use super::document::DocumentError;
use super::text::is_white_space;
use rules::Rule;

/// Why a message is refused. All become `ILLEGAL_PARAMETER`, with [`Self::info`] as INFO.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is no document, or a field has the wrong type.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A mandatory field is absent or blank.
    #[error("{field} is missing")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A value has more characters than allowed.
    #[error("{field} is longer than {chars_max} characters")]
    TooLong {
        /// The field's name.
        field: &'static str,
        /// Most characters it may have.
        chars_max: usize,
    },
    /// White space, which is not signed, inside a value where it could change the meaning.
    #[error("{field} holds white space")]
    WhiteSpace {
        /// The field's name.
        field: &'static str,
    },
    /// A value outside its list or range.
    #[error("{field}: {demand:?}")]
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What the value had to be.
        demand: Demand,
    },
}

/// What an invalid value had to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// A whole number of seconds, at least [`rules::TIME_EXPIRE_S_MIN`].
    Seconds,
    /// A code of appendix 2.
    Channel,
    /// 1, 2 or 3.
    DynamicIdType,
    /// NATIVE, JSAPI or APP.
    TradeType,
    /// An `http://` or `https://` address with a host.
    Url,
    /// 11 digits, the first of them 1.
    PhoneNumber,
    /// A whole number above 0.
    Positive,
    /// 0 or 1.
    FlowType,
}

impl Demand {
    const fn text(self, locale: Locale) -> &'static str {
        match self {
            Self::Seconds => locale.pick(
                "必须是不小于120的整数（秒）",
                "must be a whole number of seconds, at least 120",
            ),
            Self::Channel => locale.pick("不是已知的支付渠道", "is no known payment channel"),
            Self::DynamicIdType => locale.pick("必须是1、2或3", "must be 1, 2 or 3"),
            Self::TradeType => {
                locale.pick("必须是NATIVE、JSAPI或APP", "must be NATIVE, JSAPI or APP")
            }
            Self::Url => locale.pick("必须是http或https地址", "must be an http or https address"),
            Self::PhoneNumber => {
                locale.pick("必须是1开头的11位数字", "must be 11 digits starting with 1")
            }
            Self::Positive => locale.pick("必须是正整数", "must be a whole number above 0"),
            Self::FlowType => locale.pick("必须是0或1", "must be 0 or 1"),
        }
    }
}

impl RequestError {
    /// The field at fault; `body` when it is the document as a whole.
    pub fn field(&self) -> &str {
        match self {
            Self::Document(error) => document_field(error),
            Self::Missing { field }
            | Self::TooLong { field, .. }
            | Self::WhiteSpace { field }
            | Self::Invalid { field, .. } => field,
        }
    }

    /// The message for people; it names the field.
    pub fn info(&self, locale: Locale) -> String {
        let what = match self {
            Self::Document(error) => return document_info(error, locale),
            Self::Missing { .. } => locale.pick("不能为空", "is missing or empty").to_owned(),
            Self::TooLong { chars_max, .. } => match locale {
                Locale::Zh => format!("不能超过{chars_max}个字符"),
                Locale::En => format!("must not exceed {chars_max} characters"),
            },
            Self::WhiteSpace { .. } => locale
                .pick("不能包含空白字符", "must not contain white space")
                .to_owned(),
            Self::Invalid { demand, .. } => demand.text(locale).to_owned(),
        };
        named(self.field(), &what, locale)
    }
}

/// The code in the path of a query or a cancellation, already percent-decoded, under the
/// rules of CHARGE_CODE.
///
/// # Errors
///
/// [`RequestError`] naming CHARGE_CODE.
pub fn path_code(decoded: &str) -> Result<&str, RequestError> {
    if decoded
        .bytes()
        .any(|b| b.is_ascii_control() && !is_white_space(b))
    {
        let field = rules::CHARGE_CODE.name.to_owned();
        return Err(DocumentError::ControlCharacter { field }.into());
    }
    check(&rules::CHARGE_CODE, decoded)?;
    Ok(decoded)
}

/// Checks presence, length and white space of a value.
fn check(rule: &Rule, text: &str) -> Result<(), RequestError> {
    let field = rule.name;
    if text.is_empty() {
        return Err(RequestError::Missing { field });
    }
    if rule.is_solid && text.bytes().any(is_white_space) {
        return Err(RequestError::WhiteSpace { field });
    }
    // Bytes bound characters from above, so counting is for the rare long text only.
    if text.len() > rule.chars_max && text.chars().count() > rule.chars_max {
        let chars_max = rule.chars_max;
        return Err(RequestError::TooLong { field, chars_max });
    }
    Ok(())
}

fn named(field: &str, what: &str, locale: Locale) -> String {
    match locale {
        Locale::Zh => format!("参数 {field} {what}"),
        Locale::En => format!("parameter {field} {what}"),
    }
}

fn document_field(error: &DocumentError) -> &str {
    match error {
        DocumentError::Duplicate { field }
        | DocumentError::NameWithSpace { field }
        | DocumentError::ControlCharacter { field }
        | DocumentError::WrongType { field } => field,
        DocumentError::TooManyGoods => super::document::GOODS_DETAIL,
        DocumentError::Empty
        | DocumentError::TooLarge
        | DocumentError::NotUtf8
        | DocumentError::Malformed
        | DocumentError::Trailing
        | DocumentError::TooDeep
        | DocumentError::Doctype
        | DocumentError::Entity => "body",
    }
}

fn document_info(error: &DocumentError, locale: Locale) -> String {
    let what = match error {
        DocumentError::Empty => locale.pick("不能为空", "is empty"),
        DocumentError::TooLarge => locale.pick("过大", "is too large"),
        DocumentError::NotUtf8 => locale.pick("不是UTF-8编码", "is not UTF-8"),
        DocumentError::Malformed => locale.pick(
            "不是有效的JSON对象或XML文档",
            "is no JSON object and no XML document",
        ),
        DocumentError::Trailing => {
            locale.pick("在文档结束后还有内容", "goes on after the document's end")
        }
        DocumentError::TooDeep => locale.pick("嵌套过深", "is nested too deeply"),
        DocumentError::Doctype => locale.pick("不允许包含DTD", "must not have a DTD"),
        DocumentError::Entity => locale.pick(
            "包含不允许的实体",
            "refers to an entity that is not allowed",
        ),
        DocumentError::Duplicate { .. } => locale.pick("重复出现", "is given twice"),
        DocumentError::NameWithSpace { .. } => locale.pick(
            "名称不能包含空白字符",
            "must not have white space in its name",
        ),
        DocumentError::ControlCharacter { .. } => {
            locale.pick("不能包含控制字符", "must not contain control characters")
        }
        DocumentError::WrongType { .. } => locale.pick("类型错误", "has the wrong type"),
        DocumentError::TooManyGoods => {
            locale.pick("最多100个商品", "must not have more than 100 items")
        }
    };
    named(document_field(error), what, locale)
}
