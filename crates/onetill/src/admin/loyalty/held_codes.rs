//! Voucher codes that member cards hold. A code's text goes in and is never told.

use super::{
    AdminError,
    cards::{self, CardName},
    known_tenant,
};
use crate::app::{Gateway, voucher::names::Found};
use domain::{
    command::loyalty::{HoldCode, HoldReply, LetGoOfCode},
    ids::TenantId,
    loyalty::card::{Card, HeldCode, TicketCode, TicketKind},
    money::Fen,
    voucher::{code::CodeNo, status::CodeStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// A card and a code.
#[derive(Clone, Serialize, Deserialize)]
pub struct CodeOfCard {
    /// The card.
    pub card: CardName,
    /// The code.
    pub code: String,
}

impl fmt::Debug for CodeOfCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeOfCard").finish_non_exhaustive()
    }
}

/// A code that a card is to hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewHeldCode {
    /// The card and the code.
    pub what: CodeOfCard,
    /// The kind of ticket it is; `None` for a cash ticket where it pays, else an exchange ticket.
    pub kind: Option<TicketKind>,
}

/// A card holds a code from now on: answers the card.
///
/// # Errors
/// When there is no such card or code, or the code cannot be one of its tickets.
pub async fn hold(gateway: &Arc<Gateway>, new: NewHeldCode) -> Result<Value, AdminError> {
    let CodeOfCard { card, code } = &new.what;
    let tenant = known_tenant(gateway, &card.tenant).await?;
    let (code, found) = find(gateway, tenant, code).await?;
    let carton = &*found.carton;
    let face = carton.terms.face_value;
    let kind = match new.kind {
        Some(TicketKind::Voucher) => {
            return Err(AdminError::new("a code is a ticket, not a voucher"));
        }
        Some(kind) => kind,
        None if face == Fen::ZERO => TicketKind::Exchange,
        None => TicketKind::Cash,
    };
    let hold = HoldCode {
        tenant,
        card: cards::read_number(&card.number)?,
        held: HeldCode {
            backing: TicketCode {
                code,
                ticket: carton.ticket,
                uses: carton.terms.uses,
            },
            kind,
            name: carton.ticket_name.clone(),
            face,
        },
    };
    match gateway.run(hold).await? {
        HoldReply::Held(card) => cards::describe_all(gateway, &card).await,
        refused @ (HoldReply::NoCard
        | HoldReply::Useless(_)
        | HoldReply::NumberTaken
        | HoldReply::Full) => Err(why_not(&refused)),
    }
}

fn why_not(reply: &HoldReply) -> AdminError {
    match reply {
        HoldReply::Held(_) | HoldReply::NoCard => cards::missing(),
        HoldReply::Useless(status) => AdminError::new(format!("the code {}", stands(*status))),
        HoldReply::NumberTaken => AdminError::new(
            "the card has another ticket under the number of the code's ticket type, and terminals \
             name tickets by number alone; see `onetill member show`",
        ),
        HoldReply::Full => AdminError::new("the card holds as many codes as one may"),
    }
}

const fn stands(status: CodeStatus) -> &'static str {
    match status {
        CodeStatus::InStock => "is not active yet; its partner activates it",
        CodeStatus::Active => "may be used",
        CodeStatus::UsedUp => "is used up",
        CodeStatus::Void => "is void",
        CodeStatus::Expired => "is not valid now",
        CodeStatus::Reserved => "is held by an open payment; try again when that is over",
        CodeStatus::Frozen => "is frozen",
    }
}

/// A card holds a code no more: answers the card.
///
/// # Errors
/// When there is no such card or code.
pub async fn let_go(gateway: &Arc<Gateway>, what: CodeOfCard) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &what.card.tenant).await?;
    let (code, _) = find(gateway, tenant, &what.code).await?;
    let let_go = LetGoOfCode {
        tenant,
        card: cards::read_number(&what.card.number)?,
        code,
    };
    let card = gateway.run(let_go).await?;
    cards::describe_all(gateway, &card.ok_or_else(cards::missing)?).await
}

/// The codes that a card holds, as they stand now.
pub(super) async fn describe(gateway: &Gateway, card: &Card) -> Result<Vec<Value>, AdminError> {
    let mut codes = Vec::with_capacity(card.codes.len());
    for held in &card.codes {
        let code = held.backing.code;
        let carton = gateway.carton(card.tenant, code.carton).await?;
        let carton = carton.ok_or_else(|| AdminError::new("a card's code has no box"))?;
        let standing = gateway.standing(&carton, code).await?;
        codes.push(json!({
            "ticket": held.ticket().id,
            "kind": held.kind,
            "name": held.name,
            "face": held.face,
            "box": carton.id,
            "index": code.index,
            "status": standing.status,
            "uses_left": standing.uses_left,
        }));
    }
    Ok(codes)
}

async fn find(
    gateway: &Gateway,
    tenant: TenantId,
    text: &str,
) -> Result<(CodeNo, Found), AdminError> {
    let found = gateway.find_all_names(tenant, &[text]).await?;
    let code = found.into_iter().flatten().find(|it| it.level.is_none());
    let found = code.ok_or_else(|| AdminError::new("no stock that is ready holds this code"))?;
    let code = CodeNo {
        carton: found.range.carton,
        index: found.range.first,
    };
    Ok((code, found))
}
