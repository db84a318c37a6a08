//! Cards, terminals and their events: their part of a batch, and looking at them.

use super::{
    documents::Documents,
    event_keys::{EventKey, EventKeys},
    from_sqlite,
    kept::Recent,
    late_documents::{self, DocumentsTable},
    queries::all,
    statements::Statements,
};
use crate::{
    contract::StoreError,
    flat::{FlatTrans, may_be_due, table},
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        rows::{LoyaltyChanges, LoyaltyPlan, LoyaltyRows},
        trans::Trans,
    },
    time::UnixMs,
};
use rusqlite::{Connection, Error, OptionalExtension, Row, ffi, params};
use std::sync::LazyLock;

pub(super) const TRANS: &str = "tenant, serial, place, number, body";

pub(super) fn trans(row: &Row<'_>) -> rusqlite::Result<FlatTrans> {
    Ok(FlatTrans {
        tenant: row.get(0)?,
        serial: row.get(1)?,
        place: row.get(2)?,
        number: row.get(3)?,
        body: row.get(4)?,
    })
}

/// The event with a serial.
pub(super) fn trans_of(
    connection: &Connection,
    tenant: TenantId,
    serial: Serial,
) -> Result<Option<Trans>, StoreError> {
    let found = trans_of_all(connection, tenant, &[serial])?;
    Ok(found.into_iter().next())
}

/// The events with these serials, in their order.
pub(super) fn trans_of_all(
    connection: &Connection,
    tenant: TenantId,
    serials: &[Serial],
) -> Result<Vec<Trans>, StoreError> {
    static SELECT: LazyLock<String> =
        LazyLock::new(|| format!("SELECT {TRANS} FROM trans WHERE serial = ?1 AND tenant = ?2"));
    let mut statement = connection.prepare_cached(&SELECT).map_err(from_sqlite)?;
    let mut found = Vec::with_capacity(serials.len());
    for serial in serials {
        let flat = statement.query_row((serial.0, tenant.0), trans).optional();
        if let Some(flat) = flat.map_err(from_sqlite)? {
            found.push(flat.read()?);
        }
    }
    Ok(found)
}

/// Loads what `plan` names.
pub(super) fn load(
    statements: &Statements<'_>,
    known: &mut Documents,
    events: &mut EventKeys,
    plan: &LoyaltyPlan,
    rows: &mut LoyaltyRows,
) -> Result<(), StoreError> {
    for key in &plan.documents {
        if let Some(stored) = known.find(statements, key)? {
            rows.add_document(key.clone(), stored.document);
        }
    }
    for (tenant, serial) in &plan.trans {
        let found = trans_of(statements, *tenant, *serial)?;
        found.into_iter().for_each(|it| rows.add_trans(it));
    }
    for key in EventKey::of_plan(plan) {
        if let Some(serial) = events.find(statements, &key)? {
            let found = trans_of(statements, key.tenant(), serial)?;
            found.into_iter().for_each(|it| rows.add_trans(it));
        }
    }
    Ok(())
}

/// Writes `changes`.
pub(super) fn write(
    statements: &Statements<'_>,
    known: &mut Documents,
    events: &mut EventKeys,
    changes: LoyaltyChanges,
) -> Result<(), StoreError> {
    for key in &changes.documents_removed {
        known.remove(statements, key)?;
    }
    for document in changes.documents {
        known.overwrite(statements, document)?;
    }
    for document in changes.documents_added {
        known.add(statements, document)?;
    }
    for trans in &changes.trans {
        let flat = FlatTrans::of(trans)?;
        let sql = "UPDATE trans SET body = ?2 WHERE serial = ?1";
        let changed = statements.execute(sql, (flat.serial, flat.body));
        let changed = changed.map_err(from_sqlite)?;
        must_be_one(changed, || format!("event {}", trans.serial))?;
    }
    changes
        .trans_added
        .iter()
        .try_for_each(|it| add_trans(statements, events, it))
}

fn add_trans(
    statements: &Statements<'_>,
    events: &mut EventKeys,
    trans: &Trans,
) -> Result<(), StoreError> {
    let place = trans.place.map(|it| EventKey::place(trans.tenant, it));
    let number = trans.number.map(|it| EventKey::number(trans.tenant, it));
    for key in [place, number].into_iter().flatten() {
        if let Some(there) = events.find(statements, &key)? {
            let text = format!("event {there} has the place or number of {}", trans.serial);
            return Err(StoreError::Conflict(text));
        }
        events.add(statements, key, trans.serial)?;
    }
    let flat = FlatTrans::of(trans)?;
    static INSERT: LazyLock<String> =
        LazyLock::new(|| format!("INSERT INTO trans ({TRANS}) VALUES (?1, ?2, ?3, ?4, ?5)"));
    let values = params![flat.tenant, flat.serial, flat.place, flat.number, flat.body];
    let added = statements.execute(&INSERT, values);
    added.map(drop).map_err(conflict_or_failure)
}

/// A row that is there already is another writer's.
pub(super) fn conflict_or_failure(error: Error) -> StoreError {
    match constraint(&error) {
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE) => {
            in_the_way(&error)
        }
        _ => from_sqlite(error),
    }
}

fn must_be_one(changed: usize, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!("{} is not there", what())))
}

/// SQLite's own number of the broken constraint's kind.
pub(super) fn constraint(error: &Error) -> Option<i32> {
    error.sqlite_error().map(|it| it.extended_code)
}

pub(super) fn in_the_way(error: &Error) -> StoreError {
    StoreError::Conflict(error.to_string())
}

/// The documents of `kind` that are due, longest due first.
pub(super) fn due(
    connection: &Connection,
    recent: &Recent<DocumentsTable>,
    kind: DocumentKind,
    now: UnixMs,
    limit: u32,
) -> Result<Vec<Document>, StoreError> {
    if !may_be_due(kind) {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT tenant, key FROM {} WHERE due_at <= ?1 ORDER BY due_at, tenant, key LIMIT ?2",
        table(kind)
    );
    let columns = |row: &Row<'_>| {
        Ok(DocumentKey {
            kind,
            tenant: TenantId(row.get(0)?),
            key: row.get(1)?,
        })
    };
    let keys = all(connection, &sql, (now.0, limit), columns, Ok)?;
    let found = late_documents::of_keys(connection, recent, &keys)?;
    Ok(found.into_iter().flatten().collect())
}
