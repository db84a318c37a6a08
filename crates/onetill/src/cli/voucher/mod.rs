//! `onetill voucher`: prepaid vouchers from the printer's reel to the till.
//!
//! | module | holds |
//! |---|---|
//! | [`issue`], [`import`] | new boxes: made here, or from elsewhere |
//! | [`export`], [`custody`] | the codes of a box once more; who had a box in hand |
//! | [`list`], [`show`] | stock by level and state; one code |
//! | [`change`] | freezing, and an activation tried out |
//! | [`ticket`], [`activity`] | what codes are good for and sold under |
//! | [`printed`] | the file with codes |
//! | [`stocking`] | the steps of new boxes, with their progress |

mod activity;
mod change;
mod custody;
mod export;
mod import;
mod issue;
mod list;
mod printed;
mod show;
mod stocking;
mod ticket;

use super::{CommandError, Place, operator::OperatorArgs, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Prepaid vouchers: issue, import, export, list, show, freeze, receive, custody, ticket, activity.
///
/// A box (X…) holds packages (B…), a package reels (R…), a reel codes. Beside a running gateway
/// these go through it, and payments are not held up.
#[derive(Args)]
#[command(after_help = "Examples, with the demo's partner:
  onetill voucher issue --partner 1504 --activity 500706 --ticket 500812 \\
      --boxes 1 --packages 1 --reels 2 --codes 5 --out codes.csv
      codes.csv is for the printer: whoever reads it can use the codes
  onetill voucher list
  onetill voucher show X22169-3141157-33475
  onetill voucher show --code -
      one code, typed in or from stdin, and what happened to it
  onetill voucher freeze R112102F-0000242-2585 --reason 'lost in the mail'
  onetill voucher activate --dry-run X22169-3141157-33475
      what would be in the way")]
pub struct VoucherArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    operator: OperatorArgs,
    /// The retailer, where names alone do not tell
    #[arg(long, env = "ONETILL_TENANT", value_name = "NAME", global = true)]
    tenant: Option<String>,
    #[command(subcommand)]
    command: VoucherCommand,
}

#[derive(Subcommand)]
enum VoucherCommand {
    /// Make boxes of codes and write them to a file for the printer
    Issue(issue::IssueArgs),
    /// Take over codes from elsewhere
    Import(import::ImportArgs),
    /// Write the codes of a box to a file
    Export(export::ExportArgs),
    /// Show boxes with their stock
    List(list::ListArgs),
    /// Show a box, a package, a reel or a code
    Show(show::ShowArgs),
    /// Let nothing be done with codes for the time being
    Freeze(change::FreezeArgs),
    /// Let frozen codes be used again
    Unfreeze(change::FreezeArgs),
    /// Say what would be in the way of an activation
    Activate(change::ActivateArgs),
    /// Note who has a box in hand
    Receive(custody::ReceiveArgs),
    /// Show who had a box in hand
    Custody(custody::CustodyArgs),
    /// Remove a box that was never finished
    Discard(custody::DiscardArgs),
    /// Ticket types: what a code is good for
    #[command(subcommand)]
    Ticket(ticket::TicketCommand),
    /// Activities: what codes are sold under
    #[command(subcommand)]
    Activity(activity::ActivityCommand),
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: VoucherArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    let whose = Whose {
        tenant: args.tenant,
        by: args.operator.name(),
    };
    match args.command {
        VoucherCommand::Issue(args) => issue::run(settings, whose, args, shape).await?,
        VoucherCommand::Import(args) => import::run(settings, whose, args, shape).await?,
        VoucherCommand::Export(args) => export::run(settings, whose, args, shape).await?,
        VoucherCommand::List(args) => list::run(settings, whose, args, shape).await?,
        VoucherCommand::Show(args) => show::run(settings, whose, args, shape).await?,
        VoucherCommand::Freeze(args) => change::freeze(settings, whose, args, shape).await?,
        VoucherCommand::Unfreeze(args) => change::unfreeze(settings, whose, args, shape).await?,
        VoucherCommand::Activate(args) => {
            return change::activate(settings, whose, args, shape).await;
        }
        VoucherCommand::Receive(args) => custody::receive(settings, whose, args, shape).await?,
        VoucherCommand::Custody(args) => custody::show(settings, whose, args, shape).await?,
        VoucherCommand::Discard(args) => custody::discard(settings, whose, args, shape).await?,
        VoucherCommand::Ticket(args) => ticket::run(settings, whose, args, shape).await?,
        VoucherCommand::Activity(args) => activity::run(settings, whose, args, shape).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose stock, and who gives the order.
struct Whose {
    tenant: Option<String>,
    by: String,
}
