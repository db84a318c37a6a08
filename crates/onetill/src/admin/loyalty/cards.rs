//! Member cards: adding, changing, showing.

use super::{
    AdminError,
    held_codes::{self, CodePlace},
    known_tenant,
};
use crate::app::{Gateway, loyalty::documents};
use domain::{
    command::loyalty::{AddCards, CardChange as Change, NewCard as Added, SetCard},
    ids::TenantId,
    ledger::Movement,
    loyalty::{
        card::{Card, CardNo, CardPin, CardStatus, HeldCode, Holder, Holding, Lot, TicketId},
        document::DocumentKey,
        points::Points,
    },
    money::Fen,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};
use wire::jpos::{Amount, Pin};

/// How many cards are added in one commit.
const CARDS_AT_ONCE: usize = 100;
/// With how many pieces of a ticket a card begins at most.
const PIECES_MAX: i64 = 1_000_000_000;

/// A card to be added.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewCard {
    /// Its number.
    pub number: String,
    /// Where it stands: stocked until it is activated at a till.
    pub status: CardStatus,
    /// When it ends; `None` for never.
    #[serde(default)]
    pub expires_at: Option<UnixMs>,
    /// The month printed on it, as `YYMM`.
    #[serde(default)]
    pub expiry_yymm: Option<String>,
    /// Who holds it.
    #[serde(default)]
    pub holder: Holder,
    /// The member's grade, 0 to 3.
    #[serde(default)]
    pub grade: u8,
    /// Its PIN, 4 to 12 digits.
    #[serde(default)]
    pub pin: Option<String>,
    /// The points it begins with, with at most two decimals.
    #[serde(default)]
    pub points: Option<String>,
    /// When those points expire; `None` for never.
    #[serde(default)]
    pub points_expire_at: Option<UnixMs>,
    /// Points it begins with that differ in when they may be spent, or expire.
    #[serde(default)]
    pub lots: Vec<Lot>,
    /// The vouchers and tickets it begins with.
    #[serde(default)]
    pub tickets: Vec<Holding>,
    /// The voucher codes it holds from the beginning, however they stand.
    #[serde(default)]
    pub codes: Vec<CodePlace>,
}

impl fmt::Debug for NewCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCard").finish_non_exhaustive()
    }
}

/// Which card.
#[derive(Clone, Serialize, Deserialize)]
pub struct CardName {
    /// The retailer.
    pub tenant: String,
    /// Its number.
    pub number: String,
}

impl fmt::Debug for CardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardName").finish_non_exhaustive()
    }
}

/// What is to change about a card; what is `None` stays.
#[derive(Clone, Serialize, Deserialize)]
pub struct CardChange {
    /// Which card.
    pub card: CardName,
    /// Where it stands.
    pub status: Option<CardStatus>,
    /// The member's grade, 0 to 3.
    pub grade: Option<u8>,
    /// A new PIN; an empty one takes it away.
    pub pin: Option<String>,
    /// Wrong tries of its PIN count no more.
    pub reset_pin: bool,
}

impl fmt::Debug for CardChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardChange").finish_non_exhaustive()
    }
}

/// Adds cards; answers how many, and the numbers that were taken already.
///
/// # Errors
/// When a value of any does not do: then none is added. When the store fails half-way, those
/// before are there.
pub async fn add(
    gateway: &Arc<Gateway>,
    tenant: &str,
    new: Vec<NewCard>,
) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, tenant).await?;
    for card in &new {
        let number = &card.number;
        check(card).map_err(|error| AdminError::new(format!("card {number}: {error}")))?;
    }
    let mut codes = held_codes::of_new(gateway, tenant, &new).await?.into_iter();
    let (mut added, mut taken) = (0, Vec::new());
    for some in new.chunks(CARDS_AT_ONCE) {
        let mut cards = Vec::with_capacity(some.len());
        for (card, codes) in some.iter().zip(codes.by_ref()) {
            cards.push(compose(gateway, tenant, card, codes).await?);
        }
        let is_added = gateway.run(AddCards { cards }).await?;
        added += is_added.iter().filter(|it| **it).count();
        let pairs = some.iter().zip(is_added).filter(|(_, is_added)| !is_added);
        taken.extend(pairs.map(|(card, _)| card.number.clone()));
    }
    Ok(json!({ "added": added, "taken": taken }))
}

fn check(card: &NewCard) -> Result<(), AdminError> {
    read_number(&card.number)?;
    read_points(card.points.as_deref())?;
    if let Some(pin) = &card.pin {
        read_pin(pin)?;
    }
    if card.grade > 3 {
        return Err(AdminError::new("a grade is 0 to 3"));
    }
    check_lots(&card.lots)?;
    check_tickets(&card.tickets)
}

fn check_lots(lots: &[Lot]) -> Result<(), AdminError> {
    let total = lots.iter().map(|it| it.points).sum::<Points>();
    if lots.iter().all(|it| it.points.is_some()) && total <= Points::MAX {
        return Ok(());
    }
    Err(AdminError::new(
        "a lot holds points, and all together not too many",
    ))
}

fn check_tickets(tickets: &[Holding]) -> Result<(), AdminError> {
    if tickets.len() > usize::from(Movement::TICKET_LINES_MAX) {
        let text = format!(
            "a card begins with at most {} kinds of tickets",
            Movement::TICKET_LINES_MAX
        );
        return Err(AdminError::new(text));
    }
    let fits = |it: &Holding| {
        let has_face = (Fen::ZERO..=Fen::MAX_CHARGE).contains(&it.face);
        let has_pieces = (1..=PIECES_MAX).contains(&it.pieces);
        (1..=TicketId::MAX).contains(&it.id) && has_pieces && has_face
    };
    let distinct = |it: &Holding| {
        let same = tickets.iter().filter(|other| other.ticket() == it.ticket());
        same.count() == 1
    };
    match tickets.iter().all(|it| fits(it) && distinct(it)) {
        true => Ok(()),
        false => Err(AdminError::new(
            "tickets have numbers from 1 on, each once, one to a milliard pieces and a face value \
             that can be charged",
        )),
    }
}

async fn compose(
    gateway: &Gateway,
    tenant: TenantId,
    new: &NewCard,
    codes: Vec<HeldCode>,
) -> Result<Added, AdminError> {
    let pin = match &new.pin {
        Some(pin) => Some(CardPin {
            hash: gateway.loyalty.pins.hash(read_pin(pin)?).await?,
            wrong: 0,
        }),
        None => None,
    };
    let lot = Lot {
        points: read_points(new.points.as_deref())?,
        available_at: UnixMs(0),
        expires_at: new.points_expire_at,
    };
    let lots = [lot].into_iter().chain(new.lots.iter().copied());
    let lots = lots.filter(|it| it.points.is_some()).collect();
    // The opening's serial is the account's number too: both are the card's alone.
    let serial = gateway.next_serial()?;
    let card = Card {
        tenant,
        number: read_number(&new.number)?,
        account: serial,
        status: new.status,
        expires_at: new.expires_at,
        expiry_yymm: new.expiry_yymm.clone(),
        holder: new.holder.clone().into(),
        grade: new.grade,
        pin,
        lots,
        owed: Points::ZERO,
        tickets: new.tickets.clone(),
        today: domain::loyalty::card::DayUse::default(),
        codes,
        spending: Vec::new(),
    };
    Ok(Added { card, serial })
}

/// Changes a card.
///
/// # Errors
/// When there is no such card or a value does not do.
pub async fn set(gateway: &Arc<Gateway>, change: CardChange) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &change.card.tenant).await?;
    let number = read_number(&change.card.number)?;
    let mut card = find(gateway, tenant, &number).await?;
    for change in changes(gateway, &change).await? {
        let set = SetCard {
            tenant,
            number: number.clone(),
            change,
        };
        card = gateway.run(set).await?.ok_or_else(missing)?;
    }
    Ok(describe(&card, gateway.now()))
}

async fn changes(gateway: &Gateway, wanted: &CardChange) -> Result<Vec<Change>, AdminError> {
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(wanted.status.map(Change::Status));
    if let Some(grade) = wanted.grade {
        if grade > 3 {
            return Err(AdminError::new("a grade is 0 to 3"));
        }
        changes.push(Change::Grade(grade));
    }
    match wanted.pin.as_deref() {
        None => {}
        Some("") => changes.push(Change::Pin(None)),
        Some(pin) => {
            let hash = gateway.loyalty.pins.hash(read_pin(pin)?).await?;
            changes.push(Change::Pin(Some(hash)));
        }
    }
    if wanted.reset_pin {
        changes.push(Change::ResetPin);
    }
    Ok(changes)
}

/// A card with its points and tickets, without its PIN.
///
/// # Errors
/// When there is no such card.
pub async fn show(gateway: &Arc<Gateway>, name: &CardName) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &name.tenant).await?;
    let card = find(gateway, tenant, &read_number(&name.number)?).await?;
    describe_all(gateway, &card).await
}

/// A card as [`describe`] shows it, and the voucher codes it holds as they stand now.
pub(super) async fn describe_all(gateway: &Gateway, card: &Card) -> Result<Value, AdminError> {
    let codes = held_codes::describe(gateway, card).await?;
    let mut described = describe(card, gateway.now());
    if let Some(members) = described.as_object_mut() {
        members.insert("codes".to_owned(), codes.into());
    }
    Ok(described)
}

pub(super) fn describe(card: &Card, now: UnixMs) -> Value {
    let balance = card.balance(now);
    json!({
        "card": card.number.as_str(),
        "status": card.status,
        "expires_at": card.expires_at,
        "expiry_yymm": card.expiry_yymm,
        "holder": card.holder,
        "grade": card.grade,
        "has_pin": card.pin.is_some(),
        "pin_is_locked": card.pin.as_ref().is_some_and(CardPin::is_locked),
        "points": balance.total.to_string(),
        "points_available": balance.available.to_string(),
        "points_owed": card.owed.to_string(),
        "lots": card.lots,
        "tickets": card.tickets,
    })
}

async fn find(gateway: &Gateway, tenant: TenantId, number: &CardNo) -> Result<Card, AdminError> {
    let found = gateway.reader.document(DocumentKey::card(tenant, number));
    let found = found.await?.and_then(documents::card);
    found.ok_or_else(missing)
}

pub(super) fn missing() -> AdminError {
    AdminError::new("the retailer has no such card; add it with `onetill member add`")
}

pub(super) fn read_number(number: &str) -> Result<CardNo, AdminError> {
    let read = CardNo::parse(number);
    read.ok_or_else(|| AdminError::new("a card's number is 8 to 19 digits"))
}

fn read_pin(pin: &str) -> Result<Pin, AdminError> {
    Pin::parse(pin).map_err(|error| AdminError::new(error.to_string()))
}

fn read_points(points: Option<&str>) -> Result<Points, AdminError> {
    let most = Amount::new(Points::MAX.get());
    let read = points.map_or(Ok(Amount::ZERO), |it| Amount::parse(it, most));
    let wrong = |error| AdminError::new(format!("points: {error}"));
    read.map(|it| Points::new(it.get())).map_err(wrong)
}
