//! What the writer knows without looking: rows of the tables that it fills late, and documents. All
//! in step with its transactions.

#[cfg(test)]
pub(super) mod ending;

use super::{
    Shared, claims::Claims, code_uses::CodeUses, documents::Documents, event_keys::EventKeys,
    late_log::LateLog, late_table::Late, statements::Statements,
};
use crate::contract::StoreError;
use rusqlite::Connection;

/// What the writer knows.
pub(super) struct Indexes {
    pub(super) claims: Claims,
    pub(super) events: EventKeys,
    pub(super) uses: CodeUses,
    pub(super) documents: Documents,
}

/// What is known in step with the writer's transactions.
pub(super) trait InStep {
    /// Reads back what is stored if that is in doubt, before a transaction changes anything.
    fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError>;

    /// Writes what was put off: the last part of the open transaction.
    fn move_on(&mut self, statements: &Statements<'_>) -> Result<(), StoreError>;

    /// The open transaction is on disk.
    fn committed(&mut self);

    /// The open transaction is taken back.
    fn taken_back(&mut self);

    /// A commit failed on the way: nobody knows what is stored until [`InStep::resolve`].
    fn doubt(&mut self);
}

impl Indexes {
    pub(super) fn open(connection: &Connection, shared: &Shared) -> Result<Self, StoreError> {
        Ok(Self {
            claims: Late::open(connection, &shared.claims)?,
            events: Late::open(connection, &shared.event_keys)?,
            uses: LateLog::open(connection, &shared.uses)?,
            documents: Documents::open(connection, &shared.documents)?,
        })
    }

    fn all(&mut self) -> [&mut dyn InStep; 4] {
        [
            &mut self.claims,
            &mut self.events,
            &mut self.uses,
            &mut self.documents,
        ]
    }
}

impl InStep for Indexes {
    fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut all = self.all().into_iter();
        all.try_for_each(|it| it.resolve(connection))
    }

    fn move_on(&mut self, statements: &Statements<'_>) -> Result<(), StoreError> {
        let mut all = self.all().into_iter();
        all.try_for_each(|it| it.move_on(statements))
    }

    fn committed(&mut self) {
        self.all().into_iter().for_each(InStep::committed);
    }

    fn taken_back(&mut self) {
        self.all().into_iter().for_each(InStep::taken_back);
    }

    fn doubt(&mut self) {
        self.all().into_iter().for_each(InStep::doubt);
    }
}
