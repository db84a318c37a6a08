//! Data top-ups.

use super::Command;
use crate::{
    channel::RechargeOutcome,
    ids::{Serial, TenantId},
    job::{HANDOVER_MS, Job, JobKind, retry_after_ms},
    ledger::Posting,
    notification::{Delivery, Notification, Topic},
    recharge::{Recharge, RechargeState},
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Records a top-up before the provider is asked, unless the same request came before.
#[derive(Debug)]
pub struct BeginRecharge {
    /// The top-up, created.
    pub recharge: Box<Recharge>,
}

/// The answer to [`BeginRecharge`].
#[derive(Debug, PartialEq, Eq)]
pub enum RechargeBegan {
    /// Recorded: the provider may be asked.
    New,
    /// The same request made this one before.
    Exists(Box<Recharge>),
}

impl Command for BeginRecharge {
    type Reply = RechargeBegan;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.recharge_keys
            .push((self.recharge.tenant, self.recharge.key));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<RechargeBegan, Inconsistent> {
        if let Some(earlier) = rows.recharge_by_key(self.recharge.key) {
            return Ok(RechargeBegan::Exists(Box::new(earlier.clone())));
        }
        let Recharge { tenant, serial, .. } = *self.recharge;
        rows.put_recharge((*self.recharge).clone());
        rows.put_job(Job::new(
            tenant,
            serial,
            JobKind::FinishRecharge,
            now.plus_ms(HANDOVER_MS),
        ));
        Ok(RechargeBegan::New)
    }
}

/// Records what the provider said.
#[derive(Debug)]
pub struct RecordRecharge {
    /// Whose.
    pub tenant: TenantId,
    /// The top-up.
    pub serial: Serial,
    /// What the provider said.
    pub outcome: RechargeOutcome,
}

impl Command for RecordRecharge {
    type Reply = Box<Recharge>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.recharges.push((self.tenant, self.serial));
        plan.jobs.push((self.tenant, self.serial));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Box<Recharge>, Inconsistent> {
        let mut recharge = rows
            .recharge(self.serial)
            .cloned()
            .ok_or(Inconsistent(self.serial))?;
        if recharge.is_over() {
            return Ok(Box::new(recharge));
        }
        let known = recharge.provider_serial().map(str::to_owned);
        match &self.outcome {
            RechargeOutcome::Done(number) => {
                recharge.state = RechargeState::Done(number.clone(), now);
                rows.post(Posting::recharge(&recharge, now));
                finish(rows, &recharge, now);
            }
            // A worker has asked meanwhile: that call may have arrived where this one did not.
            RechargeOutcome::NotSent(_) if was_taken_over(rows, self.serial) => {
                ask_again(rows, &recharge, now);
            }
            RechargeOutcome::Failed | RechargeOutcome::NotSent(_) => {
                recharge.state = RechargeState::Failed(known, now);
                finish(rows, &recharge, now);
            }
            RechargeOutcome::Accepted(number) => {
                recharge.state = RechargeState::AtProvider(number.clone());
                ask_again(rows, &recharge, now);
            }
            RechargeOutcome::Unknown => ask_again(rows, &recharge, now),
        }
        rows.put_recharge(recharge.clone());
        Ok(Box::new(recharge))
    }
}

/// Whether a worker has claimed the job since the request itself asked.
fn was_taken_over(rows: &Rows, serial: Serial) -> bool {
    rows.job(serial).is_some_and(|job| job.attempts > 0)
}

fn finish(rows: &mut Rows, recharge: &Recharge, now: UnixMs) {
    rows.remove_job(recharge.tenant, recharge.serial);
    if recharge.notify_url.is_some() {
        rows.put_notification(Notification {
            tenant: recharge.tenant,
            subject: recharge.serial,
            merchant: recharge.merchant,
            topic: Topic::RechargeEnded,
            attempts: 0,
            delivery: Delivery::Due(now),
        });
    }
}

fn ask_again(rows: &mut Rows, recharge: &Recharge, now: UnixMs) {
    let attempts = rows.job(recharge.serial).map_or(0, |job| job.attempts);
    let due_at = now.plus_ms(retry_after_ms(attempts));
    let kind = JobKind::FinishRecharge;
    rows.put_job(Job {
        attempts,
        ..Job::new(recharge.tenant, recharge.serial, kind, due_at)
    });
}
