//! Small facts about characters that several modules share.

/// White space the signature does not see: space, `\t`, `\n`, `\x0B`, `\f`, `\r`.
pub(super) const fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0D)
}

/// Whether a text is nothing but unsigned white space, or nothing at all.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_white_space)
}

/// A text without the unsigned white space around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| u8::try_from(c).is_ok_and(is_white_space))
}

/// A text without any unsigned white space.
pub(super) fn without_white_space(text: &str) -> String {
    text.chars()
        .filter(|&c| !u8::try_from(c).is_ok_and(is_white_space))
        .collect()
}

/// Whether a text has only ASCII digits, and at least one.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Writes bytes as lowercase hexadecimal digits.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0F] {
            out.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
}

/// The value of a hexadecimal digit.
pub(super) const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
