//! Looking at voucher codes.

use super::{
    code_uses::{self, UsesTable},
    documents,
    kept::Recent,
    queries::at_one_moment,
    reader::{SqliteReader, unless_in_doubt},
    snapshot::SqliteSnapshot,
    statements::Statements,
    stock,
    voucher::{events_where, spans_where},
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
use std::sync::Arc;

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

/// The events of a code from `from` on, or from its newest.
fn code_events(
    connection: &Connection,
    recent: &Recent<UsesTable>,
    code: CodeNo,
    from: Option<EventLink>,
    limit: u32,
) -> Result<Vec<CodeEvent>, StoreError> {
    let code_use = code_uses::of_code(connection, recent, code)?;
    let kept = code_use.as_ref().and_then(CodeUse::kept_event);
    let from = from.or_else(|| code_use?.newest_event());
    follow_events(code, kept, from, limit, |EventLink { subject, number }| {
        let condition = "subject = ?1 AND carton = ?2 AND idx = ?3 AND number = ?4";
        let values = (subject.0, code.carton.0, code.index, number);
        let found = events_where(connection, condition, values)?;
        Ok(found.into_iter().next())
    })
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
    let statements = Statements::new(connection);
    let look = |(digest, name): &(CodeDigest, String)| {
        let found = stock::by_digest(&statements, *digest)?;
        let unit = stock::unit(connection, tenant, name)?;
        Ok((found.filter(|it| it.tenant == tenant), unit))
    };
    names.iter().map(look).collect()
}

/// What a name leads to, with all that is told of it but for uses, as [`tree_page`].
fn sight(
    connection: &Connection,
    tenant: TenantId,
    digest: CodeDigest,
    name: &str,
) -> Result<Sight, StoreError> {
    let found = stock::by_digest(&Statements::new(connection), digest)?;
    let code = found.filter(|it| it.tenant == tenant);
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
    let found = documents::find(connection, &DocumentKey::carton(tenant, serial))?;
    let document = found.map(|it| Arc::unwrap_or_clone(it.document));
    let Some(Document::Carton(it)) = document else {
        return Ok(None);
    };
    Ok(Some(*it))
}

fn change(
    connection: &Connection,
    tenant: TenantId,
    id: &ChangeId,
) -> Result<Option<Change>, StoreError> {
    let found = documents::find(connection, &DocumentKey::change(tenant, id))?;
    let document = found.map(|it| Arc::unwrap_or_clone(it.document));
    let Some(Document::Change(it)) = document else {
        return Ok(None);
    };
    Ok(Some(*it))
}

/// The codes of a range with what a tree shows of them, but for their uses: those are asked behind it,
/// memory first and then the table as it is by then. In the table as it was before, a row that has
/// left the memory meanwhile would be missing.
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
        uses: Vec::new(),
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
        self.with(move |connection| {
            let statements = Statements::new(connection);
            let found = digests.iter().map(|it| stock::by_digest(&statements, *it));
            found.filter_map(Result::transpose).collect()
        })
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
        let store = self.store().clone();
        self.with(move |connection| {
            let look = |whole: &Connection| sight(whole, tenant, digest, &name);
            let mut sight = at_one_moment(connection, look)?;
            unless_in_doubt(sight.is_whole().then_some(()), &store.shared)?;
            if let Some(FoundCode { code, .. }) = sight.code {
                let used = code_uses::of_code(connection, store.recent_uses(), code)?;
                sight.page.uses.extend(used);
            }
            Ok(sight)
        })
    }

    fn tree_page(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<TreePage, StoreError>> {
        let store = self.store().clone();
        self.with(move |connection| {
            let look = |whole: &Connection| tree_page(whole, &range, limit);
            let mut page = at_one_moment(connection, look)?;
            page.uses = code_uses::in_range(connection, store.recent_uses(), &range, limit)?;
            Ok(page)
        })
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
        let store = self.store().clone();
        self.with(move |it| code_uses::in_range(it, store.recent_uses(), &range, limit))
    }

    fn code_events(
        &self,
        code: CodeNo,
        from: Option<EventLink>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        let store = self.store().clone();
        self.with(move |it| code_events(it, store.recent_uses(), code, from, limit))
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
        let log = Arc::clone(&self.code_use_log);
        self.look(move |connection| {
            let logged = log.read(|| code_uses::logged(connection))?;
            code_uses::behind(connection, logged, after, limit)
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
