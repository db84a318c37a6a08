//! What one name leads to, in one statement: tills and partners ask for one code at a time, and each
//! statement more is one more to run for them and, where it needs an answer of the one before, one
//! more way to the server and back.

use super::{
    columns::{get, serial_text},
    stock::{UNIT, read_unit_from},
    voucher::{CODE_USE, SPAN, read_span, read_use},
};
use crate::{
    contract::{FoundCode, Sight, StoreError, StoredCode, TreePage},
    flat::{FlatDocument, found, level},
};
use domain::{
    loyalty::document::{Document, DocumentKind},
    voucher::{
        code::CodeNo,
        stock::{Level, Unit},
    },
};
use std::{error::Error, sync::LazyLock};
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

/// What follows from the digest `$2` and the name `$3` of tenant `$1`: one row, with nulls for what
/// is not there. Each part is looked up for itself, in the order in which one leads to the other.
pub(super) static SQL: LazyLock<String> = LazyLock::new(|| {
    let (package, reel) = (unit_around(Level::Package), unit_around(Level::Reel));
    let carton = "coalesce(found.carton, unit.carton)";
    let box_key = serial_text(carton);
    format!(
        "SELECT found.*, code.*, unit.*, carton.*, package.*, reel.*, span.*, used.*, change.*
        FROM (VALUES (true)) AS one
        LEFT JOIN LATERAL (SELECT digest, tenant, carton, idx FROM voucher_digests
            WHERE digest = $2 AND tenant = $1 LIMIT 1) AS found ON true
        LEFT JOIN LATERAL (SELECT sealed FROM voucher_codes
            WHERE carton = found.carton AND idx = found.idx LIMIT 1) AS code ON true
        LEFT JOIN LATERAL (SELECT {UNIT} FROM voucher_units
            WHERE id = $3 AND tenant = $1 LIMIT 1) AS unit ON true
        LEFT JOIN LATERAL (SELECT tenant, key, body FROM cartons
            WHERE tenant = $1 AND key = {box_key} LIMIT 1) AS carton ON true
        LEFT JOIN LATERAL ({package}) AS package ON true
        LEFT JOIN LATERAL ({reel}) AS reel ON true
        LEFT JOIN LATERAL (SELECT {SPAN} FROM voucher_spans
            WHERE carton = found.carton AND first <= found.idx
            ORDER BY carton DESC, first DESC LIMIT 1) AS span ON true
        LEFT JOIN LATERAL (SELECT {CODE_USE} FROM code_uses
            WHERE carton = found.carton AND idx = found.idx LIMIT 1) AS used ON true
        LEFT JOIN LATERAL (SELECT tenant, key, body FROM stock_changes
            WHERE tenant = $1 AND key = span.body::json #>> '{{stage,Active,by}}' LIMIT 1)
            AS change ON true"
    )
});

/// The unit of a level in which the found code lies.
fn unit_around(of: Level) -> String {
    let of = level(of);
    format!(
        "SELECT {UNIT} FROM voucher_units
        WHERE carton = found.carton AND level = {of}::smallint AND first <= found.idx
        ORDER BY carton DESC, level DESC, first DESC LIMIT 1"
    )
}

/// Where the parts of the row begin.
const FOUND: usize = 0;
const SEALED: usize = 4;
const NAMED: usize = 5;
const CARTON: usize = 12;
const PACKAGE: usize = 15;
const REEL: usize = 22;
const COVER: usize = 29;
const USED: usize = 35;
const CHANGE: usize = 46;

/// Reads the row of [`SQL`].
pub(super) fn read(row: &Row) -> Result<Sight, StoreError> {
    let code = maybe(row, FOUND + 1, read_found)?;
    let document = |kind, from| maybe(row, from, |row| document(kind, row, from));
    let mut sight = Sight {
        unit: maybe(row, NAMED, |row| read_unit_from(row, NAMED))?,
        page: match code {
            Some(FoundCode { code, .. }) => read_page(row, code)?,
            None => TreePage::default(),
        },
        code,
        ..Sight::default()
    };
    if let Some(Document::Carton(it)) = document(DocumentKind::Carton, CARTON)? {
        sight.carton = Some(*it);
    }
    if let Some(Document::Change(it)) = document(DocumentKind::Change, CHANGE)? {
        sight.activation = Some(*it);
    }
    Ok(sight)
}

fn read_page(row: &Row, code: CodeNo) -> Result<TreePage, StoreError> {
    let unit = |from| {
        let unit = maybe(row, from, |row| read_unit_from(row, from))?;
        let around = unit.filter(|it: &Unit| it.range.contains(code));
        Ok::<_, StoreError>(around.into_iter().collect())
    };
    let stored = |row: &Row| {
        let sealed = get(row, SEALED)?;
        Ok(StoredCode { code, sealed })
    };
    let span = maybe(row, COVER, |row| read_span(row, COVER))?;
    let used = maybe(row, USED, |row| read_use(row, USED))?;
    Ok(TreePage {
        packages: unit(PACKAGE)?,
        reels: unit(REEL)?,
        codes: maybe(row, SEALED, stored)?.into_iter().collect(),
        uses: used.into_iter().collect(),
        spans: span
            .into_iter()
            .filter(|it| it.range.contains(code))
            .collect(),
    })
}

fn read_found(row: &Row) -> Result<FoundCode, StoreError> {
    let (digest, tenant) = (get(row, FOUND)?, get(row, FOUND + 1)?);
    found(digest, tenant, get(row, FOUND + 2)?, get(row, FOUND + 3)?)
}

fn document(kind: DocumentKind, row: &Row, from: usize) -> Result<Document, StoreError> {
    let (tenant, key, body) = (get(row, from)?, get(row, from + 1)?, get(row, from + 2)?);
    FlatDocument::read(kind, tenant, key, body)
}

/// What `read` makes of a part of a row; `None` where it is not there, and so its column `at` null.
fn maybe<T>(
    row: &Row,
    at: usize,
    read: impl FnOnce(&Row) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let is_there = !is_null(row, at)?;
    is_there.then(|| read(row)).transpose()
}

fn is_null(row: &Row, at: usize) -> Result<bool, StoreError> {
    get::<Option<Anything>>(row, at).map(|it| it.is_none())
}

/// A value of any type, not looked at.
struct Anything;

impl FromSql<'_> for Anything {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
