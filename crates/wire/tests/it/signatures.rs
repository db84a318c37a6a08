//! Signature and envelope.

use super::vectors::key;
use wire::opengateway::explain::{Diagnosis, KEY_PLACEHOLDER, explain};
use wire::opengateway::seal::{self, SealError};
use wire::opengateway::sign::{SignError, cancel_content, normalise, sign, signed_at_ms, verify};
use wire::opengateway::{Locale, MerchantKey};

const TIME: &str = "1795304887";
const CONTENT: &[u8] = "{\"A\": \"a b\u{3000}/\\\\\"}\r\n".as_bytes();

#[test]
fn exactly_the_ascii_white_space_goes() {
    assert_eq!(&*normalise(b" a\tb\nc\x0Bd\x0Ce\rf "), b"abcdef");
    let wide = "a\u{3000}b\u{A0}c\u{85}d\u{2028}e\u{0}".as_bytes();
    assert_eq!(&*normalise(wide), wide);
    assert_eq!(sign(&key(), TIME, b"a b\n"), sign(&key(), TIME, b"ab"));
}

#[test]
fn malformed_signatures() {
    let good = sign(&key(), TIME, CONTENT);
    let (hex, _) = good.split_once(':').unwrap();
    let rows = [
        ("empty", String::new()),
        ("no timestamp", hex.to_owned()),
        ("empty timestamp", format!("{hex}:")),
        ("letters in the timestamp", format!("{hex}:17a")),
        ("negative timestamp", format!("{hex}:-1795304887")),
        ("21 digits", format!("{hex}:{}", "1".repeat(21))),
        ("uppercase", good.to_uppercase()),
        ("31 digits", good[1..].to_owned()),
        ("33 digits", format!("0{good}")),
        ("no hex", good.replace(&hex[..1], "g")),
        ("space", format!(" {good}")),
        ("encoded colon", good.replace(':', "%3A")),
    ];
    for (label, given) in rows {
        assert_eq!(
            verify(&key(), &given, CONTENT),
            Err(SignError::Malformed),
            "{label}"
        );
    }
}

#[test]
fn mismatches() {
    let good = sign(&key(), TIME, CONTENT);
    assert_eq!(verify(&key(), &good, CONTENT), Ok(()));
    assert_eq!(verify(&key(), &good, b"other"), Err(SignError::Mismatch));
    let other = MerchantKey::new("other");
    assert_eq!(verify(&other, &good, CONTENT), Err(SignError::Mismatch));
    let later = good.replace(TIME, "1795304888");
    assert_eq!(verify(&key(), &later, CONTENT), Err(SignError::Mismatch));
}

#[test]
fn when_it_was_signed() {
    let hex = "0".repeat(32);
    let at = |timestamp: &str| signed_at_ms(&format!("{hex}:{timestamp}"));
    assert_eq!(at("1795304887"), Some(1_795_304_887_000));
    assert_eq!(at("1795304887805"), Some(1_795_304_887_805));
    assert_eq!(at("17953048878"), None);
    assert_eq!(at("99999999999999999999"), None);
    assert_eq!(signed_at_ms("x:1795304887"), None);
}

#[test]
fn a_cancellation_signs_its_two_values() {
    assert_eq!(
        cancel_content("C1", "0010000001"),
        "chargeCode=C1&busiCode=0010000001"
    );
}

#[test]
fn sealed_texts_ignore_what_is_not_base64() {
    let sealed = seal::seal(&key(), CONTENT);
    let folded = format!("\u{FEFF}{}\r\n{}", &sealed[..10], &sealed[10..]);
    assert_eq!(seal::open(&key(), folded.as_bytes()).unwrap(), CONTENT);
    let unpadded = sealed.trim_end_matches('=');
    assert_eq!(seal::open(&key(), unpadded.as_bytes()).unwrap(), CONTENT);
}

#[test]
fn unsealable_texts() {
    let other = MerchantKey::new("other");
    let rows: [(&str, &[u8], SealError); 4] = [
        ("empty", b"", SealError::NotBlocks),
        ("no whole block", b"AAAA", SealError::NotBlocks),
        ("one character over", b"AAAAA", SealError::NotBase64),
        ("foreign only", "密文".as_bytes(), SealError::NotBlocks),
    ];
    for (label, sealed, error) in rows {
        assert_eq!(seal::open(&key(), sealed), Err(error), "{label}");
    }
    let sealed = seal::seal(&key(), b"hello");
    assert_eq!(
        seal::open(&other, sealed.as_bytes()),
        Err(SealError::Padding)
    );
}

/// Signs like a client that makes one mistake.
fn wrongly(parts: &[&[u8]]) -> String {
    use md5::{Digest, Md5};
    let digest = Md5::digest(parts.concat());
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("{hex}:{TIME}")
}

#[test]
fn known_mistakes_are_named() {
    const K: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    let t = TIME.as_bytes();
    let c: &[u8] = b" {\"A\":\r\n\t\"a b\"}\n";
    let right: &[u8] = b"{\"A\":\"ab\"}";
    let sealed = seal::seal(&key(), c);
    let good = sign(&key(), TIME, c);
    let hex = &good[..32];
    let rows: Vec<(Diagnosis, String)> = vec![
        (Diagnosis::Matches, good.clone()),
        (Diagnosis::NoTimestamp, hex.to_owned()),
        (Diagnosis::EncodedColon, good.replace(':', "%3A")),
        (Diagnosis::BadTimestamp, format!("{hex}:now")),
        (Diagnosis::NotADigest, format!("zz:{TIME}")),
        (Diagnosis::UppercaseHex, good.to_uppercase()),
        (Diagnosis::WhiteSpaceKept, wrongly(&[t, K, c])),
        (
            Diagnosis::OnlySpacesRemoved,
            wrongly(&[t, K, b"{\"A\":\r\n\t\"ab\"}\n"]),
        ),
        (
            Diagnosis::OnlyLineEndsRemoved,
            wrongly(&[t, K, b" {\"A\":\t\"a b\"}"]),
        ),
        (
            Diagnosis::OnlyTrimmed,
            wrongly(&[t, K, b"{\"A\":\r\n\t\"a b\"}"]),
        ),
        (Diagnosis::TrailingNewline, wrongly(&[t, K, right, b"\n"])),
        (
            Diagnosis::SignedCiphertext,
            wrongly(&[t, K, sealed.as_bytes()]),
        ),
        (Diagnosis::KeyFirst, wrongly(&[K, t, right])),
        (Diagnosis::KeyLast, wrongly(&[t, right, K])),
        (Diagnosis::ContentFirst, wrongly(&[right, t, K])),
        (Diagnosis::TimestampLast, wrongly(&[right, K, t])),
        (Diagnosis::TimestampNotSigned, wrongly(&[K, right])),
        (Diagnosis::KeyNotSigned, wrongly(&[t, right])),
        (Diagnosis::ColonSigned, wrongly(&[t, b":", K, right])),
        (Diagnosis::OtherTimeUnit, wrongly(&[t, b"000", K, right])),
        (Diagnosis::EmptyContent, wrongly(&[t, K])),
        (
            Diagnosis::KeyCase,
            wrongly(&[t, &K.to_ascii_lowercase(), right]),
        ),
        (Diagnosis::Unknown, format!("{}:{TIME}", "0".repeat(32))),
    ];
    for (diagnosis, given) in rows {
        let report = explain(&key(), &given, c);
        assert!(
            report.diagnoses.contains(&diagnosis),
            "{diagnosis:?}: {report:?}"
        );
        assert!(!diagnosis.message(Locale::Zh).is_empty());
        assert!(!diagnosis.message(Locale::En).is_empty());
    }
}

#[test]
fn wide_spaces_and_backslashes_removed_are_named() {
    let narrow = b"{\"A\":\"ab/\\\\\"}";
    let t = TIME.as_bytes();
    let k = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    let report = explain(&key(), &wrongly(&[t, k, narrow]), CONTENT);
    assert_eq!(report.diagnoses, [Diagnosis::WideSpacesRemoved]);
    let bare = "{\"A\":\"ab\u{3000}/\"}".as_bytes();
    let report = explain(&key(), &wrongly(&[t, k, bare]), CONTENT);
    assert_eq!(report.diagnoses, [Diagnosis::BackslashesRemoved]);
}

#[test]
fn a_report_says_what_is_expected_but_not_the_key() {
    let report = explain(&key(), &format!("{}:{TIME}", "0".repeat(32)), CONTENT);
    assert_eq!(report.expected, sign(&key(), TIME, CONTENT));
    assert!(
        report
            .canonical
            .starts_with(&format!("{TIME}{KEY_PLACEHOLDER}{{\"A\""))
    );
    assert!(!format!("{report:?}").contains("0123456789ABC"));
}
