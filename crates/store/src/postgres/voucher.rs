//! What happened to voucher codes: its part of a batch.
//!
//! Whoever changes a range locks its spans, and those of the codes that the payments of its batch
//! hold, all in the order of their keys; whoever only uses codes locks their spans against change.
//! What tills did with codes is read by later statements: once the spans are locked, nobody else
//! changes it. A range may have been cut while its lock was waited for: its spans are read once more
//! behind that, and where they are others than were locked, the batch is tried again.
//!
//! Rows are looked up one by one inside a statement, as those of cards are.

use super::{
    columns::get,
    error::classify,
    paying::paying_sql,
    session::{Param, Session, Step, column},
};
use crate::{
    contract::StoreError,
    flat::{FlatCodeEvent, FlatSpan, FlatUse},
};
use domain::{
    ids::{Serial, TenantId},
    voucher::{
        code::{CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse},
        rows::{BUSY_MAX, UseSum, VoucherChanges, VoucherPlan, VoucherRows},
        span::Span,
    },
};
use std::{collections::BTreeMap, mem::take};
use tokio_postgres::{Client, Error, Row, Statement};

/// The statements of a batch, prepared on a writer's connection.
pub(super) struct Statements {
    pub(super) paying: Statement,
    lock_spans: Statement,
    hold_spans: Statement,
    spans_again: Statement,
    lock_uses: Statement,
    busy: Statement,
    sums: Statement,
    remove_span: Statement,
    put_spans: Statement,
    add_uses: Statement,
    put_uses: Statement,
    add_events: Statement,
}

impl Statements {
    /// Prepares all in one round trip.
    pub(super) async fn prepare(session: &Session) -> Result<Self, StoreError> {
        let prepared = Self::try_prepare(&session.client).await;
        prepared.map_err(|error| classify(&error))
    }

    async fn try_prepare(client: &Client) -> Result<Self, Error> {
        let (lock_spans, hold_spans) = (spans_sql("FOR UPDATE"), hold_spans_sql());
        let (again, busy, put_uses) = (spans_sql("OFFSET 0"), busy_sql(), put_uses_sql());
        let paying = paying_sql();
        let statements = tokio::try_join!(
            client.prepare(&paying),
            client.prepare(&lock_spans),
            client.prepare(&hold_spans),
            client.prepare(&again),
            client.prepare(LOCK_USES),
            client.prepare(&busy),
            client.prepare(SUMS),
            client.prepare(REMOVE_SPAN),
            client.prepare(PUT_SPANS),
            client.prepare(ADD_USES),
            client.prepare(&put_uses),
            client.prepare(ADD_EVENTS),
        )?;
        let (paying, lock_spans, hold_spans, spans_again, lock_uses, busy, sums, ..) = statements;
        let (.., remove_span, put_spans, add_uses, put_uses, add_events) = statements;
        Ok(Self {
            paying,
            lock_spans,
            hold_spans,
            spans_again,
            lock_uses,
            busy,
            sums,
            remove_span,
            put_spans,
            add_uses,
            put_uses,
            add_events,
        })
    }
}

pub(super) const SPAN: &str = "tenant, carton, first, last, due_at, body";
pub(super) const CODE_USE: &str =
    "tenant, carton, idx, used, reserved, events, newest, last, act, at, before";
pub(super) const EVENT: &str = "tenant, subject, carton, idx, number, body";

/// Locks the spans that share codes with ranges, in the order in which the ranges are named, or only
/// reads them. The first of a range is the one in which its first code lies.
pub(super) fn spans_sql(lock: &str) -> String {
    format!(
        "SELECT found.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
            AS named (carton, first, last)
        CROSS JOIN LATERAL (SELECT {SPAN} FROM voucher_spans
            WHERE carton = named.carton AND first <= named.last AND first >= (
                SELECT spans.first FROM voucher_spans AS spans
                WHERE spans.carton = named.carton AND spans.first <= named.first
                ORDER BY spans.carton DESC, spans.first DESC LIMIT 1)
            ORDER BY carton, first {lock}) AS found"
    )
}

/// Holds the spans in which codes lie against change, each once, in the order of their keys.
pub(super) fn hold_spans_sql() -> String {
    format!(
        "SELECT found.* FROM (SELECT DISTINCT spans.carton, spans.first
            FROM unnest($1::bigint[], $2::bigint[]) AS named (carton, idx)
            CROSS JOIN LATERAL (SELECT carton, first FROM voucher_spans
                WHERE carton = named.carton AND first <= named.idx
                ORDER BY carton DESC, first DESC LIMIT 1) AS spans
            ORDER BY spans.carton, spans.first) AS one
        CROSS JOIN LATERAL (SELECT {SPAN} FROM voucher_spans
            WHERE carton = one.carton AND first = one.first FOR SHARE) AS found"
    )
}

/// Locks the rows of codes in the order in which they are named.
pub(super) const LOCK_USES: &str = "SELECT found.* FROM unnest($1::bigint[], $2::bigint[])
        AS named (carton, idx)
    CROSS JOIN LATERAL (SELECT tenant, carton, idx, used, reserved, events, newest, last, act, at, before
        FROM code_uses WHERE carton = named.carton AND idx = named.idx FOR UPDATE) AS found";

/// The first codes in use of each range, and before them the number of the range from 1. One more
/// than are named tells whether there are more.
pub(super) fn busy_sql() -> String {
    let limit = BUSY_MAX + 1;
    format!(
        "SELECT named.n, found.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
            WITH ORDINALITY AS named (carton, first, last, n)
        CROSS JOIN LATERAL (SELECT {CODE_USE} FROM code_uses
            WHERE carton = named.carton AND idx >= named.first AND idx <= named.last
                AND (used > 0 OR reserved > 0)
            ORDER BY carton, idx LIMIT {limit}) AS found"
    )
}

/// How many uses of each range's codes are gone and held, and before them the number of the range.
pub(super) const SUMS: &str = "SELECT named.n, found.* FROM
        unnest($1::bigint[], $2::bigint[], $3::bigint[])
        WITH ORDINALITY AS named (carton, first, last, n)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(used), 0)::bigint, coalesce(sum(reserved), 0)::bigint FROM code_uses
        WHERE carton = named.carton AND idx >= named.first AND idx <= named.last) AS found";

/// Removes one span: a statement that takes several could be planned to read all of a box.
pub(super) const REMOVE_SPAN: &str = "DELETE FROM voucher_spans WHERE carton = $1 AND first = $2";

const PUT_SPANS: &str = "INSERT INTO voucher_spans (tenant, carton, first, last, due_at, body)
    SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
        $6::text[]) AS new
    ON CONFLICT (carton, first, tenant) DO UPDATE SET last = excluded.last,
        due_at = excluded.due_at, body = excluded.body";

const ADD_USES: &str = "INSERT INTO code_uses (tenant, carton, idx, used, reserved, events,
        newest, last, act, at, before)
    SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
        $6::bigint[], $7::bigint[], $8::bigint[], $9::smallint[], $10::bigint[], $11::bigint[]) AS new";

/// Overwrites rows of codes: the transaction loaded and locked them, so all are there. An update that joins
/// could be planned to read the whole table.
fn put_uses_sql() -> String {
    format!(
        "{ADD_USES} ON CONFLICT (carton, idx, tenant) DO UPDATE SET used = excluded.used,
            reserved = excluded.reserved, events = excluded.events, newest = excluded.newest,
            last = excluded.last, act = excluded.act, at = excluded.at, before = excluded.before"
    )
}

const ADD_EVENTS: &str =
    "INSERT INTO code_events (tenant, subject, carton, idx, number, before, body)
    SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
        $6::bigint[], $7::text[]) AS new";

/// Instead of what happened, where no event is kept.
const NO_ACT: i16 = 0;

/// Reads a row that holds [`SPAN`] from a column on.
pub(super) fn read_span(row: &Row, from: usize) -> Result<Span, StoreError> {
    let flat = FlatSpan {
        tenant: get(row, from)?,
        carton: get(row, from + 1)?,
        first: get(row, from + 2)?,
        last: get(row, from + 3)?,
        due_at: get(row, from + 4)?,
        body: get(row, from + 5)?,
    };
    flat.read()
}

/// Reads a row that holds [`CODE_USE`] from a column on.
pub(super) fn read_use(row: &Row, from: usize) -> Result<CodeUse, StoreError> {
    let flat = FlatUse {
        tenant: get(row, from)?,
        carton: get(row, from + 1)?,
        idx: get(row, from + 2)?,
        used: get(row, from + 3)?,
        reserved: get(row, from + 4)?,
        events: get(row, from + 5)?,
        newest: get(row, from + 6)?,
        last: get(row, from + 7)?,
        act: Some(get(row, from + 8)?).filter(|it| *it != NO_ACT),
        at: get(row, from + 9)?,
        before: get(row, from + 10)?,
    };
    flat.read()
}

/// Reads a row of [`EVENT`].
pub(super) fn read_event(row: &Row) -> Result<CodeEvent, StoreError> {
    let flat = FlatCodeEvent {
        tenant: get(row, 0)?,
        subject: get(row, 1)?,
        carton: get(row, 2)?,
        idx: get(row, 3)?,
        number: get(row, 4)?,
        before: None,
        body: get(row, 5)?,
    };
    flat.read()
}

/// What a step of a batch that loads reads.
#[derive(Clone, Copy)]
pub(super) enum Reads {
    Spans,
    SpansAgain,
    Uses,
    Busy,
    Sums,
}

/// What a batch wants to know of voucher codes.
pub(super) struct Wanted<'p> {
    plan: &'p VoucherPlan,
    /// Codes of the plan, and those that payments hold.
    codes: Vec<CodeNo>,
    /// As they were locked.
    locked: BTreeMap<Start, Span>,
}

/// Where a span begins.
type Start = (Serial, u32);

impl<'p> Wanted<'p> {
    /// `held` are the codes that payments hold.
    pub(super) fn of(plan: &'p VoucherPlan, held: Vec<CodeNo>) -> Self {
        let mut codes = held;
        codes.extend(&plan.codes);
        codes.sort_unstable();
        codes.dedup();
        Self {
            plan,
            codes,
            locked: BTreeMap::new(),
        }
    }

    /// Steps that lock and read it, spans first.
    pub(super) fn locking(&self, sql: &Statements) -> Vec<(Reads, Step)> {
        let mut steps = Vec::new();
        let mut push = |reads, statement, named: usize, columns| {
            if named > 0 {
                steps.push((reads, Step::new(statement, columns)));
            }
        };
        let (codes, changing) = (&self.codes, &self.plan.ranges);
        let named = |it: &[CodeNo]| {
            let (carton, index) = (|it: &CodeNo| it.carton.0, |it: &CodeNo| i64::from(it.index));
            vec![array(it, carton), array(it, index)]
        };
        // One way to lock for all spans of a batch: two ways, one after the other, would have no
        // common order with another batch's.
        if changing.is_empty() {
            push(Reads::Spans, &sql.hold_spans, codes.len(), named(codes));
        } else {
            let single = codes.iter().map(|it| it.range());
            let mut spans: Vec<CodeRange> = changing.iter().copied().chain(single).collect();
            spans.sort_unstable();
            push(Reads::Spans, &sql.lock_spans, spans.len(), ranges(&spans));
        }
        let again = &sql.spans_again;
        push(Reads::SpansAgain, again, changing.len(), ranges(changing));
        push(Reads::Uses, &sql.lock_uses, codes.len(), named(codes));
        let (busy, sums) = (&self.plan.busy, &self.plan.sums);
        push(Reads::Busy, &sql.busy, busy.len(), ranges(busy));
        push(Reads::Sums, &sql.sums, sums.len(), ranges(sums));
        steps
    }

    /// Takes in what a step read.
    pub(super) fn take(
        &mut self,
        reads: Reads,
        found: &[Row],
        rows: &mut VoucherRows,
    ) -> Result<(), StoreError> {
        match reads {
            Reads::Spans => self.take_spans(found, rows),
            Reads::SpansAgain => self.compare(found),
            Reads::Uses => {
                for row in found {
                    rows.add_use(read_use(row, 0)?);
                }
                Ok(())
            }
            Reads::Busy => self.take_busy(found, rows),
            Reads::Sums => self.take_sums(found, rows),
        }
    }

    fn take_spans(&mut self, found: &[Row], rows: &mut VoucherRows) -> Result<(), StoreError> {
        for row in found {
            let span = read_span(row, 0)?;
            let start = (span.range.carton, span.range.first);
            self.locked.insert(start, span);
        }
        for code in &self.codes {
            unless_in_a_span(&self.locked, *code)?;
        }
        self.locked
            .values()
            .for_each(|it| rows.add_span(it.clone()));
        Ok(())
    }

    /// Compares the spans of ranges to be changed with those that were locked.
    fn compare(&self, found: &[Row]) -> Result<(), StoreError> {
        for row in found {
            let span = read_span(row, 0)?;
            let start = (span.range.carton, span.range.first);
            if self.locked.get(&start) != Some(&span) {
                return Err(cut(start));
            }
        }
        Ok(())
    }

    fn take_busy(&self, found: &[Row], rows: &mut VoucherRows) -> Result<(), StoreError> {
        let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
        for row in found {
            let count = counts.entry(get(row, 0)?).or_default();
            *count += 1;
            if *count <= BUSY_MAX {
                rows.add_use(read_use(row, 1)?);
            }
        }
        for (n, range) in (1..).zip(&self.plan.busy) {
            if counts.get(&n).is_some_and(|it| *it > BUSY_MAX) {
                rows.add_crowded(*range);
            }
        }
        Ok(())
    }

    fn take_sums(&self, found: &[Row], rows: &mut VoucherRows) -> Result<(), StoreError> {
        let mut sums: BTreeMap<i64, UseSum> = BTreeMap::new();
        for row in found {
            let (used, reserved) = (get(row, 1)?, get(row, 2)?);
            sums.insert(get(row, 0)?, UseSum { used, reserved });
        }
        for (n, range) in (1..).zip(&self.plan.sums) {
            if let Some(sum) = sums.get(&n) {
                rows.add_sum(*range, *sum);
            }
        }
        Ok(())
    }
}

/// A code lies in a span that was locked, unless that was cut, or made one with another, while its
/// lock was waited for.
fn unless_in_a_span(locked: &BTreeMap<Start, Span>, code: CodeNo) -> Result<(), StoreError> {
    let start = (code.carton, code.index);
    let span = locked.range(..=start).map(|(_, it)| it).next_back();
    if span.is_some_and(|it| it.range.contains(code)) {
        return Ok(());
    }
    Err(cut(start))
}

fn cut((carton, index): Start) -> StoreError {
    StoreError::Conflict(format!("the span of code {index} of box {carton} changed"))
}

fn array<T>(rows: &[T], pick: impl Fn(&T) -> i64) -> Param {
    Box::new(rows.iter().map(pick).collect::<Vec<i64>>())
}

fn ranges(ranges: &[CodeRange]) -> Vec<Param> {
    vec![
        array(ranges, |it| it.carton.0),
        array(ranges, |it| i64::from(it.first)),
        array(ranges, |it| i64::from(it.last)),
    ]
}

/// Steps that write `changes`, and one of the tenants.
pub(super) fn changing(
    sql: &Statements,
    changes: &VoucherChanges,
) -> Result<(Vec<Step>, Option<TenantId>), StoreError> {
    let mut writing = Writing {
        steps: Vec::new(),
        tenant: None,
    };
    for span in &changes.spans_removed {
        let params: Vec<Param> = vec![Box::new(span.carton.0), Box::new(i64::from(span.index))];
        writing.steps.push(Step::new(&sql.remove_span, params));
    }
    writing.spans(&changes.spans, &sql.put_spans)?;
    writing.uses(&changes.uses, &sql.put_uses);
    writing.uses(&changes.uses_added, &sql.add_uses);
    writing.events(&changes.events, &sql.add_events)?;
    Ok((writing.steps, writing.tenant))
}

struct Writing {
    steps: Vec<Step>,
    tenant: Option<TenantId>,
}

impl Writing {
    fn push(&mut self, tenant: i64, statement: &Statement, columns: Vec<Param>) {
        let mut params: Vec<Param> = vec![Box::new(tenant)];
        params.extend(columns);
        self.steps.push(Step::new(statement, params));
        self.tenant = Some(TenantId(tenant));
    }

    fn spans(&mut self, spans: &[Span], statement: &Statement) -> Result<(), StoreError> {
        let flat = spans.iter().map(FlatSpan::of);
        let flat = flat.collect::<Result<Vec<_>, _>>()?;
        for (tenant, mut rows) in by_tenant(flat, |it| it.tenant) {
            let rows = &mut rows;
            let columns = vec![
                column(rows, |it| it.carton),
                column(rows, |it| it.first),
                column(rows, |it| it.last),
                column(rows, |it| it.due_at),
                column(rows, |it| take(&mut it.body)),
            ];
            self.push(tenant, statement, columns);
        }
        Ok(())
    }

    fn uses(&mut self, uses: &[CodeUse], statement: &Statement) {
        let flat = uses.iter().map(FlatUse::of).collect();
        for (tenant, mut rows) in by_tenant(flat, |it: &FlatUse| it.tenant) {
            let rows = &mut rows;
            let columns = vec![
                column(rows, |it| it.carton),
                column(rows, |it| it.idx),
                column(rows, |it| it.used),
                column(rows, |it| it.reserved),
                column(rows, |it| it.events),
                column(rows, |it| it.newest),
                column(rows, |it| it.last),
                column(rows, |it| it.act.unwrap_or(NO_ACT)),
                column(rows, |it| it.at),
                column(rows, |it| it.before),
            ];
            self.push(tenant, statement, columns);
        }
    }

    fn events(&mut self, events: &[CodeEvent], statement: &Statement) -> Result<(), StoreError> {
        let flat = events.iter().map(FlatCodeEvent::of);
        let flat = flat.collect::<Result<Vec<_>, _>>()?;
        for (tenant, mut rows) in by_tenant(flat, |it| it.tenant) {
            let rows = &mut rows;
            let columns = vec![
                column(rows, |it| it.subject),
                column(rows, |it| it.carton),
                column(rows, |it| it.idx),
                column(rows, |it| it.number),
                column(rows, |it| it.before),
                column(rows, |it| take(&mut it.body)),
            ];
            self.push(tenant, statement, columns);
        }
        Ok(())
    }
}

fn by_tenant<T>(rows: Vec<T>, tenant: impl Fn(&T) -> i64) -> BTreeMap<i64, Vec<T>> {
    let mut grouped: BTreeMap<i64, Vec<T>> = BTreeMap::new();
    for row in rows {
        grouped.entry(tenant(&row)).or_default().push(row);
    }
    grouped
}
