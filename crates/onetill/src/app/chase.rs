//! One step of finishing what a crash, a lost answer or a late success left open. The worker
//! calls these with jobs it has claimed; each asks a channel once and records the answer, which
//! either ends the job or makes it due again.

use super::{AppError, Gateway, cancel::at_channel, contradictions::Word, recharge::request};
use domain::{
    channel::{RechargeOutcome, RefundOutcome},
    command::{GiveUp, QueryOutcome, RecordQuery},
    job::{Job, JobKind},
    payment::{Flow, Payment, PaymentState},
    recharge::{Recharge, RechargeState},
    rows::PaymentRef,
};

/// After how many questions a payer's code that the channel never heard of is given up: by then
/// a charge still on its way has arrived.
const NEVER_HEARD_MAX: u32 = 3;

impl Gateway {
    /// Does what `job` is about, once.
    ///
    /// # Errors
    /// When the store failed or the channel is gone; the job is due again when its lease ends.
    pub async fn chase(&self, job: Job) -> Result<(), AppError> {
        match job.kind {
            JobKind::SettlePayment | JobKind::ReversePayment | JobKind::ConfirmReversal => {
                let by = PaymentRef::Serial(job.tenant, job.subject);
                let payment = self.reader.payment(by).await?.ok_or(AppError::Unforeseen)?;
                self.chase_payment(job, payment).await
            }
            JobKind::FinishRefund => self.chase_refund(job).await,
            JobKind::FinishRecharge => self.chase_recharge(job).await,
        }
    }

    async fn chase_payment(&self, job: Job, payment: Payment) -> Result<(), AppError> {
        match payment.state {
            PaymentState::Ending(_) => self.reverse(&payment).await.map(drop),
            PaymentState::Open { .. } if self.now() >= payment.expires_at => {
                self.settle_or_give_up(&payment).await
            }
            PaymentState::Open { .. } | PaymentState::Ended { .. } => {
                let outcome = self.ask_payment(&payment).await?;
                if never_arrived(&job, &payment, &outcome) {
                    return self.give_up(&payment).await;
                }
                self.record_query(&payment, outcome).await
            }
            // Settled between the look at the job and the look at the payment.
            PaymentState::Paid(_) => Ok(()),
        }
    }

    /// The window is over: the channel is asked one last time, since a success that is already
    /// there is better kept than reversed.
    async fn settle_or_give_up(&self, payment: &Payment) -> Result<(), AppError> {
        let outcome = self.ask_payment(payment).await?;
        let outcome = self.believed_query(payment, outcome).await;
        match outcome {
            QueryOutcome::Paid(_) | QueryOutcome::Declined(_) => {
                self.record_query(payment, outcome).await
            }
            QueryOutcome::Waiting | QueryOutcome::NotFound | QueryOutcome::Unknown => {
                self.give_up(payment).await
            }
        }
    }

    async fn give_up(&self, payment: &Payment) -> Result<(), AppError> {
        let give_up = GiveUp {
            tenant: payment.tenant,
            serial: payment.serial,
        };
        let payment = self.run(give_up).await?;
        self.announce(&payment);
        match payment.state {
            PaymentState::Ending(_) => self.reverse(&payment).await.map(drop),
            PaymentState::Open { .. } | PaymentState::Paid(_) | PaymentState::Ended { .. } => {
                Ok(())
            }
        }
    }

    async fn ask_payment(&self, payment: &Payment) -> Result<QueryOutcome, AppError> {
        Ok(self
            .channel(payment.channel)?
            .query(at_channel(payment))
            .await)
    }

    /// Records what the channel said of a payment, when asked or by itself.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn record_query(
        &self,
        payment: &Payment,
        outcome: QueryOutcome,
    ) -> Result<(), AppError> {
        let outcome = self.believed_query(payment, outcome).await;
        let word = Word::of_query(&outcome);
        let learned = self
            .run(RecordQuery {
                tenant: payment.tenant,
                serial: payment.serial,
                outcome,
                refund_serial: self.next_serial()?,
            })
            .await?;
        self.heard(&learned);
        self.compare(&learned, word).await;
        Ok(())
    }

    async fn chase_refund(&self, job: Job) -> Result<(), AppError> {
        let refund = self.reader.refund(job.tenant, job.subject).await?;
        let refund = refund.ok_or(AppError::Unforeseen)?;
        let by = PaymentRef::Serial(job.tenant, refund.payment);
        let payment = self.reader.payment(by).await?.ok_or(AppError::Unforeseen)?;
        let outcome = match self.ask_refund(&payment, &refund, None).await? {
            // This call did not arrive; an earlier one may have.
            RefundOutcome::NotSent(_) => RefundOutcome::Unknown,
            outcome @ (RefundOutcome::Done
            | RefundOutcome::Declined
            | RefundOutcome::Waiting
            | RefundOutcome::Unknown) => outcome,
        };
        self.record_refund(&refund, outcome).await.map(drop)
    }

    async fn chase_recharge(&self, job: Job) -> Result<(), AppError> {
        let recharge = self.reader.recharge(job.tenant, job.subject).await?;
        let recharge = recharge.ok_or(AppError::Unforeseen)?;
        let outcome = self.ask_recharge(&recharge).await?;
        self.record_recharge(&recharge, outcome).await.map(drop)
    }

    async fn ask_recharge(&self, recharge: &Recharge) -> Result<RechargeOutcome, AppError> {
        let provider = self.recharge.as_ref().ok_or(AppError::Unavailable)?;
        let outcome = match recharge.state {
            // The provider tells a repeated order by its number.
            RechargeState::Created => provider.recharge(request(recharge)).await,
            RechargeState::AtProvider(_) | RechargeState::Done(..) | RechargeState::Failed(..) => {
                provider.query(recharge.serial).await
            }
        };
        Ok(match outcome {
            RechargeOutcome::NotSent(_) => RechargeOutcome::Unknown,
            outcome @ (RechargeOutcome::Accepted(_)
            | RechargeOutcome::Done(_)
            | RechargeOutcome::Failed
            | RechargeOutcome::Unknown) => outcome,
        })
    }
}

/// Whether a charge of a payer's code certainly got lost on its way.
fn never_arrived(job: &Job, payment: &Payment, outcome: &QueryOutcome) -> bool {
    matches!(payment.state, PaymentState::Open { .. })
        && payment.flow == Flow::PayerCode
        && *outcome == QueryOutcome::NotFound
        && job.attempts >= NEVER_HEARD_MAX
}
