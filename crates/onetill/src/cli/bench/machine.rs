//! CPU time and steal, from `/proc`. On other systems nothing is known and nothing is said.

use std::fs;

/// A tick of `/proc`, in seconds: Linux reports times to programs in hundredths.
const TICK_S: f64 = 0.01;
/// Fields of the `cpu` line up to steal, which is the last of them.
const CPU_FIELDS: usize = 8;

/// Counters at one moment.
pub(super) struct Reading {
    peer: Option<u32>,
    own_ticks: Option<u64>,
    peer_ticks: Option<u64>,
    cpu_ticks: Option<Vec<u64>>,
}

/// What was spent between two readings.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    /// The generator's CPU time, in seconds.
    pub(super) own_cpu_s: Option<f64>,
    /// The gateway's CPU time, in seconds.
    pub(super) peer_cpu_s: Option<f64>,
    /// The share of all CPU time that the host took away, in percent.
    pub(super) steal_percent: Option<f64>,
}

impl Reading {
    /// Reads the counters, those of process `peer` among them.
    pub(super) fn take(peer: Option<u32>) -> Self {
        Self {
            peer,
            own_ticks: process_ticks("/proc/self/stat"),
            peer_ticks: peer.and_then(|pid| process_ticks(&format!("/proc/{pid}/stat"))),
            cpu_ticks: fs::read_to_string("/proc/stat").ok().and_then(|text| cpu_ticks(&text)),
        }
    }

    /// What was spent since `before`.
    pub(super) fn since(&self, before: &Self) -> Spent {
        let seconds = |now: Option<u64>, then: Option<u64>| {
            let ticks = u32::try_from(now?.checked_sub(then?)?).ok()?;
            Some(f64::from(ticks) * TICK_S)
        };
        Spent {
            own_cpu_s: seconds(self.own_ticks, before.own_ticks),
            peer_cpu_s: seconds(self.peer_ticks, before.peer_ticks)
                .filter(|_| self.peer == before.peer),
            steal_percent: steal_percent(self.cpu_ticks.as_deref(), before.cpu_ticks.as_deref()),
        }
    }
}

/// User and system time of one process, all its threads together.
fn process_ticks(path: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    // The second field, the name, may hold spaces and is put in parentheses.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut times = rest.split(' ').skip(11).map(str::parse::<u64>);
    Some(times.next()?.ok()?.saturating_add(times.next()?.ok()?))
}

fn cpu_ticks(text: &str) -> Option<Vec<u64>> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields = line.split_whitespace().take(CPU_FIELDS).map(str::parse);
    fields.collect::<Result<Vec<u64>, _>>().ok()
}

fn steal_percent(now: Option<&[u64]>, then: Option<&[u64]>) -> Option<f64> {
    let passed: Vec<u64> =
        now?.iter().zip(then?).map(|(now, then)| now.saturating_sub(*then)).collect();
    let total = u32::try_from(passed.iter().sum::<u64>()).ok().filter(|total| *total > 0)?;
    let steal = u32::try_from(*passed.get(CPU_FIELDS - 1)?).ok()?;
    Some(f64::from(steal) * 100.0 / f64::from(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_the_eighth_field() {
        let then = cpu_ticks("cpu  10 0 10 100 0 0 0 5 0 0\ncpu0 1").unwrap();
        let now = cpu_ticks("cpu  50 0 20 140 0 0 0 15 9 0\n").unwrap();
        assert_eq!(steal_percent(Some(&now), Some(&then)), Some(10.0));
        assert_eq!(steal_percent(Some(&now), None), None);
        assert_eq!(cpu_ticks("intr 1"), None);
    }
}
