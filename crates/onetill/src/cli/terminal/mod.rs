//! `onetill terminal`: the terminals of dialect 2 and their keys.

mod keytool;

use super::{CommandError, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Terminals and their keys.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool combine
      the check value of the master key whose two parts two people hold
  onetill terminal keytool mac --key-file mac.key --body-file request.txt
      why the gateway answers A0")]
pub struct TerminalArgs {
    #[command(subcommand)]
    command: TerminalCommand,
}

#[derive(Subcommand)]
enum TerminalCommand {
    /// Work with keys, PIN blocks and MACs by hand; needs no gateway
    Keytool(keytool::KeytoolArgs),
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: TerminalArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    match args.command {
        TerminalCommand::Keytool(args) => keytool::run(args, shape),
    }
}
