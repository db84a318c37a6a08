//! What a terminal sent and was told, as the store's gate takes it.

use super::{
    journal::{Entry, Used},
    reply::Fate,
};
use crate::inbound::jpos::kind;
use domain::{
    loyalty::{
        card::{CardNo, TicketId},
        points::Points,
        terminal,
        trans::{Place, TraceNo, TransNo},
    },
    money::Fen,
};
use store::gate::{Heard, Message, Moves};
use wire::jpos::{self, Amount, BatchNo, Body, Operation, Reply};

/// Where a message of the terminal with this index is recorded.
#[must_use]
pub fn place(index: i64, batch_no: BatchNo, trace_no: jpos::TraceNo) -> Option<Place> {
    let batch = terminal::BatchNo::new(batch_no.get())?;
    Some(Place::new(index, batch, TraceNo::new(trace_no.get())?))
}

/// A message that nothing was heard of yet; `None` for one that no gateway records. `entry` is
/// what it does if it is approved.
#[must_use]
pub fn sent(operation: Operation, entry: Option<&Entry>) -> Option<Message> {
    Some(Message {
        kind: kind(operation)?,
        card: entry.and_then(|it| CardNo::parse(&it.card_no)),
        moves: entry.and_then(moves),
        heard: Heard::Nothing,
    })
}

/// What the answer to a message says of it.
#[must_use]
pub fn heard(reply: &Reply) -> Heard {
    match Fate::of(reply.outcome.status()) {
        Fate::Done => Heard::Approved {
            number: number(&reply.body),
            points: points(&reply.body),
        },
        Fate::Refused => Heard::Refused,
        Fate::Unknown => Heard::Nothing,
    }
}

/// What takes back a message that the terminal does not know says nothing of its amounts.
fn moves(entry: &Entry) -> Option<Moves> {
    let takes_back = matches!(
        entry.operation,
        Operation::Cancel | Operation::Refund | Operation::RefundCancel
    );
    if takes_back && entry.takes_back.is_none() {
        return None;
    }
    let vouchers = entry.vouchers.iter().map(|it| (true, it));
    let tickets = entry.tickets.iter().map(|it| (false, it));
    let mut moves = Moves {
        point_amount: Fen::new(entry.point_amount.get()),
        cash: Fen::new(entry.cash_amount.get()),
        ..Moves::default()
    };
    for (voucher, Used { id, num, .. }) in vouchers.chain(tickets) {
        let ticket = TicketId { voucher, id: *id };
        *moves.pieces.entry(ticket).or_default() += i64::from(*num);
    }
    Some(moves)
}

fn number(body: &Body) -> Option<TransNo> {
    let serial_no = match body {
        Body::Consume(reply) => reply.points.map(|it| it.serial_no),
        Body::Cancel(points) => points.map(|it| it.serial_no),
        Body::Refund(reply) => reply.0.map(|it| it.serial_no),
        Body::TicketConsume(reply) => reply.serial_no,
        Body::CardActive(serial_no) => *serial_no,
        Body::Checkin(_)
        | Body::Cards(_)
        | Body::Tickets(_)
        | Body::Settle(_)
        | Body::SettleDetails(_)
        | Body::Plain => None,
    };
    let number = i64::try_from(serial_no?.get()).ok()?;
    Some(TransNo::from_stored(number))
}

/// Points used and earned, or those that went back.
fn points(body: &Body) -> Option<(Points, Points)> {
    let moved = |used: Amount, earned: Amount| (Points::new(used.get()), Points::new(earned.get()));
    match body {
        Body::Consume(reply) => reply.points.map(|it| moved(it.used, it.present)),
        Body::Cancel(points) => points.map(|it| moved(it.used, it.present)),
        Body::Refund(reply) => reply.0.map(|it| moved(it.points, it.present_points)),
        Body::Checkin(_)
        | Body::Cards(_)
        | Body::Tickets(_)
        | Body::TicketConsume(_)
        | Body::CardActive(_)
        | Body::Settle(_)
        | Body::SettleDetails(_)
        | Body::Plain => None,
    }
}
