//! Domain values in the dialect's words, and the dialect's in the domain's.

use super::{admit::Manner, refused::Refused};
use crate::app::loyalty::{
    Heading,
    keys::layout,
    look::{ReadCard, Stripe},
};
use domain::{
    command::loyalty::Wanted,
    ids::ClaimKey,
    loyalty::{
        card::{Balance, CardNo, TicketKind},
        points::Points,
        terminal::{self, Profile},
        totals::Totals,
        trans::{self, Trans, TransKind},
    },
    money::Fen,
};
use wire::jpos::{
    Amount, BatchNo, Operation, SerialNo, Status, TimeUnit, TraceNo, person,
    reply::{Balances, Points as PointsMoved},
    request::{self, Piece},
};

/// How a terminal is spoken to.
pub(super) const fn manner(profile: &Profile) -> Manner {
    Manner {
        unit: match profile.time_unit {
            terminal::TimeUnit::Seconds => TimeUnit::Seconds,
            terminal::TimeUnit::Milliseconds => TimeUnit::Milliseconds,
        },
        layout: layout(profile.key_layout),
    }
}

/// What makes two messages with the same number the same message.
pub(super) fn digest(content: &str) -> u128 {
    let digest = ClaimKey::digest(&[content.as_bytes()]);
    u128::from_be_bytes(digest.0)
}

/// What a message says of itself.
pub(super) fn heading(head: &request::Head, content: u128) -> Result<Heading, Refused> {
    Ok(Heading {
        batch: head.batch_no.map(batch).transpose()?,
        trace: trace(head.trace_no)?,
        content,
    })
}

/// A batch's number; both count to 999999.
pub(super) fn batch(number: BatchNo) -> Result<terminal::BatchNo, Refused> {
    terminal::BatchNo::new(number.get()).ok_or_else(|| Refused::new(Status::Internal))
}

/// A message's number; both count to 999999.
pub(super) fn trace(number: TraceNo) -> Result<trans::TraceNo, Refused> {
    trans::TraceNo::new(number.get()).ok_or_else(|| Refused::new(Status::Internal))
}

/// A card as it was read; `None` when what was read is no card's number.
pub(super) fn card(card: &request::Card) -> Option<ReadCard> {
    let number = CardNo::parse(&card.card_no)?;
    let stripe = card.track2.as_ref().map(|track| Stripe {
        number: track.card_no().to_owned(),
        expiry_yymm: track
            .expiry()
            .map(|it| format!("{:02}{:02}", it.year, it.month)),
    });
    Some(ReadCard { number, stripe })
}

/// An amount of yuan.
pub(super) const fn fen(amount: Amount) -> Fen {
    Fen::new(amount.get())
}

/// An amount of yuan, to be shown.
pub(super) const fn yuan(amount: Fen) -> Amount {
    Amount::new(amount.get())
}

/// Points, to be shown.
pub(super) const fn points(points: Points) -> Amount {
    Amount::new(points.get())
}

/// What vouchers or tickets a message names.
pub(super) fn wanted(pieces: &[Piece]) -> Vec<Wanted> {
    let wanted = pieces.iter().map(|it| Wanted {
        id: it.id,
        pieces: i64::from(it.num),
    });
    wanted.collect()
}

/// The number of a transaction. Every approved one has one.
pub(super) fn serial_no(trans: &Trans) -> Result<SerialNo, Refused> {
    number(trans.number).ok_or_else(|| {
        tracing::error!(serial = %trans.serial, "an approved transaction has no number");
        Refused::new(Status::Internal)
    })
}

/// A transaction's number, to be shown.
pub(super) fn number(number: Option<trans::TransNo>) -> Option<SerialNo> {
    SerialNo::new(u64::try_from(number?.get()).ok()?)
}

/// A card's points.
pub(super) const fn balances(balance: Balance) -> Balances {
    Balances {
        total: points(balance.total),
        available: points(balance.available),
    }
}

/// What a purchase, a cancel or an undone refund moved.
pub(super) fn moved(trans: &Trans) -> Result<PointsMoved, Refused> {
    Ok(PointsMoved {
        serial_no: serial_no(trans)?,
        balances: balances(trans.balance),
        used: points(trans.effect.points_used()),
        present: points(trans.effect.earned),
    })
}

/// A ticket's kind; vouchers have none.
pub(super) const fn ticket_kind(kind: TicketKind) -> Option<person::TicketKind> {
    match kind {
        TicketKind::Voucher => None,
        TicketKind::GroupBuy => Some(person::TicketKind::GroupBuy),
        TicketKind::Exchange => Some(person::TicketKind::Exchange),
        TicketKind::Cash => Some(person::TicketKind::Cash),
    }
}

/// What an operation's message makes.
pub(crate) const fn kind(operation: Operation) -> Option<TransKind> {
    match operation {
        Operation::Consume => Some(TransKind::Consume),
        Operation::Cancel => Some(TransKind::Cancel),
        Operation::Refund => Some(TransKind::Refund),
        Operation::RefundCancel => Some(TransKind::RefundCancel),
        Operation::TicketConsume => Some(TransKind::TicketsConsume),
        Operation::CardActive => Some(TransKind::Activate),
        Operation::Settle => Some(TransKind::Settle),
        Operation::SettleDetails => Some(TransKind::SettleDetails),
        Operation::Checkin
        | Operation::Cards
        | Operation::Tickets
        | Operation::SendVerifyCode
        | Operation::ConsumeReversal
        | Operation::CancelReversal
        | Operation::RefundReversal
        | Operation::RefundCancelReversal
        | Operation::TicketConsumeReversal => None,
    }
}

/// The operation whose message made an event.
pub(super) const fn operation(kind: TransKind) -> Option<Operation> {
    match kind {
        TransKind::Consume => Some(Operation::Consume),
        TransKind::Cancel => Some(Operation::Cancel),
        TransKind::Refund => Some(Operation::Refund),
        TransKind::RefundCancel => Some(Operation::RefundCancel),
        TransKind::TicketsConsume => Some(Operation::TicketConsume),
        TransKind::Activate => Some(Operation::CardActive),
        TransKind::Settle => Some(Operation::Settle),
        TransKind::SettleDetails => Some(Operation::SettleDetails),
        TransKind::Reversal | TransKind::Expiry | TransKind::Opening => None,
    }
}

/// A terminal's totals.
pub(super) fn totals(said: &request::Totals) -> Totals {
    let count = i64::from;
    Totals {
        point_debit_count: count(said.point_debit_count),
        point_debit_amount: fen(said.point_debit_amount),
        point_credit_count: count(said.point_credit_count),
        point_credit_amount: fen(said.point_credit_amount),
        ticket_debit_count: count(said.ticket_debit_count),
        ticket_debit_amount: fen(said.ticket_debit_amount),
        ticket_credit_count: count(said.ticket_credit_count),
        ticket_credit_amount: fen(said.ticket_credit_amount),
        trans_count: count(said.total_trans_count),
        cancel_count: count(said.cancel_count),
        refund_count: count(said.refund_count),
        card_active_count: count(said.card_active_count),
    }
}

/// Totals, to be shown. No count is below zero.
pub(super) fn shown_totals(totals: &Totals) -> request::Totals {
    let count = |count: i64| u32::try_from(count).unwrap_or(0);
    request::Totals {
        point_debit_count: count(totals.point_debit_count),
        point_debit_amount: yuan(totals.point_debit_amount),
        point_credit_count: count(totals.point_credit_count),
        point_credit_amount: yuan(totals.point_credit_amount),
        ticket_debit_count: count(totals.ticket_debit_count),
        ticket_debit_amount: yuan(totals.ticket_debit_amount),
        ticket_credit_count: count(totals.ticket_credit_count),
        ticket_credit_amount: yuan(totals.ticket_credit_amount),
        total_trans_count: count(totals.trans_count),
        cancel_count: count(totals.cancel_count),
        refund_count: count(totals.refund_count),
        card_active_count: count(totals.card_active_count),
    }
}
