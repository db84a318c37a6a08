//! Tables that are filled late (see `late_table`), where a row may change again before it enters.
//!
//! Each change of a row is logged, with its whole new content or a part of it that is all in which it differs;
//! a transaction appends one row to the log, which holds all that it changes, one behind the other: a change may
//! leave out what the one before it in its row says ([`Logged::Said`]). What counts is the last whole
//! content that the log has of a key, or without one the row in the table, and the last such part since. Rows
//! leave the log in the order of their numbers, once the table is complete up to them: by then it has for
//! each key what the log said up to there or newer, also where the key has changed again since.

use super::{
    from_sqlite,
    indexes::InStep,
    kept::Recent,
    late_table::{ByKey, Late, LateTable},
    statements::Statements,
    voucher::execute,
};
use crate::contract::StoreError;
use rusqlite::{Connection, params};
use std::ops::RangeBounds;

/// A table whose changes are logged.
pub(super) trait Logged: LateTable {
    /// The log's name. Its rows are numbered by the last change that they hold.
    const LOG: &'static str;

    /// How many changes in the log weigh as much as a row in memory. More of them spare writes to the table
    /// where few rows change often, and are read back at start.
    const CHANGES_A_ROW: i64;

    /// What a change need not say since the one before it in its row of the log did.
    type Said: Default;

    /// Writes what became of the row that has `key` and was `before`, nothing if it was removed.
    fn write(
        key: &Self::Key,
        before: Option<&Self::Row>,
        row: Option<&Self::Row>,
        said: &mut Self::Said,
        text: &mut String,
    ) -> Result<(), StoreError>;
}

/// The writer's side.
pub(super) struct LateLog<T: Logged> {
    late: Late<T>,
    /// What the open transaction changes.
    changes: String,
    /// One of these changes, while it is written.
    change: String,
    /// What the last of them said.
    said: T::Said,
}

impl<T: Logged> LateLog<T> {
    /// As [`Late::open`].
    pub(super) fn open(connection: &Connection, recent: &Recent<T>) -> Result<Self, StoreError> {
        Ok(Self {
            late: Late::open(connection, recent)?,
            changes: String::new(),
            change: String::new(),
            said: T::Said::default(),
        })
    }

    #[cfg(test)]
    pub(super) const fn late(&mut self) -> &mut Late<T> {
        &mut self.late
    }

    /// As [`Late::find`].
    pub(super) fn find(
        &mut self,
        statements: &Statements<'_>,
        key: &T::Key,
    ) -> Result<Option<T::Row>, StoreError> {
        self.late.find(statements, key)
    }

    /// As [`Late::range`].
    pub(super) fn range(&self, range: impl RangeBounds<T::Key> + Clone) -> ByKey<T> {
        self.late.range(range)
    }

    /// The open transaction adds a row, or overwrites the one that was there before.
    pub(super) fn put(
        &mut self,
        statements: &Statements<'_>,
        key: T::Key,
        before: Option<&T::Row>,
        row: T::Row,
    ) -> Result<(), StoreError> {
        self.log(&key, before, Some(&row))?;
        let number = self.late.newest() + 1;
        self.late.add_row(statements, key, row, number)
    }

    /// The open transaction removes a row, which its caller removes from the table.
    pub(super) fn forget(&mut self, key: T::Key) -> Result<(), StoreError> {
        self.log(&key, None, None)?;
        let number = self.late.newest() + 1;
        self.late.forget(key, number);
        Ok(())
    }

    /// As [`Late::entered`].
    pub(super) fn entered(&mut self, key: T::Key, row: Option<T::Row>) {
        self.late.entered(key, row);
    }

    /// Begins a row of the log.
    fn begin(&mut self) {
        self.changes.clear();
        self.said = T::Said::default();
    }

    fn log(
        &mut self,
        key: &T::Key,
        before: Option<&T::Row>,
        row: Option<&T::Row>,
    ) -> Result<(), StoreError> {
        self.change.clear();
        T::write(key, before, row, &mut self.said, &mut self.change)?;
        let mut len = itoa::Buffer::new();
        for part in [len.format(self.change.len()), " ", &self.change] {
            self.changes.push_str(part);
        }
        Ok(())
    }
}

impl<T: Logged> InStep for LateLog<T> {
    /// Logs what the open transaction changes, and moves rows.
    fn move_on(&mut self, statements: &Statements<'_>) -> Result<(), StoreError> {
        if !self.changes.is_empty() {
            let sql = format!("INSERT INTO {} (number, changes) VALUES (?1, ?2)", T::LOG);
            let values = params![self.late.newest(), self.changes];
            execute(statements, &sql, values)?;
            self.begin();
        }
        self.late.move_on(statements)
    }

    fn committed(&mut self) {
        self.late.committed();
    }

    fn taken_back(&mut self) {
        self.begin();
        self.late.taken_back();
    }

    fn doubt(&mut self) {
        self.late.doubt();
    }

    fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.late.resolve(connection)
    }
}

/// The settled number of a log and the newest one.
pub(super) fn ends<T: Logged>(connection: &Connection) -> Result<(i64, i64), StoreError> {
    let log = T::LOG;
    let sql = format!("SELECT coalesce(min(number) - 1, 0), coalesce(max(number), 0) FROM {log}");
    let ends = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    ends.map_err(from_sqlite)
}

/// Each change that a log holds, oldest first.
pub(super) fn each<T: Logged>(
    connection: &Connection,
    mut read: impl FnMut(&mut T::Said, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let sql = format!("SELECT changes FROM {} ORDER BY number", T::LOG);
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    let mut rows = statement.query([]).map_err(from_sqlite)?;
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let changes = row.get_ref(0).map_err(from_sqlite)?;
        let mut left = changes.as_str().map_err(|_| unread::<T>())?;
        let mut said = T::Said::default();
        while !left.is_empty() {
            let (text, rest) = first(left).ok_or_else(unread::<T>)?;
            read(&mut said, text)?;
            left = rest;
        }
    }
    Ok(())
}

/// The first change of a row, and the others.
fn first(changes: &str) -> Option<(&str, &str)> {
    let (len, rest) = changes.split_once(' ')?;
    rest.split_at_checked(len.parse().ok()?)
}

/// A change that cannot be read.
pub(super) fn unread<T: Logged>() -> StoreError {
    StoreError::Corrupt(format!("a row of {} cannot be read", T::LOG))
}

/// Removes the changes up to about `changes` behind the settled one, none above `complete`; returns the
/// settled number.
pub(super) fn settle<T: Logged>(
    connection: &Connection,
    settled: i64,
    complete: i64,
    changes: usize,
) -> Result<i64, StoreError> {
    let changes = i64::try_from(changes).unwrap_or(i64::MAX);
    let settled = complete.min(settled.saturating_add(changes));
    let sql = format!("DELETE FROM {} WHERE number <= ?1", T::LOG);
    execute(connection, &sql, [settled])?;
    Ok(settled)
}

/// How many rows in memory a log weighs as much as behind the number up to which its table is complete: what
/// lies before only waits to be cut off.
pub(super) fn weight<T: Logged>(complete: i64, newest: i64) -> usize {
    usize::try_from((newest - complete) / T::CHANGES_A_ROW).unwrap_or(0)
}
