//! Waits that are finer than the runtime's timers, which go off at whole milliseconds: at
//! twenty thousand requests a second those would send twenty at once, half a millisecond late.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// How often it looks who is due: a request is sent that much late at most, half of it on average.
/// Waking somebody for each single request would cost this machine more than the requests do.
const TICK: Duration = Duration::from_micros(250);

/// A clock with a thread of its own that wakes who is due. The thread ends with it.
pub(super) struct Pacer {
    waiting: Mutex<BinaryHeap<Reverse<Waiting>>>,
}

impl Pacer {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(super) fn start() -> io::Result<Arc<Self>> {
        let pacer = Arc::new(Self {
            waiting: Mutex::default(),
        });
        let weak = Arc::downgrade(&pacer);
        let thread = thread::Builder::new().name("bench-pacer".to_owned());
        thread.spawn(move || tick(&weak))?;
        Ok(pacer)
    }

    /// Completes at `due`, or up to a tick later.
    pub(super) async fn wait(&self, due: Instant) {
        poll_fn(|context| {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            self.waiting().push(Reverse(Waiting { due, waker }));
            Poll::Pending
        })
        .await;
    }

    fn waiting(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out who is due at `now`.
    fn due(&self, now: Instant) -> Vec<Waker> {
        let mut waiting = self.waiting();
        let mut due = Vec::new();
        while waiting.peek().is_some_and(|it| it.0.due <= now) {
            due.extend(waiting.pop().map(|it| it.0.waker));
        }
        due
    }
}

fn tick(pacer: &Weak<Pacer>) {
    let mut next = Instant::now();
    while let Some(pacer) = pacer.upgrade() {
        let now = Instant::now();
        pacer.due(now).into_iter().for_each(Waker::wake);
        drop(pacer);
        while next <= now {
            next += TICK;
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

/// Who waits, until when.
struct Waiting {
    due: Instant,
    waker: Waker,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due.cmp(&other.due)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_woken_early_and_everybody_in_the_end() {
        let pacer = Pacer::start().unwrap();
        let begun = Instant::now();
        let waits = [7, 0, 3, 3].map(|ms| {
            let pacer = Arc::clone(&pacer);
            let due = begun + Duration::from_millis(ms);
            tokio::spawn(async move {
                pacer.wait(due).await;
                Instant::now() >= due
            })
        });
        for wait in waits {
            assert!(wait.await.unwrap());
        }
        assert!(pacer.waiting().is_empty());
    }

    #[test]
    fn those_who_are_due_are_taken_out_and_no_others() {
        let pacer = Pacer {
            waiting: Mutex::default(),
        };
        let now = Instant::now();
        for ms in [5, 1, 3] {
            let due = now + Duration::from_millis(ms);
            let waker = Waker::noop().clone();
            pacer.waiting().push(Reverse(Waiting { due, waker }));
        }
        assert_eq!(pacer.due(now).len(), 0);
        assert_eq!(pacer.due(now + Duration::from_millis(3)).len(), 2);
        assert_eq!(pacer.waiting().len(), 1);
    }
}
