//! trans/consume and tickets/consume (source: 消费, 券消费).

use super::{Done, admit::Admitted, present, refused::Refused};
use crate::app::{Gateway, loyalty::spend::Purchase};
use domain::loyalty::trans::Trans;
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
    let purchase = Purchase {
        card: present::card(&request.card)?,
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
        advertisement: advertisement(gateway, admitted, &trans).await?,
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
    let card = present::card(&request.card)?;
    let tickets = present::wanted(&request.tickets);
    let trans = gateway
        .use_tickets(&admitted.caller, &heading, &card, &tickets)
        .await??;
    let reply = TicketConsumeReply {
        serial_no: Some(present::serial_no(&trans)?),
        advertisement: advertisement(gateway, admitted, &trans).await?,
    };
    Ok(Done {
        at: trans.at,
        body: Body::TicketConsume(reply),
    })
}

/// The line that ran when the message first came, so that a repeated one is told the same.
async fn advertisement(
    gateway: &Gateway,
    admitted: &Admitted,
    trans: &Trans,
) -> Result<String, Refused> {
    let rules = gateway.rules_at(trans.tenant, trans.at).await?;
    let store = &admitted.caller.terminal.store;
    Ok(rules.advertisement(store, trans.at).to_owned())
}
