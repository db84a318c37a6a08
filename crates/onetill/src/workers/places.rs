//! Places for work that runs at the same time: so many for each key, so many in all. Whoever has
//! many waiting takes no more than their own.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The places.
pub struct Places<K> {
    all_max: usize,
    taken: Mutex<Taken<K>>,
    /// A place was given back.
    freed: Notify,
    /// The last place was given back.
    emptied: Notify,
}

struct Taken<K> {
    all: usize,
    by_key: BTreeMap<K, usize>,
}

/// One place; gives itself back when dropped, so that a panic does not keep it.
pub struct Place<K: Copy + Ord> {
    places: Arc<Places<K>>,
    key: K,
}

impl<K: Copy + Ord> Places<K> {
    /// Places for `all_max` at the same time.
    #[must_use]
    pub fn new(all_max: usize) -> Arc<Self> {
        Arc::new(Self {
            all_max,
            taken: Mutex::new(Taken {
                all: 0,
                by_key: BTreeMap::new(),
            }),
            freed: Notify::new(),
            emptied: Notify::new(),
        })
    }

    /// Takes a place for `key`; `None` when `key` has `key_max` of them, or all are taken.
    pub fn enter(self: &Arc<Self>, key: K, key_max: usize) -> Option<Place<K>> {
        let mut taken = self.taken();
        let of_key = taken.by_key.get(&key).copied().unwrap_or(0);
        if of_key >= key_max || taken.all >= self.all_max {
            return None;
        }
        taken.all += 1;
        taken.by_key.insert(key, of_key + 1);
        Some(Place {
            places: Arc::clone(self),
            key,
        })
    }

    /// How many places are free in all.
    pub fn free(&self) -> usize {
        self.all_max.saturating_sub(self.taken().all)
    }

    /// The keys that have as many places as `key_max` allows them.
    pub fn full(&self, key_max: impl Fn(K) -> usize) -> Vec<K> {
        let taken = self.taken();
        let full = taken.by_key.iter().filter(|(key, n)| **n >= key_max(**key));
        full.map(|(key, _)| *key).collect()
    }

    /// Completes when a place has been given back since this was last awaited.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Completes once no place is taken; the caller takes no new one.
    pub async fn idle(&self) {
        let mut emptied = pin!(self.emptied.notified());
        emptied.as_mut().enable();
        if self.taken().all > 0 {
            emptied.await;
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken<K>> {
        // Nothing panics between two changes that belong together.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, key: K) {
        let mut taken = self.taken();
        taken.all -= 1;
        if let Some(of_key) = taken.by_key.get_mut(&key) {
            *of_key -= 1;
            if *of_key == 0 {
                taken.by_key.remove(&key);
            }
        }
        if taken.all == 0 {
            self.emptied.notify_waiters();
        }
        self.freed.notify_one();
    }
}

impl<K: Copy + Ord> Drop for Place<K> {
    fn drop(&mut self) {
        self.places.leave(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn one_key_does_not_take_the_places_of_another() {
        let places = Places::new(4);
        let mut held: Vec<_> = (0..3).filter_map(|_| places.enter("a", 3)).collect();
        assert_eq!((held.len(), places.free()), (3, 1));
        assert!(places.enter("a", 3).is_none());
        assert_eq!(places.full(|_| 3), ["a"]);
        held.extend(places.enter("b", 3));
        assert_eq!(held.len(), 4);
        assert!(places.enter("c", 3).is_none(), "all are taken");
        held.remove(0);
        assert!(places.full(|_| 3).is_empty());
        assert!(places.enter("a", 3).is_some());
    }

    #[tokio::test]
    async fn a_panic_gives_the_place_back() {
        let places = Places::new(4);
        let place = places.enter("a", 1).unwrap();
        let task = tokio::spawn(async move {
            let _place = place;
            panic!("on purpose");
        });
        assert!(task.await.unwrap_err().is_panic());
        places.freed().await;
        assert_eq!(places.free(), 4);
        assert!(places.enter("a", 1).is_some());
    }

    #[tokio::test]
    async fn idle_waits_for_the_last_place() {
        let places = Places::new(4);
        places.idle().await;
        let place = places.enter("a", 1).unwrap();
        let brief = Duration::from_millis(20);
        assert!(tokio::time::timeout(brief, places.idle()).await.is_err());
        drop(place);
        places.idle().await;
    }
}
