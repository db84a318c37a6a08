//! Which certificate a client showed.

use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use std::fmt;

/// The SHA-256 digest of a certificate, as `openssl x509 -fingerprint -sha256` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a certificate.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }

    /// Of the first certificate in a PEM text, if there is one.
    #[must_use]
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        Some(Self::of(&certificate))
    }

    /// Reads 64 hex digits, with or without colons between the bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|it| *it != ':').collect();
        if digits.len() != 64 || !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read() {
        let made = rcgen::generate_simple_self_signed(vec!["till".into()]).unwrap();
        let fingerprint = Fingerprint::of(made.cert.der());
        assert_eq!(
            Fingerprint::of_pem(made.cert.pem().as_bytes()),
            Some(fingerprint)
        );
        assert_eq!(
            Fingerprint::parse(&fingerprint.to_string()),
            Some(fingerprint)
        );
        let bytes = fingerprint.0.map(|byte| format!("{byte:02X}"));
        assert_eq!(Fingerprint::parse(&bytes.join(":")), Some(fingerprint));
        assert_eq!(Fingerprint::of_pem(b"no certificate"), None);
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(66), &"é".repeat(32)] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
    }
}
