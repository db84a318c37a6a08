//! What tills did with one code.

use super::code::CodeNo;
use crate::{
    ids::{MerchantNo, Serial, TenantId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// A code that a till has touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeUse {
    /// Whose.
    pub tenant: TenantId,
    /// Which code.
    pub code: CodeNo,
    /// How many of its uses are gone.
    pub used: u32,
    /// How many of its uses open payments hold.
    pub reserved: u32,
    /// How many events it has.
    pub events: u32,
    /// The newest payment that held it.
    pub newest: Option<Serial>,
}

impl CodeUse {
    /// A code that no till has touched yet.
    #[must_use]
    pub const fn untouched(tenant: TenantId, code: CodeNo) -> Self {
        Self {
            tenant,
            code,
            used: 0,
            reserved: 0,
            events: 0,
            newest: None,
        }
    }

    /// Whether any of its uses is gone or held.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.used > 0 || self.reserved > 0
    }
}

/// A use of a code, or its reversal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeEvent {
    /// Whose.
    pub tenant: TenantId,
    /// Which code.
    pub code: CodeNo,
    /// Its number among the events of the code, from 0.
    pub number: u32,
    /// What happened.
    pub act: CodeAct,
    /// When.
    pub at: UnixMs,
    /// The payment, refund or event on a card that did it.
    pub subject: Serial,
    /// Where.
    pub scene: Scene,
}

/// What happened to a use of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CodeAct {
    /// It was used.
    Used,
    /// It came back.
    GivenBack,
}

/// Where a code was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// The account that sold.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantNo>,
    /// The store, as the till named it.
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub store: String,
    /// The till, as it named itself.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub terminal: String,
    /// The till's own number of the sale.
    #[serde(rename = "n", default, skip_serializing_if = "String::is_empty")]
    pub sale: String,
}
