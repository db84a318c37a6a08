//! `onetill call redeem`: tickets/consume.

use super::{
    options::{CardOption, PieceArg, TillArgs, piece},
    session::Session,
};
use crate::cli::CommandError;
use clap::Args;
use std::process::ExitCode;
use wire::jpos::{Body, Status};

/// Redeem tickets of a card, all or nothing.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call redeem --card 9999999999025288 --ticket 1
  onetill call redeem --card 9999999999025288 --ticket 1:2 --ticket 2")]
pub struct RedeemArgs {
    #[command(flatten)]
    card: CardOption,
    /// A ticket, and how many pieces; may be given several times
    #[arg(long, value_name = "ID[:PIECES]", value_parser = piece, required = true)]
    ticket: Vec<PieceArg>,
    #[command(flatten)]
    pub till: TillArgs,
}

impl RedeemArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let card = self.card.swipe();
        // The message names each ticket's kind, and settlement counts face values: the gateway
        // tells both.
        let told = session.ask(|till| till.ask_tickets(&card)).await?;
        let Body::Tickets(held) = &told.reply.body else {
            return session.show(&told);
        };
        if told.reply.outcome.status() != Status::Approved {
            return session.show(&told);
        }
        let kind = |id| held.tickets.iter().find(|it| it.id == id).map(|it| it.kind);
        let tickets = self.ticket.iter().map(|it| (it.id, kind(it.id), it.num));
        let tickets: Vec<_> = tickets.collect();
        if let Some((id, _, _)) = tickets.iter().find(|(_, kind, _)| kind.is_none()) {
            return Err(format!(
                "the card holds no ticket {id}; see `onetill call tickets {}`",
                card.card_no
            )
            .into());
        }
        let answered = session
            .transact(|till| till.redeem(&card, &tickets))
            .await?;
        session.show(&answered)
    }
}
