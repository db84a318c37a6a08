//! Writing amounts. Reading them is not this crate's business.

/// Fen as yuan with two decimals, as in `AMOUNT`: 1 is `0.01`.
pub fn yuan_text(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Fen as the shortest decimal in yuan, as in `realAMT`: 1 is `0.01`, 200 is `2`.
pub fn yuan_number(fen: i64) -> String {
    shortest(&yuan_text(fen)).to_owned()
}

/// Most digits that every client's number type holds exactly.
const DIGITS_MAX: usize = 15;

/// A plain decimal such as `2.00` as the shortest JSON number (`2`); `None` for other texts.
pub(super) fn plain_number(text: &str) -> Option<&str> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |part: &str| super::super::text::is_digits(part);
    let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
    let fits = whole.len() + decimals.len() <= DIGITS_MAX;
    (is_plain(whole) && is_plain(decimals) && !has_leading_zero && fits).then(|| shortest(text))
}

/// A decimal without the zeros at its end that carry nothing.
fn shortest(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}
