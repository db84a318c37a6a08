//! The loyalty rows that a batch of commands loads and changes; see [`crate::rows`].

use super::{
    card::{Card, CardNo},
    document::{Document, DocumentKey},
    store::{Store, StoreNo},
    terminal::{Terminal, TerminalNo},
    trans::{Place, Trans, TransNo},
    verify_code::VerifyCodes,
    work_item::WorkItem,
};
use crate::{
    ids::{Serial, TenantId},
    voucher::{
        change::{Change, ChangeId},
        code::CodeNo,
        partner::{Partner, PartnerNo},
        stock::Carton,
    },
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// What a batch of commands needs.
#[derive(Debug, Default)]
pub struct LoyaltyPlan {
    /// Rows found by one key.
    pub documents: Vec<DocumentKey>,
    /// Events by serial.
    pub trans: Vec<(TenantId, Serial)>,
    /// Events by the message that made them.
    pub places: Vec<(TenantId, Place)>,
    /// Events by the number terminals know them by.
    pub numbers: Vec<(TenantId, TransNo)>,
}

impl LoyaltyPlan {
    /// Sorts and removes repetitions, so that every store locks rows in the same order.
    pub fn normalise(&mut self) {
        self.documents.sort_unstable();
        self.documents.dedup();
        self.trans.sort_unstable();
        self.trans.dedup();
        self.places.sort_unstable();
        self.places.dedup();
        self.numbers.sort_unstable();
        self.numbers.dedup();
    }

    /// Whether it names nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.documents.is_empty()
            && self.trans.is_empty()
            && self.places.is_empty()
            && self.numbers.is_empty()
    }
}

/// The loaded rows and what became of them.
#[derive(Debug, Default)]
pub struct LoyaltyRows {
    documents: HashMap<DocumentKey, Arc<Document>>,
    trans: HashMap<Serial, Arc<Trans>>,
    places: HashMap<(TenantId, Place), Serial>,
    numbers: HashMap<(TenantId, TransNo), Serial>,
    touched: Touched,
}

/// Rows that were there before are overwritten, others added: an addition that meets a row is
/// another writer's, and the batch is tried again.
#[derive(Debug, Default)]
struct Touched {
    documents_added: BTreeSet<DocumentKey>,
    documents: BTreeSet<DocumentKey>,
    documents_removed: BTreeSet<DocumentKey>,
    trans_added: BTreeSet<Serial>,
    trans: BTreeSet<Serial>,
}

/// What a batch changed, in the order of keys.
#[derive(Debug, Default)]
pub struct LoyaltyChanges {
    /// Rows to insert; [`crate::rows`] says what meets a row that is there.
    pub documents_added: Vec<Document>,
    /// Rows to overwrite.
    pub documents: Vec<Document>,
    /// Rows to remove.
    pub documents_removed: Vec<DocumentKey>,
    /// Events to insert. Shared with the replies about them.
    pub trans_added: Vec<Arc<Trans>>,
    /// Events to overwrite; their serial, place and number never change.
    pub trans: Vec<Arc<Trans>>,
}

impl LoyaltyRows {
    /// Adds the loaded row that has `key`. A store may keep it as well.
    pub fn add_document(&mut self, key: DocumentKey, document: Arc<Document>) {
        self.documents.insert(key, document);
    }

    /// Adds a loaded event.
    pub fn add_trans(&mut self, trans: impl Into<Arc<Trans>>) {
        let trans = trans.into();
        if let Some(place) = trans.place {
            self.places.insert((trans.tenant, place), trans.serial);
        }
        if let Some(number) = trans.number {
            self.numbers.insert((trans.tenant, number), trans.serial);
        }
        self.trans.insert(trans.serial, trans);
    }

    /// A row.
    #[must_use]
    pub fn document(&self, key: &DocumentKey) -> Option<&Document> {
        self.documents.get(key).map(AsRef::as_ref)
    }

    /// A store.
    #[must_use]
    pub fn store(&self, tenant: TenantId, number: &StoreNo) -> Option<&Store> {
        if let Document::Store(it) = self.document(&DocumentKey::store(tenant, number))? {
            return Some(it);
        }
        None
    }

    /// A terminal.
    #[must_use]
    pub fn terminal(
        &self,
        tenant: TenantId,
        store: &StoreNo,
        number: &TerminalNo,
    ) -> Option<&Terminal> {
        if let Document::Terminal(it) =
            self.document(&DocumentKey::terminal(tenant, store, number))?
        {
            return Some(it);
        }
        None
    }

    /// A card.
    #[must_use]
    pub fn card(&self, tenant: TenantId, number: &CardNo) -> Option<&Card> {
        if let Document::Card(it) = self.document(&DocumentKey::card(tenant, number))? {
            return Some(it);
        }
        None
    }

    /// The voucher codes that a card holds.
    pub(crate) fn codes_of(&self, card: &DocumentKey) -> impl Iterator<Item = CodeNo> {
        let card = match self.document(card) {
            Some(Document::Card(card)) => Some(card),
            Some(_) | None => None,
        };
        let codes = card.into_iter().flat_map(|it| &it.codes);
        codes.map(|it| it.backing.code)
    }

    /// The voucher codes that the loaded events used or gave back.
    pub(crate) fn codes_used(&self) -> impl Iterator<Item = CodeNo> {
        let tickets = self.trans.values().flat_map(|it| &it.effect.tickets);
        tickets.filter_map(|it| Some(it.code?.code))
    }

    /// The verify codes of a mobile number.
    #[must_use]
    pub fn verify_codes(&self, tenant: TenantId, mobile: &str) -> Option<&VerifyCodes> {
        if let Document::VerifyCodes(it) =
            self.document(&DocumentKey::verify_codes(tenant, mobile))?
        {
            return Some(it);
        }
        None
    }

    /// Who sells voucher codes.
    #[must_use]
    pub fn partner(&self, tenant: TenantId, number: PartnerNo) -> Option<&Partner> {
        if let Document::Partner(it) = self.document(&DocumentKey::partner(tenant, number))? {
            return Some(it);
        }
        None
    }

    /// A box of voucher codes.
    #[must_use]
    pub fn carton(&self, tenant: TenantId, serial: Serial) -> Option<&Carton> {
        if let Document::Carton(it) = self.document(&DocumentKey::carton(tenant, serial))? {
            return Some(it);
        }
        None
    }

    /// A change of ranges of voucher codes.
    #[must_use]
    pub fn change(&self, tenant: TenantId, id: &ChangeId) -> Option<&Change> {
        if let Document::Change(it) = self.document(&DocumentKey::change(tenant, id))? {
            return Some(it);
        }
        None
    }

    /// What an event raised for an operator.
    #[must_use]
    pub fn work_item(&self, tenant: TenantId, subject: Serial) -> Option<&WorkItem> {
        if let Document::WorkItem(it) = self.document(&DocumentKey::work_item(tenant, subject))? {
            return Some(it);
        }
        None
    }

    /// An event by serial, if it is this tenant's.
    #[must_use]
    pub fn trans(&self, tenant: TenantId, serial: Serial) -> Option<&Trans> {
        let trans = self.trans.get(&serial).map(AsRef::as_ref);
        trans.filter(|it| it.tenant == tenant)
    }

    /// The event that a message made.
    #[must_use]
    pub fn trans_at(&self, tenant: TenantId, place: Place) -> Option<&Trans> {
        let trans = self.trans.get(self.places.get(&(tenant, place))?);
        trans.map(AsRef::as_ref)
    }

    /// An event by the number terminals know it by.
    #[must_use]
    pub fn trans_by_number(&self, tenant: TenantId, number: TransNo) -> Option<&Trans> {
        let trans = self.trans.get(self.numbers.get(&(tenant, number))?);
        trans.map(AsRef::as_ref)
    }

    /// Inserts or overwrites a row.
    pub fn put_document(&mut self, document: Document) {
        let key = document.key();
        let before = self.documents.insert(key.clone(), Arc::new(document));
        let was_there = before.is_some();
        // What was removed in this batch is there in the store still.
        if self.touched.documents_removed.remove(&key) || was_there {
            if !self.touched.documents_added.contains(&key) {
                self.touched.documents.insert(key);
            }
        } else {
            self.touched.documents_added.insert(key);
        }
    }

    /// Removes a row, if it is there.
    pub fn remove_document(&mut self, key: DocumentKey) {
        if self.documents.remove(&key).is_some() {
            self.touched.documents.remove(&key);
            if !self.touched.documents_added.remove(&key) {
                self.touched.documents_removed.insert(key);
            }
        }
    }

    /// Inserts or overwrites an event.
    pub fn put_trans(&mut self, trans: impl Into<Arc<Trans>>) {
        let trans = trans.into();
        let serial = trans.serial;
        if !self.trans.contains_key(&serial) {
            self.touched.trans_added.insert(serial);
        } else if !self.touched.trans_added.contains(&serial) {
            self.touched.trans.insert(serial);
        }
        self.add_trans(trans);
    }

    /// What is to be written.
    #[must_use]
    pub fn into_changes(mut self) -> LoyaltyChanges {
        let touched = self.touched;
        let own = |documents: Vec<Arc<Document>>| {
            let documents = documents.into_iter();
            documents.map(Arc::unwrap_or_clone).collect()
        };
        LoyaltyChanges {
            documents_added: own(take(&mut self.documents, touched.documents_added)),
            documents: own(take(&mut self.documents, touched.documents)),
            documents_removed: touched.documents_removed.into_iter().collect(),
            trans_added: take(&mut self.trans, touched.trans_added),
            trans: take(&mut self.trans, touched.trans),
        }
    }
}

fn take<K: Eq + std::hash::Hash, T>(rows: &mut HashMap<K, T>, keys: BTreeSet<K>) -> Vec<T> {
    let rows = keys.into_iter().filter_map(|key| rows.remove(&key));
    rows.collect()
}
