//! trans/cancel, refunds and refunds/cancel: messages about an earlier one.

use super::error::{Demand, RequestError};
use super::fields;
use super::head::{Card, Head};
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::number::{BatchNo, TraceNo};
use crate::text::is_digits;

/// Most digits of a serial number, ours or an earlier system's.
const SERIAL_LEN_MAX: usize = 20;

/// Which earlier message is meant. The source's tables and the clients in use name different
/// fields; either set will do. There is a serial number, or a trace number, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// `oriSerialNo`, looked up first. Digits; ours have 12, which others are not.
    pub serial_no: Option<String>,
    /// `oriBatchNo`; `None` means the open batch.
    pub batch_no: Option<BatchNo>,
    /// `oriTraceNo`.
    pub trace_no: Option<TraceNo>,
    /// `oriTransTime` as it came. Clients fill it as they like: it finds and refuses nothing.
    pub trans_time: Option<String>,
    /// `oriTransDate`, yyyyMMdd in the gateway's zone; it must agree.
    pub trans_date: Option<String>,
    /// `oriRegisterTraceNo`, the till's receipt; it must agree.
    pub register_trace_no: Option<String>,
}

impl Original {
    fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        let original = Self {
            serial_no: fields::maybe(form, name::ORI_SERIAL_NO, Demand::Serial, serial_no)?,
            batch_no: fields::maybe_batch_no(form, name::ORI_BATCH_NO)?,
            trace_no: fields::maybe_trace_no(form, name::ORI_TRACE_NO)?,
            trans_time: form.get(name::ORI_TRANS_TIME).and_then(fields::plain_text),
            trans_date: fields::maybe(form, name::ORI_TRANS_DATE, Demand::Date, date)?,
            register_trace_no: fields::maybe_text(form, name::ORI_REGISTER_TRACE_NO)?,
        };
        if original.serial_no.is_none() && original.trace_no.is_none() {
            let field = name::ORI_SERIAL_NO;
            return Err(RequestError::Missing { field });
        }
        Ok(original)
    }

    fn push<'a>(&'a self, form: &mut Form<'a>) {
        form.maybe(name::ORI_SERIAL_NO, self.serial_no.as_deref())
            .maybe(name::ORI_BATCH_NO, self.batch_no.map(|no| no.to_string()))
            .maybe(name::ORI_TRACE_NO, self.trace_no.map(|no| no.to_string()))
            .maybe(name::ORI_TRANS_TIME, self.trans_time.as_deref())
            .maybe(name::ORI_TRANS_DATE, self.trans_date.as_deref())
            .maybe(
                name::ORI_REGISTER_TRACE_NO,
                self.register_trace_no.as_deref(),
            );
    }
}

/// A cancellation (source: "消费撤销"), a refund ("消费退货"), or a refund's cancellation
/// ("消费退货撤销"). No `Debug`: see [`Card`].
#[derive(Clone, PartialEq, Eq)]
pub struct TakeBack {
    /// Sender and number.
    pub head: Head,
    /// The card.
    pub card: Card,
    /// What is taken back: a sale, or a refund.
    pub original: Original,
}

impl TakeBack {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule; `oriSerialNo` when nothing
    /// says which message is meant.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            head: Head::decode(form)?,
            card: Card::decode(form)?,
            original: Original::decode(form)?,
        })
    }

    /// The form a client sends, to the operation and to its reversal.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        self.card.push(&mut form);
        self.original.push(&mut form);
        form
    }
}

fn serial_no(text: &str) -> Option<String> {
    let is_serial = is_digits(text) && text.len() <= SERIAL_LEN_MAX;
    is_serial.then(|| text.to_owned())
}

fn date(text: &str) -> Option<String> {
    let is_date = is_digits(text) && text.len() == 8;
    is_date.then(|| text.to_owned())
}
