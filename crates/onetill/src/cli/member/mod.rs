//! `onetill member`: member cards.
//!
//! | module | holds |
//! |---|---|
//! | [`add`], [`import`] | one card; a file of them |
//! | [`show`], [`list`] | one card; all of them, as a table or a file |
//! | [`set`] | status, grade and PIN |
//! | [`ticket`] | voucher codes that a card holds |
//! | [`fields`], [`lists`] | what a card has, as options and as columns |

mod add;
mod fields;
pub(in crate::cli) mod import;
mod list;
mod lists;
mod set;
mod show;
mod ticket;

use super::{CommandError, Place, output::Shape};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Member cards: add, show, list, import, export, ticket, set-status, set-grade, set-pin, reset-pin.
///
/// Beside a running gateway these go through it, and take effect at once.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member add 9999999999025288 --tenant demo --name 张三 --mobile 13800000000
  onetill member show 9999999999025288 --tenant demo
  onetill member import members.csv --tenant demo
      as many as you like; cards that exist stay as they are
  onetill member export --tenant demo > members.csv
  onetill member ticket add 9999999999025288 --code - --tenant demo
      a voucher code becomes tickets of the card
  onetill member set-status 9999999999025288 lost --tenant demo
  onetill member reset-pin 9999999999025320 --tenant demo
      after three wrong tries

ONETILL_TENANT=demo saves the --tenant.")]
pub struct MemberArgs {
    #[command(flatten)]
    place: Place,
    /// The retailer whose cards they are
    #[arg(long, env = "ONETILL_TENANT", value_name = "NAME", global = true)]
    tenant: Option<String>,
    #[command(subcommand)]
    command: MemberCommand,
}

#[derive(Subcommand)]
enum MemberCommand {
    /// Add a card
    Add(Box<add::AddArgs>),
    /// Show a card with its points and tickets
    Show(CardArgs),
    /// Show cards, by number
    List(list::ListArgs),
    /// Add the cards of a CSV file
    Import(import::ImportArgs),
    /// Write all cards as CSV, which import reads
    Export(list::ExportArgs),
    /// Give a card a voucher code, whose uses are tickets of it, or take it away
    Ticket(ticket::TicketArgs),
    /// Change where a card stands: stocked, active, lost, blocked, restricted
    SetStatus(set::StatusArgs),
    /// Change a member's grade
    SetGrade(set::GradeArgs),
    /// Give a card a PIN, or take it away
    SetPin(set::PinArgs),
    /// Let a locked PIN be tried again
    ResetPin(CardArgs),
}

/// Which card.
#[derive(Args)]
pub struct CardArgs {
    /// The card's number
    #[arg(value_name = "CARD")]
    number: String,
}

/// Carries out the command.
///
/// # Errors
/// When it was refused or nothing could be reached; the text says what to do.
pub async fn run(args: MemberArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let settings = args.place.settings;
    let tenant = args.tenant;
    let tenant = tenant.ok_or("name the retailer with --tenant, or in ONETILL_TENANT")?;
    match args.command {
        MemberCommand::Add(args) => add::run(settings, tenant, *args, shape).await?,
        MemberCommand::Show(args) => show::run(settings, tenant, args.number, shape).await?,
        MemberCommand::List(args) => list::run(settings, tenant, args, shape).await?,
        MemberCommand::Import(args) => import::run(settings, tenant, args, shape).await?,
        MemberCommand::Export(args) => list::export(settings, tenant, args).await?,
        MemberCommand::Ticket(args) => ticket::run(settings, tenant, args, shape).await?,
        MemberCommand::SetStatus(args) => set::status(settings, tenant, args, shape).await?,
        MemberCommand::SetGrade(args) => set::grade(settings, tenant, args, shape).await?,
        MemberCommand::SetPin(args) => set::pin(settings, tenant, args, shape).await?,
        MemberCommand::ResetPin(args) => {
            set::reset_pin(settings, tenant, args.number, shape).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
