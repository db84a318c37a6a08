//! A code redeemed without a wallet: a museum's gate, a shop's counter. It is a payment of the
//! code's face value that the code pays all of, so a repetition, its undoing, the ledger and the
//! audit are those of payments.

use super::redeem::VoucherRefusal;
use crate::app::{AppError, Gateway, directory::Account, pay::payment_key};
use domain::{
    channel::ChannelNo,
    command::{BarRedemption, Barred, Began, BeginPayment, CancelReply},
    ids::{ClaimKey, ClaimSpace, Serial},
    money::Fen,
    payment::{CloseReason, Details, End, Flow, Payment, PaymentState, PaymentStatus},
    refund::RefundState,
    rows::PaymentRef,
    voucher::{
        code::{CodeDigest, CodeNo},
        code_use::CodeAct,
        paying::CodeRefusal,
        stock::Carton,
    },
};
use zeroize::Zeroizing;

/// A use of a code, as a merchant asks for it. No `Debug`: the code pays.
pub struct Redemption {
    /// The merchant's own number of it, among those of its payments.
    pub serial: String,
    /// The code's text.
    pub code: Zeroizing<String>,
    /// The shop.
    pub shop: Option<String>,
    /// The terminal.
    pub terminal: String,
}

/// What became of a redemption.
pub enum Redeemed {
    /// The use is gone, since now or before.
    Done(Box<Use>),
    /// It was gone, and was given back.
    Undone(Box<Payment>),
    /// The code cannot be used; nothing was recorded.
    Refused(VoucherRefusal),
    /// It was undone before it came; nothing was used, and nothing will be.
    Barred,
    /// The serial is that of something else.
    SerialTaken,
}

/// A use of a code that is gone.
pub struct Use {
    /// The payment that used it.
    pub payment: Payment,
    /// The code's box.
    pub carton: Carton,
    /// How many uses the code had left then.
    pub uses_left: u32,
}

/// What became of the undoing of a redemption.
pub enum Undone {
    /// The use is back, since now or before.
    Done(Box<Payment>),
    /// An operator decides: the merchant's payments are cancelled so.
    Waiting(Box<Payment>),
    /// Nothing was redeemed under the serial, and nothing ever will be: a redemption that comes
    /// later is refused.
    Nothing,
}

impl Gateway {
    /// Redeems a code.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn redeem(
        &self,
        account: &Account,
        redemption: &Redemption,
    ) -> Result<Redeemed, AppError> {
        let digest = match self.paying_code(account, &redemption.code) {
            Ok(digest) => digest,
            Err(refusal) => return Ok(Redeemed::Refused(refusal)),
        };
        let details = Details {
            device_id: redemption.terminal.clone(),
            store_id: redemption.shop.clone(),
            ..Details::default()
        };
        let payment = self.redemption_payment(account, &redemption.serial, details)?;
        let begin = BeginPayment {
            payment: Box::new(payment),
            code: Some(digest),
        };
        match self.run(begin).await? {
            // From here on a use is recorded: no failure may say that it is not.
            Began::Settled(payment) => {
                self.announce(&payment);
                let redeemed = self.as_redeemed(*payment).await;
                redeemed.map_err(AppError::after_recording)
            }
            Began::Exists(earlier) => {
                let redeemed = self.redeemed_before(account, redemption, digest, *earlier);
                redeemed.await.map_err(AppError::after_recording)
            }
            Began::NoVoucher(why) => Ok(Redeemed::Refused(self.refused(account, why))),
            Began::New(_) => {
                tracing::error!("a redemption that its code does not pay all of");
                Err(AppError::Unforeseen)
            }
        }
    }

    fn redemption_payment(
        &self,
        account: &Account,
        number: &str,
        details: Details,
    ) -> Result<Payment, AppError> {
        let (tenant, merchant) = (account.merchant.tenant, account.merchant.no);
        let now = self.now();
        Ok(Payment {
            tenant,
            serial: self.next_serial()?,
            merchant,
            key: ClaimKey::of(tenant, merchant, ClaimSpace::Payment, number),
            merchant_serial: number.to_owned(),
            flow: Flow::PayerCode,
            channel: ChannelNo::NONE,
            amount: Fen::ZERO,
            created_at: now,
            expires_at: now,
            details,
            credential: None,
            state: PaymentState::Open {
                cancel_requested: false,
            },
        })
    }

    /// The serial was used before: by the same redemption, or by something else.
    async fn redeemed_before(
        &self,
        account: &Account,
        redemption: &Redemption,
        digest: CodeDigest,
        earlier: Payment,
    ) -> Result<Redeemed, AppError> {
        if earlier.is_tombstone() {
            return Ok(Redeemed::Barred);
        }
        let named = self.code_of(account.merchant.tenant, digest).await?;
        if named.is_none() {
            self.missed(account);
        }
        let details = &earlier.details;
        let part = details.voucher.filter(|_| earlier.is_redemption());
        let same_place =
            (&details.device_id, &details.store_id) == (&redemption.terminal, &redemption.shop);
        let same_code = part.is_some_and(|it| Some(it.code) == named);
        if same_code && same_place {
            return self.as_redeemed(earlier).await;
        }
        Ok(Redeemed::SerialTaken)
    }

    async fn as_redeemed(&self, payment: Payment) -> Result<Redeemed, AppError> {
        if let PaymentState::Ended {
            end: End::Closed(CloseReason::Voucher(status)),
            ..
        } = payment.state
        {
            let why = VoucherRefusal::Code(CodeRefusal::Status(status));
            return Ok(Redeemed::Refused(why));
        }
        if payment.status() != PaymentStatus::Paid
            && payment.status() != PaymentStatus::CancelRequested
        {
            return Ok(Redeemed::Undone(Box::new(payment)));
        }
        let part = payment.details.voucher.ok_or(AppError::Unforeseen)?;
        let (carton, used) = tokio::try_join!(
            self.carton(payment.tenant, part.code.carton),
            self.used_up_to(part.code, payment.serial),
        )?;
        Ok(Redeemed::Done(Box::new(Use {
            uses_left: part.uses.saturating_sub(used),
            carton: carton.ok_or(AppError::Unforeseen)?,
            payment,
        })))
    }

    /// How many uses of a code were gone when `subject` had used it: the same whenever it is asked.
    async fn used_up_to(&self, code: CodeNo, subject: Serial) -> Result<u32, AppError> {
        let mut used = 0_u32;
        for event in self.events_of(code).await? {
            used = match event.act {
                CodeAct::Used => used.saturating_add(1),
                CodeAct::GivenBack => used.saturating_sub(1),
            };
            if (event.subject, event.act) == (subject, CodeAct::Used) {
                return Ok(used);
            }
        }
        tracing::error!(%subject, "a redemption left no trace");
        Err(AppError::Unforeseen)
    }

    /// Gives the use of a redemption back, or sees to it that a redemption that has not come is
    /// refused.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn undo_redemption(
        &self,
        account: &Account,
        serial: &str,
    ) -> Result<Undone, AppError> {
        let by: PaymentRef = payment_key(account, serial);
        let found = match self.reader.payment(by).await? {
            Some(payment) => Some(payment),
            None => self.bar(account, serial).await?,
        };
        let is_redeemed = |it: &Payment| it.is_redemption() && !it.is_tombstone();
        let Some(payment) = found.filter(is_redeemed) else {
            return Ok(Undone::Nothing);
        };
        Ok(match self.cancel(account, by, false).await? {
            CancelReply::Refund(payment, refund) => match refund.state {
                RefundState::Done(_) => Undone::Done(payment),
                RefundState::InProgress | RefundState::Failed(..) => {
                    tracing::error!(serial = %payment.serial, "a use does not come back");
                    return Err(AppError::OutcomeUnknown);
                }
            },
            CancelReply::AlreadyCancelled => Undone::Done(Box::new(payment)),
            CancelReply::Requested(payment) => Undone::Waiting(payment),
            CancelReply::Refused(PaymentStatus::Refunded) => Undone::Done(Box::new(payment)),
            CancelReply::Refused(_) | CancelReply::NotFound => Undone::Nothing,
            CancelReply::Reverse(payment) => {
                tracing::error!(serial = %payment.serial, "a redemption was open");
                return Err(AppError::OutcomeUnknown);
            }
        })
    }

    /// Leaves a tombstone, so that nothing can be redeemed under the serial. The payment it names,
    /// if it came to name one meanwhile.
    async fn bar(&self, account: &Account, serial: &str) -> Result<Option<Payment>, AppError> {
        let tombstone = self.redemption_payment(account, serial, Details::default())?;
        let bar = BarRedemption {
            tombstone: Box::new(tombstone),
        };
        Ok(match self.run(bar).await? {
            Barred::Now => None,
            Barred::Exists(earlier) => Some(*earlier),
        })
    }
}
