//! A merchant account: who may ask for payments, over which channels, and under which rules.

use crate::{
    channel::ChannelNo,
    ids::{MerchantNo, TenantId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// A retailer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its number.
    pub id: TenantId,
    /// Its name, unique.
    pub name: String,
}

/// A merchant account of a tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct Merchant {
    /// Whose.
    pub tenant: TenantId,
    /// The gateway's own number of it.
    pub no: MerchantNo,
    /// The code callers know it by, unique over all tenants.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// Its signing key, sealed under the gateway's master key.
    pub sealed_key: Vec<u8>,
    /// The channels it has a contract for.
    pub channels: Vec<ChannelNo>,
    /// Nothing may be charged for it for the time being.
    pub suspended: bool,
    /// Its rules.
    pub settings: MerchantSettings,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

/// How a merchant wants its requests treated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MerchantSettings {
    /// Answers are in English instead of Chinese.
    pub english: bool,
    /// Queries must be signed.
    pub require_query_sign: bool,
    /// Signatures older than this many seconds are refused; `None` takes any age.
    pub signature_max_age_s: Option<u32>,
    /// A byte-identical repeated request gets the first answer instead of a refusal.
    pub replay_identical: bool,
    /// Cancelling a paid payment always waits for an operator.
    pub cancel_paid_by_approval: bool,
    /// At most this many requests a second; `None` for any number.
    pub requests_per_s: Option<u32>,
}

impl Default for MerchantSettings {
    fn default() -> Self {
        Self {
            english: false,
            require_query_sign: true,
            signature_max_age_s: None,
            replay_identical: false,
            cancel_paid_by_approval: false,
            requests_per_s: None,
        }
    }
}

impl Merchant {
    /// Whether it may collect over `channel` now.
    #[must_use]
    pub fn may_use(&self, channel: ChannelNo) -> bool {
        !self.suspended && self.channels.contains(&channel)
    }
}
