//! Which keys a table surely lacks, and the memory before it.
//!
//! Most keys that are looked for are new: claims of payments, codes that no till has touched. They come in
//! no order, so each look would walk through that memory and read a page of its own, to find nothing. A Bloom
//! filter answers most of them: 12 bits a key, and one new key in 150 for each layer is looked for all the
//! same.
//!
//! It is filled as commits go by, from the table and with what is added, and says nothing before it has all
//! keys. What is taken back may stay in: a key too many costs a look.

use fastbloom::BloomFilter;
use foldhash::quality::RandomState;
use std::hash::{BuildHasher, Hash};

/// How many keys are taken from the table at a commit.
const SCANNED: u32 = 128;

/// How many keys the first layer holds, in 1.5 MB; each one after it holds [`GROWTH`] times as many. A look
/// asks every layer that there is.
const FIRST_LEN: usize = 1024 * 1024;
const GROWTH: usize = 4;

/// Of layers with 22 million keys and 33 MB in all. A table with more is not filtered.
const LAYERS_MAX: usize = 3;

const BITS_A_KEY: usize = 12;

/// How many bits a key sets. Each lies on a page of its own, which is seldom at hand: twice as many would be
/// mistaken as seldom with 11 bits a key, and cost twice as much.
const BITS_SET: u32 = 4;

/// Keys, and whether these are all.
pub(super) struct Filter<K> {
    hasher: RandomState,
    layers: Vec<BloomFilter>,
    /// How many keys the last layer takes yet.
    room: usize,
    scan: Scan<K>,
    scanned: u32,
    first_len: usize,
}

enum Scan<K> {
    /// The table's keys up to this one are in.
    Behind(Option<K>),
    /// All its keys are in.
    Done,
    /// There is no filter.
    Off,
}

impl<K: Hash> Filter<K> {
    /// A filter that knows of no key yet, or none at all.
    pub(super) fn new(is_wanted: bool) -> Self {
        Self {
            hasher: RandomState::default(),
            layers: Vec::new(),
            room: 0,
            scan: if is_wanted {
                Scan::Behind(None)
            } else {
                Scan::Off
            },
            scanned: SCANNED,
            first_len: FIRST_LEN,
        }
    }

    /// Takes fewer keys at once, into smaller layers, so that a test sees them grow.
    #[cfg(test)]
    pub(super) const fn keep_small(&mut self, count: u32) {
        self.scanned = count;
        self.first_len = count as usize;
    }

    /// Whether surely no row has `key`, but for those of the open transaction.
    pub(super) fn lacks(&self, key: &K) -> bool {
        matches!(self.scan, Scan::Done) && !self.has(self.hasher.hash_one(key))
    }

    fn has(&self, hash: u64) -> bool {
        self.layers.iter().any(|it| it.contains_hash(hash))
    }

    /// Notes a key that a row may have.
    pub(super) fn note(&mut self, key: &K) {
        if matches!(self.scan, Scan::Off) {
            return;
        }
        let hash = self.hasher.hash_one(key);
        if self.has(hash) {
            return;
        }
        if self.room == 0 {
            self.grow();
        }
        if let Some(last) = self.layers.last_mut() {
            last.insert_hash(hash);
            self.room -= 1;
        }
    }

    /// Adds a layer; gives up where there would be too many.
    fn grow(&mut self) {
        let layers = self.layers.len();
        if layers == LAYERS_MAX {
            self.scan = Scan::Off;
            self.layers.clear();
            return;
        }
        self.room = (0..layers).fold(self.first_len, |len, _| len * GROWTH);
        let layer = BloomFilter::with_num_bits(BITS_A_KEY * self.room);
        self.layers.push(layer.hashes(BITS_SET));
    }

    /// Takes the table's next keys in, by `keys` behind a key and so many at most.
    pub(super) fn scan<E>(
        &mut self,
        keys: impl FnOnce(Option<&K>, u32) -> Result<Vec<K>, E>,
    ) -> Result<(), E> {
        let Scan::Behind(after) = &self.scan else {
            return Ok(());
        };
        let mut keys = keys(after.as_ref(), self.scanned)?;
        let is_end = keys.len() < self.scanned as usize;
        keys.iter().for_each(|it| self.note(it));
        // These may have been too many.
        if matches!(self.scan, Scan::Behind(_)) {
            self.scan = if is_end {
                Scan::Done
            } else {
                Scan::Behind(keys.pop())
            };
        }
        Ok(())
    }

    /// Begins anew: nobody knows what is in the table.
    pub(super) fn clear(&mut self) {
        self.layers.clear();
        self.room = 0;
        self.scan = match self.scan {
            Scan::Behind(_) | Scan::Done => Scan::Behind(None),
            Scan::Off => Scan::Off,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const SMALL: u32 = 128;

    fn small() -> Filter<u32> {
        let mut filter = Filter::new(true);
        filter.keep_small(SMALL);
        filter
    }

    /// Takes in the next of the keys `0..len`.
    fn scan(filter: &mut Filter<u32>, len: u32) {
        let keys = |after: Option<&u32>, count: u32| {
            let from = after.map_or(0, |it| it + 1);
            Ok::<_, Infallible>((from..len.min(from + count)).collect())
        };
        filter.scan(keys).unwrap();
    }

    #[test]
    fn it_says_nothing_before_it_has_all_keys() {
        let mut filter = small();
        for _ in 0..3 {
            assert!(!filter.lacks(&1_000_000));
            scan(&mut filter, 2 * SMALL);
        }
        assert!(filter.lacks(&1_000_000));
        assert!((0..2 * SMALL).all(|key| !filter.lacks(&key)));
        filter.clear();
        assert!(!filter.lacks(&1_000_000));
    }

    #[test]
    fn it_lacks_none_of_its_keys_and_most_others() {
        let mut filter = small();
        scan(&mut filter, 0);
        (0..2_000).for_each(|key| filter.note(&key));
        assert!((0..2_000).all(|key| !filter.lacks(&key)));
        let mistaken = (2_000..12_000).filter(|key| !filter.lacks(key)).count();
        assert!(mistaken < 500, "{mistaken} of 10000");
    }

    #[test]
    fn a_table_with_too_many_keys_is_not_filtered() {
        let mut filter = small();
        scan(&mut filter, 0);
        (0..100_000).for_each(|key| filter.note(&key));
        assert!((0..200_000).all(|key| !filter.lacks(&key)));
        scan(&mut filter, 0);
        filter.clear();
        scan(&mut filter, 0);
        assert!(!filter.lacks(&200_000), "it does not begin again");
    }

    #[test]
    fn a_filter_that_is_not_wanted_lacks_nothing() {
        let mut filter = Filter::new(false);
        scan(&mut filter, 0);
        filter.note(&1);
        assert!(!filter.lacks(&2));
    }
}
