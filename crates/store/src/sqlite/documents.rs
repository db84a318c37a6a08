//! Documents as the writer loads and overwrites them: each is looked up by its key once a batch, and
//! terminals seldom even that.

use super::{from_sqlite, queries::all};
use crate::{
    contract::StoreError,
    flat::{FlatDocument, own_column, table},
};
use domain::loyalty::document::{Document, DocumentKey, DocumentKind};
use rusqlite::{Connection, Row, params};
use std::collections::HashMap;

/// How many terminals are kept in memory; when there are more, all are forgotten.
const TERMINALS_MAX: usize = 4_096;

/// What the writer knows of documents without looking.
#[derive(Default)]
pub(super) struct Documents {
    /// Terminals as they are stored. Each of a terminal's messages changes it, and nobody but this
    /// writer does, so it need not be found and read again.
    terminals: HashMap<DocumentKey, Stored>,
    /// Where the rows lie that the open transaction loaded.
    loaded: HashMap<DocumentKey, Place>,
    /// The terminals that the open transaction wrote.
    written: Vec<Stored>,
}

/// Where a document lies, and its row's own column as it is stored.
#[derive(Clone, Copy)]
struct Place {
    row: i64,
    own: Option<i64>,
}

struct Stored {
    document: Document,
    place: Place,
}

impl Documents {
    /// The document with `key`.
    pub(super) fn load(
        &mut self,
        connection: &Connection,
        key: &DocumentKey,
    ) -> Result<Option<Document>, StoreError> {
        let found = match self.terminals.get(key) {
            Some(known) => Some((known.document.clone(), known.place)),
            None => find(connection, key)?,
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
        let table = table(key.kind);
        let missing = || StoreError::Corrupt(format!("{table} {} was not loaded", key.key));
        let place = *self.loaded.get(&key).ok_or_else(missing)?;
        let flat = FlatDocument::of(document)?;
        let sql = format!("UPDATE {table} SET body = ?2 WHERE rowid = ?1");
        execute(connection, &sql, params![place.row, padded(flat.body, 0)])?;
        match own_column(key.kind) {
            // Seldom: a column that is only named would be taken out of its index and put back.
            Some(own) if flat.own != place.own => {
                let sql = format!("UPDATE {table} SET {own} = ?2 WHERE rowid = ?1");
                execute(connection, &sql, params![place.row, flat.own])?;
            }
            Some(_) | None => {}
        }
        if key.kind == DocumentKind::Terminal {
            let own = flat.own;
            self.written.push(Stored {
                document: document.clone(),
                place: Place { own, ..place },
            });
        }
        Ok(())
    }

    /// Removes a document.
    pub(super) fn remove(
        &mut self,
        connection: &Connection,
        key: &DocumentKey,
    ) -> Result<(), StoreError> {
        self.terminals.remove(key);
        let table = table(key.kind);
        let sql = format!("DELETE FROM {table} WHERE tenant = ?1 AND key = ?2");
        let mut remove = connection.prepare_cached(&sql).map_err(from_sqlite)?;
        let removed = remove.execute((key.tenant.0, &key.key));
        removed.map(drop).map_err(from_sqlite)
    }

    /// The open transaction is on disk.
    pub(super) fn committed(&mut self) {
        self.loaded.clear();
        if self.terminals.len() + self.written.len() > TERMINALS_MAX {
            self.terminals.clear();
        }
        let written = self.written.drain(..);
        let written = written.map(|it| (it.document.key(), it));
        self.terminals.extend(written);
    }

    /// The open transaction is taken back.
    pub(super) fn taken_back(&mut self) {
        self.loaded.clear();
        self.written.clear();
    }

    /// Nobody knows what is stored.
    pub(super) fn doubt(&mut self) {
        self.taken_back();
        self.terminals.clear();
    }
}

fn find(
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
    let found = all(
        connection,
        &sql,
        (tenant, &key.key),
        columns,
        |(body, place)| {
            let document = FlatDocument::read(key.kind, tenant, key.key.clone(), &body)?;
            Ok((document, place))
        },
    )?;
    Ok(found.into_iter().next())
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

/// Changes the one row that was found.
fn execute(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    match statement.execute(values).map_err(from_sqlite)? {
        1 => Ok(()),
        changed => Err(StoreError::Corrupt(format!("{changed} rows: {sql}"))),
    }
}
