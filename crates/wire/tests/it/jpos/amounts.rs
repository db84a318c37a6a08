//! Amounts and the numbers of fixed width.

use wire::jpos::amount::AmountError;
use wire::jpos::{Amount, BatchNo, SerialNo, TraceNo};

#[test]
fn amounts_are_read_exactly() {
    for (text, hundredths) in [
        ("0", 0),
        ("0.00", 0),
        ("12", 1_200),
        ("12.", 1_200),
        ("12.5", 1_250),
        ("12.05", 1_205),
        ("12.50", 1_250),
        (".5", 50),
        ("0012.10", 1_210),
        ("0.29", 29),
        ("1.15", 115),
        ("99999999.99", 9_999_999_999),
    ] {
        let read = Amount::parse(text, Amount::TRANSACTION_MAX);
        assert_eq!(read, Ok(Amount::new(hundredths)), "{text}");
    }
}

#[test]
fn what_is_no_amount_is_refused() {
    use AmountError::{Negative, NotANumber, TooLarge, TooPrecise};
    for (text, error) in [
        ("", NotANumber),
        (".", NotANumber),
        ("-", NotANumber),
        ("+1", NotANumber),
        (" 1", NotANumber),
        ("1,5", NotANumber),
        ("1e2", NotANumber),
        ("1.2.3", NotANumber),
        ("0x1", NotANumber),
        ("NaN", NotANumber),
        ("１", NotANumber),
        ("-0.01", Negative),
        ("1.005", TooPrecise),
        ("1.000", TooPrecise),
        ("100000000", TooLarge),
        ("99999999999999999", TooLarge),
        ("18446744073709551616", TooLarge),
        ("0000000000000000000000001", TooLarge),
    ] {
        let read = Amount::parse(text, Amount::TRANSACTION_MAX);
        assert_eq!(read, Err(error), "{text}");
    }
}

#[test]
fn amounts_print_as_the_shortest_decimal() {
    for (hundredths, text) in [
        (0, "0"),
        (1_200, "12"),
        (1_250, "12.5"),
        (1_205, "12.05"),
        (1, "0.01"),
        (10, "0.1"),
        (-1_250, "-12.5"),
        (-1, "-0.01"),
        (i64::MAX, "92233720368547758.07"),
        (i64::MIN, "-92233720368547758.08"),
    ] {
        assert_eq!(Amount::new(hundredths).to_string(), text);
    }
    assert_eq!(Amount::of_count(3).to_string(), "3");
}

#[test]
fn a_balance_may_be_below_zero() {
    assert_eq!(Amount::parse_signed("-12.5"), Ok(Amount::new(-1_250)));
    assert_eq!(Amount::parse_signed("--1"), Err(AmountError::NotANumber));
}

#[test]
fn numbers_have_their_width() {
    assert_eq!(TraceNo::parse("000123").map(TraceNo::get), Some(123));
    assert_eq!(BatchNo::parse("999999").map(BatchNo::get), Some(999_999));
    for text in ["", "000000", "123", "0000123", "00012x", " 00123", "-00123"] {
        assert_eq!(TraceNo::parse(text), None, "{text}");
        assert_eq!(BatchNo::parse(text), None, "{text}");
    }
    assert_eq!(TraceNo::FIRST.to_string(), "000001");
    assert_eq!(BatchNo::new(1_000_000), None);
    assert_eq!(SerialNo::parse("000000000012").map(SerialNo::get), Some(12));
    assert_eq!(SerialNo::parse("10000000000012"), None);
    assert_eq!(SerialNo::new(1_000_000_000_000), None);
    assert_eq!(SerialNo::MAX.to_string(), "999999999999");
}

#[test]
fn batches_begin_again_after_the_last() {
    assert_eq!(BatchNo::FIRST.next(), BatchNo::new(2).unwrap());
    assert_eq!(BatchNo::new(999_999).unwrap().next(), BatchNo::FIRST);
}
