//! Dialect 2 as a terminal speaks it: each call is one message, and what the terminal must
//! remember in between stays in a file.
//!
//! | module | holds |
//! |---|---|
//! | [`checkin`], [`card`], [`consume`], [`redeem`], [`take_back`], [`activate`], [`settle`] | one or two operations each |
//! | [`last`] | the last message again, or undone |
//! | [`journal`] | what the terminal remembers, without asking anybody |
//! | [`session`] | the terminal taken out of its file, and put back before and after each message |
//! | [`memory`] | the file |
//! | [`options`] | how terminals, cards, amounts and pieces are named |
//! | [`reply`] | an answer, for people and as JSON |

mod activate;
mod card;
mod checkin;
mod consume;
mod journal;
mod last;
mod memory;
mod options;
mod redeem;
mod reply;
mod session;
mod settle;
mod take_back;
#[cfg(test)]
mod tests;

use super::ReachArgs;
use crate::cli::{CommandError, output::Shape};
use clap::Subcommand;
use options::TillArgs;
use session::Session;
use std::process::ExitCode;

/// What a terminal asks in dialect 2.
#[derive(Subcommand)]
pub enum TillCommand {
    /// As a terminal: open the batch and get working keys (terminal/checkin)
    Checkin(checkin::CheckinArgs),
    /// As a terminal: a card's points, vouchers and holder (cards)
    Card(card::CardArgs),
    /// As a terminal: a card's tickets (tickets)
    Tickets(card::TicketsArgs),
    /// As a terminal: sell for cash, points and vouchers (trans/consume)
    Consume(consume::ConsumeArgs),
    /// As a terminal: redeem tickets (tickets/consume)
    Redeem(redeem::RedeemArgs),
    /// As a terminal: take back a sale of this batch (trans/cancel)
    Void(take_back::VoidArgs),
    /// As a terminal: take back a sale of any batch (refunds)
    Return(take_back::ReturnArgs),
    /// As a terminal: take back a return of this batch (refunds/cancel)
    ReturnVoid(take_back::ReturnVoidArgs),
    /// As a terminal: undo the last message, as after a lost answer (…Reversal)
    Reverse(last::LastArgs),
    /// As a terminal: send the last message once more; its first answer comes again
    Repeat(last::LastArgs),
    /// As a terminal: send a verification code to a mobile phone (mobile/sendVerifyCode)
    Code(activate::CodeArgs),
    /// As a terminal: give a stocked card to a member (card/active)
    Activate(activate::ActivateArgs),
    /// As a terminal: compare the batch's totals and close it (trans/settle)
    Settle(settle::SettleArgs),
    /// What the terminal remembers of its batch; asks nobody
    Journal(journal::JournalArgs),
}

/// Sends one message and prints its answer.
pub(super) async fn run(
    command: TillCommand,
    reach: &ReachArgs,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let open = |till: &TillArgs| Session::open(reach, till, shape);
    match command {
        TillCommand::Checkin(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Card(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Tickets(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Consume(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Redeem(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Void(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Return(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::ReturnVoid(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Reverse(args) => last::reverse(open(&args.till)?).await,
        TillCommand::Repeat(args) => last::repeat(open(&args.till)?).await,
        TillCommand::Code(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Activate(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Settle(args) => {
            let session = open(&args.till)?;
            args.run(session).await
        }
        TillCommand::Journal(args) => journal::run(&open(&args.till)?, shape),
    }
}
