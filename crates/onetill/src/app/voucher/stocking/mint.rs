//! Names and codes in the shapes of the samples: box `X22169-3141157-33475`, package
//! `B1123-6430582-102F5`, reel `R112102F-0000242-2585`, code `1001901070000000258-M4DEDSfV`.

use super::chance::{Chance, DIGITS, HEX, SECRET};
use crate::app::AppError;
use domain::{loyalty::calendar::Zone, time::UnixMs};
use jiff::{Timestamp, tz::Offset};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// What every code begins with.
const ISSUER: &str = "100";
/// The largest running number has ten digits.
const NUMBERS: u64 = 10_000_000_000;
/// Running numbers of a day begin at the time of the day, so that a gateway that starts again does
/// not begin with the first: so many a millisecond.
const NUMBERS_A_MS: u64 = 100;
/// Secret characters of a code.
const SECRET_LEN: usize = 8;

/// A new name of a box.
///
/// # Errors
/// When the system gives no random bytes, as with all of these.
pub fn carton(chance: &mut Chance) -> Result<String, AppError> {
    let mut name = String::from("X");
    chance.push(&mut name, DIGITS, 5)?;
    name.push('-');
    chance.push(&mut name, DIGITS, 7)?;
    name.push('-');
    chance.push(&mut name, DIGITS, 5)?;
    Ok(name)
}

/// A new name of a package.
///
/// # Errors
/// As [`carton`].
pub fn package(chance: &mut Chance) -> Result<String, AppError> {
    let mut name = String::from("B");
    chance.push(&mut name, DIGITS, 4)?;
    name.push('-');
    chance.push(&mut name, DIGITS, 7)?;
    name.push('-');
    chance.push(&mut name, HEX, 5)?;
    Ok(name)
}

/// A new name of the reel that is the `number`-th of its box, from 1.
///
/// # Errors
/// As [`carton`].
pub fn reel(chance: &mut Chance, number: u32) -> Result<String, AppError> {
    let mut name = String::from("R");
    chance.push(&mut name, HEX, 7)?;
    name.push_str(&format!("-{number:07}-"));
    chance.push(&mut name, DIGITS, 4)?;
    Ok(name)
}

/// A new number of a reel at the sale channel.
///
/// # Errors
/// As [`carton`].
pub fn sale_channel_order_id(chance: &mut Chance) -> Result<String, AppError> {
    let mut number = String::new();
    chance.push(&mut number, HEX, 32)?;
    Ok(number.to_ascii_lowercase())
}

/// The printed serials of a box's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSerials {
    /// `yymmdd` of the day they are made.
    day: String,
    /// The running number of the first.
    first: u64,
}

impl CodeSerials {
    /// A new code: the serial of the one at `index`, and a secret.
    ///
    /// # Errors
    /// As [`carton`].
    pub fn code(&self, index: u32, chance: &mut Chance) -> Result<Zeroizing<String>, AppError> {
        let number = self.first + u64::from(index);
        let mut text = Zeroizing::new(String::with_capacity(28));
        text.push_str(ISSUER);
        text.push_str(&self.day);
        text.push_str(&format!("{number:010}-"));
        chance.push(&mut text, SECRET, SECRET_LEN)?;
        Ok(text)
    }
}

/// Hands out printed serials. Another gateway that issues in the same seconds may print the same
/// ones: what makes a code is its whole text, and the store takes each text once.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The day, since 1970-01-01, and the next free number of it.
    next: Mutex<(i64, u64)>,
}

impl Numbers {
    /// Serials for so many codes; `None` once a day has no more.
    #[must_use]
    pub fn take(&self, codes: u32, zone: Zone, now: UnixMs) -> Option<CodeSerials> {
        let day = zone.day(now);
        let ms_of_day = now.since_ms(zone.start_of_day(day));
        let by_clock = u64::try_from(ms_of_day).ok()?.checked_mul(NUMBERS_A_MS)?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let first = if next.0 == day {
            by_clock.max(next.1)
        } else {
            by_clock
        };
        let end = first.checked_add(u64::from(codes))?;
        if end > NUMBERS {
            return None;
        }
        *next = (day, end);
        Some(CodeSerials {
            day: digits_of_day(zone, now)?,
            first,
        })
    }
}

fn digits_of_day(zone: Zone, now: UnixMs) -> Option<String> {
    let offset = Offset::from_seconds(zone.offset_s).ok()?;
    let at = Timestamp::from_millisecond(now.0).ok()?;
    Some(offset.to_datetime(at).strftime("%y%m%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Zone = Zone {
        offset_s: 8 * 3_600,
    };
    /// 2026-11-22T00:00 in that zone.
    const DAY: UnixMs = UnixMs(1_795_276_800_000);

    /// Letters and digits by their kinds.
    fn shape(text: &str) -> String {
        let kind = |c: char| match c {
            '0'..='9' => '9',
            'A'..='F' => 'A',
            other => other,
        };
        text.chars().map(kind).collect()
    }

    #[test]
    fn names_have_the_shapes_of_the_samples() {
        let mut chance = Chance::new();
        assert_eq!(shape(&carton(&mut chance).unwrap()), "X99999-9999999-99999");
        let package = package(&mut chance).unwrap();
        assert_eq!(shape(&package[..14]), "A9999-9999999-", "{package}");
        assert_eq!(package.len(), "B1123-6430582-102F5".len());
        let reel = reel(&mut chance, 242).unwrap();
        assert!(
            reel.starts_with('R') && reel.contains("-0000242-"),
            "{reel}"
        );
        assert_eq!(reel.len(), "R112102F-0000242-2585".len());
        let order = sale_channel_order_id(&mut chance).unwrap();
        assert!(
            order.len() == 32 && order == order.to_lowercase(),
            "{order}"
        );
    }

    #[test]
    fn a_code_is_a_serial_and_a_secret() {
        let numbers = Numbers::default();
        let serials = numbers.take(10, ZONE, DAY.plus_ms(3)).unwrap();
        let mut chance = Chance::new();
        let code = serials.code(9, &mut chance).unwrap();
        assert!(code.starts_with("1002611220000000309-"), "{}", *code);
        assert_eq!(code.len(), "1001901070000000258-M4DEDSfV".len());
        assert!(domain::voucher::code::may_be_code(&code));
        assert_ne!(code, serials.code(9, &mut chance).unwrap());
    }

    #[test]
    fn serials_are_handed_out_once() {
        let numbers = Numbers::default();
        let take = |codes, at| numbers.take(codes, ZONE, at).map(|it| it.first);
        assert_eq!(take(1_000_000, DAY), Some(0));
        assert_eq!(take(5, DAY.plus_ms(1)), Some(1_000_000));
        assert_eq!(take(5, DAY.plus_s(3_600)), Some(360_000_000));
        // A clock that is set back hands out none again.
        assert_eq!(take(5, DAY.plus_s(1_800)), Some(360_000_005));
        let last = DAY.plus_s(86_399);
        assert_eq!(take(u32::MAX, last), None);
        assert_eq!(take(5, DAY.plus_s(86_400)), Some(0));
    }
}
