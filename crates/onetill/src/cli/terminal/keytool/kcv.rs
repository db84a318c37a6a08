//! `onetill terminal keytool kcv`.

use super::{Found, key::KeyArgs};
use crate::cli::CommandError;
use clap::Args;
use wire::jpos::Key;

/// A key's check value: the first four bytes of eight zero bytes, encrypted.
///
/// With --expect, exits with 0 only if it is the right one.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool kcv
  onetill terminal keytool kcv --key-file tmk.key --expect D7E1A9")]
pub struct KcvArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// The check value it should have: 6 or 8 digits
    #[arg(long, value_name = "KCV")]
    expect: Option<String>,
}

impl KcvArgs {
    pub fn run(&self) -> Result<Found, CommandError> {
        let key = self.key.read("key")?;
        Ok(compared(
            Found::new(described(&key)),
            &key,
            self.expect.as_deref(),
        ))
    }
}

/// What may be said of a key.
pub(super) fn described(key: &Key) -> Vec<(&'static str, String)> {
    vec![
        ("check value", key.check_value().to_string()),
        ("bytes", key.bytes().len().to_string()),
    ]
}

/// `found` with the verdict on an expected check value.
pub(super) fn compared(found: Found, key: &Key, expected: Option<&str>) -> Found {
    match expected {
        None => found,
        Some(text) if key.check_value().is_named_by(text) => {
            found.checked(true, "the check value is the expected one")
        }
        Some(text) => found.checked(
            false,
            format!("this is not the key with check value {text}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;

    const TMK: &str = "CA5D92598DCA48CE8A4C76361A9269E9";

    #[test]
    fn check_values_are_those_of_the_published_keys() {
        // As they stand beside these keys in the published working key.
        for (key, kcv) in [
            ("807A23AD32B36D457AE91FDF927570EA", "8D0A74B8"),
            ("5BB5C72CD00B7338", "AB7153CA"),
        ] {
            let found = find(&["kcv", "--key", key]).unwrap();
            assert_eq!(found["check_value"], kcv, "{found}");
            let found = find(&["kcv", "--key", key, "--expect", &kcv[..6].to_lowercase()]);
            assert_eq!(found.unwrap()["matches"], true);
        }
        let other = find(&["kcv", "--key", TMK, "--expect", "AB7153CA"]).unwrap();
        assert_eq!(
            (&other["matches"], &other["bytes"]),
            (&false.into(), &"16".into())
        );
    }

    #[test]
    fn what_is_no_key_is_said() {
        let error = find(&["kcv", "--key", "CA5D"]).unwrap_err();
        assert_eq!(error, "key: a key is 16 or 32 hexadecimal digits");
    }
}
