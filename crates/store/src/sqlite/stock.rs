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

/// Stores where digests lead.
pub(super) fn add_digests(
    connection: &Connection,
    digests: &[FoundCode],
) -> Result<AdminReply, StoreError> {
    let sql = "INSERT INTO voucher_digests (digest, tenant, carton, idx) VALUES (?1, ?2, ?3, ?4)";
    for FoundCode {
        digest,
        tenant,
        code,
    } in digests
    {
        let values = (digest.0, tenant.0, code.carton.0, code.index);
        execute(connection, sql, values)?;
    }
    Ok(AdminReply::Done)
}

/// Removes what is stored of a box, at most `limit` rows of each kind.
pub(super) fn remove(
    connection: &Connection,
    carton: Serial,
    limit: u32,
) -> Result<AdminReply, StoreError> {
    let mut removed = 0;
    for (table, key) in [
        ("voucher_digests", "digest"),
        ("voucher_codes", "carton, idx"),
        ("voucher_units", "tenant, id"),
    ] {
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN \
             (SELECT {key} FROM {table} WHERE carton = ?1 LIMIT ?2)"
        );
        removed += execute(connection, &sql, (carton.0, limit))?;
    }
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
    let sql = "SELECT tenant, carton, idx FROM voucher_digests WHERE digest = ?1";
    let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let lead = statements
        .find(sql, [digest.0], columns)
        .map_err(from_sqlite)?;
    let read = |(tenant, carton, index)| {
        Ok(FoundCode {
            digest,
            tenant: TenantId(tenant),
            code: code(carton, index)?,
        })
    };
    lead.map(read).transpose()
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
         (SELECT count(*) FROM voucher_digests WHERE carton = ?1), \
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
