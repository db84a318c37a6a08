//! How transactions of tests end.

use super::{InStep, Statements};
use proptest::prelude::*;
use rusqlite::Connection;

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sqlite) enum End {
    Commit,
    TakeBack,
    /// It is taken back before its last part.
    BreakOff,
    /// It is on disk, and the writer was told that it failed.
    CommitInDoubt,
    /// It is not on disk, and nobody knows.
    TakeBackInDoubt,
}

impl End {
    pub(in crate::sqlite) fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            6 => Just(Self::Commit),
            1 => Just(Self::TakeBack),
            1 => Just(Self::BreakOff),
            1 => Just(Self::CommitInDoubt),
            1 => Just(Self::TakeBackInDoubt),
        ]
    }

    /// Ends the open transaction; says whether it is on disk.
    pub(in crate::sqlite) fn reach(self, connection: &Connection, known: &mut dyn InStep) -> bool {
        if self != Self::BreakOff {
            known.move_on(&Statements::new(connection)).unwrap();
        }
        let is_kept = matches!(self, Self::Commit | Self::CommitInDoubt);
        let sql = if is_kept { "COMMIT" } else { "ROLLBACK" };
        connection.execute_batch(sql).unwrap();
        match self {
            Self::Commit => known.committed(),
            Self::TakeBack | Self::BreakOff => known.taken_back(),
            Self::CommitInDoubt | Self::TakeBackInDoubt => {
                known.doubt();
                known.taken_back();
            }
        }
        is_kept
    }
}
