//! One event on a card, and which message of which terminal made it.
//!
//! Every message that changes something leaves one, refused ones too, so that a repeated message
//! gets its first answer. A reversal that comes before its original leaves a tombstone in the
//! original's place.

use super::{
    card::{Balance, CardNo, TicketCode, TicketId, TicketKind},
    is_default,
    journal::Compared,
    points::Points,
    store::StoreNo,
    terminal::BatchNo,
    totals::Totals,
};
use crate::{
    ids::{Serial, TenantId},
    money::Fen,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// Which message of which terminal: what makes a message the same message. Ordered by terminal,
/// batch and trace number, and stored as one integer of 17 digits: 5, 6 and 6 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place(i64);

const BATCHES: i64 = 1_000_000_000_000;
const TRACES: i64 = 1_000_000;

impl Place {
    /// The place of message `trace` (1 to 999999) in a batch of the terminal with this index.
    #[must_use]
    pub const fn new(terminal: i64, batch: BatchNo, trace: TraceNo) -> Self {
        Self(terminal * BATCHES + batch.get() as i64 * TRACES + trace.0 as i64)
    }

    /// A stored place.
    #[must_use]
    pub const fn from_stored(place: i64) -> Self {
        Self(place)
    }

    /// The place as one integer.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The place behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The terminal's index.
    #[must_use]
    pub const fn terminal(self) -> i64 {
        self.0 / BATCHES
    }

    /// The batch's number; `None` when the stored place names none.
    #[must_use]
    pub fn batch(self) -> Option<BatchNo> {
        BatchNo::new(u32::try_from(self.0 % BATCHES / TRACES).ok()?)
    }

    /// The message's trace number.
    #[must_use]
    pub const fn trace(self) -> i64 {
        self.0 % TRACES
    }

    /// The first and the last place of a batch.
    #[must_use]
    pub const fn of_batch(terminal: i64, batch: BatchNo) -> (Self, Self) {
        let first = terminal * BATCHES + batch.get() as i64 * TRACES;
        (Self(first), Self(first + TRACES - 1))
    }
}

/// A terminal's number of a message, 1 to 999999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TraceNo(u32);

impl TraceNo {
    /// The number `trace`; `None` unless it is 1 to 999999.
    #[must_use]
    pub fn new(trace: u32) -> Option<Self> {
        (1..=999_999).contains(&trace).then_some(Self(trace))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The host's number of a transaction (source: 参考号): 12 digits, unique in the tenant, made of the
/// terminal's index (5) and its count (7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransNo(i64);

impl TransNo {
    /// How many transactions one terminal can make.
    pub const PER_TERMINAL: i64 = 10_000_000;

    /// The number of the `count`th transaction of a terminal.
    #[must_use]
    pub const fn new(terminal: i64, count: i64) -> Self {
        Self(terminal * Self::PER_TERMINAL + count)
    }

    /// A stored number, or one read from the wire.
    #[must_use]
    pub const fn from_stored(number: i64) -> Self {
        Self(number)
    }

    /// The number as one integer.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl std::fmt::Display for TransNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// What made an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TransKind {
    /// A purchase with points, vouchers and cash.
    Consume,
    /// A purchase undone within its batch.
    Cancel,
    /// A purchase undone at any time later.
    Refund,
    /// A refund undone.
    RefundCancel,
    /// Tickets used.
    TicketsConsume,
    /// A stocked card given to a member.
    Activate,
    /// A message undone because its answer was lost. Has no place of its own.
    Reversal,
    /// A batch closed, or found not to balance.
    Settle,
    /// A batch closed after its journal was compared.
    SettleDetails,
    /// Points or tickets written off.
    Expiry,
    /// What a card held when it was registered.
    Opening,
}

/// Which side of a terminal's totals a message counts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It spends.
    Debit,
    /// It gives back.
    Credit,
}

impl TransKind {
    /// Whether a batch's totals count it.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        match self {
            Self::Consume
            | Self::Cancel
            | Self::Refund
            | Self::RefundCancel
            | Self::TicketsConsume
            | Self::Activate => true,
            Self::Reversal | Self::Settle | Self::SettleDetails | Self::Expiry | Self::Opening => {
                false
            }
        }
    }

    /// On which side of the points totals it counts.
    #[must_use]
    pub const fn points_side(self) -> Option<Side> {
        match self {
            Self::Consume | Self::RefundCancel => Some(Side::Debit),
            Self::Cancel | Self::Refund => Some(Side::Credit),
            Self::TicketsConsume
            | Self::Activate
            | Self::Reversal
            | Self::Settle
            | Self::SettleDetails
            | Self::Expiry
            | Self::Opening => None,
        }
    }
}

/// An event.
///
/// As text it has short names, and nothing of what it is found by, which stands beside: there are many such
/// texts. Long names of former versions are still read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trans {
    /// Whose.
    #[serde(skip)]
    pub tenant: TenantId,
    /// The gateway's serial of it: the subject of its postings.
    #[serde(skip)]
    pub serial: Serial,
    /// The message that made it; `None` for what no terminal's message is identified by.
    #[serde(skip)]
    pub place: Option<Place>,
    /// The number terminals know it by; `None` where none was given out.
    #[serde(skip)]
    pub number: Option<TransNo>,
    /// What made it.
    #[serde(rename = "k", alias = "kind")]
    pub kind: TransKind,
    /// What became of it.
    #[serde(rename = "st", alias = "state")]
    pub state: TransState,
    /// The store it was made at, if at one.
    #[serde(
        rename = "s",
        alias = "store",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub store: Option<StoreNo>,
    /// The number of the store's accounts in the ledger.
    #[serde(rename = "sa", alias = "store_account")]
    pub store_account: i64,
    /// The card it is about, if it is about one.
    #[serde(
        rename = "c",
        alias = "card",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub card: Option<CardNo>,
    /// The number of the card's account in the ledger.
    #[serde(
        rename = "ca",
        alias = "card_account",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub card_account: Option<Serial>,
    /// When it was recorded.
    #[serde(rename = "t", alias = "at")]
    pub at: UnixMs,
    /// A digest of the message's content: a repetition must have the same.
    #[serde(rename = "d", alias = "content")]
    pub content: u128,
    /// The till's own receipt number, where given.
    #[serde(
        rename = "r",
        alias = "register_trace",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub register_trace: Option<String>,
    /// How the card was read, as the terminal wrote it (source: consumeType).
    #[serde(
        rename = "m",
        alias = "entry_mode",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub entry_mode: Option<String>,
    /// The line that campaigns showed with it, for the repeated answer.
    #[serde(
        rename = "ad",
        alias = "advertisement",
        default,
        skip_serializing_if = "String::is_empty"
    )]
    pub advertisement: String,
    /// The event this one undoes or gives back.
    #[serde(
        rename = "o",
        alias = "original",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub original: Option<Serial>,
    /// What made the event that a reversal undoes.
    #[serde(
        rename = "u",
        alias = "undoes",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub undoes: Option<TransKind>,
    /// What it moved. Nothing where it was refused.
    #[serde(
        rename = "e",
        alias = "effect",
        default,
        skip_serializing_if = "is_default"
    )]
    pub effect: Effect,
    /// The card's points after it, for the repeated answer.
    #[serde(
        rename = "b",
        alias = "balance",
        default,
        skip_serializing_if = "is_default"
    )]
    pub balance: Balance,
    /// What a settlement compared.
    #[serde(
        rename = "x",
        alias = "settlement",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub settlement: Option<Box<Settlement>>,
}

/// Which way an event moved its amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the card: points and tickets spent, points earned, cash taken.
    Spend,
    /// The same backwards.
    GiveBack,
    /// Written off.
    Expire,
    /// Granted to the card.
    Grant,
    /// Nothing moves.
    None,
}

impl TransKind {
    /// Which way an event of this kind moves its amounts; `undoes` is what a reversal undoes.
    #[must_use]
    pub const fn direction(self, undoes: Option<Self>) -> Direction {
        match self {
            Self::Consume | Self::RefundCancel | Self::TicketsConsume => Direction::Spend,
            Self::Cancel | Self::Refund => Direction::GiveBack,
            Self::Reversal => match undoes {
                Some(Self::Consume | Self::RefundCancel | Self::TicketsConsume) => {
                    Direction::GiveBack
                }
                Some(Self::Cancel | Self::Refund) => Direction::Spend,
                Some(
                    Self::Activate
                    | Self::Reversal
                    | Self::Settle
                    | Self::SettleDetails
                    | Self::Expiry
                    | Self::Opening,
                )
                | None => Direction::None,
            },
            Self::Expiry => Direction::Expire,
            Self::Opening => Direction::Grant,
            Self::Activate | Self::Settle | Self::SettleDetails => Direction::None,
        }
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransState {
    /// It stands.
    Approved,
    /// It was refused; the same answer is given again.
    Declined(Refusal),
    /// It was undone by a reversal.
    Reversed(Serial),
    /// It was cancelled or refunded by another event.
    GivenBack(Serial),
    /// A reversal came before its original, which must never be carried out.
    Tombstone,
}

/// What an event moved. Amounts are above zero whichever way they moved: the kind tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effect {
    /// The value paid or given back in points.
    #[serde(
        rename = "v",
        alias = "point_amount",
        skip_serializing_if = "is_default"
    )]
    pub point_amount: Fen,
    /// Those points, by the lot they came from and go back to.
    #[serde(rename = "p", alias = "points", skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<LotUse>,
    /// Of the points spent again because giving them back was undone, how many the member now owes.
    #[serde(
        rename = "po",
        alias = "points_owed",
        skip_serializing_if = "is_default"
    )]
    pub points_owed: Points,
    /// The cash paid or given back.
    #[serde(rename = "c", alias = "cash", skip_serializing_if = "is_default")]
    pub cash: Fen,
    /// The points earned, or taken back again.
    #[serde(rename = "e", alias = "earned", skip_serializing_if = "is_default")]
    pub earned: Points,
    /// The lot they were put into.
    #[serde(
        rename = "l",
        alias = "earned_lot",
        skip_serializing_if = "Option::is_none"
    )]
    pub earned_lot: Option<LotKey>,
    /// Of the earned points taken back, how many the member now owes.
    #[serde(
        rename = "eo",
        alias = "earned_owed",
        skip_serializing_if = "is_default"
    )]
    pub earned_owed: Points,
    /// What the member pays in cash for earned points that were spent already.
    #[serde(
        rename = "s",
        alias = "supply_cash",
        skip_serializing_if = "is_default"
    )]
    pub supply_cash: Fen,
    /// The tickets and vouchers used or given back.
    #[serde(rename = "t", alias = "tickets", skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<TicketUse>,
}

impl Effect {
    /// The points spent or given back.
    #[must_use]
    pub fn points_used(&self) -> Points {
        let from_lots: Points = self.points.iter().map(|it| it.points).sum();
        from_lots.plus(self.points_owed)
    }

    /// Whether points or tickets were spent.
    #[must_use]
    pub fn spends(&self) -> bool {
        self.points_used().is_some() || !self.tickets.is_empty()
    }
}

/// Which lot of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotKey {
    /// From when its points may be spent.
    #[serde(
        rename = "a",
        alias = "available_at",
        default,
        skip_serializing_if = "is_default"
    )]
    pub available_at: UnixMs,
    /// When they expire; `None` for never.
    #[serde(
        rename = "e",
        alias = "expires_at",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<UnixMs>,
}

/// Points of one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotUse {
    /// Which lot.
    #[serde(rename = "l", alias = "lot")]
    pub lot: LotKey,
    /// How many points.
    #[serde(rename = "n", alias = "points")]
    pub points: Points,
}

/// Pieces of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketUse {
    /// Its number among those of its kind.
    pub id: i64,
    /// Its kind.
    pub kind: TicketKind,
    /// Its name, for giving it back.
    pub name: String,
    /// The face value of one piece.
    pub face: Fen,
    /// How many pieces.
    pub pieces: i64,
    /// When they expire; `None` for never.
    pub expires_at: Option<UnixMs>,
    /// The voucher code whose uses they are, if they are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<TicketCode>,
    /// Uses of a code that came back after its term: they were written off at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub written_off: bool,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_false(it: &bool) -> bool {
    !*it
}

impl TicketUse {
    /// Which ticket it is.
    #[must_use]
    pub fn ticket(&self) -> TicketId {
        TicketId {
            voucher: self.kind == TicketKind::Voucher,
            id: self.id,
        }
    }

    /// The face value of all pieces.
    #[must_use]
    pub const fn value(&self) -> Fen {
        Fen::new(self.face.get().saturating_mul(self.pieces))
    }
}

/// What a settlement compared, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The host's totals.
    pub host: Totals,
    /// The terminal's.
    pub terminal: Totals,
    /// Whether the batch was closed by it.
    pub closed: bool,
    /// What comparing the two journals found; none where only totals were compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Compared>,
}

/// Why a message was refused. The dialect has a status code for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// The terminal is not registered.
    UnknownTerminal,
    /// The terminal is blocked, or this is another terminal's transaction.
    TerminalInvalid,
    /// The terminal has not checked in, or names another batch than the open one.
    NotCheckedIn,
    /// The message's MAC is wrong.
    MacWrong,
    /// Points are spent from a card that has a PIN, and none was sent.
    PinMissing,
    /// The amount is zero where something must be paid, or beyond what is carried.
    AmountInvalid,
    /// More than one message, or than a day, may spend.
    OverLimit,
    /// Too many in the time.
    TooMany,
    /// There is no such card, or the transaction was made with another one.
    UnknownCard,
    /// The card was never activated.
    NotActive,
    /// The card has expired.
    CardExpired,
    /// The card was reported lost or is blocked.
    CardBlocked,
    /// The card may not be used for this.
    Restricted,
    /// Too few points or tickets.
    TooFew,
    /// The PIN is wrong.
    PinWrong,
    /// The PIN was wrong too often.
    PinLocked,
    /// The verify code is wrong or was not sent.
    CodeWrong,
    /// The original transaction is not there.
    OriginalMissing,
    /// The original transaction does not allow it.
    NotAllowed,
    /// It was done already, or the original is in another state.
    InConflict,
    /// The amount is not the original's.
    AmountDiffers,
    /// The same trace number came with other content.
    DuplicateTrace,
}
