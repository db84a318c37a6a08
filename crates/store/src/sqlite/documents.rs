//! Documents as the writer loads and overwrites them: each is looked up by its key once a batch, cards and
//! terminals seldom even that.

use super::{
    from_sqlite,
    indexes::InStep,
    late_documents::{DocumentsTable, LateDocuments, Stored, is_late},
    late_log::LateLog,
    late_table::Recent,
    queries::all,
    voucher::execute,
};
use crate::{
    contract::StoreError,
    flat::{FlatDocument, body, own, own_column, table},
};
use domain::loyalty::document::{Document, DocumentKey, DocumentKind};
use rusqlite::{Connection, Row};
use std::{collections::HashMap, sync::Arc};

/// Where a document lies, and its row's own column as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub row: i64,
    pub own: Option<i64>,
}

/// How many documents are known without looking; when there are more, all are forgotten.
const KNOWN_MAX: usize = 16 * 1024;

/// The documents that the writer loads and writes.
pub(super) struct Documents {
    /// Cards and terminals.
    late: LateDocuments,
    /// Some of them as they were committed last. Nobody but this writer changes them, so they need not
    /// be found and read again, whether they are in their tables by now or not.
    known: HashMap<DocumentKey, Stored>,
    /// Where the rows lie that the open transaction loaded.
    loaded: HashMap<DocumentKey, Place>,
    /// What the open transaction writes late.
    written: Vec<(DocumentKey, Stored)>,
}

impl Documents {
    pub(super) fn open(
        connection: &Connection,
        recent: &Recent<DocumentsTable>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            late: LateLog::open(connection, recent)?,
            known: HashMap::new(),
            loaded: HashMap::new(),
            written: Vec::new(),
        })
    }

    /// The document with `key`.
    pub(super) fn load(
        &mut self,
        connection: &Connection,
        key: &DocumentKey,
    ) -> Result<Option<Document>, StoreError> {
        let found = if is_late(key.kind) {
            let found = match self.known.get(key) {
                Some(known) => Some(Arc::clone(known)),
                None => self.late.find(connection, key)?,
            };
            found.map(Arc::unwrap_or_clone)
        } else {
            find(connection, key)?
        };
        Ok(found.map(|(document, place)| {
            self.loaded.insert(key.clone(), place);
            document
        }))
    }

    /// Overwrites a document that the open transaction loaded.
    pub(super) fn overwrite(
        &mut self,
        connection: &Connection,
        document: &Document,
    ) -> Result<(), StoreError> {
        let key = document.key();
        let missing = || {
            let text = format!("{} {} was not loaded", table(key.kind), key.key);
            StoreError::Corrupt(text)
        };
        let place = *self.loaded.get(&key).ok_or_else(missing)?;
        let own = own(document);
        put_own(connection, key.kind, place, own)?;
        if is_late(key.kind) {
            let stored = Arc::new((document.clone(), Place { own, ..place }));
            self.written.push((key.clone(), Arc::clone(&stored)));
            return self.late.put(connection, key, stored);
        }
        put(connection, key.kind, place, body(document)?)
    }

    /// Removes a document.
    pub(super) fn remove(
        &mut self,
        connection: &Connection,
        key: &DocumentKey,
    ) -> Result<(), StoreError> {
        if is_late(key.kind) {
            self.known.remove(key);
            self.late.forget(key.clone())?;
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

impl InStep for Documents {
    fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.late.resolve(connection)
    }

    fn move_on(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.late.move_on(connection)
    }

    fn committed(&mut self) {
        self.loaded.clear();
        if self.known.len() + self.written.len() > KNOWN_MAX {
            self.known.clear();
        }
        self.known.extend(self.written.drain(..));
        self.late.committed();
    }

    fn taken_back(&mut self) {
        self.loaded.clear();
        self.written.clear();
        self.late.taken_back();
    }

    fn doubt(&mut self) {
        self.known.clear();
        self.late.doubt();
    }
}

/// The document with `key` as its table has it, and its row.
pub(super) fn find(
    connection: &Connection,
    key: &DocumentKey,
) -> Result<Option<(Document, Place)>, StoreError> {
    let table = table(key.kind);
    let own = own_column(key.kind).unwrap_or("NULL");
    let sql = format!("SELECT body, rowid, {own} FROM {table} WHERE tenant = ?1 AND key = ?2");
    let columns = |row: &Row<'_>| {
        let place = Place {
            row: row.get(1)?,
            own: row.get(2)?,
        };
        Ok((row.get::<_, String>(0)?, place))
    };
    let tenant = key.tenant.0;
    let read = |(body, place): (String, Place)| {
        let document = FlatDocument::read(key.kind, tenant, key.key.clone(), &body)?;
        Ok((document, place))
    };
    let found = all(connection, &sql, (tenant, &key.key), columns, read)?;
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
