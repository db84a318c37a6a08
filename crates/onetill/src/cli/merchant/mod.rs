//! `onetill merchant`: adding, changing, listing, importing.

mod add;
mod import;
mod list;
mod set;
mod settings;

use super::{CommandError, Place, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Merchants: add, set, list, import.
///
/// Beside a running gateway these go through it, and take effect at once.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill merchant add 0020000007 --tenant acme --name 'Acme, high street'
      a new merchant; its key is made up and printed this once
  onetill merchant set 0020000007 --channels 1,2 --english
  onetill merchant import merchants.csv --tenant acme
  onetill merchant list --json")]
pub struct MerchantArgs {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: MerchantCommand,
}

#[derive(Subcommand)]
enum MerchantCommand {
    /// Add a merchant
    Add(add::AddArgs),
    /// Change a merchant; what is not named stays
    Set(set::SetArgs),
    /// Show all merchants, without their keys
    List,
    /// Add the merchants of a CSV file
    Import(import::ImportArgs),
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: MerchantArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    match args.command {
        MerchantCommand::Add(args) => add::run(settings, args, shape).await?,
        MerchantCommand::Set(args) => set::run(settings, args, shape).await?,
        MerchantCommand::List => list::run(settings, shape).await?,
        MerchantCommand::Import(args) => import::run(settings, args, shape).await?,
    }
    Ok(ExitCode::SUCCESS)
}
