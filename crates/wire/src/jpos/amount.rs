//! Amounts: yuan or points with at most two decimals, read and written exactly.

use std::fmt;

/// Hundredths in one.
const SCALE: u64 = 100;
/// The longest text looked at; more digits than this cannot be a sane amount.
const TEXT_LEN_MAX: usize = 24;

/// An amount in hundredths: fen where yuan are meant, hundredths of a point where points are
/// (source: "数据类型"; points are amounts since version 1.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(i64);

/// Why a text is no amount that a request may name. All become status 13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits, with or without a point.
    #[error("not a decimal number")]
    NotANumber,
    /// More than two decimals.
    #[error("more than 2 decimals")]
    TooPrecise,
    /// Below zero.
    #[error("below 0")]
    Negative,
    /// Above the field's bound.
    #[error("too large")]
    TooLarge,
    /// Nothing to be paid at all.
    #[error("nothing to be paid")]
    Zero,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount of one transaction: 99,999,999.99.
    pub const TRANSACTION_MAX: Self = Self(9_999_999_999);
    /// The largest total of a batch: 9,999,999,999,999.99, which every client's number holds.
    pub const TOTAL_MAX: Self = Self(999_999_999_999_999);

    /// An amount of so many hundredths.
    pub const fn new(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// A count as the number it is, for totals that hold both.
    pub fn of_count(count: u32) -> Self {
        Self(i64::from(count) * 100)
    }

    /// The amount in hundredths.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads what a request names: digits with at most two decimals, from zero to `max`.
    ///
    /// # Errors
    ///
    /// [`AmountError`], never [`AmountError::Zero`].
    pub fn parse(text: &str, max: Self) -> Result<Self, AmountError> {
        let amount = Self::parse_signed(text)?;
        if amount.0 < 0 {
            return Err(AmountError::Negative);
        }
        if amount > max {
            return Err(AmountError::TooLarge);
        }
        Ok(amount)
    }

    /// Reads what a reply says; a balance may be below zero.
    ///
    /// # Errors
    ///
    /// [`AmountError`] when it is no decimal number, too precise or too large.
    pub fn parse_signed(text: &str) -> Result<Self, AmountError> {
        if text.len() > TEXT_LEN_MAX {
            return Err(AmountError::TooLarge);
        }
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let magnitude = i64::try_from(hundredths(digits)?).map_err(|_| AmountError::TooLarge)?;
        Ok(Self(if is_negative { -magnitude } else { magnitude }))
    }
}

impl fmt::Display for Amount {
    /// The shortest decimal: 1200 hundredths are `12`, 1250 `12.5`, 1205 `12.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / SCALE, self.0.unsigned_abs() % SCALE);
        match (rest / 10, rest % 10) {
            (0, 0) => write!(f, "{sign}{whole}"),
            (tenths, 0) => write!(f, "{sign}{whole}.{tenths}"),
            (tenths, rest) => write!(f, "{sign}{whole}.{tenths}{rest}"),
        }
    }
}

/// `12`, `12.`, `12.3`, `12.34` or `.5` in hundredths.
fn hundredths(text: &str) -> Result<u64, AmountError> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && decimals.is_empty()) || !are_digits(whole) || !are_digits(decimals) {
        return Err(AmountError::NotANumber);
    }
    let scale = match decimals.len() {
        0 => 100,
        1 => 10,
        2 => 1,
        _ => return Err(AmountError::TooPrecise),
    };
    let digits = whole.bytes().chain(decimals.bytes());
    let number = digits.map(|b| u64::from(b - b'0')).try_fold(0, add_digit);
    let number = number.and_then(|number| number.checked_mul(scale));
    number.ok_or(AmountError::TooLarge)
}

fn add_digit(number: u64, digit: u64) -> Option<u64> {
    number.checked_mul(10)?.checked_add(digit)
}
