//! What a payment channel can say about money it was asked to move.
//!
//! The answers are the same for every channel; `Unknown` is never read as a failure.

use crate::{money::Fen, time::UnixMs};
use serde::{Deserialize, Serialize};

/// A wallet or bank that moves money, by its number in the dialect's dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelNo(pub u8);

impl ChannelNo {
    /// None: a voucher pays all, and no wallet was ever meant to.
    pub const NONE: Self = Self(0);
}

/// Where within a channel a part of the money came from (balance, card, coupon, …), by its
/// number in the dialect's dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FundSource(pub u16);

/// One part of a payment and the source it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundBill {
    /// Where the part came from.
    #[serde(rename = "s")]
    pub source: FundSource,
    /// How much, in fen.
    #[serde(rename = "a")]
    pub amount: Fen,
}

/// A channel's word that a payment was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The channel's own serial of the payment.
    #[serde(rename = "n")]
    pub channel_serial: String,
    /// When the channel says it was paid.
    #[serde(rename = "t")]
    pub paid_at: UnixMs,
    /// The parts, which add up to the amount.
    #[serde(rename = "b")]
    pub bills: Vec<FundBill>,
    /// The payer as the channel knows them.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub buyer_id: Option<String>,
    /// The channel's own result as JSON text, when merchants are told about it.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub channel_result: Option<String>,
}

/// Why a call to a channel certainly did not reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotSent {
    /// The channel is switched off, or its circuit is open.
    Unavailable,
    /// No connection could be made.
    Connect,
    /// The connection was made but its security could not be set up.
    Secure,
    /// The request could not be written.
    Write,
}

/// Why a channel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decline {
    /// The payer has too little money.
    InsufficientFunds,
    /// The code shown by the payer is no longer good.
    CodeExpired,
    /// The payer said no.
    ByPayer,
    /// The channel refused for a reason of its own.
    ByChannel,
}

/// The answer to "charge this" and to "what became of it?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayOutcome {
    /// Charged.
    Paid(Receipt),
    /// Certainly not charged, and never will be.
    Declined(Decline),
    /// Not charged yet: the payer has still to act.
    Waiting,
    /// The call certainly did not reach the channel.
    NotSent(NotSent),
    /// Nobody knows; the channel must be asked again.
    Unknown,
}

/// The answer to "make it so that nothing is charged".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReverseOutcome {
    /// Nothing is charged. Carries the receipt when money had moved and was given back.
    Reversed(Option<Receipt>),
    /// Charged, and too late to reverse: it must be refunded.
    Paid(Receipt),
    /// Nobody knows; it must be tried again.
    Unknown,
}

/// The answer to "give back this much" and to "what became of that refund?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefundOutcome {
    /// Given back.
    Done,
    /// Refused for good.
    Declined,
    /// Accepted, not finished.
    Waiting,
    /// The call certainly did not reach the channel.
    NotSent(NotSent),
    /// Nobody knows; the same refund must be asked for again.
    Unknown,
}

/// The answer of a top-up provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RechargeOutcome {
    /// Accepted under the provider's own order number.
    Accepted(String),
    /// Done under the provider's own order number.
    Done(String),
    /// Refused or failed for good.
    Failed,
    /// The call certainly did not reach the provider.
    NotSent(NotSent),
    /// Nobody knows; it must be asked again.
    Unknown,
}
