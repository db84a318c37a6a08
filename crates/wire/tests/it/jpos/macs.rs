//! MACs, against a published value.

use wire::jpos::key::SingleKey;
use wire::jpos::mac::MacError;
use wire::jpos::{Form, Mac};

const BODY: &str = "batchNo=000099&cardNo=9999999999025288&storeNo=102100099990001&terminalNo=20141112\
     &traceNo=000123";

fn key() -> SingleKey {
    SingleKey::new([0xC2, 0x4A, 0x8F, 0xB5, 0x7A, 0xA2, 0x01, 0x23])
}

fn form(body: &str) -> Form<'_> {
    Form::decode(body.as_bytes(), 10_000).ok().unwrap()
}

fn verify(body: &str) -> Result<(), MacError> {
    Mac::verify(&key(), &form(body))
}

#[test]
fn the_published_mac() {
    assert_eq!(Mac::of(&key(), &form(BODY)).to_string(), "55793D50");
    assert_eq!(
        Mac::of_text(&key(), BODY.as_bytes()).to_string(),
        "55793D50"
    );
}

#[test]
fn order_and_empty_fields_change_nothing() {
    let shuffled = "mac=55793d50&traceNo=000123&track2=&storeNo=102100099990001\
        &cardNo=9999999999025288&terminalNo=20141112&batchNo=000099";
    assert_eq!(verify(shuffled), Ok(()));
    assert_eq!(verify(&format!("{BODY}&mac=55793D50")), Ok(()));
}

#[test]
fn values_are_the_decoded_ones() {
    let expected = "a=1 2&b=卡&c=&";
    assert_eq!(
        form("c=%26&b=%E5%8D%A1&a=1+2").mac_text().as_str(),
        expected
    );
}

#[test]
fn fields_of_no_message_are_covered_too() {
    assert_eq!(
        verify(&format!("{BODY}&extra=1&mac=55793D50")),
        Err(MacError::Mismatch)
    );
}

#[test]
fn what_is_not_the_terminals_is_refused() {
    for (mac, error) in [
        ("", MacError::Missing),
        ("&mac=", MacError::Missing),
        ("&mac=55793D5", MacError::Malformed),
        ("&mac=55793D5G", MacError::Malformed),
        ("&mac=55793D5000", MacError::Malformed),
        ("&mac=55793D51", MacError::Mismatch),
        ("&mac=00000000", MacError::Mismatch),
    ] {
        assert_eq!(verify(&format!("{BODY}{mac}")), Err(error), "{mac}");
    }
}

#[test]
fn a_text_of_any_length_has_a_mac() {
    let macs: Vec<String> = (0..20)
        .map(|length| Mac::of_text(&key(), &vec![b'x'; length]).to_string())
        .collect();
    assert!(macs.iter().all(|mac| mac.len() == 8));
    // Two equal blocks XOR to nothing; that is the algorithm, and why forms hold their numbers.
    assert_eq!(macs[0], macs[16]);
    assert_ne!(macs[8], macs[9]);
}
