//! The signature (source: "签名计算", tables 2.2 and 3.2):
//! `lowercase_hex(MD5(timestamp + key + normalised content)) + ":" + timestamp`.

use std::borrow::Cow;

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::key::MerchantKey;
use super::text::{is_digits, is_white_space, push_hex};

/// Characters of the digest in a signature.
const HEX_CHARS: usize = 32;
/// Most digits a timestamp may have.
const TIMESTAMP_DIGITS_MAX: usize = 20;

/// Why a signature is refused. Both become `INVALID_SIGN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not 32 lowercase hexadecimal digits, a colon and 1 to 20 digits.
    #[error("the signature is not 32 lowercase hex digits, a colon and a timestamp")]
    Malformed,
    /// Well formed, but not of this key, timestamp and content.
    #[error("the signature does not match")]
    Mismatch,
}

/// The content as it is signed: without ASCII white space, inside values too.
/// Wider spaces (U+00A0, U+3000) stay.
pub fn normalise(content: &[u8]) -> Cow<'_, [u8]> {
    if content.iter().any(|&b| is_white_space(b)) {
        let kept = content.iter().copied().filter(|&b| !is_white_space(b));
        Cow::Owned(kept.collect())
    } else {
        Cow::Borrowed(content)
    }
}

/// Signs a plaintext. The timestamp is 10 digits of seconds or 13 of milliseconds.
pub fn sign(key: &MerchantKey, timestamp: &str, content: &[u8]) -> String {
    let mut out = digest(key, timestamp, content);
    out.push(':');
    out.push_str(timestamp);
    out
}

/// Checks a signature in constant time.
///
/// # Errors
///
/// [`SignError::Malformed`] for uppercase digits or a timestamp that is not a number,
/// [`SignError::Mismatch`] when key, timestamp or content differ.
pub fn verify(key: &MerchantKey, sign: &str, content: &[u8]) -> Result<(), SignError> {
    let (hex, timestamp) = split(sign).ok_or(SignError::Malformed)?;
    let expected = digest(key, timestamp, content);
    if bool::from(expected.as_bytes().ct_eq(hex.as_bytes())) {
        Ok(())
    } else {
        Err(SignError::Mismatch)
    }
}

/// When a signature says it was made, in milliseconds since 1970: 10-digit timestamps are
/// seconds, 13-digit ones milliseconds, any other length says nothing.
pub fn signed_at_ms(sign: &str) -> Option<i64> {
    let (_, timestamp) = split(sign)?;
    let value: i64 = timestamp.parse().ok()?;
    match timestamp.len() {
        10 => value.checked_mul(1000),
        13 => Some(value),
        _ => None,
    }
}

/// The content a cancelTrade request signs instead of a body (source, section 8.1).
pub fn cancel_content(charge_code: &str, busi_code: &str) -> String {
    format!("chargeCode={charge_code}&busiCode={busi_code}")
}

/// Splits a well-formed signature into its digest and its timestamp.
pub(super) fn split(sign: &str) -> Option<(&str, &str)> {
    let (hex, timestamp) = sign.split_once(':')?;
    let hex_ok =
        hex.len() == HEX_CHARS && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let timestamp_ok = is_digits(timestamp) && timestamp.len() <= TIMESTAMP_DIGITS_MAX;
    (hex_ok && timestamp_ok).then_some((hex, timestamp))
}

/// The digest alone. The runs between white space are fed one by one, so that no normalised
/// copy of the content is made.
fn digest(key: &MerchantKey, timestamp: &str, content: &[u8]) -> String {
    let mut md5 = Md5::new();
    md5.update(timestamp.as_bytes());
    md5.update(key.bytes());
    for run in content.split(|&b| is_white_space(b)) {
        md5.update(run);
    }
    let mut hex = String::with_capacity(HEX_CHARS + 1 + TIMESTAMP_DIGITS_MAX);
    push_hex(&mut hex, &md5.finalize());
    hex
}

/// The digest of parts put together as they are, for diagnoses.
pub(super) fn plain_digest(parts: &[&[u8]]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    let mut hex = String::with_capacity(HEX_CHARS);
    push_hex(&mut hex, &md5.finalize());
    hex
}
