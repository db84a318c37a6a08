//! Stores, terminals and cards as an operator sets them up.

use crate::{
    command::Command,
    ids::{Serial, TenantId},
    loyalty::{
        card::{Card, CardNo, CardPin, CardStatus},
        document::{Document, DocumentKey},
        store::{Store, StoreNo},
        terminal::{MasterKey, Profile, Terminal, TerminalNo},
        trans::{Effect, Trans, TransKind, TransState},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Adds a store; answers whether its number was free in its tenant.
#[derive(Clone, Debug)]
pub struct AddStore {
    /// The store.
    pub store: Store,
}

impl Command for AddStore {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let Store { tenant, number, .. } = &self.store;
        let key = DocumentKey::store(*tenant, number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<bool, Inconsistent> {
        Ok(add(rows, Document::Store(Box::new(self.store.clone()))))
    }
}

/// Adds a terminal; answers whether its number was free in its store.
#[derive(Clone, Debug)]
pub struct AddTerminal {
    /// The terminal.
    pub terminal: Terminal,
}

impl Command for AddTerminal {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let Terminal {
            tenant,
            store,
            number,
            ..
        } = &self.terminal;
        let key = DocumentKey::terminal(*tenant, store, number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<bool, Inconsistent> {
        let terminal = Document::Terminal(Box::new(self.terminal.clone()));
        Ok(add(rows, terminal))
    }
}

/// Adds a row unless there is one.
fn add(rows: &mut Rows, document: Document) -> bool {
    let is_free = rows.loyalty.document(&document.key()).is_none();
    if is_free {
        rows.loyalty.put_document(document);
    }
    is_free
}

/// A card to be added.
#[derive(Clone, Debug)]
pub struct NewCard {
    /// The card, with the points and tickets it begins with. It owes nothing and holds at most
    /// [`crate::ledger::Movement::TICKET_LINES_MAX`] kinds of tickets.
    pub card: Card,
    /// The gateway's serial of its opening.
    pub serial: Serial,
}

/// Adds cards; answers for each whether its number was free. What a card begins with is booked as
/// granted.
#[derive(Clone, Debug)]
pub struct AddCards {
    /// The cards.
    pub cards: Vec<NewCard>,
}

impl Command for AddCards {
    type Reply = Vec<bool>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let cards = self.cards.iter().map(|it| &it.card);
        let keys = cards.map(|it| DocumentKey::card(it.tenant, &it.number));
        plan.loyalty.documents.extend(keys);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Vec<bool>, Inconsistent> {
        let added = self.cards.iter().map(|new| {
            let is_free = add(rows, Document::Card(Box::new(new.card.clone())));
            let opening = new.opening(now);
            if is_free && opening.effect != Effect::default() {
                super::desk::book(rows, opening);
            }
            is_free
        });
        Ok(added.collect())
    }
}

impl NewCard {
    fn opening(&self, now: UnixMs) -> Trans {
        let card = &self.card;
        let holdings = card.tickets.iter().filter(|it| it.pieces > 0);
        let effect = Effect {
            earned: card.lots.iter().map(|it| it.points).sum(),
            tickets: holdings.map(|it| it.used(it.pieces)).collect(),
            ..Effect::default()
        };
        Trans {
            effect,
            balance: card.balance(now),
            ..of_card(card, self.serial, TransKind::Opening, now)
        }
    }
}

/// An event of a card that no terminal's message made.
pub(super) fn of_card(card: &Card, serial: Serial, kind: TransKind, now: UnixMs) -> Trans {
    Trans {
        tenant: card.tenant,
        serial,
        place: None,
        number: None,
        kind,
        state: TransState::Approved,
        store: None,
        store_account: 0,
        card: Some(card.number.clone()),
        card_account: Some(card.account),
        at: now,
        content: 0,
        register_trace: None,
        entry_mode: None,
        advertisement: String::new(),
        original: None,
        undoes: None,
        effect: Effect::default(),
        balance: crate::loyalty::card::Balance::default(),
        settlement: None,
    }
}

/// Changes a store; answers what it is now, or `None` when there is none.
#[derive(Clone, Debug)]
pub struct SetStore {
    /// Whose.
    pub tenant: TenantId,
    /// The store.
    pub number: StoreNo,
    /// Its new name, if it gets one.
    pub name: Option<String>,
    /// The networks its terminals speak from, if they change.
    pub networks: Option<Vec<String>>,
    /// The client certificates they show, if they change.
    pub certificates: Option<Vec<String>>,
}

impl Command for SetStore {
    type Reply = Option<Store>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::store(self.tenant, &self.number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Option<Store>, Inconsistent> {
        let Some(mut store) = rows.loyalty.store(self.tenant, &self.number).cloned() else {
            return Ok(None);
        };
        store.name = self.name.clone().unwrap_or(store.name);
        store.networks = self.networks.clone().unwrap_or(store.networks);
        let certificates = self.certificates.clone();
        store.certificates = certificates.unwrap_or(store.certificates);
        store.updated_at = now;
        let document = Document::Store(Box::new(store.clone()));
        rows.loyalty.put_document(document);
        Ok(Some(store))
    }
}

/// What changes about a terminal.
#[derive(Clone, Debug)]
pub enum TerminalChange {
    /// Nothing may be done at it, or may again.
    Block(bool),
    /// How it is spoken to.
    Profile(Profile),
    /// Its master key; its working keys are taken away, so that it has to check in.
    MasterKey(MasterKey),
}

/// Changes a terminal; answers what it is now, or `None` when there is none.
#[derive(Clone, Debug)]
pub struct SetTerminal {
    /// Whose.
    pub tenant: TenantId,
    /// Its store.
    pub store: StoreNo,
    /// Its number.
    pub number: TerminalNo,
    /// What changes.
    pub change: TerminalChange,
}

impl Command for SetTerminal {
    type Reply = Option<Terminal>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::terminal(self.tenant, &self.store, &self.number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Option<Terminal>, Inconsistent> {
        let found = rows
            .loyalty
            .terminal(self.tenant, &self.store, &self.number);
        let Some(mut terminal) = found.cloned() else {
            return Ok(None);
        };
        match &self.change {
            TerminalChange::Block(blocked) => terminal.blocked = *blocked,
            TerminalChange::Profile(profile) => terminal.profile = *profile,
            TerminalChange::MasterKey(key) => {
                terminal.master_key = Some(key.clone());
                terminal.keys = None;
                terminal.keys_before = None;
            }
        }
        terminal.updated_at = now;
        let document = Document::Terminal(Box::new(terminal.clone()));
        rows.loyalty.put_document(document);
        Ok(Some(terminal))
    }
}

/// What changes about a card.
#[derive(Clone)]
pub enum CardChange {
    /// Where it stands in its life.
    Status(CardStatus),
    /// The member's grade, 0 to 3.
    Grade(u8),
    /// Its PIN, as a slow hash; `None` takes it away.
    Pin(Option<String>),
    /// Wrong tries of its PIN count no more.
    ResetPin,
}

/// Changes a card; answers what it is now, or `None` when there is none.
#[derive(Clone)]
pub struct SetCard {
    /// Whose.
    pub tenant: TenantId,
    /// The card.
    pub number: CardNo,
    /// What changes.
    pub change: CardChange,
}

impl Command for SetCard {
    type Reply = Option<Card>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::card(self.tenant, &self.number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _now: UnixMs) -> Result<Option<Card>, Inconsistent> {
        let Some(mut card) = rows.loyalty.card(self.tenant, &self.number).cloned() else {
            return Ok(None);
        };
        match &self.change {
            CardChange::Status(status) => card.status = *status,
            CardChange::Grade(grade) => card.grade = (*grade).min(3),
            CardChange::Pin(hash) => {
                card.pin = hash.clone().map(|hash| CardPin { hash, wrong: 0 });
            }
            CardChange::ResetPin => card.pin.iter_mut().for_each(|pin| pin.wrong = 0),
        }
        rows.loyalty
            .put_document(Document::Card(Box::new(card.clone())));
        Ok(Some(card))
    }
}
