//! As much DER as RSA keys need: sequences, integers, octets and bits, no longer than 64 KiB.

/// A SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// An INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// A BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// An OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;

/// The content of the algorithm that says "RSA": 1.2.840.113549.1.1.1 and a NULL.
const RSA: [u8; 13] = [
    0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Takes an element of this kind off the front; its content.
pub(super) fn take<'d>(bytes: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let (&[found, first], rest) = bytes.split_first_chunk()?;
    let (len, rest) = length(first, rest)?;
    let (content, rest) = rest.split_at_checked(len)?;
    if found != tag {
        return None;
    }
    *bytes = rest;
    Some(content)
}

/// The content of the one element there is.
pub(super) fn only(mut bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let content = take(&mut bytes, tag)?;
    bytes.is_empty().then_some(content)
}

/// Takes an algorithm off the front, and says whether it is RSA.
pub(super) fn take_is_rsa(bytes: &mut &[u8]) -> Option<bool> {
    Some(take(bytes, SEQUENCE)? == RSA)
}

/// The algorithm RSA as an element.
pub(super) fn rsa() -> Vec<u8> {
    element(SEQUENCE, &[&RSA])
}

/// An element of these parts. They are shorter than 64 KiB in all.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    // Reserved at once, so that no part of a private key stays behind where it was moved from.
    let mut out = Vec::with_capacity(len + 4);
    out.push(tag);
    match len.to_be_bytes() {
        [.., 0, len @ 0..=0x7F] => out.push(len),
        [.., 0, len] => out.extend([0x81, len]),
        [.., high, low] => out.extend([0x82, high, low]),
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A length of one to three bytes, in its shortest form.
fn length(first: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    match (first, rest) {
        (0..=0x7F, _) => Some((usize::from(first), rest)),
        (0x81, [len, rest @ ..]) if *len >= 0x80 => Some((usize::from(*len), rest)),
        (0x82, [high, low, rest @ ..]) if *high > 0 => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}
