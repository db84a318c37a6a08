//! Keys of DES (8 bytes) and of 3DES with two parts (16 bytes), and their check values. They have
//! no `Debug` and are wiped when dropped.

use std::fmt;

use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::hex;

/// Bytes of a cipher block, and of a single-length key.
pub(super) const BLOCK: usize = 8;
/// Bytes of a double-length key.
pub(super) const DOUBLE: usize = 16;
/// Digits that an operator reads off a check value at least.
const CHECK_DIGITS_MIN: usize = 6;

/// A block of the cipher.
pub(super) type Block = [u8; BLOCK];

/// Why a text or a pair of parts makes no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 16 or 32 hexadecimal digits.
    #[error("a key is 16 or 32 hexadecimal digits")]
    NotAKey,
    /// Two parts of different lengths.
    #[error("the two parts of a key must have the same length")]
    PartsDiffer,
}

/// A key of DES.
#[derive(Clone)]
pub struct SingleKey(Zeroizing<Block>);

impl SingleKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; BLOCK]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The first four bytes of eight zero bytes, encrypted.
    pub fn check_value(&self) -> CheckValue {
        CheckValue::of(self.encrypt([0; BLOCK]))
    }

    /// The key's bytes, for sealing it under another key only.
    pub fn bytes(&self) -> &[u8; BLOCK] {
        &self.0
    }

    pub(super) fn encrypt(&self, block: Block) -> Block {
        let mut block = Array::from(block);
        Des::new((&*self.0).into()).encrypt_block(&mut block);
        block.into()
    }

    pub(super) fn decrypt(&self, block: Block) -> Block {
        let mut block = Array::from(block);
        Des::new((&*self.0).into()).decrypt_block(&mut block);
        block.into()
    }
}

/// A key of 3DES: encrypted with the first half, decrypted with the second, encrypted with the
/// first.
#[derive(Clone)]
pub struct DoubleKey(Zeroizing<[u8; DOUBLE]>);

impl DoubleKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; DOUBLE]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The first four bytes of eight zero bytes, encrypted.
    pub fn check_value(&self) -> CheckValue {
        CheckValue::of(self.encrypt([0; BLOCK]))
    }

    /// The key's bytes, for sealing it under another key only.
    pub fn bytes(&self) -> &[u8; DOUBLE] {
        &self.0
    }

    pub(super) fn encrypt(&self, block: Block) -> Block {
        let mut block = Array::from(block);
        TdesEde2::new((&*self.0).into()).encrypt_block(&mut block);
        block.into()
    }

    pub(super) fn decrypt(&self, block: Block) -> Block {
        let mut block = Array::from(block);
        TdesEde2::new((&*self.0).into()).decrypt_block(&mut block);
        block.into()
    }
}

/// A key of either length: a terminal's master key, or its PIN key.
#[derive(Clone)]
pub enum Key {
    /// 8 bytes.
    Single(SingleKey),
    /// 16 bytes.
    Double(DoubleKey),
}

impl Key {
    /// Reads 16 or 32 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAKey`] for any other text.
    pub fn parse_hex(text: &str) -> Result<Self, KeyError> {
        if let Some(mut bytes) = hex::decode::<DOUBLE>(text) {
            let key = Self::Double(DoubleKey::new(bytes));
            bytes.zeroize();
            return Ok(key);
        }
        let mut bytes = hex::decode::<BLOCK>(text).ok_or(KeyError::NotAKey)?;
        let key = Self::Single(SingleKey::new(bytes));
        bytes.zeroize();
        Ok(key)
    }

    /// Reads 8 or 16 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAKey`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if let Ok(bytes) = bytes.try_into() {
            return Ok(Self::Double(DoubleKey::new(bytes)));
        }
        let bytes = bytes.try_into().map_err(|_| KeyError::NotAKey)?;
        Ok(Self::Single(SingleKey::new(bytes)))
    }

    /// The key whose two parts two people hold: the parts, XORed.
    ///
    /// # Errors
    ///
    /// [`KeyError::PartsDiffer`] when one part is longer than the other.
    pub fn from_parts(first: &Self, second: &Self) -> Result<Self, KeyError> {
        let (first, second) = (first.bytes(), second.bytes());
        if first.len() != second.len() {
            return Err(KeyError::PartsDiffer);
        }
        let pairs = first.iter().zip(second);
        let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(pairs.map(|(a, b)| a ^ b).collect());
        Self::from_bytes(&bytes)
    }

    /// The first four bytes of eight zero bytes, encrypted.
    pub fn check_value(&self) -> CheckValue {
        CheckValue::of(self.encrypt([0; BLOCK]))
    }

    /// The key's bytes, for sealing it under another key only.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Single(key) => key.bytes(),
            Self::Double(key) => key.bytes(),
        }
    }

    pub(super) fn encrypt(&self, block: Block) -> Block {
        match self {
            Self::Single(key) => key.encrypt(block),
            Self::Double(key) => key.encrypt(block),
        }
    }

    pub(super) fn decrypt(&self, block: Block) -> Block {
        match self {
            Self::Single(key) => key.decrypt(block),
            Self::Double(key) => key.decrypt(block),
        }
    }
}

/// What tells two keys apart without telling either: the first four bytes of eight zero bytes,
/// encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckValue([u8; 4]);

impl CheckValue {
    const fn of(block: Block) -> Self {
        let [a, b, c, d, ..] = block;
        Self([a, b, c, d])
    }

    /// A check value as it was received.
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes.
    pub const fn bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// Whether a text names this value: six to eight hexadecimal digits of either case, as they
    /// stand beside a key on paper.
    pub fn is_named_by(&self, text: &str) -> bool {
        let digits = self.to_string();
        let is_long_enough = (CHECK_DIGITS_MIN..=digits.len()).contains(&text.len());
        let named = digits.get(..text.len());
        is_long_enough && named.is_some_and(|named| named.eq_ignore_ascii_case(text))
    }

    pub(super) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for CheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}
