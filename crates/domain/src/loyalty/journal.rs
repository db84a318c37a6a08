//! What comparing a terminal's journal of a batch with the host's events found, line by line. It is
//! recorded, so that a repeated journal gets its first answer.

use super::trans::{TraceNo, TransKind, TransNo};
use serde::{Deserialize, Serialize};

/// One message of either side, and what was found. Stored without names: a batch has thousands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Compared {
    /// What it was.
    pub kind: TransKind,
    /// Its number in the batch.
    pub trace: TraceNo,
    /// The host's number, if either side has one.
    pub number: Option<TransNo>,
    /// What was found.
    pub finding: Finding,
}

type Row = (TransKind, TraceNo, Option<TransNo>, Finding);

impl From<Row> for Compared {
    fn from((kind, trace, number, finding): Row) -> Self {
        Self {
            kind,
            trace,
            number,
            finding,
        }
    }
}

impl From<Compared> for Row {
    fn from(it: Compared) -> Self {
        (it.kind, it.trace, it.number, it.finding)
    }
}

impl Compared {
    /// Whether the two sides do not agree.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.finding != Finding::Matched
    }
}

/// What comparing one message found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finding {
    /// Both sides have it and agree.
    Matched,
    /// The host counts no such message.
    OnlyAtTerminal,
    /// The terminal's journal does not have it.
    OnlyAtHost,
    /// Both have it, with other figures.
    Differs(Vec<Difference>),
}

/// A figure on which the two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which.
    pub figure: Figure,
    /// The host's.
    pub host: i64,
    /// The terminal's.
    pub terminal: i64,
}

/// What can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Figure {
    /// What was paid in points, in fen.
    PointAmount,
    /// What was paid in cash, in fen.
    Cash,
    /// Pieces of vouchers.
    Vouchers,
    /// Pieces of tickets.
    Tickets,
    /// The host's number.
    Number,
}
