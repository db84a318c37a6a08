//! Documents as the writer loads and changes them. Those that are in use are known without looking.

use super::{
    from_sqlite,
    indexes::InStep,
    kept::Recent,
    late_documents::{DocumentsTable, LateDocuments, Stored, is_known, is_late},
    late_log::LateLog,
    loyalty::{constraint, in_the_way},
    queries::all,
    statements::Statements,
    voucher::execute,
};
use crate::{
    contract::StoreError,
    flat::{FlatDocument, body, own, own_column, table},
};
use domain::loyalty::document::{Document, DocumentKey, DocumentKind};
use rusqlite::{Connection, Params, Row, ffi, params};

/// Where a document lies, and its row's own column as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub row: i64,
    pub own: Option<i64>,
}

/// The documents that the writer loads and writes.
pub(super) struct Documents {
    /// The bodies of cards and terminals enter their tables late, those of others at once.
    late: LateDocuments,
}

impl Documents {
    pub(super) fn open(
        connection: &Connection,
        recent: &Recent<DocumentsTable>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            late: LateLog::open(connection, recent)?,
        })
    }

    /// The document with `key`.
    pub(super) fn find(
        &mut self,
        statements: &Statements<'_>,
        key: &DocumentKey,
    ) -> Result<Option<Stored>, StoreError> {
        if is_known(key.kind) {
            return self.late.find(statements, key);
        }
        find(statements, key)
    }

    /// Notes what the open transaction did to a table.
    fn entered(&mut self, key: DocumentKey, document: Option<Stored>) {
        if is_known(key.kind) {
            self.late.entered(key, document);
        }
    }

    /// Overwrites a document.
    pub(super) fn overwrite(
        &mut self,
        statements: &Statements<'_>,
        document: Document,
    ) -> Result<(), StoreError> {
        let key = document.key();
        let missing = || {
            let text = format!("{} {} is not there", table(key.kind), key.key);
            StoreError::Corrupt(text)
        };
        let before = self.find(statements, &key)?.ok_or_else(missing)?;
        let (own, place) = (own(&document), before.place);
        put_own(statements, key.kind, place, own)?;
        let stored = Stored::new(document, Place { own, ..place });
        if is_late(key.kind) {
            return self.late.put(statements, key, Some(&before), stored);
        }
        put(statements, key.kind, place, body(&stored.document)?)?;
        self.entered(key, Some(stored));
        Ok(())
    }

    /// Adds a document.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        document: Document,
    ) -> Result<(), StoreError> {
        let key = document.key();
        let (flat, table) = (FlatDocument::of(&document)?, table(key.kind));
        let body = padded(flat.body, STEP);
        let added = match own_column(key.kind) {
            Some(own) => {
                let sql = format!(
                    "INSERT INTO {table} (tenant, key, body, {own}) VALUES (?1, ?2, ?3, ?4)"
                );
                insert(
                    connection,
                    &sql,
                    params![flat.tenant, flat.key, body, flat.own],
                )
            }
            None => {
                let sql = format!("INSERT INTO {table} (tenant, key, body) VALUES (?1, ?2, ?3)");
                insert(connection, &sql, params![flat.tenant, flat.key, body])
            }
        };
        let row = added.map_err(|error| match constraint(&error) {
            Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => in_the_way(&error),
            // A store's or partner's number, or a terminal's index, that another has.
            _ => from_sqlite(error),
        })?;
        let place = Place { row, own: flat.own };
        let stored = Stored::new(document, place);
        self.entered(key, Some(stored));
        Ok(())
    }

    /// Removes a document.
    pub(super) fn remove(
        &mut self,
        connection: &Connection,
        key: &DocumentKey,
    ) -> Result<(), StoreError> {
        if is_late(key.kind) {
            self.late.forget(key.clone())?;
        } else {
            self.entered(key.clone(), None);
        }
        let sql = format!(
            "DELETE FROM {} WHERE tenant = ?1 AND key = ?2",
            table(key.kind)
        );
        let mut remove = connection.prepare_cached(&sql).map_err(from_sqlite)?;
        let removed = remove.execute((key.tenant.0, &key.key));
        removed.map(drop).map_err(from_sqlite)
    }

    #[cfg(test)]
    pub(super) const fn late(&mut self) -> &mut LateDocuments {
        &mut self.late
    }
}

/// Inserts a row; returns its number.
fn insert(connection: &Connection, sql: &str, values: impl Params) -> rusqlite::Result<i64> {
    connection.prepare_cached(sql)?.insert(values)
}

impl InStep for Documents {
    fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.late.resolve(connection)
    }

    fn move_on(&mut self, statements: &Statements<'_>) -> Result<(), StoreError> {
        self.late.move_on(statements)
    }

    fn committed(&mut self) {
        self.late.committed();
    }

    fn taken_back(&mut self) {
        self.late.taken_back();
    }

    fn doubt(&mut self) {
        self.late.doubt();
    }
}

/// The document with `key` as its table has it, and its row.
pub(super) fn find(
    connection: &Connection,
    key: &DocumentKey,
) -> Result<Option<Stored>, StoreError> {
    let Some((body, place)) = find_body(connection, key)? else {
        return Ok(None);
    };
    let document = FlatDocument::read(key.kind, key.tenant.0, key.key.clone(), &body)?;
    Ok(Some(Stored::new(document, place)))
}

/// The body of the document with `key` as its table has it, and its row.
pub(super) fn find_body(
    connection: &Connection,
    key: &DocumentKey,
) -> Result<Option<(String, Place)>, StoreError> {
    let table = table(key.kind);
    let own = own_column(key.kind).unwrap_or("NULL");
    let sql = format!("SELECT body, rowid, {own} FROM {table} WHERE tenant = ?1 AND key = ?2");
    let columns = |row: &Row<'_>| {
        let place = Place {
            row: row.get(1)?,
            own: row.get(2)?,
        };
        Ok((row.get(0)?, place))
    };
    let found = all(connection, &sql, (key.tenant.0, &key.key), columns, Ok)?;
    Ok(found.into_iter().next())
}

/// Overwrites the body of a row.
pub(super) fn put(
    connection: &Connection,
    kind: DocumentKind,
    place: Place,
    body: String,
) -> Result<(), StoreError> {
    let sql = format!("UPDATE {} SET body = ?2 WHERE rowid = ?1", table(kind));
    must_be_one(
        &sql,
        execute(connection, &sql, (place.row, padded(body, 0)))?,
    )
}

/// Sets the column that a row is found by, if that is another now.
pub(super) fn put_own(
    connection: &Connection,
    kind: DocumentKind,
    place: Place,
    own: Option<i64>,
) -> Result<(), StoreError> {
    match own_column(kind) {
        // Seldom: a column that is only named would be taken out of its index and put back.
        Some(column) if own != place.own => {
            let sql = format!("UPDATE {} SET {column} = ?2 WHERE rowid = ?1", table(kind));
            must_be_one(&sql, execute(connection, &sql, (place.row, own))?)
        }
        Some(_) | None => Ok(()),
    }
}

fn must_be_one(sql: &str, changed: usize) -> Result<(), StoreError> {
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Corrupt(format!("{changed} rows: {sql}"))),
    }
}

/// Bodies are so many bytes or a multiple of it.
pub(super) const STEP: usize = 256;

/// A body with blanks behind it, which JSON does not mind: room for `room` bytes more and up to the
/// next multiple of [`STEP`]. A row that grows in a full page has its neighbours' pages written too,
/// and an imported table is full of full pages; one that stays as long as it was is written in place.
pub(super) fn padded(mut body: String, room: usize) -> String {
    let len = (body.len() + room).next_multiple_of(STEP);
    body.extend(std::iter::repeat_n(' ', len - body.len()));
    body
}
