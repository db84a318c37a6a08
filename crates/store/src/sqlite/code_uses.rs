//! What tills did with voucher codes: a row for each code that one touched.
//!
//! Codes are redeemed in no order, so their rows are written late (see `late_table`). Each change of a
//! code appends its whole new state to a log. A code's state is its newest row there, or else its row
//! in the table. Rows leave the log in the order of their numbers, once the table is complete up to
//! them, so an older one never outlives a newer one.

#[cfg(test)]
mod tests;

use super::{
    from_sqlite,
    late_table::{ByKey, Late, LateTable, ReadBack, Recall, Recent},
    queries::all,
    voucher::execute,
};
use crate::{contract::StoreError, flat::FlatUse};
use domain::{
    ids::Serial,
    voucher::{
        code::{CodeNo, CodeRange},
        code_use::CodeUse,
        rows::{BUSY_MAX, UseSum},
    },
};
use rusqlite::{Connection, Params, Row, params};

/// The writer's side.
pub(super) type CodeUses = Late<UsesTable>;

/// The table of codes that tills touched.
#[derive(Debug)]
pub(super) struct UsesTable;

const CODE_USE: &str = "tenant, carton, idx, used, reserved, events, newest, last";
/// Rows of the log that weigh as much as a code in memory: more than a payment writes, which is one
/// for its hold and one for its end.
const LOGGED_A_CODE: i64 = 6;

impl LateTable for UsesTable {
    type Key = CodeNo;
    type Row = CodeUse;

    fn find(connection: &Connection, code: CodeNo) -> Result<Option<CodeUse>, StoreError> {
        let condition = "carton = ?1 AND idx = ?2";
        let found = settled_where(connection, condition, (code.carton.0, code.index))?;
        Ok(found.into_iter().next())
    }

    fn put(connection: &Connection, _: CodeNo, code_use: &CodeUse) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO code_uses ({CODE_USE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
             ON CONFLICT (carton, idx) DO UPDATE SET tenant = excluded.tenant, \
             used = excluded.used, reserved = excluded.reserved, events = excluded.events, \
             newest = excluded.newest, last = excluded.last"
        );
        let it = FlatUse::of(code_use);
        let values = params![
            it.tenant,
            it.carton,
            it.idx,
            it.used,
            it.reserved,
            it.events,
            it.newest,
            it.last
        ];
        execute(connection, &sql, values).map(drop)
    }

    fn read_back(connection: &Connection) -> Result<ReadBack<Self>, StoreError> {
        let sql = "SELECT coalesce(min(number) - 1, 0), coalesce(max(number), 0) FROM code_use_log";
        let ends = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (settled, newest) = ends.map_err(from_sqlite)?;
        Ok(ReadBack {
            rows: logged_where(connection, "true", ())?,
            settled,
            newest,
        })
    }

    fn settle(
        connection: &Connection,
        settled: i64,
        complete: i64,
        rows: usize,
    ) -> Result<i64, StoreError> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let settled = complete.min(settled.saturating_add(rows));
        execute(
            connection,
            "DELETE FROM code_use_log WHERE number <= ?1",
            [settled],
        )?;
        Ok(settled)
    }

    fn weight(settled: i64, newest: i64) -> usize {
        usize::try_from((newest - settled) / LOGGED_A_CODE).unwrap_or(0)
    }
}

fn code_use(row: &Row<'_>) -> rusqlite::Result<FlatUse> {
    Ok(FlatUse {
        tenant: row.get(0)?,
        carton: row.get(1)?,
        idx: row.get(2)?,
        used: row.get(3)?,
        reserved: row.get(4)?,
        events: row.get(5)?,
        newest: row.get(6)?,
        last: row.get(7)?,
    })
}

/// The rows of the table that a condition finds.
fn settled_where(
    connection: &Connection,
    condition: &str,
    values: impl Params,
) -> Result<Vec<CodeUse>, StoreError> {
    let sql = format!("SELECT {CODE_USE} FROM code_uses WHERE {condition}");
    all(connection, &sql, values, code_use, FlatUse::read)
}

/// The newest rows of codes in the log, among those that a condition finds.
fn logged_where(
    connection: &Connection,
    condition: &str,
    values: impl Params,
) -> Result<ByKey<UsesTable>, StoreError> {
    let sql = format!("SELECT {CODE_USE} FROM code_use_log WHERE {condition} ORDER BY number");
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    let mut rows = statement.query(values).map_err(from_sqlite)?;
    let mut newest = ByKey::<UsesTable>::new();
    while let Some(row) = rows.next().map_err(from_sqlite)? {
        let it = code_use(row).map_err(from_sqlite)?.read()?;
        newest.insert(it.code, it);
    }
    Ok(newest)
}

/// All that the log holds.
pub(super) fn logged(connection: &Connection) -> Result<ByKey<UsesTable>, StoreError> {
    logged_where(connection, "true", ())
}

/// The first `limit` of `newest` and of the rows in the table, which are the first `limit` there.
fn merged(newest: ByKey<UsesTable>, table: Vec<CodeUse>, limit: u32) -> Vec<CodeUse> {
    let mut all: ByKey<UsesTable> = table.into_iter().map(|it| (it.code, it)).collect();
    all.extend(newest);
    all.into_values().take(limit as usize).collect()
}

/// What tills did with a code. Log or memory are asked before the table: a row leaves the one after
/// it has entered the other.
pub(super) fn of_code(
    connection: &Connection,
    recent: &Recent<UsesTable>,
    code: CodeNo,
) -> Result<Option<CodeUse>, StoreError> {
    let recent = match recent.recall(code) {
        Recall::Row(code_use) => Some(code_use),
        Recall::Settled => None,
        Recall::Unkept => {
            let condition = "carton = ?1 AND idx = ?2";
            let values = (code.carton.0, code.index);
            logged_where(connection, condition, values)?.remove(&code)
        }
    };
    recent.map_or_else(|| UsesTable::find(connection, code), |it| Ok(Some(it)))
}

/// What tills did with the codes of a range, by index, at most `limit`.
pub(super) fn in_range(
    connection: &Connection,
    recent: &Recent<UsesTable>,
    range: &CodeRange,
    limit: u32,
) -> Result<Vec<CodeUse>, StoreError> {
    let within = "carton = ?1 AND idx >= ?2 AND idx <= ?3";
    let values = (range.carton.0, range.first, range.last);
    let newest = match recent.range(range.codes(), limit as usize) {
        Some(kept) => kept,
        None => logged_where(connection, within, values)?,
    };
    let condition = format!("{within} ORDER BY idx LIMIT ?4");
    let values = (range.carton.0, range.first, range.last, limit);
    let table = settled_where(connection, &condition, values)?;
    Ok(merged(newest, table, limit))
}

/// What tills did with codes behind `after`, at most `limit`, where the log holds `logged`.
pub(super) fn behind(
    connection: &Connection,
    logged: &ByKey<UsesTable>,
    after: Option<CodeNo>,
    limit: u32,
) -> Result<Vec<CodeUse>, StoreError> {
    use std::ops::Bound::{Excluded, Unbounded};
    let from = after.map_or(Unbounded, Excluded);
    let newest = logged.range((from, Unbounded)).take(limit as usize);
    let newest = newest.map(|(code, it)| (*code, it.clone())).collect();
    let condition = "(carton, idx) > (?1, ?2) ORDER BY carton, idx LIMIT ?3";
    let (carton, idx) = after.map_or((i64::MIN, 0), |it| (it.carton.0, it.index));
    let table = settled_where(connection, condition, (carton, idx, limit))?;
    Ok(merged(newest, table, limit))
}

/// The first codes of a range that are in use, one more than are named.
pub(super) fn busy(
    connection: &Connection,
    uses: &CodeUses,
    range: &CodeRange,
) -> Result<Vec<CodeUse>, StoreError> {
    let newest = uses.range(&range.codes());
    // Nearly all codes that were touched are in use: an index of them would spare no rows.
    let sql = format!(
        "SELECT {CODE_USE} FROM code_uses WHERE carton = ?1 AND idx >= ?2 AND idx <= ?3 \
         AND (used > 0 OR reserved > 0) ORDER BY idx"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(from_sqlite)?;
    let values = (range.carton.0, range.first, range.last);
    let mut rows = statement.query(values).map_err(from_sqlite)?;
    let mut found = ByKey::<UsesTable>::new();
    let wanted = BUSY_MAX as usize + 1;
    while found.len() < wanted
        && let Some(row) = rows.next().map_err(from_sqlite)?
    {
        let it = code_use(row).map_err(from_sqlite)?.read()?;
        if !newest.contains_key(&it.code) {
            found.insert(it.code, it);
        }
    }
    found.extend(newest.into_iter().filter(|(_, it)| it.is_busy()));
    Ok(found.into_values().take(wanted).collect())
}

/// How many uses of a range's codes are gone or held.
pub(super) fn sum(
    connection: &Connection,
    uses: &CodeUses,
    range: &CodeRange,
) -> Result<UseSum, StoreError> {
    let sql = "SELECT coalesce(sum(used), 0), coalesce(sum(reserved), 0) FROM code_uses \
         WHERE carton = ?1 AND idx >= ?2 AND idx <= ?3";
    let values = (range.carton.0, range.first, range.last);
    let read = |row: &Row<'_>| {
        Ok(UseSum {
            used: row.get(0)?,
            reserved: row.get(1)?,
        })
    };
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let mut sum = statement.query_row(values, read).map_err(from_sqlite)?;
    for (code, newest) in uses.range(&range.codes()) {
        let settled = UsesTable::find(connection, code)?;
        let settled = settled.map_or((0, 0), |it| (it.used, it.reserved));
        sum.used += i64::from(newest.used) - i64::from(settled.0);
        sum.reserved += i64::from(newest.reserved) - i64::from(settled.1);
    }
    Ok(sum)
}

/// Adds the row of a code; one that is there already is another writer's.
pub(super) fn add(
    connection: &Connection,
    uses: &mut CodeUses,
    code_use: &CodeUse,
) -> Result<(), StoreError> {
    if uses.find(connection, code_use.code)?.is_none() {
        return record(connection, uses, code_use);
    }
    let text = format!("{} is there", name(code_use.code));
    Err(StoreError::Conflict(text))
}

/// Overwrites the row of a code.
pub(super) fn overwrite(
    connection: &Connection,
    uses: &mut CodeUses,
    code_use: &CodeUse,
) -> Result<(), StoreError> {
    if uses.find(connection, code_use.code)?.is_some() {
        return record(connection, uses, code_use);
    }
    let text = format!("{} is not there", name(code_use.code));
    Err(StoreError::Corrupt(text))
}

fn name(code: CodeNo) -> String {
    let (index, carton) = (code.index, Serial(code.carton.0));
    format!("code {index} of box {carton}")
}

fn record(
    connection: &Connection,
    uses: &mut CodeUses,
    code_use: &CodeUse,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO code_use_log (number, {CODE_USE}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    );
    let number = uses.newest() + 1;
    let it = FlatUse::of(code_use);
    let values = params![
        number,
        it.tenant,
        it.carton,
        it.idx,
        it.used,
        it.reserved,
        it.events,
        it.newest,
        it.last
    ];
    execute(connection, &sql, values)?;
    uses.add_row(connection, code_use.code, code_use.clone(), number)
}
