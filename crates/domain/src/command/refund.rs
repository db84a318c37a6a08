//! Money that goes back.

use super::{Command, record_pay::load, voucher::hold};
use crate::{
    channel::{NotSent, RefundOutcome},
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    job::{HANDOVER_MS, Job, JobKind, retry_after_ms},
    ledger::Posting,
    money::Fen,
    payment::{End, Payment, PaymentState, PaymentStatus, VoucherFate},
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
    /// How much of the price.
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
    /// More than what is left to give back, or a part of what a voucher paid, which comes back whole
    /// or not; carries what is left.
    OverRemainder(Fen),
    /// The same request as this earlier refund.
    Repeat(Box<Payment>, Box<Refund>),
    /// The number belongs to another refund.
    Conflict,
    /// Recorded: the channel must now do it, unless it is done already, because only the use of a
    /// voucher comes back.
    New(Box<Payment>, Box<Refund>),
}

impl Command for BeginRefund {
    type Reply = RefundReply;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.payment.plan(plan);
        plan.refund_keys.push((self.tenant, self.key));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<RefundReply, Inconsistent> {
        let found = rows
            .payment(self.payment)
            .filter(|payment| payment.merchant == self.merchant);
        if let Some(earlier) = rows.refund_by_key(self.key) {
            return Ok(self.compare(found, earlier));
        }
        let Some(mut payment) = found.cloned() else {
            return Ok(RefundReply::NotFound);
        };
        let back = match self.back(&payment) {
            Ok(back) => back,
            Err(refusal) => return Ok(refusal),
        };
        let origin = Origin::Request {
            key: self.key,
            merchant_serial: self.merchant_serial.clone(),
        };
        let refund = begin_refund_of(rows, &mut payment, self.serial, origin, back, now)?;
        rows.put_payment(payment.clone());
        Ok(RefundReply::New(Box::new(payment), Box::new(refund)))
    }
}

impl BeginRefund {
    /// The number was used before: for this very refund, or for another.
    fn compare(&self, payment: Option<&Payment>, earlier: &Refund) -> RefundReply {
        match payment {
            Some(payment)
                if earlier.payment == payment.serial && earlier.price(payment) == self.amount =>
            {
                RefundReply::Repeat(Box::new(payment.clone()), Box::new(earlier.clone()))
            }
            Some(_) | None => RefundReply::Conflict,
        }
    }

    /// What comes back: a part of what the channel took, or all that is left, and the voucher with
    /// it.
    fn back(&self, payment: &Payment) -> Result<Back, RefundReply> {
        match payment.status() {
            PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunding
            | PaymentStatus::RefundFailed
            | PaymentStatus::Refunded => {
                let paid = payment.paid();
                let of_channel = paid.map_or(Fen::ZERO, |it| it.refundable(payment.amount));
                let left = paid.map_or(Fen::ZERO, |it| it.refundable_price(payment));
                self.within(payment, of_channel, left)
            }
            PaymentStatus::Cancelled => Err(RefundReply::Cancelled),
            status @ (PaymentStatus::Unpaid
            | PaymentStatus::CancelRequested
            | PaymentStatus::Closed) => Err(RefundReply::Refused(status)),
        }
    }

    fn within(&self, payment: &Payment, of_channel: Fen, left: Fen) -> Result<Back, RefundReply> {
        let voucher_is_used = payment.details.voucher.is_some()
            && payment
                .paid()
                .is_some_and(|it| it.voucher == VoucherFate::Used);
        if self.amount == left {
            return Ok(Back {
                amount: of_channel,
                voucher: voucher_is_used,
            });
        }
        if self.amount > of_channel {
            return Err(RefundReply::OverRemainder(left));
        }
        Ok(Back {
            amount: self.amount,
            voucher: false,
        })
    }
}

/// What comes back with a refund.
#[derive(Clone, Copy, Debug)]
pub(super) struct Back {
    /// Through the channel.
    pub amount: Fen,
    /// Whether the use of the voucher does.
    pub voucher: bool,
}

/// Records a refund and the work of finishing it, and sets the money aside. Where no money comes
/// back it is done at once. The caller puts the payment.
pub(super) fn begin_refund_of(
    rows: &mut Rows,
    payment: &mut Payment,
    serial: Serial,
    origin: Origin,
    back: Back,
    now: UnixMs,
) -> Result<Refund, Inconsistent> {
    let paid = payment.paid_mut().ok_or(Inconsistent(serial))?;
    paid.set_aside(back.amount).ok_or(Inconsistent(serial))?;
    if back.voucher {
        paid.voucher = VoucherFate::Returning;
    }
    let mut refund = Refund {
        tenant: payment.tenant,
        serial,
        payment: payment.serial,
        merchant: payment.merchant,
        origin,
        amount: back.amount,
        voucher_back: back.voucher,
        created_at: now,
        state: RefundState::InProgress,
        first_answer: None,
    };
    if refund.amount == Fen::ZERO {
        complete(rows, payment, &mut refund, now)?;
        refund.first_answer = Some(answer(&refund));
        rows.put_refund(refund.clone());
        return Ok(refund);
    }
    rows.put_refund(refund.clone());
    let due_at = now.plus_ms(HANDOVER_MS);
    rows.put_job(Job::new(
        payment.tenant,
        serial,
        JobKind::FinishRefund,
        due_at,
    ));
    Ok(refund)
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
    /// What the channel said.
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
            .filter(|refund| refund.payment == self.payment)
            .ok_or(Inconsistent(self.refund))?;
        if refund.state == RefundState::InProgress {
            match (self.outcome, &refund.origin) {
                (RefundOutcome::Done, _) => complete(rows, &mut payment, &mut refund, now)?,
                // A worker has asked meanwhile: that call may have arrived where this did not.
                (RefundOutcome::NotSent(_), _) if was_taken_over(rows, self.refund) => {
                    try_again(rows, &refund, now);
                }
                (RefundOutcome::Declined, Origin::Request { .. } | Origin::Cancellation) => {
                    let why = RefundFailure::Declined;
                    fail(rows, &mut payment, &mut refund, why, now)?;
                }
                (RefundOutcome::NotSent(why), Origin::Request { .. } | Origin::Cancellation) => {
                    fail(rows, &mut payment, &mut refund, not_sent(why), now)?;
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

/// Whether a worker has claimed the job since the request itself asked.
fn was_taken_over(rows: &Rows, serial: Serial) -> bool {
    rows.job(serial).is_some_and(|job| job.attempts > 0)
}

fn complete(
    rows: &mut Rows,
    payment: &mut Payment,
    refund: &mut Refund,
    now: UnixMs,
) -> Result<(), Inconsistent> {
    refund.state = RefundState::Done(now);
    if refund.amount > Fen::ZERO {
        rows.post(Posting::refund(payment, refund, now));
    }
    if refund.voucher_back {
        hold::give_back(rows, payment, now)?;
    }
    rows.remove_job(refund.tenant, refund.serial);
    let paid = payment.paid_mut().ok_or(Inconsistent(refund.serial))?;
    paid.give_back(refund.amount)
        .ok_or(Inconsistent(refund.serial))?;
    if refund.voucher_back {
        paid.voucher = VoucherFate::Returned;
    }
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
    Ok(())
}

fn fail(
    rows: &mut Rows,
    payment: &mut Payment,
    refund: &mut Refund,
    why: RefundFailure,
    now: UnixMs,
) -> Result<(), Inconsistent> {
    refund.state = RefundState::Failed(now, why);
    rows.remove_job(refund.tenant, refund.serial);
    let paid = payment.paid_mut().ok_or(Inconsistent(refund.serial))?;
    if refund.voucher_back {
        paid.voucher = VoucherFate::Used;
    }
    paid.keep(refund.amount).ok_or(Inconsistent(refund.serial))
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
