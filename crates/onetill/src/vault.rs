//! The master key, and secrets sealed under it.
//!
//! Merchant keys rest in the store as AES-256-GCM sealed bytes: a fresh 12-byte nonce, then
//! ciphertext and tag. What a secret belongs to is authenticated with it, so that a sealed key
//! copied to another merchant's row does not open. The master key is a file of 32 random bytes in
//! hex that only its owner may read, created at first start, or an environment variable.

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};
use zeroize::Zeroizing;

/// The environment variable that holds the master key in hex, for gateways that share a store.
pub const MASTER_KEY_VARIABLE: &str = "ONETILL_MASTER_KEY";
/// The name of the key file in the data directory.
pub const MASTER_KEY_FILE: &str = "master.key";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or written.
    #[error("the master key file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key is not 64 hex digits.
    #[error("the master key must be 64 hex digits (32 bytes); look at {0}")]
    Shape(String),
    /// Others may read the key file.
    #[error("the master key file {0} is readable by others; run: chmod 600 {0}")]
    Exposed(String),
    /// The sealed bytes do not open under this key.
    #[error(
        "a stored secret does not open: this gateway's master key is not the one that sealed \
         it. Copy master.key from the gateway that set up the store"
    )]
    WrongKey,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

/// Seals and opens secrets. Has no `Debug`.
#[derive(Clone)]
pub struct Vault {
    cipher: Aes256Gcm,
}

impl Vault {
    /// The vault of the data directory `dir`: the key from the environment if it is set there,
    /// else from the key file, which is created when missing.
    ///
    /// # Errors
    /// When the key cannot be read, is ill-shaped, or is readable by others.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        if let Ok(hex) = std::env::var(MASTER_KEY_VARIABLE) {
            return Self::from_hex(&Zeroizing::new(hex), MASTER_KEY_VARIABLE);
        }
        let path = dir.join(MASTER_KEY_FILE);
        let failed = |source| VaultError::File {
            path: path.display().to_string(),
            source,
        };
        if !path.exists() {
            create_key_file(&path, failed)?;
        }
        check_mode(&path, failed)?;
        let hex = Zeroizing::new(fs::read_to_string(&path).map_err(failed)?);
        Self::from_hex(&hex, &path.display().to_string())
    }

    fn from_hex(hex: &str, origin: &str) -> Result<Self, VaultError> {
        let bytes = decode_hex(hex.trim()).ok_or_else(|| VaultError::Shape(origin.to_owned()))?;
        let cipher = Aes256Gcm::new_from_slice(&bytes[..])
            .map_err(|_| VaultError::Shape(origin.to_owned()))?;
        Ok(Self { cipher })
    }

    /// Seals `secret`, bound to `owner`.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::Random)?;
        let payload = Payload {
            msg: secret,
            aad: owner.as_bytes(),
        };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| VaultError::Random)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Vault::seal`] sealed for the same `owner`.
    ///
    /// # Errors
    /// When it was sealed under another key or for another owner, or is damaged.
    pub fn open_sealed(
        &self,
        owner: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = sealed.split_first_chunk().ok_or(VaultError::WrongKey)?;
        let nonce: [u8; NONCE_BYTES] = *nonce;
        let payload = Payload {
            msg: sealed,
            aad: owner.as_bytes(),
        };
        let opened = self.cipher.decrypt(&Nonce::from(nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| VaultError::WrongKey)
    }
}

fn create_key_file(
    path: &Path,
    failed: impl Fn(std::io::Error) -> VaultError + Copy,
) -> Result<(), VaultError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut key[..]).map_err(|_| VaultError::Random)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    // A store sealed under a key that a power cut takes away would be lost for good.
    file.write_all(encode_hex(&key[..]).as_bytes())
        .map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let dir = path
        .parent()
        .map(fs::File::open)
        .transpose()
        .map_err(failed)?;
    dir.map_or(Ok(()), |dir| dir.sync_all()).map_err(failed)
}

#[cfg(unix)]
fn check_mode(
    path: &Path,
    failed: impl Fn(std::io::Error) -> VaultError,
) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(VaultError::Exposed(path.display().to_string()))
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: impl Fn(std::io::Error) -> VaultError) -> Result<(), VaultError> {
    Ok(())
}

/// `bytes` as lower-case hex.
#[must_use]
pub fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    let pairs = (0..KEY_BYTES).map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok());
    pairs.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::from_hex(&"0f".repeat(32), "test").unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_only() {
        let sealed = vault().seal("merchant/1", b"key").unwrap();
        assert_eq!(
            &**vault().open_sealed("merchant/1", &sealed).unwrap(),
            b"key"
        );
        assert!(matches!(
            vault().open_sealed("merchant/2", &sealed),
            Err(VaultError::WrongKey)
        ));
        let other = Vault::from_hex(&"0e".repeat(32), "test").unwrap();
        assert!(matches!(
            other.open_sealed("merchant/1", &sealed),
            Err(VaultError::WrongKey)
        ));
        assert!(matches!(
            vault().open_sealed("merchant/1", b"short"),
            Err(VaultError::WrongKey)
        ));
    }

    #[test]
    fn the_key_file_is_made_once_and_kept_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let sealed = Vault::open(dir.path())
            .unwrap()
            .seal("x", b"secret")
            .unwrap();
        let again = Vault::open(dir.path()).unwrap();
        assert_eq!(&**again.open_sealed("x", &sealed).unwrap(), b"secret");
        let path = dir.path().join(MASTER_KEY_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Vault::open(dir.path()),
            Err(VaultError::Exposed(_))
        ));
    }
}
