//! Connections that read, each its own snapshot, on threads that may block.

use super::{
    Shared, SqliteStore, admin, backup, check_durability,
    event_keys::{EventKey, events_between},
    from_sqlite, late_documents,
    late_index::serial_of,
    looks::{self, LOOKS_MAX, Looks},
    loyalty,
    queries::{
        all, at_one_moment, due_job, due_jobs_sql, due_notifications_sql, figures, filter_sql,
        payments_where,
    },
    rows,
    snapshot::SqliteSnapshot,
};
use crate::{
    contract::{
        BoxFuture, DocumentMark, DueJob, NamedValue, PaymentFilter, Reader, Snapshot, StoreError,
        StoreFigures,
    },
    file::publish,
    flat::{FlatNotification, FlatPayment, FlatRecharge, FlatRefund},
};
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        terminal::BatchNo,
        trans::{Place, Trans, TransNo},
    },
    merchant::{Merchant, Tenant},
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    rows::PaymentRef,
    time::UnixMs,
};
use rusqlite::{Connection, Row};
use std::sync::{PoisonError, atomic::Ordering};

/// Reads. Clones share the connections.
#[derive(Clone)]
pub struct SqliteReader {
    store: SqliteStore,
}

impl SqliteReader {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    /// Runs `look` with a connection on a thread that may block for long.
    pub(super) fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        Box::pin(looks::take(self, |reader| reader.look(look)))
    }

    /// The same, [`at_one_moment`].
    pub(super) fn within<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        self.with(move |connection| at_one_moment(connection, look))
    }

    pub(super) const fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Those that wait, of all clones.
    pub(super) fn looks(&self) -> &Looks {
        &self.store.shared.looks
    }

    /// Runs `look` with a connection, here and now.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let shared = &self.store.shared;
        if shared.is_closing.load(Ordering::Acquire) {
            return Err(StoreError::Down(
                "the store is being opened again".to_owned(),
            ));
        }
        let _looking = shared
            .looking
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let lock_idle = || shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock_idle().pop();
        let connection = idle.map_or_else(|| self.store.connect_to_read(), Ok)?;
        let found = look(&connection);
        let mut idle = lock_idle();
        // A connection that failed may be broken, or still look at the past; the next look opens a
        // new one.
        if found.is_ok() && connection.is_autocommit() && idle.len() < LOOKS_MAX {
            idle.push(connection);
        }
        found
    }
}

fn payment(
    connection: &Connection,
    tenant: TenantId,
    serial: Serial,
) -> Result<Option<Payment>, StoreError> {
    let sql = payments_where("serial = ?1 AND tenant = ?2");
    let (values, read) = ([serial.0, tenant.0], FlatPayment::read);
    let found = all(connection, &sql, values, rows::payment, read)?;
    Ok(found.into_iter().next())
}

/// "There is none" is a promise: it is not made while a commit is in doubt.
pub(super) fn unless_in_doubt<T>(
    found: Option<T>,
    shared: &Shared,
) -> Result<Option<T>, StoreError> {
    if found.is_none() && shared.is_in_doubt() {
        let text = "the last commit could not be synced, nor written over yet";
        return Err(StoreError::Unknown(text.to_owned()));
    }
    Ok(found)
}

impl SqliteReader {
    /// The event that has `key`.
    fn trans_by(
        &self,
        tenant: TenantId,
        key: EventKey,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        let store = self.store.clone();
        self.with(move |connection| {
            let serial = serial_of(connection, &store.shared.event_keys, key)?;
            let found = serial.map(|it| loyalty::trans_of(connection, tenant, it));
            unless_in_doubt(found.transpose()?.flatten(), &store.shared)
        })
    }
}

impl Reader for SqliteReader {
    fn payment(&self, by: PaymentRef) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        let store = self.store.clone();
        self.with(move |connection| {
            let found = match by {
                PaymentRef::Serial(tenant, serial) => payment(connection, tenant, serial)?,
                PaymentRef::Key(tenant, key) => {
                    match serial_of(connection, &store.shared.claims, key)? {
                        Some(serial) => payment(connection, tenant, serial)?,
                        None => None,
                    }
                }
            };
            unless_in_doubt(found, &store.shared)
        })
    }

    fn payments_by_serial(
        &self,
        serials: Vec<(TenantId, Serial)>,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        self.with(move |connection| {
            let sql = payments_where("serial = ?1 AND tenant = ?2");
            let mut found = Vec::with_capacity(serials.len());
            for (tenant, serial) in serials {
                let (values, read) = ([serial.0, tenant.0], FlatPayment::read);
                found.extend(all(connection, &sql, values, rows::payment, read)?);
            }
            Ok(found)
        })
    }

    fn payment_of_any(&self, serial: Serial) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        self.with(move |connection| {
            let sql = payments_where("serial = ?1");
            let found = all(
                connection,
                &sql,
                [serial.0],
                rows::payment,
                FlatPayment::read,
            )?;
            Ok(found.into_iter().next())
        })
    }

    fn payments(
        &self,
        filter: PaymentFilter,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        self.with(move |connection| {
            let before = filter.before.map_or(i64::MAX, |serial| serial.0);
            let tenant = filter.tenant.map(|tenant| tenant.0);
            let merchant = filter.merchant.map(|merchant| merchant.0);
            let values = (tenant, merchant, before, limit);
            let sql = filter_sql(&filter);
            all(connection, &sql, values, rows::payment, FlatPayment::read)
        })
    }

    fn refunds_of(
        &self,
        tenant: TenantId,
        payment: Serial,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>> {
        self.with(move |connection| {
            let sql = format!(
                "SELECT {} FROM refunds WHERE payment = ?1 AND tenant = ?2 ORDER BY serial",
                rows::REFUND
            );
            all(
                connection,
                &sql,
                [payment.0, tenant.0],
                rows::refund,
                FlatRefund::read,
            )
        })
    }

    fn refund(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Refund>, StoreError>> {
        self.with(move |connection| {
            let columns = rows::REFUND;
            let sql = format!("SELECT {columns} FROM refunds WHERE serial = ?1 AND tenant = ?2");
            let values = [serial.0, tenant.0];
            let found = all(connection, &sql, values, rows::refund, FlatRefund::read)?;
            Ok(found.into_iter().next())
        })
    }

    fn recharge(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Recharge>, StoreError>> {
        self.with(move |connection| {
            let columns = rows::RECHARGE;
            let sql = format!("SELECT {columns} FROM recharges WHERE serial = ?1 AND tenant = ?2");
            let values = [serial.0, tenant.0];
            let found = all(connection, &sql, values, rows::recharge, FlatRecharge::read)?;
            Ok(found.into_iter().next())
        })
    }

    fn due_jobs(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<Option<ChannelNo>>,
    ) -> BoxFuture<'_, Result<Vec<DueJob>, StoreError>> {
        self.with(move |connection| {
            all(
                connection,
                &due_jobs_sql(&except),
                (now.0, limit),
                due_job,
                Ok,
            )
        })
    }

    fn due_notifications(
        &self,
        now: UnixMs,
        limit: u32,
        except: Vec<(TenantId, MerchantNo)>,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        self.with(move |connection| {
            let (sql, read) = (due_notifications_sql(&except), FlatNotification::read);
            all(connection, &sql, (now.0, limit), rows::notification, read)
        })
    }

    fn notification(
        &self,
        tenant: TenantId,
        subject: Serial,
    ) -> BoxFuture<'_, Result<Option<Notification>, StoreError>> {
        self.with(move |connection| {
            let sql = format!(
                "SELECT {} FROM notifications WHERE subject = ?1 AND tenant = ?2",
                rows::NOTIFICATION
            );
            let (values, read) = ([subject.0, tenant.0], FlatNotification::read);
            Ok(all(connection, &sql, values, rows::notification, read)?
                .into_iter()
                .next())
        })
    }

    fn dead_notifications(
        &self,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        self.with(move |connection| {
            let sql = format!(
                "SELECT {} FROM notifications WHERE state = 2 ORDER BY subject DESC LIMIT ?1",
                rows::NOTIFICATION
            );
            all(
                connection,
                &sql,
                [limit],
                rows::notification,
                FlatNotification::read,
            )
        })
    }

    fn document(&self, key: DocumentKey) -> BoxFuture<'_, Result<Option<Document>, StoreError>> {
        let store = self.store.clone();
        self.with(move |connection| {
            let found = late_documents::of_key(connection, &store.shared.documents, &key)?;
            unless_in_doubt(found, &store.shared)
        })
    }

    fn documents_by_key(
        &self,
        keys: Vec<DocumentKey>,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let store = self.store.clone();
        self.with(move |connection| {
            let found = late_documents::of_keys(connection, &store.shared.documents, &keys)?;
            let found = found
                .into_iter()
                .map(|it| unless_in_doubt(it, &store.shared));
            found.filter_map(Result::transpose).collect()
        })
    }

    fn documents(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let recent = self.store.shared.documents.clone();
        self.with(move |it| late_documents::list(it, &recent, kind, tenant, after, limit))
    }

    fn due_documents(
        &self,
        kind: DocumentKind,
        now: UnixMs,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        let recent = self.store.shared.documents.clone();
        self.with(move |connection| loyalty::due(connection, &recent, kind, now, limit))
    }

    fn trans(
        &self,
        tenant: TenantId,
        serial: Serial,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        let store = self.store.clone();
        self.with(move |connection| {
            let found = loyalty::trans_of(connection, tenant, serial)?;
            unless_in_doubt(found, &store.shared)
        })
    }

    fn trans_at(
        &self,
        tenant: TenantId,
        place: Place,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        self.trans_by(tenant, EventKey::place(tenant, place))
    }

    fn trans_by_number(
        &self,
        tenant: TenantId,
        number: TransNo,
    ) -> BoxFuture<'_, Result<Option<Trans>, StoreError>> {
        self.trans_by(tenant, EventKey::number(tenant, number))
    }

    fn trans_of_batch(
        &self,
        tenant: TenantId,
        terminal: i64,
        batch: BatchNo,
        after: Option<Place>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>> {
        let (first, last) = Place::of_batch(terminal, batch);
        let first = after.map_or(first, |after| first.max(after.next()));
        let recent = self.store.shared.event_keys.clone();
        self.within(move |connection| {
            let places = (first, last);
            let serials = events_between(connection, &recent, tenant, places, limit)?;
            let found = loyalty::trans_of_all(connection, tenant, &serials)?;
            if found.len() < serials.len() {
                let text = format!("events of batch {} of terminal {terminal}", batch.get());
                return Err(StoreError::Corrupt(format!("{text} are not there")));
            }
            Ok(found)
        })
    }

    fn tenants(&self) -> BoxFuture<'_, Result<Vec<Tenant>, StoreError>> {
        self.with(|connection| {
            let sql = "SELECT tenant, name FROM tenants ORDER BY tenant";
            all(connection, sql, [], admin::read_tenant, Ok)
        })
    }

    fn merchants(&self) -> BoxFuture<'_, Result<Vec<Merchant>, StoreError>> {
        self.with(|connection| {
            let sql = format!("SELECT {} FROM merchants ORDER BY code", admin::MERCHANT);
            all(connection, &sql, [], admin::read_merchant, Ok)
        })
    }

    fn figures(&self) -> BoxFuture<'_, Result<StoreFigures, StoreError>> {
        self.with(|connection| {
            let sql = "SELECT (SELECT count(*) FROM jobs), (SELECT min(due_at) FROM jobs), \
                 (SELECT count(*) FROM notifications WHERE state = 0), \
                 (SELECT count(*) FROM notifications WHERE state = 2), \
                 (SELECT min(at) FROM notifications WHERE state = 0), \
                 (SELECT min(due_at) FROM cards WHERE due_at IS NOT NULL), \
                 (SELECT count(*) FROM work_items)";
            connection.query_row(sql, [], figures).map_err(from_sqlite)
        })
    }

    fn open_payments(&self, since: Serial) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |connection| {
            let sql = "SELECT count(*) FROM jobs WHERE kind IN (1, 2) AND subject >= ?1";
            let count = connection.query_row(sql, [since.0], |row| row.get::<_, i64>(0));
            count.map(i64::unsigned_abs).map_err(from_sqlite)
        })
    }

    fn values(
        &self,
        prefix: String,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<NamedValue>, StoreError>> {
        self.with(move |connection| {
            let sql = "SELECT name, value FROM settings \
                 WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name DESC LIMIT ?2";
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            all(connection, sql, (prefix, limit), read, Ok)
        })
    }

    fn durability(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.with(check_durability)
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, StoreError>> {
        let reader = self.clone();
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || SqliteSnapshot::open(&reader.store));
            let opened = opened
                .await
                .map_err(|error| StoreError::Down(error.to_string()))??;
            Ok(Box::new(opened) as Box<dyn Snapshot>)
        })
    }

    fn backup(&self, to: std::path::PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(move |connection| {
            if to.exists() {
                return Err(StoreError::Refused(format!("{} exists", to.display())));
            }
            let partial = to.with_added_extension("partial");
            let copied = backup::copy(connection, &partial).and_then(|()| publish(&partial, &to));
            if copied.is_err() {
                // There may be nothing to remove.
                drop(std::fs::remove_file(&partial));
            }
            copied
        })
    }
}
