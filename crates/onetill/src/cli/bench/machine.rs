//! CPU time and steal, from `/proc`. On other systems nothing is known and nothing is said.

use std::fs;

/// A tick of `/proc`, in seconds: Linux reports times to programs in hundredths.
const TICK_S: f64 = 0.01;
/// Fields of the `cpu` line up to steal, which is the last of them.
const CPU_FIELDS: usize = 8;
/// The two fields that nobody used: idle, and waiting for a disk.
const IDLE_FIELDS: std::ops::Range<usize> = 3..5;

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
    /// The share that neither generator nor gateway used, in percent: other programs, and a
    /// database server. Only known when the gateway's process is.
    pub(super) other_percent: Option<f64>,
}

impl Reading {
    /// Reads the counters, those of process `peer` among them.
    pub(super) fn take(peer: Option<u32>) -> Self {
        Self {
            peer,
            own_ticks: process_ticks("/proc/self/stat"),
            peer_ticks: peer.and_then(|pid| process_ticks(&format!("/proc/{pid}/stat"))),
            cpu_ticks: fs::read_to_string("/proc/stat")
                .ok()
                .and_then(|text| cpu_ticks(&text)),
        }
    }

    /// What was spent since `before`.
    pub(super) fn since(&self, before: &Self) -> Spent {
        let spent = |now: Option<u64>, then: Option<u64>| now?.checked_sub(then?);
        let seconds = |ticks: u64| f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) * TICK_S;
        let own = spent(self.own_ticks, before.own_ticks);
        let peer = spent(self.peer_ticks, before.peer_ticks);
        let all = passed(self.cpu_ticks.as_deref(), before.cpu_ticks.as_deref());
        Spent {
            own_cpu_s: own.map(seconds),
            peer_cpu_s: peer.filter(|_| self.peer == before.peer).map(seconds),
            steal_percent: all.as_deref().and_then(steal_percent),
            other_percent: all
                .as_deref()
                .zip(own.zip(peer))
                .and_then(|(all, (own, peer))| other_percent(all, own.saturating_add(peer))),
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

fn passed(now: Option<&[u64]>, then: Option<&[u64]>) -> Option<Vec<u64>> {
    let pairs = now?.iter().zip(then?);
    Some(pairs.map(|(now, then)| now.saturating_sub(*then)).collect())
}

fn steal_percent(passed: &[u64]) -> Option<f64> {
    percent(*passed.get(CPU_FIELDS - 1)?, passed.iter().sum())
}

fn other_percent(passed: &[u64], ours: u64) -> Option<f64> {
    let all: u64 = passed.iter().sum();
    let idle: u64 = passed.get(IDLE_FIELDS)?.iter().sum();
    let steal = *passed.get(CPU_FIELDS - 1)?;
    let busy = all.saturating_sub(idle).saturating_sub(steal);
    percent(busy.saturating_sub(ours), all)
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (u32::try_from(part).ok()?, u32::try_from(whole).ok()?);
    (whole > 0).then(|| f64::from(part) * 100.0 / f64::from(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_cpu_line() {
        let then = cpu_ticks("cpu  10 0 10 100 0 0 0 5 0 0\ncpu0 1").unwrap();
        let now = cpu_ticks("cpu  50 0 20 140 0 0 0 15 9 0\n").unwrap();
        let all = passed(Some(&now), Some(&then)).unwrap();
        assert_eq!(
            (steal_percent(&all), other_percent(&all, 30)),
            (Some(10.0), Some(20.0))
        );
        assert_eq!(passed(Some(&now), None), None);
        assert_eq!(steal_percent(&[0; 8]), None);
        assert_eq!(cpu_ticks("intr 1"), None);
    }
}
