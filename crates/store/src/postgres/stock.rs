//! The stock of voucher codes: boxes, packages and reels by their names, sealed codes, and the
//! digests by which they are found. Written in bulk, once.

use super::{
    admin::{NOBODY, prepare},
    columns::get,
    link::BEGIN,
    session::{Param, column},
    writer::PostgresWriter,
};
use crate::{
    contract::{AdminReply, FoundCode, StoreError, StoredCode, StoredCounts},
    flat::{FlatUnit, code, found},
};
use domain::{ids::Serial, voucher::stock::Unit};
use std::mem::take;
use tokio_postgres::Row;

const ADD_UNITS: &str = "INSERT INTO voucher_units (tenant, id, level, carton, first, last,
        sale_channel_order_id)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[],
        $6::bigint[], $7::text[])";

const ADD_CODES: &str = "INSERT INTO voucher_codes (carton, idx, sealed)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])";

const ADD_DIGESTS: &str = "INSERT INTO voucher_digests (digest, tenant, carton, idx)
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[])";

/// A box's rows are looked up by it and removed by where they lie.
const REMOVALS: [&str; 3] = [
    "DELETE FROM voucher_digests WHERE ctid = any(array(
        SELECT ctid FROM voucher_digests WHERE carton = $1 LIMIT $2)) RETURNING true",
    "DELETE FROM voucher_codes WHERE ctid = any(array(
        SELECT ctid FROM voucher_codes WHERE carton = $1 LIMIT $2)) RETURNING true",
    "DELETE FROM voucher_units WHERE ctid = any(array(
        SELECT ctid FROM voucher_units WHERE carton = $1 LIMIT $2)) RETURNING true",
];

/// Stores units.
pub(super) async fn add_units(
    writer: &mut PostgresWriter,
    units: &[Unit],
) -> Result<AdminReply, StoreError> {
    let mut flat: Vec<FlatUnit> = units.iter().map(FlatUnit::of).collect();
    let rows = &mut flat;
    let columns = vec![
        column(rows, |it| it.tenant),
        column(rows, |it| take(&mut it.id)),
        column(rows, |it| it.level),
        column(rows, |it| it.carton),
        column(rows, |it| it.first),
        column(rows, |it| it.last),
        column(rows, |it| take(&mut it.sale_channel_order_id)),
    ];
    add(writer, ADD_UNITS, columns).await
}

/// Stores codes.
pub(super) async fn add_codes(
    writer: &mut PostgresWriter,
    codes: &[StoredCode],
) -> Result<AdminReply, StoreError> {
    let columns: Vec<Param> = vec![
        array(codes, |it| it.code.carton.0),
        array(codes, |it| i64::from(it.code.index)),
        Box::new(codes.iter().map(|it| it.sealed.clone()).collect::<Vec<_>>()),
    ];
    add(writer, ADD_CODES, columns).await
}

/// Stores where digests lead.
pub(super) async fn add_digests(
    writer: &mut PostgresWriter,
    digests: &[FoundCode],
) -> Result<AdminReply, StoreError> {
    let texts = digests.iter().map(|it| it.digest.0.to_vec());
    let columns: Vec<Param> = vec![
        Box::new(texts.collect::<Vec<_>>()),
        array(digests, |it| it.tenant.0),
        array(digests, |it| it.code.carton.0),
        array(digests, |it| i64::from(it.code.index)),
    ];
    add(writer, ADD_DIGESTS, columns).await
}

fn array<T>(rows: &[T], pick: impl Fn(&T) -> i64) -> Param {
    Box::new(rows.iter().map(pick).collect::<Vec<i64>>())
}

/// Adds rows. A commit that stands although its answer was lost is as good as any.
async fn add(
    writer: &mut PostgresWriter,
    sql: &'static str,
    columns: Vec<Param>,
) -> Result<AdminReply, StoreError> {
    let link = writer.idle_link().await?;
    let steps = prepare(&link, vec![(sql, columns)]).await?;
    let added = writer.conclude(link, Some(BEGIN), steps, Some(NOBODY));
    added.await.map(|_| AdminReply::Done)
}

/// Removes what is stored of a box, at most `limit` rows of each kind.
pub(super) async fn remove(
    writer: &mut PostgresWriter,
    carton: Serial,
    limit: u32,
) -> Result<AdminReply, StoreError> {
    let link = writer.idle_link().await?;
    let steps = REMOVALS.map(|sql| {
        let params: Vec<Param> = vec![Box::new(carton.0), Box::new(i64::from(limit))];
        (sql, params)
    });
    let steps = prepare(&link, steps.into()).await?;
    let removed = writer.conclude(link, Some(BEGIN), steps, Some(NOBODY));
    let removed = removed.await?.ok_or_else(super::admin::lost)?;
    let removed = removed.iter().map(|rows| rows.len() as u64).sum();
    Ok(AdminReply::Removed(removed))
}

pub(super) const UNIT: &str = "tenant, id, level, carton, first, last, sale_channel_order_id";

/// The unit of tenant `$1` with the name `$2`.
pub(super) fn unit_sql() -> String {
    format!("SELECT {UNIT} FROM voucher_units WHERE tenant = $1 AND id = $2")
}

/// The units of tenant `$1` with the names `$2`.
pub(super) fn units_named_sql() -> String {
    format!(
        "SELECT found.* FROM unnest($2::text[]) AS named (id)
        CROSS JOIN LATERAL (SELECT {UNIT} FROM voucher_units
            WHERE tenant = $1 AND id = named.id LIMIT 1) AS found"
    )
}

/// The units of box `$1` and level `$2` that share codes with the range from `$3` to `$4`, those
/// that begin behind `$5`.
pub(super) fn units_in_sql() -> String {
    format!(
        "SELECT {UNIT} FROM voucher_units WHERE carton = $1 AND level = $2 AND first <= $4
            AND first > $5 AND last >= $3 AND first >= coalesce((
                SELECT units.first FROM voucher_units AS units
                WHERE units.carton = $1 AND units.level = $2 AND units.first <= $3
                ORDER BY units.carton DESC, units.level DESC, units.first DESC LIMIT 1), 0)
        ORDER BY carton, level, first LIMIT $6"
    )
}

/// Where the digests `$1` lead.
pub(super) const BY_DIGEST: &str = "SELECT found.* FROM unnest($1::bytea[]) AS named (digest)
    CROSS JOIN LATERAL (SELECT digest, tenant, carton, idx FROM voucher_digests
        WHERE digest = named.digest LIMIT 1) AS found";

/// The codes of box `$1` from `$2` to `$3`.
pub(super) const STORED_CODES: &str = "SELECT carton, idx, sealed FROM voucher_codes
    WHERE carton = $1 AND idx >= $2 AND idx <= $3 ORDER BY carton, idx LIMIT $4";

/// How many codes, digests and reels of box `$1` are stored.
pub(super) const COUNTS: &str = "SELECT
    (SELECT count(*) FROM voucher_codes WHERE carton = $1),
    (SELECT count(*) FROM voucher_digests WHERE carton = $1),
    (SELECT count(*) FROM voucher_units WHERE carton = $1 AND level = $2)";

/// Reads a row of a unit.
pub(super) fn read_unit(row: &Row) -> Result<Unit, StoreError> {
    read_unit_from(row, 0)
}

/// Reads a row that holds [`UNIT`] from a column on.
pub(super) fn read_unit_from(row: &Row, from: usize) -> Result<Unit, StoreError> {
    let flat = FlatUnit {
        tenant: get(row, from)?,
        id: get(row, from + 1)?,
        level: get(row, from + 2)?,
        carton: get(row, from + 3)?,
        first: get(row, from + 4)?,
        last: get(row, from + 5)?,
        sale_channel_order_id: get(row, from + 6)?,
    };
    flat.read()
}

/// Reads a row of [`BY_DIGEST`].
pub(super) fn read_found(row: &Row) -> Result<FoundCode, StoreError> {
    found(get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?)
}

/// Reads a row of [`STORED_CODES`].
pub(super) fn read_code(row: &Row) -> Result<StoredCode, StoreError> {
    Ok(StoredCode {
        code: code(get(row, 0)?, get(row, 1)?)?,
        sealed: get(row, 2)?,
    })
}

/// Reads a row of [`COUNTS`].
pub(super) fn read_counts(row: &Row) -> Result<StoredCounts, StoreError> {
    let count = |index| get::<i64>(row, index).map(i64::unsigned_abs);
    Ok(StoredCounts {
        codes: count(0)?,
        digests: count(1)?,
        reels: count(2)?,
    })
}
