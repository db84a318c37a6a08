//! Looking at voucher codes.

use super::{
    loyalty,
    reader::{SqliteReader, unless_in_doubt},
    snapshot::SqliteSnapshot,
    stock,
    voucher::{events_where, spans_where, uses_where},
};
use crate::contract::{
    BoxFuture, CodeEventKey, FoundCode, Named, Sight, SpanMark, StoreError, StoredCode,
    StoredCounts, TreePage, VoucherReader, VoucherSnapshot, follow_events,
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::document::{Document, DocumentKey},
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId},
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse, EventLink},
        span::Span,
        stock::{Carton, Level, Unit},
    },
};
use rusqlite::Connection;

/// Has one bound from below: of two SQLite would begin at the first, which may tell nothing.
pub(super) const SPANS_BEHIND: &str =
    "carton = ?1 AND first <= ?3 AND first >= max(?4 + 1, coalesce(
        (SELECT max(first) FROM voucher_spans WHERE carton = ?1 AND first <= ?2), 0))
    AND last >= ?2 ORDER BY first LIMIT ?5";

/// The spans within a range.
fn spans(
    connection: &Connection,
    range: &CodeRange,
    after: Option<u32>,
    limit: u32,
) -> Result<Vec<Span>, StoreError> {
    let after = after.map_or(-1, i64::from);
    let values = (range.carton.0, range.first, range.last, after, limit);
    spans_where(connection, SPANS_BEHIND, values)
}

/// What tills did with the codes of a range.
fn code_uses(
    connection: &Connection,
    range: &CodeRange,
    limit: u32,
) -> Result<Vec<CodeUse>, StoreError> {
    let condition = "carton = ?1 AND idx >= ?2 AND idx <= ?3 ORDER BY idx LIMIT ?4";
    let values = (range.carton.0, range.first, range.last, limit);
    uses_where(connection, condition, values)
}

/// The events of a code from `from` on, or from its newest.
fn code_events(
    connection: &Connection,
    code: CodeNo,
    from: Option<EventLink>,
    limit: u32,
) -> Result<Vec<CodeEvent>, StoreError> {
    let from = match from {
        Some(_) => from,
        None => newest_event(connection, code)?,
    };
    follow_events(code, from, limit, |EventLink { subject, number }| {
        let condition = "subject = ?1 AND carton = ?2 AND idx = ?3 AND number = ?4";
        let values = (subject.0, code.carton.0, code.index, number);
        let found = events_where(connection, condition, values)?;
        Ok(found.into_iter().next())
    })
}

fn newest_event(connection: &Connection, code: CodeNo) -> Result<Option<EventLink>, StoreError> {
    let uses = code_uses(connection, &code.range(), 1)?;
    Ok(uses.first().and_then(CodeUse::newest_event))
}

/// The spans that are due behind `after`.
fn due_spans(
    connection: &Connection,
    now: UnixMs,
    after: Option<SpanMark>,
    limit: u32,
) -> Result<Vec<Span>, StoreError> {
    let condition = "due_at <= ?1 AND (due_at, carton, first) > (?2, ?3, ?4) \
         ORDER BY due_at, carton, first LIMIT ?5";
    let (at, carton, first) = after.map_or((i64::MIN, i64::MIN, 0), |(at, code)| {
        (at.0, code.carton.0, code.index)
    });
    spans_where(connection, condition, (now.0, at, carton, first, limit))
}

/// What names lead to.
fn named(
    connection: &Connection,
    tenant: TenantId,
    names: &[(CodeDigest, String)],
) -> Result<Vec<Named>, StoreError> {
    let look = |(digest, name): &(CodeDigest, String)| {
        let found = stock::by_digest(connection, &[*digest])?;
        let unit = stock::unit(connection, tenant, name)?;
        Ok((found.into_iter().find(|it| it.tenant == tenant), unit))
    };
    names.iter().map(look).collect()
}

/// What a name leads to, with all that is told of it.
fn sight(
    connection: &Connection,
    tenant: TenantId,
    digest: CodeDigest,
    name: &str,
) -> Result<Sight, StoreError> {
    let found = stock::by_digest(connection, &[digest])?;
    let code = found.into_iter().find(|it| it.tenant == tenant);
    let unit = stock::unit(connection, tenant, name)?;
    let page = match code {
        Some(found) => tree_page(connection, &found.code.range(), 1)?,
        None => TreePage::default(),
    };
    let within = code.map(|it| it.code.carton);
    let within = within.or(unit.as_ref().map(|it| it.range.carton));
    let carton = within.map(|it| carton(connection, tenant, it));
    let by = page.spans.first().and_then(Span::active_by);
    let activation = by.map(|it| change(connection, tenant, it));
    Ok(Sight {
        code,
        unit,
        carton: carton.transpose()?.flatten(),
        activation: activation.transpose()?.flatten(),
        page,
    })
}

fn carton(
    connection: &Connection,
    tenant: TenantId,
    serial: Serial,
) -> Result<Option<Carton>, StoreError> {
    let found = loyalty::document(connection, &DocumentKey::carton(tenant, serial))?;
    let Some(Document::Carton(it)) = found else {
        return Ok(None);
    };
    Ok(Some(*it))
}

fn change(
    connection: &Connection,
    tenant: TenantId,
    id: &ChangeId,
) -> Result<Option<Change>, StoreError> {
    let found = loyalty::document(connection, &DocumentKey::change(tenant, id))?;
    let Some(Document::Change(it)) = found else {
        return Ok(None);
    };
    Ok(Some(*it))
}

/// The codes of a range with what a tree shows of them.
fn tree_page(
    connection: &Connection,
    range: &CodeRange,
    limit: u32,
) -> Result<TreePage, StoreError> {
    let units = |level| stock::units_in(connection, range, level, None, limit);
    Ok(TreePage {
        packages: units(Level::Package)?,
        reels: units(Level::Reel)?,
        codes: stock::stored_codes(connection, range, limit)?,
        uses: code_uses(connection, range, limit)?,
        spans: spans(connection, range, None, limit)?,
    })
}

impl VoucherReader for SqliteReader {
    fn unit(
        &self,
        tenant: TenantId,
        id: String,
    ) -> BoxFuture<'_, Result<Option<Unit>, StoreError>> {
        self.with(move |connection| stock::unit(connection, tenant, &id))
    }

    fn units_in(
        &self,
        range: CodeRange,
        level: Level,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Unit>, StoreError>> {
        self.with(move |connection| stock::units_in(connection, &range, level, after, limit))
    }

    fn codes_by_digest(
        &self,
        digests: Vec<CodeDigest>,
    ) -> BoxFuture<'_, Result<Vec<FoundCode>, StoreError>> {
        self.with(move |connection| stock::by_digest(connection, &digests))
    }

    fn named(
        &self,
        tenant: TenantId,
        names: Vec<(CodeDigest, String)>,
    ) -> BoxFuture<'_, Result<Vec<Named>, StoreError>> {
        self.within(move |connection| named(connection, tenant, &names))
    }

    fn sight(
        &self,
        tenant: TenantId,
        digest: CodeDigest,
        name: String,
    ) -> BoxFuture<'_, Result<Sight, StoreError>> {
        let shared = self.shared();
        self.within(move |connection| {
            let sight = sight(connection, tenant, digest, &name)?;
            unless_in_doubt(sight.is_whole().then_some(()), &shared)?;
            Ok(sight)
        })
    }

    fn tree_page(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<TreePage, StoreError>> {
        self.within(move |connection| tree_page(connection, &range, limit))
    }

    fn stored_codes(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredCode>, StoreError>> {
        self.with(move |connection| stock::stored_codes(connection, &range, limit))
    }

    fn spans(
        &self,
        range: CodeRange,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        self.with(move |connection| spans(connection, &range, after, limit))
    }

    fn code_uses(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>> {
        self.with(move |connection| code_uses(connection, &range, limit))
    }

    fn code_events(
        &self,
        code: CodeNo,
        from: Option<EventLink>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        self.with(move |connection| code_events(connection, code, from, limit))
    }

    fn due_spans(
        &self,
        now: UnixMs,
        after: Option<SpanMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        self.with(move |connection| due_spans(connection, now, after, limit))
    }
}

impl VoucherSnapshot for SqliteSnapshot {
    fn spans(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        let (carton, first) = mark(after);
        self.look(move |connection| {
            let condition = "(carton, first) > (?1, ?2) ORDER BY carton, first LIMIT ?3";
            spans_where(connection, condition, (carton, first, limit))
        })
    }

    fn code_uses(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>> {
        let (carton, idx) = mark(after);
        self.look(move |connection| {
            let condition = "(carton, idx) > (?1, ?2) ORDER BY carton, idx LIMIT ?3";
            uses_where(connection, condition, (carton, idx, limit))
        })
    }

    fn code_events(
        &mut self,
        after: Option<CodeEventKey>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        let subject = after.map_or(i64::MIN, |(subject, ..)| subject.0);
        let (carton, idx) = mark(after.map(|(_, code, _)| code));
        let number = after.map_or(0, |(.., number)| number);
        self.look(move |connection| {
            let condition = "(subject, carton, idx, number) > (?1, ?2, ?3, ?4) \
                 ORDER BY subject, carton, idx, number LIMIT ?5";
            let values = (subject, carton, idx, number, limit);
            events_where(connection, condition, values)
        })
    }

    fn stored_counts(&mut self, carton: Serial) -> BoxFuture<'_, Result<StoredCounts, StoreError>> {
        self.look(move |connection| stock::stored_counts(connection, carton))
    }
}

/// Where a page behind `after` starts.
fn mark(after: Option<CodeNo>) -> (i64, i64) {
    after.map_or((i64::MIN, 0), |it| (it.carton.0, i64::from(it.index)))
}
