//! PINs and the blocks in which they travel: ISO 9564 format 0 under the PIN key (`password`).

use zeroize::{Zeroize, Zeroizing};

use super::hex;
use super::key::{BLOCK, Block, Key};
use crate::text::is_digits;

/// Fewest digits of a PIN.
pub const DIGITS_MIN: usize = 4;
/// Most digits of a PIN.
pub const DIGITS_MAX: usize = 12;
/// Digits of the card number in a block.
const CARD_DIGITS: usize = 12;
/// Half bytes of a block.
const NIBBLES: usize = 2 * BLOCK;
/// What fills a block after the last digit.
const PADDING: u8 = 0x0F;

/// Half bytes, one each.
type Nibbles = Zeroizing<[u8; NIBBLES]>;

/// What is wrong with a PIN or its block. All become status 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// `password` is not 16 hexadecimal digits.
    #[error("a PIN block is 16 hexadecimal digits")]
    NotABlock,
    /// The card number has other characters than digits, or none.
    #[error("a PIN block needs a card number of digits")]
    CardNo,
    /// The first half byte is not 0: another format, another key or another card.
    #[error("the control field is not 0; is the PIN key the right one?")]
    Control,
    /// Not 4 to 12 digits.
    #[error("a PIN has 4 to 12 digits")]
    Length,
    /// Something else than a digit.
    #[error("a PIN has digits only")]
    Digit,
    /// Something else than F after the last digit.
    #[error("the padding is wrong; is the PIN key the right one?")]
    Padding,
}

/// A PIN. It has no `Debug` and is wiped when dropped.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Reads 4 to 12 digits.
    ///
    /// # Errors
    ///
    /// [`PinError::Length`] or [`PinError::Digit`].
    pub fn parse(text: &str) -> Result<Self, PinError> {
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&text.len()) {
            return Err(PinError::Length);
        }
        if !is_digits(text) {
            return Err(PinError::Digit);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The digits, for the slow hash only.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The block before it is encrypted, for tests against published values.
    ///
    /// # Errors
    ///
    /// [`PinError::CardNo`] when the card number is not digits.
    pub fn clear_block(&self, card_no: &str) -> Result<Zeroizing<[u8; BLOCK]>, PinError> {
        let card = card_nibbles(card_no)?;
        Ok(packed(&xor(&self.nibbles(), &card)))
    }

    /// 0, the number of digits, the digits, and F to the end.
    fn nibbles(&self) -> Nibbles {
        let mut nibbles = Zeroizing::new([PADDING; NIBBLES]);
        let digits = self.0.bytes().map(|digit| digit.wrapping_sub(b'0'));
        let length = u8::try_from(self.0.len()).unwrap_or(0);
        for (to, from) in nibbles
            .iter_mut()
            .zip([0, length].into_iter().chain(digits))
        {
            *to = from;
        }
        nibbles
    }

    fn from_nibbles(nibbles: &Nibbles) -> Result<Self, PinError> {
        let [control, length, rest @ ..] = &**nibbles;
        if *control != 0 {
            return Err(PinError::Control);
        }
        let length = usize::from(*length);
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&length) {
            return Err(PinError::Length);
        }
        let (digits, padding) = rest.split_at_checked(length).ok_or(PinError::Length)?;
        if digits.iter().any(|digit| *digit > 9) {
            return Err(PinError::Digit);
        }
        if padding.iter().any(|nibble| *nibble != PADDING) {
            return Err(PinError::Padding);
        }
        let mut text = Zeroizing::new(String::with_capacity(DIGITS_MAX));
        text.extend(digits.iter().map(|digit| char::from(b'0' + digit)));
        Ok(Self(text))
    }
}

/// A PIN block as it travels, encrypted. It has no `Debug` and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct PinBlock(Zeroizing<Block>);

impl PinBlock {
    /// Reads 16 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`PinError::NotABlock`] for any other text.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let block = hex::decode(text).ok_or(PinError::NotABlock)?;
        Ok(Self(Zeroizing::new(block)))
    }

    /// 16 uppercase hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(&*self.0)
    }

    /// Encrypts a PIN together with the number of its card.
    ///
    /// # Errors
    ///
    /// [`PinError::CardNo`] when the card number is not digits.
    pub fn seal(key: &Key, pin: &Pin, card_no: &str) -> Result<Self, PinError> {
        let clear = pin.clear_block(card_no)?;
        Ok(Self(Zeroizing::new(key.encrypt(*clear))))
    }

    /// Takes the PIN out of a block.
    ///
    /// # Errors
    ///
    /// [`PinError`] when control field, length, digits or padding are not those of format 0:
    /// the block was made with another key, or for another card.
    pub fn open(&self, key: &Key, card_no: &str) -> Result<Pin, PinError> {
        let card = card_nibbles(card_no)?;
        let mut clear = key.decrypt(*self.0);
        let nibbles = unpacked(&clear);
        clear.zeroize();
        Pin::from_nibbles(&xor(&nibbles, &card))
    }
}

/// Four zeros and the last 12 digits of the card number before its check digit; a shorter number
/// gets zeros before it.
fn card_nibbles(card_no: &str) -> Result<Nibbles, PinError> {
    if !is_digits(card_no) {
        return Err(PinError::CardNo);
    }
    let mut nibbles = Zeroizing::new([0; NIBBLES]);
    let digits = card_no.bytes().rev().skip(1).take(CARD_DIGITS);
    for (to, digit) in nibbles.iter_mut().rev().zip(digits) {
        *to = digit.wrapping_sub(b'0');
    }
    Ok(nibbles)
}

fn xor(one: &Nibbles, other: &Nibbles) -> Nibbles {
    let mut both = one.clone();
    for (to, from) in both.iter_mut().zip(other.iter()) {
        *to ^= from;
    }
    both
}

fn packed(nibbles: &Nibbles) -> Zeroizing<Block> {
    let mut block = Zeroizing::new([0; BLOCK]);
    for (byte, [high, low]) in block.iter_mut().zip(nibbles.as_chunks::<2>().0) {
        *byte = high << 4 | low;
    }
    block
}

fn unpacked(block: &Block) -> Nibbles {
    let mut nibbles = Zeroizing::new([0; NIBBLES]);
    let halves = block.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    for (to, from) in nibbles.iter_mut().zip(halves) {
        *to = from;
    }
    nibbles
}
