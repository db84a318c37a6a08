//! A wallet and a top-up provider with perfect memory and bad manners.
//!
//! | module | holds |
//! |---|---|
//! | [`book`] | what it charged and gave back |
//! | [`journey`] | the way of a call and of its answer: late, lost, or both |
//! | [`provider`] | top-ups |
//!
//! What it never does: say "not sent" of a call that arrived, or answer one serial in two ways at
//! the same time. What it may do: charge after it declined or reversed. Then it tells so until a
//! gateway has taken note, as wallets' notifications do.

pub mod book;
mod journey;
mod provider;

pub use provider::Provider;

use super::{node::Nodes, pulse::Pulse, world::World};
use crate::workers::events;
use book::{Account, Book, Refund, Stand};
use channels::{
    BoxFuture, Channel, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest, RefundRequest,
};
use domain::{
    channel::{Decline, NotSent, PayOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    ids::Serial,
    money::Fen,
    payment::Credential,
};
use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The wallet. It outlives every process.
pub struct Wallet {
    world: Arc<World>,
    nodes: Arc<Nodes>,
    book: Mutex<Book>,
}

/// The wallet as one process reaches it.
pub struct Line {
    wallet: Arc<Wallet>,
    pulse: Arc<Pulse>,
}

impl Wallet {
    /// A wallet that tells its news to `nodes`.
    #[must_use]
    pub fn new(world: &Arc<World>, nodes: &Arc<Nodes>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            nodes: Arc::clone(nodes),
            book: Mutex::default(),
        })
    }

    /// What it knows.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        // A panic in between leaves whole entries.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything was ever charged for `sale`.
    pub fn has_charged(&self, sale: &str) -> bool {
        let book = self.book();
        let of_sale = |it: &&Account| it.sale == sale;
        book.accounts
            .values()
            .filter(of_sale)
            .any(|it| it.charged > 0)
    }

    /// The payer of an order pays by the page, some time or never.
    pub fn payer_comes(self: &Arc<Self>, serial: Serial, after_ms: Range<u64>) {
        if !self.world.chooses(800) {
            return;
        }
        let may_tell = self.world.chooses(500);
        self.later(after_ms, move |wallet| wallet.payer_pays(serial, may_tell));
    }

    fn payer_pays(self: &Arc<Self>, serial: Serial, may_tell: bool) {
        let charged = {
            let mut book = self.book();
            let account = book.accounts.get_mut(&serial);
            let account = account.filter(|it| it.stand == Stand::Waiting);
            account.map(|account| account.charge(self.world.now()))
        };
        if charged.is_some() {
            self.note(serial, "the payer pays");
            if may_tell {
                self.tell(serial);
            }
        }
    }

    /// Charges what was declined or reversed before, and tells so until somebody listens.
    fn charge_all_the_same(self: &Arc<Self>, serial: Serial) {
        self.later(1..60_000, move |wallet| {
            let now = wallet.world.now();
            if let Some(account) = wallet.book().accounts.get_mut(&serial)
                && account.charged == 0
            {
                account.charge(now);
                account.too_late = true;
                account.late = true;
            } else {
                return;
            }
            wallet.world.count(|it| it.late_successes += 1);
            wallet.note(serial, "charged all the same");
            wallet.tell(serial);
        });
    }

    /// Tells the gateways that it charged `serial`, again and again until one has recorded it.
    fn tell(self: &Arc<Self>, serial: Serial) {
        let (wallet, busy) = (Arc::clone(self), self.world.busy());
        tokio::spawn(async move {
            loop {
                wallet.world.pass_ms(10..3_000).await;
                // What was taken may be told once more.
                if wallet.told(serial).await && wallet.world.chooses(700) {
                    break;
                }
            }
            drop(busy);
        });
    }

    async fn told(&self, serial: Serial) -> bool {
        let Some(life) = self.nodes.pick(&self.world) else {
            return false;
        };
        let receipt = {
            let book = self.book();
            book.accounts.get(&serial).map(|it| it.receipt(serial))
        };
        let Some(receipt) = receipt else { return true };
        let outcome = QueryOutcome::Paid(receipt);
        let recorded = events::record_outcome(&life.gateway, serial, outcome);
        let recorded = life.pulse.through(recorded).await;
        let taken = matches!(recorded, Some(Ok(())));
        self.note(serial, &format!("its news were taken: {taken}"));
        taken
    }

    fn later(self: &Arc<Self>, ms: Range<u64>, act: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let (wallet, busy) = (Arc::clone(self), self.world.busy());
        let ms = self.world.within(ms);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            act(&wallet);
            drop(busy);
        });
    }

    fn note(&self, serial: Serial, what: &str) {
        let sale = {
            let book = self.book();
            book.accounts.get(&serial).map(|it| it.sale.clone())
        };
        let sale = sale.unwrap_or_else(|| "[?]".to_owned());
        self.world
            .log("wallet", &format!("{sale} {serial}: {what}"));
    }

    fn fail(&self, serial: Serial, what: &str) {
        let sale = {
            let book = self.book();
            book.accounts.get(&serial).map(|it| it.sale.clone())
        };
        self.world
            .fail(sale.as_deref(), &format!("wallet, {serial}: {what}"));
    }
}

/// What arrives.
impl Wallet {
    fn pay_arrives(self: &Arc<Self>, request: &PayRequest) -> PayOutcome {
        let (serial, sale) = (request.serial, request.subject.clone());
        if let Some(stand) = self.known(serial, &sale, request.amount) {
            return self.pay_again(serial, stand);
        }
        let world = &self.world;
        let stand = if world.strikes(world.mix.declines) {
            Stand::Declined(Decline::InsufficientFunds)
        } else if world.strikes(world.mix.payer_waits) {
            Stand::Waiting
        } else {
            Stand::Charged
        };
        let mut account = Account::new(sale, request.amount, stand);
        match stand {
            Stand::Charged => account.charge(world.now()),
            Stand::Waiting | Stand::Declined(_) | Stand::Closed | Stand::Reversed => {}
        }
        self.book().accounts.insert(serial, account);
        self.note(
            serial,
            &format!("is asked to charge {}: {stand:?}", request.amount),
        );
        match stand {
            Stand::Waiting => self.payer_comes(serial, 500..40_000),
            Stand::Declined(_) if world.strikes(world.mix.contradicts) => {
                self.charge_all_the_same(serial);
            }
            Stand::Declined(_) | Stand::Charged | Stand::Closed | Stand::Reversed => {}
        }
        self.pay_again(serial, stand)
    }

    /// What the wallet has of `serial`; one that was only reversed so far is given its sale.
    fn known(&self, serial: Serial, sale: &str, amount: Fen) -> Option<Stand> {
        let mut book = self.book();
        let account = book.accounts.get_mut(&serial)?;
        if account.amount == Fen::ZERO {
            sale.clone_into(&mut account.sale);
            account.amount = amount;
        }
        let differs = account.amount != amount || account.sale != sale;
        let stand = account.stand;
        drop(book);
        if differs {
            self.fail(
                serial,
                &format!("one serial for two payments, again {sale} over {amount}"),
            );
        }
        Some(stand)
    }

    fn pay_again(self: &Arc<Self>, serial: Serial, stand: Stand) -> PayOutcome {
        match stand {
            Stand::Waiting => PayOutcome::Waiting,
            Stand::Declined(why) => PayOutcome::Declined(why),
            // The call crossed its own reversal.
            Stand::Closed => {
                if self.world.strikes(self.world.mix.contradicts) {
                    self.charge_all_the_same(serial);
                }
                PayOutcome::Declined(Decline::ByChannel)
            }
            Stand::Reversed => PayOutcome::Declined(Decline::ByChannel),
            Stand::Charged => {
                let book = self.book();
                let account = book.accounts.get(&serial);
                account.map_or(PayOutcome::Unknown, |it| {
                    PayOutcome::Paid(it.receipt(serial))
                })
            }
        }
    }

    fn prepare_arrives(&self, request: &PrepareRequest) -> PrepareOutcome {
        let (serial, sale) = (request.serial, request.subject.clone());
        let world = &self.world;
        match self.known(serial, &sale, request.amount) {
            Some(Stand::Waiting | Stand::Charged) => {}
            Some(Stand::Declined(why)) => return PrepareOutcome::Declined(why),
            Some(Stand::Closed | Stand::Reversed) => {
                return PrepareOutcome::Declined(Decline::ByChannel);
            }
            None if world.strikes(world.mix.declines / 2) => {
                let why = Decline::ByChannel;
                let account = Account::new(sale, request.amount, Stand::Declined(why));
                self.book().accounts.insert(serial, account);
                self.note(serial, "declines the order");
                return PrepareOutcome::Declined(why);
            }
            None => {
                let account = Account::new(sale, request.amount, Stand::Waiting);
                self.book().accounts.insert(serial, account);
                self.note(serial, &format!("opens an order over {}", request.amount));
            }
        }
        PrepareOutcome::Prepared(Credential::Link(format!("https://wallet.example/{serial}")))
    }

    fn query_arrives(&self, payment: PaymentAt) -> QueryOutcome {
        let book = self.book();
        let account = book.accounts.get(&payment.serial);
        let outcome = match account.map(|it| (it, it.stand)) {
            None => QueryOutcome::NotFound,
            Some((_, Stand::Waiting)) => QueryOutcome::Waiting,
            Some((_, Stand::Declined(why))) => QueryOutcome::Declined(why),
            Some((_, Stand::Closed | Stand::Reversed)) => {
                QueryOutcome::Declined(Decline::ByChannel)
            }
            Some((account, Stand::Charged)) => QueryOutcome::Paid(account.receipt(payment.serial)),
        };
        drop(book);
        self.note(
            payment.serial,
            &format!("is asked about it: {}", short(&outcome)),
        );
        outcome
    }

    fn reverse_arrives(self: &Arc<Self>, payment: PaymentAt) -> ReverseOutcome {
        let serial = payment.serial;
        let world = &self.world;
        let too_late = world.strikes(world.mix.too_late);
        let mut book = self.book();
        let new = || Account::new("[?]".to_owned(), Fen::ZERO, Stand::Closed);
        let account = book.accounts.entry(serial).or_insert_with(new);
        account.is_over = true;
        let outcome = match account.stand {
            Stand::Waiting | Stand::Declined(_) | Stand::Closed => {
                account.stand = match account.stand {
                    Stand::Waiting | Stand::Closed => Stand::Closed,
                    declined @ (Stand::Declined(_) | Stand::Charged | Stand::Reversed) => declined,
                };
                ReverseOutcome::Reversed(None)
            }
            Stand::Charged => {
                account.too_late |= too_late;
                if account.too_late {
                    ReverseOutcome::Paid(account.receipt(serial))
                } else {
                    account.stand = Stand::Reversed;
                    account.given_back = account.charged;
                    ReverseOutcome::Reversed(Some(account.receipt(serial)))
                }
            }
            Stand::Reversed => ReverseOutcome::Reversed(Some(account.receipt(serial))),
        };
        let crossed = account.stand == Stand::Closed && account.amount > Fen::ZERO;
        drop(book);
        let text = match &outcome {
            ReverseOutcome::Reversed(None) => "reversed, nothing had moved",
            ReverseOutcome::Reversed(Some(_)) => "reversed, the money went back",
            ReverseOutcome::Paid(_) => "too late to reverse",
            ReverseOutcome::Unknown => "unknown",
        };
        self.note(serial, text);
        if crossed && world.strikes(world.mix.contradicts) {
            self.charge_all_the_same(serial);
        }
        outcome
    }

    fn refund_arrives(&self, request: &RefundRequest) -> RefundOutcome {
        let world = &self.world;
        let refuses = world.strikes(world.mix.refund_refused);
        let waits = world.strikes(world.mix.refund_waits);
        let mut book = self.book();
        let Some(account) = book.accounts.get_mut(&request.payment) else {
            drop(book);
            self.fail(
                request.payment,
                "refund of a payment that it never heard of",
            );
            return RefundOutcome::Declined;
        };
        let earlier = account.refunds.get(&request.refund).copied();
        // Whose money a late charge is depends on who asks; refused once, it would be lost.
        let refuses = refuses && (account.is_over || !account.late);
        let said = match earlier.map(|it| it.said) {
            Some(RefundOutcome::Done) => RefundOutcome::Done,
            Some(RefundOutcome::Declined) if !account.is_over => RefundOutcome::Declined,
            Some(RefundOutcome::Waiting) if waits => RefundOutcome::Waiting,
            _ if refuses => RefundOutcome::Declined,
            None if waits => RefundOutcome::Waiting,
            Some(
                RefundOutcome::Waiting
                | RefundOutcome::Declined
                | RefundOutcome::NotSent(_)
                | RefundOutcome::Unknown,
            )
            | None => RefundOutcome::Done,
        };
        let amount = request.amount;
        account
            .refunds
            .insert(request.refund, Refund { amount, said });
        let is_new = earlier.is_none_or(|it| it.said != RefundOutcome::Done);
        let within = said != RefundOutcome::Done || !is_new || account.give_back(amount);
        let same = earlier.is_none_or(|it| it.amount == amount);
        drop(book);
        let refund = request.refund;
        self.note(
            request.payment,
            &format!("is asked to give back {amount} as {refund}: {said:?}"),
        );
        if !within {
            self.fail(request.payment, "gave back more than it charged");
        }
        if !same {
            self.fail(request.payment, "one serial for refunds of two amounts");
        }
        said
    }
}

const fn short(outcome: &QueryOutcome) -> &'static str {
    match outcome {
        QueryOutcome::Paid(_) => "paid",
        QueryOutcome::Declined(_) => "declined",
        QueryOutcome::Waiting => "waiting",
        QueryOutcome::NotFound => "never heard of",
        QueryOutcome::Unknown => "unknown",
    }
}

impl Line {
    /// The wallet as the process of `pulse` reaches it.
    #[must_use]
    pub fn new(wallet: &Arc<Wallet>, pulse: &Arc<Pulse>) -> Arc<Self> {
        Arc::new(Self {
            wallet: Arc::clone(wallet),
            pulse: Arc::clone(pulse),
        })
    }

    fn cannot_send(&self, serial: Serial) -> bool {
        let strikes = self.wallet.world.strikes(self.wallet.world.mix.not_sent);
        if strikes {
            self.wallet.note(serial, "cannot be reached");
        }
        strikes
    }
}

impl Channel for Line {
    fn name(&self) -> &str {
        "simulated"
    }

    fn pay(&self, request: PayRequest) -> BoxFuture<'_, PayOutcome> {
        Box::pin(async move {
            let serial = request.serial;
            if self.cannot_send(serial) {
                return PayOutcome::NotSent(NotSent::Connect);
            }
            let act = move |wallet: &Arc<Wallet>| wallet.pay_arrives(&request);
            self.call(serial, "pay", act)
                .await
                .unwrap_or(PayOutcome::Unknown)
        })
    }

    fn prepare(&self, request: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        Box::pin(async move {
            let serial = request.serial;
            if self.cannot_send(serial) {
                return PrepareOutcome::NotSent(NotSent::Connect);
            }
            let act = move |wallet: &Arc<Wallet>| wallet.prepare_arrives(&request);
            let answer = self.call(serial, "prepare", act).await;
            answer.unwrap_or(PrepareOutcome::Unknown)
        })
    }

    fn query(&self, payment: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        Box::pin(async move {
            let act = move |wallet: &Arc<Wallet>| wallet.query_arrives(payment);
            let answer = self.call(payment.serial, "query", act).await;
            answer.unwrap_or(QueryOutcome::Unknown)
        })
    }

    fn reverse(&self, payment: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        Box::pin(async move {
            let act = move |wallet: &Arc<Wallet>| wallet.reverse_arrives(payment);
            let answer = self.call(payment.serial, "reverse", act).await;
            answer.unwrap_or(ReverseOutcome::Unknown)
        })
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        Box::pin(async move {
            let serial = request.payment;
            if self.cannot_send(serial) {
                return RefundOutcome::NotSent(NotSent::Connect);
            }
            let act = move |wallet: &Arc<Wallet>| wallet.refund_arrives(&request);
            let answer = self.call(serial, "refund", act).await;
            answer.unwrap_or(RefundOutcome::Unknown)
        })
    }
}
