//! A channel that stands in for every other one and moves no money.
//!
//! | last two digits of the payer's code | what happens |
//! |---|---|
//! | `01` | the customer confirms after 6 s |
//! | `02` | declined: insufficient funds |
//! | `03` | the customer never confirms |
//! | `04` | charged, but the answer times out |
//! | `05` | not charged, and the answer times out; asked later, the channel never heard of it |
//! | `06` | declined: expired code |
//! | `07` | not charged, HTTP 500; asked, HTTP 500 again; asked once more, paid |
//! | `08` | waits; paid only after a cancel reached it |
//! | all else | paid at once |
//!
//! Orders that the payer pays by themselves wait for [`Sandbox::act`] and close when they expire.
//! Refunds of amounts that end in 98 fen are waiting first and done when asked again; those that
//! end in 97 fen are refused. Top-ups are done after 1 s, and fail for numbers ending in 0000.
//!
//! One gateway may have the sandbox inside its own process. Several share one that runs as a
//! process of its own and is spoken to over HTTP: [`interface`] is what both sides say, and
//! [`RemoteSandbox`] the gateway's side.
//!
//! The sandbox plays somebody else's computer, so it keeps what it was told in a [`Memory`] of its
//! own, which outlives the gateway's process. It forgets the oldest finished payments beyond
//! 200,000. Asked to refund a payment that it does not know, it takes the gateway's word that it
//! was charged; asked to reverse one, it makes sure that it never will be.

mod account;
mod book;
mod credential;
pub mod interface;
mod journal;
mod memory;
mod page;
mod receipt;
mod remote;
mod top_up;
mod trigger;

#[cfg(test)]
mod tests;

pub use account::Account;
pub use journal::Journal;
pub use memory::{InMemory, Living, Memory, Record};
pub use page::{ActResult, ChannelEvent, PayerAction, SandboxOrder, SandboxState};
pub use remote::{News, NewsError, RemoteSandbox, SandboxUrl};
pub use top_up::TopUp;

use crate::contract::{
    BoxFuture, Channel, Clock, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest, RefundRequest,
};
use account::{Order, State, Word};
use book::Book;
use credential::credential;
use domain::{
    channel::{ChannelNo, Decline, NotSent, PayOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    ids::Serial,
    money::Fen,
    payment::Flow,
    time::UnixMs,
};
use receipt::receipt;
use std::{io, sync::Arc, time::Duration};
use tokio::sync::broadcast;
use trigger::Trigger;

const NAME: &str = "sandbox";
/// How many events a slow listener may be behind.
const EVENTS_MAX: usize = 1024;

/// The channel numbers that the sandbox stands in for: every wallet, bank and card network of the
/// source's appendix 2.
pub const SANDBOX_CHANNELS: [ChannelNo; 11] = [
    ChannelNo(1),
    ChannelNo(2),
    ChannelNo(3),
    ChannelNo(5),
    ChannelNo(9),
    ChannelNo(10),
    ChannelNo(24),
    ChannelNo(27),
    ChannelNo(31),
    ChannelNo(32),
    ChannelNo(34),
];

/// How the sandbox behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxConfig {
    /// How long every answer takes. Zero sets no timer at all.
    pub latency: Duration,
    /// After how long codes `04` and `05` are given up, as the caller would.
    pub timeout: Duration,
    /// What stands before `/sandbox/pay/{serial}` in links to the payer's page.
    pub base_url: String,
}

impl Default for SandboxConfig {
    /// Answers at once; timeouts take 300 ms.
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            timeout: Duration::from_millis(300),
            base_url: "http://127.0.0.1:8080".to_owned(),
        }
    }
}

/// What the sandbox took from a payer and gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Taken from the payer.
    pub charged: Fen,
    /// Given back or on its way back.
    pub given_back: Fen,
}

/// The pretended channel, and the pretended provider of top-ups.
pub struct Sandbox {
    clock: Clock,
    config: SandboxConfig,
    book: Book,
    events: broadcast::Sender<ChannelEvent>,
}

impl Sandbox {
    /// A sandbox that remembers what `memory` holds.
    ///
    /// # Errors
    /// When the memory cannot be read or written.
    pub fn new(clock: Clock, config: SandboxConfig, memory: Arc<dyn Memory>) -> io::Result<Self> {
        Ok(Self {
            clock,
            config,
            book: Book::open(memory)?,
            events: broadcast::Sender::new(EVENTS_MAX),
        })
    }

    /// What was taken and given back for `serial`: the witness against the gateway's own books.
    /// `None` when the sandbox never heard of it, or has forgotten it.
    #[must_use]
    pub fn held(&self, serial: Serial) -> Option<Held> {
        let now = self.now();
        self.book.edit(serial, |slot| {
            let account = slot.as_mut()?;
            account.settle(now);
            let charged = account.charged();
            let given_back = charged.checked_sub(account.remainder())?;
            Some(Held {
                charged,
                given_back,
            })
        })
    }

    /// The refunds of `serial` that were made or are on their way, oldest first: the gateway's
    /// number of each, and how much.
    #[must_use]
    pub fn refunds(&self, serial: Serial) -> Vec<(Serial, Fen)> {
        self.book.edit(serial, |slot| {
            let refunds = slot.iter().flat_map(|account| &account.refunds);
            refunds.map(|it| (it.serial, it.amount)).collect()
        })
    }

    fn now(&self) -> UnixMs {
        (self.clock)()
    }

    /// Lets the configured latency pass.
    async fn take_time(&self) {
        if !self.config.latency.is_zero() {
            tokio::time::sleep(self.config.latency).await;
        }
    }

    fn charge(&self, request: &PayRequest, trigger: Trigger) -> PayOutcome {
        let (serial, now) = (request.serial, self.now());
        let opened = trigger
            .state(now)
            .map(|state| Account::new(request.channel, request.amount, state));
        if opened.as_ref().is_some_and(|new| !new.is_finished()) && self.book.is_full(serial) {
            return PayOutcome::NotSent(NotSent::Unavailable);
        }
        self.book.edit(serial, |slot| {
            if let Some(known) = slot {
                let word = known.ask(now);
                return pay_outcome(serial, known, word);
            }
            *slot = opened;
            match slot {
                Some(new) if !trigger.is_unanswered() => {
                    let word = new.ask(now);
                    pay_outcome(serial, new, word)
                }
                Some(_) | None => PayOutcome::Unknown,
            }
        })
    }

    fn open_order(&self, request: PrepareRequest) -> PrepareOutcome {
        let (serial, now) = (request.serial, self.now());
        if request.flow == Flow::PayerCode {
            return PrepareOutcome::Declined(Decline::ByChannel);
        }
        if self.book.is_full(serial) {
            return PrepareOutcome::NotSent(NotSent::Unavailable);
        }
        self.book.edit(serial, |slot| {
            let account = slot.get_or_insert_with(|| ordered(request, now));
            account.settle(now);
            self.prepared(serial, account)
        })
    }

    fn prepared(&self, serial: Serial, account: &Account) -> PrepareOutcome {
        let refused = PrepareOutcome::Declined(Decline::ByChannel);
        match account.state {
            State::Unpaid | State::Paid(_) => account
                .order
                .as_ref()
                .and_then(|order| credential(serial, order, &self.config.base_url))
                .map_or(refused, PrepareOutcome::Prepared),
            State::Declined(why) => PrepareOutcome::Declined(why),
            State::Confirms(_)
            | State::Silent
            | State::Failing(_)
            | State::PaysOnCancel
            | State::Closed
            | State::Returned(_) => refused,
        }
    }

    fn undo(&self, payment: PaymentAt) -> ReverseOutcome {
        let (serial, now) = (payment.serial, self.now());
        self.book.edit(serial, |slot| {
            // A payment never heard of stays in the books as closed: if its charge is still on
            // the way, it must find a closed door.
            let account = slot.get_or_insert_with(|| {
                Account::new(payment.channel, payment.amount, State::Closed)
            });
            let charged_at = account.reverse(now);
            ReverseOutcome::Reversed(charged_at.map(|at| receipt(serial, account, at)))
        })
    }

    fn give_back(&self, request: &RefundRequest) -> RefundOutcome {
        let now = self.now();
        self.book.edit(request.payment, |slot| {
            // A payment not in the books was charged too long ago, or just before a crash.
            let account = slot.get_or_insert_with(|| {
                Account::new(request.channel, request.payment_amount, State::Paid(now))
            });
            account.refund(request.refund, request.amount, now)
        })
    }
}

fn ordered(request: PrepareRequest, now: UnixMs) -> Account {
    let mut account = Account::new(request.channel, request.amount, State::Unpaid);
    account.order = Some(Box::new(Order {
        flow: request.flow,
        subject: request.subject,
        created_at: now,
        expires_at: request.expires_at,
        payer_open_id: request.payer_open_id,
        payer_app_id: request.payer_app_id,
    }));
    account
}

fn pay_outcome(serial: Serial, account: &Account, word: Word) -> PayOutcome {
    match word {
        Word::Paid(at) => PayOutcome::Paid(receipt(serial, account, at)),
        Word::Declined(why) => PayOutcome::Declined(why),
        Word::Waiting => PayOutcome::Waiting,
        Word::Failed => PayOutcome::Unknown,
    }
}

fn query_outcome(serial: Serial, account: &Account, word: Word) -> QueryOutcome {
    match word {
        Word::Paid(at) => QueryOutcome::Paid(receipt(serial, account, at)),
        Word::Declined(why) => QueryOutcome::Declined(why),
        Word::Waiting => QueryOutcome::Waiting,
        Word::Failed => QueryOutcome::Unknown,
    }
}

impl Channel for Sandbox {
    fn name(&self) -> &str {
        NAME
    }

    fn pay(&self, request: PayRequest) -> BoxFuture<'_, PayOutcome> {
        Box::pin(async move {
            self.take_time().await;
            let trigger = Trigger::of(&request.payer_code);
            let outcome = self.charge(&request, trigger);
            if trigger.times_out() {
                tokio::time::sleep(self.config.timeout).await;
            }
            outcome
        })
    }

    fn prepare(&self, request: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        Box::pin(async move {
            self.take_time().await;
            self.open_order(request)
        })
    }

    fn query(&self, payment: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        Box::pin(async move {
            self.take_time().await;
            let (serial, now) = (payment.serial, self.now());
            self.book.edit(serial, |slot| match slot {
                Some(account) => {
                    let word = account.ask(now);
                    query_outcome(serial, account, word)
                }
                None => QueryOutcome::NotFound,
            })
        })
    }

    fn reverse(&self, payment: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        Box::pin(async move {
            self.take_time().await;
            self.undo(payment)
        })
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        Box::pin(async move {
            self.take_time().await;
            self.give_back(&request)
        })
    }
}
