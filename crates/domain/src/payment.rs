//! A payment: one amount a merchant asks a channel to collect from a payer, and its states.
//!
//! ```text
//! Open ──paid──────────────▶ Paid ──cancelled in full──▶ Ended(Cancelled)
//!  │ ├─declined, not sent──▶ Ended(Closed)
//!  │ └─given up──▶ Ending ──channel confirms──▶ Ended(Cancelled | Closed)
//! Ended ──late success──▶ Ended with the money in it, refunded automatically
//! ```

mod voucher_part;

pub use voucher_part::VoucherPart;

use crate::{
    channel::{ChannelNo, Decline, NotSent, Receipt},
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    money::Fen,
    time::UnixMs,
    voucher::status::CodeStatus,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How payer and merchant meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flow {
    /// The merchant scans a code that the payer shows.
    PayerCode,
    /// The payer scans a code that the merchant shows.
    MerchantCode,
    /// The payer pays on a page inside the wallet.
    WalletPage,
    /// The payer pays from the merchant's own app.
    App,
    /// The payer follows a link in a mobile browser.
    MobileWeb,
}

/// What the payer needs to pay an order that the merchant started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credential {
    /// A link, shown as a QR code or opened.
    Link(String),
    /// What a wallet's own software is called with.
    Wallet(WalletCall),
}

/// The parameters a wallet's own software is called with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletCall {
    /// The application the wallet knows the merchant by.
    pub app_id: String,
    /// When the call was prepared, as the wallet writes times.
    pub timestamp: String,
    /// Random text.
    pub nonce: String,
    /// What the wallet is to pay.
    pub package: String,
    /// How the call is signed.
    pub sign_type: String,
    /// The channel's signature of the call.
    pub sign: String,
    /// The channel's number of the prepared payment, for apps.
    pub prepay_id: Option<String>,
}

/// One line of what is being bought, as the merchant describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Good {
    /// The merchant's number of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// Its price in yuan, as written.
    pub price: String,
    /// A short description.
    pub summary: String,
    /// How many, as written.
    pub quantity: String,
    /// Where it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_url: Option<String>,
}

/// What a merchant tells about a payment, kept as told. Field names are short because every
/// payment stores them. Its `Debug` shows neither the payer's code nor what identifies the payer.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Who operates the till.
    #[serde(rename = "o")]
    pub operator_id: String,
    /// The till.
    #[serde(rename = "d")]
    pub device_id: String,
    /// The store.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// What is being paid for.
    #[serde(rename = "s")]
    pub subject: String,
    /// Text that is given back unchanged.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<String>,
    /// The code the payer showed: one-time, dead within a minute.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub payer_code: Option<String>,
    /// The kind of code: 1 bar code, 2 sound, 3 NFC.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub payer_code_kind: Option<u8>,
    /// What is being bought.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<Good>,
    /// Where to tell that the payment was made.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// The application the payer is known in.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub payer_app_id: Option<String>,
    /// The payer as known in that application.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub payer_open_id: Option<String>,
    /// Digest of the whole request in hex, when the merchant wants identical ones replayed.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// The voucher that pays a part of it.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherPart>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Whose.
    pub tenant: TenantId,
    /// The gateway's number of it, and the number the channel knows it by.
    pub serial: Serial,
    /// The account that collects.
    pub merchant: MerchantNo,
    /// The claim on the merchant's serial, unique for ever.
    pub key: ClaimKey,
    /// The merchant's own number of it.
    pub merchant_serial: String,
    /// How payer and merchant meet.
    pub flow: Flow,
    /// Which channel collects.
    pub channel: ChannelNo,
    /// What the channel is asked for: the price less what a voucher pays of it. Nothing where the
    /// voucher pays it all.
    pub amount: Fen,
    /// When it was recorded.
    pub created_at: UnixMs,
    /// When it is given up if it is still open.
    pub expires_at: UnixMs,
    /// What the merchant told.
    pub details: Details,
    /// What the payer needs to pay.
    pub credential: Option<Credential>,
    /// Where it stands.
    pub state: PaymentState,
}

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Not paid as far as is known.
    Open {
        /// An operator is asked to decide on a cancellation.
        cancel_requested: bool,
    },
    /// Given up here; the channel has not yet confirmed that nothing is charged.
    Ending(End),
    /// Charged.
    Paid(Paid),
    /// Over.
    Ended {
        /// How it ended.
        end: End,
        /// When.
        at: UnixMs,
        /// The money that came all the same, or that was there before, and went back.
        paid: Option<Paid>,
    },
}

/// How a payment ends without the money staying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Undone by the merchant, or by us when the payer did not confirm in time.
    Cancelled,
    /// Never charged.
    Closed(CloseReason),
}

/// Why a payment was never charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The channel refused.
    Declined(Decline),
    /// The call never reached the channel.
    NotSent(NotSent),
    /// The payer did not pay in time.
    Expired,
    /// The voucher that was to pay a part of it could not be used; the channel was not asked.
    Voucher(CodeStatus),
}

/// The money of a payment, and how much of it went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The channel's word.
    pub receipt: Receipt,
    /// Given back so far.
    pub refunded: Fen,
    /// On its way back.
    pub refunding: Fen,
    /// The last refund that ended, failed.
    pub refund_failed: bool,
    /// An operator is asked to decide on a cancellation.
    pub cancel_requested: bool,
    /// What became of the voucher that paid a part of it, if one did.
    pub voucher: VoucherFate,
}

/// What became of the use of a code that paid a part of a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VoucherFate {
    /// It was used, or there is none.
    #[default]
    Used,
    /// A refund under way gives it back when it is done.
    Returning,
    /// It was given back, or never used.
    Returned,
}

/// Where a payment stands, in the words of people (source, appendix 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// Waiting for the payer.
    Unpaid,
    /// Charged.
    Paid,
    /// Cancelled.
    Cancelled,
    /// An operator is asked to decide on a cancellation.
    CancelRequested,
    /// Part of the money went back.
    PartlyRefunded,
    /// All of the money went back.
    Refunded,
    /// Closed without a charge.
    Closed,
    /// A refund is under way.
    Refunding,
    /// The last refund failed.
    RefundFailed,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payer's code pays, and a notify URL's query may hold a token of the merchant's.
        f.debug_struct("Details")
            .field("operator_id", &self.operator_id)
            .field("device_id", &self.device_id)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Paid {
    /// Money that has just come.
    #[must_use]
    pub const fn new(receipt: Receipt) -> Self {
        Self {
            receipt,
            refunded: Fen::ZERO,
            refunding: Fen::ZERO,
            refund_failed: false,
            cancel_requested: false,
            voucher: VoucherFate::Used,
        }
    }

    /// Sets `amount` aside for a refund; `None` when no amount can be that large.
    pub fn set_aside(&mut self, amount: Fen) -> Option<()> {
        self.refunding = self.refunding.checked_add(amount)?;
        Some(())
    }

    /// `amount` that was set aside went back; `None` when less was set aside.
    pub fn give_back(&mut self, amount: Fen) -> Option<()> {
        self.refunding = self.refunding.checked_sub(amount)?;
        self.refunded = self.refunded.checked_add(amount)?;
        self.refund_failed = false;
        Some(())
    }

    /// `amount` that was set aside stays, because its refund failed; `None` when less was set
    /// aside.
    pub fn keep(&mut self, amount: Fen) -> Option<()> {
        self.refunding = self.refunding.checked_sub(amount)?;
        self.refund_failed = true;
        Some(())
    }

    /// What can still be given back of `amount`.
    #[must_use]
    pub fn refundable(&self, amount: Fen) -> Fen {
        let gone = self.refunded.checked_add(self.refunding);
        gone.and_then(|gone| amount.checked_sub(gone))
            .unwrap_or(Fen::ZERO)
    }

    /// What can still be given back of the price, the voucher's part included.
    #[must_use]
    pub fn refundable_price(&self, payment: &Payment) -> Fen {
        let of_voucher = match self.voucher {
            VoucherFate::Used => payment.voucher_pays(),
            VoucherFate::Returning | VoucherFate::Returned => Fen::ZERO,
        };
        let of_channel = self.refundable(payment.amount);
        of_channel.checked_add(of_voucher).unwrap_or(of_channel)
    }

    /// Whether all of it went back, the use of a voucher included.
    fn is_gone(&self, payment: &Payment) -> bool {
        let voucher_is_gone = match self.voucher {
            VoucherFate::Used => payment.details.voucher.is_none(),
            VoucherFate::Returning => false,
            VoucherFate::Returned => true,
        };
        self.refunded >= payment.amount && voucher_is_gone
    }

    fn status(&self, payment: &Payment) -> PaymentStatus {
        if self.cancel_requested {
            PaymentStatus::CancelRequested
        } else if self.refunding > Fen::ZERO || self.voucher == VoucherFate::Returning {
            PaymentStatus::Refunding
        } else if self.is_gone(payment) {
            PaymentStatus::Refunded
        } else if self.refund_failed {
            PaymentStatus::RefundFailed
        } else if self.refunded > Fen::ZERO {
            PaymentStatus::PartlyRefunded
        } else {
            PaymentStatus::Paid
        }
    }
}

impl Payment {
    /// Whether it is a voucher redeemed without any wallet.
    #[must_use]
    pub fn is_redemption(&self) -> bool {
        self.channel == ChannelNo::NONE
    }

    /// Whether it stands in the place of a redemption whose undoing came first: one that names no
    /// code.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.is_redemption() && self.details.voucher.is_none()
    }

    /// Where it stands, in the words of people.
    #[must_use]
    pub fn status(&self) -> PaymentStatus {
        match &self.state {
            PaymentState::Open {
                cancel_requested: true,
            } => PaymentStatus::CancelRequested,
            PaymentState::Open {
                cancel_requested: false,
            } => PaymentStatus::Unpaid,
            PaymentState::Paid(paid) => paid.status(self),
            PaymentState::Ending(end) | PaymentState::Ended { end, .. } => match end {
                End::Cancelled => PaymentStatus::Cancelled,
                End::Closed(_) => PaymentStatus::Closed,
            },
        }
    }

    /// A voucher pays its part of what was asked of the channel.
    pub fn set_voucher(&mut self, part: VoucherPart) {
        self.amount = self.amount.checked_sub(part.pays).unwrap_or(Fen::ZERO);
        self.details.voucher = Some(part);
    }

    /// What a voucher pays of the price.
    #[must_use]
    pub fn voucher_pays(&self) -> Fen {
        let part = self.details.voucher.as_ref();
        part.map_or(Fen::ZERO, |it| it.pays)
    }

    /// The price: what the channel and a voucher pay together.
    #[must_use]
    pub fn price(&self) -> Fen {
        let price = self.amount.checked_add(self.voucher_pays());
        price.unwrap_or(self.amount)
    }

    /// Whether it may still become paid, so that it holds the use of a voucher.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        match self.state {
            PaymentState::Open { .. } | PaymentState::Ending(_) => true,
            PaymentState::Paid(_) | PaymentState::Ended { .. } => false,
        }
    }

    /// The money, if any ever came.
    #[must_use]
    pub const fn paid(&self) -> Option<&Paid> {
        match &self.state {
            PaymentState::Paid(paid)
            | PaymentState::Ended {
                paid: Some(paid), ..
            } => Some(paid),
            PaymentState::Open { .. }
            | PaymentState::Ending(_)
            | PaymentState::Ended { paid: None, .. } => None,
        }
    }

    /// The money, to be changed.
    pub const fn paid_mut(&mut self) -> Option<&mut Paid> {
        match &mut self.state {
            PaymentState::Paid(paid)
            | PaymentState::Ended {
                paid: Some(paid), ..
            } => Some(paid),
            PaymentState::Open { .. }
            | PaymentState::Ending(_)
            | PaymentState::Ended { paid: None, .. } => None,
        }
    }

    /// When the payer or the end of the payment settled it; `None` while it is open.
    #[must_use]
    pub const fn settled_at(&self) -> Option<UnixMs> {
        match &self.state {
            PaymentState::Paid(paid) => Some(paid.receipt.paid_at),
            PaymentState::Ended { at, .. } => Some(*at),
            PaymentState::Open { .. } | PaymentState::Ending(_) => None,
        }
    }

    /// How an unpaid payment ends when its time is over: a payer's code is reversed, an order
    /// that nobody paid is closed.
    #[must_use]
    pub const fn end_when_given_up(&self) -> End {
        match self.flow {
            Flow::PayerCode => End::Cancelled,
            Flow::MerchantCode | Flow::WalletPage | Flow::App | Flow::MobileWeb => {
                End::Closed(CloseReason::Expired)
            }
        }
    }
}

#[cfg(test)]
mod tests;
