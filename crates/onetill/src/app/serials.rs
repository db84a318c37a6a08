//! Gateway serials, unique over all nodes and for ever.
//!
//! A node holds a leased number and makes serials of milliseconds inside its lease only. Whoever
//! takes the number next starts after that lease's end, so neither a paused process nor a clock
//! that was set back can make a serial twice.

use domain::{
    ids::{PER_NODE_MS, Serial},
    time::UnixMs,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a lease lasts unless renewed, in milliseconds.
pub const LEASE_MS: i64 = 20_000;

/// A leased node number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLease {
    /// The number, 0 to 99.
    pub node: i64,
    /// The random number that tells this holder from the next.
    pub owner: i64,
}

/// Issues serials.
pub struct SerialIssuer {
    zone_offset_s: i32,
    state: Mutex<State>,
}

struct State {
    lease: NodeLease,
    lease_until: UnixMs,
    last_ms: i64,
    count: i64,
}

impl State {
    /// Serials under `lease` start after `issued_until`.
    const fn new(lease: NodeLease, issued_until: UnixMs, lease_until: UnixMs) -> Self {
        Self {
            lease,
            lease_until,
            last_ms: issued_until.0,
            count: PER_NODE_MS - 1,
        }
    }
}

impl SerialIssuer {
    /// Issues serials under `lease`, which ends at `lease_until`, of later milliseconds than
    /// `issued_until`. Dates are in a zone `zone_offset_s` seconds east of UTC; the offset of a
    /// store never changes, so that serials never repeat.
    #[must_use]
    pub const fn new(
        lease: NodeLease,
        issued_until: UnixMs,
        lease_until: UnixMs,
        zone_offset_s: i32,
    ) -> Self {
        let state = State::new(lease, issued_until, lease_until);
        Self {
            zone_offset_s,
            state: Mutex::new(state),
        }
    }

    /// The next serial, or `None` when the lease is over. More than 100 in a millisecond borrow
    /// from the next ones.
    pub fn next(&self, now: UnixMs) -> Option<Serial> {
        let mut state = self.state();
        if now.0 > state.last_ms {
            state.last_ms = now.0;
            state.count = 0;
        } else if state.count + 1 < PER_NODE_MS {
            state.count += 1;
        } else {
            state.last_ms += 1;
            state.count = 0;
        }
        let at = UnixMs(state.last_ms);
        (at < state.lease_until)
            .then(|| Serial::compose(at, self.zone_offset_s, state.lease.node, state.count))
    }

    /// The lease.
    #[must_use]
    pub fn lease(&self) -> NodeLease {
        self.state().lease
    }

    /// A time after every serial issued so far, for a lease that is given back at `now`. Nothing
    /// is issued any more.
    pub fn issued_until(&self, now: UnixMs) -> UnixMs {
        let mut state = self.state();
        state.lease_until = UnixMs(0);
        UnixMs(state.last_ms).max(now)
    }

    /// Until when to renew the lease at `now`. Never shorter than it is: serials up to its end may
    /// have been issued, and whoever takes the number next starts after the end that is stored.
    /// Where the clock was set back, it goes on from the last serial.
    pub fn renewal(&self, now: UnixMs) -> UnixMs {
        let state = self.state();
        let from = now.max(UnixMs(state.last_ms));
        from.plus_ms(LEASE_MS).max(state.lease_until)
    }

    /// Notes that the lease now ends at `until`.
    pub fn renewed(&self, until: UnixMs) {
        self.state().lease_until = until;
    }

    /// Goes on under another lease, after the first was lost.
    pub fn replaced(&self, lease: NodeLease, issued_until: UnixMs, lease_until: UnixMs) {
        *self.state() = State::new(lease, issued_until, lease_until);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The smallest serial of the millisecond `at`.
    #[must_use]
    pub const fn floor(&self, at: UnixMs) -> Serial {
        Serial::floor(at, self.zone_offset_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(issued_until: i64, lease_until: i64) -> SerialIssuer {
        let lease = NodeLease { node: 7, owner: 1 };
        SerialIssuer::new(lease, UnixMs(issued_until), UnixMs(lease_until), 0)
    }

    #[test]
    fn serials_rise_even_when_the_clock_goes_back() {
        let issuer = issuer(0, 2_000_000);
        let times = (0..500).map(|i| UnixMs(1_000_000 - i));
        let serials: Vec<_> = times.map(|now| issuer.next(now).unwrap()).collect();
        assert!(serials.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_successor_starts_after_its_predecessors_lease() {
        let first = issuer(0, 1_000);
        assert_eq!(first.next(UnixMs(1_000)), None);
        let last = first.next(UnixMs(999));
        let second = issuer(1_000, 3_000);
        assert!(second.next(UnixMs(500)) > last);
    }

    #[test]
    fn a_clock_set_back_never_shortens_a_lease_nor_ends_the_serials() {
        let used = issuer(0, 120_000);
        let last = used.next(UnixMs(110_000));
        let until = used.renewal(UnixMs(50_000));
        assert!(until >= UnixMs(120_000), "{until:?}");
        used.renewed(until);
        assert!(used.next(UnixMs(50_000)) > last);
        // Nor where nothing was issued for long.
        let idle = issuer(0, 120_000);
        assert_eq!(idle.renewal(UnixMs(50_000)), UnixMs(120_000));
        assert_eq!(idle.renewal(UnixMs(110_000)), UnixMs(110_000 + LEASE_MS));
    }

    #[test]
    fn a_lost_lease_is_replaced_by_another() {
        let issuer = issuer(0, 1_000);
        let before = issuer.next(UnixMs(900));
        let lease = NodeLease { node: 8, owner: 2 };
        issuer.replaced(lease, UnixMs(500), UnixMs(5_000));
        assert_eq!(issuer.lease(), lease);
        assert_ne!(issuer.next(UnixMs(900)), before);
    }

    #[test]
    fn a_lease_that_is_over_issues_nothing() {
        let issuer = issuer(0, 1_000);
        assert!(issuer.next(UnixMs(900)).is_some());
        assert_eq!(issuer.next(UnixMs(1_500)), None);
        issuer.renewed(UnixMs(2_000));
        assert!(issuer.next(UnixMs(1_500)).is_some());
    }
}
