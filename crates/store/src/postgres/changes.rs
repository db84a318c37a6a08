//! The second half of a transaction: the changes as statements, a tenant each.

use super::{
    link::Link,
    load::Open,
    loyalty,
    session::{Param, Step, column},
    statements::Statements,
    voucher,
};
use crate::{
    contract::StoreError,
    flat::{FlatJob, FlatNotification, FlatPosting, FlatRecharge, FlatRefund, FlatState},
};
use domain::{
    ids::TenantId,
    payment::{Payment, PaymentStatus},
    rows::Changes,
};
use std::{collections::BTreeMap, mem::take};

/// The changes of one tenant, as columns.
#[derive(Default)]
struct Flat {
    payments: Vec<(i64, FlatState)>,
    cancel_requested: Vec<i64>,
    cancel_decided: Vec<i64>,
    refunds: Vec<FlatRefund>,
    recharges: Vec<FlatRecharge>,
    jobs: Vec<FlatJob>,
    jobs_removed: Vec<i64>,
    notifications: Vec<FlatNotification>,
    postings: Vec<FlatPosting>,
}

/// Steps that write `changes`, and a tenant whose shard the transaction touches; none when it
/// wrote nothing.
pub(super) fn steps(
    link: &Link,
    changes: &Changes,
    open: &Open,
) -> Result<(Vec<Step>, Option<TenantId>), StoreError> {
    let tenants = by_tenant(changes, open)?;
    let first = tenants.keys().next().copied().or(open.claimed_for);
    let (mut steps, other) = loyalty::changing(&link.loyalty, &changes.loyalty)?;
    let (of_codes, another) = voucher::changing(&link.voucher, &changes.voucher)?;
    steps.extend(of_codes);
    for (tenant, flat) in tenants {
        flat.push_steps(&link.statements, tenant.0, &mut steps);
    }
    Ok((steps, first.or(other).or(another)))
}

#[derive(Default)]
struct Tenants(BTreeMap<TenantId, Flat>);

impl Tenants {
    fn of(&mut self, tenant: TenantId) -> &mut Flat {
        self.0.entry(tenant).or_default()
    }
}

fn by_tenant(changes: &Changes, open: &Open) -> Result<BTreeMap<TenantId, Flat>, StoreError> {
    let mut tenants = Tenants::default();
    for payment in &changes.payments {
        tenants.of(payment.tenant).add_payment(payment, open)?;
    }
    for refund in &changes.refunds {
        tenants
            .of(refund.tenant)
            .refunds
            .push(FlatRefund::of(refund));
    }
    for recharge in &changes.recharges {
        tenants
            .of(recharge.tenant)
            .recharges
            .push(FlatRecharge::of(recharge));
    }
    for job in &changes.jobs {
        tenants.of(job.tenant).jobs.push(FlatJob::of(job));
    }
    for (tenant, subject) in &changes.jobs_removed {
        tenants.of(*tenant).jobs_removed.push(subject.0);
    }
    for notification in &changes.notifications {
        let flat = FlatNotification::of(notification);
        tenants.of(notification.tenant).notifications.push(flat);
    }
    for posting in &changes.postings {
        tenants
            .of(posting.tenant)
            .postings
            .push(FlatPosting::of(posting));
    }
    Ok(tenants.0)
}

impl Flat {
    fn add_payment(&mut self, payment: &Payment, open: &Open) -> Result<(), StoreError> {
        let before = open.cancel_requested.contains(&payment.serial);
        let after = payment.status() == PaymentStatus::CancelRequested;
        match (before, after) {
            (false, true) => self.cancel_requested.push(payment.serial.0),
            (true, false) => self.cancel_decided.push(payment.serial.0),
            (false, false) | (true, true) => {}
        }
        self.payments
            .push((payment.serial.0, FlatState::of(payment)?));
        Ok(())
    }

    fn push_steps(mut self, sql: &Statements, tenant: i64, steps: &mut Vec<Step>) {
        let mut push = |statement, rows: usize, columns: Vec<Param>| {
            if rows > 0 {
                let mut params: Vec<Param> = vec![Box::new(tenant)];
                params.extend(columns);
                steps.push(Step::new(statement, params));
            }
        };
        let rows = self.payments.len();
        push(&sql.put_payments, rows, payments(&mut self.payments));
        let requested = column(&mut self.cancel_requested, |it| *it);
        push(
            &sql.add_cancel_requests,
            self.cancel_requested.len(),
            vec![requested],
        );
        let decided = column(&mut self.cancel_decided, |it| *it);
        push(
            &sql.remove_cancel_requests,
            self.cancel_decided.len(),
            vec![decided],
        );
        push(
            &sql.put_refunds,
            self.refunds.len(),
            refunds(&mut self.refunds),
        );
        push(
            &sql.put_recharges,
            self.recharges.len(),
            recharges(&mut self.recharges),
        );
        push(&sql.put_jobs, self.jobs.len(), jobs(&mut self.jobs));
        let removed = column(&mut self.jobs_removed, |it| *it);
        push(&sql.remove_jobs, self.jobs_removed.len(), vec![removed]);
        let rows = self.notifications.len();
        push(
            &sql.put_notifications,
            rows,
            notifications(&mut self.notifications),
        );
        push(
            &sql.add_postings,
            self.postings.len(),
            postings(&mut self.postings),
        );
    }
}

fn payments(rows: &mut [(i64, FlatState)]) -> Vec<Param> {
    vec![
        column(rows, |(serial, _)| *serial),
        column(rows, |(_, it)| it.state),
        column(rows, |(_, it)| it.end_code),
        column(rows, |(_, it)| it.ended_at),
        column(rows, |(_, it)| it.flags),
        column(rows, |(_, it)| it.refunded),
        column(rows, |(_, it)| it.refunding),
        column(rows, |(_, it)| take(&mut it.receipt)),
        column(rows, |(_, it)| take(&mut it.credential)),
    ]
}

fn refunds(rows: &mut [FlatRefund]) -> Vec<Param> {
    vec![
        column(rows, |it| it.serial),
        column(rows, |it| it.payment),
        column(rows, |it| it.merchant),
        column(rows, |it| it.origin),
        column(rows, |it| it.claim.map(|claim| claim.to_vec())),
        column(rows, |it| take(&mut it.merchant_serial)),
        column(rows, |it| it.amount),
        column(rows, |it| it.voucher_back),
        column(rows, |it| it.created_at),
        column(rows, |it| it.state),
        column(rows, |it| it.ended_at),
        column(rows, |it| it.failure),
        column(rows, |it| it.first_answer),
    ]
}

fn recharges(rows: &mut [FlatRecharge]) -> Vec<Param> {
    vec![
        column(rows, |it| it.serial),
        column(rows, |it| it.merchant),
        column(rows, |it| it.claim.to_vec()),
        column(rows, |it| take(&mut it.phone)),
        column(rows, |it| it.data_mb),
        column(rows, |it| it.reach),
        column(rows, |it| take(&mut it.notify_url)),
        column(rows, |it| it.created_at),
        column(rows, |it| it.state),
        column(rows, |it| take(&mut it.provider_serial)),
        column(rows, |it| it.ended_at),
    ]
}

fn jobs(rows: &mut [FlatJob]) -> Vec<Param> {
    vec![
        column(rows, |it| it.subject),
        column(rows, |it| it.kind),
        column(rows, |it| it.due_at),
        column(rows, |it| it.attempts),
    ]
}

fn notifications(rows: &mut [FlatNotification]) -> Vec<Param> {
    vec![
        column(rows, |it| it.subject),
        column(rows, |it| it.merchant),
        column(rows, |it| it.topic),
        column(rows, |it| it.attempts),
        column(rows, |it| it.state),
        column(rows, |it| it.at),
    ]
}

fn postings(rows: &mut [FlatPosting]) -> Vec<Param> {
    vec![
        column(rows, |it| it.number),
        column(rows, |it| it.debit),
        column(rows, |it| it.credit),
        column(rows, |it| it.amount),
        column(rows, |it| it.unit),
        column(rows, |it| it.at),
    ]
}
