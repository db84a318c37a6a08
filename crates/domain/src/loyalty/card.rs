//! A member's card.
//!
//! ```text
//! Stocked ──activated──▶ Active ──▶ Lost | Blocked | Restricted ──▶ Active (by an operator)
//! ```
//! Expiry is a date, a locked PIN a count; neither is a state of its own.

use super::{is_default, points::Points, trans::TicketUse};
use crate::{
    ids::{Serial, TenantId},
    money::Fen,
    time::UnixMs,
    voucher::{code::CodeNo, ticket::VoucherTicketNo},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A card's number: 8 to 19 digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardNo(String);

impl CardNo {
    /// Reads a card number; `None` unless it is 8 to 19 ASCII digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (8..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a card stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CardStatus {
    /// Printed, not yet given to a member.
    Stocked,
    /// In use.
    Active,
    /// Reported lost.
    Lost,
    /// Blocked by an operator.
    Blocked,
    /// May be looked at, not used.
    Restricted,
}

/// A member's card, with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Whose program.
    pub tenant: TenantId,
    /// Its number.
    pub number: CardNo,
    /// The number of its account in the ledger.
    pub account: Serial,
    /// Where it stands.
    pub status: CardStatus,
    /// When it ends; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMs>,
    /// The expiry month printed on it and on its magnetic stripe, as `YYMM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_yymm: Option<String>,
    /// Who holds it. Copies of a card share it.
    pub holder: Arc<Holder>,
    /// The member's grade, 0 to 3.
    pub grade: u8,
    /// Its PIN, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<CardPin>,
    /// Its points, those that expire first at the front.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<Lot>,
    /// Points the member owes, where the program lets a clawback go below zero.
    #[serde(default, skip_serializing_if = "is_default")]
    pub owed: Points,
    /// The tickets and vouchers it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Holding>,
    /// The voucher codes it holds: uses they have left are tickets as well. At most
    /// [`CODES_HELD_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<HeldCode>,
    /// What it did today, for limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub today: DayUse,
    /// What was bought with it, month by month, for its grade; at most 12 months.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spending: Vec<MonthSpending>,
}

/// Who holds a card. Empty texts where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holder {
    /// Name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// 01 male, 02 female, 00 not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gender: String,
    /// Mobile number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mobile: String,
    /// Kind of identity document, 01 to 07.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id_type: String,
    /// Number of that document.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id_no: String,
    /// Postal address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Email address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
}

/// A card's PIN, hashed, and how often it was entered wrong.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPin {
    /// A slow hash in the PHC string format.
    pub hash: String,
    /// Wrong tries in a row.
    pub wrong: u8,
}

impl std::fmt::Debug for CardPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardPin {{ wrong: {} }}", self.wrong)
    }
}

/// This many wrong tries in a row lock a PIN until an operator resets it.
pub const PIN_TRIES_MAX: u8 = 3;

impl CardPin {
    /// Whether it was entered wrong too often.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.wrong >= PIN_TRIES_MAX
    }
}

/// Points that become available and expire together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// How many are left.
    pub points: Points,
    /// From when they may be spent.
    pub available_at: UnixMs,
    /// When they expire; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMs>,
}

/// What kind of ticket: it decides which message may spend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TicketKind {
    /// A voucher, which purchases spend (source: 代金券).
    Voucher,
    /// A group-buy ticket (01).
    GroupBuy,
    /// An exchange ticket (02).
    Exchange,
    /// A cash ticket (03).
    Cash,
}

/// Which ticket: vouchers and tickets are numbered apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketId {
    /// Whether it is a voucher of consume.
    pub voucher: bool,
    /// Its number, 1 to [`TicketId::MAX`].
    pub id: i64,
}

impl TicketId {
    /// The largest number.
    pub const MAX: i64 = 999_999_999_999;
}

/// Pieces of one ticket that a card holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Its number among those of its kind.
    pub id: i64,
    /// Its kind.
    pub kind: TicketKind,
    /// Its name, for people.
    pub name: String,
    /// The face value of one piece.
    pub face: Fen,
    /// How many pieces are left; below zero where used ones were given back, used again, and the
    /// giving back was undone.
    pub pieces: i64,
    /// When they expire; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMs>,
}

impl Holding {
    /// Which ticket it is.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        TicketId {
            voucher: self.kind == TicketKind::Voucher,
            id: self.id,
        }
    }

    /// `pieces` of it, as an event names them.
    #[must_use]
    pub fn used(&self, pieces: i64) -> TicketUse {
        TicketUse {
            id: self.id,
            kind: self.kind,
            name: self.name.clone(),
            face: self.face,
            pieces,
            expires_at: self.expires_at,
            code: None,
            written_off: false,
        }
    }

    /// Whether it may be used at `now`.
    #[must_use]
    pub fn is_usable(&self, now: UnixMs) -> bool {
        self.pieces > 0 && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The most voucher codes that a card holds.
pub const CODES_HELD_MAX: usize = 32;

/// A voucher code whose uses are pieces of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketCode {
    /// Which code.
    #[serde(rename = "c")]
    pub code: CodeNo,
    /// Its ticket type.
    #[serde(rename = "t")]
    pub ticket: VoucherTicketNo,
    /// How often it may be used.
    #[serde(rename = "n")]
    pub uses: u32,
}

/// A voucher code that a card holds. Whoever has its text may use it elsewhere: how many pieces it
/// is good for is worked out when somebody asks, and nobody's balance counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCode {
    /// The code.
    #[serde(flatten)]
    pub backing: TicketCode,
    /// The kind of ticket it is, not a voucher of purchases.
    pub kind: TicketKind,
    /// Its name, for people.
    pub name: String,
    /// The face value of one use.
    pub face: Fen,
}

impl HeldCode {
    /// Which ticket its uses are: that of its ticket type's number.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        TicketId {
            voucher: false,
            id: i64::from(self.backing.ticket.0),
        }
    }

    /// Whether a card that has these may hold it. A terminal names tickets by their number alone: all
    /// that a card has under one are alike.
    #[must_use]
    pub fn fits_beside(&self, tickets: &[Holding], codes: &[Self]) -> bool {
        let ticket = self.ticket();
        let others = codes.iter().filter(|it| it.ticket() == ticket);
        let mut others = others.map(|it| (it.kind, it.face, &it.name));
        let is_alike = others.all(|it| it == (self.kind, self.face, &self.name));
        is_alike && tickets.iter().all(|it| it.ticket() != ticket)
    }

    /// `pieces` of it, as an event names them; `until` is when its term ends.
    #[must_use]
    pub fn used(&self, pieces: i64, until: Option<UnixMs>) -> TicketUse {
        TicketUse {
            id: self.ticket().id,
            kind: self.kind,
            name: self.name.clone(),
            face: self.face,
            pieces,
            expires_at: until,
            code: Some(self.backing),
            written_off: false,
        }
    }
}

/// What was done on one day, counted in the gateway's zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUse {
    /// Which day, since 1970.
    #[serde(rename = "d", alias = "day")]
    pub day: i64,
    /// How many times points or tickets were spent.
    #[serde(rename = "n", alias = "count")]
    pub count: u32,
    /// How many points were spent.
    #[serde(rename = "p", alias = "points")]
    pub points: Points,
}

impl DayUse {
    /// The use of `day`: nothing yet on a new one.
    #[must_use]
    pub fn of(self, day: i64) -> Self {
        if self.day == day {
            self
        } else {
            Self {
                day,
                ..Self::default()
            }
        }
    }
}

/// What was bought with a card in one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthSpending {
    /// Months since year 0, in the gateway's zone.
    #[serde(rename = "m", alias = "month")]
    pub month: i64,
    /// Cash and points at their value, less what was given back.
    #[serde(rename = "s", alias = "spent")]
    pub spent: Fen,
}

/// What a card's points come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// All points, pending ones too.
    #[serde(rename = "t", alias = "total")]
    pub total: Points,
    /// Those that may be spent now.
    #[serde(rename = "a", alias = "available")]
    pub available: Points,
}

impl Card {
    /// Its points at `now`. Those that have expired count no more, even before the worker has
    /// written them off.
    #[must_use]
    pub fn balance(&self, now: UnixMs) -> Balance {
        let live = || self.lots.iter().filter(move |lot| lot.is_live(now));
        let total: Points = live().map(|lot| lot.points).sum();
        let available: Points = live()
            .filter(|lot| lot.available_at <= now)
            .map(|lot| lot.points)
            .sum();
        Balance {
            total: total.minus(self.owed),
            available: available.minus(self.owed),
        }
    }

    /// When points or tickets of it expire next.
    #[must_use]
    pub fn next_expiry(&self) -> Option<UnixMs> {
        let lots = self.lots.iter().filter(|it| it.points.is_some());
        let tickets = self.tickets.iter().filter(|it| it.pieces > 0);
        let lots = lots.filter_map(|it| it.expires_at);
        lots.chain(tickets.filter_map(|it| it.expires_at)).min()
    }

    /// The pieces it holds of `ticket`.
    #[must_use]
    pub fn holding(&self, ticket: TicketId) -> Option<&Holding> {
        self.tickets.iter().find(|it| it.ticket() == ticket)
    }

    /// Takes the pieces of `used` away. Where fewer are there, the card owes them. A code stays: its
    /// own row knows how many uses it has left.
    pub fn take_tickets(&mut self, used: &TicketUse) {
        if used.code.is_some() {
            return;
        }
        self.put_tickets(&TicketUse {
            pieces: -used.pieces,
            ..used.clone()
        });
    }

    /// Puts the pieces of `used` back, and the code behind them, if the card has let go of it.
    pub fn put_tickets(&mut self, used: &TicketUse) {
        if let Some(backing) = used.code {
            self.put_code(HeldCode {
                backing,
                kind: used.kind,
                name: used.name.clone(),
                face: used.face,
            });
            return;
        }
        let ticket = used.ticket();
        match self.tickets.iter_mut().find(|it| it.ticket() == ticket) {
            Some(holding) => holding.pieces = holding.pieces.saturating_add(used.pieces),
            None => self.tickets.push(Holding {
                id: used.id,
                kind: used.kind,
                name: used.name.clone(),
                face: used.face,
                pieces: used.pieces,
                expires_at: used.expires_at,
            }),
        }
        self.tickets.retain(|it| it.pieces != 0);
    }

    /// Adds a code, unless the card holds it.
    pub fn put_code(&mut self, held: HeldCode) {
        let code = held.backing.code;
        if !self.codes.iter().any(|it| it.backing.code == code) {
            self.codes.push(held);
        }
    }
}

impl Lot {
    /// Whether it has not expired at `now`.
    #[must_use]
    pub fn is_live(&self, now: UnixMs) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}
