//! One consistent view of all rows, for the audit and exports.

use super::{
    SqliteStore, claims,
    code_uses::UsesTable,
    event_keys, from_sqlite,
    late_documents::{self, Newest},
    late_table::ByKey,
    loyalty,
    queries::all,
    rows,
};
use crate::{
    contract::{BoxFuture, DocumentMark, Snapshot, StoreError},
    flat::{
        FlatJob, FlatNotification, FlatPayment, FlatPosting, FlatRecharge, FlatRefund, FlatTrans,
    },
};
use domain::{
    ids::Serial,
    job::Job,
    ledger::Posting,
    loyalty::{
        document::{Document, DocumentKind},
        trans::Trans,
    },
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
};
use rusqlite::{Connection, Row};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A read transaction on a connection of its own.
pub(super) struct SqliteSnapshot {
    connection: Arc<Mutex<Connection>>,
    pub(super) code_use_log: Arc<Once<ByKey<UsesTable>>>,
    document_log: Arc<Once<Newest>>,
}

/// What a log holds, read once: each page of its table is merged with it.
pub(super) struct Once<T>(OnceLock<T>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Once<T> {
    /// As `read` finds it the first time.
    pub(super) fn read(
        &self,
        read: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<&T, StoreError> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let found = read()?;
        Ok(self.0.get_or_init(|| found))
    }
}

impl SqliteSnapshot {
    pub(super) fn open(store: &SqliteStore) -> Result<Self, StoreError> {
        let connection = store.connect_to_read()?;
        // The first look fixes what a deferred transaction sees.
        let fix = "BEGIN; SELECT count(*) FROM tenants;";
        connection.execute_batch(fix).map_err(from_sqlite)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            code_use_log: Arc::default(),
            document_log: Arc::default(),
        })
    }

    fn page<F: 'static, T: Send + 'static>(
        &self,
        (table, columns, number): (&'static str, &'static str, &'static str),
        (after, limit): (Option<i64>, u32),
        flat: fn(&Row<'_>) -> rusqlite::Result<F>,
        read: fn(F) -> Result<T, StoreError>,
    ) -> BoxFuture<'_, Result<Vec<T>, StoreError>> {
        self.look(move |connection| {
            let after = after.unwrap_or(i64::MIN);
            let sql = format!(
                "SELECT {columns} FROM {table} WHERE {number} > ?1 ORDER BY {number} LIMIT ?2"
            );
            all(connection, &sql, (after, limit), flat, read)
        })
    }

    /// Runs `look` on a thread that may block.
    pub(super) fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let connection = Arc::clone(&self.connection);
        let look = move || look(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(look).await;
            done.map_err(|error| StoreError::Down(error.to_string()))?
        })
    }
}

impl Snapshot for SqliteSnapshot {
    fn keys_astray(&mut self, limit: u32) -> BoxFuture<'_, Result<Vec<Serial>, StoreError>> {
        let number = |row: &Row<'_>| row.get(0).map(Serial);
        self.look(move |connection| {
            let mut astray = all(connection, claims::ASTRAY, [limit], number, Ok)?;
            astray.extend(all(connection, event_keys::ASTRAY, [limit], number, Ok)?);
            Ok(astray)
        })
    }

    fn payments(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        let table = ("payments", rows::PAYMENT, "serial");
        self.page(
            table,
            (after.map(|it| it.0), limit),
            rows::payment,
            FlatPayment::read,
        )
    }

    fn refunds(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>> {
        let table = ("refunds", rows::REFUND, "serial");
        self.page(
            table,
            (after.map(|it| it.0), limit),
            rows::refund,
            FlatRefund::read,
        )
    }

    fn recharges(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Recharge>, StoreError>> {
        let table = ("recharges", rows::RECHARGE, "serial");
        self.page(
            table,
            (after.map(|it| it.0), limit),
            rows::recharge,
            FlatRecharge::read,
        )
    }

    fn trans(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>> {
        let (table, after) = (("trans", loyalty::TRANS, "serial"), after.map(|it| it.0));
        self.page(table, (after, limit), loyalty::trans, FlatTrans::read)
    }

    fn documents(
        &mut self,
        kind: DocumentKind,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let log = Arc::clone(&self.document_log);
        self.look(move |connection| {
            let logged = log.read(|| late_documents::logged(connection))?;
            late_documents::behind(connection, logged, kind, after, limit)
        })
    }

    fn postings(
        &mut self,
        after: Option<i64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Posting>, StoreError>> {
        let table = ("postings", rows::POSTING, "number");
        self.page(table, (after, limit), rows::posting, FlatPosting::read)
    }

    fn jobs(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        let table = ("jobs", rows::JOB, "subject");
        self.page(
            table,
            (after.map(|it| it.0), limit),
            rows::job,
            FlatJob::read,
        )
    }

    fn notifications(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        let table = ("notifications", rows::NOTIFICATION, "subject");
        let read = FlatNotification::read;
        self.page(
            table,
            (after.map(|it| it.0), limit),
            rows::notification,
            read,
        )
    }
}
