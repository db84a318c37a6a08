//! What something large does to the requests beside it.

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::tally::{Sample, histogram};

/// How long after it requests still count as beside it.
const AFTERMATH: Duration = Duration::from_millis(100);

/// How long something took.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

/// Latencies of some of the requests.
#[derive(Serialize)]
pub(super) struct Latency {
    pub(super) requests: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) max_us: u64,
}

impl Stretch {
    /// Whether a request that was due then could have been held up by it.
    pub(super) fn is_beside(&self, due: Instant) -> bool {
        self.from <= due && due < self.to + AFTERMATH
    }

    /// How long it took, in milliseconds.
    pub(super) fn ms(&self) -> f64 {
        self.to.saturating_duration_since(self.from).as_secs_f64() * 1e3
    }
}

/// The longest of them, in milliseconds; 0 where there is none.
pub(super) fn longest_ms<'s>(stretches: impl Iterator<Item = &'s Stretch>) -> f64 {
    stretches.map(Stretch::ms).fold(0.0, f64::max)
}

impl Latency {
    pub(super) fn of<'s>(samples: impl Iterator<Item = &'s Sample>) -> io::Result<Self> {
        let mut latency_us = histogram()?;
        samples.for_each(|it| latency_us.saturating_record(it.latency_us));
        Ok(Self {
            requests: latency_us.len(),
            p50_us: latency_us.value_at_quantile(0.5),
            p99_us: latency_us.value_at_quantile(0.99),
            max_us: latency_us.max(),
        })
    }

    /// A line for people.
    pub(super) fn line(&self, whose: &str) -> String {
        let Self {
            requests,
            p50_us,
            p99_us,
            max_us,
        } = self;
        format!(
            "others' latency in µs {whose:<22}: p50 {p50_us}, p99 {p99_us}, max {max_us} ({requests})"
        )
    }
}
