//! The voucher rows that a batch of commands loads and changes; see [`crate::rows`].
//!
//! Whoever changes a range holds its spans exclusively; whoever uses a code holds its span against
//! change. So a code cannot be used while its range is changed, on any store.

use super::{
    code::{CodeNo, CodeRange},
    code_use::{CodeEvent, CodeUse},
    span::{Cut, Span},
};
use crate::{
    ids::{Serial, TenantId},
    loyalty::document::DocumentKey,
    rows::Inconsistent,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

/// How many codes in use are loaded of a range at most: they are named to whoever wants to change
/// it, and one is enough to refuse.
pub const BUSY_MAX: u32 = 20;

/// What a batch of commands needs.
#[derive(Debug, Default)]
pub struct VoucherPlan {
    /// Spans that share codes with a range, to be changed. Whoever does what others may have done
    /// to its neighbours names those too ([`CodeRange::with_neighbours`]), so that they become one.
    pub ranges: Vec<CodeRange>,
    /// The first codes in use of a range, at most [`BUSY_MAX`].
    pub busy: Vec<CodeRange>,
    /// How many uses of a range's codes are gone or held.
    pub sums: Vec<CodeRange>,
    /// What tills did with a code, to be changed, and its span, to stay as it is.
    pub codes: Vec<CodeNo>,
    /// Cards all of whose codes are wanted so. They stand in the plan as documents, too.
    pub cards: Vec<DocumentKey>,
}

impl VoucherPlan {
    /// Sorts and removes repetitions, so that every store locks rows in the same order.
    pub fn normalise(&mut self) {
        for list in [&mut self.ranges, &mut self.busy, &mut self.sums] {
            list.sort_unstable();
            list.dedup();
        }
        self.codes.sort_unstable();
        self.codes.dedup();
        self.cards.sort_unstable();
        self.cards.dedup();
    }

    /// Whether it names nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
            && self.busy.is_empty()
            && self.sums.is_empty()
            && self.codes.is_empty()
            && self.cards.is_empty()
    }
}

/// How many uses of a range's codes are gone or held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UseSum {
    /// Gone.
    pub used: i64,
    /// Held by open payments.
    pub reserved: i64,
}

impl UseSum {
    fn of(code_use: &CodeUse) -> Self {
        Self {
            used: i64::from(code_use.used),
            reserved: i64::from(code_use.reserved),
        }
    }
}

/// Where a span begins.
type Start = (Serial, u32);

/// The loaded rows and what became of them.
#[derive(Debug, Default)]
pub struct VoucherRows {
    spans: BTreeMap<Start, Span>,
    uses: BTreeMap<CodeNo, CodeUse>,
    /// As loaded; what this batch did to codes is in `uses` and `uses_before`.
    sums: HashMap<CodeRange, UseSum>,
    /// Ranges of which not all codes in use were loaded.
    crowded: BTreeSet<CodeRange>,
    /// Of codes that were looked at, how many of their uses were gone or held.
    uses_before: BTreeMap<CodeNo, UseSum>,
    events: Vec<CodeEvent>,
    touched: Touched,
}

#[derive(Debug, Default)]
struct Touched {
    /// As the store has them.
    spans_before: BTreeMap<Start, Span>,
    uses_added: BTreeSet<CodeNo>,
    uses: BTreeSet<CodeNo>,
}

/// What a batch changed, in the order of keys.
#[derive(Debug, Default)]
pub struct VoucherChanges {
    /// Spans that are there no more, by their first code.
    pub spans_removed: Vec<CodeNo>,
    /// Spans to insert or overwrite, by their first code.
    pub spans: Vec<Span>,
    /// Rows of codes to insert; one that is there already is another writer's.
    pub uses_added: Vec<CodeUse>,
    /// Rows of codes to overwrite.
    pub uses: Vec<CodeUse>,
    /// Events to insert; one that is there already is another writer's.
    pub events: Vec<CodeEvent>,
}

impl VoucherRows {
    /// Adds a loaded span.
    pub fn add_span(&mut self, span: Span) {
        let start = (span.range.carton, span.range.first);
        self.touched.spans_before.insert(start, span.clone());
        self.spans.insert(start, span);
    }

    /// Whether the span of a code was loaded.
    #[must_use]
    pub fn has_span_of(&self, code: CodeNo) -> bool {
        self.find_span(code).is_some()
    }

    fn find_span(&self, code: CodeNo) -> Option<&Span> {
        let up_to = self.spans.range(..=(code.carton, code.index));
        let span = up_to.map(|(_, it)| it).next_back();
        span.filter(|it| it.range.contains(code))
    }

    /// Adds a loaded row of a code.
    pub fn add_use(&mut self, code_use: CodeUse) {
        let before = UseSum::of(&code_use);
        self.uses_before.insert(code_use.code, before);
        self.uses.insert(code_use.code, code_use);
    }

    /// Notes that no till has touched a code.
    pub fn add_untouched(&mut self, code: CodeNo) {
        self.uses_before.insert(code, UseSum::default());
    }

    /// Whether a code was looked at.
    #[must_use]
    pub fn has_use_of(&self, code: CodeNo) -> bool {
        self.uses_before.contains_key(&code)
    }

    /// Adds a loaded sum.
    pub fn add_sum(&mut self, range: CodeRange, sum: UseSum) {
        self.sums.insert(range, sum);
    }

    /// Notes that more codes of a range are in use than were loaded.
    pub fn add_crowded(&mut self, range: CodeRange) {
        self.crowded.insert(range);
    }

    /// The span a code lies in, if it is this tenant's.
    ///
    /// # Errors
    /// When it was not loaded.
    pub fn span_of(&self, tenant: TenantId, code: CodeNo) -> Result<&Span, Inconsistent> {
        let span = self.find_span(code).filter(|it| it.tenant == tenant);
        span.ok_or(Inconsistent(code.carton))
    }

    /// The spans that share codes with `range`, in order.
    ///
    /// # Errors
    /// When they do not cover it all, or are another tenant's.
    pub fn spans_in(&self, tenant: TenantId, range: &CodeRange) -> Result<Vec<Span>, Inconsistent> {
        let (first, last) = ((range.carton, range.first), (range.carton, range.last));
        // The first of them may begin before the range.
        let begin = self.spans.range(..=first).next_back();
        let begin = begin.map_or(first, |(start, _)| *start);
        let within = self.spans.range(begin..=last).map(|(_, it)| it);
        let within = within.filter(|it| it.tenant == tenant);
        let found: Vec<Span> = within
            .filter(|it| it.range.intersect(range).is_some())
            .cloned()
            .collect();
        if tiles(&found, range) {
            return Ok(found);
        }
        Err(Inconsistent(range.carton))
    }

    /// The first codes of a range that are in use, and whether there may be more.
    #[must_use]
    pub fn busy_in(&self, range: &CodeRange) -> (Vec<CodeNo>, bool) {
        let codes = self.uses.range(range.codes()).map(|(_, it)| it);
        let busy = codes.filter(|it| it.is_busy()).map(|it| it.code).collect();
        (busy, self.crowded.contains(range))
    }

    /// How many uses of a range's codes are gone or held.
    ///
    /// # Errors
    /// When the sum was not loaded.
    pub fn sum_in(&self, range: &CodeRange) -> Result<UseSum, Inconsistent> {
        let loaded = self.sums.get(range).ok_or(Inconsistent(range.carton))?;
        let mut sum = *loaded;
        for code in self.touched.uses.iter().chain(&self.touched.uses_added) {
            if range.contains(*code) {
                let before = self.uses_before.get(code).copied().unwrap_or_default();
                let now = self.uses.get(code).map(UseSum::of).unwrap_or_default();
                sum.used += now.used - before.used;
                sum.reserved += now.reserved - before.reserved;
            }
        }
        Ok(sum)
    }

    /// What tills did with a code.
    #[must_use]
    pub fn code_use(&self, tenant: TenantId, code: CodeNo) -> CodeUse {
        let found = self.uses.get(&code).filter(|it| it.tenant == tenant);
        found.map_or_else(|| CodeUse::untouched(tenant, code), Clone::clone)
    }

    /// Inserts or overwrites the row of a code.
    pub fn put_use(&mut self, code_use: CodeUse) {
        let code = code_use.code;
        if self.uses.insert(code, code_use).is_none() {
            self.touched.uses_added.insert(code);
        } else if !self.touched.uses_added.contains(&code) {
            self.touched.uses.insert(code);
        }
    }

    /// Appends an event.
    pub fn put_event(&mut self, event: CodeEvent) {
        self.events.push(event);
    }

    /// The first span of a box, which covers all of it.
    pub fn put_span(&mut self, span: Span) {
        self.spans
            .insert((span.range.carton, span.range.first), span);
    }

    /// Replaces what lies of the spans within `range` by what `change` makes of it; neighbours to
    /// which the same has happened become one span, as far as they are loaded.
    ///
    /// # Errors
    /// As [`VoucherRows::spans_in`].
    pub fn change(
        &mut self,
        tenant: TenantId,
        range: &CodeRange,
        change: impl Fn(Span) -> Span,
    ) -> Result<(), Inconsistent> {
        for span in self.spans_in(tenant, range)? {
            self.spans.remove(&(span.range.carton, span.range.first));
            let Some(Cut {
                before,
                within,
                behind,
            }) = span.cut(range)
            else {
                continue;
            };
            for part in [before, Some(change(within)), behind].into_iter().flatten() {
                self.join_or_insert(part);
            }
        }
        self.join_next(range);
        Ok(())
    }

    /// Makes the span that `range` ends in one with the next, if that is loaded and can be.
    fn join_next(&mut self, range: &CodeRange) {
        let up_to = (range.carton, range.last);
        let Some((start, span)) = self.spans.range(..=up_to).next_back() else {
            return;
        };
        let start = *start;
        let next = self
            .spans
            .range((Bound::Excluded(start), Bound::Unbounded))
            .next();
        let Some((next, last)) = next
            .filter(|(_, next)| span.joins(next))
            .map(|(start, next)| (*start, next.range.last))
        else {
            return;
        };
        self.spans.remove(&next);
        if let Some(span) = self.spans.get_mut(&start) {
            span.range.last = last;
        }
    }

    /// Adds a span behind those that are there; makes it one with the one before if it can be.
    fn join_or_insert(&mut self, span: Span) {
        let start = (span.range.carton, span.range.first);
        let before = self.spans.range_mut(..start).next_back();
        if let Some((_, before)) = before.filter(|(_, before)| before.joins(&span)) {
            before.range.last = span.range.last;
        } else {
            self.spans.insert(start, span);
        }
    }

    /// What is to be written.
    #[must_use]
    pub fn into_changes(mut self) -> VoucherChanges {
        let before = self.touched.spans_before;
        let gone = before.keys().filter(|it| !self.spans.contains_key(it));
        let spans_removed = gone.map(|(carton, index)| CodeNo {
            carton: *carton,
            index: *index,
        });
        let spans_removed = spans_removed.collect();
        let differs = |start: &Start, span: &Span| before.get(start) != Some(span);
        let spans = self
            .spans
            .into_iter()
            .filter(|(start, it)| differs(start, it));
        let mut take = |codes: BTreeSet<CodeNo>| {
            let uses = codes.into_iter().filter_map(|it| self.uses.remove(&it));
            uses.collect::<Vec<_>>()
        };
        VoucherChanges {
            spans_removed,
            spans: spans.map(|(_, it)| it).collect(),
            uses_added: take(self.touched.uses_added),
            uses: take(self.touched.uses),
            events: self.events,
        }
    }
}

/// Whether `spans`, in order, cover `range` without a gap.
fn tiles(spans: &[Span], range: &CodeRange) -> bool {
    let mut next = Some(range.first);
    for span in spans {
        let Some(expected) = next else { return false };
        let is_first = expected == range.first;
        let follows = span.range.first == expected || (is_first && span.range.first < expected);
        if !follows {
            return false;
        }
        if span.range.last >= range.last {
            return true;
        }
        next = span.range.last.checked_add(1);
    }
    false
}
