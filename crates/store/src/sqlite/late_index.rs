//! Which payment has a claim, and that no two have the same one.
//!
//! Claims are hashes. An index that each payment enters as it is recorded gets a random page dirty
//! for each: that was half of all pages a commit wrote, and a third of the throughput. So the
//! claims of new payments are kept in memory, in their order, and each commit moves as many as it
//! adds into the table `claims`: the next ones in that order, which lie on few pages.
//!
//! Nothing rests on the memory. A payment's row holds its claim; `claims_settled` tells up to which
//! serial the table is complete, and what lies above is read back when the writer opens the
//! store, and whenever a commit left in doubt what is stored.
//!
//! Invariant: a payment's claim is in the table, or its serial is above `claims_settled` and its
//! claim is in [`Kept`] as long as a writer lives. The audit proves it of the rows.

#[cfg(test)]
mod tests;

use super::from_sqlite;
use crate::contract::StoreError;
use domain::ids::{ClaimKey, Serial};
use rusqlite::{Connection, OptionalExtension};
use std::{
    collections::BTreeMap,
    mem,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak},
};

/// How many claims are kept in memory before commits move them on. More of them lie closer
/// together; but up to three times as many rows are read at start.
const RECENT_MAX: usize = 64 * 1024;
/// How many claims a commit moves beyond twice what it adds, when there are too many.
const MOVED_EXTRA: usize = 16;

/// Payments whose claim is not where it has to be: up to the settled serial in the table, above it
/// nobody else's. And claims of no payment.
pub(super) const ASTRAY: &str = "\
    SELECT p.serial FROM payments p LEFT JOIN claims c ON c.claim = p.claim \
        WHERE p.serial <= (SELECT serial FROM claims_settled) AND c.serial IS NOT p.serial \
    UNION ALL \
    SELECT p.serial FROM payments p JOIN claims c ON c.claim = p.claim \
        WHERE p.serial > (SELECT serial FROM claims_settled) AND c.serial <> p.serial \
    UNION ALL \
    SELECT max(serial) FROM payments WHERE serial > (SELECT serial FROM claims_settled) \
        GROUP BY claim HAVING count(*) > 1 \
    UNION ALL \
    SELECT c.serial FROM claims c LEFT JOIN payments p ON p.serial = c.serial \
        WHERE p.claim IS NOT c.claim \
    LIMIT ?1";

type ByKey = BTreeMap<ClaimKey, Serial>;

/// The claims that may not be in the table yet.
#[derive(Debug)]
struct Kept(RwLock<ByKey>);

impl Kept {
    fn read(&self) -> RwLockReadGuard<'_, ByKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, by_key: ByKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = by_key;
    }

    fn change(&self, added: ByKey, removed: &[ClaimKey]) {
        let mut by_key = self.0.write().unwrap_or_else(PoisonError::into_inner);
        by_key.extend(added);
        for key in removed {
            by_key.remove(key);
        }
    }

    /// The first `count` claims behind `after`, in their order.
    fn next(&self, after: Option<ClaimKey>, count: usize) -> Vec<(ClaimKey, Serial)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let by_key = self.read();
        let next = by_key.range((from, Bound::Unbounded)).take(count);
        next.map(|(key, serial)| (*key, *serial)).collect()
    }
}

/// What the writer keeps in memory, as the readers of the same store see it while it lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent(Arc<RwLock<Weak<Kept>>>);

/// What [`Recent`] knows of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// It is this payment's.
    Of(Serial),
    /// If a payment has it, it is in the table.
    Settled,
    /// No writer lives here: the rows above the settled serial have to be asked.
    Unkept,
}

impl Recent {
    pub(super) fn recall(&self, key: ClaimKey) -> Recall {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = kept.upgrade() else {
            return Recall::Unkept;
        };
        let found = kept.read().get(&key).copied();
        found.map_or(Recall::Settled, Recall::Of)
    }

    fn publish(&self, kept: &Arc<Kept>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(kept);
    }
}

/// The writer's side.
pub(super) struct Claims {
    kept: Arc<Kept>,
    /// [`RECENT_MAX`]; fewer in tests.
    recent_max: usize,
    /// Where the round through [`Kept`] is, as of the last commit.
    round: Round,
    /// What the open transaction does.
    open: Open,
    /// Whether a failed commit left in doubt what is stored.
    is_doubtful: bool,
}

/// One round moves every claim that [`Kept`] held when it began.
#[derive(Clone, Copy)]
struct Round {
    /// The last claim that was moved.
    after: Option<ClaimKey>,
    /// The newest payment when the round began. New payments at or below it (their clock went
    /// back) go to the table at once, so that the round's end settles all up to here.
    began_at: Serial,
    /// The newest payment.
    newest: Serial,
}

struct Open {
    round: Round,
    /// Recorded, and not in the table.
    added: ByKey,
    /// In the table now.
    moved: Vec<ClaimKey>,
}

impl Open {
    const fn new(round: Round) -> Self {
        Self {
            round,
            added: ByKey::new(),
            moved: Vec::new(),
        }
    }
}

impl Claims {
    /// Reads back what the table does not have yet, and lets `recent`'s readers see it.
    pub(super) fn open(connection: &Connection, recent: &Recent) -> Result<Self, StoreError> {
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

    /// The payment that has the claim `key`.
    pub(super) fn find(
        &self,
        connection: &Connection,
        key: ClaimKey,
    ) -> Result<Option<Serial>, StoreError> {
        if let Some(serial) = self.open.added.get(&key) {
            return Ok(Some(*serial));
        }
        let kept = self.kept.read().get(&key).copied();
        kept.map_or_else(|| settled(connection, key), |serial| Ok(Some(serial)))
    }

    /// Notes that the open transaction records the payment `serial` with the claim `key`, which
    /// [`Claims::find`] did not find.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        key: ClaimKey,
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

    /// Moves the next claims to the table, when there are too many in memory. Part of the open
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
        let sql = "UPDATE claims_settled SET serial = ?1";
        execute(connection, sql, [round.began_at.0])?;
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

    /// A commit failed on the way: nobody knows what is stored until [`Claims::resolve`].
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

/// The payment that has the claim `key`. The memory is asked before the table: a claim leaves the
/// one after it has entered the other.
pub(super) fn serial_of(
    connection: &Connection,
    recent: &Recent,
    key: ClaimKey,
) -> Result<Option<Serial>, StoreError> {
    let recalled = recent.recall(key);
    if let Recall::Of(serial) = recalled {
        return Ok(Some(serial));
    }
    let there = settled(connection, key)?;
    if there.is_some() || recalled == Recall::Settled {
        return Ok(there);
    }
    let sql = "SELECT serial FROM payments \
         WHERE serial > (SELECT serial FROM claims_settled) AND claim = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let found = statement.query_row([key.0], |row| row.get(0)).optional();
    match found.map_err(from_sqlite)? {
        Some(serial) => Ok(Some(Serial(serial))),
        // It may have moved between the two looks.
        None => settled(connection, key),
    }
}

/// The payment that has the claim `key` in the table.
fn settled(connection: &Connection, key: ClaimKey) -> Result<Option<Serial>, StoreError> {
    let sql = "SELECT serial FROM claims WHERE claim = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let found = statement.query_row([key.0], |row| row.get(0)).optional();
    Ok(found.map_err(from_sqlite)?.map(Serial))
}

/// The claims of the rows that the table may not have yet, and a round that begins with them.
fn read_back(connection: &Connection) -> Result<(ByKey, Round), StoreError> {
    let settled = "SELECT serial FROM claims_settled";
    let settled = connection.query_row(settled, [], |row| row.get(0));
    let settled = Serial(settled.map_err(from_sqlite)?);
    let mut newest = settled;
    let mut by_key = ByKey::new();
    let sql = "SELECT claim, serial FROM payments WHERE serial > ?1 ORDER BY serial";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let mut rows = statement.query([settled.0]).map_err(from_sqlite)?;
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let key = ClaimKey(row.get(0).map_err(from_sqlite)?);
        newest = Serial(row.get(1).map_err(from_sqlite)?);
        if let Some(other) = by_key.insert(key, newest) {
            return Err(shared(other, newest));
        }
    }
    let round = Round {
        after: None,
        began_at: newest,
        newest,
    };
    Ok((by_key, round))
}

/// Enters a claim in the table. One that is there already was read back after a restart.
fn put(connection: &Connection, key: ClaimKey, serial: Serial) -> Result<(), StoreError> {
    let sql = "INSERT INTO claims (claim, serial) VALUES (?1, ?2) ON CONFLICT (claim) DO NOTHING";
    if execute(connection, sql, (key.0, serial.0))? == 1 {
        return Ok(());
    }
    match settled(connection, key)? {
        Some(there) if there == serial => Ok(()),
        there => Err(shared(there.unwrap_or(serial), serial)),
    }
}

fn execute(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<usize, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut it| it.execute(values))
        .map_err(from_sqlite)
}

fn shared(one: Serial, other: Serial) -> StoreError {
    StoreError::Corrupt(format!("payments {one} and {other} have the same claim"))
}
