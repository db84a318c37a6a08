//! Why a message is refused, with the member at fault and the words that say so.

use crate::locale::Locale;
use crate::voucher::document::DocumentError;

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is no document of this dialect.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A mandatory member is absent, null or empty.
    #[error("{field} is missing")]
    Missing {
        /// The member's name; inside `extendData` with that name before it.
        field: &'static str,
    },
    /// A value outside its list, range or shape.
    #[error("{field} {}", .demand.text(Locale::En))]
    Invalid {
        /// The member's name; inside `extendData` with that name before it.
        field: &'static str,
        /// What the value had to be.
        demand: Demand,
    },
    /// A name or a value that would give the signed text two meanings.
    #[error("{field} must not hold what separates the members of a signed text")]
    Ambiguous {
        /// The member's name.
        field: String,
    },
}

/// What an invalid value had to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// 1 to 64 visible ASCII characters.
    TraceNo,
    /// A list of codes and ids, with commas between them.
    Items,
    /// One code or id.
    Item,
    /// A whole number of fen.
    Fen,
    /// A whole number of at most nine digits.
    Whole,
    /// An object.
    Object,
    /// A text of at most [`super::TEXT_CHARS_MAX`] characters.
    Text,
    /// The only version there is.
    Version,
    /// 1 to 32 letters, digits, dots, dashes or underscores.
    Account,
    /// 1 to 28 visible ASCII characters.
    OrderId,
    /// 1 or 2.
    SegmentKind,
    /// 6 digits for cards, 4 for vouchers.
    Bin,
    /// 3.
    CodeType,
    /// 7 digits.
    SegmentNo,
    /// Not below the segment's first number.
    SegmentEnd,
    /// Not above the list price.
    CostPrice,
    /// `yyyy-MM-dd HH:mm:ss`.
    Time,
    /// After the first moment of validity.
    ValidEnd,
    /// Not given under two names.
    OneName,
}

impl Demand {
    const fn text(self, locale: Locale) -> &'static str {
        match self {
            Self::TraceNo => locale.pick(
                "必须是1至64个可见ASCII字符",
                "must be 1 to 64 visible ASCII characters",
            ),
            Self::Items => locale.pick(
                "必须是1至1000个以逗号分隔的编码，每个8至64位，仅含字母、数字、=或-",
                "must be 1 to 1000 codes or ids with commas between them, each of 8 to 64 \
                 letters, digits, = or -",
            ),
            Self::Item => locale.pick(
                "必须是一个8至64位的编码，仅含字母、数字、=或-",
                "must be one code or id of 8 to 64 letters, digits, = or -",
            ),
            Self::Fen => locale.pick(
                "必须是0至9999999999的整数（分）",
                "must be a whole number of fen, from 0 to 9999999999",
            ),
            Self::Whole => locale.pick(
                "必须是不超过9位的整数",
                "must be a whole number of at most 9 digits",
            ),
            Self::Object => locale.pick("必须是JSON对象", "must be a JSON object"),
            Self::Text => locale.pick(
                "必须是不超过64个字符的文本",
                "must be a text of at most 64 characters, none of them a control character",
            ),
            Self::Version => locale.pick("必须是2", "must be 2"),
            Self::Account => locale.pick(
                "必须是1至32位字母、数字或._-",
                "must be 1 to 32 letters, digits, dots, dashes or underscores",
            ),
            Self::OrderId => locale.pick(
                "必须是1至28个可见ASCII字符",
                "must be 1 to 28 visible ASCII characters",
            ),
            Self::SegmentKind => {
                locale.pick("必须是1（卡）或2（券）", "must be 1, cards, or 2, vouchers")
            }
            Self::Bin => locale.pick(
                "必须是6位（卡）或4位（券）数字",
                "must be 6 digits for cards, 4 for vouchers",
            ),
            Self::CodeType => locale.pick("必须是3", "must be 3"),
            Self::SegmentNo => locale.pick("必须是7位数字", "must be 7 digits"),
            Self::SegmentEnd => locale.pick("不能小于startCardSe", "must not be below startCardSe"),
            Self::CostPrice => {
                locale.pick("不能大于sellingPrice", "must not be above sellingPrice")
            }
            Self::Time => locale.pick(
                "格式必须是yyyy-MM-dd HH:mm:ss",
                "must be a time, yyyy-MM-dd HH:mm:ss",
            ),
            Self::ValidEnd => locale.pick("必须晚于validStart", "must be after validStart"),
            Self::OneName => locale.pick("与validEnd重复", "must not be given as validEnd too"),
        }
    }
}

impl RequestError {
    /// The member at fault; `body` when it is the body as a whole.
    pub fn field(&self) -> &str {
        match self {
            Self::Document(error) => error.field(),
            Self::Missing { field } | Self::Invalid { field, .. } => field,
            Self::Ambiguous { field } => field,
        }
    }

    /// The words for people, for `returnDesc` and `message`; they name the member.
    pub fn desc(&self, locale: Locale) -> String {
        let field = self.field();
        let what = match self {
            Self::Document(error) => document_desc(error, locale),
            Self::Missing { .. } => locale.pick("不能为空", "is missing or empty"),
            Self::Invalid { demand, .. } => demand.text(locale),
            Self::Ambiguous { .. } => locale.pick(
                "包含使签名原文产生歧义的字符",
                "holds what would give the signed text two meanings",
            ),
        };
        match locale {
            Locale::Zh => format!("参数 {field} {what}"),
            Locale::En => format!("parameter {field} {what}"),
        }
    }
}

const fn document_desc(error: &DocumentError, locale: Locale) -> &'static str {
    match error {
        DocumentError::TooLarge => locale.pick("过大", "is too large"),
        DocumentError::NotUtf8 => locale.pick("不是UTF-8编码", "is not UTF-8"),
        DocumentError::Malformed => locale.pick("不是有效的JSON对象", "is no JSON object"),
        DocumentError::TooDeep => locale.pick("嵌套过深", "is nested too deeply"),
        DocumentError::Duplicate { .. } => locale.pick("重复出现", "is given twice"),
    }
}
