//! The promises, checked payment by payment.

use super::{
    Moment,
    facts::{Acknowledged, Answer, Fact, Owner, Told, TopUp},
    messages::Judged,
};
use crate::audit::{Judge, Subject};
use domain::{
    ids::{ClaimKey, ClaimSpace, Serial, TenantId},
    loyalty::{
        document::Document,
        trans::{Trans, TransNo, TransState},
    },
    money::Fen,
    notification::{Delivery, Notification},
    payment::{End, Payment, PaymentState},
    recharge::{Recharge, RechargeState},
    refund::{Origin, Refund, RefundState},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What clients rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// What was acknowledged is recorded, with the amount and under the number that was told.
    Recorded,
    /// What is recorded was asked for, by a request that was not refused.
    Asked,
    /// A number that was told names one thing.
    SerialOnce,
    /// A merchant's number names one payment, one refund.
    NumberOnce,
    /// Paid stays paid unless it was refunded or cancelled.
    PaidStays,
    /// A payment that was refused keeps no money.
    NotCharged,
    /// A payment whose cancellation was acknowledged is cancelled.
    Cancelled,
    /// A refund that was done stays done; no more goes back than was paid.
    Refunded,
    /// A till's message whose reversal is through does not stand.
    Undone,
    /// At rest nothing is open, no work is left and no message waits.
    AtRest,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// Whose, such as `payment S-17 of merchant 3`; the number is the client's own.
    pub subject: String,
    /// What was told and what the rows say instead.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}: {}", self.promise, self.subject, self.found)
    }
}

pub(super) struct Promises<'a> {
    acknowledged: &'a Acknowledged,
    moment: Moment,
    /// Merchants whose clients noted what they asked for.
    owners: BTreeSet<Owner>,
    /// Every refund by its payment; only those of payments.
    refunds: BTreeMap<Serial, Vec<Refund>>,
    refund_keys: BTreeSet<ClaimKey>,
    /// The payments and top-ups that were found.
    found: BTreeSet<ClaimKey>,
    /// The acknowledged transactions on cards that were found.
    trans_found: BTreeSet<(TenantId, TransNo)>,
    messages: Judged<'a>,
    broken: Vec<Broken>,
}

impl<'a> Promises<'a> {
    pub fn new(acknowledged: &'a Acknowledged, moment: Moment) -> Self {
        let payments = acknowledged.payments.values().map(|told| told.owner);
        let top_ups = acknowledged.top_ups.values().map(|told| told.owner);
        Self {
            acknowledged,
            moment,
            owners: payments.chain(top_ups).collect(),
            refunds: BTreeMap::new(),
            refund_keys: BTreeSet::new(),
            found: BTreeSet::new(),
            trans_found: BTreeSet::new(),
            messages: Judged::new(&acknowledged.messages, moment),
            broken: Vec::new(),
        }
    }

    /// Checks what only the whole shows.
    pub fn finish(mut self) -> Vec<Broken> {
        let acknowledged = self.acknowledged;
        for (key, told) in &acknowledged.payments {
            self.unless(
                self.found.contains(key) || !told.is_promised(),
                told,
                || {
                    (
                        Promise::Recorded,
                        format!("{:?}, and not there", told.facts),
                    )
                },
            );
        }
        for (key, told) in &acknowledged.top_ups {
            let promised = told.facts.iter().any(|it| it.answer.promises());
            self.unless(self.found.contains(key) || !promised, told, || {
                (
                    Promise::Recorded,
                    format!("{:?}, and not there", told.facts),
                )
            });
        }
        for (tenant, number) in acknowledged.trans.difference(&self.trans_found.clone()) {
            let found = "acknowledged, and not carried out".to_owned();
            self.add(Promise::Recorded, trans_name(*tenant, *number), found);
        }
        self.check_serials();
        self.broken.extend(self.messages.finish());
        self.broken
    }

    /// What was undone or given back since was carried out all the same.
    fn check_trans(&mut self, trans: &Trans) {
        self.messages.check(trans);
        let is_done = match trans.state {
            TransState::Approved | TransState::Reversed(_) | TransState::GivenBack(_) => true,
            TransState::Declined(_) | TransState::Tombstone => false,
        };
        let number = trans.number.filter(|_| is_done);
        self.trans_found.extend(number.map(|it| (trans.tenant, it)));
    }

    /// Every number handed out, by what it was handed out for.
    fn check_serials(&mut self) {
        let acknowledged = self.acknowledged;
        let mut named: BTreeMap<Serial, String> = BTreeMap::new();
        let payments = acknowledged.payments.values().flat_map(|told| {
            let serials = told.pays().filter_map(|(_, _, serial)| serial);
            serials.map(|serial| (serial, told.name()))
        });
        let top_ups = acknowledged.top_ups.values().flat_map(|told| {
            let serials = told.facts.iter().filter_map(|it| it.serial);
            serials.map(|serial| (serial, told.name()))
        });
        for (serial, name) in payments.chain(top_ups) {
            let earlier = named.entry(serial).or_insert_with(|| name.clone());
            if *earlier != name {
                let found = format!("was told {serial}, as was {earlier}");
                self.add(Promise::SerialOnce, name, found);
            }
        }
    }

    fn check_payment(&mut self, payment: &Payment) {
        let owner = (payment.tenant, payment.merchant);
        let number = payment.merchant_serial.as_str();
        let name = name("payment", number, owner);
        let key = ClaimKey::of(owner.0, owner.1, ClaimSpace::Payment, number);
        let twice = !self.found.insert(key) || key != payment.key;
        if twice {
            let found = format!("{} is not the only payment of its number", payment.serial);
            self.add(Promise::NumberOnce, name.clone(), found);
        }
        let refunds = self.refunds.remove(&payment.serial).unwrap_or_default();
        let Some(told) = self.acknowledged.payments.get(&key) else {
            if self.owners.contains(&owner) {
                let found = format!("{} was never asked for", payment.serial);
                self.add(Promise::Asked, name, found);
            }
            return;
        };
        let mut of = Checked {
            payment,
            refunds,
            told,
            broken: &mut self.broken,
        };
        of.check_begin();
        of.check_money();
        of.check_refunds();
    }

    fn check_top_up(&mut self, recharge: &Recharge) {
        self.found.insert(recharge.key);
        let owner = (recharge.tenant, recharge.merchant);
        let Some(told) = self.acknowledged.top_ups.get(&recharge.key) else {
            if self.owners.contains(&owner) {
                let name = name("top-up", &recharge.serial.to_string(), owner);
                self.add(Promise::Asked, name, "was never asked for".to_owned());
            }
            return;
        };
        let failed = matches!(recharge.state, RechargeState::Failed(..));
        let asked = |it: &TopUp| it.data_mb == recharge.data_mb && it.answer.explains(failed);
        self.unless(told.facts.iter().any(asked), told, || {
            (Promise::Asked, format!("{:?}: {recharge:?}", told.facts))
        });
        let same = |it: &TopUp| it.serial.is_none_or(|serial| serial == recharge.serial);
        let kept = |it: &TopUp| same(it) && !(it.answer == Answer::Done && failed);
        self.unless(told.facts.iter().all(kept), told, || {
            (Promise::Recorded, format!("{:?}: {recharge:?}", told.facts))
        });
    }

    fn check_rest(&mut self, subject: &Subject) {
        let waits = |it: &Notification| match it.delivery {
            Delivery::Due(_) => true,
            Delivery::Delivered(_) | Delivery::Dead(_) => false,
        };
        let open = |it: &Payment| match it.state {
            PaymentState::Open { .. } | PaymentState::Ending(_) => true,
            PaymentState::Paid(_) | PaymentState::Ended { .. } => false,
        };
        let left = [
            subject.payment.as_ref().is_some_and(open).then_some("open"),
            subject.job.map(|_| "work is left"),
            subject
                .notification
                .as_ref()
                .is_some_and(waits)
                .then_some("a message waits"),
        ];
        for found in left.into_iter().flatten() {
            let name = format!("number {}", subject.serial);
            self.add(Promise::AtRest, name, found.to_owned());
        }
    }

    fn unless<T>(&mut self, holds: bool, told: &Told<T>, why: impl FnOnce() -> (Promise, String))
    where
        Told<T>: Named,
    {
        if !holds {
            let (promise, found) = why();
            self.add(promise, told.name(), found);
        }
    }

    fn add(&mut self, promise: Promise, subject: String, found: String) {
        self.broken.push(Broken {
            promise,
            subject,
            found,
        });
    }
}

fn trans_name(tenant: TenantId, number: TransNo) -> String {
    format!("transaction {number} of tenant {}", tenant.0)
}

impl Judge for Promises<'_> {
    fn remember(&mut self, refund: &Refund) {
        let of = self.refunds.entry(refund.payment).or_default();
        of.push(refund.clone());
        if let Origin::Request { key, .. } = &refund.origin
            && !self.refund_keys.insert(*key)
        {
            let name = format!("refund {}", refund.serial);
            let found = "is not the only refund of its number".to_owned();
            self.add(Promise::NumberOnce, name, found);
        }
    }

    /// The audit beside these promises reports it.
    fn astray(&mut self, _: Serial) {}

    fn document(&mut self, _: &Document) {}

    fn check(&mut self, subject: &Subject) {
        if let Some(payment) = &subject.payment {
            self.check_payment(payment);
        }
        if let Some(trans) = &subject.trans {
            self.check_trans(trans);
        }
        if let Some(recharge) = &subject.recharge {
            self.check_top_up(recharge);
        }
        match self.moment {
            Moment::Running => {}
            Moment::AtRest => self.check_rest(subject),
        }
    }
}

/// A payment that clients were told of.
struct Checked<'a> {
    payment: &'a Payment,
    refunds: Vec<Refund>,
    told: &'a Told<Fact>,
    broken: &'a mut Vec<Broken>,
}

impl Checked<'_> {
    fn check_begin(&mut self) {
        let (price, serial) = (self.payment.price(), self.payment.serial);
        let refused = !matches!(
            self.payment.state,
            PaymentState::Open { .. } | PaymentState::Paid(_)
        );
        let mut pays = self.told.pays();
        let asked = pays.any(|(fen, answer, _)| fen == price && answer.explains(true));
        self.unless(asked, Promise::Asked);
        let mut pays = self.told.pays();
        let kept = refused || pays.all(|(_, answer, _)| answer != Answer::Refused);
        self.unless(kept, Promise::NotCharged);
        let same = self.told.pays().all(|(fen, answer, told)| {
            let is_same = told.is_none_or(|told| told == serial);
            is_same && (!answer.promises() || fen == price)
        });
        self.unless(same, Promise::Recorded);
    }

    fn check_money(&mut self) {
        let may_end = self.told.cancels().any(|answer| answer.explains(false));
        let stays = match &self.payment.state {
            PaymentState::Paid(_) => true,
            PaymentState::Ended { paid: Some(_), .. } => may_end,
            PaymentState::Open { .. }
            | PaymentState::Ending(_)
            | PaymentState::Ended { paid: None, .. } => false,
        };
        let kept = stays || !self.told.is_known_paid();
        self.unless(kept, Promise::PaidStays);
        let cancelled = match &self.payment.state {
            PaymentState::Ending(end) | PaymentState::Ended { end, .. } => *end == End::Cancelled,
            PaymentState::Open { .. } | PaymentState::Paid(_) => false,
        };
        // A channel may take its time to give the money back, and may refuse to.
        let on_its_way = self
            .refunds
            .iter()
            .any(|it| it.origin == Origin::Cancellation);
        let kept = self.told.cancels().all(|answer| match answer {
            Answer::Done | Answer::Repeat => cancelled,
            Answer::Accepted => cancelled || on_its_way,
            Answer::Nothing | Answer::Refused | Answer::NotRecorded => true,
        });
        self.unless(kept, Promise::Cancelled);
    }

    fn check_refunds(&mut self) {
        let explained = self.refunds.iter().all(|refund| self.explains(refund));
        self.unless(explained, Promise::Asked);
        let recorded = self.told.refunds().all(|(number, amount, answer)| {
            let is = |it: &&Refund| number_of(it) == Some(number) && self.back(it) == amount;
            !answer.promises() || self.refunds.iter().any(|it| is(&it))
        });
        self.unless(recorded, Promise::Recorded);
        let stays = self.told.refunds().all(|(number, _, answer)| {
            let failed = |it: &Refund| number_of(it) == Some(number) && has_failed(it);
            answer != Answer::Done || !self.refunds.iter().any(failed)
        });
        let moved = self.refunds.iter().filter(|it| !has_failed(it));
        let back_fen: i128 = moved.map(|it| i128::from(self.back(it).get())).sum();
        let within = back_fen <= i128::from(self.payment.price().get());
        self.unless(stays && within, Promise::Refunded);
    }

    /// What a refund gives back of the price, whoever paid that part.
    fn back(&self, refund: &Refund) -> Fen {
        refund.price(self.payment)
    }

    /// Whether some request explains that `refund` is there.
    fn explains(&self, refund: &Refund) -> bool {
        let failed = has_failed(refund);
        match &refund.origin {
            Origin::LateSuccess => !matches!(self.payment.state, PaymentState::Paid(_)),
            Origin::Cancellation => self.told.cancels().any(|it| it.explains(failed)),
            Origin::Request { .. } => self.told.refunds().any(|(number, amount, answer)| {
                let is_it = number_of(refund) == Some(number) && self.back(refund) == amount;
                is_it && answer.explains(failed)
            }),
        }
    }

    fn unless(&mut self, holds: bool, promise: Promise) {
        if !holds {
            let Payment {
                serial,
                amount,
                state,
                ..
            } = self.payment;
            let (facts, refunds) = (&self.told.facts, &self.refunds);
            let found = format!("{facts:?}, but it is {serial}, {amount}, {state:?}, {refunds:?}");
            self.broken.push(Broken {
                promise,
                subject: self.told.name(),
                found,
            });
        }
    }
}

fn number_of(refund: &Refund) -> Option<&str> {
    match &refund.origin {
        Origin::Request {
            merchant_serial, ..
        } => merchant_serial.as_deref(),
        Origin::Cancellation | Origin::LateSuccess => None,
    }
}

const fn has_failed(refund: &Refund) -> bool {
    match refund.state {
        RefundState::Failed(..) => true,
        RefundState::InProgress | RefundState::Done(_) => false,
    }
}

fn name(kind: &str, number: &str, owner: Owner) -> String {
    format!("{kind} {number} of merchant {}", owner.1.0)
}

/// How a report names it.
trait Named {
    fn name(&self) -> String;
}

impl Named for Told<Fact> {
    fn name(&self) -> String {
        name("payment", &self.number, self.owner)
    }
}

impl Named for Told<TopUp> {
    fn name(&self) -> String {
        name("top-up", &self.number, self.owner)
    }
}

impl Told<Fact> {
    /// Whether the client may rely on it that the payment is there.
    fn is_promised(&self) -> bool {
        self.facts.iter().any(|fact| match fact {
            Fact::Pay { answer, serial, .. } => {
                answer.promises() || *answer == Answer::Repeat || serial.is_some()
            }
            Fact::Cancel(answer) | Fact::Refund { answer, .. } => answer.promises(),
            Fact::Paid => true,
        })
    }
}
