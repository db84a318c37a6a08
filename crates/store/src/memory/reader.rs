//! Reading the oracle's rows.

use super::{Memory, Tables};
use crate::contract::{BoxFuture, PaymentFilter, Reader, Snapshot, StoreError, StoreFigures};
use domain::{
    ids::{Serial, TenantId},
    job::Job,
    ledger::Posting,
    merchant::{Merchant, Tenant},
    notification::{Delivery, Notification},
    payment::{Payment, PaymentState, PaymentStatus},
    recharge::Recharge,
    refund::Refund,
    rows::PaymentRef,
    time::UnixMs,
};
use std::collections::BTreeMap;

fn matches(filter: &PaymentFilter, payment: &Payment) -> bool {
    let undecided = match payment.state {
        PaymentState::Open { .. } | PaymentState::Ending(_) => true,
        PaymentState::Paid(_) | PaymentState::Ended { .. } => {
            payment.status() == PaymentStatus::CancelRequested
        }
    };
    let requested = payment.status() == PaymentStatus::CancelRequested;
    filter.tenant.is_none_or(|tenant| tenant == payment.tenant)
        && filter
            .merchant
            .is_none_or(|merchant| merchant == payment.merchant)
        && (!filter.undecided || undecided)
        && (!filter.cancel_requested || requested)
        && filter.before.is_none_or(|before| payment.serial < before)
}

/// The first `limit` subjects by the time they are due.
fn earliest(mut due: Vec<(UnixMs, TenantId, Serial)>, limit: u32) -> Vec<(TenantId, Serial)> {
    due.sort_unstable();
    due.into_iter()
        .take(limit as usize)
        .map(|(_, tenant, subject)| (tenant, subject))
        .collect()
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Reader for Memory {
    fn payment(&self, by: PaymentRef) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        ready(self.tables().payment(by).cloned())
    }

    fn payment_of_any(&self, serial: Serial) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        ready(self.tables().payments.get(&serial).cloned())
    }

    fn payments(
        &self,
        filter: PaymentFilter,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        let tables = self.tables();
        let found = tables
            .payments
            .values()
            .rev()
            .filter(|payment| matches(&filter, payment));
        ready(found.take(limit as usize).cloned().collect())
    }

    fn refunds_of(
        &self,
        tenant: TenantId,
        payment: Serial,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>> {
        let tables = self.tables();
        let of = |refund: &&Refund| refund.tenant == tenant && refund.payment == payment;
        ready(tables.refunds.values().filter(of).cloned().collect())
    }

    fn refund(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Refund>, StoreError>> {
        ready(
            self.tables()
                .refunds
                .get(&serial)
                .filter(|it| it.tenant == tenant)
                .cloned(),
        )
    }

    fn recharge(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Recharge>, StoreError>> {
        ready(
            self.tables()
                .recharges
                .get(&serial)
                .filter(|it| it.tenant == tenant)
                .cloned(),
        )
    }

    fn due_jobs(
        &self,
        now: UnixMs,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<(TenantId, Serial)>, StoreError>> {
        let tables = self.tables();
        let due = tables.jobs.values().filter(|job| job.due_at <= now);
        let due = due
            .map(|job| (job.due_at, job.tenant, job.subject))
            .collect();
        ready(earliest(due, limit))
    }

    fn due_notifications(
        &self,
        now: UnixMs,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<(TenantId, Serial)>, StoreError>> {
        let tables = self.tables();
        let due = tables
            .notifications
            .values()
            .filter_map(|it| match it.delivery {
                Delivery::Due(at) => (at <= now).then_some((at, it.tenant, it.subject)),
                Delivery::Delivered(_) | Delivery::Dead(_) => None,
            });
        ready(earliest(due.collect(), limit))
    }

    fn notification(
        &self,
        tenant: TenantId,
        subject: Serial,
    ) -> BoxFuture<'_, Result<Option<Notification>, StoreError>> {
        ready(
            self.tables()
                .notifications
                .get(&subject)
                .filter(|it| it.tenant == tenant)
                .copied(),
        )
    }

    fn dead_notifications(
        &self,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        let tables = self.tables();
        let dead = |it: &&Notification| matches!(it.delivery, Delivery::Dead(_));
        let newest = tables.notifications.values().rev();
        ready(newest.filter(dead).take(limit as usize).copied().collect())
    }

    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>, StoreError>> {
        ready(self.tables().tenants.values().cloned().collect())
    }

    fn merchants(&self) -> BoxFuture<'_, Result<Vec<Merchant>, StoreError>> {
        ready(self.tables().merchants.values().cloned().collect())
    }

    fn figures(&self) -> BoxFuture<'_, Result<StoreFigures, StoreError>> {
        ready(self.tables().figures())
    }

    fn durability(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        let text = "the memory store keeps nothing".to_owned();
        Box::pin(std::future::ready(Err(StoreError::Refused(text))))
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        let frozen = MemorySnapshot(self.tables().clone());
        Box::pin(std::future::ready(
            Ok(Box::new(frozen) as Box<dyn Snapshot>),
        ))
    }

    fn backup(&self, _to: std::path::PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        let text = "the memory store cannot be backed up".to_owned();
        Box::pin(std::future::ready(Err(StoreError::Refused(text))))
    }
}

struct MemorySnapshot(Tables);

/// The next `limit` rows after `after`.
fn page<K: Ord + Copy, T: Clone>(rows: &BTreeMap<K, T>, after: Option<K>, limit: u32) -> Vec<T> {
    let past = |key: &K| after.is_none_or(|after| *key > after);
    let rows = rows.iter().filter(|(key, _)| past(key));
    rows.take(limit as usize)
        .map(|(_, row)| row.clone())
        .collect()
}

impl Snapshot for MemorySnapshot {
    fn payments(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        ready(page(&self.0.payments, after, limit))
    }

    fn refunds(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>> {
        ready(page(&self.0.refunds, after, limit))
    }

    fn recharges(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Recharge>, StoreError>> {
        ready(page(&self.0.recharges, after, limit))
    }

    fn postings(
        &mut self,
        after: Option<i64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Posting>, StoreError>> {
        ready(page(&self.0.postings, after, limit))
    }

    fn jobs(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        ready(page(&self.0.jobs, after, limit))
    }

    fn notifications(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        ready(page(&self.0.notifications, after, limit))
    }
}
