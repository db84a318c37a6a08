//! Reading the oracle's rows.

use super::{Memory, Tables};
use crate::contract::{
    BoxFuture, DocumentMark, DueJob, NamedValue, PaymentFilter, Reader, Snapshot, StoreError,
    StoreFigures,
};
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    ledger::Posting,
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        terminal::BatchNo,
        trans::{Place, Trans, TransNo},
    },
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

/// The first `limit` by the time they are due.
fn earliest<T>(mut due: Vec<(UnixMs, TenantId, Serial, T)>, limit: u32) -> Vec<T> {
    due.sort_unstable_by_key(|(at, tenant, subject, _)| (*at, *tenant, *subject));
    let due = due.into_iter().take(limit as usize);
    due.map(|(.., it)| it).collect()
}

pub(super) fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Reader for Memory {
    fn payment(&self, by: PaymentRef) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        ready(self.tables().payment(by).cloned())
    }

    fn payments_by_serial(
        &self,
        serials: Vec<(TenantId, Serial)>,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        let tables = self.tables();
        let found = serials.into_iter().filter_map(|(tenant, serial)| {
            let by = PaymentRef::Serial(tenant, serial);
            tables.payment(by).cloned()
        });
        ready(found.collect())
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
        except: Vec<Option<ChannelNo>>,
    ) -> BoxFuture<'_, Result<Vec<DueJob>, StoreError>> {
        let tables = self.tables();
        let due = tables.jobs.values().filter(|job| job.due_at <= now);
        let due = due.filter_map(|job| {
            let (tenant, subject, asks) = (job.tenant, job.subject, tables.asks(job));
            let due = DueJob {
                tenant,
                subject,
                asks,
            };
            (!except.contains(&asks)).then_some((job.due_at, tenant, subject, due))
        });
        ready(earliest(due.collect(), limit))
    }

    fn due_notifications(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<(TenantId, MerchantNo)>,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        let tables = self.tables();
        let wanted = tables.notifications.values();
        let wanted = wanted.filter(|it| !except.contains(&(it.tenant, it.merchant)));
        let due = wanted.filter_map(|it| match it.delivery {
            Delivery::Due(at) => (at <= now).then_some((at, it.tenant, it.subject, *it)),
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

    fn document(&self, key: DocumentKey) -> BoxFuture<'_, Result<Option<Document>, StoreError>> {
        ready(self.tables().loyalty.document(&key).cloned())
    }

    fn documents_by_key(
        &self,
        keys: Vec<DocumentKey>,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let tables = self.tables();
        let found = keys.iter().filter_map(|key| tables.loyalty.document(key));
        ready(found.cloned().collect())
    }

    fn documents(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let tables = self.tables();
        let found = tables.loyalty.documents(kind, tenant, after);
        ready(found.take(limit as usize).cloned().collect())
    }

    fn due_documents(
        &self,
        kind: DocumentKind,
        now: UnixMs,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let tables = self.tables();
        let due = tables.loyalty.due_documents(kind, now).into_iter();
        ready(due.take(limit as usize).cloned().collect())
    }

    fn trans(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        ready(self.tables().loyalty.trans(tenant, serial).cloned())
    }

    fn trans_at(
        &self,
        tenant: TenantId,
        place: Place,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        ready(self.tables().loyalty.trans_at(tenant, place).cloned())
    }

    fn trans_by_number(
        &self,
        tenant: TenantId,
        number: TransNo,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        let tables = self.tables();
        ready(tables.loyalty.trans_by_number(tenant, number).cloned())
    }

    fn trans_of_batch(
        &self,
        tenant: TenantId,
        terminal: i64,
        batch: BatchNo,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>> {
        let tables = self.tables();
        let places = Place::of_batch(terminal, batch);
        let found = tables.loyalty.trans_between(tenant, places, after);
        ready(found.take(limit as usize).cloned().collect())
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

    fn open_payments(&self, since: Serial) -> BoxFuture<'_, Result<u64, StoreError>> {
        let tables = self.tables();
        let open = |job: &&Job| match job.kind {
            JobKind::SettlePayment | JobKind::ReversePayment => job.subject >= since,
            JobKind::ConfirmReversal | JobKind::FinishRefund | JobKind::FinishRecharge => false,
        };
        ready(tables.jobs.values().filter(open).count() as u64)
    }

    fn values(
        &self,
        prefix: String,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<NamedValue>, StoreError>> {
        let tables = self.tables();
        let found = tables.values.iter().rev();
        let found = found.filter(|(name, _)| name.starts_with(&prefix));
        let found = found.take(limit as usize);
        ready(
            found
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
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

impl Tables {
    /// The channel of the payment that `job` is about.
    fn asks(&self, job: &Job) -> Option<ChannelNo> {
        let refunded = self.refunds.get(&job.subject).map(|refund| refund.payment);
        let payment = self.payments.get(&refunded.unwrap_or(job.subject))?;
        Some(payment.channel)
    }
}

pub(super) struct MemorySnapshot(pub(super) Tables);

/// The next `limit` rows after `after`.
pub(super) fn page<K: Ord + Copy, T: Clone>(
    rows: &BTreeMap<K, T>,
    after: Option<K>,
    limit: u32,
) -> Vec<T> {
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

    fn trans(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>> {
        ready(page(&self.0.loyalty.trans, after, limit))
    }

    fn documents(
        &mut self,
        kind: DocumentKind,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let found = self.0.loyalty.documents(kind, None, after);
        ready(found.take(limit as usize).cloned().collect())
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
