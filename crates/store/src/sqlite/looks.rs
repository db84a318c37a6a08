//! Looks that wait, and the threads that take them.
//!
//! Waking a thread costs more than most looks, so a thread that has ended one takes the next that
//! waits. A further thread is woken only while there are fewer than processors, or many looks wait:
//! then those at work may be held up by long ones.

use super::reader::SqliteReader;
use crate::contract::StoreError;
use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
};
use tokio::sync::oneshot;

/// How many looks are taken at the same time, each on a connection of its own. More than there are
/// processors for would wait for each other all the same, and opening a connection takes longer
/// than most looks.
pub(super) const LOOKS_MAX: usize = 8;
/// The fewest threads that are woken at once, however few processors there are.
const THREADS_MIN: usize = 2;
/// When more looks than this wait for each thread at work, another is woken.
const WAITING_A_THREAD: usize = 4;

type Look = Box<dyn FnOnce(&SqliteReader) + Send>;

/// The looks of a store.
pub(super) struct Looks {
    queue: Mutex<Queue>,
    /// Threads that are woken however few looks wait.
    threads_min: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Look>,
    /// Threads at work, or on their way.
    threads: usize,
}

impl Default for Looks {
    fn default() -> Self {
        let processors = available_parallelism().map_or(THREADS_MIN, usize::from);
        Self {
            queue: Mutex::default(),
            threads_min: processors.clamp(THREADS_MIN, LOOKS_MAX),
        }
    }
}

impl fmt::Debug for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Queue { waiting, threads } = &*self.queue();
        write!(f, "Looks({} waiting, {threads} threads)", waiting.len())
    }
}

impl Looks {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a look; says whether a thread is to be woken, which counts from now on.
    fn add(&self, look: Look) -> bool {
        let mut queue = self.queue();
        queue.waiting.push_back(look);
        let (waiting, threads) = (queue.waiting.len(), queue.threads);
        let is_late = waiting > threads * WAITING_A_THREAD;
        let wakes = threads < self.threads_min || (is_late && threads < LOOKS_MAX);
        queue.threads += usize::from(wakes);
        wakes
    }

    /// The next look; without one the thread that asks counts no more.
    fn next(&self) -> Option<Look> {
        let mut queue = self.queue();
        let next = queue.waiting.pop_front();
        if next.is_none() {
            queue.threads -= 1;
        }
        next
    }
}

/// A thread that takes looks. Where it never gets to it, because its runtime ends, it counts no more.
struct Taker {
    reader: SqliteReader,
    is_done: bool,
}

impl Taker {
    fn take_all(mut self) {
        while let Some(look) = self.reader.looks().next() {
            // Whoever waits for a look that panics is told; the others go on.
            drop(catch_unwind(AssertUnwindSafe(|| look(&self.reader))));
        }
        self.is_done = true;
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        if !self.is_done {
            self.reader.looks().queue().threads -= 1;
        }
    }
}

/// What `look` finds, on a thread that may block.
pub(super) async fn take<T: Send + 'static>(
    reader: &SqliteReader,
    look: impl FnOnce(&SqliteReader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, found) = oneshot::channel();
    let look = Box::new(move |reader: &SqliteReader| {
        // Whoever asked may have gone.
        drop(sender.send(look(reader)));
    });
    if reader.looks().add(look) {
        let taker = Taker {
            reader: reader.clone(),
            is_done: false,
        };
        tokio::task::spawn_blocking(|| taker.take_all());
    }
    let broken = |_| StoreError::Down("a look broke off".to_owned());
    found.await.map_err(broken)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::SqliteStore;
    use std::{
        sync::{Arc, Barrier},
        time::Duration,
    };
    use tempfile::TempDir;
    use tokio::{sync::mpsc, task::JoinSet};

    fn reader() -> (TempDir, SqliteReader) {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("new.db")).unwrap();
        (dir, store.reader())
    }

    fn threads(reader: &SqliteReader) -> usize {
        reader.looks().queue().threads
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_of_many_looks_is_answered() {
        let (_dir, reader) = reader();
        let mut asking = JoinSet::new();
        for n in 0..500 {
            let reader = reader.clone();
            asking.spawn(async move { (n, take(&reader, move |_| Ok(n * 2)).await) });
        }
        while let Some(answered) = asking.join_next().await {
            let (n, found) = answered.unwrap();
            assert_eq!(found, Ok(n * 2));
        }
        while threads(&reader) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_look_that_panics_harms_no_other() {
        let (_dir, reader) = reader();
        for _ in 0..2 * LOOKS_MAX {
            let broken = take::<()>(&reader, |_| panic!("on purpose")).await;
            assert!(matches!(broken, Err(StoreError::Down(_))), "{broken:?}");
        }
        assert_eq!(take(&reader, |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn long_looks_hold_up_others_only_until_many_wait() {
        let (_dir, reader) = reader();
        let long = reader.looks().threads_min;
        let gate = Arc::new(Barrier::new(long + 1));
        let (begun, mut begins) = mpsc::channel(long);
        let mut asking = JoinSet::new();
        for _ in 0..long {
            let (reader, gate, begun) = (reader.clone(), Arc::clone(&gate), begun.clone());
            asking.spawn(async move {
                let look = move |_: &SqliteReader| {
                    begun.try_send(()).unwrap();
                    gate.wait();
                    Ok(())
                };
                take(&reader, look).await
            });
        }
        for _ in 0..long {
            begins.recv().await.unwrap();
        }
        // All threads that are woken anyhow are held up. A further one that took a long look instead, since it
        // was woken before that one began, would leave the others few.
        let mut others = JoinSet::new();
        for _ in 0..=(long * WAITING_A_THREAD) {
            let reader = reader.clone();
            others.spawn(async move { take(&reader, |_| Ok(())).await });
        }
        assert!(others.join_all().await.iter().all(Result::is_ok));
        gate.wait();
        assert!(asking.join_all().await.iter().all(Result::is_ok));
    }

    #[test]
    fn a_runtime_that_ends_leaves_no_thread_counted() {
        let (_dir, reader) = reader();
        let taker = Taker {
            reader: reader.clone(),
            is_done: false,
        };
        assert!(reader.looks().add(Box::new(|_| ())));
        drop(taker);
        assert_eq!(threads(&reader), 0);
    }
}
