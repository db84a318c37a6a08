//! The undoing of a payment by the merchant, and the operator's say in it.

use super::{
    Command,
    record_pay::load,
    refund::{Back, begin_refund_of},
    reverse::begin_ending,
};
use crate::{
    ids::{MerchantNo, Serial, TenantId},
    payment::{End, Payment, PaymentState, PaymentStatus},
    refund::{Origin, Refund},
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};

/// How a cancellation is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelMode {
    /// At once.
    Direct,
    /// At once while unpaid; once paid, by an operator's decision.
    DirectUntilPaid,
    /// By an operator's decision.
    Request,
}

/// A merchant cancels a payment.
#[derive(Debug)]
pub struct Cancel {
    /// The payment.
    pub payment: PaymentRef,
    /// The account that asks; another's payment does not exist for it.
    pub merchant: MerchantNo,
    /// How.
    pub mode: CancelMode,
    /// The number of the refund, if one is needed.
    pub refund_serial: Serial,
}

/// The answer to [`Cancel`].
#[derive(Debug, PartialEq, Eq)]
pub enum CancelReply {
    /// No such payment.
    NotFound,
    /// Cancelled before.
    AlreadyCancelled,
    /// An operator is asked.
    Requested(Box<Payment>),
    /// Not in this state.
    Refused(PaymentStatus),
    /// Given up; the channel must now undo it.
    Reverse(Box<Payment>),
    /// The channel must now refund all of it.
    Refund(Box<Payment>, Box<Refund>),
}

impl Command for Cancel {
    type Reply = CancelReply;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.payment.plan(plan);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<CancelReply, Inconsistent> {
        let found = rows
            .payment(self.payment)
            .filter(|payment| payment.merchant == self.merchant);
        let Some(payment) = found.cloned() else {
            return Ok(CancelReply::NotFound);
        };
        Ok(match payment.status() {
            PaymentStatus::Unpaid | PaymentStatus::Paid | PaymentStatus::CancelRequested => {
                if self.needs_operator(&payment) {
                    request(rows, payment)
                } else {
                    cancel_now(rows, payment, self.refund_serial, now)?
                }
            }
            PaymentStatus::Cancelled => CancelReply::AlreadyCancelled,
            status @ (PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::Closed
            | PaymentStatus::Refunding
            | PaymentStatus::RefundFailed) => CancelReply::Refused(status),
        })
    }
}

impl Cancel {
    const fn needs_operator(&self, payment: &Payment) -> bool {
        match self.mode {
            CancelMode::Direct => false,
            CancelMode::DirectUntilPaid => matches!(payment.state, PaymentState::Paid(_)),
            CancelMode::Request => true,
        }
    }
}

fn request(rows: &mut Rows, mut payment: Payment) -> CancelReply {
    set_requested(&mut payment, true);
    rows.put_payment(payment.clone());
    CancelReply::Requested(Box::new(payment))
}

const fn set_requested(payment: &mut Payment, requested: bool) {
    match &mut payment.state {
        PaymentState::Open { cancel_requested } => *cancel_requested = requested,
        PaymentState::Paid(paid) => paid.cancel_requested = requested,
        PaymentState::Ending(_) | PaymentState::Ended { .. } => {}
    }
}

/// Undoes an open payment at the channel, or gives back all of a paid one.
fn cancel_now(
    rows: &mut Rows,
    mut payment: Payment,
    refund_serial: Serial,
    now: UnixMs,
) -> Result<CancelReply, Inconsistent> {
    set_requested(&mut payment, false);
    if !matches!(payment.state, PaymentState::Paid(_)) {
        begin_ending(rows, &mut payment, End::Cancelled, now);
        return Ok(CancelReply::Reverse(Box::new(payment)));
    }
    let back = Back {
        amount: payment.amount,
        voucher: payment.details.voucher.is_some(),
    };
    let origin = Origin::Cancellation;
    let refund = begin_refund_of(rows, &mut payment, refund_serial, origin, back, now)?;
    rows.put_payment(payment.clone());
    Ok(CancelReply::Refund(Box::new(payment), Box::new(refund)))
}

/// An operator decides on a requested cancellation.
#[derive(Debug)]
pub struct DecideCancel {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub serial: Serial,
    /// Cancel it, or leave it as it was.
    pub approve: bool,
    /// The number of the refund, if one is needed.
    pub refund_serial: Serial,
}

/// The answer to [`DecideCancel`].
#[derive(Debug, PartialEq, Eq)]
pub enum DecideReply {
    /// Nothing was requested for this payment.
    NotRequested(PaymentStatus),
    /// It stays as it was before the request.
    Rejected(Box<Payment>),
    /// It is being cancelled: [`CancelReply::Reverse`] or [`CancelReply::Refund`].
    Approved(CancelReply),
}

impl Command for DecideCancel {
    type Reply = DecideReply;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.payments.push((self.tenant, self.serial));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<DecideReply, Inconsistent> {
        let mut payment = load(rows, self.tenant, self.serial)?;
        let status = payment.status();
        if status != PaymentStatus::CancelRequested {
            return Ok(DecideReply::NotRequested(status));
        }
        if self.approve {
            let reply = cancel_now(rows, payment, self.refund_serial, now)?;
            return Ok(DecideReply::Approved(reply));
        }
        set_requested(&mut payment, false);
        rows.put_payment(payment.clone());
        Ok(DecideReply::Rejected(Box::new(payment)))
    }
}
