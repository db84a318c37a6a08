//! The indexes that a writer fills late, all in step with its transactions.

use super::{Shared, claims::Claims, event_keys::EventKeys, late_index::LateIndex};
use crate::contract::StoreError;
use rusqlite::Connection;

/// What the writer fills late.
pub(super) struct Indexes {
    pub(super) claims: Claims,
    pub(super) events: EventKeys,
}

impl Indexes {
    pub(super) fn open(connection: &Connection, shared: &Shared) -> Result<Self, StoreError> {
        Ok(Self {
            claims: LateIndex::open(connection, &shared.claims)?,
            events: LateIndex::open(connection, &shared.event_keys)?,
        })
    }

    pub(super) fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.claims.resolve(connection)?;
        self.events.resolve(connection)
    }

    pub(super) fn move_on(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.claims.move_on(connection)?;
        self.events.move_on(connection)
    }

    pub(super) fn committed(&mut self) {
        self.claims.committed();
        self.events.committed();
    }

    pub(super) fn taken_back(&mut self) {
        self.claims.taken_back();
        self.events.taken_back();
    }

    pub(super) const fn doubt(&mut self) {
        self.claims.doubt();
        self.events.doubt();
    }
}
