//! Is this payment new?

use super::{Command, record_pay::collect, voucher::hold};
use crate::{
    channel::Receipt,
    job::{HANDOVER_MS, Job, JobKind},
    money::Fen,
    payment::{CloseReason, End, Paid, Payment, PaymentState, VoucherPart},
    rows::{Claim, Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
    voucher::{code::CodeDigest, paying::CodeRefusal},
};

/// Records a payment before the channel is asked, unless its merchant serial was used before or the
/// code it names pays nothing.
#[derive(Debug)]
pub struct BeginPayment {
    /// The payment, open, for its whole price. Where it names a code, it is recorded with the part
    /// that the code pays; without a channel its price is what the code is worth.
    pub payment: Box<Payment>,
    /// The voucher code it names.
    pub code: Option<CodeDigest>,
}

/// The answer to [`BeginPayment`].
#[derive(Debug, PartialEq, Eq)]
pub enum Began {
    /// Recorded, a voucher paying this part of it: the channel may be asked for the rest.
    New(Option<VoucherPart>),
    /// Recorded, and over already: a voucher pays all of it, or could not be used.
    Settled(Box<Payment>),
    /// The merchant serial names this payment already.
    Exists(Box<Payment>),
    /// The code it names pays nothing; nothing was recorded.
    NoVoucher(CodeRefusal),
}

impl Command for BeginPayment {
    type Reply = Began;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.claims.push(Claim {
            payment: &self.payment,
            code: self.code,
        });
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Began, Inconsistent> {
        let Payment { tenant, serial, .. } = *self.payment;
        if !rows.was_claimed(serial) {
            return self.not_recorded(rows);
        }
        rows.begin(serial);
        let recorded = self.recorded(rows);
        let (amount, voucher) = (recorded.amount, recorded.details.voucher);
        if let Some(part) = voucher
            && let Err(status) = hold::reserve(rows, (tenant, serial), &part, now)?
        {
            let end = End::Closed(CloseReason::Voucher(status));
            return Ok(Began::Settled(self.settle(rows, ended(end, now))));
        }
        if amount == Fen::ZERO {
            let paid = PaymentState::Paid(Paid::new(self.receipt(now)));
            let payment = self.settle(rows, paid);
            hold::spend(rows, &payment, now)?;
            collect(rows, &payment, now);
            return Ok(Began::Settled(payment));
        }
        rows.put_job(Job::new(
            tenant,
            serial,
            JobKind::SettlePayment,
            now.plus_ms(HANDOVER_MS),
        ));
        Ok(Began::New(voucher))
    }
}

impl BeginPayment {
    /// A serial that was used before is answered as such, whatever became of the code.
    fn not_recorded(&self, rows: &Rows) -> Result<Began, Inconsistent> {
        let Payment {
            tenant,
            serial,
            key,
            ..
        } = *self.payment;
        if let Some(earlier) = rows.payment(PaymentRef::Key(tenant, key)) {
            return Ok(Began::Exists(Box::new(earlier.clone())));
        }
        let refusal = rows.refusal(serial).ok_or(Inconsistent(serial))?;
        Ok(Began::NoVoucher(refusal))
    }

    /// The payment as it was recorded: where a voucher pays a part of it, that stands in the rows.
    fn recorded<'a>(&'a self, rows: &'a Rows) -> &'a Payment {
        let by = PaymentRef::Serial(self.payment.tenant, self.payment.serial);
        rows.payment(by).unwrap_or(&self.payment)
    }

    fn settle(&self, rows: &mut Rows, state: PaymentState) -> Box<Payment> {
        let mut payment = Box::new(self.recorded(rows).clone());
        payment.state = state;
        rows.put_payment((*payment).clone());
        payment
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
