//! `onetill member ticket`: voucher codes that a card holds.

use super::{CardArgs, show};
use crate::{
    admin::{
        Request,
        loyalty::{
            self,
            cards::CardName,
            held_codes::{CodeOfCard, NewHeldCode},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
        prompt,
    },
};
use clap::{Args, Subcommand, ValueEnum};
use domain::loyalty::card::TicketKind;

/// Voucher codes that a card holds.
///
/// The uses that a code has left are tickets of the card: `tickets` shows them under the number of
/// the code's ticket type, `tickets/consume` spends them. Whoever has the code's text may still use
/// it at another till: each use goes to who comes first.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member ticket add 9999999999025288 --code - --tenant demo
      asks for the code; it must be active
  onetill member ticket add 9999999999025288 --code - --kind group-buy --tenant demo
  onetill member show 9999999999025288 --tenant demo
      shows what the card's codes have left
  onetill member ticket remove 9999999999025288 --code - --tenant demo
      the card holds it no more; what was used stays used")]
pub struct TicketArgs {
    #[command(subcommand)]
    command: TicketCommand,
}

#[derive(Subcommand)]
enum TicketCommand {
    /// A card holds a code from now on
    Add(AddArgs),
    /// A card holds a code no more
    Remove(CodeArgs),
}

#[derive(Args)]
struct AddArgs {
    #[command(flatten)]
    code: CodeArgs,
    /// What the terminal is told it is [default: cash where the code pays, else exchange]
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
}

#[derive(Args)]
struct CodeArgs {
    #[command(flatten)]
    card: CardArgs,
    /// The code; - asks for it, or reads it from stdin. Others on this machine can see it here
    #[arg(long)]
    code: String,
}

/// Kinds of tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindArg {
    /// 01
    GroupBuy,
    /// 02
    Exchange,
    /// 03
    Cash,
}

impl KindArg {
    const fn kind(self) -> TicketKind {
        match self {
            Self::GroupBuy => TicketKind::GroupBuy,
            Self::Exchange => TicketKind::Exchange,
            Self::Cash => TicketKind::Cash,
        }
    }
}

impl CodeArgs {
    fn read(self, tenant: String) -> Result<CodeOfCard, CommandError> {
        let number = self.card.number;
        Ok(CodeOfCard {
            card: CardName { tenant, number },
            code: prompt::code(&self.code)?.to_string(),
        })
    }
}

pub(super) async fn run(
    settings: Settings,
    tenant: String,
    args: TicketArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let request = match args.command {
        TicketCommand::Add(args) => loyalty::Request::HoldCode(NewHeldCode {
            what: args.code.read(tenant)?,
            kind: args.kind.map(KindArg::kind),
        }),
        TicketCommand::Remove(code) => loyalty::Request::LetGoOfCode(code.read(tenant)?),
    };
    let card = admin_request(settings, Request::Loyalty(request)).await?;
    match shape {
        Shape::Json => output::print_json(&card),
        Shape::Text => {
            let codes = show::codes(&card);
            output::print(&codes.unwrap_or_else(|| "the card holds no codes".to_owned()))
        }
    }
}
