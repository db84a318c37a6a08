//! What tills did with voucher codes: a row for each code that one touched.
//!
//! Codes are redeemed in no order, so their rows are written late (see `late_table`), and meanwhile
//! stand in a log (see `late_log`).

#[cfg(test)]
mod tests;

use super::{
    from_sqlite,
    kept::{Recall, Recent},
    late_log::{self, LateLog, Logged},
    late_table::{ByKey, KeysBehind, LateTable, ReadBack},
    queries::all,
    statements::Statements,
};
use crate::{
    contract::StoreError,
    flat::{self, FlatUse},
};
use domain::{
    ids::Serial,
    voucher::{
        code::{CodeNo, CodeRange},
        code_use::CodeUse,
        rows::{BUSY_MAX, UseSum},
    },
};
use rusqlite::{Connection, Params, Row, params};
use std::{fmt::Write, ops::RangeBounds, sync::LazyLock};

/// The writer's side.
pub(super) type CodeUses = LateLog<UsesTable>;

/// The table of codes that tills touched.
#[derive(Debug)]
pub(super) struct UsesTable;

const CODE_USE: &str = "tenant, carton, idx, used, reserved, events, newest, last, act, at, before";

impl LateTable for UsesTable {
    type Key = CodeNo;
    type Row = CodeUse;

    // Codes are used in no order, and their rows are small: of more of them, more lie on one page.
    const RECENT_MAX: usize = 128 * 1024;
    // A use that is held is mostly spent a few commits later.
    const YOUNG_MAX: usize = 256;
    // None are known beside: codes that entered are seldom asked for again, and new ones are lacked once the
    // filter has all keys; until then a new one is looked for twice.
    const KEYS: Option<KeysBehind<CodeNo>> = Some(keys);

    fn find(statements: &Statements<'_>, code: &CodeNo) -> Result<Option<CodeUse>, StoreError> {
        static FIND: LazyLock<String> = LazyLock::new(|| {
            format!("SELECT {CODE_USE} FROM code_uses WHERE carton = ?1 AND idx = ?2")
        });
        let found = statements.find(&FIND, (code.carton.0, code.index), code_use);
        found.map_err(from_sqlite)?.map(FlatUse::read).transpose()
    }

    fn put(statements: &Statements<'_>, _: &CodeNo, code_use: &CodeUse) -> Result<(), StoreError> {
        static PUT: LazyLock<String> = LazyLock::new(|| {
            format!(
                "INSERT INTO code_uses ({CODE_USE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                 ON CONFLICT (carton, idx) DO UPDATE SET tenant = excluded.tenant, \
                 used = excluded.used, reserved = excluded.reserved, events = excluded.events, \
                 newest = excluded.newest, last = excluded.last, act = excluded.act, \
                 at = excluded.at, before = excluded.before"
            )
        });
        let it = FlatUse::of(code_use);
        let values = params![
            it.tenant,
            it.carton,
            it.idx,
            it.used,
            it.reserved,
            it.events,
            it.newest,
            it.last,
            it.act,
            it.at,
            it.before
        ];
        statements
            .execute(&PUT, values)
            .map(drop)
            .map_err(from_sqlite)
    }

    fn read_back(connection: &Connection) -> Result<ReadBack<Self>, StoreError> {
        let (settled, newest) = late_log::ends::<Self>(connection)?;
        Ok(ReadBack {
            rows: logged(connection)?,
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
        late_log::settle::<Self>(connection, settled, complete, rows)
    }

    fn weight(complete: i64, newest: i64) -> usize {
        late_log::weight::<Self>(complete, newest)
    }
}

fn keys(
    statements: &Statements<'_>,
    after: Option<&CodeNo>,
    count: u32,
) -> Result<Vec<CodeNo>, StoreError> {
    let sql = "SELECT carton, idx FROM code_uses WHERE (carton, idx) > (?1, ?2) \
         ORDER BY carton, idx LIMIT ?3";
    let (carton, index) = after.map_or((i64::MIN, 0), |it| (it.carton.0, it.index));
    let keys = statements.with(sql, |statement| {
        let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let keys = statement.query_map((carton, index, count), columns)?;
        keys.collect::<rusqlite::Result<Vec<(i64, i64)>>>()
    });
    let keys = keys.map_err(from_sqlite)?.into_iter();
    keys.map(|(carton, index)| flat::code(carton, index))
        .collect()
}

impl Logged for UsesTable {
    const LOG: &'static str = "code_use_log";
    // More than a payment makes of a code, which is one for its hold and one for its end.
    const CHANGES_A_ROW: i64 = 6;

    fn write(
        _: &CodeNo,
        _: Option<&CodeUse>,
        row: Option<&CodeUse>,
        text: &mut String,
    ) -> Result<(), StoreError> {
        let kept = || StoreError::Corrupt("nobody removes what tills did with a code".to_owned());
        let it = FlatUse::of(row.ok_or_else(kept)?);
        let [idx, used, reserved, events] = [it.idx, it.used, it.reserved, it.events];
        // Serial numbers are long, and of like size; what differs of two is short.
        let less_carton = |serial: i64| serial.wrapping_sub(it.carton);
        let owner = less_carton(it.tenant);
        // Nothing fails that is written into a text.
        let _ = write!(
            text,
            "+{} {owner} {idx} {used} {reserved} {events}",
            it.carton
        );
        push(text, it.newest.map(less_carton));
        if it.last != it.newest || it.act.is_some() {
            push(text, it.last.map(less_carton));
        }
        if it.act.is_some() {
            push(text, it.act.map(i64::from));
            push(text, it.at);
            push(text, it.before.map(less_carton));
        }
        Ok(())
    }
}

fn push(text: &mut String, number: Option<i64>) {
    // Nothing fails that is written into a text.
    let _ = match number {
        Some(number) => write!(text, " {number}"),
        None => text.write_str(" -"),
    };
}

/// Reads a change of the log. Former versions wrote eight numbers, each in full, the tenant's first.
fn logged_use(text: &str) -> Option<FlatUse> {
    let short = text.strip_prefix('+');
    let (mut numbers, mut count) = ([None; 11], 0);
    for number in short.unwrap_or(text).split(' ') {
        *numbers.get_mut(count)? = match number {
            "-" => None,
            number => Some(number.parse::<i64>().ok()?),
        };
        count += 1;
    }
    match (short, count) {
        (Some(_), 7) => numbers[7] = numbers[6],
        (Some(_), 8 | 11) | (None, 8) => {}
        _ => return None,
    }
    let [
        first,
        second,
        idx,
        used,
        reserved,
        events,
        newest,
        last,
        act,
        at,
        before,
    ] = numbers;
    let (tenant, carton, base) = match short {
        Some(_) => (second?.wrapping_add(first?), first?, first?),
        None => (first?, second?, 0),
    };
    let serial = |it: i64| it.wrapping_add(base);
    let act = act.map(i16::try_from).transpose().ok()?;
    Some(FlatUse {
        tenant,
        carton,
        idx: idx?,
        used: used?,
        reserved: reserved?,
        events: events?,
        newest: newest.map(serial),
        last: last.map(serial),
        act,
        at,
        before: before.map(serial),
    })
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
        act: row.get(8)?,
        at: row.get(9)?,
        before: row.get(10)?,
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

/// All that the log holds: of each code its newest row.
pub(super) fn logged(connection: &Connection) -> Result<ByKey<UsesTable>, StoreError> {
    logged_in(connection, ..)
}

/// What the log holds of codes in `range`.
fn logged_in(
    connection: &Connection,
    range: impl RangeBounds<CodeNo>,
) -> Result<ByKey<UsesTable>, StoreError> {
    let mut newest = ByKey::<UsesTable>::new();
    late_log::each::<UsesTable>(connection, |text| {
        let flat = logged_use(text).ok_or_else(late_log::unread::<UsesTable>)?;
        let it = flat.read()?;
        if range.contains(&it.code) {
            newest.insert(it.code, it);
        }
        Ok(())
    })?;
    Ok(newest)
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
    let recent = match recent.recall(&code) {
        Recall::Row(code_use) => Some(code_use),
        Recall::Settled => None,
        Recall::Unkept => logged_in(connection, code..=code)?.remove(&code),
    };
    recent.map_or_else(
        || UsesTable::find(&Statements::new(connection), &code),
        |it| Ok(Some(it)),
    )
}

/// What tills did with the codes of a range, by index, at most `limit`.
pub(super) fn in_range(
    connection: &Connection,
    recent: &Recent<UsesTable>,
    range: &CodeRange,
    limit: u32,
) -> Result<Vec<CodeUse>, StoreError> {
    let newest = match recent.range(range.codes(), limit as usize) {
        Some(kept) => kept,
        None => logged_in(connection, range.codes())?,
    };
    let condition = "carton = ?1 AND idx >= ?2 AND idx <= ?3 ORDER BY idx LIMIT ?4";
    let values = (range.carton.0, range.first, range.last, limit);
    let table = settled_where(connection, condition, values)?;
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
    let newest = uses.range(range.codes());
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
    statements: &Statements<'_>,
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
    let sum = statements.with(sql, |statement| statement.query_row(values, read));
    let mut sum = sum.map_err(from_sqlite)?;
    for (code, newest) in uses.range(range.codes()) {
        let settled = UsesTable::find(statements, &code)?;
        let settled = settled.map_or((0, 0), |it| (it.used, it.reserved));
        sum.used += i64::from(newest.used) - i64::from(settled.0);
        sum.reserved += i64::from(newest.reserved) - i64::from(settled.1);
    }
    Ok(sum)
}

/// Adds the row of a code; one that is there already is another writer's.
pub(super) fn add(
    statements: &Statements<'_>,
    uses: &mut CodeUses,
    code_use: &CodeUse,
) -> Result<(), StoreError> {
    if uses.find(statements, &code_use.code)?.is_none() {
        return uses.put(statements, code_use.code, None, code_use.clone());
    }
    let text = format!("{} is there", name(code_use.code));
    Err(StoreError::Conflict(text))
}

/// Overwrites the row of a code: the transaction loaded it, so it is there.
pub(super) fn overwrite(
    statements: &Statements<'_>,
    uses: &mut CodeUses,
    code_use: &CodeUse,
) -> Result<(), StoreError> {
    debug_assert!(uses.find(statements, &code_use.code)?.is_some());
    uses.put(statements, code_use.code, None, code_use.clone())
}

fn name(code: CodeNo) -> String {
    let (index, carton) = (code.index, Serial(code.carton.0));
    format!("code {index} of box {carton}")
}
