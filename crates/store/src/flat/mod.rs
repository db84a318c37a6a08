//! Rows as columns: how states are spelled in SQL, the same for each store. Every reading is
//! checked; a spelling that no state has is [`StoreError::Corrupt`].
//!
//! | module | tables |
//! |---|---|
//! | [`payment`] | payments |
//! | [`refund`] | refunds |
//! | [`recharge`] | top-ups |
//! | [`work`] | jobs and notifications |
//! | [`posting`] | the ledger's postings |
//! | [`loyalty`] | cards, terminals, the events on them, and whatever else is a document |
//! | [`running`] | what a till's messages change of cards and terminals |
//! | [`voucher`] | voucher codes |

use crate::contract::StoreError;
use std::fmt::Display;

/// Two-way tables between variants and their stored numbers: the one place they are written.
macro_rules! codes {
    ($to:ident, $from:ident, $type:ty, { $($variant:pat => $code:literal => $value:expr),+ $(,)? }) => {
        const fn $to(value: $type) -> i16 {
            match value { $($variant => $code),+ }
        }
        fn $from(code: i16) -> Result<$type, StoreError> {
            match code {
                $($code => Ok($value),)+
                other => Err(corrupt(stringify!($type), &other)),
            }
        }
    };
}

// Below the macro, which they use.
mod loyalty;
mod payment;
mod posting;
#[cfg(any(test, feature = "testing"))]
pub mod probe;
mod recharge;
mod refund;
mod running;
mod voucher;
mod work;

pub(crate) use loyalty::{
    FlatDocument, FlatTrans, body, listing, may_be_due, own, own_column, table,
};
pub(crate) use payment::{FlatPayment, FlatState};
pub(crate) use posting::FlatPosting;
pub(crate) use recharge::FlatRecharge;
pub(crate) use refund::FlatRefund;
pub(crate) use running::{enter_running, running_part};
pub(crate) use voucher::{FlatCodeEvent, FlatSpan, FlatUnit, FlatUse, code, found, level};
pub(crate) use work::{FlatJob, FlatNotification};

fn corrupt(what: &str, value: &dyn Display) -> StoreError {
    StoreError::Corrupt(format!("no {what} is stored as {value}"))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    // Most texts are some hundred characters long.
    let mut text = Vec::with_capacity(256);
    serde_json::to_writer(&mut text, value).map_err(bad_json)?;
    String::from_utf8(text).map_err(bad_json)
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(bad_json)
}

fn bad_json(error: impl Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
