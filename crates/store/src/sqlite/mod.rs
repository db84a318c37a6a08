//! The embedded store: one SQLite file, one connection that writes on a thread of its own, a few
//! that read their own snapshots. Write-ahead log, synchronous = FULL: a commit that returned is
//! on disk.
//!
//! | module | holds |
//! |---|---|
//! | `writer`, `admin` | a batch, and provisioning |
//! | `wal`, `copier` | the log: commits, checkpoints, and what a failed sync means |
//! | `late_table`, `late_log`, `indexes` | tables whose keys come in no order are filled late |
//! | `kept` | the rows that such a table may not have yet |
//! | `known` | what the writer knows of such a table without looking |
//! | `filter` | which keys such a table surely lacks |
//! | `statements` | the statements that a batch runs, each looked up once |
//! | `late_index`, `claims`, `event_keys` | which payment has a claim, and which event a place or number |
//! | `code_uses` | what tills did with voucher codes |
//! | `loyalty`, `documents`, `late_documents` | cards, terminals and their events, and other documents |
//! | `voucher`, `stock` | what happened to voucher codes, and the codes themselves |
//! | `reader`, `voucher_reader`, `snapshot`, `queries`, `rows` | looking at rows |
//! | `backup` | a copy of it all |
//! | `looks` | which threads look |

mod admin;
mod backup;
mod claims;
mod code_uses;
mod copier;
mod documents;
mod event_keys;
mod filter;
mod indexes;
mod kept;
mod known;
mod late_documents;
mod late_index;
mod late_log;
mod late_table;
mod looks;
mod loyalty;
mod queries;
mod reader;
mod rows;
mod snapshot;
mod statements;
mod stock;
#[cfg(test)]
mod tests;
mod voucher;
mod voucher_reader;
mod wal;
mod writer;

pub use reader::SqliteReader;
pub use writer::SqliteWriter;

use crate::contract::StoreError;
use code_uses::UsesTable;
use domain::ids::ClaimKey;
use event_keys::EventKey;
use kept::Recent;
use late_documents::DocumentsTable;
use looks::Looks;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// The schema's steps, oldest first; a store's `user_version` says how many it has taken.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_payments", include_str!("0001_payments.sql")),
    ("0002_claims", include_str!("0002_claims.sql")),
    ("0003_loyalty", include_str!("0003_loyalty.sql")),
    ("0004_vouchers", include_str!("0004_vouchers.sql")),
    ("0005_trans_keys", include_str!("0005_trans_keys.sql")),
    ("0006_code_chains", include_str!("0006_code_chains.sql")),
    ("0007_code_use_log", include_str!("0007_code_use_log.sql")),
    ("0008_late_logs", include_str!("0008_late_logs.sql")),
    ("0009_running_parts", include_str!("0009_running_parts.sql")),
    ("0010_short_texts", include_str!("0010_short_texts.sql")),
    ("0011_digest_leads", include_str!("0011_digest_leads.sql")),
    ("0012_kept_events", include_str!("0012_kept_events.sql")),
    ("0013_short_use_log", include_str!("0013_short_use_log.sql")),
];

/// Pages the writer's connection keeps in memory, in KiB (negative in SQLite's own words). More
/// makes commits slower: as long as the file is below 1 GiB, SQLite walks the whole cache after
/// each transaction that spread rows over neighbouring pages.
const WRITER_CACHE_KIB: i64 = 4 * 1024;
const READER_CACHE_KIB: i64 = 4 * 1024;
/// How much of the file the writer reads where the system keeps it in memory, instead of copying each page: as
/// much as SQLite allows. What it looks up of cards and voucher codes lies on pages that come in no order, more
/// than any cache of its own holds. A disk that fails to read such a page ends the process, as a power cut
/// would. It counts as memory of the process, and the system takes it back when it is needed.
const WRITER_MAPS_BYTES: i64 = 0x7FFF_0000;
/// How long a connection waits for another process's lock, in milliseconds. No other gateway can
/// hold one, so this is somebody's shell, and all payments wait.
const BUSY_MS: i64 = 2_000;
/// What a log that a long reader let grow is cut down to, once it begins anew.
const LOG_BYTES_MAX: i64 = 64 << 20;

/// An SQLite file. Clones share its readers' connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    path: PathBuf,
    shared: Arc<Shared>,
}

/// What the writer and the readers of a store know of each other.
#[derive(Debug, Default)]
struct Shared {
    /// The claims that the writer keeps in memory.
    claims: Recent<ClaimKey>,
    /// The places and numbers of events that it keeps there.
    event_keys: Recent<EventKey>,
    /// The rows of codes that it keeps there.
    uses: Recent<UsesTable>,
    /// The cards and terminals that it keeps there.
    documents: Recent<DocumentsTable>,
    /// Whether a transaction that nobody sees may be found by a recovery: see `wal`.
    is_in_doubt: AtomicBool,
    /// Whether all connections are about to be closed.
    is_closing: AtomicBool,
    /// Held while a reader looks, and alone by whoever must close all connections.
    looking: RwLock<()>,
    /// Readers' connections that nobody uses.
    idle: Mutex<Vec<Connection>>,
    /// Looks that wait.
    looks: Looks,
    /// The file itself, to sync it. The last field, and never closed while a connection lives:
    /// closing it takes away the locks that this process has on the file, whoever holds them.
    file: Mutex<Option<Arc<File>>>,
}

impl Shared {
    fn set_in_doubt(&self, is_in_doubt: bool) {
        self.is_in_doubt.store(is_in_doubt, Ordering::Release);
    }

    fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::Acquire)
    }

    fn close_idle(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.clear();
    }
}

/// Where the file `path` really lies: SQLite follows links, and keeps its log beside the target.
///
/// # Errors
/// When the directory it lies in cannot be looked at.
pub fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    if path.exists() {
        return path.canonicalize();
    }
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize()?;
    Ok(path
        .file_name()
        .map_or(parent.clone(), |name| parent.join(name)))
}

impl SqliteStore {
    fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            shared: Arc::default(),
        }
    }

    /// The store in the file `path`, created when missing, brought to the newest schema. Nobody
    /// else may be writing to it.
    ///
    /// # Errors
    /// When the file cannot be opened, or was written by a newer version of this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = resolved(path).map_err(|error| {
            let text = format!("{}: {error}", path.display());
            StoreError::Down(text)
        })?;
        wal::rewrite(&path)?;
        let store = Self::at(&path);
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
        Ok(Self::at(path))
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

    /// The one connection that writes; a store has one at a time.
    ///
    /// # Errors
    /// When it cannot be opened or is not durable.
    pub fn writer(&self) -> Result<SqliteWriter, StoreError> {
        let mut connection = self.connect_to_write()?;
        check_durability(&connection)?;
        let wal = wal::Wal::of(self.clone(), &mut connection)?;
        let indexes = indexes::Indexes::open(&connection, &self.shared)?;
        Ok(SqliteWriter::new(connection, wal, indexes))
    }

    /// A pool of connections that read.
    #[must_use]
    pub fn reader(&self) -> SqliteReader {
        SqliteReader::new(self.clone())
    }

    /// The rows of codes that the writer keeps in memory.
    fn recent_uses(&self) -> &Recent<UsesTable> {
        &self.shared.uses
    }

    /// The file itself.
    fn file(&self) -> std::io::Result<Arc<File>> {
        let known = self.shared.file.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*known {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(&self.path)?);
        *known = Some(Arc::clone(&file));
        Ok(file)
    }

    fn connect_to_write(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open(&self.path).map_err(from_sqlite)?;
        // SQLite opens what it may not write to read it, and says so only later.
        if connection.is_readonly("main").map_err(from_sqlite)? {
            let text = "may only be read: see its permissions, and whether its file system is \
                mounted read-only";
            return Err(StoreError::Down(format!("{} {text}", self.path.display())));
        }
        configure(&connection, WRITER_CACHE_KIB)?;
        connection
            .pragma_update_and_check(None, "mmap_size", WRITER_MAPS_BYTES, |_| Ok(()))
            .map_err(from_sqlite)?;
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
    set("journal_size_limit", &LOG_BYTES_MAX)?;
    set("wal_autocheckpoint", &0)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(from_sqlite)?;
    // Without it SQLite prepares a statement with `LIMIT ?` anew for each value that is bound.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(from_sqlite)?;
    connection.set_prepared_statement_cache_capacity(128);
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
        // It was waited for already, and is no fault of the batch.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Down(format!("another process holds the store's lock: {text}"))
        }
        // SQLite's own name for a read that the disk refused is the same.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(format!(
            "{text}, or the disk cannot be read: see the system's log"
        )),
        _ => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => StoreError::Corrupt(text),
            _ => StoreError::Down(text),
        },
    }
}
