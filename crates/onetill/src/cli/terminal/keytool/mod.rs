//! `onetill terminal keytool`: keys, PIN blocks and MACs by hand, as a terminal and the gateway
//! work them out. Needs neither a gateway nor a store.
//!
//! | module | holds |
//! |---|---|
//! | [`key`] | how keys are given |
//! | [`kcv`], [`combine`], [`unwrap`] | keys, and keys under keys |
//! | [`pin_block`], [`mac`] | what is made with them |

mod combine;
mod kcv;
mod key;
mod mac;
mod pin_block;
mod unwrap;

use crate::cli::{
    CommandError,
    output::{self, Shape, Tone},
};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use std::process::ExitCode;

/// Work with keys, PIN blocks and MACs by hand.
///
/// A key that is not given is asked for: without echo on a terminal, else as a line of stdin.
/// Keys are 16 or 32 hexadecimal digits; a file holds one of them.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool kcv
      the check value of a key that is typed in
  onetill terminal keytool combine --out tmk.key
      join a master key's two parts
  onetill terminal keytool unwrap --key-file tmk.key --show 6701EAD6…B651F9E9…
      the working keys of a check-in
  onetill terminal keytool pin-block --key-file pin.key --card 9999999999025320
  onetill terminal keytool mac --key-file mac.key storeNo=102100099990001 traceNo=000001")]
pub struct KeytoolArgs {
    #[command(subcommand)]
    command: KeytoolCommand,
}

#[derive(Subcommand)]
enum KeytoolCommand {
    /// A key's check value
    Kcv(kcv::KcvArgs),
    /// Join the two parts of a terminal's master key
    Combine(combine::CombineArgs),
    /// Open the working keys of a check-in
    Unwrap(unwrap::UnwrapArgs),
    /// Make or check a PIN block (ISO 9564 format 0)
    PinBlock(pin_block::PinBlockArgs),
    /// Make or check the MAC of a request
    Mac(mac::MacArgs),
}

/// What a tool found.
struct Found {
    lines: Vec<(&'static str, String)>,
    /// What was to be checked, and whether it is so.
    verdict: Option<(bool, String)>,
}

pub(super) fn run(args: KeytoolArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let found = match args.command {
        KeytoolCommand::Kcv(args) => args.run(),
        KeytoolCommand::Combine(args) => args.run(),
        KeytoolCommand::Unwrap(args) => args.run(),
        KeytoolCommand::PinBlock(args) => args.run(),
        KeytoolCommand::Mac(args) => args.run(),
    }?;
    match shape {
        Shape::Json => output::print_json(&found.as_json())?,
        Shape::Text => output::print(&found.as_text())?,
    }
    let is_wrong = matches!(found.verdict, Some((false, _)));
    Ok(ExitCode::from(u8::from(is_wrong)))
}

impl Found {
    const fn new(lines: Vec<(&'static str, String)>) -> Self {
        Self {
            lines,
            verdict: None,
        }
    }

    fn checked(mut self, is_right: bool, text: impl Into<String>) -> Self {
        self.verdict = Some((is_right, text.into()));
        self
    }

    fn as_text(&self) -> String {
        let mut parts = Vec::new();
        if !self.lines.is_empty() {
            parts.push(output::fields(&self.lines));
        }
        if let Some((is_right, text)) = &self.verdict {
            let tone = if *is_right { Tone::Good } else { Tone::Bad };
            parts.push(output::paint(text, tone));
        }
        parts.join("\n")
    }

    fn as_json(&self) -> Value {
        let pairs = self.lines.iter();
        let pairs = pairs.map(|(name, value)| (name.replace(' ', "_"), value.as_str().into()));
        let mut members: Map<String, Value> = pairs.collect();
        if let Some((is_right, _)) = self.verdict {
            members.insert("matches".to_owned(), is_right.into());
        }
        members.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        keytool: KeytoolArgs,
    }

    /// What a tool prints, by name, and whether its check was right.
    pub(super) fn find(words: &[&str]) -> Result<Value, String> {
        let words = std::iter::once("keytool").chain(words.iter().copied());
        let parsed = TestCli::try_parse_from(words).map_err(|error| error.to_string())?;
        let found = match parsed.keytool.command {
            KeytoolCommand::Kcv(args) => args.run(),
            KeytoolCommand::Combine(args) => args.run(),
            KeytoolCommand::Unwrap(args) => args.run(),
            KeytoolCommand::PinBlock(args) => args.run(),
            KeytoolCommand::Mac(args) => args.run(),
        };
        Ok(found.map_err(|error| error.to_string())?.as_json())
    }

    #[test]
    fn findings_are_lines_and_a_verdict() {
        let found = Found::new(vec![("check value", "00".into())]).checked(false, "no");
        assert_eq!(found.as_text(), "check value  00\nno");
        assert_eq!(
            found.as_json().to_string(),
            r#"{"check_value":"00","matches":false}"#
        );
    }
}
