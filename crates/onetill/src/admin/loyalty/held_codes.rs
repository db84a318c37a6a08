//! Voucher codes that member cards hold. A code's text goes in and is never told: it is named by where
//! it lies.

use super::{
    AdminError,
    cards::{self, CardName, NewCard},
    known_tenant,
};
use crate::app::{Gateway, voucher::names::Found};
use domain::{
    command::loyalty::{HoldCode, HoldReply, LetGoOfCode},
    ids::{Serial, TenantId},
    loyalty::card::{CODES_HELD_MAX, Card, HeldCode, TicketCode, TicketKind},
    money::Fen,
    voucher::{
        code::CodeNo,
        status::CodeStatus,
        stock::{Carton, Level},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

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

/// A code by where it lies, and the kind of ticket it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePlace {
    /// Its box's printed name.
    #[serde(rename = "box")]
    pub carton: String,
    /// Its index in the box, from 0.
    pub index: u32,
    /// The kind of ticket.
    pub kind: TicketKind,
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
        Some(TicketKind::Voucher) => return Err(no_voucher()),
        Some(kind) => kind,
        None if face == Fen::ZERO => TicketKind::Exchange,
        None => TicketKind::Cash,
    };
    let hold = HoldCode {
        tenant,
        card: cards::read_number(&card.number)?,
        held: held(carton, code.index, kind),
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

fn no_voucher() -> AdminError {
    AdminError::new("a code is a ticket, not a voucher")
}

/// The code with an index in a box, as a card holds it.
fn held(carton: &Carton, index: u32, kind: TicketKind) -> HeldCode {
    let code = CodeNo {
        carton: carton.serial,
        index,
    };
    HeldCode {
        backing: TicketCode {
            code,
            ticket: carton.ticket,
            uses: carton.terms.uses,
        },
        kind,
        name: carton.ticket_name.clone(),
        face: carton.terms.face_value,
    }
}

/// The codes of each of the cards that are to be added. They come as they stand: what cannot be used
/// is no ticket.
///
/// # Errors
/// When a code is not there, or cannot be a ticket of its card.
pub(super) async fn of_new(
    gateway: &Gateway,
    tenant: TenantId,
    cards: &[NewCard],
) -> Result<Vec<Vec<HeldCode>>, AdminError> {
    let names = cards.iter().flat_map(|it| &it.codes);
    let names: BTreeSet<&str> = names.map(|it| it.carton.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut cartons = HashMap::new();
    if !names.is_empty() {
        let found = gateway.find_all_names(tenant, &names).await?;
        let found = names.iter().copied().zip(found);
        let boxes = found.filter_map(|(name, found)| Some((name, found?)));
        let boxes = boxes.filter(|(_, it)| it.level == Some(Level::Carton));
        cartons.extend(boxes.map(|(name, it)| (name, it.carton)));
    }
    let of_card = |card: &NewCard| {
        let held = all_of(card, &cartons);
        held.map_err(|error| AdminError::new(format!("card {}: codes: {error}", card.number)))
    };
    cards.iter().map(of_card).collect()
}

/// The codes of one of them. What is wrong is told without a box's name: that may be a code's text.
fn all_of(
    card: &NewCard,
    cartons: &HashMap<&str, Arc<Carton>>,
) -> Result<Vec<HeldCode>, AdminError> {
    if card.codes.len() > CODES_HELD_MAX {
        return Err(why_not(&HoldReply::Full));
    }
    let mut all: Vec<HeldCode> = Vec::with_capacity(card.codes.len());
    for place in &card.codes {
        if place.kind == TicketKind::Voucher {
            return Err(no_voucher());
        }
        let carton = cartons.get(place.carton.as_str());
        let carton = carton.filter(|it| place.index < it.codes).ok_or_else(|| {
            AdminError::new("no box that is ready has this name, and a code of this index")
        })?;
        let held = held(carton, place.index, place.kind);
        if all.iter().any(|it| it.backing == held.backing) {
            return Err(AdminError::new("a code is there twice"));
        }
        if !held.fits_beside(&card.tickets, &all) {
            return Err(why_not(&HoldReply::NumberTaken));
        }
        all.push(held);
    }
    Ok(all)
}

/// Where the codes of cards lie; boxes are read once for all of them.
#[derive(Default)]
pub(super) struct Places(HashMap<Serial, String>);

impl Places {
    /// Where the codes of a card lie.
    ///
    /// # Errors
    /// When the store failed, or a box is missing.
    pub(super) async fn of(
        &mut self,
        gateway: &Gateway,
        card: &Card,
    ) -> Result<Vec<CodePlace>, AdminError> {
        let mut places = Vec::with_capacity(card.codes.len());
        for held in &card.codes {
            let CodeNo { carton, index } = held.backing.code;
            let name = match self.0.get(&carton) {
                Some(name) => name.clone(),
                None => {
                    let found = gateway.carton(card.tenant, carton).await?;
                    let name = found.ok_or_else(no_box)?.id;
                    self.0.insert(carton, name.clone());
                    name
                }
            };
            places.push(CodePlace {
                carton: name,
                index,
                kind: held.kind,
            });
        }
        Ok(places)
    }
}

fn no_box() -> AdminError {
    AdminError::new("a card's code has no box")
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
        let carton = carton.ok_or_else(no_box)?;
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
