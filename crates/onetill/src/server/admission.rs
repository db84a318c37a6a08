//! How many connections there may be, in all and from one address, and who makes room.
//!
//! Connections cost an attacker nothing. When all places are taken, the connection that has kept
//! us waiting longest for the rest of a request, or for the next one, gives its place to the
//! newcomer: who talks is served, whoever holds the other places.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{Counter, Gauge};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Limits;
use super::limits::ClientKey;
use super::pace::Pulse;
use crate::telemetry::names;

/// Nobody is sent away before having kept us waiting for this long.
const GRACE: Duration = Duration::from_secs(1);
/// How many places are looked at to find one that can be given away: bounded work for each
/// newcomer, however many come.
const LOOKS: usize = 64;
/// How often the log tells that places are short.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Counts connections, lets them in or refuses them.
pub(super) struct Admission {
    most: usize,
    per_address_most: Option<u32>,
    guests: Mutex<Guests>,
    open: Gauge,
    refused_total: Counter,
    refused_address: Counter,
    sent_away: Counter,
}

/// Who holds which place.
#[derive(Default)]
struct Guests {
    places: Vec<Option<Guest>>,
    free: Vec<usize>,
    /// Where the next look for a place to give away begins.
    hand: usize,
    /// Numbers guests, so that one who was sent away frees nobody else's place.
    last_number: u64,
    /// An address leaves with its last connection, so this is never longer than they are many.
    by_client: HashMap<ClientKey, u32>,
    told_at: Option<Instant>,
}

struct Guest {
    number: u64,
    client: ClientKey,
    pulse: Arc<Pulse>,
    /// Known as soon as the connection's task is.
    task: Option<AbortHandle>,
}

/// Where a connection's place is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: usize,
    number: u64,
}

/// One connection's place; dropping it frees the place.
pub(super) struct Permit {
    place: Place,
    admission: Arc<Admission>,
}

impl Permit {
    pub(super) const fn place(&self) -> Place {
        self.place
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.leave(self.place);
    }
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            most: limits.connections_max,
            per_address_most: limits.connections_per_address_max,
            guests: Mutex::default(),
            open: metrics::gauge!(names::CONNECTIONS),
            refused_total: metrics::counter!(names::CONNECTIONS_REFUSED, "reason" => "total"),
            refused_address: metrics::counter!(names::CONNECTIONS_REFUSED, "reason" => "address"),
            sent_away: metrics::counter!(names::CONNECTIONS_SENT_AWAY),
        })
    }

    /// A place for a connection from `ip`, or `None` when it is one too many.
    pub(super) fn admit(self: &Arc<Self>, ip: IpAddr, pulse: Arc<Pulse>) -> Option<Permit> {
        let client = ClientKey::new(ip);
        let mut guests = self.guests();
        let from_there = guests.by_client.get(&client).copied().unwrap_or(0);
        if self.per_address_most.is_some_and(|most| from_there >= most) {
            self.refused_address.increment(1);
            return None;
        }
        if guests.count() >= self.most && !self.make_room(&mut guests) {
            self.refused_total.increment(1);
            guests.tell("all places are taken by busy connections: newcomers are refused");
            return None;
        }
        let place = guests.seat(client, pulse);
        self.open.increment(1.0);
        drop(guests);
        let admission = Arc::clone(self);
        Some(Permit { place, admission })
    }

    /// Tells which task serves the connection at `place`.
    pub(super) fn serves(&self, place: Place, task: AbortHandle) {
        // One that has ended already left its place.
        if let Some(guest) = self.guests().at(place) {
            guest.task = Some(task);
        }
    }

    fn make_room(&self, guests: &mut Guests) -> bool {
        let Some(place) = guests.longest_waited_for() else {
            return false;
        };
        let Some(guest) = guests.remove(place) else {
            return false;
        };
        // What it asked for goes on by itself; only the connection ends.
        guest.task.inspect(AbortHandle::abort);
        self.open.decrement(1.0);
        self.sent_away.increment(1);
        guests
            .tell("all places are taken: the longest silent connections are closed for newcomers");
        true
    }

    fn leave(&self, place: Place) {
        if self.guests().remove(place).is_some() {
            self.open.decrement(1.0);
        }
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    fn count(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn seat(&mut self, client: ClientKey, pulse: Arc<Pulse>) -> Place {
        self.last_number += 1;
        let number = self.last_number;
        let guest = Some(Guest {
            number,
            client,
            pulse,
            task: None,
        });
        *self.by_client.entry(client).or_default() += 1;
        let at = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(at) {
            Some(place) => *place = guest,
            None => self.places.push(guest),
        }
        Place { at, number }
    }

    fn at(&mut self, place: Place) -> Option<&mut Guest> {
        let guest = self.places.get_mut(place.at)?.as_mut();
        guest.filter(|guest| guest.number == place.number)
    }

    /// Frees a place, if its guest still holds it.
    fn remove(&mut self, place: Place) -> Option<Guest> {
        self.at(place)?;
        let guest = self.places.get_mut(place.at)?.take()?;
        self.free.push(place.at);
        if let Some(count) = self.by_client.get_mut(&guest.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_client.remove(&guest.client);
            }
        }
        Some(guest)
    }

    /// Among the next few places, the one whose guest has kept us waiting longest.
    fn longest_waited_for(&mut self) -> Option<Place> {
        let count = self.places.len();
        let looks = LOOKS.min(count);
        let from = self.hand;
        self.hand = (from + looks).checked_rem(count)?;
        let seen = (from..from + looks).filter_map(|at| {
            let at = at.checked_rem(count)?;
            let guest = self.places.get(at)?.as_ref()?;
            guest.task.as_ref()?;
            let waited = guest.pulse.waited_for()?;
            let number = guest.number;
            (waited >= GRACE).then_some((waited, Place { at, number }))
        });
        seen.max_by_key(|(waited, _)| *waited)
            .map(|(_, place)| place)
    }

    fn tell(&mut self, what: &'static str) {
        if self.told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Instant::now());
            tracing::warn!(connections = self.count(), "{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::JoinHandle;

    const ONE: [u8; 4] = [10, 0, 0, 1];
    const TWO: [u8; 4] = [10, 0, 0, 2];

    fn admission(total: usize, per_address: Option<u32>) -> Arc<Admission> {
        Admission::new(&Limits {
            connections_max: total,
            connections_per_address_max: per_address,
            ..Limits::default()
        })
    }

    fn enter(admission: &Arc<Admission>, ip: [u8; 4]) -> Option<Permit> {
        admission.admit(IpAddr::from(ip), Arc::new(Pulse::new()))
    }

    #[test]
    fn total_is_bounded_and_places_come_back() {
        let admission = admission(2, None);
        let first = enter(&admission, ONE);
        let second = enter(&admission, ONE);
        assert!(first.is_some() && second.is_some());
        assert!(enter(&admission, ONE).is_none());
        drop(first);
        assert!(enter(&admission, ONE).is_some());
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let admission = admission(10, Some(1));
        let first = enter(&admission, ONE);
        assert!(first.is_some());
        assert!(enter(&admission, ONE).is_none());
        assert!(enter(&admission, TWO).is_some());
        drop(first);
        assert!(enter(&admission, ONE).is_some());
    }

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let admission = admission(3, Some(0));
        assert!(enter(&admission, ONE).is_none());
        assert_eq!(admission.guests().count(), 0);
        let open = self::admission(3, None);
        drop((enter(&open, ONE), enter(&open, TWO)));
        assert!(open.guests().by_client.is_empty());
        assert_eq!(open.guests().count(), 0);
        assert_eq!(open.guests().places.len(), 2, "places are used again");
    }

    /// A guest who came in that long ago and has said nothing yet.
    fn silent(admission: &Arc<Admission>, ago: Duration) -> (Permit, JoinHandle<()>) {
        let pulse = Arc::new(Pulse::opened_ago(ago));
        seated(admission, pulse)
    }

    fn seated(admission: &Arc<Admission>, pulse: Arc<Pulse>) -> (Permit, JoinHandle<()>) {
        let permit = admission.admit(IpAddr::from(ONE), pulse).unwrap();
        let task = tokio::spawn(std::future::pending::<()>());
        admission.serves(permit.place(), task.abort_handle());
        (permit, task)
    }

    #[tokio::test]
    async fn the_longest_silent_makes_room_and_frees_its_place_once() {
        let admission = admission(3, None);
        let second = silent(&admission, GRACE * 20);
        let (first, task) = silent(&admission, GRACE * 30);
        let third = silent(&admission, GRACE * 10);
        let newcomer = enter(&admission, TWO);
        assert!(newcomer.is_some());
        assert!(task.await.unwrap_err().is_cancelled());
        drop(first);
        assert_eq!(admission.guests().count(), 3, "the place is the newcomer's");
        assert!(!second.1.is_finished() && !third.1.is_finished());
    }

    #[tokio::test]
    async fn neither_the_busy_nor_the_new_are_sent_away() {
        let admission = admission(2, None);
        let busy = Pulse::opened_ago(GRACE * 60);
        busy.busy(false);
        let first = seated(&admission, Arc::new(busy));
        let second = silent(&admission, Duration::ZERO);
        assert!(enter(&admission, TWO).is_none());
        assert!(!first.1.is_finished() && !second.1.is_finished());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_makes_room() {
        let admission = admission(1, None);
        let waiting = Pulse::opened_ago(GRACE * 60);
        waiting.busy(true);
        let (_permit, task) = seated(&admission, Arc::new(waiting));
        assert!(enter(&admission, TWO).is_some());
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
