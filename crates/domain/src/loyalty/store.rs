//! A retailer's store.

use crate::{ids::TenantId, time::UnixMs};
use serde::{Deserialize, Serialize};

/// A store's number on the wire: 1 to 32 letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoreNo(String);

impl StoreNo {
    /// Reads a store's number; `None` unless it is 1 to 32 ASCII letters or digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A store, where terminals stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Whose.
    pub tenant: TenantId,
    /// Its number on the wire, unique over all tenants.
    pub number: StoreNo,
    /// The number of its accounts in the ledger.
    pub account: i64,
    /// Its name, shown on receipts.
    pub name: String,
    /// The networks its terminals speak from, as `address` or `address/bits`.
    pub networks: Vec<String>,
    /// The client certificates its terminals show, as SHA-256 fingerprints of 64 hex digits.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// When it was last changed.
    pub updated_at: UnixMs,
}
