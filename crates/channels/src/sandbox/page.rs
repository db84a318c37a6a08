//! The payer's side of an order: the page behind the QR code.

use super::{
    Sandbox,
    account::{Account, State},
    credential::page,
    receipt::receipt,
};
use domain::{
    channel::{ChannelNo, Decline, Receipt},
    ids::Serial,
    money::Fen,
    payment::Flow,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// What a payer does on the page of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayerAction {
    /// Pays.
    Pay,
    /// Says no.
    Decline,
}

/// What a payer's action did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActResult {
    /// It counts; the order as it is now.
    Done(SandboxOrder),
    /// The order was paid or declined before; nothing changed.
    Already(SandboxOrder),
    /// The order is over: expired, cancelled or given back.
    Closed,
    /// There is no such order.
    Unknown,
}

/// An order as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxOrder {
    /// The gateway's number of the payment.
    pub serial: Serial,
    /// Which channel is pretended.
    pub channel: ChannelNo,
    /// How payer and merchant meet.
    pub flow: Flow,
    /// How much.
    pub amount: Fen,
    /// What is being paid for.
    pub subject: String,
    /// When it closes unpaid.
    pub expires_at: UnixMs,
    /// Where it stands.
    pub state: SandboxState,
}

/// Where an order stands, as its page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxState {
    /// Waits for its payer.
    Unpaid,
    /// Paid.
    Paid,
    /// The payer said no.
    Declined,
    /// Expired or cancelled.
    Closed,
    /// Paid, and given back by a cancel.
    Returned,
}

/// What the channel tells by itself, as wallets notify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelEvent {
    /// The payer paid.
    Paid {
        /// The gateway's number of the payment.
        serial: Serial,
        /// The channel's word.
        receipt: Receipt,
    },
    /// The payer will not pay.
    Declined {
        /// The gateway's number of the payment.
        serial: Serial,
        /// Why.
        why: Decline,
    },
}

impl Sandbox {
    /// The payer of the order `serial` acts. Whoever listens to [`Sandbox::events`] learns of it.
    pub fn act(&self, serial: Serial, action: PayerAction) -> ActResult {
        let now = self.now();
        let (result, event) = self.book.edit(serial, |slot| match slot {
            Some(account) => act_on(serial, account, action, now),
            None => (ActResult::Unknown, None),
        });
        if let Some(event) = event {
            // Nobody listening is fine: the gateway also asks.
            let _ = self.events.send(event);
        }
        result
    }

    /// The order `serial`; `None` for a payer's code or a serial never heard of.
    #[must_use]
    pub fn order(&self, serial: Serial) -> Option<SandboxOrder> {
        let now = self.now();
        self.book.edit(serial, |slot| {
            let account = slot.as_mut()?;
            account.settle(now);
            shown(serial, account)
        })
    }

    /// Where the payer of `serial` pays or declines: what a QR code of the order says.
    #[must_use]
    pub fn page(&self, serial: Serial) -> String {
        page(serial, &self.config.base_url)
    }

    /// What payers do from now on. A receiver that falls more than 1024 events behind loses the
    /// oldest, and finds out about them by asking.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ChannelEvent> {
        self.events.subscribe()
    }
}

fn act_on(
    serial: Serial,
    account: &mut Account,
    action: PayerAction,
    now: UnixMs,
) -> (ActResult, Option<ChannelEvent>) {
    account.settle(now);
    let unpaid = account.state == State::Unpaid;
    let mut event = None;
    if unpaid {
        event = Some(decide(serial, account, action, now));
    }
    let Some(order) = shown(serial, account) else {
        return (ActResult::Unknown, None);
    };
    let result = match order.state {
        SandboxState::Paid | SandboxState::Declined if !unpaid => ActResult::Already(order),
        SandboxState::Unpaid | SandboxState::Paid | SandboxState::Declined => {
            ActResult::Done(order)
        }
        SandboxState::Closed | SandboxState::Returned => ActResult::Closed,
    };
    (result, event)
}

fn decide(serial: Serial, account: &mut Account, action: PayerAction, now: UnixMs) -> ChannelEvent {
    match action {
        PayerAction::Pay => {
            account.state = State::Paid(now);
            let receipt = receipt(serial, account, now);
            ChannelEvent::Paid { serial, receipt }
        }
        PayerAction::Decline => {
            let why = Decline::ByPayer;
            account.state = State::Declined(why);
            ChannelEvent::Declined { serial, why }
        }
    }
}

fn shown(serial: Serial, account: &Account) -> Option<SandboxOrder> {
    let order = account.order.as_ref()?;
    let state = match account.state {
        State::Confirms(_)
        | State::Silent
        | State::Failing(_)
        | State::PaysOnCancel
        | State::Unpaid => SandboxState::Unpaid,
        State::Declined(_) => SandboxState::Declined,
        State::Closed => SandboxState::Closed,
        State::Paid(_) => SandboxState::Paid,
        State::Returned(_) => SandboxState::Returned,
    };
    Some(SandboxOrder {
        serial,
        channel: account.channel,
        flow: order.flow,
        amount: account.amount,
        subject: order.subject.clone(),
        expires_at: order.expires_at,
        state,
    })
}
