//! Reading checked values out of a form's fields.

use super::error::{Demand, RequestError};
use crate::jpos::amount::Amount;
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::number::{BatchNo, TraceNo};
use crate::jpos::pin::PinBlock;
use crate::text::is_digits;

/// Most characters of a text.
pub const TEXT_CHARS_MAX: usize = 64;
/// Most characters of a card number.
const CARD_NO_LEN_MAX: usize = 32;
/// Most digits of a number counted by a terminal.
const COUNT_DIGITS_MAX: usize = 6;

/// What `read` makes of a field; `None` when it is absent or empty.
pub(super) fn maybe<T>(
    form: &Form<'_>,
    field: &'static str,
    demand: Demand,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, RequestError> {
    let Some(text) = form.get(field) else {
        return Ok(None);
    };
    let read = read(text);
    read.map(Some)
        .ok_or(RequestError::Invalid { field, demand })
}

/// What `read` makes of a field that must be there.
pub(super) fn get<T>(
    form: &Form<'_>,
    field: &'static str,
    demand: Demand,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, RequestError> {
    maybe(form, field, demand, read)?.ok_or(RequestError::Missing { field })
}

pub(super) fn maybe_text(
    form: &Form<'_>,
    field: &'static str,
) -> Result<Option<String>, RequestError> {
    maybe(form, field, Demand::Text, plain_text)
}

pub(super) fn text(form: &Form<'_>, field: &'static str) -> Result<String, RequestError> {
    get(form, field, Demand::Text, plain_text)
}

pub(super) fn card_no(form: &Form<'_>) -> Result<String, RequestError> {
    get(form, name::CARD_NO, Demand::CardNo, plain_card_no)
}

pub(super) fn trace_no(form: &Form<'_>) -> Result<TraceNo, RequestError> {
    get(form, name::TRACE_NO, Demand::SixDigits, TraceNo::parse)
}

pub(super) fn maybe_trace_no(
    form: &Form<'_>,
    field: &'static str,
) -> Result<Option<TraceNo>, RequestError> {
    maybe(form, field, Demand::SixDigits, TraceNo::parse)
}

pub(super) fn maybe_batch_no(
    form: &Form<'_>,
    field: &'static str,
) -> Result<Option<BatchNo>, RequestError> {
    maybe(form, field, Demand::SixDigits, BatchNo::parse)
}

/// An amount that must be there, from zero to `max`.
pub(super) fn amount(
    form: &Form<'_>,
    field: &'static str,
    max: Amount,
) -> Result<Amount, RequestError> {
    let text = form.get(field).ok_or(RequestError::Missing { field })?;
    Amount::parse(text, max).map_err(|error| RequestError::Amount { field, error })
}

/// A count. The source types it as an amount, so `3.00` is one.
pub(super) fn count(form: &Form<'_>, field: &'static str) -> Result<u32, RequestError> {
    get(form, field, Demand::Count, |text| {
        let (digits, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_whole = decimals.len() <= 2 && decimals.bytes().all(|b| b == b'0');
        let is_count = is_digits(digits) && digits.len() <= COUNT_DIGITS_MAX && is_whole;
        is_count.then(|| digits.parse().ok()).flatten()
    })
}

/// `password`, still encrypted.
pub(super) fn password(form: &Form<'_>) -> Result<Option<PinBlock>, RequestError> {
    let block = form.get(name::PASSWORD).map(PinBlock::parse);
    Ok(block.transpose()?)
}

pub(super) fn plain_text(text: &str) -> Option<String> {
    let is_plain = !text.chars().any(char::is_control);
    // Bytes bound characters from above, so counting is for the rare long text only.
    let fits = text.len() <= TEXT_CHARS_MAX || text.chars().count() <= TEXT_CHARS_MAX;
    (is_plain && fits).then(|| text.to_owned())
}

pub(super) fn plain_card_no(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_plain && text.len() <= CARD_NO_LEN_MAX).then(|| text.to_owned())
}
