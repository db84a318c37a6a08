//! Money that goes back.

use super::{Command, record_pay::load};
use crate::{
    channel::{NotSent, RefundOutcome},
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    job::{HANDOVER_MS, Job, JobKind, retry_after_ms},
    ledger::Posting,
    money::Fen,
    payment::{End, Payment, PaymentState, PaymentStatus},
    refund::{FirstAnswer, Origin, Refund, RefundFailure, RefundState},
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};

/// A merchant asks for a refund.
#[derive(Debug)]
pub struct BeginRefund {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub payment: PaymentRef,
    /// The account that asks; another's payment does not exist for it.
    pub merchant: MerchantNo,
    /// The gateway's number for the refund if it is new.
    pub serial: Serial,
    /// The claim on the request.
    pub key: ClaimKey,
    /// The merchant's own number of the refund, if there is one.
    pub merchant_serial: Option<String>,
    /// How much.
    pub amount: Fen,
}

/// The answer to [`BeginRefund`].
#[derive(Debug, PartialEq, Eq)]
pub enum RefundReply {
    /// No such payment.
    NotFound,
    /// The payment was cancelled.
    Cancelled,
    /// Not in this state.
    Refused(PaymentStatus),
    /// More than what is left to give back; carries what is left.
    OverRemainder(Fen),
    /// The same request as this earlier refund.
    Repeat(Box<Payment>, Box<Refund>),
    /// The number belongs to another refund.
    Conflict,
    /// Recorded: the channel must now do it.
    New(Box<Payment>, Box<Refund>),
}

impl Command for BeginRefund {
    type Reply = RefundReply;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.payment.plan(plan);
        plan.refund_keys.push((self.tenant, self.key));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<RefundReply, Inconsistent> {
        let found = rows
            .payment(self.payment)
            .filter(|payment| payment.merchant == self.merchant);
        let Some(mut payment) = found.cloned() else {
            return Ok(RefundReply::NotFound);
        };
        if let Some(earlier) = rows.refund_by_key(self.key) {
            return Ok(self.compare(payment, earlier.clone()));
        }
        if let Some(refusal) = self.refusal(&payment) {
            return Ok(refusal);
        }
        let origin = Origin::Request {
            key: self.key,
            merchant_serial: self.merchant_serial.clone(),
        };
        let refund = begin_refund_of(rows, &mut payment, self.serial, origin, self.amount, now);
        rows.put_payment(payment.clone());
        Ok(RefundReply::New(Box::new(payment), Box::new(refund)))
    }
}

impl BeginRefund {
    fn compare(&self, payment: Payment, earlier: Refund) -> RefundReply {
        if earlier.payment == payment.serial && earlier.amount == self.amount {
            RefundReply::Repeat(Box::new(payment), Box::new(earlier))
        } else {
            RefundReply::Conflict
        }
    }

    fn refusal(&self, payment: &Payment) -> Option<RefundReply> {
        match payment.status() {
            PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunding
            | PaymentStatus::RefundFailed
            | PaymentStatus::Refunded => {
                let left = payment
                    .paid()
                    .map_or(Fen::ZERO, |paid| paid.refundable(payment.amount));
                (self.amount > left).then_some(RefundReply::OverRemainder(left))
            }
            PaymentStatus::Cancelled => Some(RefundReply::Cancelled),
            status @ (PaymentStatus::Unpaid
            | PaymentStatus::CancelRequested
            | PaymentStatus::Closed) => Some(RefundReply::Refused(status)),
        }
    }
}

/// Records a refund of `amount` and the work of finishing it, and sets the money aside. The
/// caller puts the payment.
pub(super) fn begin_refund_of(
    rows: &mut Rows,
    payment: &mut Payment,
    serial: Serial,
    origin: Origin,
    amount: Fen,
    now: UnixMs,
) -> Refund {
    if let Some(paid) = payment.paid_mut() {
        paid.refunding = paid.refunding.checked_add(amount).unwrap_or(paid.refunding);
    }
    let refund = Refund {
        tenant: payment.tenant,
        serial,
        payment: payment.serial,
        merchant: payment.merchant,
        origin,
        amount,
        created_at: now,
        state: RefundState::InProgress,
        first_answer: None,
    };
    rows.put_refund(refund.clone());
    let due_at = now.plus_ms(HANDOVER_MS);
    rows.put_job(Job::new(
        payment.tenant,
        serial,
        JobKind::FinishRefund,
        due_at,
    ));
    refund
}

/// Records what the channel said to a refund.
#[derive(Debug)]
pub struct RecordRefund {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub payment: Serial,
    /// The refund.
    pub refund: Serial,
    /// What the channel said. `NotSent` only when no earlier call of this refund may have
    /// reached the channel.
    pub outcome: RefundOutcome,
}

impl Command for RecordRefund {
    type Reply = (Box<Payment>, Box<Refund>);

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.payments.push((self.tenant, self.payment));
        plan.refunds.push((self.tenant, self.refund));
        plan.jobs.push((self.tenant, self.refund));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Self::Reply, Inconsistent> {
        let mut payment = load(rows, self.tenant, self.payment)?;
        let mut refund = rows
            .refund(self.refund)
            .cloned()
            .ok_or(Inconsistent(self.refund))?;
        if refund.state == RefundState::InProgress {
            match (self.outcome, &refund.origin) {
                (RefundOutcome::Done, _) => complete(rows, &mut payment, &mut refund, now),
                (RefundOutcome::Declined, Origin::Request { .. } | Origin::Cancellation) => {
                    fail(
                        rows,
                        &mut payment,
                        &mut refund,
                        RefundFailure::Declined,
                        now,
                    );
                }
                (RefundOutcome::NotSent(why), Origin::Request { .. } | Origin::Cancellation) => {
                    fail(rows, &mut payment, &mut refund, not_sent(why), now);
                }
                // Money that nobody asked for goes back, however often it takes.
                (RefundOutcome::Declined | RefundOutcome::NotSent(_), Origin::LateSuccess)
                | (RefundOutcome::Waiting | RefundOutcome::Unknown, _) => {
                    try_again(rows, &refund, now);
                }
            }
            refund.first_answer = refund.first_answer.or(Some(answer(&refund)));
            rows.put_refund(refund.clone());
            rows.put_payment(payment.clone());
        }
        Ok((Box::new(payment), Box::new(refund)))
    }
}

const fn not_sent(why: NotSent) -> RefundFailure {
    RefundFailure::NotSent(why)
}

const fn answer(refund: &Refund) -> FirstAnswer {
    match refund.state {
        RefundState::InProgress | RefundState::Done(_) => FirstAnswer::Accepted,
        RefundState::Failed(..) => FirstAnswer::Refused,
    }
}

fn complete(rows: &mut Rows, payment: &mut Payment, refund: &mut Refund, now: UnixMs) {
    refund.state = RefundState::Done(now);
    rows.post(Posting::refund(payment, refund, now));
    rows.remove_job(refund.tenant, refund.serial);
    release(payment, refund.amount, |paid, amount| {
        paid.refunded = paid.refunded.checked_add(amount).unwrap_or(paid.refunded);
        paid.refund_failed = false;
    });
    if refund.origin == Origin::Cancellation
        && let PaymentState::Paid(paid) = &payment.state
    {
        let paid = Some(paid.clone());
        payment.state = PaymentState::Ended {
            end: End::Cancelled,
            at: now,
            paid,
        };
    }
}

fn fail(
    rows: &mut Rows,
    payment: &mut Payment,
    refund: &mut Refund,
    why: RefundFailure,
    now: UnixMs,
) {
    refund.state = RefundState::Failed(now, why);
    rows.remove_job(refund.tenant, refund.serial);
    release(payment, refund.amount, |paid, _| paid.refund_failed = true);
}

/// Takes `amount` out of what is on its way back and says where it went.
fn release(
    payment: &mut Payment,
    amount: Fen,
    settle: impl FnOnce(&mut crate::payment::Paid, Fen),
) {
    if let Some(paid) = payment.paid_mut() {
        paid.refunding = paid.refunding.checked_sub(amount).unwrap_or(Fen::ZERO);
        settle(paid, amount);
    }
}

fn try_again(rows: &mut Rows, refund: &Refund, now: UnixMs) {
    let attempts = rows.job(refund.serial).map_or(0, |job| job.attempts);
    let due_at = now.plus_ms(retry_after_ms(attempts));
    let kind = JobKind::FinishRefund;
    rows.put_job(Job {
        attempts,
        ..Job::new(refund.tenant, refund.serial, kind, due_at)
    });
}
