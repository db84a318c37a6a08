//! Times and face values.

use wire::voucher::{CivilTime, yuan};

#[test]
fn a_time_is_written_both_ways() {
    let time = CivilTime::new((2019, 1, 7), (14, 39, 30)).unwrap();
    assert_eq!(time.digits(), "20190107143930");
    assert_eq!(time.date_digits(), "20190107");
    assert_eq!(time.to_string(), "2019-01-07 14:39:30");
    assert_eq!(CivilTime::parse_digits("20190107143930"), Some(time));
    assert_eq!(CivilTime::parse_spaced("2019-01-07 14:39:30"), Some(time));
    assert_eq!((time.date(), time.time()), ((2019, 1, 7), (14, 39, 30)));
}

#[test]
fn a_time_that_is_not_is_none() {
    for text in [
        "",
        "2019010714393",
        "201901071439300",
        "20190107 43930",
        "+0190107143930",
        "00000000000000",
        "00000101000000",
        "20190007143930",
        "20191307143930",
        "20190100143930",
        "20190132143930",
        "20190229143930",
        "21000229143930",
        "20190431143930",
        "20190107243930",
        "20190107146030",
        "20190107143960",
        "２０１９０１０７１４３９３０",
    ] {
        assert_eq!(CivilTime::parse_digits(text), None, "{text}");
    }
    for text in [
        "2019-01-07T14:39:30",
        "2019-01-07 14:39",
        "2019/01/07 14:39:30",
        "2019-1-07 14:39:300",
        "2019-01-07 14:39:3x",
        "20190107143930",
        "2019-02-29 00:00:00",
        "二019-01-07 14:39:",
    ] {
        assert_eq!(CivilTime::parse_spaced(text), None, "{text}");
    }
    assert!(CivilTime::parse_digits("20200229235959").is_some());
    assert!(CivilTime::parse_digits("20000229000000").is_some());
}

#[test]
fn a_face_value_is_yuan() {
    for (fen, text) in [
        (0, "0.0"),
        (5, "0.05"),
        (50, "0.5"),
        (100, "1.0"),
        (2000, "20.0"),
        (2005, "20.05"),
        (2050, "20.5"),
        (2055, "20.55"),
        (1_000_000_000, "10000000.0"),
    ] {
        assert_eq!(yuan::write(fen), text);
        assert_eq!(yuan::read(text), Some(fen), "{text}");
    }
    for (text, fen) in [("20", 2000), ("20.50", 2050), ("20.00", 2000)] {
        assert_eq!(yuan::read(text), Some(fen), "{text}");
    }
    for text in [
        "",
        ".",
        "1.",
        ".5",
        "1.005",
        "-1.0",
        "1,0",
        "1e3",
        " 1",
        "99999999999999.0",
    ] {
        assert_eq!(yuan::read(text), None, "{text}");
    }
}
