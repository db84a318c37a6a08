//! What waits for an operator's eyes: nothing here changes the books any more. An item stays when it
//! is done, with who did it.

use super::{terminal::BatchNo, trans::TransNo};
use crate::{
    ids::{Serial, TenantId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// Something an operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    /// Whose.
    pub tenant: TenantId,
    /// The event that raised it.
    pub subject: Serial,
    /// When it was raised.
    pub at: UnixMs,
    /// The terminal's index.
    pub terminal: i64,
    /// What happened.
    pub matter: Matter,
    /// Who took it off the list; `None` while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<WorkDone>,
}

/// An operator has looked at an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkDone {
    /// Who.
    pub by: String,
    /// When.
    pub at: UnixMs,
    /// What was done about it, in the operator's words.
    pub note: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Matter {
    /// A transaction of a closed batch was reversed: that batch's settlement no longer agrees.
    ReversedAfterSettlement {
        /// The closed batch.
        batch: BatchNo,
        /// The transaction that was undone.
        number: TransNo,
    },
    /// A batch was closed although the terminal's journal differs from the host's.
    SettledWithDifferences {
        /// The batch.
        batch: BatchNo,
        /// How many of its transactions differ.
        differing: i64,
    },
}
