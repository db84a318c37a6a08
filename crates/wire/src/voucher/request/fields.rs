//! Reading checked values out of a body's members.

use super::error::{Demand, RequestError};
use crate::text::is_digits;
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};

/// Most characters of a text.
pub const TEXT_CHARS_MAX: usize = 64;
/// Most characters of `traceNo` and `requestId`.
const TRACE_NO_LEN_MAX: usize = 64;
/// The largest amount, in fen: 99,999,999.99 yuan.
pub const FEN_MAX: i64 = 9_999_999_999;
/// Most digits of a whole number that is no amount.
const WHOLE_DIGITS_MAX: usize = 9;

/// What `read` makes of a member; `None` when it is absent, null or empty.
pub(super) fn maybe<T>(
    object: &Object<'_>,
    field: &'static str,
    demand: Demand,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, RequestError> {
    let read = object.maybe(field, read);
    read.map_err(|error| refusal(error, field, demand))
}

/// What `read` makes of a member that must be there.
pub(super) fn get<T>(
    object: &Object<'_>,
    field: &'static str,
    demand: Demand,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, RequestError> {
    maybe(object, field, demand, read)?.ok_or(RequestError::Missing { field })
}

pub(super) const fn refusal(
    error: MemberError,
    field: &'static str,
    demand: Demand,
) -> RequestError {
    match error {
        MemberError::Missing(_) => RequestError::Missing { field },
        MemberError::Invalid(_) => RequestError::Invalid { field, demand },
    }
}

/// `traceNo`, `originalTraceNo` or `requestId`.
pub(super) fn trace_no(object: &Object<'_>, field: &'static str) -> Result<String, RequestError> {
    get(object, field, Demand::TraceNo, |text| {
        visible(text, TRACE_NO_LEN_MAX)
    })
}

/// `businessType`.
pub(super) fn business_type(object: &Object<'_>) -> Result<Option<u32>, RequestError> {
    maybe(object, name::BUSINESS_TYPE, Demand::Whole, whole)
}

/// Visible ASCII characters, at most so many.
pub(super) fn visible(text: &str, len_max: usize) -> Option<String> {
    let is_visible = text.bytes().all(|b| b.is_ascii_graphic());
    (is_visible && text.len() <= len_max).then(|| text.to_owned())
}

/// A text without control characters, at most [`TEXT_CHARS_MAX`] characters.
pub(super) fn plain_text(text: &str) -> Option<String> {
    let is_plain = !text.chars().any(char::is_control);
    // Bytes bound characters from above, so counting is for the rare long text only.
    let fits = text.len() <= TEXT_CHARS_MAX || text.chars().count() <= TEXT_CHARS_MAX;
    (is_plain && fits).then(|| text.to_owned())
}

/// A whole number of fen, from 0 to [`FEN_MAX`].
pub(super) fn fen(text: &str) -> Option<i64> {
    let fen: i64 = is_digits(text).then(|| text.parse().ok()).flatten()?;
    (fen <= FEN_MAX).then_some(fen)
}

/// A whole number of at most nine digits.
pub(super) fn whole(text: &str) -> Option<u32> {
    let is_whole = is_digits(text) && text.len() <= WHOLE_DIGITS_MAX;
    is_whole.then(|| text.parse().ok()).flatten()
}
