//! `onetill terminal keytool pin-block`.

use super::{Found, key::KeyArgs};
use crate::{
    cli::{CommandError, prompt},
    vault::encode_hex,
};
use clap::Args;
use std::path::PathBuf;
use wire::jpos::{Key, Pin, PinBlock};

/// Make the PIN block of a PIN and a card, as `password` carries it.
///
/// With --check, tells whether a given block holds the PIN, and exits with 0 only if it does.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool pin-block --card 9999999999025320
      asks for PIN and key
  onetill terminal keytool pin-block --card 9999999999025320 --key-file pin.key --check 5E3D…
      why the gateway answers 99 or 55
  onetill terminal keytool pin-block --card 1234567890123456 --clear
      the block before it is encrypted")]
pub struct PinBlockArgs {
    /// The card's number
    #[arg(long, value_name = "NO")]
    card: String,
    #[command(flatten)]
    key: KeyArgs,
    /// File that holds the PIN; - for stdin
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The PIN; others on this machine can see it here
    #[arg(long, value_name = "DIGITS", conflicts_with = "pin_file")]
    pin: Option<String>,
    /// A block to be checked: 16 hexadecimal digits
    #[arg(long, value_name = "BLOCK")]
    check: Option<String>,
    /// Show the block before it is encrypted; no key is needed
    #[arg(long, conflicts_with_all = ["check", "key", "key_file"])]
    clear: bool,
}

impl PinBlockArgs {
    pub fn run(&self) -> Result<Found, CommandError> {
        let text = prompt::secret(self.pin_file.as_deref(), self.pin.as_deref(), "PIN")?;
        let pin = Pin::parse(&text)?;
        if self.clear {
            let clear = encode_hex(&*pin.clear_block(&self.card)?).to_ascii_uppercase();
            return Ok(Found::new(vec![("clear block", clear)]));
        }
        let key = self.key.read("PIN key")?;
        match &self.check {
            None => {
                let block = PinBlock::seal(&key, &pin, &self.card)?;
                Ok(Found::new(vec![("block", block.to_hex())]))
            }
            Some(block) => self.checked(&key, &pin, block),
        }
    }

    fn checked(&self, key: &Key, pin: &Pin, block: &str) -> Result<Found, CommandError> {
        let found = Found::new(Vec::new());
        let opened = PinBlock::parse(block)?.open(key, &self.card);
        Ok(match opened {
            Ok(opened) if opened.digits() == pin.digits() => {
                found.checked(true, "the block holds this PIN")
            }
            Ok(_) => found.checked(false, "the block is sound and holds another PIN (55)"),
            Err(error) => found.checked(false, format!("the block does not open (99): {error}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;

    const KEY: &str = "807A23AD32B36D457AE91FDF927570EA";

    #[test]
    fn clear_blocks_are_the_published_ones() {
        for (card, clear) in [
            ("123456789012345678", "061253DFFEDCBA98"),
            ("1234567890123456", "0612713176FEDCBA"),
        ] {
            let found = find(&["pin-block", "--card", card, "--pin", "123456", "--clear"]);
            assert_eq!(found.unwrap()["clear_block"], clear);
        }
    }

    #[test]
    fn a_block_is_told_from_that_of_another_pin_card_or_key() {
        let card = "9999999999025320";
        let made = find(&["pin-block", "--card", card, "--pin", "123456", "--key", KEY]).unwrap();
        let block = made["block"].as_str().unwrap();
        let check = |card, pin, key| {
            let words = [
                "pin-block",
                "--card",
                card,
                "--pin",
                pin,
                "--key",
                key,
                "--check",
                block,
            ];
            find(&words).unwrap()["matches"].clone()
        };
        assert_eq!(check(card, "123456", KEY), true);
        assert_eq!(check(card, "654321", KEY), false);
        assert_eq!(check("9999999999025288", "123456", KEY), false);
        assert_eq!(check(card, "123456", "5BB5C72CD00B7338"), false);
        let letters = find(&["pin-block", "--card", card, "--pin", "12a4", "--key", KEY]);
        assert!(letters.unwrap_err().contains("digits only"));
    }
}
