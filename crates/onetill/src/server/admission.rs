//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Counter, Gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;
use super::limits::ClientKey;
use crate::telemetry::names;

/// Counts connections, lets them in or refuses them.
pub(super) struct Admission {
    total: Arc<Semaphore>,
    per_address: Option<PerAddress>,
    open: Gauge,
    refused_total: Counter,
    refused_address: Counter,
}

struct PerAddress {
    most: u32,
    open: Mutex<HashMap<ClientKey, u32>>,
}

/// One connection's place; dropping it frees the place.
pub(super) struct Permit {
    _place: OwnedSemaphorePermit,
    client: ClientKey,
    admission: Arc<Admission>,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let places = limits.connections_max.min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            total: Arc::new(Semaphore::new(places)),
            per_address: limits.connections_per_address_max.map(PerAddress::new),
            open: metrics::gauge!(names::CONNECTIONS),
            refused_total: metrics::counter!(names::CONNECTIONS_REFUSED, "reason" => "total"),
            refused_address: metrics::counter!(names::CONNECTIONS_REFUSED, "reason" => "address"),
        })
    }

    /// A place for a connection from `ip`, or `None` when it is one too many.
    pub(super) fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<Permit> {
        let Ok(place) = Arc::clone(&self.total).try_acquire_owned() else {
            self.refused_total.increment(1);
            return None;
        };
        let client = ClientKey::new(ip);
        if self.per_address.as_ref().is_some_and(|p| !p.enter(client)) {
            self.refused_address.increment(1);
            return None;
        }
        self.open.increment(1.0);
        Some(Permit {
            _place: place,
            client,
            admission: Arc::clone(self),
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(per_address) = &self.admission.per_address {
            per_address.leave(self.client);
        }
        self.admission.open.decrement(1.0);
    }
}

impl PerAddress {
    fn new(most: u32) -> Self {
        Self {
            most,
            open: Mutex::default(),
        }
    }

    fn enter(&self, client: ClientKey) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if *count >= self.most {
            return false;
        }
        *count += 1;
        true
    }

    /// Forgets the address with its last connection, so the map is never longer than the
    /// connections are many.
    fn leave(&self, client: ClientKey) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: Option<u32>) -> Arc<Admission> {
        Admission::new(&Limits {
            connections_max: total,
            connections_per_address_max: per_address,
            ..Limits::default()
        })
    }

    #[test]
    fn total_is_bounded_and_places_come_back() {
        let admission = admission(2, None);
        let ip = IpAddr::from([10, 0, 0, 1]);
        let first = admission.admit(ip);
        let second = admission.admit(ip);
        assert!(first.is_some() && second.is_some());
        assert!(admission.admit(ip).is_none());
        drop(first);
        assert!(admission.admit(ip).is_some());
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let admission = admission(10, Some(1));
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = admission.admit(a);
        assert!(first.is_some());
        assert!(admission.admit(a).is_none());
        assert!(admission.admit(b).is_some());
        drop(first);
        assert!(admission.admit(a).is_some());
    }

    #[test]
    fn refused_address_returns_its_place_and_leaves_no_row() {
        let admission = admission(1, Some(0));
        assert!(admission.admit(IpAddr::from([10, 0, 0, 1])).is_none());
        assert_eq!(admission.total.available_permits(), 1);
    }
}
