//! The stock of voucher codes: boxes, packages and reels by their names, sealed codes, and the
//! digests by which they are found. Written in bulk, once.

use super::{from_sqlite, queries::all, statements::Statements, voucher::execute};
use crate::{
    contract::{AdminReply, FoundCode, StoreError, StoredCode, StoredCounts},
    flat::{FlatUnit, code, level},
};
use domain::{
    ids::{Serial, TenantId},
    voucher::{
        code::{CodeDigest, CodeRange},
        stock::{Level, Unit},
    },
};
use rusqlite::{Connection, Params, Row, params};

const UNIT: &str = "tenant, id, level, carton, first, last, sale_channel_order_id";

/// Has one bound from below: of two SQLite would begin at the first, which may tell nothing.
pub(super) const UNITS_IN: &str = "carton = ?1 AND level = ?2 AND first <= ?4 \
     AND first >= max(?5 + 1, coalesce((SELECT max(first) FROM voucher_units \
         WHERE carton = ?1 AND level = ?2 AND first <= ?3), 0)) \
     AND last >= ?3 ORDER BY first LIMIT ?6";

fn unit_row(row: &Row<'_>) -> rusqlite::Result<FlatUnit> {
    Ok(FlatUnit {
        tenant: row.get(0)?,
        id: row.get(1)?,
        level: row.get(2)?,
        carton: row.get(3)?,
        first: row.get(4)?,
        last: row.get(5)?,
        sale_channel_order_id: row.get(6)?,
    })
}

fn units_where(
    connection: &Connection,
    condition: &str,
    values: impl Params,
) -> Result<Vec<Unit>, StoreError> {
    let sql = format!("SELECT {UNIT} FROM voucher_units WHERE {condition}");
    all(connection, &sql, values, unit_row, FlatUnit::read)
}

/// Stores units.
pub(super) fn add_units(connection: &Connection, units: &[Unit]) -> Result<AdminReply, StoreError> {
    let sql = format!("INSERT INTO voucher_units ({UNIT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    for unit in units {
        let it = FlatUnit::of(unit);
        let values = params![
            it.tenant,
            it.id,
            it.level,
            it.carton,
            it.first,
            it.last,
            it.sale_channel_order_id
        ];
        execute(connection, &sql, values)?;
    }
    Ok(AdminReply::Done)
}

/// Stores codes.
pub(super) fn add_codes(
    connection: &Connection,
    codes: &[StoredCode],
) -> Result<AdminReply, StoreError> {
    let sql = "INSERT INTO voucher_codes (carton, idx, sealed) VALUES (?1, ?2, ?3)";
    for StoredCode { code, sealed } in codes {
        execute(connection, sql, (code.carton.0, code.index, sealed))?;
    }
    Ok(AdminReply::Done)
}

/// What a digest is found by: its first eight bytes, as a number in the order of the digests, and the rest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the last eight bytes are the rest"
)]
fn split(digest: CodeDigest) -> (i64, [u8; 8]) {
    let all = u128::from_be_bytes(digest.0);
    let (lead, rest) = ((all >> 64) as u64, all as u64);
    (lead.cast_signed() ^ i64::MIN, rest.to_be_bytes())
}

/// Stores where digests lead.
pub(super) fn add_digests(
    connection: &Connection,
    digests: &[FoundCode],
) -> Result<AdminReply, StoreError> {
    let some = "SELECT EXISTS (SELECT 1 FROM voucher_digests_apart)";
    let some_stand_apart = connection.query_row(some, [], |row| row.get(0));
    let some_stand_apart: bool = some_stand_apart.map_err(from_sqlite)?;
    let sql = "INSERT INTO voucher_digests (lead, rest, box, idx) \
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT (lead) DO NOTHING";
    let mut numbered = None;
    for it in digests {
        let carton = it.code.carton;
        let number = match numbered {
            Some((of, number)) if of == carton => number,
            _ => number_of(connection, it)?,
        };
        numbered = Some((carton, number));
        let (lead, rest) = split(it.digest);
        let is_added = execute(connection, sql, (lead, rest, number, it.code.index))? == 1;
        if !is_added || some_stand_apart {
            add_apart(connection, it, number, is_added)?;
        }
    }
    Ok(AdminReply::Done)
}

/// The number that a code's box has among digests; a new box gets the next one.
fn number_of(connection: &Connection, it: &FoundCode) -> Result<i64, StoreError> {
    let new =
        "INSERT INTO digest_boxes (tenant, carton) VALUES (?1, ?2) ON CONFLICT (carton) DO NOTHING";
    let carton = it.code.carton.0;
    execute(connection, new, (it.tenant.0, carton))?;
    let sql = "SELECT box FROM digest_boxes WHERE carton = ?1";
    let number = connection.query_row(sql, [carton], |row| row.get(0));
    number.map_err(from_sqlite)
}

/// Stores the code of a digest that begins as another one, unless it `is_added`; refuses one that is there.
fn add_apart(
    connection: &Connection,
    it: &FoundCode,
    number: i64,
    is_added: bool,
) -> Result<(), StoreError> {
    let (lead, rest) = split(it.digest);
    let sql = "SELECT count(*) FROM (SELECT 1 FROM voucher_digests WHERE lead = ?1 AND rest = ?2 \
         UNION ALL SELECT 1 FROM voucher_digests_apart WHERE digest = ?3)";
    let values = (lead, rest, it.digest.0);
    let count = connection.query_row(sql, values, |row| row.get(0));
    let count: i64 = count.map_err(from_sqlite)?;
    if count > i64::from(is_added) {
        let text = "a code of the same text is in stock";
        return Err(StoreError::Refused(text.to_owned()));
    }
    if !is_added {
        let sql = "INSERT INTO voucher_digests_apart (digest, box, idx) VALUES (?1, ?2, ?3)";
        execute(connection, sql, (it.digest.0, number, it.code.index))?;
    }
    Ok(())
}

/// Removes what is stored of a box, at most `limit` rows of each kind.
pub(super) fn remove(
    connection: &Connection,
    carton: Serial,
    limit: u32,
) -> Result<AdminReply, StoreError> {
    let numbered = "box = (SELECT box FROM digest_boxes WHERE carton = ?1)";
    let mut removed = 0;
    for (table, key, is_of_it) in [
        ("voucher_digests", "lead", numbered),
        ("voucher_digests_apart", "digest", numbered),
        ("voucher_codes", "carton, idx", "carton = ?1"),
        ("voucher_units", "tenant, id", "carton = ?1"),
    ] {
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN \
             (SELECT {key} FROM {table} WHERE {is_of_it} LIMIT ?2)"
        );
        removed += execute(connection, &sql, (carton.0, limit))?;
    }
    let sql = format!(
        "DELETE FROM digest_boxes WHERE carton = ?1 \
             AND NOT EXISTS (SELECT 1 FROM voucher_digests WHERE {numbered}) \
             AND NOT EXISTS (SELECT 1 FROM voucher_digests_apart WHERE {numbered})"
    );
    execute(connection, &sql, [carton.0])?;
    Ok(AdminReply::Removed(removed as u64))
}

/// The unit with a printed name.
pub(super) fn unit(
    connection: &Connection,
    tenant: TenantId,
    id: &str,
) -> Result<Option<Unit>, StoreError> {
    let found = units_where(connection, "tenant = ?1 AND id = ?2", (tenant.0, id))?;
    Ok(found.into_iter().next())
}

/// The units of a level within a range.
pub(super) fn units_in(
    connection: &Connection,
    range: &CodeRange,
    of: Level,
    after: Option<u32>,
    limit: u32,
) -> Result<Vec<Unit>, StoreError> {
    let after = after.map_or(-1, i64::from);
    let values = (
        range.carton.0,
        level(of),
        range.first,
        range.last,
        after,
        limit,
    );
    units_where(connection, UNITS_IN, values)
}

/// Where a digest leads.
pub(super) fn by_digest(
    statements: &Statements<'_>,
    digest: CodeDigest,
) -> Result<Option<FoundCode>, StoreError> {
    let (lead, rest) = split(digest);
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let by_lead = "SELECT tenant, carton, idx FROM voucher_digests JOIN digest_boxes USING (box) \
         WHERE lead = ?1 AND rest = ?2";
    let found = statements.find(by_lead, (lead, rest), columns);
    let mut found = found.map_err(from_sqlite)?;
    if found.is_none() {
        let apart = "SELECT tenant, carton, idx FROM voucher_digests_apart \
             JOIN digest_boxes USING (box) WHERE digest = ?1";
        found = statements
            .find(apart, [digest.0], columns)
            .map_err(from_sqlite)?;
    }
    let read = |(tenant, carton, index)| {
        Ok(FoundCode {
            digest,
            tenant: TenantId(tenant),
            code: code(carton, index)?,
        })
    };
    found.map(read).transpose()
}

/// The codes of a range.
pub(super) fn stored_codes(
    connection: &Connection,
    range: &CodeRange,
    limit: u32,
) -> Result<Vec<StoredCode>, StoreError> {
    let sql = "SELECT carton, idx, sealed FROM voucher_codes \
         WHERE carton = ?1 AND idx >= ?2 AND idx <= ?3 ORDER BY idx LIMIT ?4";
    let values = (range.carton.0, range.first, range.last, limit);
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    all(
        connection,
        sql,
        values,
        columns,
        |(carton, index, sealed)| {
            let code = code(carton, index)?;
            Ok(StoredCode { code, sealed })
        },
    )
}

/// How much of a box is stored.
pub(super) fn stored_counts(
    connection: &Connection,
    carton: Serial,
) -> Result<StoredCounts, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM voucher_codes WHERE carton = ?1), \
         (SELECT count(*) FROM voucher_digests JOIN digest_boxes USING (box) WHERE carton = ?1) \
             + (SELECT count(*) FROM voucher_digests_apart JOIN digest_boxes USING (box) \
                 WHERE carton = ?1), \
         (SELECT count(*) FROM voucher_units WHERE carton = ?1 AND level = ?2)";
    let read = |row: &Row<'_>| {
        let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        Ok(StoredCounts {
            codes: count(0)?,
            digests: count(1)?,
            reels: count(2)?,
        })
    };
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let counts = statement.query_row((carton.0, level(Level::Reel)), read);
    counts.map_err(from_sqlite)
}
