//! The rows a batch of commands works on.
//!
//! A store reads a [`Plan`], claims and loads what it names into [`Rows`], lets each command
//! decide, and writes [`Changes`] in the same transaction.

use crate::{
    ids::{ClaimKey, Serial, TenantId},
    job::Job,
    ledger::Posting,
    loyalty::{
        document::DocumentKey,
        rows::{LoyaltyChanges, LoyaltyPlan, LoyaltyRows},
    },
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::{Origin, Refund},
    voucher::{
        code::{CodeDigest, CodeNo},
        paying::CodeRefusal,
        rows::{VoucherChanges, VoucherPlan, VoucherRows},
    },
};
use std::collections::{HashMap, HashSet};

/// A row that a decision needs is not there although another row says that it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored rows contradict each other at {0}")]
pub struct Inconsistent(pub Serial);

/// A new payment, and the voucher code that is to pay a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The payment: open, and the channel has told nothing about it yet.
    pub payment: &'a Payment,
    /// The code it names, if it names one.
    pub code: Option<CodeDigest>,
}

/// What a batch of commands needs.
#[derive(Debug, Default)]
pub struct Plan<'a> {
    /// New payments whose keys are to be claimed: recorded unless the key is taken or the code pays
    /// nothing.
    pub claims: Vec<Claim<'a>>,
    /// Payments by gateway serial.
    pub payments: Vec<(TenantId, Serial)>,
    /// Payments by claim.
    pub payment_keys: Vec<(TenantId, ClaimKey)>,
    /// Refunds by serial.
    pub refunds: Vec<(TenantId, Serial)>,
    /// Refunds by claim.
    pub refund_keys: Vec<(TenantId, ClaimKey)>,
    /// Top-ups by serial.
    pub recharges: Vec<(TenantId, Serial)>,
    /// Top-ups by claim.
    pub recharge_keys: Vec<(TenantId, ClaimKey)>,
    /// Jobs by subject.
    pub jobs: Vec<(TenantId, Serial)>,
    /// Notifications by subject.
    pub notifications: Vec<(TenantId, Serial)>,
    /// Cards, terminals and their events.
    pub loyalty: LoyaltyPlan,
    /// Ranges of voucher codes, and codes. The codes that payments of this plan hold, and that its
    /// events used, need not be named: the store loads them with those.
    pub voucher: VoucherPlan,
}

impl Plan<'_> {
    /// Sorts and removes repetitions, so that every store locks rows in the same order.
    pub fn normalise(&mut self) {
        self.claims
            .sort_by_key(|it| (it.payment.tenant, it.payment.key));
        for list in [
            &mut self.payments,
            &mut self.refunds,
            &mut self.recharges,
            &mut self.jobs,
            &mut self.notifications,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        for list in [
            &mut self.payment_keys,
            &mut self.refund_keys,
            &mut self.recharge_keys,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        self.loyalty.normalise();
        self.voucher.normalise();
    }
}

/// How a command names a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentRef {
    /// By gateway serial.
    Serial(TenantId, Serial),
    /// By claim.
    Key(TenantId, ClaimKey),
}

impl PaymentRef {
    /// Asks for the payment's row.
    pub fn plan(self, plan: &mut Plan<'_>) {
        match self {
            Self::Serial(tenant, serial) => plan.payments.push((tenant, serial)),
            Self::Key(tenant, key) => plan.payment_keys.push((tenant, key)),
        }
    }
}

/// The loaded rows and what became of them.
#[derive(Debug, Default)]
pub struct Rows {
    claimed: HashSet<Serial>,
    /// New payments that were not recorded, because the code they name pays nothing.
    refused: HashMap<Serial, CodeRefusal>,
    /// Claimed, and not begun by any decision yet: the store records claims before the first
    /// decision of a batch, whatever their order.
    unbegun: HashSet<Serial>,
    payments: HashMap<Serial, Payment>,
    payment_keys: HashMap<ClaimKey, Serial>,
    refunds: HashMap<Serial, Refund>,
    refund_keys: HashMap<ClaimKey, Serial>,
    recharges: HashMap<Serial, Recharge>,
    recharge_keys: HashMap<ClaimKey, Serial>,
    jobs: HashMap<Serial, Job>,
    notifications: HashMap<Serial, Notification>,
    touched: Touched,
    postings: Vec<Posting>,
    /// Cards, terminals and their events.
    pub loyalty: LoyaltyRows,
    /// Voucher codes.
    pub voucher: VoucherRows,
}

#[derive(Debug, Default)]
struct Touched {
    payments: HashSet<Serial>,
    refunds: HashSet<Serial>,
    recharges: HashSet<Serial>,
    jobs: HashSet<Serial>,
    jobs_removed: HashMap<Serial, TenantId>,
    notifications: HashSet<Serial>,
}

/// What a batch changed.
#[derive(Debug, Default)]
pub struct Changes {
    /// Payments to overwrite; new ones are recorded by their claim.
    pub payments: Vec<Payment>,
    /// Refunds to insert or overwrite.
    pub refunds: Vec<Refund>,
    /// Top-ups to insert or overwrite.
    pub recharges: Vec<Recharge>,
    /// Jobs to insert or overwrite.
    pub jobs: Vec<Job>,
    /// Jobs to remove, if they are there.
    pub jobs_removed: Vec<(TenantId, Serial)>,
    /// Notifications to insert or overwrite.
    pub notifications: Vec<Notification>,
    /// Postings to append.
    pub postings: Vec<Posting>,
    /// Cards, terminals and their events.
    pub loyalty: LoyaltyChanges,
    /// Voucher codes.
    pub voucher: VoucherChanges,
}

impl Rows {
    /// None yet, and room for what a plan names.
    #[must_use]
    pub fn with_room_for(plan: &Plan<'_>) -> Self {
        let new = plan.claims.iter().filter(|it| it.code.is_some()).count();
        let payments = new + plan.payments.len() + plan.payment_keys.len();
        Self {
            payments: HashMap::with_capacity(payments),
            payment_keys: HashMap::with_capacity(payments),
            ..Self::default()
        }
    }

    /// Notes that the new payment `serial` was recorded, because its key was free.
    pub fn add_claimed(&mut self, serial: Serial) {
        self.claimed.insert(serial);
        self.unbegun.insert(serial);
    }

    /// Notes that the new payment `serial` was not recorded, because the code it names pays nothing.
    pub fn add_refused(&mut self, serial: Serial, why: CodeRefusal) {
        self.refused.insert(serial, why);
    }

    /// The new payment `serial` begins; decisions that come before it in their batch do not see it.
    pub fn begin(&mut self, serial: Serial) {
        self.unbegun.remove(&serial);
    }

    /// Adds a loaded payment.
    pub fn add_payment(&mut self, payment: Payment) {
        self.payment_keys.insert(payment.key, payment.serial);
        self.payments.insert(payment.serial, payment);
    }

    /// Adds a loaded refund.
    pub fn add_refund(&mut self, refund: Refund) {
        if let Origin::Request { key, .. } = &refund.origin {
            self.refund_keys.insert(*key, refund.serial);
        }
        self.refunds.insert(refund.serial, refund);
    }

    /// Adds a loaded top-up.
    pub fn add_recharge(&mut self, recharge: Recharge) {
        self.recharge_keys.insert(recharge.key, recharge.serial);
        self.recharges.insert(recharge.serial, recharge);
    }

    /// Adds a loaded job.
    pub fn add_job(&mut self, job: Job) {
        self.jobs.insert(job.subject, job);
    }

    /// Adds a loaded notification.
    pub fn add_notification(&mut self, notification: Notification) {
        self.notifications
            .insert(notification.subject, notification);
    }

    /// The voucher codes that the loaded payments hold, and events on cards used, and those of
    /// `cards`.
    #[must_use]
    pub fn codes_held(&self, cards: &[DocumentKey]) -> Vec<CodeNo> {
        let payments = self.payments.values();
        let parts = payments.filter_map(|it| it.details.voucher.as_ref());
        let mut codes: Vec<CodeNo> = parts.map(|it| it.code).collect();
        codes.extend(self.loyalty.codes_used());
        codes.extend(cards.iter().flat_map(|it| self.loyalty.codes_of(it)));
        codes
    }

    /// Whether the new payment `serial` was recorded.
    #[must_use]
    pub fn was_claimed(&self, serial: Serial) -> bool {
        self.claimed.contains(&serial)
    }

    /// Why the new payment `serial` was not recorded, if that is for the code it names.
    #[must_use]
    pub fn refusal(&self, serial: Serial) -> Option<CodeRefusal> {
        self.refused.get(&serial).copied()
    }

    /// A payment, or `None` when there is none by that name.
    #[must_use]
    pub fn payment(&self, by: PaymentRef) -> Option<&Payment> {
        let (tenant, serial) = match by {
            PaymentRef::Serial(tenant, serial) => (tenant, serial),
            PaymentRef::Key(tenant, key) => (tenant, *self.payment_keys.get(&key)?),
        };
        let payment = self.payments.get(&serial)?;
        let is_there = payment.tenant == tenant && !self.unbegun.contains(&serial);
        is_there.then_some(payment)
    }

    /// A refund by claim.
    #[must_use]
    pub fn refund_by_key(&self, key: ClaimKey) -> Option<&Refund> {
        self.refunds.get(self.refund_keys.get(&key)?)
    }

    /// A refund by serial.
    #[must_use]
    pub fn refund(&self, serial: Serial) -> Option<&Refund> {
        self.refunds.get(&serial)
    }

    /// A top-up by claim.
    #[must_use]
    pub fn recharge_by_key(&self, key: ClaimKey) -> Option<&Recharge> {
        self.recharges.get(self.recharge_keys.get(&key)?)
    }

    /// A top-up by serial.
    #[must_use]
    pub fn recharge(&self, serial: Serial) -> Option<&Recharge> {
        self.recharges.get(&serial)
    }

    /// A job by subject.
    #[must_use]
    pub fn job(&self, subject: Serial) -> Option<&Job> {
        self.jobs.get(&subject)
    }

    /// A notification by subject.
    #[must_use]
    pub fn notification(&self, subject: Serial) -> Option<&Notification> {
        self.notifications.get(&subject)
    }

    /// Overwrites a payment.
    pub fn put_payment(&mut self, payment: Payment) {
        self.touched.payments.insert(payment.serial);
        self.add_payment(payment);
    }

    /// Inserts or overwrites a refund.
    pub fn put_refund(&mut self, refund: Refund) {
        self.touched.refunds.insert(refund.serial);
        self.add_refund(refund);
    }

    /// Inserts or overwrites a top-up.
    pub fn put_recharge(&mut self, recharge: Recharge) {
        self.touched.recharges.insert(recharge.serial);
        self.add_recharge(recharge);
    }

    /// Inserts or overwrites a job.
    pub fn put_job(&mut self, job: Job) {
        self.touched.jobs.insert(job.subject);
        self.touched.jobs_removed.remove(&job.subject);
        self.add_job(job);
    }

    /// Removes a job, if it is there.
    pub fn remove_job(&mut self, tenant: TenantId, subject: Serial) {
        self.jobs.remove(&subject);
        self.touched.jobs.remove(&subject);
        self.touched.jobs_removed.insert(subject, tenant);
    }

    /// Inserts or overwrites a notification.
    pub fn put_notification(&mut self, notification: Notification) {
        self.touched.notifications.insert(notification.subject);
        self.add_notification(notification);
    }

    /// Appends a posting.
    pub fn post(&mut self, posting: Posting) {
        self.postings.push(posting);
    }

    /// What is to be written, in the order of serials.
    #[must_use]
    pub fn into_changes(mut self) -> Changes {
        let touched = self.touched;
        let mut jobs_removed: Vec<_> = touched
            .jobs_removed
            .into_iter()
            .map(|(subject, tenant)| (tenant, subject))
            .collect();
        jobs_removed.sort_unstable();
        Changes {
            payments: take(&mut self.payments, touched.payments),
            refunds: take(&mut self.refunds, touched.refunds),
            recharges: take(&mut self.recharges, touched.recharges),
            jobs: take(&mut self.jobs, touched.jobs),
            jobs_removed,
            notifications: take(&mut self.notifications, touched.notifications),
            postings: self.postings,
            loyalty: self.loyalty.into_changes(),
            voucher: self.voucher.into_changes(),
        }
    }
}

fn take<T>(rows: &mut HashMap<Serial, T>, touched: HashSet<Serial>) -> Vec<T> {
    let mut serials: Vec<Serial> = touched.into_iter().collect();
    serials.sort_unstable();
    serials
        .into_iter()
        .filter_map(|serial| rows.remove(&serial))
        .collect()
}
