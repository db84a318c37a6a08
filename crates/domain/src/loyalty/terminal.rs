//! A till's terminal: its keys, its batch, its counts.

use super::{card::DayUse, is_default, sealed::Sealed, store::StoreNo, totals::Totals};
use crate::{ids::TenantId, time::UnixMs};
use serde::{Deserialize, Serialize};

/// A terminal's number on the wire: 1 to 32 letters or digits, unique in its store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TerminalNo(String);

impl TerminalNo {
    /// Reads a terminal's number; `None` unless it is 1 to 32 ASCII letters or digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        StoreNo::parse(text).map(|it| Self(it.as_str().to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A batch's number, 1 to 999999; 999999 is followed by 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchNo(u32);

impl BatchNo {
    /// The first batch of a terminal.
    pub const FIRST: Self = Self(1);
    const LAST: u32 = 999_999;

    /// The batch `number`; `None` unless it is 1 to 999999.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        (1..=Self::LAST).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The batch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 == Self::LAST {
            Self::FIRST
        } else {
            Self(self.0 + 1)
        }
    }

    /// The batch before this one.
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.0 == 1 {
            Self(Self::LAST)
        } else {
            Self(self.0 - 1)
        }
    }
}

impl std::fmt::Display for BatchNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// How working keys are laid out at check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyLayout {
    /// 24 bytes: single-length PIN and MAC keys.
    Bytes24,
    /// 40 bytes: a double-length PIN key and a single-length MAC key.
    Bytes40,
}

/// What a terminal's `transTime` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// How a terminal is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// How its working keys are laid out.
    pub key_layout: KeyLayout,
    /// Whether each message but the check-in must carry a MAC.
    pub mac_required: bool,
    /// What its times count.
    pub time_unit: TimeUnit,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            key_layout: KeyLayout::Bytes24,
            mac_required: false,
            time_unit: TimeUnit::Seconds,
        }
    }
}

/// Which set of working keys: they are numbered from 1 at each check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyGeneration(pub i64);

/// A set of working keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingKeys {
    /// Which set.
    pub generation: KeyGeneration,
    /// The PIN key.
    pub pin_key: Sealed,
    /// Its check value, in hex.
    pub pin_key_check: String,
    /// The MAC key.
    pub mac_key: Sealed,
    /// Its check value, in hex.
    pub mac_key_check: String,
}

/// A terminal's master key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterKey {
    /// The key.
    pub key: Sealed,
    /// Its check value, in hex.
    pub check: String,
    /// When it was injected.
    pub at: UnixMs,
}

/// How often in a row a MAC may be wrong before the terminal has to check in again.
pub const MAC_FAILURES_MAX: u8 = 3;

/// A terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Whose.
    pub tenant: TenantId,
    /// The store it stands in.
    pub store: StoreNo,
    /// Its number on the wire.
    pub number: TerminalNo,
    /// The gateway's index of it, 1 to 99999, unique in the tenant.
    pub index: i64,
    /// Nothing may be done at it for the time being.
    pub blocked: bool,
    /// How it is spoken to.
    pub profile: Profile,
    /// Its master key, once injected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_key: Option<MasterKey>,
    /// Its working keys, from check-in on; taken away after too many wrong MACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<WorkingKeys>,
    /// The keys before, until a message under the new ones has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_before: Option<WorkingKeys>,
    /// How many sets of working keys it has had.
    pub key_count: i64,
    /// Wrong MACs in a row.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mac_failures: u8,
    /// Its last check-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_in: Option<CheckedIn>,
    /// Its newest batch; `None` before the first check-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// How many transaction numbers it has been given.
    pub trans_count: i64,
    /// What was spent at it today, for limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub today: DayUse,
    /// When it last sent verify codes, within an hour.
    #[serde(default, skip_serializing_if = "is_default")]
    pub codes_sent_at: Vec<UnixMs>,
    /// When it was last changed by an operator.
    pub updated_at: UnixMs,
}

/// A check-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedIn {
    /// When.
    pub at: UnixMs,
    /// The operator at the till.
    pub operator: String,
}

/// A terminal's batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its number.
    #[serde(rename = "n", alias = "number")]
    pub number: BatchNo,
    /// When it was opened.
    #[serde(rename = "o", alias = "opened_at")]
    pub opened_at: UnixMs,
    /// When it was settled; `None` while it is open.
    #[serde(
        rename = "c",
        alias = "closed_at",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub closed_at: Option<UnixMs>,
    /// What it adds up to.
    #[serde(
        rename = "t",
        alias = "totals",
        default,
        skip_serializing_if = "is_default"
    )]
    pub totals: Totals,
    /// How many events were recorded in it or changed, so that who compared a journal with it
    /// sees that it moved meanwhile.
    #[serde(rename = "e", alias = "entries")]
    pub entries: i64,
}

impl Terminal {
    /// The batch that takes messages now.
    #[must_use]
    pub fn open_batch(&self) -> Option<&Batch> {
        self.batch.as_ref().filter(|it| it.closed_at.is_none())
    }

    /// The batch that takes messages now, if the terminal still has keys: who took them away wants
    /// it to check in again.
    #[must_use]
    pub fn checked_in_batch(&self) -> Option<&Batch> {
        self.open_batch().filter(|_| self.keys.is_some())
    }

    /// The set of working keys `generation`, if it is still valid.
    #[must_use]
    pub fn keys_of(&self, generation: KeyGeneration) -> Option<&WorkingKeys> {
        let known = [self.keys.as_ref(), self.keys_before.as_ref()];
        known
            .into_iter()
            .flatten()
            .find(|it| it.generation == generation)
    }
}
