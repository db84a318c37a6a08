//! `onetill call consume`: trans/consume.

use super::{
    options::{CardOption, PieceArg, PinArgs, TillArgs, piece, yuan},
    session::Session,
};
use crate::{cli::CommandError, till::Purchase};
use clap::{ArgGroup, Args};
use std::process::ExitCode;
use wire::jpos::{Amount, Status};

/// Sell for cash, points and vouchers, all or nothing.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call consume --card 9999999999025288 --cash 12.50 --points 1.00
      12.50 yuan of cash, which earn points, and 1 yuan paid in points
  onetill call consume --card 9999999999025288 --voucher 1:2
      two pieces of voucher 1
  onetill call consume --card 9999999999025320 --points 5 --ask-pin
      a card with a PIN; the demo's is 123456
  onetill call void
      take it back")]
#[command(group = ArgGroup::new("payment").required(true).multiple(true))]
pub struct ConsumeArgs {
    #[command(flatten)]
    card: CardOption,
    /// What is paid in cash, in yuan
    #[arg(long, value_name = "YUAN", value_parser = yuan, group = "payment")]
    cash: Option<Amount>,
    /// What is paid in points, in yuan
    #[arg(long, value_name = "YUAN", value_parser = yuan, group = "payment")]
    points: Option<Amount>,
    /// A voucher that is spent, and how many pieces; may be given several times
    #[arg(long, value_name = "ID[:PIECES]", value_parser = piece, group = "payment")]
    voucher: Vec<PieceArg>,
    #[command(flatten)]
    pin: PinArgs,
    /// The till's receipt
    #[arg(long, value_name = "NO")]
    receipt: Option<String>,
    /// consumeType: how the card was read, two or three digits [default: 01 typed or 02 swiped,
    /// then 1 with a PIN or 2 without]
    #[arg(long, value_name = "DIGITS")]
    entry_mode: Option<String>,
    #[command(flatten)]
    pub till: TillArgs,
}

impl ConsumeArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let card = self.card.swipe();
        let sale = Purchase {
            pin: self.pin.read()?,
            point_amount: self.points.unwrap_or_default(),
            cash_amount: self.cash.unwrap_or_default(),
            vouchers: self.voucher.iter().map(|it| (it.id, it.num)).collect(),
            entry_mode: self.entry_mode,
            register_trace_no: self.receipt,
            ..Purchase::new(card.clone())
        };
        let is_known = |&(id, _): &(i64, u32)| session.till.face(true, id).is_some();
        if !sale.vouchers.iter().all(is_known) {
            // Settlement counts face values, which only the gateway knows.
            let told = session.ask(|till| till.ask_card(&card)).await?;
            if told.reply.outcome.status() != Status::Approved {
                return session.show(&told);
            }
        }
        let answered = session.transact(|till| till.sell(&sale)).await?;
        session.show(&answered)
    }
}
