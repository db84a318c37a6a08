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

/// When something begins, as [`start`] reads it: its day where it begins with one.
#[must_use]
pub fn write_start(at: UnixMs, zone: &TimeZone) -> String {
    begun_day(at, zone).map_or_else(|| at.0.to_string(), |day| day.to_string())
}

/// When something is over, as [`end`] reads it: its last day where it ends with one.
#[must_use]
pub fn write_end(at: UnixMs, zone: &TimeZone) -> String {
    let last = begun_day(at, zone).and_then(|day| day.yesterday().ok());
    last.map_or_else(|| at.0.to_string(), |day| day.to_string())
}

/// The day that begins at `at`, if one does.
fn begun_day(at: UnixMs, zone: &TimeZone) -> Option<Date> {
    let time = Timestamp::from_millisecond(at.0).ok()?;
    let day = time.to_zoned(zone.clone()).date();
    (begin(day, zone).ok()? == at).then_some(day)
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

/// Eight digits are a day without its dashes, and wrong.
fn point(text: &str) -> Result<UnixMs, CommandError> {
    if text.len() > "20261231".len() && text.bytes().all(|it| it.is_ascii_digit()) {
        return Ok(UnixMs(text.parse()?));
    }
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
        assert!(end("20261122", &zone).is_err());
    }

    #[test]
    fn what_is_written_is_read() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (at, start_text, end_text) in [
            (1_795_276_800_000, "2026-11-22", "2026-11-21"),
            (1_795_276_800_001, "1795276800001", "1795276800001"),
        ] {
            let at = UnixMs(at);
            assert_eq!(write_start(at, &zone), start_text);
            assert_eq!(start(start_text, &zone).unwrap(), at);
            assert_eq!(write_end(at, &zone), end_text);
            assert_eq!(end(end_text, &zone).unwrap(), at);
        }
    }
}
