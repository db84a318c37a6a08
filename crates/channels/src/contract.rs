//! What every payment channel and top-up provider can be asked.
//!
//! The contract fits wallets that answer at once, wallets that answer later, and wallets that do
//! not answer: only [`PayOutcome::Declined`] and [`PayOutcome::NotSent`] mean "not charged".
//! Whatever cannot be read as one of the named answers is `Unknown`, and is asked about again.

use domain::{
    channel::{
        ChannelNo, Decline, NotSent, PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome,
    },
    command::QueryOutcome,
    ids::Serial,
    money::Fen,
    payment::{Credential, Flow},
    recharge::Reach,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// A future on the heap, so that channels of different kinds share one type.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the time comes from; tests pass their own.
pub type Clock = Arc<dyn Fn() -> UnixMs + Send + Sync>;

/// One provider that moves money. Every call may be repeated: a serial names one payment (or one
/// refund) for ever, and a repeated call answers what has become of it.
pub trait Channel: Send + Sync {
    /// The name operators know it by; labels metrics and logs.
    fn name(&self) -> &str;

    /// Whether it has answered nobody for a while, so that few should ask it.
    fn is_silent(&self) -> bool {
        false
    }

    /// Charges the payer whose code was scanned.
    fn pay(&self, request: PayRequest) -> BoxFuture<'_, PayOutcome>;

    /// Opens an order that the payer pays by themselves: a QR code, a wallet page, an app or a
    /// link.
    fn prepare(&self, request: PrepareRequest) -> BoxFuture<'_, PrepareOutcome>;

    /// Asks what became of a payment.
    fn query(&self, payment: PaymentAt) -> BoxFuture<'_, QueryOutcome>;

    /// Makes sure that nothing stays charged: closes an open payment, gives back a charged one.
    fn reverse(&self, payment: PaymentAt) -> BoxFuture<'_, ReverseOutcome>;

    /// Gives back a part of a charged payment, once per refund serial.
    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, RefundOutcome>;
}

/// One provider that tops up mobile data.
pub trait RechargeProvider: Send + Sync {
    /// The name operators know it by; labels metrics and logs.
    fn name(&self) -> &str;

    /// Orders a top-up, once per serial: the same serial again answers what became of it.
    fn recharge(&self, request: RechargeRequest) -> BoxFuture<'_, RechargeOutcome>;

    /// Asks what became of a top-up. `Unknown` for one it never heard of; ordering it again is
    /// always safe.
    fn query(&self, serial: Serial) -> BoxFuture<'_, RechargeOutcome>;
}

/// "Charge the payer who showed this code."
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayRequest {
    /// The gateway's number of the payment.
    pub serial: Serial,
    /// Which channel collects.
    pub channel: ChannelNo,
    /// How much.
    pub amount: Fen,
    /// The code the payer showed: whoever holds it within its minute can charge the payer.
    pub payer_code: String,
    /// What is being paid for.
    pub subject: String,
    /// Who operates the till.
    pub operator_id: String,
    /// The till.
    pub device_id: String,
    /// The store.
    pub store_id: Option<String>,
    /// When the gateway gives the payment up.
    pub expires_at: UnixMs,
}

impl fmt::Debug for PayRequest {
    /// Leaves out the payer's code, which is as good as money.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayRequest")
            .field("serial", &self.serial)
            .field("channel", &self.channel)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

/// "Open an order that the payer pays by themselves."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareRequest {
    /// The gateway's number of the payment.
    pub serial: Serial,
    /// Which channel collects.
    pub channel: ChannelNo,
    /// How payer and merchant meet; never [`Flow::PayerCode`].
    pub flow: Flow,
    /// How much.
    pub amount: Fen,
    /// What is being paid for.
    pub subject: String,
    /// When the order closes if it is still unpaid, here and at the channel.
    pub expires_at: UnixMs,
    /// The payer as known in the merchant's application.
    pub payer_open_id: Option<String>,
    /// The application the payer is known in.
    pub payer_app_id: Option<String>,
}

/// A payment as a channel is asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAt {
    /// The gateway's number of the payment.
    pub serial: Serial,
    /// Which channel collects.
    pub channel: ChannelNo,
    /// How much.
    pub amount: Fen,
    /// When the gateway recorded it; some channels look a payment up by its day.
    pub created_at: UnixMs,
}

/// "Give back this much of that payment."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// The gateway's number of the refund.
    pub refund: Serial,
    /// The gateway's number of the payment.
    pub payment: Serial,
    /// Which channel collected.
    pub channel: ChannelNo,
    /// How much was charged through the channel.
    pub payment_amount: Fen,
    /// How much goes back.
    pub amount: Fen,
    /// Why, as the payer is told.
    pub reason: Option<String>,
}

/// "Give this much data to that phone."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RechargeRequest {
    /// The gateway's number of the top-up.
    pub serial: Serial,
    /// The phone that receives: 11 digits.
    pub phone: String,
    /// How much, in megabytes.
    pub data_mb: i64,
    /// Where the data is good.
    pub reach: Reach,
}

/// The answer to "open an order that the payer pays by themselves".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrepareOutcome {
    /// Open, with what the payer needs.
    Prepared(Credential),
    /// Refused: there is no such order at the channel.
    Declined(Decline),
    /// The call certainly did not reach the channel.
    NotSent(NotSent),
    /// Nobody knows whether the order is open.
    Unknown,
}
