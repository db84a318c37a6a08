//! Indexes that are filled late: which row has a key, and that no two have the same one.
//!
//! The rows themselves append; only their keys are in the way of a cheap commit (see `late_table`). A
//! row holds its own keys, and their number is its serial.

#[cfg(test)]
mod tests;

use super::{
    from_sqlite,
    kept::{Recall, Recent},
    late_table::{ByKey, KeysBehind, Late, LateTable, ReadBack, Sought},
    statements::Statements,
};
use crate::contract::StoreError;
use domain::ids::Serial;
use rusqlite::{Connection, Row, Statement};
use std::{fmt::Debug, hash::Hash};

/// What rows are found by. Where a statement takes a key, its columns are the first parameters.
pub(super) trait LateKey: Copy + Ord + Hash + Debug + Send + Sync + 'static {
    /// How messages call it.
    const NAME: &'static str;
    /// The settled serial.
    const SETTLED: &'static str;
    /// Sets the settled serial to `?1`.
    const SETTLE: &'static str;
    /// The serial that has a key in the table.
    const FIND: &'static str;
    /// Enters a key with a serial, the parameter behind it, unless the key is there.
    const PUT: &'static str;
    /// The serial that has a key among the rows above the settled one.
    const FIND_ABOVE: &'static str;
    /// The serial and the keys of each row above `?1`, by serial.
    const ABOVE: &'static str;

    /// As [`LateTable::KEYS`].
    const KEYS: Option<KeysBehind<Self>> = None;
    /// As [`LateTable::MOVED_AT_ONCE`].
    const MOVED_AT_ONCE: usize = 1;

    /// Binds its columns, and says which parameter is next.
    fn bind(self, statement: &mut Statement<'_>) -> rusqlite::Result<usize>;

    /// What the table has for a key; for keys that ascend, up to where it has nothing.
    fn seek(self, statements: &Statements<'_>) -> Result<Sought<Self>, StoreError> {
        let found = Self::find(statements, &self)?;
        Ok(found.map_or(Sought::Nothing, Sought::Row))
    }

    /// Reads it behind the serial of a row of [`LateKey::ABOVE`].
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
}

/// The writer's side.
pub(super) type LateIndex<K> = Late<K>;

impl<K: LateKey> LateIndex<K> {
    /// Notes that the open transaction records the row `serial` with `key`, which [`Late::find`] did
    /// not find.
    pub(super) fn add(
        &mut self,
        statements: &Statements<'_>,
        key: K,
        serial: Serial,
    ) -> Result<(), StoreError> {
        self.add_row(statements, key, serial, serial.0)
    }
}

impl<K: LateKey> LateTable for K {
    type Key = Self;
    type Row = Serial;

    const KEYS: Option<KeysBehind<Self>> = <Self as LateKey>::KEYS;
    const MOVED_AT_ONCE: usize = <Self as LateKey>::MOVED_AT_ONCE;

    fn find(statements: &Statements<'_>, key: &Self) -> Result<Option<Serial>, StoreError> {
        find_by(statements, K::FIND, *key)
    }

    fn seek(statements: &Statements<'_>, key: &Self) -> Result<Sought<Self>, StoreError> {
        LateKey::seek(*key, statements)
    }

    fn put(statements: &Statements<'_>, key: &Self, serial: &Serial) -> Result<(), StoreError> {
        let put = statements.with(K::PUT, |statement| {
            let next = key.bind(statement)?;
            statement.raw_bind_parameter(next, serial.0)?;
            statement.raw_execute()
        });
        if put.map_err(from_sqlite)? == 1 {
            return Ok(());
        }
        match K::find(statements, key)? {
            Some(there) if there == *serial => Ok(()),
            there => Err(shared::<K>(there.unwrap_or(*serial), *serial)),
        }
    }

    fn read_back(connection: &Connection) -> Result<ReadBack<Self>, StoreError> {
        let settled = connection.query_row(K::SETTLED, [], |row| row.get(0));
        let settled = settled.map_err(from_sqlite)?;
        let mut newest = Serial(settled);
        let mut rows = ByKey::<Self>::new();
        let mut statement = connection.prepare_cached(K::ABOVE).map_err(from_sqlite)?;
        let mut above = statement.query([settled]).map_err(from_sqlite)?;
        while let Some(row) = above.next().map_err(from_sqlite)? {
            newest = Serial(row.get(0).map_err(from_sqlite)?);
            let key = K::read(row).map_err(from_sqlite)?;
            if let Some(other) = rows.insert(key, newest) {
                return Err(shared::<K>(other, newest));
            }
        }
        Ok(ReadBack {
            rows,
            settled,
            newest: newest.0,
        })
    }

    fn settle(
        connection: &Connection,
        _settled: i64,
        complete: i64,
        _rows: usize,
    ) -> Result<i64, StoreError> {
        let settle = connection.prepare_cached(K::SETTLE);
        settle
            .and_then(|mut it| it.execute([complete]))
            .map_err(from_sqlite)?;
        Ok(complete)
    }
}

/// The row that has `key`. The memory is asked before the table: a key leaves the one after it has
/// entered the other.
pub(super) fn serial_of<K: LateKey>(
    connection: &Connection,
    recent: &Recent<K>,
    key: K,
) -> Result<Option<Serial>, StoreError> {
    let is_kept = match recent.recall(&key) {
        Recall::Row(serial) => return Ok(Some(serial)),
        Recall::Settled => true,
        Recall::Unkept => false,
    };
    let statements = &Statements::new(connection);
    let there = K::find(statements, &key)?;
    if there.is_some() || is_kept {
        return Ok(there);
    }
    match find_by(statements, K::FIND_ABOVE, key)? {
        Some(serial) => Ok(Some(serial)),
        // It may have moved between the two looks.
        None => K::find(statements, &key),
    }
}

fn find_by<K: LateKey>(
    statements: &Statements<'_>,
    sql: &'static str,
    key: K,
) -> Result<Option<Serial>, StoreError> {
    let found = statements.with(sql, |statement| {
        key.bind(statement)?;
        let mut rows = statement.raw_query();
        rows.next()?.map(|row| row.get(0)).transpose()
    });
    let found: Option<i64> = found.map_err(from_sqlite)?;
    Ok(found.map(Serial))
}

fn shared<K: LateKey>(one: Serial, other: Serial) -> StoreError {
    let name = K::NAME;
    StoreError::Corrupt(format!("{one} and {other} have the same {name}"))
}
