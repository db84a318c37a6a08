//! What ties a reply to its log lines.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use domain::time::UnixMs;

/// Low bits that tell requests of one millisecond apart; the time has the other 42, which last
/// until the year 2109.
const COUNT_BITS: u32 = 22;
/// Of these, the low ones count; the high ones are this process's own.
const NODE_SHIFT: u32 = 10;

static LAST: AtomicU64 = AtomicU64::new(0);

/// When the process started, by the clock on the wall and by the one that never goes back.
static STARTED: OnceLock<(UnixMs, Instant)> = OnceLock::new();

/// Tells ids the time; without it they still count up.
pub(super) fn started(now: UnixMs) {
    // A second call changes nothing: ids must not go back.
    STARTED.get_or_init(|| (now, Instant::now()));
}

/// A request's name in logs: 16 hexadecimal digits, greater than every earlier one of this
/// process. Takes no lock. Not a secret, and not an idempotency key.
pub fn request_id() -> String {
    format!("{:016x}", next(&LAST, now_ms(), node()))
}

fn now_ms() -> u64 {
    STARTED.get().map_or(0, |(wall, since)| {
        let start_ms = u64::try_from(wall.0).unwrap_or(0);
        let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        start_ms.saturating_add(elapsed_ms)
    })
}

fn next(last: &AtomicU64, now_ms: u64, node: u16) -> u64 {
    let first = now_ms << COUNT_BITS | u64::from(node) << NODE_SHIFT;
    let step = |last: u64| first.max(last.wrapping_add(1));
    let before = last
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            Some(step(last))
        })
        .unwrap_or_else(|unchanged| unchanged);
    step(before)
}

/// Twelve random bits, so that the nodes of one shop rarely use the same id. Without a source
/// of randomness ids are still unique in the process, which is what they promise.
fn node() -> u16 {
    static NODE: OnceLock<u16> = OnceLock::new();
    *NODE.get_or_init(|| {
        let mut bytes = [0; 2];
        let _ = getrandom::fill(&mut bytes);
        u16::from_le_bytes(bytes) >> 4
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn rises_with_time_and_when_time_stands_still_or_goes_back() {
        let last = AtomicU64::new(0);
        let (first, second) = (next(&last, NOW, 0xfff), next(&last, NOW, 0xfff));
        let later = next(&last, NOW + 1, 0);
        let set_back = next(&last, NOW - 5_000, 0);
        assert!(first < second && second < later && later < set_back);
        assert_eq!(later >> COUNT_BITS, NOW + 1);
    }

    #[test]
    fn unique_across_threads() {
        let ids = || (0..5_000).map(|_| request_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(ids)).collect();
        let all: HashSet<_> = threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        assert_eq!(all.len(), 20_000);
        assert!(all.iter().all(|id| id.len() == 16));
    }
}
