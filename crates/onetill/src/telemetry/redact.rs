//! A request's target without its secrets.

/// Parameters whose values say how a request is to be read, and nothing about anybody.
const HARMLESS: [&str; 5] = ["_type", "encrypt", "busiCode", "serType", "opType"];

/// What a value is replaced by.
const HIDDEN: &str = "***";

/// Longest target logged, characters.
const TARGET_CHARS_MAX: usize = 512;

/// Path and parameter names of a request's target, for access logs. Values are replaced by
/// `***`, that of `sign` first of all, except those that only say how to read the request.
///
/// In a payments query by verification code (`serType=2`) the path itself holds the code: that
/// segment is replaced as well.
pub fn redact_target(target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut line = redact_path(path, query.unwrap_or_default());
    if let Some(query) = query {
        let pairs: Vec<String> = query.split('&').map(redact_pair).collect();
        line.push('?');
        line.push_str(&pairs.join("&"));
    }
    line.chars().take(TARGET_CHARS_MAX).collect()
}

/// A card's number as the log may know it: the first six and the last four characters. Of what is
/// too short for that nothing is shown, and of what is too long to be one neither.
pub fn masked_card(number: &str) -> String {
    let is_plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let shown = is_plain && (13..=32).contains(&number.len());
    match (
        number.get(..6),
        number.get(number.len().saturating_sub(4)..),
    ) {
        (Some(first), Some(last)) if shown => format!("{first}{HIDDEN}{last}"),
        (Some(_) | None, _) => HIDDEN.to_owned(),
    }
}

fn redact_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if !HARMLESS.contains(&name) => format!("{name}={HIDDEN}"),
        Some(_) | None => pair.to_owned(),
    }
}

fn redact_path(path: &str, query: &str) -> String {
    if !query.split('&').any(may_ask_by_code) {
        return path.to_owned();
    }
    let mut after_query = false;
    let hide = |segment| {
        let hidden = std::mem::replace(&mut after_query, segment == "query");
        if hidden { HIDDEN } else { segment }
    };
    path.split('/').map(hide).collect::<Vec<_>>().join("/")
}

/// Whether this parameter may be `serType=2`. An escape may spell anything, so it counts.
fn may_ask_by_code(pair: &str) -> bool {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    name.contains('%') || (name == "serType" && !["", "0", "1"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_card_only_the_ends_are_shown() {
        assert_eq!(masked_card("9999999999025288"), "999999***5288");
        let too_long = "1".repeat(33);
        for hidden in [
            "",
            "12345678",
            "一二三四五六七八",
            "123456789012\n456",
            &too_long,
        ] {
            assert_eq!(masked_card(hidden), "***", "{hidden}");
        }
    }

    const BASE: &str = "/openGateway/openService";

    #[test]
    fn sign_is_hidden_and_names_stay() {
        let cases = [
            (
                "/order?sign=00ff:17&_type=json",
                "/order?sign=***&_type=json",
            ),
            (
                "/order?_type=json&sign=00ff%3A17",
                "/order?_type=json&sign=***",
            ),
            ("/order?sign=a&sign=b", "/order?sign=***&sign=***"),
            ("/order?sign=a=b", "/order?sign=***"),
            ("/order?s%69gn=00ff", "/order?s%69gn=***"),
            (
                "/order?token=abc&busiCode=0010000001",
                "/order?token=***&busiCode=0010000001",
            ),
            ("/order?flag", "/order?flag"),
            ("/order?", "/order?"),
            ("/order", "/order"),
            ("", ""),
        ];
        for (target, line) in cases {
            assert_eq!(redact_target(target), line);
        }
    }

    #[test]
    fn verification_code_in_a_path_is_hidden() {
        let by_serial = format!("{BASE}/query/A17/0010000001?serType=0");
        assert_eq!(redact_target(&by_serial), by_serial);
        for parameter in [
            "serType=2",
            "serType=%32",
            "ser%54ype=2",
            "serType=0&serType=2",
        ] {
            let line = redact_target(&format!("{BASE}/query/M4DEDSfV/0010000001?{parameter}"));
            assert!(!line.contains("M4DEDSfV"), "{line}");
            assert!(line.contains("/query/***/0010000001?"), "{line}");
        }
    }

    #[test]
    fn logged_line_of_a_request_holds_no_signature() {
        let target = "/preOrder?sign=d41d8cd98f00b204e9800998ecf8427e:1700000000&busiCode=1";
        let line = format!("{:?}", redact_target(target));
        assert!(
            !line.contains("d41d8cd9") && line.contains("sign=***"),
            "{line}"
        );
    }

    #[test]
    fn long_targets_are_cut_on_a_character() {
        let target = format!("/{}", "单".repeat(4_000));
        assert_eq!(redact_target(&target).chars().count(), TARGET_CHARS_MAX);
    }
}
