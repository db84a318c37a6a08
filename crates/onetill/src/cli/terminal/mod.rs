//! `onetill terminal`: the terminals of dialect 2 and their keys.

pub(in crate::cli) mod add;
mod inject_key;
mod keytool;
mod list;
mod set;
mod sms;
mod work;

use super::{
    CommandError, Place, Settings,
    admin_client::admin_request,
    output::{self, Shape},
};
use crate::admin::{Request, loyalty, loyalty::terminals::TerminalChange};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Terminals and their keys.
///
/// Beside a running gateway these go through it, and take effect at once.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal add 102100099990002/00000001 --make-key
      a new terminal; its master key is made up and printed this once
  onetill terminal inject-key 102100099990002/00000001 --check 5A2B91
      a master key of two parts, which two people type in
  onetill terminal block 102100099990002/00000001
  onetill terminal list
  onetill terminal work
      what waits for an operator, and `work done` takes it off the list
  onetill terminal sms
      the verification codes that the sandbox sent
  onetill terminal keytool mac --key-file mac.key --body-file request.txt
      why the gateway answers A0")]
pub struct TerminalArgs {
    #[command(subcommand)]
    command: TerminalCommand,
}

#[derive(Subcommand)]
enum TerminalCommand {
    /// Add a terminal, or several
    Add(Placed<add::AddArgs>),
    /// Show terminals, of one store or of all, without keys
    List(Placed<list::ListArgs>),
    /// Show one terminal
    Show(Placed<NameArgs>),
    /// Change how a terminal is spoken to; what is not named stays
    Set(Placed<set::SetArgs>),
    /// Let a terminal do nothing until it is unblocked
    Block(Placed<NameArgs>),
    /// Let a blocked terminal go on
    Unblock(Placed<NameArgs>),
    /// Give a terminal its master key
    InjectKey(Placed<inject_key::InjectKeyArgs>),
    /// Show the text messages that the sandbox sent last
    Sms(Place),
    /// Show what waits for an operator: batches that did not balance, late reversals
    Work(Placed<work::WorkArgs>),
    /// Work with keys, PIN blocks and MACs by hand; needs no gateway
    Keytool(keytool::KeytoolArgs),
}

/// A command's own options, and where the data is.
#[derive(Args)]
struct Placed<A: Args> {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    args: A,
}

/// Which terminal.
#[derive(Args, Clone)]
pub struct NameArgs {
    /// Its store's number and its own, such as 102100099990002/00000001
    #[arg(value_name = "STORE/TERMINAL", value_parser = name)]
    name: Name,
}

/// A terminal's store and number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    store_no: String,
    number: String,
}

fn name(text: &str) -> Result<Name, String> {
    match text.split_once('/') {
        Some((store_no, number)) if !store_no.is_empty() && !number.is_empty() => Ok(Name {
            store_no: store_no.to_owned(),
            number: number.to_owned(),
        }),
        Some(_) | None => Err("write the store's number, a slash, and the terminal's".to_owned()),
    }
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: TerminalArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    match args.command {
        TerminalCommand::Keytool(args) => return keytool::run(args, shape),
        TerminalCommand::Add(it) => add::run(it.place.settings, it.args, shape).await?,
        TerminalCommand::List(it) => list::run(it.place.settings, it.args, shape).await?,
        TerminalCommand::Show(it) => list::show(it.place.settings, &it.args, shape).await?,
        TerminalCommand::Set(it) => set::run(it.place.settings, it.args, shape).await?,
        TerminalCommand::Block(it) => block(it.place.settings, it.args, true, shape).await?,
        TerminalCommand::Unblock(it) => block(it.place.settings, it.args, false, shape).await?,
        TerminalCommand::InjectKey(it) => {
            inject_key::run(it.place.settings, it.args, shape).await?;
        }
        TerminalCommand::Sms(place) => sms::run(place.settings, shape).await?,
        TerminalCommand::Work(it) => work::run(it.place.settings, it.args, shape).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn block(
    settings: Settings,
    name: NameArgs,
    blocked: bool,
    shape: Shape,
) -> Result<(), CommandError> {
    let Name { store_no, number } = name.name;
    let text = format!(
        "terminal {number} is {}",
        if blocked { "blocked" } else { "unblocked" }
    );
    let change = TerminalChange {
        store: store_no,
        number,
        blocked: Some(blocked),
        profile: None,
    };
    let request = Request::Loyalty(loyalty::Request::SetTerminal(change));
    let changed = admin_request(settings, request).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_named_behind_their_store() {
        let expected = Name {
            store_no: "88001".to_owned(),
            number: "7".to_owned(),
        };
        assert_eq!(name("88001/7"), Ok(expected));
        for wrong in ["7", "/7", "88001/"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
