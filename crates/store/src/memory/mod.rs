//! The oracle: the contract over plain maps, for tests and for the bench's upper bound. Nothing
//! survives the process.

mod loyalty;
mod reader;
mod voucher;

use crate::contract::{AdminOp, AdminReply, StoreError, StoreFigures, Writer};
use domain::{
    ids::{ClaimKey, Serial, TenantId},
    job::Job,
    ledger::Posting,
    merchant::{Merchant, Tenant},
    notification::{Delivery, Notification},
    payment::Payment,
    recharge::Recharge,
    refund::{Origin, Refund},
    rows::{Changes, Claim, PaymentRef, Plan, Rows},
    time::UnixMs,
};
use loyalty::LoyaltyTables;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use voucher::VoucherTables;

/// A store in memory. Clones share the same rows.
#[derive(Clone, Default)]
pub struct Memory {
    tables: Arc<Mutex<Tables>>,
    /// Payments claimed by the open transaction.
    claimed: Vec<Payment>,
}

#[derive(Clone, Default)]
struct Tables {
    payments: BTreeMap<Serial, Payment>,
    payment_keys: BTreeMap<ClaimKey, Serial>,
    refunds: BTreeMap<Serial, Refund>,
    refund_keys: BTreeMap<ClaimKey, Serial>,
    recharges: BTreeMap<Serial, Recharge>,
    recharge_keys: BTreeMap<ClaimKey, Serial>,
    jobs: BTreeMap<Serial, Job>,
    notifications: BTreeMap<Serial, Notification>,
    postings: BTreeMap<i64, Posting>,
    loyalty: LoyaltyTables,
    voucher: VoucherTables,
    tenants: BTreeMap<TenantId, Tenant>,
    merchants: BTreeMap<i64, Merchant>,
    values: BTreeMap<String, Vec<u8>>,
    nodes: BTreeMap<i64, (UnixMs, i64)>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic elsewhere leaves whole rows: every change is applied under one lock.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Records a payment if its key is free and its code pays; loads the payment that has the key
    /// otherwise.
    fn claim(&mut self, claim: Claim<'_>, rows: &mut Rows) -> Result<(), StoreError> {
        let payment = claim.payment;
        let has_key = |claimed: &&Payment| claimed.key == payment.key;
        let holder = self.claimed.iter().find(has_key).cloned();
        let stored = PaymentRef::Key(payment.tenant, payment.key);
        let holder = holder.or_else(|| self.tables().payment(stored).cloned());
        if let Some(holder) = holder {
            rows.add_payment(holder);
            return Ok(());
        }
        let codes = self.tables().paying(claim);
        match codes.admit(claim)? {
            Ok(payment) => {
                self.claimed.push((*payment).clone());
                rows.add_claimed(payment.serial);
                rows.add_payment(payment.into_owned());
            }
            Err(why) => rows.add_refused(payment.serial, why),
        }
        Ok(())
    }
}

/// The rows that are named by serial or by claim.
fn named<'a, T>(
    serials: &'a [(TenantId, Serial)],
    keys: &'a [(TenantId, ClaimKey)],
    rows: &'a BTreeMap<Serial, T>,
    by_key: &'a BTreeMap<ClaimKey, Serial>,
) -> impl Iterator<Item = &'a T> {
    let claimed = keys.iter().filter_map(|(_, key)| by_key.get(key));
    let serials = serials.iter().map(|(_, serial)| serial).chain(claimed);
    serials.filter_map(|serial| rows.get(serial))
}

impl Writer for Memory {
    async fn load(&mut self, plan: Plan<'_>) -> Result<Rows, StoreError> {
        let mut rows = Rows::default();
        self.claimed.clear();
        for claim in &plan.claims {
            self.claim(*claim, &mut rows)?;
        }
        self.tables().load(&plan, &mut rows);
        Ok(rows)
    }

    async fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let claimed = std::mem::take(&mut self.claimed);
        self.tables().apply(claimed, changes)
    }

    async fn abandon(&mut self) {
        self.claimed.clear();
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        self.tables().admin(op)
    }
}

impl Tables {
    fn load(&self, plan: &Plan<'_>, rows: &mut Rows) {
        named(
            &plan.payments,
            &plan.payment_keys,
            &self.payments,
            &self.payment_keys,
        )
        .for_each(|payment| rows.add_payment(payment.clone()));
        named(
            &plan.refunds,
            &plan.refund_keys,
            &self.refunds,
            &self.refund_keys,
        )
        .for_each(|refund| rows.add_refund(refund.clone()));
        named(
            &plan.recharges,
            &plan.recharge_keys,
            &self.recharges,
            &self.recharge_keys,
        )
        .for_each(|recharge| rows.add_recharge(recharge.clone()));
        let jobs = plan.jobs.iter();
        jobs.filter_map(|(_, subject)| self.jobs.get(subject))
            .for_each(|job| rows.add_job(*job));
        let notifications = plan.notifications.iter();
        notifications
            .filter_map(|(_, subject)| self.notifications.get(subject))
            .for_each(|notification| rows.add_notification(*notification));
        self.loyalty.load(&plan.loyalty, &mut rows.loyalty);
        let held = rows.codes_held(&plan.voucher.cards);
        self.voucher.load(&plan.voucher, &held, &mut rows.voucher);
    }

    fn apply(&mut self, claimed: Vec<Payment>, changes: Changes) -> Result<(), StoreError> {
        if let Some(twice) = changes
            .postings
            .iter()
            .find(|posting| self.postings.contains_key(&posting.number()))
        {
            return Err(StoreError::Refused(format!(
                "posting {} twice",
                twice.number()
            )));
        }
        self.loyalty.check(&changes.loyalty)?;
        self.voucher.check(&changes.voucher)?;
        for payment in claimed.into_iter().chain(changes.payments) {
            self.payment_keys.insert(payment.key, payment.serial);
            self.payments.insert(payment.serial, payment);
        }
        for refund in changes.refunds {
            if let Origin::Request { key, .. } = &refund.origin {
                self.refund_keys.insert(*key, refund.serial);
            }
            self.refunds.insert(refund.serial, refund);
        }
        for recharge in changes.recharges {
            self.recharge_keys.insert(recharge.key, recharge.serial);
            self.recharges.insert(recharge.serial, recharge);
        }
        self.jobs
            .extend(changes.jobs.into_iter().map(|job| (job.subject, job)));
        for (_, subject) in &changes.jobs_removed {
            self.jobs.remove(subject);
        }
        let notifications = changes.notifications.into_iter();
        self.notifications
            .extend(notifications.map(|it| (it.subject, it)));
        self.postings
            .extend(changes.postings.into_iter().map(|it| (it.number(), it)));
        self.loyalty.apply(changes.loyalty);
        self.voucher.apply(changes.voucher);
        Ok(())
    }

    fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        match op {
            AdminOp::AddTenant(tenant) => {
                let existing = self
                    .tenants
                    .values()
                    .find(|it| it.name == tenant.name)
                    .cloned();
                let stored = existing.unwrap_or_else(|| tenant.clone());
                self.tenants.insert(stored.id, stored.clone());
                Ok(AdminReply::Tenant(stored))
            }
            AdminOp::PutMerchant(merchant) => {
                let other = |it: &Merchant| it.code == merchant.code && it.no != merchant.no;
                if self.merchants.values().any(other) {
                    return Err(StoreError::Refused(format!(
                        "merchant {} exists",
                        merchant.code
                    )));
                }
                self.merchants.insert(merchant.no.0, (**merchant).clone());
                Ok(AdminReply::Done)
            }
            AdminOp::PutIfAbsent { name, value } => {
                let stored = self
                    .values
                    .entry(name.clone())
                    .or_insert_with(|| value.clone());
                Ok(AdminReply::Value(stored.clone()))
            }
            AdminOp::LeaseNode { now, until, owner } => self.lease(*now, *until, *owner),
            AdminOp::RenewNode { node, owner, until } => Ok(AdminReply::Renewed(
                self.nodes
                    .get_mut(node)
                    .filter(|(_, holder)| holder == owner)
                    .map(|(end, _)| *end = *until)
                    .is_some(),
            )),
            AdminOp::AddUnits(units) => self.voucher.add_units(units),
            AdminOp::AddCodes(codes) => self.voucher.add_codes(codes),
            AdminOp::AddDigests(digests) => self.voucher.add_digests(digests),
            AdminOp::RemoveStock { carton, limit } => Ok(self.voucher.remove(*carton, *limit)),
        }
    }

    fn lease(&mut self, now: UnixMs, until: UnixMs, owner: i64) -> Result<AdminReply, StoreError> {
        let free = (0..domain::ids::NODES_MAX)
            .map(|node| {
                (
                    node,
                    self.nodes.get(&node).map_or(UnixMs(0), |(end, _)| *end),
                )
            })
            .find(|(_, end)| *end <= now);
        let Some((node, issued_until)) = free else {
            return Err(StoreError::Refused("all node numbers are taken".to_owned()));
        };
        self.nodes.insert(node, (until, owner));
        Ok(AdminReply::Lease { node, issued_until })
    }

    fn payment(&self, by: PaymentRef) -> Option<&Payment> {
        let (tenant, payment) = match by {
            PaymentRef::Serial(tenant, serial) => (tenant, self.payments.get(&serial)?),
            PaymentRef::Key(tenant, key) => {
                (tenant, self.payments.get(self.payment_keys.get(&key)?)?)
            }
        };
        Some(payment).filter(|payment| payment.tenant == tenant)
    }

    fn figures(&self) -> StoreFigures {
        let due = |it: &Notification| match it.delivery {
            Delivery::Due(at) => Some(at),
            Delivery::Delivered(_) | Delivery::Dead(_) => None,
        };
        let dead = |it: &&Notification| matches!(it.delivery, Delivery::Dead(_));
        let notifications = || self.notifications.values();
        let (oldest_card_due_at, work_items) = self.loyalty.figures();
        StoreFigures {
            jobs: self.jobs.len() as u64,
            oldest_job_due_at: self.jobs.values().map(|job| job.due_at).min(),
            notifications_due: notifications().filter_map(due).count() as u64,
            notifications_dead: notifications().filter(dead).count() as u64,
            oldest_notification_due_at: notifications().filter_map(due).min(),
            oldest_card_due_at,
            work_items,
        }
    }
}
