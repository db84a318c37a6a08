//! The MAC of a request: the acquirers' "ECB" algorithm over the text of the form, in the form's
//! own field `mac`.

use std::fmt;

use subtle::ConstantTimeEq;

use super::form::Form;
use super::key::{BLOCK, Block, SingleKey};
use super::{hex, name};

/// Bytes of a MAC.
const MAC: usize = 4;

/// Why a request is not its terminal's. All become status A0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// The field `mac` is missing or empty.
    #[error("the request has no mac; the terminal's profile demands one")]
    Missing,
    /// Not 8 hexadecimal digits.
    #[error("mac is not 8 hexadecimal digits")]
    Malformed,
    /// Of another key or other fields.
    #[error("mac does not match; a new check-in gives the terminal new keys")]
    Mismatch,
}

/// A message authentication code.
#[derive(Debug, Clone, Copy)]
pub struct Mac([u8; MAC]);

impl Mac {
    /// Makes the MAC of a form's fields.
    pub fn of(key: &SingleKey, form: &Form<'_>) -> Self {
        Self::of_text(key, form.mac_text().as_bytes())
    }

    /// Makes the MAC of a text: its blocks XORed, written as 16 hexadecimal digits; the first 8 of
    /// them encrypted, XORed with the last 8, and encrypted again.
    pub fn of_text(key: &SingleKey, text: &[u8]) -> Self {
        let digits = hex::encode(&folded(text));
        let (halves, _) = digits.as_bytes().as_chunks::<BLOCK>();
        let block = halves
            .iter()
            .fold([0; BLOCK], |block, half| key.encrypt(xor(block, half)));
        let [a, b, c, d, ..] = block;
        Self([a, b, c, d])
    }

    /// Checks a request's MAC in constant time.
    ///
    /// # Errors
    ///
    /// [`MacError`] when there is none, or not this key's.
    pub fn verify(key: &SingleKey, form: &Form<'_>) -> Result<(), MacError> {
        let given = form.get(name::MAC).ok_or(MacError::Missing)?;
        let given = hex::decode::<MAC>(given).ok_or(MacError::Malformed)?;
        if bool::from(Self::of(key, form).0.ct_eq(&given)) {
            Ok(())
        } else {
            Err(MacError::Mismatch)
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The XOR of all blocks, the last one filled up with zeros.
fn folded(text: &[u8]) -> Block {
    text.chunks(BLOCK).fold([0; BLOCK], xor)
}

fn xor(mut block: Block, with: impl AsRef<[u8]>) -> Block {
    for (to, from) in block.iter_mut().zip(with.as_ref()) {
        *to ^= from;
    }
    block
}
