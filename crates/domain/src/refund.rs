//! A refund: a part of a payment that goes back to the payer.

use crate::{
    channel::NotSent,
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    money::Fen,
    payment::Payment,
    time::UnixMs,
};

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Whose.
    pub tenant: TenantId,
    /// The gateway's number of it, and the number the channel knows it by.
    pub serial: Serial,
    /// The payment that goes back.
    pub payment: Serial,
    /// The account that pays.
    pub merchant: MerchantNo,
    /// Who wanted it.
    pub origin: Origin,
    /// How much the channel gives back. Nothing where only the use of a voucher comes back.
    pub amount: Fen,
    /// Whether the use of the voucher that paid a part of the payment comes back with it.
    pub voucher_back: bool,
    /// When it was recorded.
    pub created_at: UnixMs,
    /// Where it stands.
    pub state: RefundState,
    /// What its first request was answered; the same request gets the same answer for ever.
    pub first_answer: Option<FirstAnswer>,
}

impl Refund {
    /// What comes back of the price, the voucher's part included.
    #[must_use]
    pub fn price(&self, payment: &Payment) -> Fen {
        let of_voucher = if self.voucher_back {
            payment.voucher_pays()
        } else {
            Fen::ZERO
        };
        self.amount.checked_add(of_voucher).unwrap_or(self.amount)
    }
}

/// Who wanted a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The merchant, by a refund request.
    Request {
        /// The claim on its number.
        key: ClaimKey,
        /// The merchant's own number of it, if there is one.
        merchant_serial: Option<String>,
    },
    /// The merchant, by cancelling a paid payment.
    Cancellation,
    /// The gateway: the money came after the payment had ended.
    LateSuccess,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// The channel has not finished it.
    InProgress,
    /// The money went back at this time.
    Done(UnixMs),
    /// It failed for good at this time.
    Failed(UnixMs, RefundFailure),
}

/// Why a refund failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundFailure {
    /// The channel refused.
    Declined,
    /// The call never reached the channel.
    NotSent(NotSent),
}

/// What the first request of a refund was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstAnswer {
    /// Done or under way.
    Accepted,
    /// Failed.
    Refused,
}
