//! What the writer knows without looking: rows of the tables that it fills late, and documents. All
//! in step with its transactions.

use super::{
    Shared, claims::Claims, code_uses::CodeUses, documents::Documents, event_keys::EventKeys,
    late_log::LateLog, late_table::Late, open_payments::OpenPayments,
};
use crate::contract::StoreError;
use rusqlite::Connection;

/// What the writer knows.
pub(super) struct Indexes {
    pub(super) claims: Claims,
    pub(super) events: EventKeys,
    pub(super) uses: CodeUses,
    pub(super) documents: Documents,
    pub(super) payments: OpenPayments,
}

impl Indexes {
    pub(super) fn open(connection: &Connection, shared: &Shared) -> Result<Self, StoreError> {
        Ok(Self {
            claims: Late::open(connection, &shared.claims)?,
            events: Late::open(connection, &shared.event_keys)?,
            uses: LateLog::open(connection, &shared.uses)?,
            documents: Documents::open(connection, &shared.documents)?,
            payments: OpenPayments::default(),
        })
    }

    pub(super) fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.claims.resolve(connection)?;
        self.events.resolve(connection)?;
        self.uses.resolve(connection)?;
        self.documents.late.resolve(connection)
    }

    pub(super) fn move_on(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.claims.move_on(connection)?;
        self.events.move_on(connection)?;
        self.uses.move_on(connection)?;
        self.documents.late.move_on(connection)
    }

    pub(super) fn committed(&mut self) {
        self.claims.committed();
        self.events.committed();
        self.uses.committed();
        self.documents.committed();
        self.payments.committed();
    }

    pub(super) fn taken_back(&mut self) {
        self.claims.taken_back();
        self.events.taken_back();
        self.uses.taken_back();
        self.documents.taken_back();
        self.payments.taken_back();
    }

    pub(super) fn doubt(&mut self) {
        self.claims.doubt();
        self.events.doubt();
        self.uses.doubt();
        self.documents.doubt();
        self.payments.doubt();
    }
}
