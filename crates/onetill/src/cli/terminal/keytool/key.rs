//! How keys are given to the tools.

use crate::cli::{CommandError, prompt};
use clap::Args;
use std::path::PathBuf;
use wire::jpos::{Key, key::SingleKey};

/// A key, from a file, the command line, or whoever is asked.
#[derive(Args)]
pub struct KeyArgs {
    /// File that holds the key in hexadecimal digits; - for stdin
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The key; others on this machine can see it here
    #[arg(long, value_name = "HEX", conflicts_with = "key_file")]
    key: Option<String>,
}

impl KeyArgs {
    /// The key; `what` says which one is asked for.
    pub fn read(&self, what: &str) -> Result<Key, CommandError> {
        let text = prompt::secret(self.key_file.as_deref(), self.key.as_deref(), what)?;
        parse(&text, what)
    }

    /// A key of single length, as MAC keys are.
    pub fn read_single(&self, what: &str) -> Result<SingleKey, CommandError> {
        match self.read(what)? {
            Key::Single(key) => Ok(key),
            Key::Double(_) => Err(format!("{what}: a MAC key is 16 hexadecimal digits").into()),
        }
    }
}

/// Reads a key; blanks between its digits do no harm.
pub(super) fn parse(text: &str, what: &str) -> Result<Key, CommandError> {
    let digits: zeroize::Zeroizing<String> =
        zeroize::Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
    Key::parse_hex(&digits).map_err(|error| format!("{what}: {error}").into())
}
