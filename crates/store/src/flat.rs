//! Rows as columns: how states are spelled in SQL, the same for each store. Every reading is
//! checked; a spelling that no state has is [`StoreError::Corrupt`].

use crate::contract::StoreError;
use domain::{
    channel::{ChannelNo, Decline, NotSent, Receipt},
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    ledger::{Account, Posting, Unit},
    money::Fen,
    notification::{Delivery, Notification, Topic},
    payment::{CloseReason, Details, End, Flow, Paid, Payment, PaymentState},
    recharge::{Reach, Recharge, RechargeState},
    refund::{FirstAnswer, Origin, Refund, RefundFailure, RefundState},
    time::UnixMs,
};

/// Two-way tables between variants and their stored numbers: the one place they are written.
macro_rules! codes {
    ($to:ident, $from:ident, $type:ty, { $($variant:pat => $code:literal => $value:expr),+ $(,)? }) => {
        pub(crate) const fn $to(value: $type) -> i16 {
            match value { $($variant => $code),+ }
        }
        pub(crate) fn $from(code: i16) -> Result<$type, StoreError> {
            match code {
                $($code => Ok($value),)+
                other => Err(corrupt(stringify!($type), &other)),
            }
        }
    };
}

codes!(flow_code, flow_from, Flow, {
    Flow::PayerCode => 0 => Flow::PayerCode,
    Flow::MerchantCode => 1 => Flow::MerchantCode,
    Flow::WalletPage => 2 => Flow::WalletPage,
    Flow::App => 3 => Flow::App,
    Flow::MobileWeb => 4 => Flow::MobileWeb,
});

codes!(end_code, end_from, End, {
    End::Cancelled => 1 => End::Cancelled,
    End::Closed(CloseReason::Expired) => 2 => End::Closed(CloseReason::Expired),
    End::Closed(CloseReason::Declined(Decline::InsufficientFunds)) => 10
        => End::Closed(CloseReason::Declined(Decline::InsufficientFunds)),
    End::Closed(CloseReason::Declined(Decline::CodeExpired)) => 11
        => End::Closed(CloseReason::Declined(Decline::CodeExpired)),
    End::Closed(CloseReason::Declined(Decline::ByPayer)) => 12
        => End::Closed(CloseReason::Declined(Decline::ByPayer)),
    End::Closed(CloseReason::Declined(Decline::ByChannel)) => 13
        => End::Closed(CloseReason::Declined(Decline::ByChannel)),
    End::Closed(CloseReason::NotSent(NotSent::Unavailable)) => 20
        => End::Closed(CloseReason::NotSent(NotSent::Unavailable)),
    End::Closed(CloseReason::NotSent(NotSent::Connect)) => 21
        => End::Closed(CloseReason::NotSent(NotSent::Connect)),
    End::Closed(CloseReason::NotSent(NotSent::Secure)) => 22
        => End::Closed(CloseReason::NotSent(NotSent::Secure)),
    End::Closed(CloseReason::NotSent(NotSent::Write)) => 23
        => End::Closed(CloseReason::NotSent(NotSent::Write)),
});

codes!(failure_code, failure_from, RefundFailure, {
    RefundFailure::Declined => 10 => RefundFailure::Declined,
    RefundFailure::NotSent(NotSent::Unavailable) => 20
        => RefundFailure::NotSent(NotSent::Unavailable),
    RefundFailure::NotSent(NotSent::Connect) => 21 => RefundFailure::NotSent(NotSent::Connect),
    RefundFailure::NotSent(NotSent::Secure) => 22 => RefundFailure::NotSent(NotSent::Secure),
    RefundFailure::NotSent(NotSent::Write) => 23 => RefundFailure::NotSent(NotSent::Write),
});

codes!(answer_code, answer_from, FirstAnswer, {
    FirstAnswer::Accepted => 1 => FirstAnswer::Accepted,
    FirstAnswer::Refused => 2 => FirstAnswer::Refused,
});

codes!(job_code, job_from, JobKind, {
    JobKind::SettlePayment => 1 => JobKind::SettlePayment,
    JobKind::ReversePayment => 2 => JobKind::ReversePayment,
    JobKind::ConfirmReversal => 3 => JobKind::ConfirmReversal,
    JobKind::FinishRefund => 4 => JobKind::FinishRefund,
    JobKind::FinishRecharge => 5 => JobKind::FinishRecharge,
});

codes!(topic_code, topic_from, Topic, {
    Topic::PaymentPaid => 1 => Topic::PaymentPaid,
    Topic::RechargeEnded => 2 => Topic::RechargeEnded,
});

codes!(unit_code, unit_from, Unit, {
    Unit::Fen => 1 => Unit::Fen,
    Unit::Megabyte => 2 => Unit::Megabyte,
});

codes!(reach_code, reach_from, Reach, {
    Reach::National => 0 => Reach::National,
    Reach::Provincial => 1 => Reach::Provincial,
});

fn corrupt(what: &str, value: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("no {what} is stored as {value}"))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

const OPEN: i16 = 0;
const PAID: i16 = 1;
const ENDING: i16 = 2;
const ENDED: i16 = 3;
const CANCEL_REQUESTED: i16 = 1;
const REFUND_FAILED: i16 = 2;

/// A payment as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatPayment {
    pub tenant: i64,
    pub serial: i64,
    pub merchant: i64,
    pub claim: [u8; 16],
    pub merchant_serial: String,
    pub flow: i16,
    pub channel: i16,
    pub amount: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub details: String,
    pub state: FlatState,
}

/// The columns of a payment that change.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlatState {
    /// 0 open, 1 paid, 2 ending, 3 ended.
    pub state: i16,
    /// How it ends, once that is decided.
    pub end_code: Option<i16>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Bit 0: an operator is asked to decide on a cancellation; bit 1: the last refund failed.
    pub flags: i16,
    pub refunded: i64,
    pub refunding: i64,
    pub receipt: Option<String>,
    pub credential: Option<String>,
}

impl FlatState {
    pub(crate) fn of(payment: &Payment) -> Result<Self, StoreError> {
        let credential = payment.credential.as_ref().map(to_json).transpose()?;
        let mut flat = Self {
            credential,
            ..Self::default()
        };
        match &payment.state {
            PaymentState::Open { cancel_requested } => {
                flat.state = OPEN;
                flat.flags = if *cancel_requested {
                    CANCEL_REQUESTED
                } else {
                    0
                };
            }
            PaymentState::Paid(_) => flat.state = PAID,
            PaymentState::Ending(end) => {
                flat.state = ENDING;
                flat.end_code = Some(end_code(*end));
            }
            PaymentState::Ended { end, at, .. } => {
                flat.state = ENDED;
                flat.end_code = Some(end_code(*end));
                flat.ended_at = Some(at.0);
            }
        }
        if let Some(paid) = payment.paid() {
            flat.receipt = Some(to_json(&paid.receipt)?);
            flat.refunded = paid.refunded.get();
            flat.refunding = paid.refunding.get();
            flat.flags |= if paid.cancel_requested {
                CANCEL_REQUESTED
            } else {
                0
            };
            flat.flags |= if paid.refund_failed { REFUND_FAILED } else { 0 };
        }
        Ok(flat)
    }

    fn read(&self) -> Result<PaymentState, StoreError> {
        let end = || end_from(self.end_code.ok_or_else(|| corrupt("End", &"NULL"))?);
        match self.state {
            OPEN => Ok(PaymentState::Open {
                cancel_requested: self.has(CANCEL_REQUESTED),
            }),
            PAID => {
                let paid = self.paid()?.ok_or_else(|| corrupt("Receipt", &"NULL"))?;
                Ok(PaymentState::Paid(paid))
            }
            ENDING => Ok(PaymentState::Ending(end()?)),
            ENDED => {
                let at = self.ended_at.ok_or_else(|| corrupt("ended_at", &"NULL"))?;
                Ok(PaymentState::Ended {
                    end: end()?,
                    at: UnixMs(at),
                    paid: self.paid()?,
                })
            }
            other => Err(corrupt("PaymentState", &other)),
        }
    }

    fn paid(&self) -> Result<Option<Paid>, StoreError> {
        let receipt: Option<Receipt> = self.receipt.as_deref().map(from_json).transpose()?;
        Ok(receipt.map(|receipt| Paid {
            receipt,
            refunded: Fen::new(self.refunded),
            refunding: Fen::new(self.refunding),
            refund_failed: self.has(REFUND_FAILED),
            cancel_requested: self.has(CANCEL_REQUESTED),
        }))
    }

    const fn has(&self, flag: i16) -> bool {
        self.flags & flag != 0
    }
}

impl FlatPayment {
    pub(crate) fn of(payment: &Payment) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: payment.tenant.0,
            serial: payment.serial.0,
            merchant: payment.merchant.0,
            claim: payment.key.0,
            merchant_serial: payment.merchant_serial.clone(),
            flow: flow_code(payment.flow),
            channel: i16::from(payment.channel.0),
            amount: payment.amount.get(),
            created_at: payment.created_at.0,
            expires_at: payment.expires_at.0,
            details: to_json(&payment.details)?,
            state: FlatState::of(payment)?,
        })
    }

    pub(crate) fn read(self) -> Result<Payment, StoreError> {
        let channel = u8::try_from(self.channel).map_err(|_| corrupt("channel", &self.channel))?;
        let details: Details = from_json(&self.details)?;
        Ok(Payment {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            merchant: MerchantNo(self.merchant),
            key: ClaimKey(self.claim),
            merchant_serial: self.merchant_serial,
            flow: flow_from(self.flow)?,
            channel: ChannelNo(channel),
            amount: Fen::new(self.amount),
            created_at: UnixMs(self.created_at),
            expires_at: UnixMs(self.expires_at),
            details,
            credential: self
                .state
                .credential
                .as_deref()
                .map(from_json)
                .transpose()?,
            state: self.state.read()?,
        })
    }
}

const REQUESTED: i16 = 0;
const CANCELLATION: i16 = 1;
const LATE_SUCCESS: i16 = 2;
const IN_PROGRESS: i16 = 0;
const DONE: i16 = 1;
const FAILED: i16 = 2;

/// A refund as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatRefund {
    pub tenant: i64,
    pub serial: i64,
    pub payment: i64,
    pub merchant: i64,
    /// 0 request, 1 cancellation, 2 late success.
    pub origin: i16,
    pub claim: Option<[u8; 16]>,
    pub merchant_serial: Option<String>,
    pub amount: i64,
    pub created_at: i64,
    /// 0 in progress, 1 done, 2 failed.
    pub state: i16,
    pub ended_at: Option<i64>,
    pub failure: Option<i16>,
    pub first_answer: Option<i16>,
}

impl FlatRefund {
    pub(crate) fn of(refund: &Refund) -> Self {
        let (origin, claim, merchant_serial) = match &refund.origin {
            Origin::Request {
                key,
                merchant_serial,
            } => (REQUESTED, Some(key.0), merchant_serial.clone()),
            Origin::Cancellation => (CANCELLATION, None, None),
            Origin::LateSuccess => (LATE_SUCCESS, None, None),
        };
        let (state, ended_at, failure) = match refund.state {
            RefundState::InProgress => (IN_PROGRESS, None, None),
            RefundState::Done(at) => (DONE, Some(at.0), None),
            RefundState::Failed(at, why) => (FAILED, Some(at.0), Some(failure_code(why))),
        };
        Self {
            tenant: refund.tenant.0,
            serial: refund.serial.0,
            payment: refund.payment.0,
            merchant: refund.merchant.0,
            origin,
            claim,
            merchant_serial,
            amount: refund.amount.get(),
            created_at: refund.created_at.0,
            state,
            ended_at,
            failure,
            first_answer: refund.first_answer.map(answer_code),
        }
    }

    pub(crate) fn read(self) -> Result<Refund, StoreError> {
        let origin = self.read_origin()?;
        Ok(Refund {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            payment: Serial(self.payment),
            merchant: MerchantNo(self.merchant),
            origin,
            amount: Fen::new(self.amount),
            created_at: UnixMs(self.created_at),
            state: self.read_state()?,
            first_answer: self.first_answer.map(answer_from).transpose()?,
        })
    }

    fn read_origin(&self) -> Result<Origin, StoreError> {
        match (self.origin, self.claim) {
            (REQUESTED, Some(claim)) => Ok(Origin::Request {
                key: ClaimKey(claim),
                merchant_serial: self.merchant_serial.clone(),
            }),
            (CANCELLATION, None) => Ok(Origin::Cancellation),
            (LATE_SUCCESS, None) => Ok(Origin::LateSuccess),
            (other, _) => Err(corrupt("Origin", &other)),
        }
    }

    fn read_state(&self) -> Result<RefundState, StoreError> {
        match (self.state, self.ended_at, self.failure) {
            (IN_PROGRESS, None, None) => Ok(RefundState::InProgress),
            (DONE, Some(at), None) => Ok(RefundState::Done(UnixMs(at))),
            (FAILED, Some(at), Some(why)) => {
                Ok(RefundState::Failed(UnixMs(at), failure_from(why)?))
            }
            (other, _, _) => Err(corrupt("RefundState", &other)),
        }
    }
}

const CREATED: i16 = 0;
const AT_PROVIDER: i16 = 1;
const DELIVERED: i16 = 2;
const NOT_DELIVERED: i16 = 3;

/// A top-up as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatRecharge {
    pub tenant: i64,
    pub serial: i64,
    pub merchant: i64,
    pub claim: [u8; 16],
    pub phone: String,
    pub data_mb: i64,
    pub reach: i16,
    pub notify_url: Option<String>,
    pub created_at: i64,
    /// 0 created, 1 at the provider, 2 done, 3 failed.
    pub state: i16,
    pub provider_serial: Option<String>,
    pub ended_at: Option<i64>,
}

impl FlatRecharge {
    pub(crate) fn of(recharge: &Recharge) -> Self {
        let (state, ended_at) = match &recharge.state {
            RechargeState::Created => (CREATED, None),
            RechargeState::AtProvider(_) => (AT_PROVIDER, None),
            RechargeState::Done(_, at) => (DELIVERED, Some(at.0)),
            RechargeState::Failed(_, at) => (NOT_DELIVERED, Some(at.0)),
        };
        Self {
            tenant: recharge.tenant.0,
            serial: recharge.serial.0,
            merchant: recharge.merchant.0,
            claim: recharge.key.0,
            phone: recharge.phone.clone(),
            data_mb: recharge.data_mb,
            reach: reach_code(recharge.reach),
            notify_url: recharge.notify_url.clone(),
            created_at: recharge.created_at.0,
            state,
            provider_serial: recharge.provider_serial().map(str::to_owned),
            ended_at,
        }
    }

    pub(crate) fn read(self) -> Result<Recharge, StoreError> {
        let state = match (self.state, self.provider_serial, self.ended_at) {
            (CREATED, None, None) => RechargeState::Created,
            (AT_PROVIDER, Some(serial), None) => RechargeState::AtProvider(serial),
            (DELIVERED, Some(serial), Some(at)) => RechargeState::Done(serial, UnixMs(at)),
            (NOT_DELIVERED, serial, Some(at)) => RechargeState::Failed(serial, UnixMs(at)),
            (other, _, _) => return Err(corrupt("RechargeState", &other)),
        };
        Ok(Recharge {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            merchant: MerchantNo(self.merchant),
            key: ClaimKey(self.claim),
            phone: self.phone,
            data_mb: self.data_mb,
            reach: reach_from(self.reach)?,
            notify_url: self.notify_url,
            created_at: UnixMs(self.created_at),
            state,
        })
    }
}

/// A job as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatJob {
    pub tenant: i64,
    pub subject: i64,
    pub kind: i16,
    pub due_at: i64,
    pub attempts: i32,
}

impl FlatJob {
    pub(crate) fn of(job: &Job) -> Self {
        Self {
            tenant: job.tenant.0,
            subject: job.subject.0,
            kind: job_code(job.kind),
            due_at: job.due_at.0,
            attempts: i32::try_from(job.attempts).unwrap_or(i32::MAX),
        }
    }

    pub(crate) fn read(self) -> Result<Job, StoreError> {
        Ok(Job {
            tenant: TenantId(self.tenant),
            subject: Serial(self.subject),
            kind: job_from(self.kind)?,
            due_at: UnixMs(self.due_at),
            attempts: attempts(self.attempts)?,
        })
    }
}

fn attempts(stored: i32) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| corrupt("attempts", &stored))
}

const DUE: i16 = 0;
const RECEIVED: i16 = 1;
const DEAD: i16 = 2;

/// A notification as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatNotification {
    pub tenant: i64,
    pub subject: i64,
    pub merchant: i64,
    pub topic: i16,
    pub attempts: i32,
    /// 0 due, 1 delivered, 2 dead.
    pub state: i16,
    /// When it is due, was delivered or died.
    pub at: i64,
}

impl FlatNotification {
    pub(crate) fn of(notification: &Notification) -> Self {
        let (state, at) = match notification.delivery {
            Delivery::Due(at) => (DUE, at),
            Delivery::Delivered(at) => (RECEIVED, at),
            Delivery::Dead(at) => (DEAD, at),
        };
        Self {
            tenant: notification.tenant.0,
            subject: notification.subject.0,
            merchant: notification.merchant.0,
            topic: topic_code(notification.topic),
            attempts: i32::try_from(notification.attempts).unwrap_or(i32::MAX),
            state,
            at: at.0,
        }
    }

    pub(crate) fn read(self) -> Result<Notification, StoreError> {
        let delivery = match self.state {
            DUE => Delivery::Due(UnixMs(self.at)),
            RECEIVED => Delivery::Delivered(UnixMs(self.at)),
            DEAD => Delivery::Dead(UnixMs(self.at)),
            other => return Err(corrupt("Delivery", &other)),
        };
        Ok(Notification {
            tenant: TenantId(self.tenant),
            subject: Serial(self.subject),
            merchant: MerchantNo(self.merchant),
            topic: topic_from(self.topic)?,
            attempts: attempts(self.attempts)?,
            delivery,
        })
    }
}

/// A posting as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatPosting {
    pub tenant: i64,
    /// [`Posting::number`]: the subject × 8 + the movement.
    pub number: i64,
    pub debit: i64,
    pub credit: i64,
    pub amount: i64,
    pub unit: i16,
    pub at: i64,
}

impl FlatPosting {
    pub(crate) const fn of(posting: &Posting) -> Self {
        Self {
            tenant: posting.tenant.0,
            number: posting.number(),
            debit: posting.debit.code(),
            credit: posting.credit.code(),
            amount: posting.amount,
            unit: unit_code(posting.unit),
            at: posting.at.0,
        }
    }

    pub(crate) fn read(self) -> Result<Posting, StoreError> {
        let account = |code: i64| Account::from_code(code).ok_or_else(|| corrupt("Account", &code));
        let (subject, movement) =
            Posting::read_number(self.number).ok_or_else(|| corrupt("Movement", &self.number))?;
        Ok(Posting {
            tenant: TenantId(self.tenant),
            subject,
            movement,
            debit: account(self.debit)?,
            credit: account(self.credit)?,
            amount: self.amount,
            unit: unit_from(self.unit)?,
            at: UnixMs(self.at),
        })
    }
}
