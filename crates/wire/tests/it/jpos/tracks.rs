//! The stripe of a card.

use wire::jpos::Track2;
use wire::jpos::track::{Expiry, Track3};

const MAY_2049: Option<Expiry> = Some(Expiry { year: 49, month: 5 });

#[test]
fn a_track_has_a_number_and_an_expiry() {
    for (text, expiry) in [
        ("9999999999025288=49052010000012345678", MAY_2049),
        ("9999999999025288D49052010000012345678", MAY_2049),
        (";9999999999025288=49052010000012345678?", MAY_2049),
        ("9999999999025288=4905", MAY_2049),
        ("9999999999025288=490", None),
        ("9999999999025288=", None),
        ("9999999999025288==4905", None),
        ("9999999999025288=4913", None),
        ("9999999999025288=4900", None),
    ] {
        let track = Track2::parse(text).unwrap();
        assert_eq!(track.card_no(), "9999999999025288", "{text}");
        assert_eq!(track.expiry(), expiry, "{text}");
        assert_eq!(track.as_str(), text);
    }
}

#[test]
fn what_is_no_track_is_refused() {
    for text in [
        "",
        "=",
        "=4905",
        "9999999999025288",
        "99999999A9025288=4905",
        "12345678901234567890=4905",
        "9999999999025288=4905?;",
        "9999999999025288=49 05",
        "9999999999025288=490520100000123456789012",
        "卡=4905",
    ] {
        assert!(Track2::parse(text).is_none(), "{text}");
    }
}

#[test]
fn track_3_is_kept_as_it_came() {
    let text = "999999999999025288=1561560500050000000000000000000000000";
    assert_eq!(Track3::parse(text).unwrap().as_str(), text);
    assert!(Track3::parse("a\n").is_none());
    assert!(Track3::parse(&"1".repeat(110)).is_none());
}
