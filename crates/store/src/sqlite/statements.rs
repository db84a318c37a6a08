//! The connection that writes, while a batch has it.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, Statement};
use std::{cell::RefCell, ops::Deref, ptr};

/// A connection with the statements that the batch has run so far.
///
/// The connection keeps prepared statements by their texts. A batch runs few of them, many times each, and
/// looking one up costs as much as running a short one: so it holds them by where their texts lie.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    held: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Statements<'c> {
    pub(super) const fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            held: RefCell::new(Vec::new()),
        }
    }

    /// Uses the statement with this text.
    pub(super) fn with<T>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut Statement<'c>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let held = self.take(sql);
        let mut statement = match held {
            Some(statement) => statement,
            None => self.connection.prepare_cached(sql)?,
        };
        let result = work(&mut statement);
        self.held.borrow_mut().push((sql, statement));
        result
    }

    /// A statement that is in use is not there: who wants it meanwhile gets another.
    fn take(&self, sql: &'static str) -> Option<CachedStatement<'c>> {
        let mut held = self.held.borrow_mut();
        // What was used last is wanted first.
        let at = held.iter().rposition(|(text, _)| ptr::eq(*text, sql))?;
        Some(held.swap_remove(at).1)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) fn execute(
        &self,
        sql: &'static str,
        values: impl Params,
    ) -> rusqlite::Result<usize> {
        self.with(sql, |statement| statement.execute(values))
    }

    /// The row that a statement finds, if it finds one.
    pub(super) fn find<T>(
        &self,
        sql: &'static str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.with(sql, |statement| {
            statement.query_row(values, read).optional()
        })
    }
}

impl Deref for Statements<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
