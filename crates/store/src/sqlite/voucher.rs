//! What happened to voucher codes: its part of a batch.

use super::{
    code_uses::{self, CodeUses},
    from_sqlite,
    indexes::Indexes,
    loyalty::conflict_or_failure,
    queries::all,
    statements::Statements,
    stock,
};
use crate::{
    contract::{FoundCode, StoreError},
    flat::{FlatCodeEvent, FlatSpan},
};
use domain::{
    ids::TenantId,
    loyalty::document::{Document, DocumentKey},
    voucher::{
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::CodeEvent,
        paying::PayingCodes,
        rows::{BUSY_MAX, VoucherChanges, VoucherPlan, VoucherRows},
        span::Span,
        stock::Carton,
    },
};
use rusqlite::{Connection, Params, Row, params};
use std::sync::{Arc, LazyLock};

const SPAN: &str = "tenant, carton, first, last, due_at, body";
const EVENT: &str = "tenant, subject, carton, idx, number, body";

/// Begins with the span in which the first code lies.
const SPANS_IN: &str = "carton = ?1 AND first <= ?3 AND first >= coalesce(
        (SELECT max(first) FROM voucher_spans WHERE carton = ?1 AND first <= ?2), 0)";

fn span(row: &Row<'_>) -> rusqlite::Result<FlatSpan> {
    Ok(FlatSpan {
        tenant: row.get(0)?,
        carton: row.get(1)?,
        first: row.get(2)?,
        last: row.get(3)?,
        due_at: row.get(4)?,
        body: row.get(5)?,
    })
}

fn code_event(row: &Row<'_>) -> rusqlite::Result<FlatCodeEvent> {
    Ok(FlatCodeEvent {
        tenant: row.get(0)?,
        subject: row.get(1)?,
        carton: row.get(2)?,
        idx: row.get(3)?,
        number: row.get(4)?,
        before: None,
        body: row.get(5)?,
    })
}

/// The spans that a condition finds.
pub(super) fn spans_where(
    connection: &Connection,
    condition: &str,
    values: impl Params,
) -> Result<Vec<Span>, StoreError> {
    let sql = format!("SELECT {SPAN} FROM voucher_spans WHERE {condition}");
    all(connection, &sql, values, span, FlatSpan::read)
}

/// The events that a condition finds.
pub(super) fn events_where(
    connection: &Connection,
    condition: &str,
    values: impl Params,
) -> Result<Vec<CodeEvent>, StoreError> {
    let sql = format!("SELECT {EVENT} FROM code_events WHERE {condition}");
    all(connection, &sql, values, code_event, FlatCodeEvent::read)
}

/// Loads what `plan` names, and the codes that payments hold.
pub(super) fn load(
    statements: &Statements<'_>,
    uses: &mut CodeUses,
    plan: &VoucherPlan,
    held: &[CodeNo],
    rows: &mut VoucherRows,
) -> Result<(), StoreError> {
    for code in plan.codes.iter().chain(held) {
        load_code(statements, uses, *code, rows)?;
    }
    for range in &plan.ranges {
        load_span(statements, range, rows)?;
    }
    for range in &plan.busy {
        let mut busy = code_uses::busy(statements, uses, range)?;
        if busy.len() > BUSY_MAX as usize {
            rows.add_crowded(*range);
        }
        busy.truncate(BUSY_MAX as usize);
        busy.into_iter().for_each(|it| rows.add_use(it));
    }
    for range in &plan.sums {
        rows.add_sum(*range, code_uses::sum(statements, uses, range)?);
    }
    Ok(())
}

/// Looks up the code that a new payment of `tenant` names.
pub(super) fn look_up(
    statements: &Statements<'_>,
    indexes: &mut Indexes,
    tenant: TenantId,
    digest: CodeDigest,
    codes: &mut PayingCodes,
) -> Result<(), StoreError> {
    let found = stock::by_digest(statements, digest)?;
    let Some(FoundCode { code, .. }) = found.filter(|it| it.tenant == tenant) else {
        return Ok(());
    };
    codes.add_code(digest, code);
    if !codes.has_carton(code.carton) {
        let key = DocumentKey::carton(tenant, code.carton);
        let carton = indexes.documents.find(statements, &key)?;
        if let Some(Document::Carton(carton)) = carton.as_ref().map(|it| &*it.document) {
            codes.add_carton(Carton::clone(carton));
        }
    }
    load_code(statements, &mut indexes.uses, code, &mut codes.rows)
}

/// Loads a code and its span where they are not there yet: codes that are used together lie in few
/// spans, and a new payment's code was looked at before the payment was recorded.
fn load_code(
    statements: &Statements<'_>,
    uses: &mut CodeUses,
    code: CodeNo,
    rows: &mut VoucherRows,
) -> Result<(), StoreError> {
    if !rows.has_span_of(code) {
        load_span(statements, &code.range(), rows)?;
    }
    if !rows.has_use_of(code) {
        match uses.find(statements, &code)? {
            Some(code_use) => rows.add_use(Arc::unwrap_or_clone(code_use)),
            None => rows.add_untouched(code),
        }
    }
    Ok(())
}

fn load_span(
    connection: &Connection,
    range: &CodeRange,
    rows: &mut VoucherRows,
) -> Result<(), StoreError> {
    let values = (range.carton.0, range.first, range.last);
    let found = spans_where(connection, SPANS_IN, values)?;
    found.into_iter().for_each(|it| rows.add_span(it));
    Ok(())
}

/// Writes `changes`.
pub(super) fn write(
    statements: &Statements<'_>,
    uses: &mut CodeUses,
    changes: &VoucherChanges,
) -> Result<(), StoreError> {
    for first in &changes.spans_removed {
        let sql = "DELETE FROM voucher_spans WHERE carton = ?1 AND first = ?2";
        execute(statements, sql, (first.carton.0, first.index))?;
    }
    for span in &changes.spans {
        put_span(statements, &FlatSpan::of(span)?)?;
    }
    for code_use in &changes.uses {
        code_uses::overwrite(statements, uses, code_use)?;
    }
    for code_use in &changes.uses_added {
        code_uses::add(statements, uses, code_use)?;
    }
    let mut events = changes.events.iter();
    events.try_for_each(|it| add_event(statements, &FlatCodeEvent::of(it)?))
}

fn put_span(connection: &Connection, span: &FlatSpan) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO voucher_spans ({SPAN}) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (carton, first) DO UPDATE SET last = excluded.last, \
         due_at = excluded.due_at, body = excluded.body"
    );
    let values = params![
        span.tenant,
        span.carton,
        span.first,
        span.last,
        span.due_at,
        span.body
    ];
    execute(connection, &sql, values).map(drop)
}

fn add_event(statements: &Statements<'_>, it: &FlatCodeEvent) -> Result<(), StoreError> {
    static INSERT: LazyLock<String> = LazyLock::new(|| {
        format!("INSERT INTO code_events ({EVENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    });
    let values = params![it.tenant, it.subject, it.carton, it.idx, it.number, it.body];
    let added = statements.execute(&INSERT, values);
    added.map(drop).map_err(conflict_or_failure)
}

pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<usize, StoreError> {
    let statement = connection.prepare_cached(sql);
    statement
        .and_then(|mut it| it.execute(values))
        .map_err(from_sqlite)
}
