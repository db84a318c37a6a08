//! A terminal's message: who sent it, what makes it the same message, and what it is answered.

use crate::{
    ids::{Serial, TenantId},
    loyalty::{
        calendar::Zone,
        store::StoreNo,
        terminal::{BatchNo, KeyGeneration, TerminalNo},
        trans::{Place, Refusal, TraceNo, Trans},
    },
};
use std::sync::Arc;

/// What every message of a terminal says.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whose terminal.
    pub tenant: TenantId,
    /// Its store.
    pub store: StoreNo,
    /// The number of the store's accounts in the ledger.
    pub store_account: i64,
    /// Its number on the wire.
    pub terminal: TerminalNo,
    /// The gateway's index of it.
    pub terminal_index: i64,
    /// The batch it belongs to: the one it names, else the one believed to be open.
    pub batch: BatchNo,
    /// Whether it names its batch.
    pub names_batch: bool,
    /// Its number in the batch.
    pub trace: TraceNo,
    /// A digest of its content, without MAC and PIN block.
    pub content: u128,
    /// The gateway's serial for what it makes.
    pub serial: Serial,
    /// The working keys under which its MAC was found right or its PIN block was read; `None` when
    /// it has neither.
    pub under: Option<KeyGeneration>,
    /// The gateway's zone: days and months are counted in it.
    pub zone: Zone,
}

impl Message {
    /// What makes it the same message.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place::new(self.terminal_index, self.batch, self.trace)
    }
}

/// What a message is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is recorded, as approved or as declined; a repeated one gets what the first got.
    Done(Arc<Trans>),
    /// It is refused, and nothing is recorded.
    Refused(Refusal),
    /// It cannot be decided yet: nothing is recorded, and it is to be sent again with what is
    /// missing.
    Again(Missing),
}

/// What a decision lacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Another batch is open than the sender believed.
    Batch,
    /// The PIN was compared with one that the card no longer has.
    Pin,
    /// The event with this serial.
    Original(Serial),
}

/// What is known of a PIN that came with a message. A slow hash cannot be computed inside a
/// decision, so it says which hash it was compared with.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum PinEvidence {
    /// None was sent, or the card had none to compare it with.
    #[default]
    None,
    /// It is right for this hash.
    Right(String),
    /// It is wrong for this hash.
    Wrong(String),
}

impl std::fmt::Debug for PinEvidence {
    /// Without the hash: whoever has it may try PINs on it at leisure.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Right(_) => "Right",
            Self::Wrong(_) => "Wrong",
        })
    }
}

/// Tickets or vouchers that a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The ticket's number among those of its kind.
    pub id: i64,
    /// How many pieces, above zero.
    pub pieces: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hash_is_shown() {
        for evidence in [
            PinEvidence::Right("$argon2id$x".to_owned()),
            PinEvidence::Wrong("$argon2id$x".to_owned()),
        ] {
            assert!(!format!("{evidence:?}").contains("argon2id"));
        }
    }
}
