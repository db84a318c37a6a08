//! Dates as people write them, in the gateway's zone.

use super::CommandError;
use domain::time::UnixMs;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

/// When a day begins; a whole point in time may be named as well.
///
/// # Errors
/// When it is neither.
pub fn start(text: &str, zone: &TimeZone) -> Result<UnixMs, CommandError> {
    match day(text) {
        Some(day) => begin(day, zone),
        None => point(text),
    }
}

/// When a day is over; a whole point in time may be named as well.
///
/// # Errors
/// When it is neither.
pub fn end(text: &str, zone: &TimeZone) -> Result<UnixMs, CommandError> {
    match day(text) {
        Some(day) => begin(day.checked_add(1.day())?, zone),
        None => point(text),
    }
}

/// A point in time for people, to the minute; a dash for none.
#[must_use]
pub fn show(ms: Option<i64>, zone: &TimeZone) -> String {
    let time = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or("-".to_owned(), |time| {
        let time = time.to_zoned(zone.clone());
        time.strftime("%Y-%m-%d %H:%M").to_string()
    })
}

/// A text that names a day, and no more.
fn day(text: &str) -> Option<Date> {
    let is_day = text.len() == "2026-12-31".len();
    is_day.then(|| text.parse().ok()).flatten()
}

fn begin(day: Date, zone: &TimeZone) -> Result<UnixMs, CommandError> {
    let time = day.to_zoned(zone.clone())?.timestamp();
    Ok(UnixMs(time.as_millisecond()))
}

fn point(text: &str) -> Result<UnixMs, CommandError> {
    let time: Timestamp = text.parse().map_err(|_| {
        format!("{text}: write a day like 2026-12-31, or a time like 2026-12-31T18:00:00+08:00")
    })?;
    Ok(UnixMs(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_and_end_in_the_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let start = start("2026-11-22", &zone).unwrap();
        assert_eq!(start.0, 1_795_276_800_000);
        assert_eq!(
            end("2026-11-22", &zone).unwrap().since_ms(start),
            24 * 3_600_000
        );
        assert_eq!(end("2026-11-22T00:00:00+08:00", &zone).unwrap(), start);
        assert_eq!(show(Some(start.0), &zone), "2026-11-22 00:00");
        assert_eq!(show(None, &zone), "-");
        assert!(end("22.11.", &zone).is_err());
    }
}
