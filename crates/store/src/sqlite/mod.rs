//! The embedded store: one SQLite file, one connection that writes on a thread of its own, a few
//! that read their own snapshots. Write-ahead log, synchronous = FULL: a commit that returned is
//! on disk.

mod admin;
mod queries;
mod reader;
mod rows;
mod writer;

pub use reader::SqliteReader;
pub use writer::SqliteWriter;

use crate::contract::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};

/// The schema's steps, oldest first; a store's `user_version` says how many it has taken.
const MIGRATIONS: &[(&str, &str)] = &[("0001_payments", include_str!("0001_payments.sql"))];

/// Pages the writer's connection keeps in memory, in KiB (negative in SQLite's own words). More
/// makes each commit slower, since it walks the cache.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
const READER_CACHE_KIB: i64 = 4 * 1024;
/// How long a connection waits for another process's lock, in milliseconds.
const BUSY_MS: i64 = 5_000;

/// An SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    path: PathBuf,
}

impl SqliteStore {
    /// The store in the file `path`, created when missing, brought to the newest schema.
    ///
    /// # Errors
    /// When the file cannot be opened, or was written by a newer version of this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Self {
            path: path.to_owned(),
        };
        store.migrate()?;
        Ok(store)
    }

    /// The store in an existing file, as it is.
    ///
    /// # Errors
    /// When the file does not exist.
    pub fn open_existing(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Down(format!(
                "{} does not exist",
                path.display()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// The schema steps still to be taken, by name.
    ///
    /// # Errors
    /// When the file cannot be read, or was written by a newer version of this program.
    pub fn pending_migrations(&self) -> Result<Vec<&'static str>, StoreError> {
        let connection = self.connect_to_write()?;
        let taken = schema_version(&connection)?;
        Ok(MIGRATIONS
            .iter()
            .skip(taken)
            .map(|(name, _)| *name)
            .collect())
    }

    /// Takes the schema steps that are missing, each in a transaction of its own.
    ///
    /// # Errors
    /// When the file cannot be written, or was written by a newer version of this program.
    pub fn migrate(&self) -> Result<(), StoreError> {
        let connection = self.connect_to_write()?;
        for (step, (_, sql)) in MIGRATIONS
            .iter()
            .enumerate()
            .skip(schema_version(&connection)?)
        {
            let next = step + 1;
            let sql = format!("BEGIN IMMEDIATE; {sql} PRAGMA user_version = {next}; COMMIT;");
            connection.execute_batch(&sql).map_err(from_sqlite)?;
        }
        Ok(())
    }

    /// The one connection that writes.
    ///
    /// # Errors
    /// When it cannot be opened or is not durable.
    pub fn writer(&self) -> Result<SqliteWriter, StoreError> {
        let connection = self.connect_to_write()?;
        check_durability(&connection)?;
        Ok(SqliteWriter::new(connection))
    }

    /// A pool of connections that read.
    #[must_use]
    pub fn reader(&self) -> SqliteReader {
        SqliteReader::new(self.clone())
    }

    fn connect_to_write(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open(&self.path).map_err(from_sqlite)?;
        configure(&connection, WRITER_CACHE_KIB)?;
        Ok(connection)
    }

    fn connect_to_read(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(from_sqlite)?;
        configure(&connection, READER_CACHE_KIB)?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(from_sqlite)?;
        Ok(connection)
    }
}

fn configure(connection: &Connection, cache_kib: i64) -> Result<(), StoreError> {
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        connection
            .pragma_update(None, name, value)
            .map_err(from_sqlite)
    };
    set("busy_timeout", &BUSY_MS)?;
    set("journal_mode", &"WAL")?;
    set("synchronous", &"FULL")?;
    set("foreign_keys", &true)?;
    set("cache_size", &-cache_kib)?;
    set("temp_store", &"MEMORY")?;
    set("wal_autocheckpoint", &writer::CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// The settings that decide whether a commit survives a power cut, as SQLite reports them.
fn check_durability(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let journal: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(from_sqlite)?;
    let synchronous: i64 = connection
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .map_err(from_sqlite)?;
    if journal != "wal" || synchronous < 2 {
        let text = format!("journal_mode = {journal}, synchronous = {synchronous}; 2 is needed");
        return Err(StoreError::Refused(text));
    }
    Ok(vec![
        format!("journal_mode = {journal}"),
        format!("synchronous = {synchronous} (FULL)"),
    ])
}

fn schema_version(connection: &Connection) -> Result<usize, StoreError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(from_sqlite)?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        let text = format!("the file has schema {version}, newer than this program");
        return Err(StoreError::Refused(text));
    }
    Ok(version)
}

/// What an SQLite failure means for the transaction it happened in.
#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other failure is the store being down"
)]
pub(crate) fn from_sqlite(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(text),
        Some(ErrorCode::ConstraintViolation) => StoreError::Refused(text),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Conflict(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        _ => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => StoreError::Corrupt(text),
            _ => StoreError::Down(text),
        },
    }
}
