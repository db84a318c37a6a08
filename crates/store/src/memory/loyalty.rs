//! Cards, terminals and their events, kept by the oracle.

use crate::{
    contract::{DocumentMark, StoreError},
    flat::listing,
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        rows::{LoyaltyChanges, LoyaltyPlan, LoyaltyRows},
        trans::{Place, Trans, TransNo},
    },
    time::UnixMs,
    voucher::partner::PartnerNo,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

#[derive(Clone, Default)]
pub(super) struct LoyaltyTables {
    documents: BTreeMap<DocumentKey, Document>,
    pub(super) trans: BTreeMap<Serial, Trans>,
    places: BTreeMap<(TenantId, Place), Serial>,
    numbers: BTreeMap<(TenantId, TransNo), Serial>,
}

/// What no two documents have in common beside their keys: a store's or partner's number, whoever's
/// it is, and a terminal's index.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Own<'a> {
    Store(&'a str),
    Terminal(TenantId, i64),
    Partner(PartnerNo),
}

fn own(document: &Document) -> Option<Own<'_>> {
    match document {
        Document::Store(it) => Some(Own::Store(it.number.as_str())),
        Document::Terminal(it) => Some(Own::Terminal(it.tenant, it.index)),
        Document::Partner(it) => Some(Own::Partner(it.number)),
        Document::Card(_)
        | Document::VerifyCodes(_)
        | Document::WorkItem(_)
        | Document::VoucherTicket(_)
        | Document::Activity(_)
        | Document::Carton(_)
        | Document::Change(_) => None,
    }
}

impl LoyaltyTables {
    pub(super) fn load(&self, plan: &LoyaltyPlan, rows: &mut LoyaltyRows) {
        for key in &plan.documents {
            if let Some(it) = self.documents.get(key) {
                rows.add_document(key.clone(), it.clone().into());
            }
        }
        let serials = plan.trans.iter();
        let serials = serials.filter_map(|(tenant, serial)| self.trans(*tenant, *serial));
        let places = plan.places.iter();
        let places = places.filter_map(|(tenant, place)| self.trans_at(*tenant, *place));
        let numbers = plan.numbers.iter();
        let numbers = numbers.filter_map(|(tenant, number)| self.trans_by_number(*tenant, *number));
        let found = serials.chain(places).chain(numbers);
        found.for_each(|it| rows.add_trans(it.clone()));
    }

    /// What keeps `changes` from being applied.
    pub(super) fn check(&self, changes: &LoyaltyChanges) -> Result<(), StoreError> {
        let taken = |what: String| Err(StoreError::Conflict(what));
        for document in &changes.documents_added {
            let key = document.key();
            if self.documents.contains_key(&key) {
                return taken(format!("{:?} {} is there", key.kind, key.key));
            }
        }
        for trans in &changes.trans_added {
            let place = trans.place.map(|place| (trans.tenant, place));
            let number = trans.number.map(|number| (trans.tenant, number));
            if self.trans.contains_key(&trans.serial)
                || place.is_some_and(|it| self.places.contains_key(&it))
                || number.is_some_and(|it| self.numbers.contains_key(&it))
            {
                return taken(format!("event {} is there", trans.serial));
            }
        }
        self.check_overwritten(changes)?;
        self.check_own(changes)
    }

    fn check_overwritten(&self, changes: &LoyaltyChanges) -> Result<(), StoreError> {
        let mut documents = changes.documents.iter().map(Document::key);
        let document = documents.find(|it| !self.documents.contains_key(it));
        let mut trans = changes.trans.iter();
        let trans = trans.find(|it| !self.trans.contains_key(&it.serial));
        let missing = document.map(|it| format!("{:?} {}", it.kind, it.key));
        match missing.or(trans.map(|it| format!("event {}", it.serial))) {
            Some(missing) => Err(StoreError::Corrupt(format!("{missing} is not there"))),
            None => Ok(()),
        }
    }

    fn check_own(&self, changes: &LoyaltyChanges) -> Result<(), StoreError> {
        let added = changes.documents_added.iter().filter_map(own);
        let added: Vec<Own<'_>> = added.collect();
        if added.is_empty() {
            return Ok(());
        }
        let mut all: BTreeSet<Own<'_>> = self.documents.values().filter_map(own).collect();
        if added.into_iter().all(|it| all.insert(it)) {
            return Ok(());
        }
        let text = "a store's or partner's number, or a terminal's index, that another has";
        Err(StoreError::Refused(text.to_owned()))
    }

    /// Applies what [`LoyaltyTables::check`] found nothing against.
    pub(super) fn apply(&mut self, changes: LoyaltyChanges) {
        for key in &changes.documents_removed {
            self.documents.remove(key);
        }
        for document in changes.documents.into_iter().chain(changes.documents_added) {
            self.documents.insert(document.key(), document);
        }
        for trans in changes.trans.into_iter().chain(changes.trans_added) {
            if let Some(place) = trans.place {
                self.places.insert((trans.tenant, place), trans.serial);
            }
            if let Some(number) = trans.number {
                self.numbers.insert((trans.tenant, number), trans.serial);
            }
            self.trans.insert(trans.serial, Arc::unwrap_or_clone(trans));
        }
    }

    pub(super) fn document(&self, key: &DocumentKey) -> Option<&Document> {
        self.documents.get(key)
    }

    pub(super) fn documents(
        &self,
        kind: DocumentKind,
        tenant: Option<TenantId>,
        after: Option<DocumentMark>,
    ) -> impl Iterator<Item = &Document> {
        let (from, key, last) = listing(tenant, after);
        let tenant = TenantId(from);
        let start = DocumentKey { kind, tenant, key };
        let rows = self
            .documents
            .range((Bound::Excluded(start), Bound::Unbounded));
        let rows = rows.take_while(move |(it, _)| it.kind == kind && it.tenant.0 <= last);
        rows.map(|(_, document)| document)
    }

    pub(super) fn due_documents(&self, kind: DocumentKind, now: UnixMs) -> Vec<&Document> {
        let documents = self.documents(kind, None, None);
        let due = documents.filter_map(|it| Some((it.due_at().filter(|at| *at <= now)?, it)));
        let mut due: Vec<_> = due.collect();
        // Those due at the same time stay in the order of their keys.
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, it)| it).collect()
    }

    pub(super) fn trans(&self, tenant: TenantId, serial: Serial) -> Option<&Trans> {
        self.trans.get(&serial).filter(|it| it.tenant == tenant)
    }

    pub(super) fn trans_at(&self, tenant: TenantId, place: Place) -> Option<&Trans> {
        self.trans.get(self.places.get(&(tenant, place))?)
    }

    pub(super) fn trans_by_number(&self, tenant: TenantId, number: TransNo) -> Option<&Trans> {
        self.trans.get(self.numbers.get(&(tenant, number))?)
    }

    pub(super) fn trans_between(
        &self,
        tenant: TenantId,
        (first, last): (Place, Place),
        after: Option<Place>,
    ) -> impl Iterator<Item = &Trans> {
        let found = self.places.range((tenant, first)..=(tenant, last));
        let found = found.filter(move |((_, place), _)| after.is_none_or(|after| *place > after));
        found.filter_map(|(_, serial)| self.trans.get(serial))
    }

    /// When the first card is due, and how many work items there are.
    pub(super) fn figures(&self) -> (Option<UnixMs>, u64) {
        let cards = self.documents(DocumentKind::Card, None, None);
        let items = self.documents(DocumentKind::WorkItem, None, None);
        (
            cards.filter_map(Document::due_at).min(),
            items.count() as u64,
        )
    }
}
