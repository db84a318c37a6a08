//! One payment as the pretended channel keeps it, and how it changes. Pure: no clock, no lock.

use domain::{
    channel::{ChannelNo, Decline, RefundOutcome},
    ids::Serial,
    money::Fen,
    payment::Flow,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// One payment at the pretended channel. Field names are short because the journal repeats them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Which channel is pretended.
    #[serde(rename = "c")]
    pub(super) channel: ChannelNo,
    /// How much the payer is to pay.
    #[serde(rename = "a")]
    pub(super) amount: Fen,
    /// Where it stands.
    #[serde(rename = "s")]
    pub(super) state: State,
    /// The order behind it, when the payer pays by themselves.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<Box<Order>>,
    /// What went back, or is on its way.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) refunds: Vec<Refund>,
}

/// Where a payment stands at the pretended channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// The customer confirms at this time.
    #[serde(rename = "w")]
    Confirms(UnixMs),
    /// The customer never confirms.
    #[serde(rename = "n")]
    Silent,
    /// So many more questions fail; then it is paid.
    #[serde(rename = "f")]
    Failing(u8),
    /// Paid when a cancel arrives.
    #[serde(rename = "l")]
    PaysOnCancel,
    /// An order that waits for its payer.
    #[serde(rename = "u")]
    Unpaid,
    /// Refused.
    #[serde(rename = "d")]
    Declined(Decline),
    /// Over without a charge.
    #[serde(rename = "c")]
    Closed,
    /// Charged at this time.
    #[serde(rename = "p")]
    Paid(UnixMs),
    /// Charged at this time; all of it was given back by a cancel.
    #[serde(rename = "r")]
    Returned(UnixMs),
}

/// The order behind a payment that the payer makes by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// How payer and merchant meet.
    #[serde(rename = "f")]
    pub(super) flow: Flow,
    /// What is being paid for.
    #[serde(rename = "s")]
    pub(super) subject: String,
    /// When it was opened.
    #[serde(rename = "t")]
    pub(super) created_at: UnixMs,
    /// When it closes unpaid.
    #[serde(rename = "x")]
    pub(super) expires_at: UnixMs,
    /// The payer as known in the merchant's application.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(super) payer_open_id: Option<String>,
    /// The application the payer is known in.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(super) payer_app_id: Option<String>,
}

/// Money on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refund {
    /// The gateway's number of the refund.
    #[serde(rename = "n")]
    pub(super) serial: Serial,
    /// How much.
    #[serde(rename = "a")]
    pub(super) amount: Fen,
}

/// What the pretended channel says when asked about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Charged at this time.
    Paid(UnixMs),
    /// Not charged, for good.
    Declined(Decline),
    /// Not charged yet.
    Waiting,
    /// HTTP 500.
    Failed,
}

/// Refunds of amounts that end in these fen are refused.
const REFUND_DECLINED_FEN: i64 = 97;
/// Refunds of amounts that end in these fen are waiting first and done when asked again.
const REFUND_WAITING_FEN: i64 = 98;

impl Account {
    /// A payment in `state`, without an order.
    pub(super) const fn new(channel: ChannelNo, amount: Fen, state: State) -> Self {
        Self {
            channel,
            amount,
            state,
            order: None,
            refunds: Vec::new(),
        }
    }

    /// Whether only refunds can still change it.
    pub(super) const fn is_finished(&self) -> bool {
        match self.state {
            State::Declined(_) | State::Closed | State::Paid(_) | State::Returned(_) => true,
            State::Confirms(_)
            | State::Silent
            | State::Failing(_)
            | State::PaysOnCancel
            | State::Unpaid => false,
        }
    }

    /// Lets happen what time alone makes happen.
    pub(super) fn settle(&mut self, now: UnixMs) {
        let expired = self.order.as_ref().is_some_and(|o| o.expires_at <= now);
        match self.state {
            State::Confirms(at) if at <= now => self.state = State::Paid(at),
            State::Unpaid if expired => self.state = State::Closed,
            State::Confirms(_)
            | State::Silent
            | State::Failing(_)
            | State::PaysOnCancel
            | State::Unpaid
            | State::Declined(_)
            | State::Closed
            | State::Paid(_)
            | State::Returned(_) => {}
        }
    }

    /// Answers "what became of it?".
    pub(super) fn ask(&mut self, now: UnixMs) -> Word {
        self.settle(now);
        match self.state {
            State::Failing(left) if left > 0 => {
                self.state = State::Failing(left - 1);
                Word::Failed
            }
            State::Failing(_) => {
                self.state = State::Paid(now);
                Word::Paid(now)
            }
            State::Confirms(_) | State::Silent | State::PaysOnCancel | State::Unpaid => {
                Word::Waiting
            }
            State::Declined(why) => Word::Declined(why),
            State::Closed | State::Returned(_) => Word::Declined(Decline::ByChannel),
            State::Paid(at) => Word::Paid(at),
        }
    }

    /// Makes sure that nothing stays charged; answers when it had been charged, if it had.
    pub(super) fn reverse(&mut self, now: UnixMs) -> Option<UnixMs> {
        self.settle(now);
        match self.state {
            State::Confirms(_) | State::Silent | State::Failing(_) | State::Unpaid => {
                self.state = State::Closed;
                None
            }
            State::PaysOnCancel => {
                self.state = State::Paid(now);
                None
            }
            State::Declined(_) | State::Closed => None,
            State::Paid(at) => {
                self.state = State::Returned(at);
                Some(at)
            }
            State::Returned(at) => Some(at),
        }
    }

    /// Gives back `amount` under the number `refund`, once.
    pub(super) fn refund(&mut self, refund: Serial, amount: Fen, now: UnixMs) -> RefundOutcome {
        self.settle(now);
        if let Some(known) = self.refunds.iter().find(|known| known.serial == refund) {
            return if known.amount == amount {
                RefundOutcome::Done
            } else {
                RefundOutcome::Declined
            };
        }
        let fen = amount.get() % 100;
        if amount <= Fen::ZERO || amount > self.remainder() || fen == REFUND_DECLINED_FEN {
            return RefundOutcome::Declined;
        }
        let serial = refund;
        self.refunds.push(Refund { serial, amount });
        if fen == REFUND_WAITING_FEN {
            RefundOutcome::Waiting
        } else {
            RefundOutcome::Done
        }
    }

    /// What was taken from the payer.
    pub(super) const fn charged(&self) -> Fen {
        match self.state {
            State::Paid(_) | State::Returned(_) => self.amount,
            State::Confirms(_)
            | State::Silent
            | State::Failing(_)
            | State::PaysOnCancel
            | State::Unpaid
            | State::Declined(_)
            | State::Closed => Fen::ZERO,
        }
    }

    /// What can still be given back.
    pub(super) fn remainder(&self) -> Fen {
        if !matches!(self.state, State::Paid(_)) {
            return Fen::ZERO;
        }
        self.refunds.iter().fold(self.amount, |rest, refund| {
            rest.checked_sub(refund.amount).unwrap_or(Fen::ZERO)
        })
    }
}
