//! `onetill call card` and `onetill call tickets`: cards and tickets.

use super::{
    options::{TillArgs, swipe, track2},
    session::Session,
};
use crate::cli::CommandError;
use clap::Args;
use std::process::ExitCode;

/// Ask for a card's points, vouchers and holder.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call card 9999999999025288
  onetill call card 9999999999025288 --json")]
pub struct CardArgs {
    /// The card's number
    #[arg(value_name = "CARD")]
    card_no: String,
    /// Its track 2, as if it was swiped
    #[arg(long, value_name = "TRACK", value_parser = track2)]
    track2: Option<String>,
    #[command(flatten)]
    pub till: TillArgs,
}

impl CardArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let card = swipe(&self.card_no, self.track2.as_deref());
        let answered = session.ask(|till| till.ask_card(&card)).await?;
        session.show(&answered)
    }
}

/// Ask for a card's tickets.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call tickets 9999999999025288
  onetill call redeem --card 9999999999025288 --ticket 1
      redeem one of them")]
pub struct TicketsArgs {
    /// The card's number
    #[arg(value_name = "CARD")]
    card_no: String,
    /// Its track 2, as if it was swiped
    #[arg(long, value_name = "TRACK", value_parser = track2)]
    track2: Option<String>,
    #[command(flatten)]
    pub till: TillArgs,
}

impl TicketsArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let card = swipe(&self.card_no, self.track2.as_deref());
        let answered = session.ask(|till| till.ask_tickets(&card)).await?;
        session.show(&answered)
    }
}
