//! The undoing of a payment, by the merchant or by an operator's decision.

use super::{AppError, Gateway, contradictions::Word, directory::Account};
use channels::PaymentAt;
use domain::{
    command::{Cancel, CancelMode, CancelReply, DecideCancel, DecideReply, RecordReverse},
    payment::Payment,
    rows::PaymentRef,
};

impl Gateway {
    /// Cancels a payment. [`CancelReply::Reverse`] and [`CancelReply::Refund`] carry the payment
    /// as the channel left it.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn cancel(
        &self,
        account: &Account,
        payment: PaymentRef,
        by_request: bool,
    ) -> Result<CancelReply, AppError> {
        let settings = &account.merchant.settings;
        let mode = match (by_request, settings.cancel_paid_by_approval) {
            (true, _) => CancelMode::Request,
            (false, true) => CancelMode::DirectUntilPaid,
            (false, false) => CancelMode::Direct,
        };
        let refund_serial = self.next_serial()?;
        let command = Cancel {
            payment,
            merchant: account.merchant.no,
            mode,
            refund_serial,
        };
        let reply = self.run(command).await?;
        self.carry_out(reply).await
    }

    /// Carries out an operator's decision on a requested cancellation.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn decide_cancel(
        &self,
        payment: &Payment,
        approve: bool,
    ) -> Result<DecideReply, AppError> {
        let refund_serial = self.next_serial()?;
        let (tenant, serial) = (payment.tenant, payment.serial);
        let command = DecideCancel {
            tenant,
            serial,
            approve,
            refund_serial,
        };
        Ok(match self.run(command).await? {
            DecideReply::Approved(reply) => DecideReply::Approved(self.carry_out(reply).await?),
            reply @ (DecideReply::NotRequested(_) | DecideReply::Rejected(_)) => reply,
        })
    }

    /// Tells the channel what was decided here.
    async fn carry_out(&self, reply: CancelReply) -> Result<CancelReply, AppError> {
        Ok(match reply {
            CancelReply::Reverse(payment) => {
                self.announce(&payment);
                let reversed = self.reverse(&payment).await;
                CancelReply::Reverse(Box::new(reversed.map_err(AppError::after_recording)?))
            }
            CancelReply::Refund(payment, refund) => {
                let (payment, refund) = self.send_refund(&payment, &refund, None).await?;
                CancelReply::Refund(payment, refund)
            }
            reply @ (CancelReply::NotFound
            | CancelReply::AlreadyCancelled
            | CancelReply::Requested(_)
            | CancelReply::Refused(_)) => reply,
        })
    }

    /// Has the channel undo a payment that was given up, and records what it said.
    pub(super) async fn reverse(&self, payment: &Payment) -> Result<Payment, AppError> {
        let outcome = self
            .channel(payment.channel)?
            .reverse(at_channel(payment))
            .await;
        let outcome = self.believed_reverse(payment, outcome).await;
        let word = Word::of_reverse(&outcome);
        let learned = self
            .run(RecordReverse {
                tenant: payment.tenant,
                serial: payment.serial,
                outcome,
                refund_serial: self.next_serial()?,
            })
            .await?;
        self.compare(&learned, word).await;
        self.heard(&learned);
        Ok(*learned.payment)
    }
}

/// The payment as the channel is asked about it.
pub(super) const fn at_channel(payment: &Payment) -> PaymentAt {
    PaymentAt {
        serial: payment.serial,
        channel: payment.channel,
        amount: payment.amount,
        created_at: payment.created_at,
    }
}
