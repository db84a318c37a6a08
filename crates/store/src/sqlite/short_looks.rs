//! Short looks, on a few threads of their own that stay awake while there is something to look at:
//! to wake a thread for each took longer than most looks do.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Threads are as many as processors, but not more than this: the writer needs one as well.
const THREADS_MAX: usize = 4;

type Look = Box<dyn FnOnce() + Send>;

/// The threads. They are started with the first look and end with this.
#[derive(Default)]
pub(super) struct ShortLooks {
    line: Arc<Line>,
}

/// Looks that wait, in turn.
#[derive(Default)]
struct Line {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Look>,
    threads: usize,
    asleep: usize,
    is_over: bool,
}

impl ShortLooks {
    /// Has `look` run by the next thread that has time.
    ///
    /// # Errors
    /// When there is no thread, and none can be started.
    pub(super) fn take(&self, look: Look) -> Result<(), std::io::Error> {
        let mut state = self.line.state();
        if state.asleep == 0 && state.threads < threads_max() {
            let line = Arc::clone(&self.line);
            let name = "onetill-look".to_owned();
            let started = thread::Builder::new().name(name).spawn(move || line.work());
            match started {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(error),
                // The others come to it.
                Err(_) => {}
            }
        }
        state.waiting.push_back(look);
        let is_anybody_asleep = state.asleep > 0;
        drop(state);
        if is_anybody_asleep {
            self.line.wake.notify_one();
        }
        Ok(())
    }
}

impl Drop for ShortLooks {
    fn drop(&mut self) {
        self.line.state().is_over = true;
        self.line.wake.notify_all();
    }
}

impl fmt::Debug for ShortLooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShortLooks").finish_non_exhaustive()
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(look) = self.next() {
            // Whoever waits for a look that panicked finds that its answer was dropped.
            drop(catch_unwind(AssertUnwindSafe(look)));
        }
    }

    /// The next look; `None` when no more will come.
    fn next(&self) -> Option<Look> {
        let mut state = self.state();
        loop {
            if let Some(look) = state.waiting.pop_front() {
                return Some(look);
            }
            if state.is_over {
                return None;
            }
            state.asleep += 1;
            let woken = self.wake.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }
}

fn threads_max() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.clamp(1, THREADS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn each_look_is_taken_once_even_after_one_that_panics() {
        let looks = ShortLooks::default();
        let (sender, seen) = mpsc::channel();
        looks
            .take(Box::new(|| panic!("a look that panics")))
            .unwrap();
        for number in 0..1_000 {
            let sender = sender.clone();
            let look = move || sender.send(number).unwrap();
            looks.take(Box::new(look)).unwrap();
        }
        drop(sender);
        let mut seen: Vec<i32> = seen.iter().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_is_still_taken_when_no_more_can_come() {
        let looks = ShortLooks::default();
        let (sender, seen) = mpsc::channel();
        for number in 0..100 {
            let sender = sender.clone();
            let look = move || sender.send(number).unwrap();
            looks.take(Box::new(look)).unwrap();
        }
        drop((looks, sender));
        assert_eq!(seen.iter().count(), 100);
    }
}
