//! Hexadecimal text of keys, blocks and check values.

use crate::text::hex_value;

/// Exactly `N` bytes, in digits of either case.
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = hex_value(*high)? << 4 | hex_value(*low)?;
    }
    Some(bytes)
}

/// Two uppercase digits a byte.
pub(super) fn push(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0F] {
            let digit = char::from_digit(u32::from(nibble), 16);
            out.extend(digit.map(|digit| digit.to_ascii_uppercase()));
        }
    }
}

/// Two uppercase digits a byte, in a text of their own.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    push(&mut out, bytes);
    out
}
