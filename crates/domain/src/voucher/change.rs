//! A recorded change of ranges of codes. Spans name the change that made them what they are, a
//! repeated request is answered from it, and its postings follow from it alone.

use super::{code::CodeRange, partner::PartnerNo, ticket::VoucherTicketNo};
use crate::{
    ids::{Serial, TenantId},
    money::Fen,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// The name of a change: who wanted it, what it is, and that party's own number of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(String);

impl ChangeId {
    /// A change that a partner asks for under its own number; each kind has numbers of its own.
    #[must_use]
    pub fn of_partner(partner: PartnerNo, kind: ChangeKind, number: &str) -> Self {
        Self(format!("{partner}/{}/{number}", kind.letter()))
    }

    /// A change that an operator or a worker makes.
    #[must_use]
    pub fn of_house(kind: ChangeKind, serial: Serial) -> Self {
        Self(format!("0/{}/{serial}", kind.letter()))
    }

    /// A stored name.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is done to codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ChangeKind {
    /// In stock, to be active.
    Activate,
    /// The same, for card numbers, under a partner's order number.
    ActivateSegment,
    /// In stock or active and unused, to be void.
    Void,
    /// To be frozen.
    Freeze,
    /// To be frozen no longer.
    Unfreeze,
    /// Their term is over: uses that are left are written off.
    Expire,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Activate,
        Self::ActivateSegment,
        Self::Void,
        Self::Freeze,
        Self::Unfreeze,
        Self::Expire,
    ];

    const fn letter(self) -> char {
        match self {
            Self::Activate => 'A',
            Self::ActivateSegment => 'S',
            Self::Void => 'V',
            Self::Freeze => 'F',
            Self::Unfreeze => 'U',
            Self::Expire => 'E',
        }
    }
}

/// A recorded change, carried out or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub tenant: TenantId,
    /// Its name.
    pub id: ChangeId,
    /// What it is.
    pub kind: ChangeKind,
    /// The gateway's number of it.
    pub serial: Serial,
    /// The partner that asked, if one did.
    pub partner: Option<PartnerNo>,
    /// The operator that asked, if one did.
    pub operator: Option<String>,
    /// The caller's own number of it.
    pub number: String,
    /// Digest of what was asked, so that the same request is known again.
    pub content: u128,
    /// When.
    pub at: UnixMs,
    /// What the caller paid in all.
    pub total: Fen,
    /// What the caller wants kept with it.
    pub remarks: Remarks,
    /// Which codes, in the caller's order.
    pub ranges: Vec<CodeRange>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What a caller wants kept with a change, as it named it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remarks {
    /// The shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<String>,
    /// The receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The till's serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till_serial: Option<String>,
    /// The order system's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_system: Option<String>,
    /// Why, in an operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Carried out; one part a ticket type, in the order of their numbers.
    Done(Vec<Part>),
    /// Some codes cannot be changed so: none was.
    Conflict(Conflicts),
    /// Some names are nobody's, or not this partner's: their places in the request, from 0.
    Unknown(Vec<u32>),
    /// Some codes are named twice: the places in the request, from 0, of two names that share them.
    Duplicate(u32, u32),
    /// More codes than this partner may activate in a day.
    TooMany,
}

/// What a change did to the codes of one ticket type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The number of its postings.
    pub serial: Serial,
    /// The ticket type.
    pub ticket: VoucherTicketNo,
    /// Uses of codes that were in stock.
    pub uses_from_stock: i64,
    /// Uses of codes that were active.
    pub uses_from_active: i64,
    /// What those uses pay, in fen, as far as they were or become a liability.
    pub face: Fen,
}

/// Codes that are in the way of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflicts {
    /// The first of them, at most [`CONFLICTS_MAX`].
    pub first: Vec<Conflict>,
    /// Whether there are more.
    pub more: bool,
}

/// How many conflicts of a change are kept.
pub const CONFLICTS_MAX: usize = 20;

/// Neighbouring codes that are in the way for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Which codes.
    pub range: CodeRange,
    /// Why.
    pub why: Obstacle,
}

/// Why codes cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Obstacle {
    /// They are active already.
    Active,
    /// They are void.
    Void,
    /// They are frozen.
    Frozen,
    /// Their term is over.
    Expired,
    /// Some of their uses are gone or held by open payments.
    InUse,
}
