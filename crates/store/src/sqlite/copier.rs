//! Copies the log into the file beside the writer, so that payments do not wait for it.
//!
//! SQLite lets a log begin anew only when all of it has been copied and synced while nobody wrote,
//! so the last few pages are left to the writer. What was copied here is synced here, or the
//! writer would wait for that as well.

use super::{SqliteStore, wal};
use crate::contract::StoreError;
use std::{
    fs::File,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
        mpsc::{self, SyncSender},
    },
    thread::{self, JoinHandle},
};

/// A thread that copies when it is asked to. It ends with this.
pub(super) struct Copier {
    /// None once it is to end.
    ask: Option<SyncSender<()>>,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It waits to be asked.
    Idle,
    /// It copies.
    Busy,
    /// What it copied could not be synced; it copies no more.
    Unsynced,
}

const IDLE: u8 = 0;
const BUSY: u8 = 1;
const UNSYNCED: u8 = 2;

impl Copier {
    /// A copier of `store`'s log.
    ///
    /// # Errors
    /// When the file cannot be opened, or no thread be started.
    pub(super) fn start(store: SqliteStore) -> Result<Self, StoreError> {
        let down = |error: io::Error| StoreError::Down(format!("the log's copier: {error}"));
        let file = store.file().map_err(down)?;
        let state = Arc::new(AtomicU8::new(IDLE));
        let (ask, asked) = mpsc::sync_channel(1);
        let shown = Arc::clone(&state);
        let work = move || {
            while asked.recv().is_ok() {
                // Nobody knows what a copy that panicked left unsynced; and the writer must not wait
                // for it for ever.
                let copied = catch_unwind(AssertUnwindSafe(|| copy(&store, &file)));
                let is_synced = copied.unwrap_or(false);
                let now = if is_synced { IDLE } else { UNSYNCED };
                shown.store(now, Ordering::Release);
            }
        };
        let thread = thread::Builder::new().name("onetill-copier".to_owned());
        Ok(Self {
            ask: Some(ask),
            state,
            thread: Some(thread.spawn(work).map_err(down)?),
        })
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            IDLE => State::Idle,
            BUSY => State::Busy,
            _ => State::Unsynced,
        }
    }

    /// Has it copy what the log holds now. To be called when it is idle.
    pub(super) fn begin(&self) {
        self.state.store(BUSY, Ordering::Release);
        let asked = self.ask.as_ref().map(|it| it.try_send(()));
        if !matches!(asked, Some(Ok(()))) {
            // The thread is gone, so the writer does it all.
            tracing::error!("the log's copier is gone");
            self.state.store(IDLE, Ordering::Release);
        }
    }

    /// What could not be synced has been copied again by somebody else.
    pub(super) fn trust(&self) {
        self.state.store(IDLE, Ordering::Release);
    }

    /// Waits until it does nothing, and ends it.
    pub(super) fn end(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log's copier panicked");
        }
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        self.end();
    }
}

/// Copies and syncs; whether nothing is left that could not be synced.
fn copy(store: &SqliteStore, file: &File) -> bool {
    let copied = store.reader().look(|connection| {
        let copied = wal::checkpoint(connection, "PASSIVE");
        // What SQLite synced itself need not be told apart from what follows.
        Ok(copied.err())
    });
    match copied {
        Ok(Some(error)) if wal::is_unsynced(&error) => {
            tracing::warn!(%error, "the log cannot be copied into the file");
            return false;
        }
        Ok(Some(error)) => tracing::warn!(%error, "the log cannot be copied into the file"),
        Ok(None) => {}
        // Nothing was copied: no connection could be opened, or all are being closed.
        Err(error) => {
            tracing::warn!(%error, "the log is not copied into the file for now");
            return true;
        }
    }
    match file.sync_data() {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "what was copied into the file cannot be synced");
            false
        }
    }
}
