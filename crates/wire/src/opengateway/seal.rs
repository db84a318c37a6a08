//! The envelope of `encrypt=3DES`: DESede in ECB mode with PKCS#5 padding, written as
//! one line of Base64 (source: "报文加密"). The signature is made before sealing.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use des::TdesEde3;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use super::key::MerchantKey;

/// Bytes in a cipher block.
const BLOCK: usize = 8;
/// Bytes of the merchant key the cipher uses.
const CIPHER_KEY: usize = 24;

/// Padding is dropped with the other characters that carry nothing before decoding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a sealed text cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// What is left after dropping foreign characters is no Base64.
    #[error("the text is not Base64")]
    NotBase64,
    /// The ciphertext is empty or not a whole number of 8-byte blocks.
    #[error("the ciphertext is not a whole number of blocks")]
    NotBlocks,
    /// The padding is wrong: another key, or a damaged text.
    #[error("the padding is wrong, so the key probably is")]
    Padding,
}

/// Encrypts a plaintext under the merchant's key, as one line of Base64.
pub fn seal(key: &MerchantKey, plaintext: &[u8]) -> String {
    let mut data = padded(plaintext);
    let cipher = cipher(key);
    let (blocks, _) = Array::slice_as_chunks_mut(&mut data);
    for block in blocks {
        cipher.encrypt_block(block);
    }
    BASE64.encode(&data)
}

/// Decrypts a sealed text. Characters outside the Base64 alphabet are ignored.
///
/// # Errors
///
/// [`SealError`] when the text is no Base64, no whole blocks, or wrongly padded.
pub fn open(key: &MerchantKey, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut data = decode(sealed)?;
    let cipher = cipher(key);
    let (blocks, rest) = Array::slice_as_chunks_mut(&mut data);
    if blocks.is_empty() || !rest.is_empty() {
        return Err(SealError::NotBlocks);
    }
    for block in blocks {
        cipher.decrypt_block(block);
    }
    unpad(&mut data)?;
    Ok(data)
}

/// The first 24 bytes of the key's characters, zero-padded on the right; no hashing.
fn cipher(key: &MerchantKey) -> TdesEde3 {
    let mut bytes = Zeroizing::new([0_u8; CIPHER_KEY]);
    for (to, from) in bytes.iter_mut().zip(key.bytes()) {
        *to = *from;
    }
    TdesEde3::new((&*bytes).into())
}

fn padded(plaintext: &[u8]) -> Vec<u8> {
    let pad = BLOCK - plaintext.len() % BLOCK;
    let mut data = Vec::with_capacity(plaintext.len() + pad);
    data.extend_from_slice(plaintext);
    data.extend(std::iter::repeat_n(u8::try_from(pad).unwrap_or(0), pad));
    data
}

fn unpad(data: &mut Vec<u8>) -> Result<(), SealError> {
    let pad = data.last().copied().unwrap_or(0);
    let count = usize::from(pad);
    let text = data.len().checked_sub(count).ok_or(SealError::Padding)?;
    let tail = data.get(text..).unwrap_or_default();
    if !(1..=BLOCK).contains(&count) || tail.iter().any(|&b| b != pad) {
        return Err(SealError::Padding);
    }
    data.truncate(text);
    Ok(())
}

fn decode(sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    let kept: Vec<u8> = sealed.iter().copied().filter(|&b| is_base64(b)).collect();
    BASE64.decode(kept).map_err(|_| SealError::NotBase64)
}
