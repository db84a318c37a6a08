//! The wallet's own memory, which is perfect: what it charged and what it gave back.

use domain::{
    channel::{Decline, FundBill, FundSource, Receipt, RechargeOutcome, RefundOutcome},
    ids::Serial,
    money::Fen,
    time::UnixMs,
};
use std::collections::BTreeMap;

/// Everything the wallet knows.
#[derive(Default)]
pub struct Book {
    /// Payments by the gateway's number.
    pub accounts: BTreeMap<Serial, Account>,
    /// Top-ups by the gateway's number.
    pub top_ups: BTreeMap<Serial, RechargeOutcome>,
}

/// Where a payment stands at the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// The payer has still to act.
    Waiting,
    /// Refused.
    Declined(Decline),
    /// Reversed before any money moved, perhaps before the wallet heard of it.
    Closed,
    /// Charged.
    Charged,
    /// Charged, and given back whole by a reversal.
    Reversed,
}

/// A payment at the wallet.
pub struct Account {
    /// What it is for: the sale's tag.
    pub sale: String,
    /// How much; zero while only a reversal was heard of.
    pub amount: Fen,
    /// Where it stands.
    pub stand: Stand,
    /// Charged so far, in fen.
    pub charged: i64,
    /// Given back so far, in fen.
    pub given_back: i64,
    /// When it was charged.
    pub paid_at: UnixMs,
    /// A reversal was asked for: only a gateway that returns nobody's money asks for its refund,
    /// and it asks until that is done.
    pub is_over: bool,
    /// Too late to be reversed: it must be refunded.
    pub too_late: bool,
    /// Charged after it had been declined or reversed.
    pub late: bool,
    /// Refunds by the gateway's number.
    pub refunds: BTreeMap<Serial, Refund>,
}

/// A refund at the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// How much.
    pub amount: Fen,
    /// What the wallet says to it.
    pub said: RefundOutcome,
}

impl Account {
    /// A payment of `amount` that stands so.
    pub const fn new(sale: String, amount: Fen, stand: Stand) -> Self {
        Self {
            sale,
            amount,
            stand,
            charged: 0,
            given_back: 0,
            paid_at: UnixMs(0),
            is_over: false,
            too_late: false,
            late: false,
            refunds: BTreeMap::new(),
        }
    }

    /// Takes the money.
    pub fn charge(&mut self, now: UnixMs) {
        self.stand = Stand::Charged;
        self.charged += self.amount.get();
        self.paid_at = now;
    }

    /// What the wallet holds of it, in fen.
    pub const fn held(&self) -> i64 {
        self.charged - self.given_back
    }

    /// The wallet's word that it was charged.
    pub fn receipt(&self, serial: Serial) -> Receipt {
        Receipt {
            channel_serial: format!("W{serial}"),
            paid_at: self.paid_at,
            bills: vec![FundBill {
                source: FundSource(1),
                amount: self.amount,
            }],
            buyer_id: None,
            channel_result: None,
        }
    }

    /// Settles a refund that was not refused; false when more would go back than was charged.
    pub fn give_back(&mut self, amount: Fen) -> bool {
        self.given_back += amount.get();
        self.given_back <= self.charged
    }
}
