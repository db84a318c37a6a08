//! The end of a payment that nobody paid in time.

use super::{
    Command,
    record_pay::{Learned, load, return_late_money},
    voucher::hold,
};
use crate::{
    channel::{Receipt, ReverseOutcome},
    ids::{Serial, TenantId},
    job::{CONFIRM_AFTER_MS, HANDOVER_MS, Job, JobKind, retry_after_ms},
    ledger::Posting,
    payment::{End, Paid, Payment, PaymentState, VoucherFate},
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Gives an open payment up: from here on it can only end without the money.
#[derive(Debug)]
pub struct GiveUp {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub serial: Serial,
}

/// Records what the channel said to "undo it".
#[derive(Debug)]
pub struct RecordReverse {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub serial: Serial,
    /// What the channel said.
    pub outcome: ReverseOutcome,
    /// The number of the refund that is needed when it is too late to reverse.
    pub refund_serial: Serial,
}

impl Command for GiveUp {
    type Reply = Box<Payment>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.payments.push((self.tenant, self.serial));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Box<Payment>, Inconsistent> {
        let mut payment = load(rows, self.tenant, self.serial)?;
        if matches!(payment.state, PaymentState::Open { .. }) {
            let end = payment.end_when_given_up();
            begin_ending(rows, &mut payment, end, now);
        }
        Ok(Box::new(payment))
    }
}

/// Marks an open payment as given up and stores the work of undoing it at the channel.
pub(super) fn begin_ending(rows: &mut Rows, payment: &mut Payment, end: End, now: UnixMs) {
    payment.state = PaymentState::Ending(end);
    rows.put_payment(payment.clone());
    let due_at = now.plus_ms(HANDOVER_MS);
    rows.put_job(Job::new(
        payment.tenant,
        payment.serial,
        JobKind::ReversePayment,
        due_at,
    ));
}

impl Command for RecordReverse {
    type Reply = Learned;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.payments.push((self.tenant, self.serial));
        plan.jobs.push((self.tenant, self.serial));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Learned, Inconsistent> {
        let mut payment = load(rows, self.tenant, self.serial)?;
        let mut late_refund = None;
        let was_undecided = payment.is_undecided();
        match (&payment.state, &self.outcome) {
            (PaymentState::Ending(end), ReverseOutcome::Reversed(None)) => {
                let end = *end;
                confirm_later(rows, &mut payment, end, now);
            }
            (PaymentState::Ending(_), ReverseOutcome::Unknown) => try_again(rows, &payment, now),
            // The answer to another call may have ended the payment before: money that moved is
            // booked all the same.
            (
                PaymentState::Ending(end)
                | PaymentState::Ended {
                    end, paid: None, ..
                },
                ReverseOutcome::Reversed(Some(receipt)),
            ) => {
                let end = *end;
                book_reversal(rows, &mut payment, end, receipt, now);
            }
            (
                PaymentState::Ending(end)
                | PaymentState::Ended {
                    end, paid: None, ..
                },
                ReverseOutcome::Paid(receipt),
            ) => {
                payment.state = ended(*end, now, None);
                let receipt = receipt.clone();
                return_late_money(rows, &mut payment, receipt, self.refund_serial, now)?;
                late_refund = Some(self.refund_serial);
            }
            (
                PaymentState::Ended { paid: None, .. },
                ReverseOutcome::Reversed(None) | ReverseOutcome::Unknown,
            )
            | (
                PaymentState::Open { .. }
                | PaymentState::Paid(_)
                | PaymentState::Ended { paid: Some(_), .. },
                _,
            ) => {}
        }
        if was_undecided {
            hold::follow(rows, &payment, now)?;
        }
        rows.put_payment(payment.clone());
        Ok(Learned {
            payment: Box::new(payment),
            late_refund,
        })
    }
}

const fn ended(end: End, at: UnixMs, paid: Option<Paid>) -> PaymentState {
    PaymentState::Ended { end, at, paid }
}

/// Books the money that had moved and was given back.
fn book_reversal(rows: &mut Rows, payment: &mut Payment, end: End, receipt: &Receipt, now: UnixMs) {
    let paid = Paid {
        refunded: payment.amount,
        voucher: VoucherFate::Returned,
        ..Paid::new(receipt.clone())
    };
    rows.post(Posting::payment(payment, now));
    rows.post(Posting::reversal(payment, now));
    rows.remove_job(payment.tenant, payment.serial);
    payment.state = ended(end, now, Some(paid));
}

fn confirm_later(rows: &mut Rows, payment: &mut Payment, end: End, now: UnixMs) {
    payment.state = ended(end, now, None);
    let due_at = now.plus_ms(CONFIRM_AFTER_MS);
    rows.put_job(Job::new(
        payment.tenant,
        payment.serial,
        JobKind::ConfirmReversal,
        due_at,
    ));
}

fn try_again(rows: &mut Rows, payment: &Payment, now: UnixMs) {
    let attempts = rows.job(payment.serial).map_or(0, |job| job.attempts);
    let due_at = now.plus_ms(retry_after_ms(attempts));
    let kind = JobKind::ReversePayment;
    rows.put_job(Job {
        attempts,
        ..Job::new(payment.tenant, payment.serial, kind, due_at)
    });
}
