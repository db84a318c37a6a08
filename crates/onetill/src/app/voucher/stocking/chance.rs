//! Randomness for names and codes: from the system, and without a bias.

use crate::app::AppError;
use zeroize::Zeroizing;

/// How many random bytes are fetched at once.
const BYTES: usize = 1024;

/// Digits.
pub const DIGITS: &[u8] = b"0123456789";
/// Hexadecimal digits, as the samples write them.
pub const HEX: &[u8] = b"0123456789ABCDEF";
/// What the secret part of a code is made of.
pub const SECRET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A stock of random bytes. Has no `Debug`: codes are made of it.
pub struct Chance {
    bytes: Zeroizing<[u8; BYTES]>,
    next: usize,
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}

impl Chance {
    /// Nothing fetched yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: Zeroizing::new([0; BYTES]),
            next: BYTES,
        }
    }

    /// Appends `count` characters of `alphabet`, each as likely as every other.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn push(
        &mut self,
        text: &mut String,
        alphabet: &[u8],
        count: usize,
    ) -> Result<(), AppError> {
        let mut left = count;
        while left > 0 {
            if let Some(letter) = pick(alphabet, self.byte()?) {
                text.push(char::from(letter));
                left -= 1;
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, AppError> {
        if let Some(byte) = self.bytes.get(self.next).copied() {
            self.next += 1;
            return Ok(byte);
        }
        getrandom::fill(&mut self.bytes[..]).map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes");
            AppError::Unforeseen
        })?;
        self.next = 1;
        Ok(self.bytes.first().copied().unwrap_or_default())
    }
}

/// The letter that a random byte stands for; `None` for bytes that would favour the first letters.
fn pick(alphabet: &[u8], byte: u8) -> Option<u8> {
    let letters = u16::try_from(alphabet.len()).ok()?;
    let fair = 256_u16.checked_div(letters)?.checked_mul(letters)?;
    let byte = u16::from(byte);
    (byte < fair)
        .then(|| alphabet.get(usize::from(byte % letters)).copied())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_stands_for_as_many_bytes_as_every_other() {
        for alphabet in [DIGITS, HEX, SECRET] {
            let count = |letter: &u8| {
                let bytes = 0..=u8::MAX;
                bytes
                    .filter(|it| pick(alphabet, *it) == Some(*letter))
                    .count()
            };
            let counts: Vec<usize> = alphabet.iter().map(count).collect();
            let each = 256 / alphabet.len();
            assert!(counts.iter().all(|it| *it == each), "{counts:?}");
        }
    }

    #[test]
    fn texts_have_their_length_and_differ() {
        let mut chance = Chance::new();
        let mut made = |count| {
            let mut text = String::new();
            chance.push(&mut text, SECRET, count).unwrap();
            text
        };
        let (one, other) = (made(3_000), made(3_000));
        assert_eq!((one.len(), other.len()), (3_000, 3_000));
        assert_ne!(one, other);
    }
}
