//! Messages owed to merchants: written with the change they tell of, delivered at least once.

use crate::{
    ids::{MerchantNo, Serial, TenantId},
    time::UnixMs,
};

/// How often a delivery is tried in all before it is shown as dead.
pub const ATTEMPTS_MAX: u32 = 30;
/// The wait between two attempts, in milliseconds.
pub const RETRY_MS: i64 = 5_000;
/// How long a worker's claim on a delivery lasts, in milliseconds: one attempt and a margin.
pub const DELIVERY_LEASE_MS: i64 = 15_000;

/// What the message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A payment was made.
    PaymentPaid,
    /// A top-up ended, well or badly.
    RechargeEnded,
}

/// How far the delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// To be sent at or after this time.
    Due(UnixMs),
    /// The receiver acknowledged at this time.
    Delivered(UnixMs),
    /// Given up at this time; an operator may send it again.
    Dead(UnixMs),
}

/// One message. It has the same number as the payment or top-up it tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Whose.
    pub tenant: TenantId,
    /// The payment or top-up.
    pub subject: Serial,
    /// The receiver's account.
    pub merchant: MerchantNo,
    /// What it tells.
    pub topic: Topic,
    /// Attempts so far.
    pub attempts: u32,
    /// How far it has come.
    pub delivery: Delivery,
}

impl Notification {
    /// The message after an attempt that ended at `now`.
    #[must_use]
    pub const fn after_attempt(self, acknowledged: bool, now: UnixMs) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let delivery = if acknowledged {
            Delivery::Delivered(now)
        } else if attempts >= ATTEMPTS_MAX {
            Delivery::Dead(now)
        } else {
            Delivery::Due(now.plus_ms(RETRY_MS))
        };
        Self {
            attempts,
            delivery,
            ..self
        }
    }
}
