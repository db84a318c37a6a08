//! Rates, points and amounts as people write them: decimals of at most two digits behind the
//! point, kept as whole hundredths.

use serde_json::Value;
use wire::jpos::Amount;

/// Reads a decimal in hundredths.
pub(super) fn read(text: &str) -> Result<i64, String> {
    let read = Amount::parse(text, Amount::TOTAL_MAX);
    read.map(Amount::get)
        .map_err(|error| format!("{error}; write a number with at most two decimals"))
}

/// Reads a limit in hundredths; `none` for no limit.
pub(super) fn limit(text: &str) -> Result<Option<i64>, String> {
    match text {
        "none" => Ok(None),
        _ => read(text).map(Some),
    }
}

/// Reads a count; `none` for no limit.
pub(super) fn count(text: &str) -> Result<Option<u32>, String> {
    match text {
        "none" => Ok(None),
        _ => match text.parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err("write a whole number, or none".to_owned()),
        },
    }
}

/// Hundredths for people.
pub(super) fn show(value: Option<&Value>) -> String {
    let number = value.and_then(Value::as_i64);
    number.map_or("-".to_owned(), |it| Amount::new(it).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_whole_hundredths() {
        assert_eq!((read("1.5"), read("12")), (Ok(150), Ok(1200)));
        assert!(read("1.005").is_err() && read("-1").is_err());
        assert_eq!((limit("none"), limit("5")), (Ok(None), Ok(Some(500))));
        assert_eq!((count("none"), count("5")), (Ok(None), Ok(Some(5))));
        assert_eq!(
            (show(Some(&150.into())), show(None)),
            ("1.5".into(), "-".into())
        );
    }
}
