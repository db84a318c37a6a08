//! Where the rows of a run live.

use std::{path::Path, sync::Arc};
use store::{
    Reader, StoreError, Writer,
    memory::Memory,
    sqlite::{SqliteStore, SqliteWriter},
};

/// A store that outlives the processes over it. Tests give ones that break their word.
pub trait Rows: Send + Sync + 'static {
    /// What writes to it.
    type Writer: Writer;
    /// How many processes may write to it at the same time.
    const PROCESSES_MAX: u64;

    /// Opens it for another process to write.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn writer(&self) -> Result<Self::Writer, StoreError>;

    /// Opens it for another process to read.
    fn reader(&self) -> Arc<dyn Reader>;
}

/// Rows in memory.
#[derive(Clone, Default)]
pub struct MemoryRows(pub Memory);

impl Rows for MemoryRows {
    type Writer = Memory;
    const PROCESSES_MAX: u64 = u64::MAX;

    fn writer(&self) -> Result<Memory, StoreError> {
        Ok(self.0.clone())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.0.clone())
    }
}

/// Rows in an SQLite file.
pub struct SqliteRows(SqliteStore);

impl SqliteRows {
    /// A new file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        SqliteStore::open(path).map(Self)
    }
}

impl Rows for SqliteRows {
    type Writer = SqliteWriter;
    const PROCESSES_MAX: u64 = 1;

    fn writer(&self) -> Result<SqliteWriter, StoreError> {
        self.0.writer()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.0.reader())
    }
}
