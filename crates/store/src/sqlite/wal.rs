//! The write-ahead log, and what may still rest on it after a sync failed.
//!
//! Linux may drop the pages that a failed fsync could not write. The next fsync succeeds, and says
//! nothing about them. So what was written since the last good sync counts as gone for good, and
//! each sync that SQLite does is answered by what it was to make durable:
//!
//! | failed sync | what may be gone | what is done |
//! |---|---|---|
//! | of the log, by a COMMIT | that transaction's frames; nothing acknowledged is among them | a commit that changes nothing is written over them, at once and again before anything else is written. Until that succeeds the outcome is in doubt: a recovery may still find the frames |
//! | by a checkpoint | pages copied into the file since its last good sync. Earlier, partial checkpoints are among these: SQLite notes their pages as copied without a sync, and would not copy them again | nothing is written, so that the log stays whole, until the log's index has been made anew, with nothing noted as copied, and all of it was copied and synced |
//! | of the log, in an earlier process | frames that a recovery reads from memory though they are not on disk; whatever is appended behind them ends with them at a power cut | the log is written once more, as it is, before it is recovered |
//!
//! For the second, SQLite's own checkpoints are switched off: they keep a failure to themselves.
//! And no connection checkpoints when it is closed: that would sync once more, and remove the log.

use super::{
    MIGRATIONS, SqliteStore,
    copier::{Copier, State},
    from_sqlite,
    writer::roll_back,
};
use crate::contract::StoreError;
use rusqlite::{Connection, ErrorCode, ffi};
use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc, RwLockWriteGuard, TryLockError,
        atomic::{AtomicI32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The log is copied into the file whenever it has grown by this many pages.
const CHECKPOINT_PAGES: i32 = 1000;
/// How many pages the writer itself copies: while the copier was at it, others came. The copier goes
/// on as long as there are more.
const LEFT_PAGES_MAX: i32 = 200;
/// How often the copier goes on.
const ROUNDS_MAX: u32 = 4;
/// How long readers are waited for when all connections have to be closed.
const READERS_END: Duration = Duration::from_secs(2);
/// How much of the log is held in memory while it is written once more.
const CHUNK_BYTES: usize = 1 << 20;

/// The log as its writer sees it.
pub(super) struct Wal {
    store: SqliteStore,
    /// How many pages the log holds, as of the last commit.
    pages: Arc<AtomicI32>,
    /// How many it held when it was last copied, or began to be. What a reader held up is not tried
    /// again at each commit: that would walk the whole log each time.
    tried_at: i32,
    copier: Copier,
    /// How often the copier has begun since the writer last copied anything itself.
    rounds: u32,
    /// Whether a checkpoint could not be synced: nothing may be written until [`Wal::redo`].
    is_distrusted: bool,
}

/// How far the log has been copied into the file, in pages.
pub(super) struct Progress {
    /// Another connection was at it, so that nothing was done.
    is_busy: bool,
    pages: i64,
    copied: i64,
}

impl Wal {
    /// The log of `store`, whose writer is `connection`.
    pub(super) fn of(store: SqliteStore, connection: &mut Connection) -> Result<Self, StoreError> {
        let pages = Arc::default();
        count_pages(connection, &pages)?;
        // Somebody else kept the log's index: pages that an earlier process copied are noted in
        // it, and nobody knows whether they were synced.
        let inherited = checkpoint(connection, "NOOP").map_err(from_sqlite)?;
        Ok(Self {
            copier: Copier::start(store.clone())?,
            store,
            pages,
            tried_at: 0,
            rounds: 0,
            is_distrusted: inherited.copied > 0,
        })
    }

    /// Whether [`Wal::trusted`] has a checkpoint to do again.
    pub(super) const fn is_distrusted(&self) -> bool {
        self.is_distrusted
    }

    /// Commits the open transaction. When this returns, it is on disk.
    ///
    /// # Errors
    /// `Unknown` when its frames may lie complete in the log and could not be written over.
    pub(super) fn commit(&self, connection: &Connection) -> Result<(), StoreError> {
        let committed = connection.prepare_cached("COMMIT");
        let Err(error) = committed.and_then(|mut it| it.execute([])) else {
            return Ok(());
        };
        if left_no_frames(&error) {
            return Err(from_sqlite(error));
        }
        self.store.shared.set_in_doubt(true);
        let text = error.to_string();
        match self.settle_doubt(connection) {
            Ok(()) => Err(StoreError::Down(text)),
            Err(again) => Err(StoreError::Unknown(format!("{text}; then {again}"))),
        }
    }

    /// Commits a page that changes nothing over the frames that are in doubt, if there are any.
    fn settle_doubt(&self, connection: &Connection) -> Result<(), StoreError> {
        if !self.store.shared.is_in_doubt() {
            return Ok(());
        }
        let version = MIGRATIONS.len();
        let sql = format!("BEGIN IMMEDIATE; PRAGMA user_version = {version}; COMMIT");
        if let Err(error) = connection.execute_batch(&sql) {
            roll_back(connection);
            return Err(from_sqlite(error));
        }
        self.store.shared.set_in_doubt(false);
        Ok(())
    }

    /// Has the log copied into the file when it has grown enough, and copies the rest when that is
    /// done. A failure takes nothing back: all that was committed is in the log.
    pub(super) fn checkpoint(&mut self, connection: &Connection) {
        if self.is_distrusted {
            return;
        }
        match self.copier.state() {
            State::Idle => {}
            State::Busy => return,
            State::Unsynced => {
                self.is_distrusted = true;
                return;
            }
        }
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.tried_at {
            // The log began anew.
            (self.tried_at, self.rounds) = (0, 0);
        }
        let left = pages - self.tried_at;
        let is_copied = self.rounds > 0 && (left <= LEFT_PAGES_MAX || self.rounds >= ROUNDS_MAX);
        if is_copied {
            (self.tried_at, self.rounds) = (pages, 0);
            if let Err(error) = checkpoint(connection, "PASSIVE") {
                tracing::warn!(%error, "the log cannot be copied into the file");
                self.is_distrusted = is_unsynced(&error);
            }
        } else if self.rounds > 0 || left >= CHECKPOINT_PAGES {
            self.tried_at = pages;
            self.rounds += 1;
            self.copier.begin();
        }
    }

    /// The writer's connection: after a commit in doubt only once that was written over, after a
    /// checkpoint that could not be synced only once all that it and others before it copied was
    /// copied again.
    ///
    /// # Errors
    /// `Down` or `Full` while that does not succeed.
    pub(super) fn trusted<'c>(
        &mut self,
        connection: &'c mut Option<Connection>,
    ) -> Result<&'c Connection, StoreError> {
        if self.is_distrusted {
            self.redo(connection)?;
            self.copier.trust();
            self.is_distrusted = false;
            tracing::info!("the log was copied into the file again, from its beginning");
        }
        let connection = connection.as_ref().ok_or_else(closed)?;
        self.settle_doubt(connection)?;
        Ok(connection)
    }

    /// Closes every connection of this process, which makes the next one build the log's index
    /// anew from the log itself, and copies the log from its beginning.
    fn redo(&self, connection: &mut Option<Connection>) -> Result<(), StoreError> {
        let _closing = Closing::begin(&self.store);
        let _alone = self.shut_out_readers()?;
        *connection = None;
        self.store.shared.close_idle();
        let mut opened = self.store.connect_to_write()?;
        if checkpoint(&opened, "NOOP").map_err(from_sqlite)?.copied > 0 {
            return Err(in_use());
        }
        let progress = checkpoint(&opened, "PASSIVE").map_err(from_sqlite)?;
        if progress.is_busy || progress.copied < progress.pages {
            return Err(in_use());
        }
        count_pages(&mut opened, &self.pages)?;
        // A transaction that was in doubt is one of the recovered ones now, or is gone.
        self.store.shared.set_in_doubt(false);
        *connection = Some(opened);
        Ok(())
    }

    fn shut_out_readers(&self) -> Result<RwLockWriteGuard<'_, ()>, StoreError> {
        let until = Instant::now() + READERS_END;
        loop {
            match self.store.shared.looking.try_write() {
                Ok(alone) => return Ok(alone),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() > until => return Err(in_use()),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Leaves the whole store in its file when the writer ends, so that the file can be copied.
    pub(super) fn close(&mut self, connection: &Connection) {
        self.copier.end();
        if self.is_distrusted || self.copier.state() == State::Unsynced {
            return;
        }
        if let Err(error) = checkpoint(connection, "TRUNCATE") {
            tracing::warn!(%error, "the log stays beside the file; the next start reads it");
        }
    }
}

/// Readers are refused while this lives: one after the other they would leave no gap to close all
/// connections in.
struct Closing<'a>(&'a SqliteStore);

impl<'a> Closing<'a> {
    fn begin(store: &'a SqliteStore) -> Self {
        store.shared.is_closing.store(true, Ordering::Release);
        Self(store)
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.shared.is_closing.store(false, Ordering::Release);
    }
}

fn closed() -> StoreError {
    StoreError::Down("the file could not be opened again".to_owned())
}

fn in_use() -> StoreError {
    let text = "a checkpoint could not be synced, or its process ended before anybody knew, and \
        must be done again while nobody else has the store open: end what reads it (an audit, a \
        backup, a shell)";
    StoreError::Down(text.to_owned())
}

/// Notes the log's length at each commit. This takes the place of SQLite's own checkpoints.
fn count_pages(connection: &mut Connection, pages: &Arc<AtomicI32>) -> Result<(), StoreError> {
    let pages = Arc::clone(pages);
    let note = move |_: &mut rusqlite::hooks::Wal, count| {
        pages.store(count, Ordering::Relaxed);
        Ok(())
    };
    connection.wal_hook(Some(note)).map_err(from_sqlite)
}

/// Whether a checkpoint that failed with this left pages in the file that could not be synced.
/// Writes that failed are done again: only what was synced is noted as copied.
pub(super) fn is_unsynced(error: &rusqlite::Error) -> bool {
    error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_FSYNC)
}

pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Progress> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.prepare_cached(&sql)?.query_row([], |row| {
        Ok(Progress {
            is_busy: row.get(0)?,
            pages: row.get(1)?,
            copied: row.get(2)?,
        })
    })
}

/// Whether a COMMIT that failed with this left no complete transaction in the log. Each of its
/// frames must be written for that; whatever may fail after the last of them leaves doubt.
fn left_no_frames(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ConstraintViolation
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::ReadOnly,
        ) => true,
        _ => error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_WRITE),
    }
}

/// Writes the log of the store at `path` once more, as it is, and syncs it: see above. The caller
/// makes sure that nobody writes to the store.
pub(super) fn rewrite(path: &Path) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match rewrite_file(Path::new(&log)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let text = format!("{}: {error}", log.display());
            Err(StoreError::Down(text))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn rewrite_file(log: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(log)?;
    let (mut chunk, mut at) = (vec![0; CHUNK_BYTES], 0);
    loop {
        let length = file.read_at(&mut chunk, at)?;
        let Some(read @ [_, ..]) = chunk.get(..length) else {
            return file.sync_data();
        };
        file.write_all_at(read, at)?;
        at += read.len() as u64;
    }
}
