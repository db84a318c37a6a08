//! cards and tickets: what a card shows (source: 卡查询, 券查询).

use super::{Done, admit::Admitted, present, refused::Refused};
use crate::app::Gateway;
use domain::{
    loyalty::card::{Card, Holding},
    time::UnixMs,
};
use wire::jpos::{
    Body, Status,
    person::{Gender, Grade, IdType},
    reply::{CardsReply, Holder, TicketLine, TicketsReply, VoucherLine},
    request::CardQuery,
};

pub(super) async fn cards(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &CardQuery,
) -> Result<Done, Refused> {
    let card = look(gateway, admitted, request).await?;
    let now = gateway.now();
    let vouchers = usable(&card, now).filter(|it| it.ticket().voucher);
    let reply = CardsReply {
        balances: Some(present::balances(card.balance(now))),
        vouchers: vouchers.map(voucher).collect(),
        holder: holder(&card),
    };
    Ok(Done {
        at: now,
        body: Body::Cards(reply),
    })
}

pub(super) async fn tickets(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &CardQuery,
) -> Result<Done, Refused> {
    let card = look(gateway, admitted, request).await?;
    let now = gateway.now();
    let of_codes = gateway.tickets_of_codes(&card).await?;
    let tickets = usable(&card, now).chain(&of_codes);
    let reply = TicketsReply {
        serial_no: None,
        balances: Some(present::balances(card.balance(now))),
        tickets: tickets.filter_map(ticket).collect(),
    };
    Ok(Done {
        at: now,
        body: Body::Tickets(reply),
    })
}

async fn look(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &CardQuery,
) -> Result<Card, Refused> {
    let read = present::card(&request.card);
    let read = read.ok_or(Refused::new(Status::UnknownCard))?;
    let known = admitted.card.clone();
    let looked = gateway.look_at_card(&admitted.caller, &read, known);
    Ok(looked.await??)
}

fn usable(card: &Card, now: UnixMs) -> impl Iterator<Item = &Holding> {
    card.tickets.iter().filter(move |it| it.is_usable(now))
}

fn voucher(holding: &Holding) -> VoucherLine {
    VoucherLine {
        id: holding.id,
        amount: present::yuan(holding.face),
        num: pieces(holding),
        name: holding.name.clone(),
    }
}

fn ticket(holding: &Holding) -> Option<TicketLine> {
    Some(TicketLine {
        id: holding.id,
        kind: present::ticket_kind(holding.kind)?,
        amount: present::yuan(holding.face),
        name: holding.name.clone(),
        num: pieces(holding),
    })
}

/// No card holds more than four billion of anything.
fn pieces(holding: &Holding) -> u32 {
    u32::try_from(holding.pieces).unwrap_or(u32::MAX)
}

fn holder(card: &Card) -> Holder {
    let known = &card.holder;
    Holder {
        id_type: IdType::from_code(&known.id_type),
        id_no: known.id_no.clone(),
        name: known.name.clone(),
        gender: Gender::from_code(&known.gender),
        mobile_no: known.mobile.clone(),
        grade: Grade::from_code(&card.grade.to_string()),
        address: known.address.clone(),
        email: known.email.clone(),
    }
}
