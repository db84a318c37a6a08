//! What was counted and timed.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::mix::Kind;

/// Latencies above this are recorded as this, in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;

/// The stretch of time that is measured.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

impl Window {
    fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// Its length, in seconds.
    pub(super) fn length_s(&self) -> f64 {
        self.to.saturating_duration_since(self.from).as_secs_f64()
    }
}

/// A right reply to a request that was due in the window.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) due: Instant,
    pub(super) latency_us: u64,
}

/// One thread's results, or those of all.
pub(super) struct Tally {
    pub(super) window: Window,
    /// Latency from when a request was due, in microseconds: right replies due in the window.
    pub(super) latency_us: Histogram<u64>,
    /// The same one by one, for who wants to know when they were due.
    pub(super) samples: Option<Vec<Sample>>,
    /// Right replies that arrived in each second of the window.
    pub(super) per_second: Vec<u64>,
    /// Right replies by kind, warm-up included.
    pub(super) right: BTreeMap<Kind, u64>,
    /// Wrong replies and transport errors by kind and code, warm-up included.
    pub(super) wrong: BTreeMap<(Kind, String), u64>,
    /// Connections opened.
    pub(super) connects: u64,
    /// Requests that had no reply when patience ended.
    pub(super) unanswered: u64,
    /// Requests that were due and never sent, because every connection was busy.
    pub(super) missed: u64,
}

impl Tally {
    pub(super) fn new(window: Window) -> io::Result<Self> {
        Ok(Self {
            window,
            latency_us: histogram()?,
            samples: None,
            per_second: Vec::new(),
            right: BTreeMap::new(),
            wrong: BTreeMap::new(),
            connects: 0,
            unanswered: 0,
            missed: 0,
        })
    }

    /// A right reply to a request that was due at `due` and answered at `done`.
    pub(super) fn add_right(&mut self, kind: Kind, due: Instant, done: Instant) {
        *self.right.entry(kind).or_default() += 1;
        if self.window.holds(due) {
            let latency_us = micros(done.saturating_duration_since(due));
            self.latency_us.saturating_record(latency_us);
            if let Some(samples) = &mut self.samples {
                samples.push(Sample { due, latency_us });
            }
        }
        if self.window.holds(done) {
            let second = done.saturating_duration_since(self.window.from).as_secs();
            let second = usize::try_from(second).unwrap_or(usize::MAX);
            if self.per_second.len() <= second {
                self.per_second.resize(second.saturating_add(1), 0);
            }
            if let Some(count) = self.per_second.get_mut(second) {
                *count += 1;
            }
        }
    }

    /// A reply with the wrong code, or none.
    pub(super) fn add_wrong(&mut self, kind: Kind, code: String) {
        *self.wrong.entry((kind, code)).or_default() += 1;
    }

    /// Takes another thread's results in.
    pub(super) fn merge(&mut self, other: Self) {
        // Both have the same bounds, so every value fits.
        let _ = self.latency_us.add(other.latency_us);
        if let Some(samples) = other.samples {
            self.samples.get_or_insert_default().extend(samples);
        }
        self.per_second
            .resize(self.per_second.len().max(other.per_second.len()), 0);
        for (mine, theirs) in self.per_second.iter_mut().zip(other.per_second) {
            *mine += theirs;
        }
        for (kind, count) in other.right {
            *self.right.entry(kind).or_default() += count;
        }
        for (outcome, count) in other.wrong {
            *self.wrong.entry(outcome).or_default() += count;
        }
        self.connects += other.connects;
        self.unanswered += other.unanswered;
        self.missed += other.missed;
    }

    /// Right replies, warm-up included.
    pub(super) fn successes(&self) -> u64 {
        self.right.values().sum()
    }

    /// All replies and failures, warm-up included.
    pub(super) fn requests(&self) -> u64 {
        self.successes() + self.failures()
    }

    /// Right replies a second of the window.
    pub(super) fn throughput_per_s(&self) -> f64 {
        float(self.per_second.iter().sum()) / self.window.length_s().max(1e-9)
    }

    /// What each request took of so much CPU time, in microseconds.
    pub(super) fn per_request_us(&self, cpu_s: Option<f64>) -> Option<f64> {
        let cpu_s = cpu_s.filter(|_| self.requests() > 0)?;
        Some(cpu_s * 1e6 / float(self.requests()))
    }

    /// Everything that went wrong; requests that were never sent are no failures of the gateway.
    pub(super) fn failures(&self) -> u64 {
        self.wrong.values().sum::<u64>() + self.unanswered
    }
}

/// A histogram of latencies.
pub(super) fn histogram() -> io::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).map_err(io::Error::other)
}

/// Counts stay far below 2^53, where a float is exact.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::mix::PaymentKind;

    const PAY: Kind = Kind::Payment(PaymentKind::Pay);

    #[test]
    fn counts_what_was_due_and_what_arrived_in_the_window() {
        let from = Instant::now();
        let at = |ms: u64| from + Duration::from_millis(ms);
        let window = Window {
            from: at(1000),
            to: at(3000),
        };
        let mut tally = Tally::new(window).unwrap();
        tally.add_right(PAY, at(900), at(1100));
        tally.add_right(PAY, at(1200), at(2100));
        tally.add_right(PAY, at(2900), at(3100));
        tally.add_wrong(PAY, "FAIL".to_owned());
        assert_eq!(
            (tally.latency_us.len(), tally.latency_us.max() / 1000),
            (2, 900)
        );
        assert_eq!(tally.per_second, [1, 1]);
        let mut all = Tally::new(window).unwrap();
        all.merge(tally);
        assert_eq!(
            (all.successes(), all.failures(), all.per_second.len()),
            (3, 1, 2)
        );
    }
}
