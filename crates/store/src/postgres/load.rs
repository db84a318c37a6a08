//! The first half of a transaction: claims are recorded, and all named rows locked and loaded.

use super::{
    columns::{get, read_all},
    error::classify,
    link::Link,
    loyalty, paying,
    session::{Param, Step, column, pipeline},
    voucher,
};
use crate::{contract::StoreError, flat::FlatPayment};
use domain::{
    ids::{ClaimKey, Serial, TenantId},
    loyalty::trans::Trans,
    payment::{Payment, PaymentStatus},
    rows::{Claim, Plan, Rows},
    voucher::paying::PayingCodes,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    mem::take,
};
use tokio_postgres::{Row, Statement};

/// What the second half must know of the first.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// A tenant for whom a payment was claimed, if any was.
    pub(super) claimed_for: Option<TenantId>,
    /// The loaded payments that wait for an operator's decision.
    pub(super) cancel_requested: HashSet<Serial>,
}

/// What a step reads.
#[derive(Clone, Copy)]
enum Reads {
    Paying,
    Claims,
    Payments,
    Refunds,
    Recharges,
    Jobs,
    Notifications,
    Loyalty(loyalty::Reads),
    Voucher(voucher::Reads),
}

/// The steps of one round trip, and what each reads.
type Steps = (Vec<Reads>, Vec<Step>);

#[derive(Default)]
struct Loading<'p> {
    codes: PayingCodes,
    /// The new payments as they are to be recorded.
    admitted: Vec<Cow<'p, Payment>>,
    /// The keys of those whose codes pay nothing.
    refused: Vec<(TenantId, ClaimKey)>,
    voucher: Option<voucher::Wanted<'p>>,
    won: HashSet<i64>,
    rows: Rows,
    open: Open,
}

/// Opens a transaction and runs `plan` in it: one round trip, and another one for the rows
/// that took a claim's key earlier and for voucher codes, if there are any. Where new payments name codes, these
/// are looked up in the first, and the keys are claimed in the second.
pub(super) async fn load(link: &Link, plan: &Plan<'_>) -> Result<(Rows, Open), StoreError> {
    let mut loading = Loading::default();
    let looking = paying::looking(&link.voucher.paying, &plan.claims);
    if looking.is_empty() {
        loading.claim_at_once(link, plan).await?;
    } else {
        loading.look_before(link, plan, looking).await?;
    }
    Ok((loading.rows, loading.open))
}

impl<'p> Loading<'p> {
    async fn claim_at_once(&mut self, link: &Link, plan: &'p Plan<'p>) -> Result<(), StoreError> {
        self.admit(&plan.claims)?;
        let mut steps = claiming(&link.statements.claim, &self.admitted)?;
        add(&mut steps, locking_rows(link, plan));
        self.run(link, Some(link.begin()), steps).await?;
        let lost = self.settle_claims();
        let lock = &link.statements.lock_payments;
        let steps = locking(Reads::Payments, lock, &[], &lost);
        self.run_with_codes(link, plan, steps).await
    }

    /// As everywhere payments are locked before the codes that they hold, those that took a key among them: a
    /// sale that is repeated at another gateway names the code of the first. Rows that the plan names are
    /// locked before keys are claimed here: two gateways that repeat two sales of each other crosswise may wait
    /// for each other, until the server ends one batch, which is tried again.
    async fn look_before(
        &mut self,
        link: &Link,
        plan: &'p Plan<'p>,
        looking: Vec<Step>,
    ) -> Result<(), StoreError> {
        let mut steps = (vec![Reads::Paying; looking.len()], looking);
        add(&mut steps, locking_rows(link, plan));
        self.run(link, Some(link.begin()), steps).await?;
        self.admit(&plan.claims)?;
        let mut steps = claiming(&link.statements.claim, &self.admitted)?;
        let lock = &link.statements.lock_holders;
        add(&mut steps, locking_holders(lock, &plan.claims));
        self.run_with_codes(link, plan, steps).await?;
        // Who lost a key has its holder by now.
        drop(self.settle_claims());
        Ok(())
    }

    /// Runs `steps`, and behind them those that lock the codes of the plan, of its payments and of new ones.
    async fn run_with_codes(
        &mut self,
        link: &Link,
        plan: &'p Plan<'p>,
        mut steps: Steps,
    ) -> Result<(), StoreError> {
        let mut held = self.rows.codes_held(&plan.voucher.cards);
        let new = self.admitted.iter().filter_map(|it| it.details.voucher);
        held.extend(new.map(|it| it.code));
        let wanted = voucher::Wanted::of(&plan.voucher, held);
        for (reads, step) in wanted.locking(&link.voucher) {
            steps.0.push(Reads::Voucher(reads));
            steps.1.push(step);
        }
        if steps.1.is_empty() {
            return Ok(());
        }
        self.voucher = Some(wanted);
        self.run(link, None, steps).await
    }

    /// Sorts out which new payments are to be recorded, with what their codes pay of them.
    fn admit(&mut self, claims: &[Claim<'p>]) -> Result<(), StoreError> {
        for claim in claims {
            let Payment {
                tenant,
                serial,
                key,
                ..
            } = *claim.payment;
            match self.codes.admit(*claim)? {
                Ok(payment) => self.admitted.push(payment),
                Err(why) => {
                    self.rows.add_refused(serial, why);
                    self.refused.push((tenant, key));
                }
            }
        }
        Ok(())
    }

    async fn run(
        &mut self,
        link: &Link,
        first: Option<&str>,
        (reads, steps): Steps,
    ) -> Result<(), StoreError> {
        let pipelined = pipeline(&link.session.client, first, &steps, None).await;
        let mut answers = pipelined.answers.into_iter();
        if first.is_some() {
            answers.next().transpose().map_err(|e| classify(&e))?;
        }
        for (reads, answer) in reads.into_iter().zip(answers) {
            self.take(reads, &answer.map_err(|error| classify(&error))?)?;
        }
        Ok(())
    }

    fn take(&mut self, reads: Reads, found: &[Row]) -> Result<(), StoreError> {
        let rows = &mut self.rows;
        match reads {
            Reads::Paying => paying::take(found, &mut self.codes)?,
            Reads::Claims => {
                for row in found {
                    self.won.insert(get(row, 0)?);
                }
            }
            Reads::Payments => {
                for payment in read_all::<Payment>(found)? {
                    if payment.status() == PaymentStatus::CancelRequested {
                        self.open.cancel_requested.insert(payment.serial);
                    }
                    rows.add_payment(payment);
                }
            }
            Reads::Refunds => read_all(found)?
                .into_iter()
                .for_each(|it| rows.add_refund(it)),
            Reads::Recharges => read_all(found)?
                .into_iter()
                .for_each(|it| rows.add_recharge(it)),
            Reads::Jobs => read_all(found)?.into_iter().for_each(|it| rows.add_job(it)),
            Reads::Notifications => {
                read_all(found)?
                    .into_iter()
                    .for_each(|it| rows.add_notification(it));
            }
            Reads::Loyalty(loyalty::Reads::Documents(kind)) => {
                for row in found {
                    let document = loyalty::read_document(kind, row)?;
                    rows.loyalty.add_document(document.key(), document.into());
                }
            }
            Reads::Loyalty(loyalty::Reads::Trans) => read_all::<Trans>(found)?
                .into_iter()
                .for_each(|it| rows.loyalty.add_trans(it)),
            Reads::Voucher(reads) => {
                if let Some(wanted) = &mut self.voucher {
                    wanted.take(reads, found, &mut rows.voucher)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the claims that were recorded; returns the keys that earlier batches took, or may have
    /// taken where a code pays nothing.
    fn settle_claims(&mut self) -> Vec<(TenantId, ClaimKey)> {
        let mut lost = take(&mut self.refused);
        let mut won_keys = HashSet::new();
        for payment in take(&mut self.admitted) {
            if self.won.remove(&payment.serial.0) {
                self.rows.add_claimed(payment.serial);
                self.open.claimed_for = Some(payment.tenant);
                won_keys.insert(payment.key);
                self.rows.add_payment(payment.into_owned());
            } else {
                lost.push((payment.tenant, payment.key));
            }
        }
        // A twin in the same batch took it: that row is here already.
        lost.retain(|(_, key)| !won_keys.contains(key));
        lost
    }
}

fn add(steps: &mut Steps, more: Steps) {
    steps.0.extend(more.0);
    steps.1.extend(more.1);
}

/// Steps that lock all that the plan names.
fn locking_rows(link: &Link, plan: &Plan<'_>) -> Steps {
    let sql = &link.statements;
    let jobs = locking(Reads::Jobs, &sql.lock_jobs, &plan.jobs, &[]);
    let due = locking(
        Reads::Notifications,
        &sql.lock_notifications,
        &plan.notifications,
        &[],
    );
    let (serials, keys) = (&plan.payments, &plan.payment_keys);
    let mut steps = locking(Reads::Payments, &sql.lock_payments, serials, keys);
    let (serials, keys) = (&plan.refunds, &plan.refund_keys);
    let refunds = locking(Reads::Refunds, &sql.lock_refunds, serials, keys);
    let (serials, keys) = (&plan.recharges, &plan.recharge_keys);
    let recharges = locking(Reads::Recharges, &sql.lock_recharges, serials, keys);
    for more in [refunds, recharges, jobs, due] {
        add(&mut steps, more);
    }
    for (reads, step) in loyalty::locking(&link.loyalty, &plan.loyalty) {
        steps.0.push(Reads::Loyalty(reads));
        steps.1.push(step);
    }
    steps
}

/// Steps that lock the payments that took the keys of new ones earlier, a tenant each.
fn locking_holders(statement: &Statement, claims: &[Claim<'_>]) -> Steps {
    let mut steps = Steps::default();
    for claims in claims.chunk_by(|a, b| a.payment.tenant == b.payment.tenant) {
        let new = || claims.iter().map(|it| it.payment);
        let Some(first) = new().next() else { continue };
        let keys: Vec<Vec<u8>> = new().map(|it| it.key.0.to_vec()).collect();
        let serials: Vec<i64> = new().map(|it| it.serial.0).collect();
        let params: Vec<Param> = vec![Box::new(first.tenant.0), Box::new(keys), Box::new(serials)];
        steps.0.push(Reads::Payments);
        steps.1.push(Step::new(statement, params));
    }
    steps
}

/// Steps that claim keys, a tenant each. The plan is sorted by key, so that two writers claim
/// the same keys in the same order.
fn claiming(statement: &Statement, claims: &[Cow<'_, Payment>]) -> Result<Steps, StoreError> {
    let (mut reads, mut steps) = Steps::default();
    for claims in claims.chunk_by(|a, b| a.tenant == b.tenant) {
        let flat = claims.iter().map(|payment| FlatPayment::of(payment));
        let mut flat = flat.collect::<Result<Vec<_>, _>>()?;
        reads.push(Reads::Claims);
        steps.push(Step::new(statement, claim_params(&mut flat)));
    }
    Ok((reads, steps))
}

fn claim_params(rows: &mut [FlatPayment]) -> Vec<Param> {
    let tenant = rows.first().map_or(0, |row| row.tenant);
    vec![
        Box::new(tenant),
        column(rows, |it| it.serial),
        column(rows, |it| it.merchant),
        column(rows, |it| it.claim.to_vec()),
        column(rows, |it| take(&mut it.merchant_serial)),
        column(rows, |it| it.flow),
        column(rows, |it| it.channel),
        column(rows, |it| it.amount),
        column(rows, |it| it.created_at),
        column(rows, |it| it.expires_at),
        column(rows, |it| take(&mut it.details)),
        column(rows, |it| it.state.state),
        column(rows, |it| it.state.end_code),
        column(rows, |it| it.state.ended_at),
        column(rows, |it| it.state.flags),
        column(rows, |it| it.state.refunded),
        column(rows, |it| it.state.refunding),
        column(rows, |it| take(&mut it.state.receipt)),
        column(rows, |it| take(&mut it.state.credential)),
    ]
}

/// Steps that lock rows by serial or claim, a tenant each.
fn locking(
    read: Reads,
    statement: &Statement,
    serials: &[(TenantId, Serial)],
    keys: &[(TenantId, ClaimKey)],
) -> Steps {
    let mut tenants: BTreeMap<TenantId, (Vec<i64>, Vec<Vec<u8>>)> = BTreeMap::new();
    for (tenant, serial) in serials {
        tenants.entry(*tenant).or_default().0.push(serial.0);
    }
    for (tenant, key) in keys {
        tenants.entry(*tenant).or_default().1.push(key.0.to_vec());
    }
    let steps = tenants.into_iter().map(|(tenant, (serials, keys))| {
        let mut params: Vec<Param> = vec![Box::new(tenant.0), Box::new(serials)];
        // Jobs and notifications have no claims.
        match read {
            Reads::Payments | Reads::Refunds | Reads::Recharges => params.push(Box::new(keys)),
            Reads::Paying
            | Reads::Claims
            | Reads::Jobs
            | Reads::Notifications
            | Reads::Loyalty(_)
            | Reads::Voucher(_) => {}
        }
        (read, Step::new(statement, params))
    });
    steps.unzip()
}
