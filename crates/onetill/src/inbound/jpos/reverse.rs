//! The reversals (source: 冲正交易).

use super::{Done, admit::Admitted, present, refused::Refused};
use crate::app::{
    Gateway,
    loyalty::reverse::{Repeated, Reversal},
};
use domain::{
    loyalty::{card::CardNo, trans::TransKind},
    money::Fen,
};
use wire::jpos::{Amount, Body, Status, request};

pub(super) async fn serve(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &request::Reversal,
    reverses: Option<TransKind>,
    content: u128,
) -> Result<Done, Refused> {
    let reverses = reverses.ok_or_else(|| Refused::new(Status::UnknownFunction))?;
    let heading = present::heading(&request.head, content)?;
    let reversal = Reversal {
        reverses,
        card: card(&request.card_no),
        point_amount: amount(&request.point_amount),
        cash: amount(&request.cash_amount),
    };
    gateway
        .undo_message(&admitted.caller, &heading, &reversal)
        .await??;
    Ok(Done {
        at: gateway.now(),
        body: Body::Plain,
    })
}

fn card(said: &request::Repeated<String>) -> Repeated<CardNo> {
    match said {
        request::Repeated::Absent => Repeated::Absent,
        request::Repeated::Unreadable => Repeated::Impossible,
        request::Repeated::Said(number) => {
            CardNo::parse(number).map_or(Repeated::Impossible, Repeated::Said)
        }
    }
}

fn amount(said: &request::Repeated<Amount>) -> Repeated<Fen> {
    match said {
        request::Repeated::Absent => Repeated::Absent,
        request::Repeated::Unreadable => Repeated::Impossible,
        request::Repeated::Said(amount) => Repeated::Said(present::fen(*amount)),
    }
}
