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
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::Path,
};
use zeroize::Zeroizing;

/// The environment variable that holds the master key in hex, for gateways that share a store.
pub const MASTER_KEY_VARIABLE: &str = "ONETILL_MASTER_KEY";
/// The name of the key file in the data directory.
pub const MASTER_KEY_FILE: &str = "master.key";
/// How the name of a key file ends that is not finished.
const PARTIAL: &str = "partial";
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
        source: io::Error,
    },
    /// The key in the environment is not 64 hex digits.
    #[error("the master key must be 64 hex digits (32 bytes); look at {0}")]
    Shape(&'static str),
    /// The key file is not 64 hex digits.
    #[error(
        "the master key file {0} is empty or damaged: it must hold 64 hex digits. Put back the \
         copy from where you keep it, or from another gateway of this store; only if this store \
         was never used, remove the file and start again, which makes a new key"
    )]
    Damaged(String),
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
    deriver: Hmac<Sha256>,
}

impl Vault {
    /// The vault of the data directory `dir`: the key from the environment if it is set there,
    /// else from the key file, which is created when missing.
    ///
    /// # Errors
    /// When the key cannot be read, is ill-shaped, or is readable by others.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        if let Ok(hex) = std::env::var(MASTER_KEY_VARIABLE) {
            let vault = Self::from_hex(Zeroizing::new(hex).as_bytes());
            return vault.ok_or(VaultError::Shape(MASTER_KEY_VARIABLE));
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
        let hex = Zeroizing::new(fs::read(&path).map_err(failed)?);
        Self::from_hex(&hex).ok_or_else(|| VaultError::Damaged(path.display().to_string()))
    }

    /// The vault of a key in hex; `None` when it is not 64 digits.
    pub(crate) fn from_hex(hex: &[u8]) -> Option<Self> {
        let bytes = decode_key(std::str::from_utf8(hex).ok()?.trim())?;
        let cipher = Aes256Gcm::new_from_slice(&bytes[..]).ok()?;
        let deriver = Hmac::new_from_slice(&bytes[..]).ok()?;
        Some(Self { cipher, deriver })
    }

    /// A key of its own for `purpose`. The keys of two purposes have nothing in common, and none
    /// tells the master key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut deriver = self.deriver.clone();
        deriver.update(purpose.as_bytes());
        Zeroizing::new(deriver.finalize().into_bytes().into())
    }

    /// Makes keyed digests for `purpose`.
    #[must_use]
    pub fn digester(&self, purpose: &str) -> Hmac<Sha256> {
        let mut deriver = self.deriver.clone();
        deriver.update(purpose.as_bytes());
        // A key as long as a block of the digest, so that none is refused.
        let key = deriver.finalize().into_bytes();
        let mut block = Zeroizing::new([0; 64]);
        block.iter_mut().zip(key).for_each(|(to, from)| *to = from);
        <Hmac<Sha256> as KeyInit>::new((&*block).into())
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
    failed: impl Fn(io::Error) -> VaultError + Copy,
) -> Result<(), VaultError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut key[..]).map_err(|_| VaultError::Random)?;
    let hex = Zeroizing::new(encode_hex(&key[..]));
    // A name of its own: two processes that start at once never share a half-written file.
    let mut tag = [0; 4];
    getrandom::fill(&mut tag).map_err(|_| VaultError::Random)?;
    let partial = path.with_added_extension(format!("{}.{PARTIAL}", encode_hex(&tag)));
    let placed = write_private(&partial, hex.as_bytes()).and_then(|()| place(&partial, path));
    // The first failure is the one to tell.
    let removed = fs::remove_file(&partial);
    placed.and(removed).map_err(failed)
}

/// Removes unfinished key files that a crash left in `dir`: what they hold is no key of anything.
/// The caller knows that no other process is starting there.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_leftovers(dir: &Path) -> Result<(), VaultError> {
    let failed = |path: &Path, source| VaultError::File {
        path: path.display().to_string(),
        source,
    };
    let entries = fs::read_dir(dir).map_err(|source| failed(dir, source))?;
    let names = entries.flatten().map(|entry| entry.path());
    for path in names.filter(|path| is_leftover(path)) {
        fs::remove_file(&path).map_err(|source| failed(&path, source))?;
        tracing::info!(path = %path.display(), "an unfinished key file was removed");
    }
    Ok(())
}

/// `master.key.`, eight hex digits, `.partial`.
fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let tag = name.and_then(|name| {
        let rest = name.strip_prefix(MASTER_KEY_FILE)?.strip_prefix('.')?;
        rest.strip_suffix(PARTIAL)?.strip_suffix('.')
    });
    tag.is_some_and(|tag| tag.len() == 8 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Writes a new file that only its owner may read, down to the disk.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives the finished file `partial` the name `path` too, for good. A link, unlike a rename, never
/// overwrites: a key that another process placed first stays, and is the one to use.
fn place(partial: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(partial, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // A store sealed under a key that a power cut takes away would be lost for good.
    match path.parent() {
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, failed: impl Fn(io::Error) -> VaultError) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(VaultError::Exposed(path.display().to_string()))
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: impl Fn(io::Error) -> VaultError) -> Result<(), VaultError> {
    Ok(())
}

/// `bytes` as lower-case hex.
#[must_use]
pub fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads bytes written in hex.
#[must_use]
pub fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

fn decode_key(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let key = decode_hex(text).map(Zeroizing::new)?;
    (key.len() == KEY_BYTES).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::from_hex("0f".repeat(32).as_bytes()).unwrap()
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
        let other = Vault::from_hex("0e".repeat(32).as_bytes()).unwrap();
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
    fn each_purpose_has_a_key_that_stays_the_same() {
        let key = |vault: &Vault, purpose| vault.derive(purpose);
        assert_eq!(key(&vault(), "a"), key(&vault(), "a"));
        assert_ne!(key(&vault(), "a"), key(&vault(), "b"));
        let other = Vault::from_hex("0e".repeat(32).as_bytes()).unwrap();
        assert_ne!(key(&vault(), "a"), key(&other, "a"));
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

    #[test]
    fn making_the_key_leaves_nothing_else_behind() {
        let dir = tempfile::tempdir().unwrap();
        Vault::open(dir.path()).unwrap();
        let entries = fs::read_dir(dir.path()).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [MASTER_KEY_FILE]);
    }

    #[test]
    fn what_a_crash_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        Vault::open(dir.path()).unwrap();
        let kept = [
            "master.key.old",
            "master.key.partial",
            "master.key.backup0.partial.x",
        ];
        for name in kept.into_iter().chain(["master.key.0123abcd.partial"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        remove_leftovers(dir.path()).unwrap();
        let entries = fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names[0], MASTER_KEY_FILE);
        assert_eq!(names.len(), 1 + kept.len());
        assert!(kept.into_iter().all(|name| dir.path().join(name).exists()));
    }

    #[test]
    fn a_key_that_another_process_placed_first_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(MASTER_KEY_FILE);
        write_private(&path, b"theirs").unwrap();
        let failed = |source| VaultError::File {
            path: String::new(),
            source,
        };
        create_key_file(&path, failed).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_file_is_kept_and_says_what_to_do() {
        let cut = "0f".repeat(20);
        for content in [&b""[..], cut.as_bytes(), &[0; 64], &[0xff; 64]] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(MASTER_KEY_FILE);
            write_private(&path, content).unwrap();
            let error = Vault::open(dir.path()).err().unwrap().to_string();
            assert!(error.contains("Put back the copy"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
