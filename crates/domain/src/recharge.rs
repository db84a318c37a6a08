//! A data top-up: mobile data that a merchant gives to a phone number.

use crate::{
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// A top-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recharge {
    /// Whose.
    pub tenant: TenantId,
    /// The gateway's number of it.
    pub serial: Serial,
    /// Who gives.
    pub merchant: MerchantNo,
    /// The claim on the request's signature: requests carry no number of their own.
    pub key: ClaimKey,
    /// The phone that receives: 11 digits.
    pub phone: String,
    /// How much, in megabytes.
    pub data_mb: i64,
    /// Where the data is good.
    pub reach: Reach,
    /// Where to tell how it ended.
    pub notify_url: Option<String>,
    /// When it was recorded.
    pub created_at: UnixMs,
    /// Where it stands.
    pub state: RechargeState,
}

/// Where topped-up data is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// In the whole country.
    National,
    /// In the home province.
    Provincial,
}

/// Where a top-up stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RechargeState {
    /// Recorded; the provider has not answered.
    Created,
    /// The provider works on it, under its own number.
    AtProvider(String),
    /// Delivered at this time, under the provider's number.
    Done(String, UnixMs),
    /// Failed at this time; the provider's number if it gave one.
    Failed(Option<String>, UnixMs),
}

impl Recharge {
    /// The provider's own number, if it gave one.
    #[must_use]
    pub fn provider_serial(&self) -> Option<&str> {
        match &self.state {
            RechargeState::Created | RechargeState::Failed(None, _) => None,
            RechargeState::AtProvider(serial)
            | RechargeState::Done(serial, _)
            | RechargeState::Failed(Some(serial), _) => Some(serial),
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        match self.state {
            RechargeState::Created | RechargeState::AtProvider(_) => false,
            RechargeState::Done(..) | RechargeState::Failed(..) => true,
        }
    }
}
