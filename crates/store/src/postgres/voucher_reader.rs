//! Looking at voucher codes.

use super::{
    error::classify,
    pool::Params,
    reader::{PostgresReader, unless_in_doubt},
    sight,
    snapshot::PostgresSnapshot,
    stock,
    voucher::{CODE_USE, EVENT, SPAN, read_event, read_span, read_use},
};
use crate::{
    contract::{
        BoxFuture, CodeEventKey, FoundCode, Named, Sight, SpanMark, StoreError, StoredCode,
        StoredCounts, TreePage, VoucherReader, VoucherSnapshot, follow_events,
    },
    flat::level,
};
use domain::{
    ids::{Serial, TenantId},
    time::UnixMs,
    voucher::{
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse, EventLink},
        span::Span,
        stock::{Level, Unit},
    },
};
use std::collections::HashMap;
use tokio_postgres::Row;

/// The spans of box `$1` that share codes with the range from `$2` to `$3`, those that begin behind
/// `$4`.
pub(super) fn spans_in_sql() -> String {
    format!(
        "SELECT {SPAN} FROM voucher_spans WHERE carton = $1 AND first <= $3 AND last >= $2
            AND first > $4 AND first >= coalesce((
                SELECT spans.first FROM voucher_spans AS spans
                WHERE spans.carton = $1 AND spans.first <= $2
                ORDER BY spans.carton DESC, spans.first DESC LIMIT 1), 0)
        ORDER BY carton, first LIMIT $5"
    )
}

/// What tills did with the codes of box `$1` from `$2` to `$3`.
pub(super) fn uses_in_sql() -> String {
    format!(
        "SELECT {CODE_USE} FROM code_uses WHERE carton = $1 AND idx >= $2 AND idx <= $3
        ORDER BY carton, idx LIMIT $4"
    )
}

/// The event number `$4` of code `$3` of box `$2`, which subject `$1` made, and those before it, each
/// of which the one behind it leads to, down to number `$5`.
pub(super) fn events_of_sql() -> String {
    format!(
        "WITH RECURSIVE chain AS (
            SELECT {EVENT}, before FROM code_events
            WHERE subject = $1 AND carton = $2 AND idx = $3 AND number = $4
            UNION ALL
            SELECT earlier.* FROM chain CROSS JOIN LATERAL (
                SELECT {EVENT}, before FROM code_events
                WHERE subject = chain.before AND carton = $2 AND idx = $3
                    AND number = chain.number - 1 AND number >= $5
                OFFSET 0) AS earlier)
        SELECT {EVENT} FROM chain"
    )
}

/// The spans due at or before `$1`, those behind the time `$2` and the code `$4` of box `$3`.
pub(super) fn due_sql() -> String {
    format!(
        "SELECT {SPAN} FROM voucher_spans
        WHERE due_at <= $1 AND (due_at, carton, first) > ($2, $3, $4)
        ORDER BY due_at, carton, first LIMIT $5"
    )
}

const fn index(of: u32) -> i64 {
    of as i64
}

fn behind(after: Option<u32>) -> i64 {
    after.map_or(-1, i64::from)
}

impl PostgresReader {
    async fn read<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        read: impl Fn(&Row) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.rows(sql, params).await?;
        rows.iter().map(read).collect()
    }

    /// The event at `newest` and those before it, of which there are at most `limit`.
    async fn recorded_events(
        &self,
        code: CodeNo,
        newest: EventLink,
        limit: u32,
    ) -> Result<HashMap<EventLink, CodeEvent>, StoreError> {
        let EventLink { subject, number } = newest;
        let (at, newest) = (index(code.index), index(number));
        let least = newest - i64::from(limit) + 1;
        let params: Params<'_> = &[&subject.0, &code.carton.0, &at, &newest, &least];
        let events = self.read(&events_of_sql(), params, read_event).await?;
        Ok(events.into_iter().map(|it| (it.link(), it)).collect())
    }
}

impl VoucherReader for PostgresReader {
    fn unit(
        &self,
        tenant: TenantId,
        id: String,
    ) -> BoxFuture<'_, Result<Option<Unit>, StoreError>> {
        Box::pin(async move {
            let (sql, params): (_, Params<'_>) = (stock::unit_sql(), &[&tenant.0, &id]);
            let found = self.read(&sql, params, stock::read_unit);
            Ok(found.await?.into_iter().next())
        })
    }

    fn units_in(
        &self,
        range: CodeRange,
        of: Level,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Unit>, StoreError>> {
        Box::pin(async move {
            let (first, last) = (index(range.first), index(range.last));
            let (of, after, limit) = (level(of), behind(after), i64::from(limit));
            let params: Params<'_> = &[&range.carton.0, &of, &first, &last, &after, &limit];
            self.read(&stock::units_in_sql(), params, stock::read_unit)
                .await
        })
    }

    fn codes_by_digest(
        &self,
        digests: Vec<CodeDigest>,
    ) -> BoxFuture<'_, Result<Vec<FoundCode>, StoreError>> {
        Box::pin(async move {
            let digests: Vec<&[u8]> = digests.iter().map(|it| it.0.as_slice()).collect();
            self.read(stock::BY_DIGEST, &[&digests], stock::read_found)
                .await
        })
    }

    fn named(
        &self,
        tenant: TenantId,
        names: Vec<(CodeDigest, String)>,
    ) -> BoxFuture<'_, Result<Vec<Named>, StoreError>> {
        Box::pin(async move {
            let (digests, names): (Vec<_>, Vec<_>) = names.into_iter().unzip();
            let params: Params<'_> = &[&tenant.0, &names];
            let sql = stock::units_named_sql();
            let (found, units) = tokio::try_join!(
                self.codes_by_digest(digests.clone()),
                self.read(&sql, params, stock::read_unit),
            )?;
            let found = found.into_iter().filter(|it| it.tenant == tenant);
            let found: HashMap<_, _> = found.map(|it| (it.digest.0, it)).collect();
            let units = units.into_iter().map(|it| (it.id.clone(), it));
            let units: HashMap<_, _> = units.collect();
            let named = digests.iter().zip(&names).map(|(digest, name)| {
                let code = found.get(&digest.0).copied();
                (code, units.get(name).cloned())
            });
            Ok(named.collect())
        })
    }

    fn sight(
        &self,
        tenant: TenantId,
        digest: CodeDigest,
        name: String,
    ) -> BoxFuture<'_, Result<Sight, StoreError>> {
        Box::pin(async move {
            let may_appear = self.doubts.are_there();
            let params: Params<'_> = &[&tenant.0, &digest.0.as_slice(), &name];
            let rows = self.rows_by_key(&sight::SQL, params).await?;
            let row = rows.first();
            let row = row.ok_or_else(|| StoreError::Corrupt("no row of a name".to_owned()))?;
            let sight = sight::read(row)?;
            unless_in_doubt(sight.is_whole().then_some(()), may_appear)?;
            Ok(sight)
        })
    }

    fn tree_page(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<TreePage, StoreError>> {
        Box::pin(async move {
            let units = |level| self.units_in(range, level, None, limit);
            let (packages, reels, codes, uses, spans) = tokio::try_join!(
                units(Level::Package),
                units(Level::Reel),
                self.stored_codes(range, limit),
                self.code_uses(range, limit),
                self.spans(range, None, limit),
            )?;
            Ok(TreePage {
                packages,
                reels,
                codes,
                uses,
                spans,
            })
        })
    }

    fn stored_codes(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredCode>, StoreError>> {
        Box::pin(async move {
            let (first, last) = (index(range.first), index(range.last));
            let params: Params<'_> = &[&range.carton.0, &first, &last, &i64::from(limit)];
            self.read(stock::STORED_CODES, params, stock::read_code)
                .await
        })
    }

    fn spans(
        &self,
        range: CodeRange,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        Box::pin(async move {
            let (first, last) = (index(range.first), index(range.last));
            let (after, limit) = (behind(after), i64::from(limit));
            let params: Params<'_> = &[&range.carton.0, &first, &last, &after, &limit];
            self.read(&spans_in_sql(), params, |row| read_span(row, 0))
                .await
        })
    }

    fn code_uses(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>> {
        Box::pin(async move {
            let (first, last) = (index(range.first), index(range.last));
            let params: Params<'_> = &[&range.carton.0, &first, &last, &i64::from(limit)];
            self.read(&uses_in_sql(), params, |row| read_use(row, 0))
                .await
        })
    }

    fn code_events(
        &self,
        code: CodeNo,
        from: Option<EventLink>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        Box::pin(async move {
            let uses = self.code_uses(code.range(), 1).await?;
            let kept = uses.first().and_then(CodeUse::kept_event);
            let from = from.or_else(|| uses.first()?.newest_event());
            let recorded = match kept.as_ref().filter(|it| Some(it.link()) == from) {
                Some(kept) => kept.earlier(),
                None => from,
            };
            let mut events = match recorded {
                Some(newest) => self.recorded_events(code, newest, limit).await?,
                None => HashMap::new(),
            };
            follow_events(code, kept, from, limit, |link| Ok(events.remove(&link)))
        })
    }

    fn due_spans(
        &self,
        now: UnixMs,
        after: Option<SpanMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        Box::pin(async move {
            let (at, code) = after.unzip();
            let at = at.map_or(i64::MIN, |it| it.0);
            let (carton, first) = mark(code);
            let params: Params<'_> = &[&now.0, &at, &carton, &first, &i64::from(limit)];
            self.read(&due_sql(), params, |row| read_span(row, 0)).await
        })
    }
}

/// Where what follows `after` starts.
fn mark(after: Option<CodeNo>) -> (i64, i64) {
    after.map_or((i64::MIN, 0), |it| (it.carton.0, index(it.index)))
}

impl PostgresSnapshot {
    async fn read<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        read: impl Fn(&Row) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.session.client.query(sql, params).await;
        let rows = rows.map_err(|error| classify(&error))?;
        rows.iter().map(read).collect()
    }
}

impl VoucherSnapshot for PostgresSnapshot {
    fn spans(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT {SPAN} FROM voucher_spans WHERE (carton, first) > ($1, $2)
                ORDER BY carton, first LIMIT $3"
            );
            let (carton, first) = mark(after);
            let params: Params<'_> = &[&carton, &first, &i64::from(limit)];
            self.read(&sql, params, |row| read_span(row, 0)).await
        })
    }

    fn code_uses(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT {CODE_USE} FROM code_uses WHERE (carton, idx) > ($1, $2)
                ORDER BY carton, idx LIMIT $3"
            );
            let (carton, idx) = mark(after);
            let params: Params<'_> = &[&carton, &idx, &i64::from(limit)];
            self.read(&sql, params, |row| read_use(row, 0)).await
        })
    }

    fn code_events(
        &mut self,
        after: Option<CodeEventKey>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT {EVENT} FROM code_events
                WHERE (subject, carton, idx, number) > ($1, $2, $3, $4)
                ORDER BY subject, carton, idx, number LIMIT $5"
            );
            let subject = after.map_or(i64::MIN, |(subject, ..)| subject.0);
            let (carton, idx) = mark(after.map(|(_, code, _)| code));
            let number = after.map_or(0, |(.., number)| i64::from(number));
            let params: Params<'_> = &[&subject, &carton, &idx, &number, &i64::from(limit)];
            self.read(&sql, params, read_event).await
        })
    }

    fn stored_counts(&mut self, carton: Serial) -> BoxFuture<'_, Result<StoredCounts, StoreError>> {
        Box::pin(async move {
            let params: Params<'_> = &[&carton.0, &level(Level::Reel)];
            let found = self.read(stock::COUNTS, params, stock::read_counts).await?;
            let counts = found.into_iter().next();
            counts.ok_or_else(|| StoreError::Corrupt("no counts".to_owned()))
        })
    }
}
