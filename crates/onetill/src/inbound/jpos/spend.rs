//! trans/consume and tickets/consume (source: 消费, 券消费).

use super::{Done, admit::Admitted, decline, present, refused::Refused};
use crate::app::{Gateway, loyalty::spend::Purchase};
use domain::loyalty::trans::TransKind;
use wire::jpos::{
    Body,
    reply::{ConsumeReply, TicketConsumeReply},
    request::{Consume, TicketConsume},
};

pub(super) async fn consume(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &Consume,
    content: u128,
) -> Result<Done, Refused> {
    let heading = present::heading(&request.head, content)?;
    let kind = TransKind::Consume;
    let purchase = Purchase {
        card: decline::card(gateway, admitted, &heading, kind, &request.card).await?,
        pin: admitted.pin.clone(),
        point_amount: present::fen(request.point_amount),
        cash: present::fen(request.cash_amount),
        vouchers: present::wanted(&request.vouchers),
        register_trace: request.register_trace_no.clone(),
        entry_mode: request.consume_type.clone(),
    };
    let trans = gateway
        .purchase(&admitted.caller, &heading, purchase)
        .await??;
    let reply = ConsumeReply {
        points: Some(present::moved(&trans)?),
        advertisement: trans.advertisement.clone(),
    };
    Ok(Done {
        at: trans.at,
        body: Body::Consume(reply),
    })
}

pub(super) async fn tickets(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &TicketConsume,
    content: u128,
) -> Result<Done, Refused> {
    let heading = present::heading(&request.head, content)?;
    let kind = TransKind::TicketsConsume;
    let card = decline::card(gateway, admitted, &heading, kind, &request.card).await?;
    let tickets = present::wanted(&request.tickets);
    let trans = gateway
        .use_tickets(&admitted.caller, &heading, &card, &tickets)
        .await??;
    let reply = TicketConsumeReply {
        serial_no: Some(present::serial_no(&trans)?),
        advertisement: trans.advertisement.clone(),
    };
    Ok(Done {
        at: trans.at,
        body: Body::TicketConsume(reply),
    })
}
