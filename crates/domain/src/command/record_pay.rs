//! What a channel's word makes of a payment.

use super::{
    Command,
    refund::{Back, begin_refund_of},
    voucher::hold,
};
use crate::{
    channel::{Decline, NotSent, PayOutcome, Receipt},
    ids::{Serial, TenantId},
    job::{Job, JobKind, retry_after_ms},
    ledger::Posting,
    money::Fen,
    notification::{Delivery, Notification, Topic},
    payment::{CloseReason, Credential, End, Flow, Paid, Payment, PaymentState, VoucherFate},
    refund::Origin,
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// Records the answer to the charge itself.
#[derive(Debug)]
pub struct RecordPay {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub serial: Serial,
    /// What the channel said.
    pub outcome: PayOutcome,
    /// What the payer needs to pay, when the channel gave it.
    pub credential: Option<Credential>,
    /// The number of the refund that a late success needs.
    pub refund_serial: Serial,
}

/// Records what the channel said when it was asked later, or told by itself.
#[derive(Debug)]
pub struct RecordQuery {
    /// Whose.
    pub tenant: TenantId,
    /// The payment.
    pub serial: Serial,
    /// What the channel said.
    pub outcome: QueryOutcome,
    /// The number of the refund that a late success needs.
    pub refund_serial: Serial,
}

/// The answer to "what became of it?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueryOutcome {
    /// Charged.
    Paid(Receipt),
    /// Certainly not charged, and never will be.
    Declined(Decline),
    /// Not charged yet.
    Waiting,
    /// The channel has never heard of it.
    NotFound,
    /// No answer.
    Unknown,
}

/// The answer to [`RecordPay`] and [`RecordQuery`].
#[derive(Debug, PartialEq, Eq)]
pub struct Learned {
    /// The payment as it stands now.
    pub payment: Box<Payment>,
    /// A success came after the payment had ended: it is being refunded under this number.
    pub late_refund: Option<Serial>,
}

impl Command for RecordPay {
    type Reply = Learned;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.payments.push((self.tenant, self.serial));
        plan.jobs.push((self.tenant, self.serial));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Learned, Inconsistent> {
        let mut payment = load(rows, self.tenant, self.serial)?;
        if let (None, Some(credential)) = (&payment.credential, &self.credential) {
            payment.credential = Some(credential.clone());
        }
        let word = match &self.outcome {
            PayOutcome::Paid(receipt) => Word::Paid(receipt.clone()),
            PayOutcome::Declined(decline) => Word::Never(CloseReason::Declined(*decline)),
            PayOutcome::NotSent(why) => not_sent(*why),
            PayOutcome::Waiting | PayOutcome::Unknown => Word::NotYet,
        };
        learn(rows, payment, word, self.refund_serial, now)
    }
}

impl Command for RecordQuery {
    type Reply = Learned;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.payments.push((self.tenant, self.serial));
        plan.jobs.push((self.tenant, self.serial));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Learned, Inconsistent> {
        let payment = load(rows, self.tenant, self.serial)?;
        let word = match &self.outcome {
            QueryOutcome::Paid(receipt) => Word::Paid(receipt.clone()),
            QueryOutcome::Declined(decline) => Word::Never(CloseReason::Declined(*decline)),
            QueryOutcome::NotFound => Word::NeverHeard,
            QueryOutcome::Waiting | QueryOutcome::Unknown => Word::NotYet,
        };
        learn(rows, payment, word, self.refund_serial, now)
    }
}

/// What a channel's answer comes down to.
enum Word {
    Paid(Receipt),
    /// It was not charged and never will be.
    Never(CloseReason),
    /// It never came to the channel, though it may still be on its way.
    NeverHeard,
    /// It may still be charged.
    NotYet,
}

const fn not_sent(why: NotSent) -> Word {
    Word::Never(CloseReason::NotSent(why))
}

/// The payment `serial`, which must exist.
pub(super) fn load(rows: &Rows, tenant: TenantId, serial: Serial) -> Result<Payment, Inconsistent> {
    rows.payment(PaymentRef::Serial(tenant, serial))
        .cloned()
        .ok_or(Inconsistent(serial))
}

fn learn(
    rows: &mut Rows,
    mut payment: Payment,
    word: Word,
    refund_serial: Serial,
    now: UnixMs,
) -> Result<Learned, Inconsistent> {
    let mut late_refund = None;
    let was_undecided = payment.is_undecided();
    match (&payment.state, word) {
        (PaymentState::Open { cancel_requested }, Word::Paid(receipt)) => {
            let cancel_requested = *cancel_requested;
            payment.state = PaymentState::Paid(Paid {
                cancel_requested,
                ..Paid::new(receipt)
            });
            collect(rows, &payment, now);
        }
        (PaymentState::Open { .. }, Word::Never(reason)) => {
            end(rows, &mut payment, End::Closed(reason), now);
        }
        (PaymentState::Ending(how), Word::Never(_)) => {
            let how = *how;
            end(rows, &mut payment, how, now);
        }
        (PaymentState::Ended { paid: None, .. }, Word::Paid(receipt)) => {
            return_late_money(rows, &mut payment, receipt, refund_serial, now)?;
            late_refund = Some(refund_serial);
        }
        (PaymentState::Ended { paid: None, .. }, Word::Never(_) | Word::NeverHeard) => {
            if confirmation_was_asked(rows, &payment) {
                rows.remove_job(payment.tenant, payment.serial);
            }
        }
        (PaymentState::Ended { paid: None, .. }, Word::NotYet) => {
            if confirmation_was_asked(rows, &payment) {
                ask_again(rows, &payment, now);
            }
        }
        // The reversal under way gives the money back; asking goes on until the channel confirms.
        (PaymentState::Ending(_), Word::Paid(_) | Word::NeverHeard | Word::NotYet)
        | (PaymentState::Open { .. }, Word::NeverHeard | Word::NotYet) => {
            ask_again(rows, &payment, now);
        }
        // The money is in the books; whatever is said later changes nothing.
        (PaymentState::Ended { paid: Some(_), .. } | PaymentState::Paid(_), _) => {}
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

/// Books the money of a payment that has just become paid and owes the merchant the news.
pub(super) fn collect(rows: &mut Rows, payment: &Payment, now: UnixMs) {
    if payment.amount > Fen::ZERO {
        rows.post(Posting::payment(payment, now));
    }
    rows.remove_job(payment.tenant, payment.serial);
    if payment.flow != Flow::PayerCode && payment.details.notify_url.is_some() {
        rows.put_notification(Notification {
            tenant: payment.tenant,
            subject: payment.serial,
            merchant: payment.merchant,
            topic: Topic::PaymentPaid,
            attempts: 0,
            delivery: Delivery::Due(now),
        });
    }
}

fn end(rows: &mut Rows, payment: &mut Payment, end: End, now: UnixMs) {
    payment.state = PaymentState::Ended {
        end,
        at: now,
        paid: None,
    };
    rows.remove_job(payment.tenant, payment.serial);
}

/// Takes the money that came after the payment ended into the books and starts its way back.
pub(super) fn return_late_money(
    rows: &mut Rows,
    payment: &mut Payment,
    receipt: Receipt,
    refund_serial: Serial,
    now: UnixMs,
) -> Result<(), Inconsistent> {
    if let PaymentState::Ended { paid, .. } = &mut payment.state {
        *paid = Some(Paid {
            voucher: VoucherFate::Returned,
            ..Paid::new(receipt)
        });
    }
    rows.post(Posting::payment(payment, now));
    rows.remove_job(payment.tenant, payment.serial);
    let back = Back {
        amount: payment.amount,
        voucher: false,
    };
    let origin = Origin::LateSuccess;
    begin_refund_of(rows, payment, refund_serial, origin, back, now).map(drop)
}

fn ask_again(rows: &mut Rows, payment: &Payment, now: UnixMs) {
    let kind = match payment.state {
        PaymentState::Open { .. } => JobKind::SettlePayment,
        PaymentState::Ending(_) => JobKind::ReversePayment,
        PaymentState::Ended { .. } => JobKind::ConfirmReversal,
        PaymentState::Paid(_) => return,
    };
    let attempts = rows.job(payment.serial).map_or(0, |job| job.attempts);
    let mut due_at = now.plus_ms(retry_after_ms(attempts));
    if kind == JobKind::SettlePayment && payment.expires_at > now {
        // The end of its window is looked at on time.
        due_at = due_at.min(payment.expires_at);
    }
    let job = Job {
        attempts,
        ..Job::new(payment.tenant, payment.serial, kind, due_at)
    };
    rows.put_job(job);
}

/// Whether the question after the reversal has been put and its answer is still wanted. Before it
/// was put, an answer is to an earlier question and says nothing about the reversal; where none
/// is wanted, the payment ended without a reversal or the channel has confirmed it already, and
/// an answer that was long on its way starts no new watch.
fn confirmation_was_asked(rows: &Rows, payment: &Payment) -> bool {
    rows.job(payment.serial)
        .is_some_and(|job| job.kind == JobKind::ConfirmReversal && job.attempts > 0)
}
