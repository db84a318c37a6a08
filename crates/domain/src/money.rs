//! Amounts of money: whole fen, parsed exactly from decimal text, never through a float.

use serde::{Deserialize, Serialize};

/// An amount in fen (1/100 yuan). Arithmetic is checked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Fen(i64);

/// Why a text is not an amount that can be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// More than two decimals that matter.
    #[error("more than 2 decimals")]
    TooPrecise,
    /// Below 0.01 yuan.
    #[error("below 0.01")]
    TooSmall,
    /// Above 99,999,999.99 yuan.
    #[error("above 99999999.99")]
    TooLarge,
}

/// The longest decimal text looked at; more digits than this cannot be a sane amount.
const TEXT_LEN_MAX: usize = 64;
/// Exponents beyond this are refused before any digit is shifted.
const EXPONENT_MAX: i32 = 64;

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount of one transaction: 99,999,999.99 yuan.
    pub const MAX_CHARGE: Self = Self(9_999_999_999);

    /// An amount of `fen`.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The amount in fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `self + other`, or `None` on overflow.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// `self - other`, or `None` when the result would be below zero.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) if rest >= 0 => Some(Self(rest)),
            Some(_) | None => None,
        }
    }

    /// Reads an amount in yuan such as `0.1`, `158.0` or `1.0E7`.
    ///
    /// # Errors
    /// When the exact decimal is not a number, has more than two decimals, or lies outside
    /// 0.01 to 99,999,999.99.
    pub fn parse_yuan(text: &str) -> Result<Self, AmountError> {
        let (mantissa, exponent) = split_exponent(text)?;
        let (negative, digits, scale) = read_mantissa(mantissa)?;
        let fen = shift(&digits, exponent.saturating_sub(scale).saturating_add(2))?;
        match fen {
            0 => Err(AmountError::TooSmall),
            _ if negative => Err(AmountError::TooSmall),
            fen if fen > Self::MAX_CHARGE.0 => Err(AmountError::TooLarge),
            fen => Ok(Self(fen)),
        }
    }
}

impl std::fmt::Display for Fen {
    /// Yuan with two decimals, for people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

fn split_exponent(text: &str) -> Result<(&str, i32), AmountError> {
    if text.is_empty() || text.len() > TEXT_LEN_MAX {
        return Err(AmountError::NotANumber);
    }
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Ok((text, 0));
    };
    let exponent: i32 = exponent.parse().map_err(|_| AmountError::NotANumber)?;
    if exponent.abs() > EXPONENT_MAX {
        return Err(if exponent > 0 {
            AmountError::TooLarge
        } else {
            AmountError::TooPrecise
        });
    }
    Ok((mantissa, exponent))
}

/// Sign, significant digits without trailing zeros, and how many of them stand after the point
/// (negative when zeros were dropped before it).
fn read_mantissa(text: &str) -> Result<(bool, Vec<u8>, i32), AmountError> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(AmountError::NotANumber);
    }
    let mut digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|b| b - b'0')
        .collect();
    let mut scale = i32::try_from(fraction.len()).map_err(|_| AmountError::NotANumber)?;
    while digits.last() == Some(&0) {
        digits.pop();
        scale -= 1;
    }
    Ok((negative, digits, scale))
}

/// The digits as a number, times ten to the `power`.
fn shift(digits: &[u8], power: i32) -> Result<i64, AmountError> {
    if digits.is_empty() {
        return Ok(0);
    }
    if power < 0 {
        return Err(AmountError::TooPrecise);
    }
    let zeros = usize::try_from(power).map_err(|_| AmountError::TooLarge)?;
    digits
        .iter()
        .copied()
        .chain(std::iter::repeat_n(0, zeros))
        .try_fold(0_i64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(i64::from(digit))
        })
        .ok_or(AmountError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, fen) in [
            ("0.1", 10),
            ("158.0", 15_800),
            ("1.0E7", 1_000_000_000),
            ("1e-2", 1),
            ("0.010", 1),
            ("99999999.99", 9_999_999_999),
            ("+5", 500),
            (".5", 50),
            ("5.", 500),
            ("0.29", 29),
            ("1.15", 115),
        ] {
            assert_eq!(Fen::parse_yuan(text), Ok(Fen(fen)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_charged_is_refused() {
        use AmountError::{NotANumber, TooLarge, TooPrecise, TooSmall};
        for (text, error) in [
            ("", NotANumber),
            (".", NotANumber),
            ("1,5", NotANumber),
            ("1e", NotANumber),
            ("0x1", NotANumber),
            ("NaN", NotANumber),
            ("１", NotANumber),
            ("0", TooSmall),
            ("0.00", TooSmall),
            ("-1", TooSmall),
            ("0.001", TooPrecise),
            ("1.005", TooPrecise),
            ("1e-999", TooPrecise),
            ("100000000", TooLarge),
            ("1e999", TooLarge),
            ("99999999999999999999999", TooLarge),
        ] {
            assert_eq!(Fen::parse_yuan(text), Err(error), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(fen in 1_i64..=9_999_999_999) {
            assert_eq!(Fen::parse_yuan(&Fen(fen).to_string()), Ok(Fen(fen)));
        }

        #[test]
        fn any_text_has_an_answer(text in "\\PC{0,80}") {
            let _ = Fen::parse_yuan(&text);
        }
    }
}
