//! Days and months, as the gateway's zone counts them.

use crate::{
    ids::{civil_from_days, days_from_civil},
    time::UnixMs,
};

const DAY_MS: i64 = 86_400_000;

/// A zone that is a fixed number of seconds east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of UTC.
    pub offset_s: i32,
}

impl Zone {
    /// The day of `at`, since 1970-01-01.
    #[must_use]
    pub fn day(self, at: UnixMs) -> i64 {
        at.plus_s(i64::from(self.offset_s)).0.div_euclid(DAY_MS)
    }

    /// The month of `at`, since January of year 0.
    #[must_use]
    pub fn month(self, at: UnixMs) -> i64 {
        let (year, month, _) = civil_from_days(self.day(at));
        year * 12 + month - 1
    }

    /// The start of a day.
    #[must_use]
    pub fn start_of_day(self, day: i64) -> UnixMs {
        UnixMs(day.saturating_mul(DAY_MS)).plus_s(-i64::from(self.offset_s))
    }

    /// The end of the month that lies `months` after the one of `at`.
    #[must_use]
    pub fn end_of_month(self, at: UnixMs, months: u32) -> UnixMs {
        let next = self.month(at) + i64::from(months) + 1;
        let first = days_from_civil(next.div_euclid(12), next.rem_euclid(12) + 1, 1);
        self.start_of_day(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Zone = Zone { offset_s: 8 * 3600 };
    /// 2026-11-22T00:00:00 in Shanghai.
    const NOV_22: UnixMs = UnixMs(1_795_276_800_000);

    #[test]
    fn a_day_begins_at_local_midnight() {
        let day = SHANGHAI.day(NOV_22);
        assert_eq!(SHANGHAI.day(NOV_22.plus_ms(-1)), day - 1);
        assert_eq!(SHANGHAI.start_of_day(day), NOV_22);
    }

    #[test]
    fn months_end_over_the_turn_of_the_year() {
        let end = SHANGHAI.end_of_month(NOV_22, 0);
        assert_eq!(SHANGHAI.month(end), SHANGHAI.month(NOV_22) + 1);
        assert_eq!(SHANGHAI.month(end.plus_ms(-1)), SHANGHAI.month(NOV_22));
        let later = SHANGHAI.end_of_month(NOV_22, 14);
        let (year, month, day) = civil_from_days(SHANGHAI.day(later));
        assert_eq!((year, month, day), (2028, 2, 1));
    }
}
