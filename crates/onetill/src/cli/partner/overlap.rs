//! How long what was good before stays good beside what is new.

/// Reads a time such as `90s`, `30m`, `24h` or `7d`, in seconds.
pub(super) fn read(text: &str) -> Result<i64, String> {
    let wrong = || "write a time like 30m, 24h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text.get(..text.len() - unit.len_utf8()).ok_or_else(wrong)?;
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 24 * 3_600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(i64::from(number) * unit_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(read("90s"), Ok(90));
        assert_eq!(read("24h"), Ok(86_400));
        assert_eq!(read("7d"), Ok(604_800));
        for wrong in ["", "7", "h", "-1h", "1.5h", "7天"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
