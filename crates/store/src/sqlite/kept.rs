//! The rows that a table filled late may not have yet (see `late_table`), and how readers of the same store
//! see them.

use super::late_table::{ByKey, LateTable};
use foldhash::fast::RandomState;
use std::{
    collections::HashMap,
    fmt::{self, Debug},
    ops::{Bound, RangeBounds},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

/// The rows that may not be in the table yet.
pub(super) struct Kept<T: LateTable>(RwLock<Rows<T>>);

struct Rows<T: LateTable> {
    ordered: ByKey<T>,
    /// Those that changed last, newer than the ones in order that have their keys.
    young: HashMap<T::Key, T::Row, RandomState>,
    /// [`LateTable::YOUNG_MAX`]; fewer in tests.
    young_max: usize,
}

impl<T: LateTable> Rows<T> {
    fn get(&self, key: &T::Key) -> Option<&T::Row> {
        self.young.get(key).or_else(|| self.ordered.get(key))
    }

    fn put_in_order(&mut self) {
        self.ordered.extend(self.young.drain());
    }

    fn len(&self) -> usize {
        self.ordered.len() + self.young.len()
    }
}

impl<T: LateTable> Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} rows)", self.len())
    }
}

impl<T: LateTable> Kept<T> {
    pub(super) fn new(rows: ByKey<T>) -> Self {
        Self(RwLock::new(Rows {
            ordered: rows,
            young: HashMap::default(),
            young_max: T::YOUNG_MAX,
        }))
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn keep_young(&self, count: usize) {
        self.write().young_max = count;
    }

    /// How many there are; a row of which there is a newer one may count twice.
    pub(super) fn len(&self) -> usize {
        self.read().len()
    }

    pub(super) fn get(&self, key: &T::Key) -> Option<T::Row> {
        self.read().get(key).cloned()
    }

    /// Its newest row, if that changed last.
    pub(super) fn get_young(&self, key: &T::Key) -> Option<T::Row> {
        self.read().young.get(key).cloned()
    }

    pub(super) fn replace(&self, rows: ByKey<T>) {
        let mut kept = self.write();
        kept.ordered = rows;
        kept.young.clear();
    }

    /// A key that entered the table may have a newer row again. Gives those added that may be new.
    pub(super) fn change<'k>(
        &self,
        entered: impl Iterator<Item = &'k T::Key>,
        added: ByKey<T>,
    ) -> Vec<T::Key> {
        let mut rows = self.write();
        for key in entered {
            rows.ordered.remove(key);
            rows.young.remove(key);
        }
        let mut new = Vec::with_capacity(added.len());
        if rows.young_max == 0 {
            new.extend(added.keys().cloned());
            rows.ordered.extend(added);
            return new;
        }
        for (key, row) in added {
            if let Some(young) = rows.young.get_mut(&key) {
                *young = row;
            } else {
                new.push(key.clone());
                rows.young.insert(key, row);
            }
        }
        if rows.young.len() > rows.young_max {
            rows.put_in_order();
        }
        new
    }

    /// Has [`Kept::next`] come by all rows that there are now.
    pub(super) fn put_in_order(&self) {
        self.write().put_in_order();
    }

    /// The first `count` keys in order behind `after`, with their newest rows.
    pub(super) fn next(&self, after: Option<&T::Key>, count: usize) -> Vec<(T::Key, T::Row)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.read();
        let next = rows.ordered.range((from, Bound::Unbounded)).take(count);
        let mut newest = Vec::with_capacity(count.min(rows.ordered.len()));
        newest.extend(
            next.map(|(key, row)| (key.clone(), rows.young.get(key).unwrap_or(row).clone())),
        );
        newest
    }

    /// The first `count` rows whose keys are in `range`.
    pub(super) fn range(&self, range: impl RangeBounds<T::Key>, count: usize) -> ByKey<T> {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        let rows = self.read();
        let copy = |(key, row): (&T::Key, &T::Row)| (key.clone(), row.clone());
        let ordered = rows.ordered.range(range.clone()).take(count);
        let mut found: ByKey<T> = ordered.map(copy).collect();
        let young = rows.young.iter().filter(|(key, _)| range.contains(key));
        found.extend(young.map(copy));
        while found.len() > count {
            found.pop_last();
        }
        found
    }
}

/// What the writer keeps in memory, as the readers of the same store see it while it lives.
#[derive(Clone, Debug)]
pub(super) struct Recent<T: LateTable>(Arc<RwLock<Weak<Kept<T>>>>);

impl<T: LateTable> Default for Recent<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// What [`Recent`] knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recall<R> {
    /// This is its row.
    Row(R),
    /// If it has a row, that is in the table.
    Settled,
    /// No writer lives here: what lies above the settled number has to be asked.
    Unkept,
}

impl<T: LateTable> Recent<T> {
    fn kept(&self) -> Option<Arc<Kept<T>>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.upgrade()
    }

    /// To be asked before the table: a row leaves the one after it has entered the other.
    pub(super) fn recall(&self, key: &T::Key) -> Recall<T::Row> {
        let Some(kept) = self.kept() else {
            return Recall::Unkept;
        };
        kept.get(key).map_or(Recall::Settled, Recall::Row)
    }

    /// The first `count` rows in `range` that are kept in memory; `None` when no writer lives here. To
    /// be asked before the table, too.
    pub(super) fn range(&self, range: impl RangeBounds<T::Key>, count: usize) -> Option<ByKey<T>> {
        self.kept().map(|kept| kept.range(range, count))
    }

    pub(super) fn publish(&self, kept: &Arc<Kept<T>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(kept);
    }
}
