//! Indexes that are filled late: which row has a key, and that no two have the same one.
//!
//! An index whose keys come in no order gets a random page dirty for each row that enters it as it is
//! recorded. For payments, whose keys are hashes, that was half of all pages a commit wrote, and a
//! third of the throughput; for purchases at terminals, whose keys lie together by terminal, it was
//! the same. So the keys of new rows are kept in memory, in their order, and each commit moves as many
//! as it adds into the table: the next ones in that order, which lie on few pages.
//!
//! Nothing rests on the memory. A row holds its own keys; the settled serial tells up to which row the
//! table is complete, and what lies above is read back when the writer opens the store, and whenever a
//! commit left in doubt what is stored.
//!
//! Invariant: a row's key is in the table, or its serial is above the settled one and its key is in
//! [`Kept`] as long as a writer lives. The audit proves it of the rows.

#[cfg(test)]
mod tests;

use super::from_sqlite;
use crate::contract::StoreError;
use domain::ids::Serial;
use rusqlite::{Connection, Row, Statement};
use std::{
    collections::BTreeMap,
    fmt::Debug,
    mem,
    ops::{Bound, RangeInclusive},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak},
};

/// How many keys are kept in memory before commits move them on. More of them lie closer
/// together; but up to three times as many rows are read at start.
const RECENT_MAX: usize = 64 * 1024;
/// How many keys a commit moves beyond twice what it adds, when there are too many.
const MOVED_EXTRA: usize = 16;

/// What rows are found by. Where a statement takes a key, its columns are the first parameters.
pub(super) trait LateKey: Copy + Ord + Debug + Send + Sync + 'static {
    /// How messages call it.
    const NAME: &'static str;
    /// The settled serial.
    const SETTLED: &'static str;
    /// Sets the settled serial to `?1`.
    const SETTLE: &'static str;
    /// The serial that has a key in the table.
    const FIND: &'static str;
    /// Enters a key with a serial, the parameter behind it, unless the key is there.
    const PUT: &'static str;
    /// The serial that has a key among the rows above the settled one.
    const FIND_ABOVE: &'static str;
    /// The serial and the keys of each row above `?1`, by serial.
    const ABOVE: &'static str;

    /// Binds its columns, and says which parameter is next.
    fn bind(self, statement: &mut Statement<'_>) -> rusqlite::Result<usize>;

    /// Reads it behind the serial of a row of [`LateKey::ABOVE`].
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
}

pub(super) type ByKey<K> = BTreeMap<K, Serial>;

/// The keys that may not be in the table yet.
#[derive(Debug)]
struct Kept<K>(RwLock<ByKey<K>>);

impl<K: LateKey> Kept<K> {
    fn read(&self) -> RwLockReadGuard<'_, ByKey<K>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, by_key: ByKey<K>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = by_key;
    }

    fn change(&self, added: ByKey<K>, removed: &[K]) {
        let mut by_key = self.0.write().unwrap_or_else(PoisonError::into_inner);
        by_key.extend(added);
        for key in removed {
            by_key.remove(key);
        }
    }

    /// The first `count` keys behind `after`, in their order.
    fn next(&self, after: Option<K>, count: usize) -> Vec<(K, Serial)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let by_key = self.read();
        let next = by_key.range((from, Bound::Unbounded)).take(count);
        next.map(|(key, serial)| (*key, *serial)).collect()
    }
}

/// What the writer keeps in memory, as the readers of the same store see it while it lives.
#[derive(Clone, Debug)]
pub(super) struct Recent<K>(Arc<RwLock<Weak<Kept<K>>>>);

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// What [`Recent`] knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recall {
    /// It is this row's.
    Of(Serial),
    /// If a row has it, it is in the table.
    Settled,
    /// No writer lives here: the rows above the settled serial have to be asked.
    Unkept,
}

impl<K: LateKey> Recent<K> {
    fn recall(&self, key: K) -> Recall {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = kept.upgrade() else {
            return Recall::Unkept;
        };
        let found = kept.read().get(&key).copied();
        found.map_or(Recall::Settled, Recall::Of)
    }

    /// The first `count` keys of `range` that are kept in memory; `None` when no writer lives here.
    pub(super) fn range(&self, range: RangeInclusive<K>, count: usize) -> Option<ByKey<K>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.upgrade()?;
        let by_key = kept.read();
        let found = by_key.range(range).take(count);
        Some(found.map(|(key, serial)| (*key, *serial)).collect())
    }

    fn publish(&self, kept: &Arc<Kept<K>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(kept);
    }
}

/// The writer's side.
pub(super) struct LateIndex<K> {
    kept: Arc<Kept<K>>,
    /// [`RECENT_MAX`]; fewer in tests.
    recent_max: usize,
    /// Where the round through [`Kept`] is, as of the last commit.
    round: Round<K>,
    /// What the open transaction does.
    open: Open<K>,
    /// Whether a failed commit left in doubt what is stored.
    is_doubtful: bool,
}

/// One round moves every key that [`Kept`] held when it began.
#[derive(Clone, Copy)]
struct Round<K> {
    /// The last key that was moved.
    after: Option<K>,
    /// The newest row when the round began. New rows at or below it (their clock went
    /// back) go to the table at once, so that the round's end settles all up to here.
    began_at: Serial,
    /// The newest row.
    newest: Serial,
}

struct Open<K> {
    round: Round<K>,
    /// Recorded, and not in the table.
    added: ByKey<K>,
    /// In the table now.
    moved: Vec<K>,
}

impl<K: LateKey> Open<K> {
    const fn new(round: Round<K>) -> Self {
        Self {
            round,
            added: ByKey::new(),
            moved: Vec::new(),
        }
    }
}

impl<K: LateKey> LateIndex<K> {
    /// Reads back what the table does not have yet, and lets `recent`'s readers see it.
    pub(super) fn open(connection: &Connection, recent: &Recent<K>) -> Result<Self, StoreError> {
        let (by_key, round) = read_back(connection)?;
        let kept = Arc::new(Kept(RwLock::new(by_key)));
        recent.publish(&kept);
        Ok(Self {
            kept,
            recent_max: RECENT_MAX,
            round,
            open: Open::new(round),
            is_doubtful: false,
        })
    }

    /// Keeps fewer in memory, so that a test sees them move.
    #[cfg(test)]
    pub(super) const fn keep_at_most(&mut self, count: usize) {
        self.recent_max = count;
    }

    /// The row that has `key`.
    pub(super) fn find(
        &self,
        connection: &Connection,
        key: K,
    ) -> Result<Option<Serial>, StoreError> {
        if let Some(serial) = self.open.added.get(&key) {
            return Ok(Some(*serial));
        }
        let kept = self.kept.read().get(&key).copied();
        kept.map_or_else(|| settled(connection, key), |serial| Ok(Some(serial)))
    }

    /// Notes that the open transaction records the row `serial` with `key`, which
    /// [`LateIndex::find`] did not find.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        key: K,
        serial: Serial,
    ) -> Result<(), StoreError> {
        let round = &mut self.open.round;
        round.newest = round.newest.max(serial);
        if serial <= round.began_at {
            return put(connection, key, serial);
        }
        self.open.added.insert(key, serial);
        Ok(())
    }

    /// Moves the next keys to the table, when there are too many in memory. Part of the open
    /// transaction.
    pub(super) fn move_on(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let added = self.open.added.len();
        let excess = (self.kept.read().len() + added).saturating_sub(self.recent_max);
        let wanted = excess.min(2 * added + MOVED_EXTRA);
        let next = self.kept.next(self.open.round.after, wanted);
        for (key, serial) in &next {
            put(connection, *key, *serial)?;
        }
        self.open.moved.extend(next.iter().map(|(key, _)| *key));
        if next.len() < wanted {
            return self.end_round(connection);
        }
        if let Some((last, _)) = next.last() {
            self.open.round.after = Some(*last);
        }
        Ok(())
    }

    fn end_round(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let round = &mut self.open.round;
        let settle = connection.prepare_cached(K::SETTLE);
        settle
            .and_then(|mut it| it.execute([round.began_at.0]))
            .map_err(from_sqlite)?;
        round.after = None;
        round.began_at = round.newest;
        Ok(())
    }

    /// The open transaction is on disk.
    pub(super) fn committed(&mut self) {
        self.round = self.open.round;
        let Open { added, moved, .. } = mem::replace(&mut self.open, Open::new(self.round));
        self.kept.change(added, &moved);
    }

    /// The open transaction is taken back.
    pub(super) fn taken_back(&mut self) {
        self.open = Open::new(self.round);
    }

    /// A commit failed on the way: nobody knows what is stored until [`LateIndex::resolve`].
    pub(super) const fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    /// Reads back what is stored if that is in doubt, before a transaction changes anything.
    pub(super) fn resolve(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.is_doubtful {
            let (by_key, round) = read_back(connection)?;
            self.kept.replace(by_key);
            self.round = round;
            self.taken_back();
            self.is_doubtful = false;
        }
        Ok(())
    }
}

/// The row that has `key`. The memory is asked before the table: a key leaves the one after it has
/// entered the other.
pub(super) fn serial_of<K: LateKey>(
    connection: &Connection,
    recent: &Recent<K>,
    key: K,
) -> Result<Option<Serial>, StoreError> {
    let recalled = recent.recall(key);
    if let Recall::Of(serial) = recalled {
        return Ok(Some(serial));
    }
    let there = settled(connection, key)?;
    if there.is_some() || recalled == Recall::Settled {
        return Ok(there);
    }
    match find_by(connection, K::FIND_ABOVE, key)? {
        Some(serial) => Ok(Some(serial)),
        // It may have moved between the two looks.
        None => settled(connection, key),
    }
}

/// The row that has `key` in the table.
fn settled<K: LateKey>(connection: &Connection, key: K) -> Result<Option<Serial>, StoreError> {
    find_by(connection, K::FIND, key)
}

fn find_by<K: LateKey>(
    connection: &Connection,
    sql: &str,
    key: K,
) -> Result<Option<Serial>, StoreError> {
    let find = || {
        let mut statement = connection.prepare_cached(sql)?;
        key.bind(&mut statement)?;
        let mut rows = statement.raw_query();
        rows.next()?.map(|row| row.get(0)).transpose()
    };
    let found: Option<i64> = find().map_err(from_sqlite)?;
    Ok(found.map(Serial))
}

/// The keys of the rows that the table may not have yet, and a round that begins with them.
fn read_back<K: LateKey>(connection: &Connection) -> Result<(ByKey<K>, Round<K>), StoreError> {
    let settled = connection.query_row(K::SETTLED, [], |row| row.get(0));
    let settled = Serial(settled.map_err(from_sqlite)?);
    let mut newest = settled;
    let mut by_key = ByKey::new();
    let mut statement = connection.prepare_cached(K::ABOVE).map_err(from_sqlite)?;
    let mut rows = statement.query([settled.0]).map_err(from_sqlite)?;
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        newest = Serial(row.get(0).map_err(from_sqlite)?);
        let key = K::read(row).map_err(from_sqlite)?;
        if let Some(other) = by_key.insert(key, newest) {
            return Err(shared::<K>(other, newest));
        }
    }
    let round = Round {
        after: None,
        began_at: newest,
        newest,
    };
    Ok((by_key, round))
}

/// Enters a key in the table. One that is there already was read back after a restart.
fn put<K: LateKey>(connection: &Connection, key: K, serial: Serial) -> Result<(), StoreError> {
    let put = || {
        let mut statement = connection.prepare_cached(K::PUT)?;
        let next = key.bind(&mut statement)?;
        statement.raw_bind_parameter(next, serial.0)?;
        statement.raw_execute()
    };
    if put().map_err(from_sqlite)? == 1 {
        return Ok(());
    }
    match settled(connection, key)? {
        Some(there) if there == serial => Ok(()),
        there => Err(shared::<K>(there.unwrap_or(serial), serial)),
    }
}

fn shared<K: LateKey>(one: Serial, other: Serial) -> StoreError {
    let name = K::NAME;
    StoreError::Corrupt(format!("{one} and {other} have the same {name}"))
}
