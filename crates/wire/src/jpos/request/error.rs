//! Why a message is refused, with the field and the status that say so.

use crate::jpos::amount::AmountError;
use crate::jpos::form::FormError;
use crate::jpos::name;
use crate::jpos::object::MemberError;
use crate::jpos::pin::PinError;
use crate::jpos::reply::Outcome;
use crate::jpos::status::Status;

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is no form of this dialect.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A mandatory field is absent or empty.
    #[error("{field} is missing")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A value outside its list, range or shape.
    #[error("{field} must be {}", .demand.text())]
    Invalid {
        /// The field's name.
        field: &'static str,
        /// What the value had to be.
        demand: Demand,
    },
    /// An amount that cannot be.
    #[error("{field}: {error}")]
    Amount {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        error: AmountError,
    },
    /// An element of a list in JSON.
    #[error("{list}, element {index}: {error}")]
    Item {
        /// The name of the field that holds the list.
        list: &'static str,
        /// Which element, from 0.
        index: usize,
        /// What is wrong with it.
        error: MemberError,
    },
    /// `password` is no PIN block.
    #[error("password: {0}")]
    Pin(#[from] PinError),
}

/// What an invalid value had to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// A text with at most [`super::TEXT_CHARS_MAX`] characters.
    Text,
    /// Letters and digits, at most 32.
    CardNo,
    /// Six digits that are not all zero.
    SixDigits,
    /// 1 to 20 digits.
    Serial,
    /// Eight digits, yyyyMMdd.
    Date,
    /// Two or three digits.
    ConsumeType,
    /// A whole number of at most six digits.
    Count,
    /// A track of a magnetic stripe.
    Track,
    /// 11 digits, the first of them 1.
    PhoneNumber,
    /// 01 to 07.
    IdType,
    /// A JSON list of objects, of so many at most.
    List {
        /// Most elements.
        items_max: usize,
    },
    /// A list in which no id is there twice.
    DistinctIds,
}

impl Demand {
    fn text(self) -> String {
        match self {
            Self::Text => "at most 64 characters, none of them a control character".to_owned(),
            Self::CardNo => "at most 32 letters and digits".to_owned(),
            Self::SixDigits => "six digits, from 000001 to 999999".to_owned(),
            Self::Serial => "1 to 20 digits".to_owned(),
            Self::Date => "eight digits, yyyyMMdd".to_owned(),
            Self::ConsumeType => "two or three digits".to_owned(),
            Self::Count => "a whole number of at most six digits".to_owned(),
            Self::Track => "a track of a magnetic stripe".to_owned(),
            Self::PhoneNumber => "11 digits starting with 1".to_owned(),
            Self::IdType => "one of 01 to 07".to_owned(),
            Self::List { items_max } => format!("a JSON list of at most {items_max} objects"),
            Self::DistinctIds => "a list that names each id once".to_owned(),
        }
    }
}

impl RequestError {
    /// The field at fault, `list[index].member` in a list; `body` when it is the form as a whole.
    pub fn field(&self) -> String {
        match self {
            Self::Form(error) => error.field().to_owned(),
            Self::Missing { field } | Self::Invalid { field, .. } | Self::Amount { field, .. } => {
                (*field).to_owned()
            }
            Self::Item { list, index, error } => format!("{list}[{index}].{}", error.member()),
            Self::Pin(_) => name::PASSWORD.to_owned(),
        }
    }

    /// The status that answers it.
    pub const fn status(&self) -> Status {
        match self {
            Self::Form(_) | Self::Missing { .. } | Self::Invalid { .. } | Self::Item { .. } => {
                Status::BadField
            }
            Self::Amount { .. } => Status::BadAmount,
            Self::Pin(_) => Status::PinFormat,
        }
    }

    /// The answer: the status, its text, and the field's name where the status goes on with one.
    pub fn outcome(&self) -> Outcome {
        Outcome::naming(self.status(), &self.field())
    }
}
