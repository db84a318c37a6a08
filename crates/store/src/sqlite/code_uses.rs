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
use std::{
    collections::BTreeMap,
    ops::RangeBounds,
    sync::{Arc, LazyLock},
};

/// The writer's side.
pub(super) type CodeUses = LateLog<UsesTable>;

/// The table of codes that tills touched.
#[derive(Debug)]
pub(super) struct UsesTable;

const CODE_USE: &str = "tenant, carton, idx, used, reserved, events, newest, last, act, at, before";

impl LateTable for UsesTable {
    type Key = CodeNo;
    // In order lie thousands of them: shared, a row moves as its address where another one enters.
    type Row = Arc<CodeUse>;

    // Codes are used in no order, and their rows are small: of more of them, more lie on one page.
    const RECENT_MAX: usize = 128 * 1024;
    // Some eight of them lie on one page, which few at once would leave half written.
    const MOVED_AT_ONCE: usize = 128;
    // A use that is held is mostly spent a few commits later.
    const YOUNG_MAX: usize = 256;
    // None are known beside: codes that entered are seldom asked for again, and new ones are lacked once the
    // filter has all keys; until then a new one is looked for twice.
    const KEYS: Option<KeysBehind<CodeNo>> = Some(keys);

    fn find(statements: &Statements<'_>, code: &CodeNo) -> Result<Option<Self::Row>, StoreError> {
        static FIND: LazyLock<String> = LazyLock::new(|| {
            format!("SELECT {CODE_USE} FROM code_uses WHERE carton = ?1 AND idx = ?2")
        });
        let found = statements.find(&FIND, (code.carton.0, code.index), code_use);
        let found = found.map_err(from_sqlite)?.map(FlatUse::read).transpose()?;
        Ok(found.map(Arc::new))
    }

    fn put(
        statements: &Statements<'_>,
        _: &CodeNo,
        code_use: &Self::Row,
    ) -> Result<(), StoreError> {
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

    type Said = Said;

    fn write(
        _: &CodeNo,
        _: Option<&Self::Row>,
        row: Option<&Self::Row>,
        said: &mut Said,
        text: &mut String,
    ) -> Result<(), StoreError> {
        let kept = || StoreError::Corrupt("nobody removes what tills did with a code".to_owned());
        let it = FlatUse::of(row.ok_or_else(kept)?);
        let less_serial = |it: i64| it.wrapping_sub(said.serial);
        let owner = it.tenant.wrapping_sub(it.carton);
        text.push('=');
        text.push_str(itoa::Buffer::new().format(it.carton.wrapping_sub(said.carton)));
        push(text, Some(owner.wrapping_sub(said.owner)));
        for number in [it.idx, it.used, it.reserved, it.events] {
            push(text, Some(number));
        }
        push(text, it.newest.map(less_serial));
        if it.last != it.newest || it.act.is_some() {
            push(text, it.last.map(less_serial));
        }
        if it.act.is_some() {
            push(text, it.act.map(i64::from));
            push(text, it.at.map(|at| at.wrapping_sub(said.at)));
            push(text, it.before.map(less_serial));
        }
        said.note(&it);
        Ok(())
    }
}

/// What the change of a code says that stands before another one in a row of the log. Serial numbers and
/// times are long and much alike; how they differ is short.
#[derive(Debug, Default)]
pub(super) struct Said {
    carton: i64,
    /// The tenant, less the box.
    owner: i64,
    /// The newest payment that held a code.
    serial: i64,
    at: i64,
}

impl Said {
    fn note(&mut self, it: &FlatUse) {
        self.carton = it.carton;
        self.owner = it.tenant.wrapping_sub(it.carton);
        self.serial = it.newest.unwrap_or(self.serial);
        self.at = it.at.unwrap_or(self.at);
    }
}

fn push(text: &mut String, number: Option<i64>) {
    text.push(' ');
    match number {
        Some(number) => text.push_str(itoa::Buffer::new().format(number)),
        None => text.push('-'),
    }
}

/// Reads a change of the log behind one that said `said`.
fn logged_use(said: &mut Said, text: &str) -> Option<FlatUse> {
    let it = match text.strip_prefix('=') {
        Some(text) => behind_said(said, numbers(text)?)?,
        None => formerly_logged(text)?,
    };
    said.note(&it);
    Some(it)
}

/// A change whose numbers are how it differs from `said`.
fn behind_said(said: &Said, (mut numbers, count): Numbers) -> Option<FlatUse> {
    match count {
        7 => numbers[7] = numbers[6],
        8 | 11 => {}
        _ => return None,
    }
    let [
        carton,
        owner,
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
    let carton = carton?.wrapping_add(said.carton);
    let serial = |it: i64| it.wrapping_add(said.serial);
    Some(FlatUse {
        tenant: owner?.wrapping_add(said.owner).wrapping_add(carton),
        carton,
        idx: idx?,
        used: used?,
        reserved: reserved?,
        events: events?,
        newest: newest.map(serial),
        last: last.map(serial),
        act: act.map(i16::try_from).transpose().ok()?,
        at: at.map(|it| it.wrapping_add(said.at)),
        before: before.map(serial),
    })
}

/// Former versions wrote how numbers differ from the box's, and before that eight numbers, each in full, the
/// tenant's first.
fn formerly_logged(text: &str) -> Option<FlatUse> {
    if let Some(text) = text.strip_prefix('+') {
        let numbers = numbers(text)?;
        let said = Said {
            serial: numbers.0[0]?,
            ..Said::default()
        };
        return behind_said(&said, numbers);
    }
    let (mut numbers, 8) = numbers(text)? else {
        return None;
    };
    let (tenant, carton) = (numbers[0]?, numbers[1]?);
    numbers[0] = Some(carton);
    numbers[1] = Some(tenant.wrapping_sub(carton));
    behind_said(&Said::default(), (numbers, 8))
}

/// The numbers of a change, and how many there are.
type Numbers = ([Option<i64>; 11], usize);

fn numbers(text: &str) -> Option<Numbers> {
    let (mut numbers, mut count) = ([None; 11], 0);
    for number in text.split(' ') {
        *numbers.get_mut(count)? = match number {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
        count += 1;
    }
    Some((numbers, count))
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
    late_log::each::<UsesTable>(connection, |said, text| {
        let flat = logged_use(said, text).ok_or_else(late_log::unread::<UsesTable>)?;
        let it = flat.read()?;
        if range.contains(&it.code) {
            newest.insert(it.code, Arc::new(it));
        }
        Ok(())
    })?;
    Ok(newest)
}

/// The first `limit` of `newest` and of the rows in the table, which are the first `limit` there.
fn merged(newest: ByKey<UsesTable>, table: Vec<CodeUse>, limit: u32) -> Vec<CodeUse> {
    let mut all: BTreeMap<CodeNo, CodeUse> = table.into_iter().map(|it| (it.code, it)).collect();
    let newest = newest.into_values().map(Arc::unwrap_or_clone);
    all.extend(newest.map(|it| (it.code, it)));
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
    let found = recent.map_or_else(
        || UsesTable::find(&Statements::new(connection), &code),
        |it| Ok(Some(it)),
    );
    Ok(found?.map(Arc::unwrap_or_clone))
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
            found.insert(it.code, it.into());
        }
    }
    found.extend(newest.into_iter().filter(|(_, it)| it.is_busy()));
    let found = found.into_values().take(wanted);
    Ok(found.map(Arc::unwrap_or_clone).collect())
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
        return put(statements, uses, code_use);
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
    put(statements, uses, code_use)
}

fn put(
    statements: &Statements<'_>,
    uses: &mut CodeUses,
    code_use: &CodeUse,
) -> Result<(), StoreError> {
    uses.put(statements, code_use.code, None, code_use.clone().into())
}

fn name(code: CodeNo) -> String {
    let (index, carton) = (code.index, Serial(code.carton.0));
    format!("code {index} of box {carton}")
}
