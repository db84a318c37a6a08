//! What a terminal did in its batch, and what that adds up to (source: 结算).

use super::written;
use serde::{Deserialize, Serialize};
use wire::jpos::{
    Amount, BatchNo, Operation, SerialNo, TraceNo,
    person::TicketKind,
    request::{JournalEntry, Piece, Totals},
};

/// Pieces of one voucher or ticket, with what one is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Its number.
    pub id: i64,
    /// How many pieces.
    pub num: u32,
    /// Its kind; vouchers have none.
    #[serde(
        default,
        with = "written::maybe",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<TicketKind>,
    /// The face value of one piece, as the gateway told.
    #[serde(with = "written")]
    pub face: Amount,
}

impl Used {
    const fn piece(&self) -> Piece {
        Piece {
            id: self.id,
            num: self.num,
            kind: self.kind,
        }
    }

    const fn value(&self) -> i64 {
        self.face.get().saturating_mul(self.num as i64)
    }
}

/// An approved message. What takes another back repeats that one's amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was asked.
    #[serde(with = "written")]
    pub operation: Operation,
    /// In which batch.
    #[serde(with = "written")]
    pub batch_no: BatchNo,
    /// Under which number.
    #[serde(with = "written")]
    pub trace_no: TraceNo,
    /// The gateway's number of it.
    #[serde(
        default,
        with = "written::maybe",
        skip_serializing_if = "Option::is_none"
    )]
    pub serial_no: Option<SerialNo>,
    /// The card.
    pub card_no: String,
    /// What was paid in points, in yuan.
    #[serde(with = "written")]
    pub point_amount: Amount,
    /// What was paid otherwise.
    #[serde(with = "written")]
    pub cash_amount: Amount,
    /// The vouchers of a sale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<Used>,
    /// Redeemed tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Used>,
    /// The message it takes back, by its batch and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<Original>,
}

/// Which earlier message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Its batch.
    #[serde(with = "written")]
    pub batch_no: BatchNo,
    /// Its number.
    #[serde(with = "written")]
    pub trace_no: TraceNo,
}

impl Entry {
    /// How it is named by messages that take it back.
    #[must_use]
    pub const fn original(&self) -> Original {
        Original {
            batch_no: self.batch_no,
            trace_no: self.trace_no,
        }
    }

    /// As settle/details names it.
    #[must_use]
    pub fn to_wire(&self) -> JournalEntry {
        JournalEntry {
            operation: self.operation,
            trace_no: self.trace_no,
            serial_no: self.serial_no,
            point_amount: self.point_amount,
            cash_amount: self.cash_amount,
            vouchers: self.vouchers.iter().map(Used::piece).collect(),
            tickets: self.tickets.iter().map(Used::piece).collect(),
        }
    }

    fn count(&self, totals: &mut Totals) {
        let used = || self.vouchers.iter().chain(&self.tickets);
        let pieces = used().map(|it| it.num).sum::<u32>();
        let value = used().map(Used::value).fold(0, i64::saturating_add);
        let value = Amount::new(value);
        totals.total_trans_count += 1;
        let mut debit = |points: u32| {
            totals.point_debit_count += points;
            totals.ticket_debit_count += pieces;
            add(&mut totals.ticket_debit_amount, value);
        };
        match self.operation {
            Operation::Consume | Operation::RefundCancel => {
                debit(1);
                add(&mut totals.point_debit_amount, self.point_amount);
            }
            Operation::TicketConsume => debit(0),
            Operation::Cancel | Operation::Refund => {
                totals.point_credit_count += 1;
                add(&mut totals.point_credit_amount, self.point_amount);
                totals.ticket_credit_count += pieces;
                add(&mut totals.ticket_credit_amount, value);
                totals.cancel_count += u32::from(self.operation == Operation::Cancel);
                totals.refund_count += u32::from(self.operation == Operation::Refund);
            }
            Operation::CardActive => totals.card_active_count += 1,
            Operation::Checkin
            | Operation::Cards
            | Operation::ConsumeReversal
            | Operation::CancelReversal
            | Operation::RefundReversal
            | Operation::RefundCancelReversal
            | Operation::Tickets
            | Operation::TicketConsumeReversal
            | Operation::SendVerifyCode
            | Operation::Settle
            | Operation::SettleDetails => {}
        }
    }
}

fn add(sum: &mut Amount, more: Amount) {
    *sum = Amount::new(sum.get().saturating_add(more.get()));
}

/// How many messages of closed batches are remembered, for refunds.
const PAST_MAX: usize = 200;

/// The approved messages of the open batch, and the last ones of those before, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    open: Vec<Entry>,
    #[serde(default)]
    past: Vec<Entry>,
}

impl Journal {
    /// The open batch's messages.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.open
    }

    /// Those of the open batch, then those before, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Entry> {
        self.open.iter().rev().chain(self.past.iter().rev())
    }

    /// Adds an approved message.
    pub fn add(&mut self, entry: Entry) {
        self.open.push(entry);
    }

    /// Takes a message out that was reversed; says whether it was there.
    pub fn take_out(&mut self, trace_no: TraceNo) -> Option<Entry> {
        let index = self.open.iter().position(|it| it.trace_no == trace_no)?;
        Some(self.open.remove(index))
    }

    /// Begins a batch: what was done is past.
    pub fn begin(&mut self) {
        self.past.append(&mut self.open);
        let surplus = self.past.len().saturating_sub(PAST_MAX);
        self.past.drain(..surplus);
    }

    /// What the open batch adds up to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.open.iter().for_each(|entry| entry.count(&mut totals));
        totals
    }

    /// Whether an approved message of either kind takes `original` back already.
    #[must_use]
    pub fn is_taken_back(&self, original: &Original) -> bool {
        self.taking_back(original).is_some()
    }

    fn taking_back(&self, original: &Original) -> Option<&Entry> {
        let mut takers = self.newest_first();
        takers.find(|it| {
            it.takes_back.as_ref() == Some(original) && !self.is_taken_back(&it.original())
        })
    }
}
