//! The small parsers: amounts, serials, URLs, signatures, sealed texts.

use crate::requests::key;
use domain::{ids::Serial, money::Fen};
use wire::opengateway::{
    QueryString,
    explain::explain,
    query::{percent_decode, percent_encode},
    seal, sign,
};

/// What opens is what was sealed.
pub fn seal(bytes: &[u8]) {
    if let Ok(opened) = seal::open(&key(), bytes) {
        let again = seal::seal(&key(), &opened);
        assert_eq!(seal::open(&key(), again.as_bytes()), Ok(opened));
    }
    let sealed = seal::seal(&key(), bytes);
    assert_eq!(seal::open(&key(), sealed.as_bytes()).as_deref(), Ok(bytes));
}

/// Amounts and serials.
pub fn numbers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(amount) = Fen::parse_yuan(text) {
        assert!((Fen::new(1)..=Fen::MAX_CHARGE).contains(&amount), "{text}");
        assert_eq!(Fen::parse_yuan(&amount.to_string()), Ok(amount), "{text}");
        if let Some(plain) = plain_fen(text) {
            assert_eq!(amount.get(), plain, "{text}");
        }
    } else if let Some(plain) = plain_fen(text) {
        assert!(!(1..=Fen::MAX_CHARGE.get()).contains(&plain), "{text}");
    }
    if let Some(serial) = Serial::parse(text) {
        assert_eq!(serial.to_string(), text);
    }
}

/// `12.34` the simple way: up to ten digits, a point, and exactly two more.
fn plain_fen(text: &str) -> Option<i64> {
    let (yuan, fen) = text.split_once('.')?;
    let is_plain = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !is_plain(yuan, 10) || !is_plain(fen, 2) || fen.len() != 2 {
        return None;
    }
    Some(yuan.parse::<i64>().ok()? * 100 + fen.parse::<i64>().ok()?)
}

/// URLs and signatures.
pub fn url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    assert_eq!(percent_decode(&percent_encode(text)), text);
    let _ = percent_decode(text);
    if let Err(error) = QueryString::parse(text) {
        assert!(!error.field().is_empty());
    }
    // Neither is right but by chance, and the chance is 2⁻¹²⁸.
    assert!(sign::verify(&key(), text, b"content").is_err());
    let _ = sign::signed_at_ms(text);
    let _ = explain(&key(), text, b"content");
}
