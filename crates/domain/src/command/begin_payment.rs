//! Is this payment new?

use super::{Command, record_pay::collect, voucher::hold};
use crate::{
    channel::Receipt,
    job::{HANDOVER_MS, Job, JobKind},
    money::Fen,
    payment::{CloseReason, End, Paid, Payment, PaymentState},
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
    /// Recorded, and over already: a voucher pays all of it, or could not be used.
    Settled(Box<Payment>),
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
        if let Err(status) = hold::reserve(rows, &self.payment, now)? {
            let end = End::Closed(CloseReason::Voucher(status));
            return Ok(self.settle(rows, ended(end, now)));
        }
        if self.payment.amount == Fen::ZERO {
            let paid = PaymentState::Paid(Paid::new(self.receipt(now)));
            let reply = self.settle(rows, paid);
            if let Began::Settled(payment) = &reply {
                hold::spend(rows, payment, now)?;
                collect(rows, payment, now);
            }
            return Ok(reply);
        }
        rows.put_job(Job::new(
            tenant,
            serial,
            JobKind::SettlePayment,
            now.plus_ms(HANDOVER_MS),
        ));
        Ok(Began::New)
    }
}

impl BeginPayment {
    fn settle(&self, rows: &mut Rows, state: PaymentState) -> Began {
        let mut payment = self.payment.clone();
        payment.state = state;
        rows.put_payment((*payment).clone());
        Began::Settled(payment)
    }

    /// What stands for a channel's word where a voucher pays it all.
    fn receipt(&self, now: UnixMs) -> Receipt {
        Receipt {
            channel_serial: self.payment.serial.to_string(),
            paid_at: now,
            bills: Vec::new(),
            buyer_id: None,
            channel_result: None,
        }
    }
}

const fn ended(end: End, at: UnixMs) -> PaymentState {
    PaymentState::Ended {
        end,
        at,
        paid: None,
    }
}
