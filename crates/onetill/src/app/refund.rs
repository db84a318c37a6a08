//! Money that goes back because the merchant asks for it.

use super::{AppError, Gateway, directory::Account};
use channels::RefundRequest;
use domain::{
    channel::RefundOutcome,
    command::{BeginRefund, RecordRefund, RefundReply},
    ids::ClaimKey,
    money::Fen,
    payment::Payment,
    refund::{Refund, RefundState},
    rows::PaymentRef,
};

/// What a merchant wants given back.
pub struct NewRefund {
    /// The payment.
    pub payment: PaymentRef,
    /// The claim on the request.
    pub key: ClaimKey,
    /// The merchant's own number of the refund, if there is one.
    pub merchant_serial: Option<String>,
    /// How much.
    pub amount: Fen,
    /// Why, for the channel.
    pub reason: String,
}

impl Gateway {
    /// Gives back a part of a payment. [`RefundReply::New`] carries the refund as the channel
    /// left it.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn refund(&self, account: &Account, new: NewRefund) -> Result<RefundReply, AppError> {
        let begin = BeginRefund {
            tenant: account.merchant.tenant,
            payment: new.payment,
            merchant: account.merchant.no,
            serial: self.next_serial()?,
            key: new.key,
            merchant_serial: new.merchant_serial,
            amount: new.amount,
        };
        match self.run(begin).await? {
            RefundReply::New(payment, refund) => {
                let (payment, refund) = self
                    .send_refund(&payment, &refund, Some(new.reason))
                    .await?;
                Ok(RefundReply::New(payment, refund))
            }
            reply @ (RefundReply::NotFound
            | RefundReply::Cancelled
            | RefundReply::Refused(_)
            | RefundReply::OverRemainder(_)
            | RefundReply::Repeat(..)
            | RefundReply::Conflict) => Ok(reply),
        }
    }

    /// Asks the channel for a refund for the first time and records the answer; where no money goes
    /// back, there is nothing to ask for.
    pub(super) async fn send_refund(
        &self,
        payment: &Payment,
        refund: &Refund,
        reason: Option<String>,
    ) -> Result<(Box<Payment>, Box<Refund>), AppError> {
        if refund.state != RefundState::InProgress {
            return Ok((Box::new(payment.clone()), Box::new(refund.clone())));
        }
        let asked = self.ask_refund(payment, refund, reason).await;
        let outcome = asked.map_err(AppError::after_recording)?;
        self.record_refund(refund, outcome)
            .await
            .map_err(AppError::after_recording)
    }

    /// Asks the channel for a refund, or what became of it: channels tell a repeated refund by
    /// its number.
    pub(super) async fn ask_refund(
        &self,
        payment: &Payment,
        refund: &Refund,
        reason: Option<String>,
    ) -> Result<RefundOutcome, AppError> {
        let request = RefundRequest {
            refund: refund.serial,
            payment: payment.serial,
            channel: payment.channel,
            payment_amount: payment.amount,
            amount: refund.amount,
            reason,
        };
        Ok(self.channel(payment.channel)?.refund(request).await)
    }

    /// Records what the channel said.
    pub(super) async fn record_refund(
        &self,
        refund: &Refund,
        outcome: RefundOutcome,
    ) -> Result<(Box<Payment>, Box<Refund>), AppError> {
        let record = RecordRefund {
            tenant: refund.tenant,
            payment: refund.payment,
            refund: refund.serial,
            outcome,
        };
        let (payment, refund) = self.run(record).await?;
        self.compare_refund(&payment, &refund, outcome).await;
        Ok((payment, refund))
    }
}
