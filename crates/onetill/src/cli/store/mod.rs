//! `onetill store`: a retailer's stores, where terminals stand.

mod add;
mod certificate;
mod list;
mod set;

use super::{CommandError, Place, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Stores: add, set, list.
///
/// Beside a running gateway these go through it, and take effect at once.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill store add 102100099990002 --tenant acme --name 'High street' --network 10.1.0.0/16
      its terminals are admitted from there; add them with `onetill terminal add`
  onetill store set 102100099990002 --network 10.1.0.0/16 --network 203.0.113.7
  onetill store set 102100099990002 --certificate shop.crt
      and whoever shows this client certificate; see `onetill serve --tls-client-ca`
  onetill store list --json")]
pub struct StoreArgs {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Add a store
    Add(add::AddArgs),
    /// Change a store; what is not named stays
    Set(set::SetArgs),
    /// Show all stores
    List,
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: StoreArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    match args.command {
        StoreCommand::Add(args) => add::run(settings, args, shape).await?,
        StoreCommand::Set(args) => set::run(settings, args, shape).await?,
        StoreCommand::List => list::run(settings, shape).await?,
    }
    Ok(ExitCode::SUCCESS)
}
