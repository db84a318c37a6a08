//! Voucher codes, kept by the oracle.

use super::{
    Memory, Tables,
    reader::{MemorySnapshot, page, ready},
};
use crate::contract::{
    AdminReply, BoxFuture, CodeEventKey, FoundCode, Named, Sight, SpanMark, StoreError, StoredCode,
    StoredCounts, TreePage, VoucherReader, VoucherSnapshot, follow_events, key_of_event,
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::document::{Document, DocumentKey},
    rows::Claim,
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId},
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse, EventLink},
        paying::PayingCodes,
        rows::{BUSY_MAX, UseSum, VoucherChanges, VoucherPlan, VoucherRows},
        span::Span,
        stock::{Carton, Level, Unit},
    },
};
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(super) struct VoucherTables {
    units: BTreeMap<(TenantId, String), Unit>,
    codes: BTreeMap<CodeNo, Vec<u8>>,
    digests: BTreeMap<CodeDigest, FoundCode>,
    spans: BTreeMap<CodeNo, Span>,
    uses: BTreeMap<CodeNo, CodeUse>,
    events: BTreeMap<CodeEventKey, CodeEvent>,
}

const fn first_of(range: &CodeRange) -> CodeNo {
    CodeNo {
        carton: range.carton,
        index: range.first,
    }
}

impl Tables {
    /// The code that a new payment names.
    pub(super) fn paying(&self, claim: Claim<'_>) -> PayingCodes {
        let mut codes = PayingCodes::default();
        let named = claim.code.and_then(|it| self.voucher.digests.get(&it));
        let Some(found) = named.filter(|it| it.tenant == claim.payment.tenant) else {
            return codes;
        };
        codes.add_code(found.digest, found.code);
        let key = DocumentKey::carton(found.tenant, found.code.carton);
        if let Some(Document::Carton(carton)) = self.loyalty.document(&key) {
            codes.add_carton((**carton).clone());
        }
        let plan = VoucherPlan::default();
        self.voucher.load(&plan, &[found.code], &mut codes.rows);
        codes
    }
}

impl VoucherTables {
    /// Loads what `plan` names, and the codes that payments hold.
    pub(super) fn load(&self, plan: &VoucherPlan, held: &[CodeNo], rows: &mut VoucherRows) {
        for code in plan.codes.iter().chain(held) {
            self.spans_in(&code.range())
                .for_each(|it| rows.add_span(it.clone()));
            let found = self.uses.get(code).cloned();
            found.into_iter().for_each(|it| rows.add_use(it));
        }
        for range in &plan.ranges {
            self.spans_in(range)
                .for_each(|it| rows.add_span(it.clone()));
        }
        for range in &plan.busy {
            let mut busy = self.uses_in(range).filter(|it| it.is_busy());
            let first = busy.by_ref().take(BUSY_MAX as usize);
            first.for_each(|it| rows.add_use(it.clone()));
            if busy.next().is_some() {
                rows.add_crowded(*range);
            }
        }
        for range in &plan.sums {
            let mut sum = UseSum::default();
            for code_use in self.uses_in(range) {
                sum.used += i64::from(code_use.used);
                sum.reserved += i64::from(code_use.reserved);
            }
            rows.add_sum(*range, sum);
        }
    }

    /// What keeps `changes` from being applied.
    pub(super) fn check(&self, changes: &VoucherChanges) -> Result<(), StoreError> {
        let mut uses = changes.uses_added.iter().map(|it| it.code);
        let taken = uses.find(|it| self.uses.contains_key(it));
        let mut events = changes.events.iter().map(key_of_event);
        let event = events.find(|it| self.events.contains_key(it));
        if let Some(code) = taken.or(event.map(|(_, code, _)| code)) {
            return Err(StoreError::Conflict(format!("{code:?} is there")));
        }
        let mut uses = changes.uses.iter().map(|it| it.code);
        match uses.find(|it| !self.uses.contains_key(it)) {
            Some(code) => Err(StoreError::Corrupt(format!("{code:?} is not there"))),
            None => Ok(()),
        }
    }

    /// Applies what [`VoucherTables::check`] found nothing against.
    pub(super) fn apply(&mut self, changes: VoucherChanges) {
        for first in &changes.spans_removed {
            self.spans.remove(first);
        }
        let spans = changes.spans.into_iter();
        self.spans.extend(spans.map(|it| (first_of(&it.range), it)));
        let uses = changes.uses.into_iter().chain(changes.uses_added);
        self.uses.extend(uses.map(|it| (it.code, it)));
        let events = changes.events.into_iter();
        self.events.extend(events.map(|it| (key_of_event(&it), it)));
    }

    pub(super) fn add_units(&mut self, units: &[Unit]) -> Result<AdminReply, StoreError> {
        let new = units.iter().cloned();
        let new = new.map(|it| ((it.tenant, it.id.clone()), it));
        add(&mut self.units, new.collect())
    }

    pub(super) fn add_codes(&mut self, codes: &[StoredCode]) -> Result<AdminReply, StoreError> {
        let new = codes.iter().map(|it| (it.code, it.sealed.clone()));
        add(&mut self.codes, new.collect())
    }

    pub(super) fn add_digests(&mut self, found: &[FoundCode]) -> Result<AdminReply, StoreError> {
        let new = found.iter().map(|it| (it.digest, *it));
        add(&mut self.digests, new.collect())
    }

    pub(super) fn remove(&mut self, carton: Serial, limit: u32) -> AdminReply {
        let limit = limit as usize;
        let removed = remove(&mut self.units, limit, |_, it| it.range.carton == carton)
            + remove(&mut self.codes, limit, |code, _| code.carton == carton)
            + remove(&mut self.digests, limit, |_, it| it.code.carton == carton);
        AdminReply::Removed(removed)
    }

    fn spans_in(&self, range: &CodeRange) -> impl Iterator<Item = &Span> {
        let (range, carton) = (*range, range.carton);
        let from = CodeNo { carton, index: 0 };
        let spans = self.spans.range(from..=*range.codes().end());
        let spans = spans.map(|(_, it)| it);
        spans.filter(move |it| it.range.intersect(&range).is_some())
    }

    fn uses_in(&self, range: &CodeRange) -> impl Iterator<Item = &CodeUse> {
        self.uses.range(range.codes()).map(|(_, it)| it)
    }

    fn due_spans(&self, now: UnixMs, after: Option<SpanMark>) -> Vec<Span> {
        let due = self.spans.iter().filter_map(|(first, it)| {
            let at = it.due_at().filter(|at| *at <= now)?;
            let mark = (at, *first);
            after
                .is_none_or(|after| mark > after)
                .then_some((mark, it.clone()))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_unstable_by_key(|(mark, _)| *mark);
        due.into_iter().map(|(_, it)| it).collect()
    }

    fn stored_counts(&self, carton: Serial) -> StoredCounts {
        let reels = self.units.values();
        let reels = reels.filter(|it| it.range.carton == carton && it.level == Level::Reel);
        let digests = self.digests.values();
        let codes = self.codes.keys().filter(|it| it.carton == carton);
        StoredCounts {
            codes: codes.count() as u64,
            digests: digests.filter(|it| it.code.carton == carton).count() as u64,
            reels: reels.count() as u64,
        }
    }
}

impl Tables {
    fn carton(&self, tenant: TenantId, serial: Serial) -> Option<Carton> {
        let found = self.loyalty.document(&DocumentKey::carton(tenant, serial));
        let Some(Document::Carton(it)) = found else {
            return None;
        };
        Some((**it).clone())
    }

    fn change(&self, tenant: TenantId, id: &ChangeId) -> Option<Change> {
        let found = self.loyalty.document(&DocumentKey::change(tenant, id));
        let Some(Document::Change(it)) = found else {
            return None;
        };
        Some((**it).clone())
    }
}

/// Adds `new` rows, all or none.
fn add<K: Ord, T>(rows: &mut BTreeMap<K, T>, new: Vec<(K, T)>) -> Result<AdminReply, StoreError> {
    let len = new.len();
    let new: BTreeMap<K, T> = new.into_iter().collect();
    if new.len() < len || new.keys().any(|it| rows.contains_key(it)) {
        return Err(StoreError::Refused("a name that another has".to_owned()));
    }
    rows.extend(new);
    Ok(AdminReply::Done)
}

/// Removes the first rows that are `of` a box; answers how many.
fn remove<K: Ord + Clone, T>(
    rows: &mut BTreeMap<K, T>,
    limit: usize,
    of: impl Fn(&K, &T) -> bool,
) -> u64 {
    let keys = rows.iter().filter(|(key, it)| of(key, it));
    let keys: Vec<K> = keys.map(|(key, _)| key.clone()).take(limit).collect();
    keys.iter().for_each(|key| drop(rows.remove(key)));
    keys.len() as u64
}

impl VoucherReader for Memory {
    fn unit(
        &self,
        tenant: TenantId,
        id: String,
    ) -> BoxFuture<'_, Result<Option<Unit>, StoreError>> {
        ready(self.tables().voucher.units.get(&(tenant, id)).cloned())
    }

    fn units_in(
        &self,
        range: CodeRange,
        level: Level,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Unit>, StoreError>> {
        let tables = self.tables();
        let within = tables.voucher.units.values().filter(|it| {
            it.level == level
                && it.range.intersect(&range).is_some()
                && after.is_none_or(|after| it.range.first > after)
        });
        let mut within: Vec<Unit> = within.cloned().collect();
        within.sort_unstable_by_key(|it| it.range.first);
        within.truncate(limit as usize);
        ready(within)
    }

    fn codes_by_digest(
        &self,
        digests: Vec<CodeDigest>,
    ) -> BoxFuture<'_, Result<Vec<FoundCode>, StoreError>> {
        let tables = self.tables();
        let found = digests
            .iter()
            .filter_map(|it| tables.voucher.digests.get(it));
        ready(found.copied().collect())
    }

    fn named(
        &self,
        tenant: TenantId,
        names: Vec<(CodeDigest, String)>,
    ) -> BoxFuture<'_, Result<Vec<Named>, StoreError>> {
        let tables = self.tables();
        let look = |(digest, name)| {
            let found = tables.voucher.digests.get(&digest).copied();
            let unit = tables.voucher.units.get(&(tenant, name)).cloned();
            (found.filter(|it| it.tenant == tenant), unit)
        };
        ready(names.into_iter().map(look).collect())
    }

    fn sight(
        &self,
        tenant: TenantId,
        digest: CodeDigest,
        name: String,
    ) -> BoxFuture<'_, Result<Sight, StoreError>> {
        Box::pin(async move {
            let named = self.named(tenant, vec![(digest, name)]).await?;
            let (code, unit) = named.into_iter().next().unwrap_or_default();
            let page = match code {
                Some(found) => self.tree_page(found.code.range(), 1).await?,
                None => TreePage::default(),
            };
            let within = code.map(|it| it.code.carton);
            let within = within.or(unit.as_ref().map(|it| it.range.carton));
            let change = page.spans.first().and_then(Span::active_by);
            let tables = self.tables();
            let carton = within.and_then(|it| tables.carton(tenant, it));
            let activation = change.and_then(|it| tables.change(tenant, it));
            Ok(Sight {
                code,
                unit,
                carton,
                page,
                activation,
            })
        })
    }

    fn tree_page(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<TreePage, StoreError>> {
        let units = move |level| self.units_in(range, level, None, limit);
        Box::pin(async move {
            Ok(TreePage {
                packages: units(Level::Package).await?,
                reels: units(Level::Reel).await?,
                codes: self.stored_codes(range, limit).await?,
                uses: VoucherReader::code_uses(self, range, limit).await?,
                spans: VoucherReader::spans(self, range, None, limit).await?,
            })
        })
    }

    fn stored_codes(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredCode>, StoreError>> {
        let tables = self.tables();
        let codes = tables.voucher.codes.range(range.codes());
        let codes = codes.take(limit as usize).map(|(code, sealed)| StoredCode {
            code: *code,
            sealed: sealed.clone(),
        });
        ready(codes.collect())
    }

    fn spans(
        &self,
        range: CodeRange,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        let tables = self.tables();
        let spans = tables.voucher.spans_in(&range);
        let spans = spans.filter(|it| after.is_none_or(|after| it.range.first > after));
        ready(spans.take(limit as usize).cloned().collect())
    }

    fn code_uses(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>> {
        let tables = self.tables();
        let uses = tables.voucher.uses_in(&range);
        ready(uses.take(limit as usize).cloned().collect())
    }

    fn code_events(
        &self,
        code: CodeNo,
        from: Option<EventLink>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        let tables = self.tables();
        let VoucherTables { uses, events, .. } = &tables.voucher;
        let code_use = uses.get(&code);
        let kept = code_use.and_then(CodeUse::kept_event);
        let newest = || code_use.and_then(CodeUse::newest_event);
        let find = |it: EventLink| Ok(events.get(&(it.subject, code, it.number)).cloned());
        let found = follow_events(code, kept, from.or_else(newest), limit, find);
        Box::pin(std::future::ready(found))
    }

    fn due_spans(
        &self,
        now: UnixMs,
        after: Option<SpanMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        let mut due = self.tables().voucher.due_spans(now, after);
        due.truncate(limit as usize);
        ready(due)
    }
}

impl VoucherSnapshot for MemorySnapshot {
    fn spans(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>> {
        ready(page(&self.0.voucher.spans, after, limit))
    }

    fn code_uses(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>> {
        ready(page(&self.0.voucher.uses, after, limit))
    }

    fn code_events(
        &mut self,
        after: Option<CodeEventKey>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>> {
        ready(page(&self.0.voucher.events, after, limit))
    }

    fn stored_counts(&mut self, carton: Serial) -> BoxFuture<'_, Result<StoredCounts, StoreError>> {
        ready(self.0.voucher.stored_counts(carton))
    }
}
