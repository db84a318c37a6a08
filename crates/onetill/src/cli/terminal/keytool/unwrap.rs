//! `onetill terminal keytool unwrap`.

use super::{Found, key::KeyArgs};
use crate::{cli::CommandError, vault::encode_hex};
use clap::Args;
use wire::jpos::{Layout, WorkingKeys};

/// Open the working keys of a check-in with the terminal's master key.
///
/// Only check values are shown, unless --show asks for the keys.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool unwrap --key-file tmk.key 6701EAD6A9AD51E51AA406E2C27FCFA9…
  onetill terminal keytool unwrap --key-file tmk.key --show 6701EAD6… --json")]
pub struct UnwrapArgs {
    /// `workingKey` of the check-in's reply: 48 or 80 hexadecimal digits
    working_key: String,
    #[command(flatten)]
    key: KeyArgs,
    /// Show the keys themselves
    #[arg(long)]
    show: bool,
}

impl UnwrapArgs {
    pub fn run(&self) -> Result<Found, CommandError> {
        let master = self.key.read("master key")?;
        let keys = WorkingKeys::unwrap(&master, self.working_key.trim())?;
        let mut lines = vec![
            ("layout", layout(keys.layout()).to_owned()),
            ("pin key check value", keys.pin.check_value().to_string()),
            ("mac key check value", keys.mac.check_value().to_string()),
        ];
        if self.show {
            let hex = |bytes: &[u8]| encode_hex(bytes).to_ascii_uppercase();
            lines.push(("pin key", hex(keys.pin.bytes())));
            lines.push(("mac key", hex(keys.mac.bytes())));
        }
        Ok(Found::new(lines))
    }
}

const fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Short => "24 bytes",
        Layout::Long => "40 bytes",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;

    const TMK: &str = "CA5D92598DCA48CE8A4C76361A9269E9";
    const WORKING_KEY: &str = "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8\
                               B651F9E9BACE9AE10000000000000000AB7153CA";

    #[test]
    fn the_published_working_key_opens() {
        let found = find(&["unwrap", "--key", TMK, WORKING_KEY, "--show"]).unwrap();
        assert_eq!(found["layout"], "40 bytes");
        assert_eq!(found["pin_key"], "807A23AD32B36D457AE91FDF927570EA");
        assert_eq!(found["mac_key"], "5BB5C72CD00B7338");
        let hidden = find(&["unwrap", "--key", TMK, WORKING_KEY]).unwrap();
        assert_eq!(hidden["mac_key_check_value"], "AB7153CA");
        assert!(hidden.get("pin_key").is_none(), "{hidden}");
    }

    #[test]
    fn another_master_key_is_told_by_the_check_value() {
        let other = TMK.replace('C', "D");
        let error = find(&["unwrap", "--key", &other, WORKING_KEY]).unwrap_err();
        assert!(error.contains("is the master key the right one"), "{error}");
        assert!(
            find(&["unwrap", "--key", TMK, "00"])
                .unwrap_err()
                .contains("48 or 80")
        );
    }
}
