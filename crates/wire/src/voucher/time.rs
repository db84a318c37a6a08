//! Times as this dialect writes them, without a zone: `yyyyMMddHHmmss`, and `yyyy-MM-dd HH:mm:ss`
//! in what activeByPartNo asks.

use std::fmt;

use crate::text::is_digits;

/// A date and a time of day that exist in the calendar, of the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilTime {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
}

impl CivilTime {
    /// The start of 1970, where a clock shows what no calendar has.
    pub const EPOCH: Self = Self {
        year: 1970,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
    };

    /// A time; `None` when the calendar or the clock has none such.
    pub const fn new(date: (i16, i8, i8), time: (i8, i8, i8)) -> Option<Self> {
        let (year, month, day) = date;
        let (hour, minute, second) = time;
        let is_date = year >= 1 && year <= 9999 && day >= 1 && day <= days_in_month(year, month);
        let is_time = in_clock(hour, 23) && in_clock(minute, 59) && in_clock(second, 59);
        if is_date && is_time {
            Some(Self {
                year,
                month,
                day,
                hour,
                minute,
                second,
            })
        } else {
            None
        }
    }

    /// Year, month and day.
    pub const fn date(self) -> (i16, i8, i8) {
        (self.year, self.month, self.day)
    }

    /// Hour, minute and second.
    pub const fn time(self) -> (i8, i8, i8) {
        (self.hour, self.minute, self.second)
    }

    /// Reads 14 digits, `yyyyMMddHHmmss`.
    pub fn parse_digits(text: &str) -> Option<Self> {
        if text.len() != 14 || !is_digits(text) {
            return None;
        }
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
        let year = text.get(..4)?.parse().ok()?;
        Self::new(
            (year, part(4, 6)?, part(6, 8)?),
            (part(8, 10)?, part(10, 12)?, part(12, 14)?),
        )
    }

    /// Reads `yyyy-MM-dd HH:mm:ss`.
    pub fn parse_spaced(text: &str) -> Option<Self> {
        let marks = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
        let has_marks = |&(at, mark): &(usize, u8)| text.as_bytes().get(at) == Some(&mark);
        if text.len() != 19 || !marks.iter().all(has_marks) {
            return None;
        }
        let is_mark = |at: usize| marks.iter().any(|(mark, _)| *mark == at);
        let digits = text.char_indices().filter(|(at, _)| !is_mark(*at));
        Self::parse_digits(&digits.map(|(_, digit)| digit).collect::<String>())
    }

    /// `yyyyMMddHHmmss`.
    pub fn digits(self) -> String {
        let Self {
            hour,
            minute,
            second,
            ..
        } = self;
        format!("{}{hour:02}{minute:02}{second:02}", self.date_digits())
    }

    /// `yyyyMMdd`.
    pub fn date_digits(self) -> String {
        let Self {
            year, month, day, ..
        } = self;
        format!("{year:04}{month:02}{day:02}")
    }
}

impl fmt::Display for CivilTime {
    /// `yyyy-MM-dd HH:mm:ss`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )
    }
}

const fn in_clock(number: i8, max: i8) -> bool {
    number >= 0 && number <= max
}

const fn days_in_month(year: i16, month: i8) -> i8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}
