//! RSA keys of 2048 bits or more, for SHA256withRSA (PKCS#1 v1.5). Private ones have no `Debug`.
//!
//! *ring* signs and verifies. The `rsa` crate is known to tell a key by the time its private
//! operations take (RUSTSEC-2023-0071).

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ring::rand::SystemRandom;
use ring::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use super::der::{self, BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE};
use super::sign::SignError;
use crate::text::without_white_space;

/// Fewest bits of a key.
pub const BITS_MIN: usize = 2048;
/// Most bits of a key that verifies.
pub const VERIFYING_BITS_MAX: usize = 8192;
/// Most bits of a key that signs.
pub const SIGNING_BITS_MAX: usize = 4096;
/// Most bytes of a public exponent.
const EXPONENT_LEN_MAX: usize = 4;

/// Why something is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM with the right label nor Base64.
    #[error("the key is not in PEM, and not in Base64")]
    NotText,
    /// Not the DER of a key: SubjectPublicKeyInfo of public ones, PKCS#8 of private ones.
    #[error("the key is not in the form of SubjectPublicKeyInfo (public) or PKCS#8 (private)")]
    Malformed,
    /// A key of another algorithm.
    #[error("the key is not an RSA key")]
    NotRsa,
    /// Fewer than [`BITS_MIN`] bits.
    #[error("the key has {bits} bits; 2048 are the least")]
    TooShort {
        /// The key's bits.
        bits: usize,
    },
    /// More bits than can be worked with.
    #[error("the key has {bits} bits, which are too many")]
    TooLong {
        /// The key's bits.
        bits: usize,
    },
    /// The numbers are not those of an RSA key that anybody should use.
    #[error("the key's numbers do not make a sound RSA key")]
    Unsound,
    /// No key could be made of this seed.
    #[error("no key could be made")]
    NotMade,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    /// RSAPublicKey of PKCS#1, in DER.
    pkcs1: Vec<u8>,
    bits: usize,
}

impl VerifyingKey {
    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    ///
    /// [`KeyError`], by what is wrong with it.
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let mut inside = der::only(spki, SEQUENCE).ok_or(KeyError::Malformed)?;
        let is_rsa = der::take_is_rsa(&mut inside).ok_or(KeyError::Malformed)?;
        if !is_rsa {
            return Err(KeyError::NotRsa);
        }
        match der::only(inside, BIT_STRING).and_then(<[u8]>::split_first) {
            Some((0, pkcs1)) => Self::from_pkcs1(pkcs1),
            Some(_) | None => Err(KeyError::Malformed),
        }
    }

    /// Reads `-----BEGIN PUBLIC KEY-----`, or its Base64 alone, as partners send it.
    ///
    /// # Errors
    ///
    /// [`KeyError`], by what is wrong with it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_spki_der(&unarmoured(text, "PUBLIC KEY")?)
    }

    /// The key as a SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> Vec<u8> {
        let bits = der::element(BIT_STRING, &[&[0], &self.pkcs1]);
        der::element(SEQUENCE, &[&der::rsa(), &bits])
    }

    /// The key as PEM, for the other side.
    pub fn to_pem(&self) -> String {
        let base64 = BASE64_STANDARD.encode(self.spki_der());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// Bits of the modulus.
    pub const fn bits(&self) -> usize {
        self.bits
    }

    /// Checks a signature over a text.
    ///
    /// # Errors
    ///
    /// [`SignError::Mismatch`].
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), SignError> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.pkcs1);
        let verified = key.verify(text, signature);
        verified.map_err(|_| SignError::Mismatch)
    }

    /// Reads the two numbers and looks at them, so that no key is accepted that never verifies.
    fn from_pkcs1(pkcs1: &[u8]) -> Result<Self, KeyError> {
        let mut inside = der::only(pkcs1, SEQUENCE).ok_or(KeyError::Malformed)?;
        let modulus = take_number(&mut inside).ok_or(KeyError::Malformed)?;
        let exponent = take_number(&mut inside).ok_or(KeyError::Malformed)?;
        if !inside.is_empty() {
            return Err(KeyError::Malformed);
        }
        let bits = within_bits(modulus, VERIFYING_BITS_MAX)?;
        let is_one = exponent == [1];
        if is_even(modulus) || is_even(exponent) || is_one || exponent.len() > EXPONENT_LEN_MAX {
            return Err(KeyError::Unsound);
        }
        let pkcs1 = pkcs1.to_vec();
        Ok(Self { pkcs1, bits })
    }
}

/// A private key. It has no `Debug`.
pub struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Reads an unencrypted PKCS#8 key.
    ///
    /// # Errors
    ///
    /// [`KeyError`], by what is wrong with it.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        within_bits(pkcs8_modulus(pkcs8)?, SIGNING_BITS_MAX)?;
        let pair = RsaKeyPair::from_pkcs8(pkcs8);
        pair.map(Self).map_err(|_| KeyError::Unsound)
    }

    /// Reads `-----BEGIN PRIVATE KEY-----`, or its Base64 alone.
    ///
    /// # Errors
    ///
    /// [`KeyError`], by what is wrong with it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(&unarmoured(text, "PRIVATE KEY")?)
    }

    /// The public key that checks this one's signatures.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey {
            pkcs1: self.0.public_key().as_ref().to_vec(),
            bits: self.0.public().modulus_len() * 8,
        }
    }

    /// The public key as a SubjectPublicKeyInfo.
    pub fn public_spki_der(&self) -> Vec<u8> {
        self.verifying_key().spki_der()
    }

    /// Signs a text. The same text has the same signature always: PKCS#1 v1.5 takes no chance.
    ///
    /// # Errors
    ///
    /// [`SignError::Unsignable`] when the key's own numbers contradict each other.
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        let signed = self.0.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text,
            &mut signature,
        );
        signed.map_err(|_| SignError::Unsignable)?;
        Ok(signature)
    }
}

/// The modulus of a PKCS#8 key, which names its algorithm before it.
fn pkcs8_modulus(pkcs8: &[u8]) -> Result<&[u8], KeyError> {
    let malformed = KeyError::Malformed;
    let mut inside = der::only(pkcs8, SEQUENCE).ok_or(malformed)?;
    der::take(&mut inside, INTEGER).ok_or(malformed)?;
    if !der::take_is_rsa(&mut inside).ok_or(malformed)? {
        return Err(KeyError::NotRsa);
    }
    let pkcs1 = der::take(&mut inside, OCTET_STRING).ok_or(malformed)?;
    let mut numbers = der::only(pkcs1, SEQUENCE).ok_or(malformed)?;
    der::take(&mut numbers, INTEGER).ok_or(malformed)?;
    take_number(&mut numbers).ok_or(malformed)
}

/// Takes a number above zero off the front, without the byte that says it is.
fn take_number<'d>(bytes: &mut &'d [u8]) -> Option<&'d [u8]> {
    let whole = der::take(bytes, INTEGER)?;
    let number = whole.strip_prefix(&[0]).unwrap_or(whole);
    let is_padded = number.len() < whole.len();
    let is_high = number.first()? & 0x80 != 0;
    let is_shortest = is_padded == is_high && number.first() != Some(&0);
    is_shortest.then_some(number)
}

/// The bits of a modulus, from [`BITS_MIN`] to `max`.
fn within_bits(modulus: &[u8], max: usize) -> Result<usize, KeyError> {
    let unused = modulus.first().map_or(0, |first| first.leading_zeros());
    let unused = usize::try_from(unused).unwrap_or(0);
    let bits = modulus.len().saturating_mul(8).saturating_sub(unused);
    match bits {
        0..BITS_MIN => Err(KeyError::TooShort { bits }),
        bits if bits > max => Err(KeyError::TooLong { bits }),
        bits => Ok(bits),
    }
}

fn is_even(number: &[u8]) -> bool {
    number.last().is_none_or(|last| last % 2 == 0)
}

/// The bytes in PEM of this label, or in Base64 alone.
fn unarmoured(text: &str, label: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = text.trim();
    let body = if text.starts_with("-----BEGIN") {
        let body = text.strip_prefix(&format!("-----BEGIN {label}-----"));
        body.and_then(|body| body.strip_suffix(&format!("-----END {label}-----")))
    } else {
        Some(text)
    };
    let body = body
        .filter(|body| !body.trim().is_empty())
        .ok_or(KeyError::NotText)?;
    let body = Zeroizing::new(without_white_space(body));
    let bytes = BASE64_STANDARD.decode(&*body);
    bytes.map(Zeroizing::new).map_err(|_| KeyError::NotText)
}
