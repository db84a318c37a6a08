//! Is this payment new?

use super::Command;
use crate::{
    job::{HANDOVER_MS, Job, JobKind},
    payment::Payment,
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};

/// Records a payment before the channel is asked, unless its merchant serial was used before.
#[derive(Debug)]
pub struct BeginPayment {
    /// The payment, open.
    pub payment: Box<Payment>,
}

/// The answer to [`BeginPayment`].
#[derive(Debug, PartialEq, Eq)]
pub enum Began {
    /// Recorded: the channel may be asked.
    New,
    /// The merchant serial names this payment already.
    Exists(Box<Payment>),
}

impl Command for BeginPayment {
    type Reply = Began;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.claims.push(&self.payment);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Began, Inconsistent> {
        let Payment {
            tenant,
            serial,
            key,
            ..
        } = *self.payment;
        if !rows.was_claimed(serial) {
            let existing = rows.payment(PaymentRef::Key(tenant, key));
            let existing = existing.ok_or(Inconsistent(serial))?.clone();
            return Ok(Began::Exists(Box::new(existing)));
        }
        rows.begin(serial);
        rows.put_job(Job::new(
            tenant,
            serial,
            JobKind::SettlePayment,
            now.plus_ms(HANDOVER_MS),
        ));
        Ok(Began::New)
    }
}
