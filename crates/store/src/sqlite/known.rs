//! What the writer knows of a table without looking into it.
//!
//! It alone changes the table, so what it found or wrote there stays true until it writes again. All of
//! this is of the table as of the last commit.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    mem,
};

/// Rows of keys, and keys without one.
pub(super) struct Known<K, R> {
    /// How many make a generation.
    len_max: usize,
    /// Asked before `old`.
    young: HashMap<K, Option<R>>,
    /// The generation before. What is asked for is young again, the others are forgotten.
    old: HashMap<K, Option<R>>,
}

impl<K: Hash + Eq, R: Clone> Known<K, R> {
    /// Nothing is known yet; at most twice `len_max` keys will be.
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            len_max,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// The row of `key`, if it is known that it has one or none.
    pub(super) fn get(&mut self, key: &K) -> Option<Option<R>> {
        if let Some(row) = self.young.get(key) {
            return Some(row.clone());
        }
        let (key, row) = self.old.remove_entry(key)?;
        self.put(key, row.clone());
        Some(row)
    }

    /// Notes the row of `key`, or that it has none.
    pub(super) fn put(&mut self, key: K, row: Option<R>) {
        if self.len_max == 0 {
            return;
        }
        if self.young.len() >= self.len_max {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, row);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

/// Gaps between the keys of a table: most keys that are looked for are new, and where they ascend the
/// next one lies in the gap that was found for the one before.
pub(super) struct Gaps<K>(BTreeMap<K, Gap<K>>);

/// From where it is filed up to its end, and none of them overlap.
struct Gap<K> {
    /// Whether its first key is in it.
    has_first: bool,
    /// The first key behind it.
    end: K,
}

/// How many gaps are known; when there are more, all are forgotten.
const GAPS_MAX: usize = 64 * 1024;

impl<K> Default for Gaps<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Gaps<K> {
    /// Whether no row has `key`, as far as that is known.
    pub(super) fn contain(&self, key: &K) -> bool {
        let before = self.0.range(..=key).next_back();
        before.is_some_and(|(first, it)| *key < it.end && (it.has_first || first < key))
    }

    /// Notes that no row has `key`, which was in no gap, or any other before `end`.
    pub(super) fn note(&mut self, key: K, end: K) {
        if self.0.len() >= GAPS_MAX {
            self.0.clear();
        }
        while let Some((within, _)) = self.0.range(&key..&end).next() {
            let within = within.clone();
            self.0.remove(&within);
        }
        let has_first = true;
        self.0.insert(key, Gap { has_first, end });
    }

    /// Notes that a row has `key` now. What lies before it is not remembered: new keys lie behind.
    pub(super) fn enter(&mut self, key: &K) {
        let Some((first, it)) = self.0.range(..=key).next_back() else {
            return;
        };
        if *key < it.end {
            let first = first.clone();
            if let Some(Gap { end, .. }) = self.0.remove(&first) {
                let has_first = false;
                self.0.insert(key.clone(), Gap { has_first, end });
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_asked_for_outlives_what_is_not() {
        let mut known = Known::new(2);
        known.put(1, Some("asked for"));
        known.put(2, Some("not"));
        for key in 3..9 {
            known.put(key, None);
            assert_eq!(known.get(&1), Some(Some("asked for")));
            assert_eq!(known.get(&key), Some(None));
        }
        assert_eq!(known.get(&2), None);
    }

    #[test]
    fn the_newest_row_counts() {
        let mut known = Known::new(1);
        known.put(1, Some("old"));
        known.put(2, None);
        known.put(1, Some("new"));
        assert_eq!(known.get(&1), Some(Some("new")));
        known.clear();
        assert_eq!(known.get(&1), None);
    }

    #[test]
    fn keys_that_ascend_stay_in_their_gap() {
        let mut gaps = Gaps::default();
        gaps.note(10, 100);
        gaps.enter(&10);
        gaps.enter(&11);
        assert!(!gaps.contain(&10) && !gaps.contain(&11) && !gaps.contain(&100));
        assert!(gaps.contain(&12) && gaps.contain(&99));
    }

    proptest! {
        #[test]
        fn a_gap_has_no_key(steps in prop::collection::vec((0_u8..40, any::<bool>()), 1..200)) {
            let (mut keys, mut gaps) = (BTreeSet::new(), Gaps::default());
            for (key, enters) in steps {
                if enters {
                    keys.insert(key);
                    gaps.enter(&key);
                } else if !keys.contains(&key) && !gaps.contain(&key) {
                    let end = keys.range(key..).next().copied().unwrap_or(u8::MAX);
                    gaps.note(key, end);
                    prop_assert!(gaps.contain(&key));
                }
                prop_assert!(!keys.iter().any(|it| gaps.contain(it)));
            }
        }
    }
}
