//! How commands take keys. A key on the command line can be read by everyone on the machine
//! (`ps`), so a file or stdin does as well. Nothing here prints one.

use super::CommandError;
use crate::admin::demo;
use clap::Args;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};
use wire::opengateway::MerchantKey;
use zeroize::Zeroizing;

/// A merchant's key, for requests that are signed with it.
#[derive(Args)]
pub struct KeyArgs {
    /// The merchant's key; others on this machine can see it here, so better in the environment
    /// or in --key-file
    #[arg(
        long,
        env = "ONETILL_KEY",
        hide_env_values = true,
        value_name = "KEY",
        global = true
    )]
    pub key: Option<String>,
    /// File that holds the merchant's key; - for stdin. Wins over --key
    #[arg(long, value_name = "FILE", global = true)]
    pub key_file: Option<PathBuf>,
}

impl KeyArgs {
    /// The key that was given, if any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn given(&self) -> Result<Option<MerchantKey>, CommandError> {
        match (&self.key_file, &self.key) {
            (Some(path), _) => Ok(Some(MerchantKey::new(read_line(path)?.as_str()))),
            (None, Some(key)) => Ok(Some(MerchantKey::new(key.as_str()))),
            (None, None) => Ok(None),
        }
    }
}

/// The key of a merchant of the demo data, which is public.
#[must_use]
pub fn demo_key(merchant: &str) -> Option<MerchantKey> {
    match merchant {
        demo::MERCHANT => Some(MerchantKey::new(demo::KEY)),
        demo::OTHER_MERCHANT => Some(MerchantKey::new(demo::OTHER_KEY)),
        _ => None,
    }
}

/// The text of a file, or of stdin for `-`, without the line end behind it.
///
/// # Errors
/// When it cannot be read or is empty.
pub fn read_line(path: &Path) -> Result<Zeroizing<String>, CommandError> {
    let mut text = Zeroizing::new(String::new());
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text)?;
    } else {
        let read = fs::read_to_string(path);
        *text = read.map_err(|error| format!("the key file {}: {error}", path.display()))?;
    }
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(format!("the key file {} is empty", path.display()).into());
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// The characters of a generated key: 160 bits.
const KEY_CHARS: usize = 32;

/// A new random key.
///
/// # Errors
/// When the system gives no random bytes.
pub fn generate() -> Result<Zeroizing<String>, CommandError> {
    let mut random = Zeroizing::new([0_u8; KEY_CHARS]);
    getrandom::fill(&mut random[..])?;
    // 32 divides 256: every character is as likely as every other.
    let chosen = random
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
    Ok(Zeroizing::new(
        chosen.map(|byte| char::from(*byte)).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_are_long_and_different() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!((one.len(), other.len()), (KEY_CHARS, KEY_CHARS));
        assert_ne!(*one, *other);
    }

    #[test]
    fn a_key_file_ends_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "secret key\r\n").unwrap();
        assert_eq!(*read_line(&path).unwrap(), "secret key");
        fs::write(&path, "\n").unwrap();
        assert!(read_line(&path).unwrap_err().to_string().contains("empty"));
    }
}
