//! Terminals as they were stored a moment ago, so that a till that sends one message after another
//! is not looked up for each.
//!
//! What is decided on a message is decided on its terminal as it is stored then. What is remembered
//! only spares the look before, so nothing may be refused, counted or shown because of it.

use domain::{
    loyalty::{document::DocumentKey, terminal::Terminal},
    time::UnixMs,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How long a terminal is remembered, in milliseconds: so long another gateway's change of how it
/// is spoken to may go unnoticed.
const REMEMBERED_MS: i64 = 1_000;
/// How many are remembered. Beyond that, all are forgotten.
const TERMINALS_MAX: usize = 10_000;

/// The terminals that sent messages a moment ago.
#[derive(Default)]
pub struct Remembered(Mutex<HashMap<DocumentKey, (UnixMs, Arc<Terminal>)>>);

impl Remembered {
    /// The terminal with this key as it was stored at most a second before `now`.
    #[must_use]
    pub fn recall(&self, key: &DocumentKey, now: UnixMs) -> Option<Arc<Terminal>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, terminal) = known.get(key)?;
        // A clock that was set back says nothing about how long ago that was.
        let age_ms = now.0.checked_sub(at.0)?;
        (0..REMEMBERED_MS)
            .contains(&age_ms)
            .then(|| Arc::clone(terminal))
    }

    /// Remembers `terminal`, looked up at `at`.
    pub fn note(&self, key: DocumentKey, at: UnixMs, terminal: &Arc<Terminal>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TERMINALS_MAX {
            known.clear();
        }
        known.insert(key, (at, Arc::clone(terminal)));
    }

    /// Forgets the terminal with this key.
    pub fn forget(&self, key: &DocumentKey) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(key);
    }
}
