//! `faceValue`: yuan as a text.
//!
//! The samples have `0.0` only, which is how a Java `double` prints. So is everything else here:
//! at least one decimal, at most two, and no zero after the first: `20.0`, `20.5`, `20.05`. Large
//! values stay plain digits, though.

use crate::text::is_digits;

/// Most digits before the point.
const WHOLE_DIGITS_MAX: usize = 13;

/// Writes fen as yuan.
pub fn write(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let (whole, rest) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    match rest % 10 {
        0 => format!("{sign}{whole}.{}", rest / 10),
        _ => format!("{sign}{whole}.{rest:02}"),
    }
}

/// Reads yuan with at most two decimals, or none, as fen; `None` for anything else, and below 0.
pub fn read(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_sound = is_digits(whole) && whole.len() <= WHOLE_DIGITS_MAX && is_digits(decimals);
    let fen: i64 = match (is_sound, decimals.len()) {
        (true, 1) => decimals.parse::<i64>().ok()? * 10,
        (true, 2) => decimals.parse().ok()?,
        _ => return None,
    };
    Some(whole.parse::<i64>().ok()? * 100 + fen)
}
