//! A circuit breaker: stops sending new money to a channel that cannot be reached.

use domain::time::UnixMs;
use std::{
    sync::atomic::{AtomicI64, AtomicU32, Ordering},
    time::Duration,
};

/// Counts failures to reach a channel in a row, and says whether new payments may try.
///
/// After `failures_max` in a row it is open for `open_ms`; then calls may try again, and the
/// first failure opens it again. Any answer of the channel closes it.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures_max: u32,
    open_ms: i64,
    failures: AtomicU32,
    open_until_ms: AtomicI64,
}

impl Breaker {
    /// A closed breaker.
    pub(crate) fn new(failures_max: u32, open_for: Duration) -> Self {
        Self {
            failures_max,
            open_ms: i64::try_from(open_for.as_millis()).unwrap_or(i64::MAX),
            failures: AtomicU32::new(0),
            open_until_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// Whether a new payment may be sent.
    pub(crate) fn allows(&self, now: UnixMs) -> bool {
        now.0 >= self.open_until_ms.load(Ordering::Relaxed)
    }

    /// Whether so many calls failed in a row and none has been answered since.
    pub(crate) fn is_suspect(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= self.failures_max
    }

    /// The channel answered, whatever it said.
    pub(crate) fn answered(&self) {
        // Written only when it changes, so that healthy calls share a clean cache line.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.open_until_ms.store(i64::MIN, Ordering::Relaxed);
        }
    }

    /// The channel could not be reached, or kept silent for the whole time it was given.
    pub(crate) fn failed(&self, now: UnixMs) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        if before.saturating_add(1) >= self.failures_max {
            // Held at the limit, so that the next failure opens it again and it never wraps.
            self.failures.store(self.failures_max, Ordering::Relaxed);
            let until = now.plus_ms(self.open_ms);
            self.open_until_ms.store(until.0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: UnixMs = UnixMs(1_000_000);

    fn broken() -> Breaker {
        let breaker = Breaker::new(3, Duration::from_secs(5));
        (0..3).for_each(|_| breaker.failed(T));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_for_a_while() {
        let breaker = Breaker::new(3, Duration::from_secs(5));
        breaker.failed(T);
        breaker.failed(T);
        assert!(breaker.allows(T));
        breaker.failed(T);
        assert!(!breaker.allows(T));
        assert!(!breaker.allows(T.plus_ms(4_999)));
        assert!(breaker.allows(T.plus_s(5)));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_again() {
        let breaker = Breaker::new(3, Duration::from_secs(5));
        for _ in 0..10 {
            breaker.failed(T);
            breaker.failed(T);
            breaker.answered();
        }
        assert!(breaker.allows(T));
    }

    #[test]
    fn the_first_failure_after_the_pause_opens_it_again() {
        let breaker = broken();
        let later = T.plus_s(6);
        assert!(breaker.allows(later));
        assert!(breaker.is_suspect(), "until it answers");
        breaker.failed(later);
        assert!(!breaker.allows(later.plus_s(4)));
    }

    #[test]
    fn an_answer_closes_it_at_once() {
        let breaker = broken();
        breaker.answered();
        assert!(breaker.allows(T) && !breaker.is_suspect());
        breaker.failed(T);
        assert!(breaker.allows(T));
    }
}
