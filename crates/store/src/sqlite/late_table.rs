//! Tables that are filled late: what a row with a random key costs, paid once for many of them.
//!
//! A table whose keys come in no order gets a random page dirty for each row that enters it as it is
//! recorded. For payments, whose claims are hashes, that was half of all pages a commit wrote, and a
//! third of the throughput; for purchases at terminals, whose keys lie together by terminal, it was
//! the same, and a redemption of a voucher code cost more than two payments. So new rows are kept in
//! memory, in the order of their keys (which those that changed last may enter a little later), and once there
//! are too many, commits move as many into the table as they add, some tables' a hundred at a time: the next
//! ones in that order, which lie on few pages. Rows that change again and again, cards and terminals among
//! them, are written once for many changes.
//!
//! Nothing rests on the memory. Each row is recorded elsewhere, too, where rows append, under a number
//! that grows. The table is complete up to the *settled* number, and what lies above is read back when
//! the writer opens the store, and whenever a commit left in doubt what is stored.
//!
//! Invariant: the newest row of a key is in the table, or its number is above the settled one and it
//! is in [`Kept`] as long as a writer lives. The audit proves it of the rows.

use super::{
    filter::Filter,
    indexes::InStep,
    kept::{Kept, Recent},
    known::{Gaps, Known},
    statements::Statements,
};
use crate::contract::StoreError;
use rusqlite::Connection;
use std::{collections::BTreeMap, fmt::Debug, hash::Hash, mem, ops::RangeBounds, sync::Arc};

/// How many rows a commit moves beyond twice what it adds, when there are too many; or
/// [`LateTable::MOVED_AT_ONCE`], if that is more.
const MOVED_EXTRA: usize = 16;

/// A table that is filled late, and where its rows are recorded meanwhile.
pub(super) trait LateTable: Debug + 'static {
    type Key: Clone + Ord + Hash + Debug + Send + Sync + 'static;
    type Row: Clone + Send + Sync + 'static;

    /// How many rows are kept in memory before commits move them on, [`LateTable::MOVED_AT_ONCE`] more at
    /// most. More of them lie closer together; but up to three times as many are read at start, and of logs
    /// several changes for each.
    const RECENT_MAX: usize = 64 * 1024;

    /// How many rows are moved on together: where neighbours lie on one page, many of them are written
    /// for the price of a few.
    const MOVED_AT_ONCE: usize = 1;

    /// Twice as many rows that are in the table are remembered at most: those of keys that are asked
    /// for again and again.
    const KNOWN_MAX: usize = 0;

    /// How many rows that changed last are kept apart from the others, in no order, before they are put in
    /// order together: where a row changes again soon, it is put there once.
    const YOUNG_MAX: usize = 0;

    /// How the table's keys are read, where most that are looked for are new and come in no order, so that
    /// it is worth knowing which ones it lacks. Rows do not leave such a table, and enter it by
    /// [`Late::add_row`].
    const KEYS: Option<KeysBehind<Self::Key>> = None;

    /// The row that has `key` in the table.
    fn find(statements: &Statements<'_>, key: &Self::Key) -> Result<Option<Self::Row>, StoreError>;

    /// As [`LateTable::find`]; where keys ascend, tells how far there is nothing, too.
    fn seek(statements: &Statements<'_>, key: &Self::Key) -> Result<Sought<Self>, StoreError>
    where
        Self: Sized,
    {
        let found = Self::find(statements, key)?;
        Ok(found.map_or(Sought::Nothing, Sought::Row))
    }

    /// Enters a row in the table. One that was read back after a restart may be there already.
    fn put(statements: &Statements<'_>, key: &Self::Key, row: &Self::Row)
    -> Result<(), StoreError>;

    /// The rows that the table may not have yet.
    fn read_back(connection: &Connection) -> Result<ReadBack<Self>, StoreError>
    where
        Self: Sized;

    /// Moves the settled number from `settled` towards `complete`, with the work that goes into about
    /// `rows` rows at most; returns how far it got.
    fn settle(
        connection: &Connection,
        settled: i64,
        complete: i64,
        rows: usize,
    ) -> Result<i64, StoreError>;

    /// How many rows in memory the numbers behind those weigh as much as up to which the table is complete:
    /// where a key may have many of them, they are to be settled though few keys are in memory.
    fn weight(_complete: i64, _newest: i64) -> usize {
        0
    }
}

/// The first so many keys of a table behind one, in their order.
pub(super) type KeysBehind<K> = fn(&Statements<'_>, Option<&K>, u32) -> Result<Vec<K>, StoreError>;

pub(super) type ByKey<T> = BTreeMap<<T as LateTable>::Key, <T as LateTable>::Row>;

/// What became of keys in a table: their rows, or that they have none.
type Entered<T> = BTreeMap<<T as LateTable>::Key, Option<<T as LateTable>::Row>>;

/// What a table has for a key.
pub(super) enum Sought<T: LateTable> {
    /// This row.
    Row(T::Row),
    /// Nothing.
    Nothing,
    /// Nothing, nor for any key from there to before this one.
    NothingUpTo(T::Key),
}

/// What a store's rows say when it is opened.
pub(super) struct ReadBack<T: LateTable> {
    pub rows: ByKey<T>,
    /// Up to here the table is complete.
    pub settled: i64,
    /// The newest number.
    pub newest: i64,
}

/// The writer's side.
pub(super) struct Late<T: LateTable> {
    kept: Arc<Kept<T>>,
    known: Known<T::Key, T::Row>,
    gaps: Gaps<T::Key>,
    /// The keys of the table and of `kept`.
    filter: Filter<T::Key>,
    /// [`LateTable::RECENT_MAX`]; fewer in tests.
    recent_max: usize,
    /// [`LateTable::MOVED_AT_ONCE`]; fewer in tests.
    moved_at_once: usize,
    /// Where the round through [`Kept`] is, as of the last commit.
    round: Round<T::Key>,
    /// What the open transaction does.
    open: Open<T>,
    /// Whether a failed commit left in doubt what is stored.
    is_doubtful: bool,
}

/// One round moves every row that [`Kept`] held when it began, which is not before there are too many.
#[derive(Clone)]
struct Round<K> {
    /// Whether it has begun.
    is_under_way: bool,
    /// The last key that was moved.
    after: Option<K>,
    /// The newest number when the round began. New rows at or below it (their clock went
    /// back) go to the table at once, so that the round's end settles all up to here.
    began_at: i64,
    /// The newest number.
    newest: i64,
    /// Up to here the table is complete.
    complete: i64,
    /// Up to here it is known to be.
    settled: i64,
}

struct Open<T: LateTable> {
    round: Round<T::Key>,
    /// Recorded, and not in the table.
    added: ByKey<T>,
    /// Changed in the table.
    entered: Entered<T>,
}

impl<T: LateTable> Open<T> {
    fn new(round: &Round<T::Key>) -> Self {
        Self {
            round: round.clone(),
            added: BTreeMap::new(),
            entered: BTreeMap::new(),
        }
    }
}

impl<T: LateTable> Late<T> {
    /// Reads back what the table does not have yet, and lets `recent`'s readers see it.
    pub(super) fn open(connection: &Connection, recent: &Recent<T>) -> Result<Self, StoreError> {
        let (rows, round) = read_back::<T>(connection)?;
        let mut filter = Filter::new(T::KEYS.is_some());
        rows.keys().for_each(|key| filter.note(key));
        let kept = Arc::new(Kept::new(rows));
        recent.publish(&kept);
        Ok(Self {
            kept,
            known: Known::new(T::KNOWN_MAX),
            gaps: Gaps::default(),
            filter,
            recent_max: T::RECENT_MAX,
            moved_at_once: T::MOVED_AT_ONCE,
            open: Open::new(&round),
            round,
            is_doubtful: false,
        })
    }

    /// Keeps and knows fewer, so that a test sees them move and looked up.
    #[cfg(test)]
    pub(super) fn keep_at_most(&mut self, count: usize) {
        self.recent_max = count;
        self.moved_at_once = T::MOVED_AT_ONCE.min((count / 4).max(1));
        self.kept.keep_young(T::YOUNG_MAX.min(count / 2));
        self.known = Known::new(T::KNOWN_MAX.min(count));
        // All that a test adds: a filter that gave up would say nothing.
        self.filter.keep_small(u32::try_from(16 * count).unwrap());
    }

    #[cfg(test)]
    pub(super) fn kept_len(&self) -> usize {
        self.kept.len()
    }

    /// The newest row that has `key`.
    pub(super) fn find(
        &mut self,
        statements: &Statements<'_>,
        key: &T::Key,
    ) -> Result<Option<T::Row>, StoreError> {
        if let Some(row) = self.open.added.get(key) {
            return Ok(Some(row.clone()));
        }
        if let Some(row) = self.open.entered.get(key) {
            return Ok(row.clone());
        }
        // What changed last changes again soon, and is at hand.
        if T::YOUNG_MAX > 0
            && let Some(row) = self.kept.get_young(key)
        {
            return Ok(Some(row));
        }
        if self.filter.lacks(key) {
            return Ok(None);
        }
        if let Some(row) = self.kept.get(key) {
            return Ok(Some(row));
        }
        if let Some(row) = self.known.get(key) {
            return Ok(row);
        }
        if self.gaps.contain(key) {
            return Ok(None);
        }
        let found = match T::seek(statements, key)? {
            Sought::Row(row) => Some(row),
            Sought::Nothing => None,
            Sought::NothingUpTo(end) => {
                self.gaps.note(key.clone(), end);
                return Ok(None);
            }
        };
        self.known.put(key.clone(), found.clone());
        Ok(found)
    }

    /// The rows in `range` that are in memory, newer than those in the table.
    pub(super) fn range(&self, range: impl RangeBounds<T::Key> + Clone) -> ByKey<T> {
        let mut rows = self.kept.range(range.clone(), usize::MAX);
        let added = self.open.added.range(range);
        rows.extend(added.map(|(key, row)| (key.clone(), row.clone())));
        rows
    }

    /// The newest number, the open transaction's among them.
    pub(super) const fn newest(&self) -> i64 {
        self.open.round.newest
    }

    /// Notes that the open transaction records `row` with `key` under `number`.
    pub(super) fn add_row(
        &mut self,
        statements: &Statements<'_>,
        key: T::Key,
        row: T::Row,
        number: i64,
    ) -> Result<(), StoreError> {
        let round = &mut self.open.round;
        round.newest = round.newest.max(number);
        if number <= round.began_at {
            T::put(statements, &key, &row)?;
            self.filter.note(&key);
            self.entered(key, Some(row));
        } else {
            self.open.added.insert(key, row);
        }
        Ok(())
    }

    /// Notes that the open transaction removes the row that has `key` from the table, under `number`.
    pub(super) fn forget(&mut self, key: T::Key, number: i64) {
        let round = &mut self.open.round;
        round.newest = round.newest.max(number);
        self.open.added.remove(&key);
        self.entered(key, None);
    }

    /// How many rows too many there are in memory, or as many numbers as weigh that much.
    fn excess(&self) -> usize {
        let Round {
            newest, complete, ..
        } = self.open.round;
        let held = self.kept.len() + self.open.added.len();
        // What entered leaves the memory with the commit.
        let held = held.saturating_sub(self.open.entered.len());
        let held = held.max(T::weight(complete, newest));
        held.saturating_sub(self.recent_max)
    }

    /// Notes what the open transaction has put into the table, or that it removed it.
    pub(super) fn entered(&mut self, key: T::Key, row: Option<T::Row>) {
        debug_assert!(row.is_none() || !self.filter.lacks(&key), "not noted");
        self.open.entered.insert(key, row);
    }
}

impl<T: LateTable> InStep for Late<T> {
    /// Moves the next rows to the table, when there are too many in memory.
    fn move_on(&mut self, statements: &Statements<'_>) -> Result<(), StoreError> {
        let many = 2 * self.open.added.len() + MOVED_EXTRA;
        let excess = self.excess();
        let wanted = if !self.open.round.is_under_way || excess < self.moved_at_once {
            0
        } else {
            excess.min(many.max(self.moved_at_once))
        };
        let next = self.kept.next(self.open.round.after.as_ref(), wanted);
        let last = next.last().map(|(key, _)| key.clone());
        let is_whole = next.len() < wanted;
        for (key, row) in next {
            // What the open transaction entered or removed is not to be met by what was before; what it
            // adds is moved at once.
            if !self.open.entered.contains_key(&key) {
                let row = self.open.added.remove(&key).unwrap_or(row);
                T::put(statements, &key, &row)?;
                self.entered(key, Some(row));
            }
        }
        let round = &mut self.open.round;
        if is_whole {
            round.complete = round.began_at;
            round.is_under_way = false;
            round.after = None;
        } else if last.is_some() {
            round.after = last;
        }
        if round.settled < round.complete {
            round.settled = T::settle(statements, round.settled, round.complete, many)?;
        }
        if !self.open.round.is_under_way && self.excess() > 0 {
            // This transaction's rows are kept when the next one moves the first of the round.
            let round = &mut self.open.round;
            round.is_under_way = true;
            round.began_at = round.newest;
        }
        if let Some(keys) = T::KEYS {
            self.filter
                .scan(|after, count| keys(statements, after, count))?;
        }
        Ok(())
    }

    fn committed(&mut self) {
        let next = Open::new(&self.open.round);
        let Open {
            round,
            added,
            entered,
        } = mem::replace(&mut self.open, next);
        let begins = round.is_under_way
            && (!self.round.is_under_way || round.began_at != self.round.began_at);
        self.round = round;
        let new = self.kept.change(entered.keys(), added);
        new.iter().for_each(|key| self.filter.note(key));
        if begins {
            // It moves what was in order when it began.
            self.kept.put_in_order();
        }
        for (key, row) in entered {
            self.gaps.enter(&key);
            self.known.put(key, row);
        }
    }

    fn taken_back(&mut self) {
        self.open = Open::new(&self.round);
    }

    fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.is_doubtful {
            let (rows, round) = read_back::<T>(connection)?;
            self.filter.clear();
            rows.keys().for_each(|key| self.filter.note(key));
            self.kept.replace(rows);
            self.known.clear();
            self.gaps.clear();
            self.round = round;
            self.taken_back();
            self.is_doubtful = false;
        }
        Ok(())
    }
}

/// The rows that the table may not have yet, and a round that begins with them.
fn read_back<T: LateTable>(
    connection: &Connection,
) -> Result<(ByKey<T>, Round<T::Key>), StoreError> {
    let ReadBack {
        rows,
        settled,
        newest,
    } = T::read_back(connection)?;
    let round = Round {
        is_under_way: false,
        after: None,
        began_at: settled,
        newest,
        complete: settled,
        settled,
    };
    Ok((rows, round))
}
