//! Limits on failures by address, and on calls by merchant.
//!
//! Both are token buckets in whole thousandths of a token, take the time as a parameter and hold
//! a bounded number of rows. A caller whose requests are in order is never slowed by the first;
//! the second is off unless a merchant has a rate set.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use domain::time::UnixMs;

/// Rows each limiter holds at most.
pub const ENTRIES_MAX: usize = 100_000;

const MILLI: u64 = 1_000;

/// A client as limits see it: an IPv4 address, or an IPv6 /64, because one subscriber holds a
/// whole /64 and could use a new address for every attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(Network);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4(u32),
    V6(u64),
}

impl ClientKey {
    /// IPv4 addresses in their IPv6 form count as what they are.
    pub fn new(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => Network::V4(ip.to_bits()),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                let network = [a, b, c, d];
                Network::V6(network.iter().fold(0, |bits, s| bits << 16 | u64::from(*s)))
            }
        })
    }
}

/// How many failures one address may make. Default: 60 at once, then one a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimits {
    /// Failures at once.
    pub burst: u32,
    /// Failures forgiven a second.
    pub refill_per_s: u32,
}

impl Default for FailureLimits {
    fn default() -> Self {
        Self {
            burst: 60,
            refill_per_s: 1,
        }
    }
}

/// How much a bucket holds, and how fast it refills.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    per_s: u32,
}

impl Rate {
    fn full_milli(self) -> u64 {
        u64::from(self.burst) * MILLI
    }
}

#[derive(Clone, Copy)]
struct Bucket {
    level_milli: u64,
    at: UnixMs,
}

impl Bucket {
    fn full(rate: Rate, now: UnixMs) -> Self {
        Self {
            level_milli: rate.full_milli(),
            at: now,
        }
    }

    /// The bucket as of `now`. A clock set back refills nothing.
    fn refilled(self, rate: Rate, now: UnixMs) -> Self {
        let elapsed_ms = u64::try_from(now.since_ms(self.at)).unwrap_or(0);
        // A token a second is a thousandth of a token a millisecond.
        let gained_milli = elapsed_ms.saturating_mul(u64::from(rate.per_s));
        let level_milli = self.level_milli.saturating_add(gained_milli);
        Self {
            level_milli: level_milli.min(rate.full_milli()),
            at: now,
        }
    }

    fn has_token(self) -> bool {
        self.level_milli >= MILLI
    }

    /// An empty bucket stays empty: there is no debt.
    fn taken(self) -> Self {
        Self {
            level_milli: self.level_milli.saturating_sub(MILLI),
            ..self
        }
    }

    /// One token more, as far as it holds it.
    fn returned(self, rate: Rate) -> Self {
        let level_milli = self.level_milli.saturating_add(MILLI);
        Self {
            level_milli: level_milli.min(rate.full_milli()),
            ..self
        }
    }

    /// A refused call costs nothing: who keeps trying still gets the set rate.
    fn taken_if_any(self) -> Self {
        if self.has_token() { self.taken() } else { self }
    }
}

/// Rows in two generations: when the young one is full, the old one, untouched for longest, is
/// dropped whole. Bounded, and constant work for each row.
struct Generations<K> {
    young: HashMap<K, Bucket>,
    old: HashMap<K, Bucket>,
    entries_max: usize,
}

impl<K: Copy + Eq + Hash> Generations<K> {
    fn new(entries_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            entries_max,
        }
    }

    fn get(&self, key: &K) -> Option<Bucket> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn put(&mut self, key: K, bucket: Bucket) {
        if self.young.len() >= (self.entries_max / 2).max(1) && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, bucket);
    }
}

/// Slows down addresses whose requests fail: bad signatures, unknown merchants, guesses.
///
/// Ask [`check`](Self::check) before the work and [`charge`](Self::charge) when it turned out to
/// be a failure. Where many at once must not share the last token, [`take`](Self::take) it before
/// the work and [`give_back`](Self::give_back) what was no failure.
pub struct FailureLimiter {
    rate: Rate,
    buckets: Mutex<Generations<ClientKey>>,
}

impl FailureLimiter {
    /// A limiter that holds at most [`ENTRIES_MAX`] addresses.
    pub fn new(limits: FailureLimits) -> Self {
        Self {
            rate: Rate {
                burst: limits.burst,
                per_s: limits.refill_per_s,
            },
            buckets: Mutex::new(Generations::new(ENTRIES_MAX)),
        }
    }

    /// Whether a request from `ip` may be looked at; if not: HTTP 429.
    pub fn check(&self, ip: IpAddr, now: UnixMs) -> bool {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets
            .get(&ClientKey::new(ip))
            .is_none_or(|bucket| bucket.refilled(self.rate, now).has_token())
    }

    /// Counts one failure against `ip`.
    pub fn charge(&self, ip: IpAddr, now: UnixMs) {
        let client = ClientKey::new(ip);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&client);
        let bucket = bucket.unwrap_or_else(|| Bucket::full(self.rate, now));
        buckets.put(client, bucket.refilled(self.rate, now).taken());
    }

    /// Counts a failure of `ip` if it may still make one; if not: HTTP 429.
    pub fn take(&self, ip: IpAddr, now: UnixMs) -> bool {
        let client = ClientKey::new(ip);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&client);
        let bucket = bucket
            .unwrap_or_else(|| Bucket::full(self.rate, now))
            .refilled(self.rate, now);
        buckets.put(client, bucket.taken_if_any());
        bucket.has_token()
    }

    /// What was taken for a failure of `ip` was none.
    pub fn give_back(&self, ip: IpAddr, now: UnixMs) {
        let client = ClientKey::new(ip);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // Who is not remembered any more has nothing taken.
        if let Some(bucket) = buckets.get(&client) {
            buckets.put(client, bucket.refilled(self.rate, now).returned(self.rate));
        }
    }
}

impl Default for FailureLimiter {
    fn default() -> Self {
        Self::new(FailureLimits::default())
    }
}

/// Holds merchants to a number of calls a second, one second's worth at once.
pub struct RateLimiter {
    buckets: Mutex<Generations<i64>>,
}

impl RateLimiter {
    /// A limiter that holds at most [`ENTRIES_MAX`] merchants.
    pub fn new() -> Self {
        Self {
            buckets: Mutex::new(Generations::new(ENTRIES_MAX)),
        }
    }

    /// Takes one call of `merchant` into account; `false` refuses it: HTTP 429. A `per_s` of 0
    /// means no limit: who is to be kept out altogether is suspended instead.
    pub fn allow(&self, merchant: i64, per_s: u32, now: UnixMs) -> bool {
        if per_s == 0 {
            return true;
        }
        let rate = Rate {
            burst: per_s,
            per_s,
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&merchant);
        let bucket = bucket
            .unwrap_or_else(|| Bucket::full(rate, now))
            .refilled(rate, now);
        buckets.put(merchant, bucket.taken_if_any());
        bucket.has_token()
    }
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);
    const RATE: Rate = Rate {
        burst: 60,
        per_s: 1,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_failures_are_charged() {
        let limiter = FailureLimiter::default();
        assert!((0..10_000).all(|_| limiter.check(ip("10.0.0.1"), NOW)));
        for _ in 0..60 {
            assert!(limiter.check(ip("10.0.0.1"), NOW));
            limiter.charge(ip("10.0.0.1"), NOW);
        }
        assert!(!limiter.check(ip("10.0.0.1"), NOW));
        assert!(limiter.check(ip("10.0.0.2"), NOW));
    }

    #[test]
    fn what_is_taken_at_once_is_no_more_than_there_is() {
        let limiter = FailureLimiter::default();
        let taken = std::thread::scope(|scope| {
            let take = || {
                (0..100)
                    .filter(|_| limiter.take(ip("10.0.0.1"), NOW))
                    .count()
            };
            let takers: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            let taken = takers.into_iter().map(|it| it.join().unwrap());
            taken.sum::<usize>()
        });
        assert_eq!(taken, 60);
        limiter.give_back(ip("10.0.0.1"), NOW);
        assert!(limiter.take(ip("10.0.0.1"), NOW));
        assert!(!limiter.take(ip("10.0.0.1"), NOW));
        // Nobody gets more than a full bucket.
        (0..3).for_each(|_| limiter.give_back(ip("10.0.0.2"), NOW));
        (0..100).for_each(|_| limiter.give_back(ip("10.0.0.1"), NOW));
        for client in ["10.0.0.1", "10.0.0.2"] {
            let granted = (0..100).filter(|_| limiter.take(ip(client), NOW)).count();
            assert_eq!(granted, 60, "{client}");
        }
    }

    #[test]
    fn one_failure_a_second_comes_back() {
        let limiter = FailureLimiter::default();
        (0..100).for_each(|_| limiter.charge(ip("10.0.0.1"), NOW));
        assert!(!limiter.check(ip("10.0.0.1"), NOW.plus_ms(999)));
        assert!(limiter.check(ip("10.0.0.1"), NOW.plus_ms(1_000)));
        limiter.charge(ip("10.0.0.1"), NOW.plus_ms(1_000));
        assert!(!limiter.check(ip("10.0.0.1"), NOW.plus_ms(1_001)));
    }

    #[test]
    fn clock_set_back_neither_refills_nor_breaks() {
        let limiter = FailureLimiter::default();
        (0..60).for_each(|_| limiter.charge(ip("10.0.0.1"), NOW));
        limiter.charge(ip("10.0.0.1"), NOW.plus_ms(-3_600_000));
        assert!(!limiter.check(ip("10.0.0.1"), UnixMs(i64::MIN)));
        assert!(limiter.check(ip("10.0.0.1"), UnixMs(i64::MAX)));
    }

    #[test]
    fn ipv6_counts_by_64_and_mapped_ipv4_as_ipv4() {
        let key = |text| ClientKey::new(ip(text));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("::a00:1"), key("10.0.0.1"));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let mut rows = Generations::new(100);
        let bucket = Bucket::full(RATE, NOW);
        for key in 0..10_000_u32 {
            rows.put(key, bucket);
            assert!(rows.young.len() + rows.old.len() <= 100);
        }
        assert!(rows.get(&9_999).is_some() && rows.get(&9_960).is_some());
        assert!(rows.get(&9_800).is_none());
    }

    #[test]
    fn row_in_use_survives_the_change_of_generation() {
        let mut rows = Generations::new(10);
        let bucket = Bucket::full(RATE, NOW);
        for key in 1..1_000_u32 {
            rows.put(0, bucket);
            rows.put(key, bucket);
        }
        assert!(rows.get(&0).is_some());
    }

    #[test]
    fn merchant_gets_its_rate_and_no_more() {
        let limiter = RateLimiter::new();
        let granted = |from: UnixMs| (0..50).filter(|_| limiter.allow(1, 10, from)).count();
        assert_eq!(granted(NOW), 10);
        assert_eq!(granted(NOW.plus_ms(50)), 0);
        assert_eq!(granted(NOW.plus_ms(100)), 1);
        assert_eq!(granted(NOW.plus_ms(10_000)), 10);
        assert!(limiter.allow(2, 10, NOW));
    }

    #[test]
    fn no_rate_means_no_limit() {
        let limiter = RateLimiter::new();
        assert!((0..1_000).all(|_| limiter.allow(1, 0, NOW)));
    }
}
