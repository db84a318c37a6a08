//! Charging a payer's code, and orders that the payer pays.
//!
//! Intent and outcome are two durable steps with the channel's call between them. The server runs
//! each request to its end whatever its client does, so nothing here is ever dropped half-way but
//! by a kill, and then the workers finish it.

use super::{
    AppError, Gateway, contradictions::Word, directory::Account, voucher::redeem::VoucherRefusal,
};
use channels::{PayRequest, PrepareOutcome, PrepareRequest};
use domain::{
    channel::{ChannelNo, PayOutcome},
    command::{Began, BeginPayment, GiveUp, Learned, RecordPay},
    ids::{ClaimKey, ClaimSpace, Serial},
    money::Fen,
    payment::{Credential, Details, Flow, Payment, PaymentState},
    rows::PaymentRef,
    time::UnixMs,
};
use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// What a merchant wants collected.
pub struct NewPayment {
    /// The merchant's own number of it.
    pub merchant_serial: String,
    /// How payer and merchant meet.
    pub flow: Flow,
    /// Which channel collects.
    pub channel: ChannelNo,
    /// How much in all.
    pub price: Fen,
    /// The text of the voucher code that pays a part of it.
    pub voucher_code: Option<Zeroizing<String>>,
    /// How long it may stay open, in seconds; `None` for the gateway's own limit.
    pub window_s: Option<u32>,
    /// What the merchant told.
    pub details: Details,
}

/// What became of it.
#[derive(Debug)]
pub enum PayReply {
    /// Recorded, and as settled as it will be while the client waits.
    Payment(Box<Payment>),
    /// The merchant's number belongs to this earlier payment; nothing was charged.
    Repeat(Box<Payment>),
    /// The voucher cannot pay; nothing was recorded or charged.
    NoVoucher(VoucherRefusal),
}

/// How often a waiting request looks at the clock, to see whether its time is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long its end is waited for after a payment's window, or after it was given up, in
/// milliseconds.
const GRACE_MS: i64 = 5_000;

impl Gateway {
    /// Collects a payment: records it, asks the channel, and waits until it is settled.
    ///
    /// # Errors
    /// When the merchant may not use the channel, or the store failed.
    pub async fn pay(&self, account: &Account, new: NewPayment) -> Result<PayReply, AppError> {
        let mut payment = self.admit(account, &new)?;
        let code = new.voucher_code.as_ref();
        let code = match code.map(|it| self.paying_code(account, it)).transpose() {
            Ok(code) => code,
            Err(why) => return self.without_voucher(account, &payment, why).await,
        };
        let begin = BeginPayment {
            payment: Box::new(payment.clone()),
            code,
        };
        match self.run(begin).await? {
            Began::New(None) => {}
            Began::New(Some(part)) => payment.set_voucher(part),
            Began::Settled(settled) => {
                self.announce(&settled);
                return Ok(PayReply::Payment(settled));
            }
            Began::Exists(earlier) => return self.again(account, earlier, &payment).await,
            Began::NoVoucher(why) => return Ok(PayReply::NoVoucher(self.refused(account, why))),
        }
        // From here on the payment is recorded: no failure may say that it is not.
        let settled = self
            .collect(&payment)
            .await
            .map_err(AppError::after_recording)?;
        Ok(PayReply::Payment(Box::new(settled)))
    }

    /// The merchant's number was used before.
    async fn again(
        &self,
        account: &Account,
        earlier: Box<Payment>,
        payment: &Payment,
    ) -> Result<PayReply, AppError> {
        if !replays(account) || !is_identical(&earlier, payment) {
            return Ok(PayReply::Repeat(earlier));
        }
        let settled = self.wait_settled(*earlier).await;
        let settled = settled.map_err(AppError::after_recording)?;
        Ok(PayReply::Payment(Box::new(settled)))
    }

    /// The code is not looked up. A number that was used before is answered as such all the same.
    async fn without_voucher(
        &self,
        account: &Account,
        payment: &Payment,
        why: VoucherRefusal,
    ) -> Result<PayReply, AppError> {
        let by = PaymentRef::Key(payment.tenant, payment.key);
        match self.reader.payment(by).await? {
            Some(earlier) => self.again(account, Box::new(earlier), payment).await,
            None => Ok(PayReply::NoVoucher(why)),
        }
    }

    fn admit(&self, account: &Account, new: &NewPayment) -> Result<Payment, AppError> {
        let merchant = &account.merchant;
        if !merchant.may_use(new.channel) {
            return Err(AppError::NoContract);
        }
        self.channel(new.channel)?;
        let serial = self.next_serial()?;
        let now = self.now();
        let (space, number) = (ClaimSpace::Payment, &new.merchant_serial);
        Ok(Payment {
            tenant: merchant.tenant,
            serial,
            merchant: merchant.no,
            key: ClaimKey::of(merchant.tenant, merchant.no, space, number),
            expires_at: now.plus_s(i64::from(self.window_s(new.flow, new.window_s))),
            merchant_serial: new.merchant_serial.clone(),
            flow: new.flow,
            channel: new.channel,
            amount: new.price,
            created_at: now,
            details: new.details.clone(),
            credential: None,
            state: PaymentState::Open {
                cancel_requested: false,
            },
        })
    }

    /// How long a payment stays open: a payer's code never longer than the gateway's window.
    fn window_s(&self, flow: Flow, wanted_s: Option<u32>) -> u32 {
        match flow {
            Flow::PayerCode => wanted_s.map_or(self.rules.window_s, |wanted| {
                wanted.min(self.rules.window_s)
            }),
            Flow::MerchantCode | Flow::WalletPage | Flow::App | Flow::MobileWeb => {
                wanted_s.unwrap_or(self.rules.order_window_s)
            }
        }
    }

    /// Asks the channel to collect a recorded payment and waits until it is settled.
    async fn collect(&self, payment: &Payment) -> Result<Payment, AppError> {
        let learned = match payment.flow {
            Flow::PayerCode => self.charge(payment).await?,
            Flow::MerchantCode | Flow::WalletPage | Flow::App | Flow::MobileWeb => {
                self.prepare(payment).await?
            }
        };
        self.wait_settled(learned).await
    }

    async fn charge(&self, payment: &Payment) -> Result<Payment, AppError> {
        let request = PayRequest {
            serial: payment.serial,
            channel: payment.channel,
            amount: payment.amount,
            payer_code: payment.details.payer_code.clone().unwrap_or_default(),
            subject: payment.details.subject.clone(),
            operator_id: payment.details.operator_id.clone(),
            device_id: payment.details.device_id.clone(),
            store_id: payment.details.store_id.clone(),
            expires_at: payment.expires_at,
        };
        let outcome = self.channel(payment.channel)?.pay(request).await;
        self.record_pay(payment, outcome, None).await
    }

    async fn prepare(&self, payment: &Payment) -> Result<Payment, AppError> {
        let request = PrepareRequest {
            serial: payment.serial,
            channel: payment.channel,
            flow: payment.flow,
            amount: payment.amount,
            subject: payment.details.subject.clone(),
            expires_at: payment.expires_at,
            payer_open_id: payment.details.payer_open_id.clone(),
            payer_app_id: payment.details.payer_app_id.clone(),
        };
        match self.channel(payment.channel)?.prepare(request).await {
            PrepareOutcome::Prepared(credential) => {
                self.record_pay(payment, PayOutcome::Waiting, Some(credential))
                    .await
            }
            PrepareOutcome::Declined(why) => {
                self.record_pay(payment, PayOutcome::Declined(why), None)
                    .await
            }
            PrepareOutcome::NotSent(why) => {
                self.record_pay(payment, PayOutcome::NotSent(why), None)
                    .await
            }
            // Nobody has a link to pay it with: it ends here, and the channel is told.
            PrepareOutcome::Unknown => {
                let give_up = GiveUp {
                    tenant: payment.tenant,
                    serial: payment.serial,
                };
                Ok(*self.run(give_up).await?)
            }
        }
    }

    async fn record_pay(
        &self,
        payment: &Payment,
        outcome: PayOutcome,
        credential: Option<Credential>,
    ) -> Result<Payment, AppError> {
        let outcome = self.believed_pay(payment, outcome).await;
        let word = Word::of_pay(&outcome);
        let learned = self
            .run(RecordPay {
                tenant: payment.tenant,
                serial: payment.serial,
                outcome,
                credential,
                refund_serial: self.next_serial()?,
            })
            .await?;
        self.heard(&learned);
        self.compare(&learned, word).await;
        Ok(*learned.payment)
    }

    /// Wakes whoever waits for what was learned, and logs a success that came too late.
    pub(super) fn heard(&self, learned: &Learned) {
        let Payment { serial, amount, .. } = *learned.payment;
        if let Some(refund) = learned.late_refund {
            tracing::warn!(%serial, %refund, %amount, "a late success is being refunded");
        }
        self.announce(&learned.payment);
    }

    /// The payment when it is settled, or as it stands when its window and a grace are over. An
    /// order that waits for its payer is as settled as its request needs.
    async fn wait_settled(&self, payment: Payment) -> Result<Payment, AppError> {
        if payment.flow != Flow::PayerCode {
            return Ok(payment);
        }
        let mut patience = Patience::new(&payment);
        if !patience.lasts(&payment, self.now()) {
            return Ok(payment);
        }
        let by = PaymentRef::Serial(payment.tenant, payment.serial);
        let mut waiter = self.settlements.watch(payment.tenant, payment.serial);
        // It may have settled before anybody watched; from here on it is told.
        let mut latest = self.reader.payment(by).await?.unwrap_or(payment);
        while patience.lasts(&latest, self.now()) {
            // Running out is no failure here: it is time to look at the clock.
            if let Ok(told) = tokio::time::timeout(LOOK_EVERY, waiter.told()).await {
                latest = Arc::unwrap_or_clone(told);
            }
        }
        Ok(latest)
    }
}

/// How long a request waits for its payment.
struct Patience {
    /// Until then while it is open.
    open_until: UnixMs,
    /// Until then once it is given up: what the channel says to the reversal decides whether the
    /// customer can be told "not charged".
    ending_until: Option<UnixMs>,
}

impl Patience {
    const fn new(payment: &Payment) -> Self {
        Self {
            open_until: payment.expires_at.plus_ms(GRACE_MS),
            ending_until: None,
        }
    }

    fn lasts(&mut self, payment: &Payment, now: UnixMs) -> bool {
        match payment.state {
            PaymentState::Open { .. } => now < self.open_until,
            PaymentState::Ending(_) => {
                now < *self.ending_until.get_or_insert(now.plus_ms(GRACE_MS))
            }
            PaymentState::Paid(_) | PaymentState::Ended { .. } => false,
        }
    }
}

const fn replays(account: &Account) -> bool {
    account.merchant.settings.replay_identical
}

fn is_identical(earlier: &Payment, new: &Payment) -> bool {
    new.details.request_digest.is_some()
        && earlier.flow == new.flow
        && earlier.details.request_digest == new.details.request_digest
}

/// The number of the payment that `merchant_serial` names for `account`.
#[must_use]
pub fn payment_key(account: &Account, merchant_serial: &str) -> PaymentRef {
    let (tenant, merchant) = (account.merchant.tenant, account.merchant.no);
    let key = ClaimKey::of(tenant, merchant, ClaimSpace::Payment, merchant_serial);
    PaymentRef::Key(tenant, key)
}

/// The payment that the gateway itself knows as `serial`, as `account` may name it.
#[must_use]
pub fn payment_serial(account: &Account, serial: Serial) -> PaymentRef {
    PaymentRef::Serial(account.merchant.tenant, serial)
}
