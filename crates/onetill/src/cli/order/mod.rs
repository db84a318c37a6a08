//! `onetill order`: an operator's view of payments, and his decisions.

mod decide;
mod list;
mod renotify;
mod show;

use super::{CommandError, Place, output::Shape};
use crate::admin::orders::OrderName;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Payments: list, show, approve, reject, renotify.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill order list --undecided
      payments that are open or wait for a decision
  onetill order show 20261122000000000742
  onetill order show TILL1-0042 --merchant 0010000001
      by the merchant's own serial
  onetill order approve 20261122000000000742
      let a requested cancellation happen
  onetill order renotify --dead
      send all notifications again that were given up")]
pub struct OrderArgs {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Subcommand)]
enum OrderCommand {
    /// Show payments, newest first
    List(list::ListArgs),
    /// Show a payment with its refunds and its notification
    Show(NameArgs),
    /// Let a requested cancellation happen: the payment is given back
    Approve(NameArgs),
    /// Leave a payment as it was before its cancellation was requested
    Reject(NameArgs),
    /// Send a payment's or top-up's notification again
    Renotify(renotify::RenotifyArgs),
}

/// How a payment is named.
#[derive(Args, Clone)]
struct NameArgs {
    /// The gateway's serial, 20 digits; or, with --merchant, the merchant's own
    serial: String,
    /// The merchant's code
    #[arg(long, value_name = "CODE")]
    merchant: Option<String>,
}

impl From<NameArgs> for OrderName {
    fn from(args: NameArgs) -> Self {
        Self {
            serial: args.serial,
            merchant: args.merchant,
        }
    }
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: OrderArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    match args.command {
        OrderCommand::List(args) => list::run(settings, args, shape).await?,
        OrderCommand::Show(name) => show::run(settings, name.into(), shape).await?,
        OrderCommand::Approve(name) => decide::run(settings, name.into(), true, shape).await?,
        OrderCommand::Reject(name) => decide::run(settings, name.into(), false, shape).await?,
        OrderCommand::Renotify(args) => return renotify::run(settings, args, shape).await,
    }
    Ok(ExitCode::SUCCESS)
}
