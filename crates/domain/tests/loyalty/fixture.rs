//! A retailer with two stores, three terminals and three cards, and the messages they send.

use super::{ask::Ask, world::World};
use domain::{
    command::loyalty::{
        Activate, AddCards, AddStore, AddTerminal, Answer, CardChange, CheckIn, CheckedInto,
        Consume, GiveBack, GiveBackKind, Message, NewCard, NewKeys, Original, PinEvidence, Reverse,
        SetCard, SetTerminal, Settle, SettleDetails, TerminalChange, TicketsConsume, Wanted,
    },
    ids::TenantId,
    ledger::Account,
    loyalty::{
        calendar::Zone,
        card::{Card, CardNo, CardPin, CardStatus, DayUse, Holder, Holding, Lot, TicketKind},
        document::{Document, DocumentKey},
        journal::{Compared, Finding},
        points::Points,
        program::Rules,
        sealed::Sealed,
        store::{Store, StoreNo},
        terminal::{BatchNo, Profile, Terminal, TerminalNo},
        totals::Totals,
        trans::{Place, Refusal, TraceNo, Trans, TransKind, TransState},
        work_item::WorkItem,
    },
    money::Fen,
    time::UnixMs,
};
use std::sync::Arc;

pub const TENANT: TenantId = TenantId(1);
pub const ZONE: Zone = Zone { offset_s: 8 * 3600 };
/// 2026-11-22T12:00:00 in Shanghai.
pub const NOON: UnixMs = UnixMs(1_795_320_000_000);
pub const DAY_S: i64 = 86_400;

/// A terminal by the number of its store and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Till {
    pub store: i64,
    pub index: i64,
}

pub const TILL: Till = Till { store: 1, index: 1 };
/// In the same store.
pub const NEXT_TILL: Till = Till { store: 1, index: 2 };
/// In another store.
pub const FAR_TILL: Till = Till { store: 2, index: 3 };

pub const PIN: &str = "the hash of its PIN";
/// A voucher worth 5 yuan; each card has ten.
pub const VOUCHER: i64 = 7;
/// An exchange ticket with the voucher's number; each card has ten.
pub const TICKET: i64 = 7;

impl Till {
    pub fn store_no(self) -> StoreNo {
        StoreNo::parse(&format!("S{}", self.store)).unwrap()
    }

    pub fn number(self) -> TerminalNo {
        TerminalNo::parse(&format!("T{}", self.index)).unwrap()
    }
}

/// A card: 1 has a PIN, 2 has none, 3 is in stock. The first two hold 100 points.
pub fn card_no(n: i64) -> CardNo {
    CardNo::parse(&format!("6200000{n}")).unwrap()
}

pub fn card_account(n: i64) -> Account {
    Account::PointsHeld(domain::ids::Serial(1_000 + n))
}

pub fn yuan(yuan: i64) -> Fen {
    Fen::new(yuan * 100)
}

pub fn points(points: i64) -> Points {
    Points::new(points * 100)
}

pub fn wanted(id: i64, pieces: i64) -> Vec<Wanted> {
    vec![Wanted { id, pieces }]
}

pub fn holding(kind: TicketKind, id: i64, pieces: i64) -> Holding {
    Holding {
        id,
        kind,
        name: format!("{kind:?} {id}"),
        face: yuan(5),
        pieces,
        expires_at: None,
    }
}

fn card(n: i64) -> Card {
    let is_stocked = n == 3;
    let lot = Lot {
        points: points(100),
        available_at: UnixMs(0),
        expires_at: Some(ZONE.end_of_month(NOON, 6)),
    };
    let tickets = vec![
        holding(TicketKind::Voucher, VOUCHER, 10),
        holding(TicketKind::Exchange, TICKET, 10),
    ];
    Card {
        tenant: TENANT,
        number: card_no(n),
        account: domain::ids::Serial(1_000 + n),
        status: if is_stocked {
            CardStatus::Stocked
        } else {
            CardStatus::Active
        },
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: (n == 1).then(|| CardPin {
            hash: PIN.to_owned(),
            wrong: 0,
        }),
        lots: if is_stocked { vec![] } else { vec![lot] },
        owed: Points::ZERO,
        tickets: if is_stocked { vec![] } else { tickets },
        today: DayUse::default(),
        codes: Vec::new(),
        spending: vec![],
    }
}

fn store(number: StoreNo, account: i64) -> Store {
    Store {
        tenant: TENANT,
        number,
        account,
        name: "Riverside".to_owned(),
        networks: vec![],
        certificates: vec![],
        updated_at: NOON,
    }
}

fn terminal(till: Till) -> Terminal {
    Terminal {
        tenant: TENANT,
        store: till.store_no(),
        number: till.number(),
        index: till.index,
        blocked: false,
        profile: Profile::default(),
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: None,
        trans_count: 0,
        today: DayUse::default(),
        codes_sent_at: vec![],
        updated_at: NOON,
    }
}

pub fn new_keys() -> NewKeys {
    NewKeys {
        pin_key: Sealed("sealed PIN key".to_owned()),
        pin_key_check: "00000000".to_owned(),
        mac_key: Sealed("sealed MAC key".to_owned()),
        mac_key_check: "00000000".to_owned(),
    }
}

impl World {
    /// Everything is set up, and no terminal has checked in.
    pub fn closed() -> Self {
        let mut world = Self {
            now: NOON,
            ..Self::default()
        };
        for till in [TILL, FAR_TILL] {
            let store = store(till.store_no(), till.store);
            assert!(world.run(&AddStore { store }));
        }
        for till in [TILL, NEXT_TILL, FAR_TILL] {
            let terminal = terminal(till);
            assert!(world.run(&AddTerminal { terminal }));
        }
        for n in [1, 2, 3] {
            world.add_card(card(n));
        }
        world
    }

    /// All terminals have checked in.
    pub fn new() -> Self {
        let mut world = Self::closed();
        for till in [TILL, NEXT_TILL, FAR_TILL] {
            world.check_in(till).unwrap();
        }
        world
    }

    pub fn add_card(&mut self, card: Card) {
        let serial = self.serial();
        let cards = vec![NewCard { card, serial }];
        assert_eq!(self.run(&AddCards { cards }), [true]);
    }

    /// Registers card 9: as card 2, with what `change` makes of it.
    pub fn add_card_9(&mut self, change: impl FnOnce(&mut Card)) -> CardNo {
        let mut card = card(2);
        card.number = card_no(9);
        card.account = domain::ids::Serial(1_009);
        change(&mut card);
        self.add_card(card);
        card_no(9)
    }

    pub fn check_in(&mut self, till: Till) -> Result<CheckedInto, Refusal> {
        self.run(&CheckIn {
            tenant: TENANT,
            store: till.store_no(),
            terminal: till.number(),
            operator: "01".to_owned(),
            keys: new_keys(),
            under: None,
        })
    }

    pub fn terminal(&self, till: Till) -> &Terminal {
        let key = DocumentKey::terminal(TENANT, &till.store_no(), &till.number());
        match &self.documents[&key] {
            Document::Terminal(terminal) => terminal,
            other => panic!("{other:?}"),
        }
    }

    pub fn card(&self, number: &CardNo) -> &Card {
        match &self.documents[&DocumentKey::card(TENANT, number)] {
            Document::Card(card) => card,
            other => panic!("{other:?}"),
        }
    }

    /// Points that may be spent now, in hundredths.
    pub fn available(&self, number: &CardNo) -> i64 {
        self.card(number).balance(self.now).available.get()
    }

    pub fn batch_no(&self, till: Till) -> BatchNo {
        let batch = self.terminal(till).batch;
        batch.map_or(BatchNo::FIRST, |it| it.number)
    }

    pub fn totals(&self, till: Till) -> Totals {
        self.terminal(till).batch.unwrap().totals
    }

    pub fn set_card(&mut self, number: &CardNo, change: CardChange) {
        let number = number.clone();
        let changed = self.run(&SetCard {
            tenant: TENANT,
            number,
            change,
        });
        assert!(changed.is_some());
    }

    pub fn set_terminal(&mut self, till: Till, change: TerminalChange) {
        let changed = self.run(&SetTerminal {
            tenant: TENANT,
            store: till.store_no(),
            number: till.number(),
            change,
        });
        assert!(changed.is_some());
    }

    pub fn later(&mut self, s: i64) {
        self.now = self.now.plus_s(s);
    }

    pub fn message(&mut self, till: Till, trace: u32) -> Message {
        Message {
            tenant: TENANT,
            store: till.store_no(),
            store_account: till.store,
            terminal: till.number(),
            terminal_index: till.index,
            batch: self.batch_no(till),
            names_batch: true,
            trace: TraceNo::new(trace).unwrap(),
            content: 0,
            serial: self.serial(),
            under: None,
            zone: ZONE,
        }
    }

    /// Card 2 pays 10 yuan in cash.
    pub fn buy(&mut self, till: Till, trace: u32) -> Consume {
        Consume {
            message: self.message(till, trace),
            card: card_no(2),
            pin: PinEvidence::None,
            point_amount: Fen::ZERO,
            cash: yuan(10),
            vouchers: vec![],
            register_trace: None,
            entry_mode: "021".to_owned(),
            rules: Arc::new(Rules::default()),
        }
    }

    /// Card 2 uses one ticket.
    pub fn use_ticket(&mut self, till: Till, trace: u32) -> TicketsConsume {
        TicketsConsume {
            message: self.message(till, trace),
            card: card_no(2),
            tickets: wanted(TICKET, 1),
            rules: Arc::new(Rules::default()),
        }
    }

    /// `original` goes back by its number.
    pub fn give_back(
        &mut self,
        kind: GiveBackKind,
        till: Till,
        trace: u32,
        original: &Trans,
    ) -> GiveBack {
        GiveBack {
            message: self.message(till, trace),
            kind,
            card: original.card.clone().unwrap_or_else(|| card_no(2)),
            original: Original {
                number: original.number,
                ..Original::default()
            },
            needs: vec![],
            rules: Arc::new(Rules::default()),
        }
    }

    /// The reversal of a message: the same form once more.
    pub fn reversal(&mut self, of: &Ask) -> Reverse {
        let mut of = of.clone();
        let (reverses, card) = match &of {
            Ask::Consume(it) => (TransKind::Consume, it.card.clone()),
            Ask::Tickets(it) => (TransKind::TicketsConsume, it.card.clone()),
            Ask::GiveBack(it) => (kind_of(it.kind), it.card.clone()),
            Ask::Reverse(_) | Ask::Activate(_) | Ask::Settle(_) | Ask::Details(_) => {
                panic!("it has no reversal")
            }
        };
        let amounts = match &of {
            Ask::Consume(it) => Some((it.point_amount, it.cash)),
            _ => None,
        };
        let rules = of.rules();
        Reverse {
            message: Message {
                serial: self.serial(),
                ..of.message().clone()
            },
            reverses,
            card,
            amounts,
            is_explicit: true,
            needs: vec![],
            rules,
        }
    }

    /// The same message once more.
    pub fn again(&mut self, ask: &Ask) -> Ask {
        let mut again = ask.clone();
        again.message().serial = self.serial();
        again
    }

    /// Card 3 is given to a member whose code is right.
    pub fn activation(&mut self, till: Till, trace: u32) -> Activate {
        Activate {
            message: self.message(till, trace),
            card: card_no(3),
            mobile: "13800000000".to_owned(),
            id_type: "01".to_owned(),
            id_no: "110101199001011234".to_owned(),
            code_digest: "right".to_owned(),
        }
    }

    /// The terminal's totals are the host's.
    pub fn settlement(&mut self, till: Till, trace: u32) -> Settle {
        Settle {
            message: self.message(till, trace),
            totals: self.totals(till),
        }
    }

    pub fn details(&mut self, till: Till, trace: u32, differing: i64) -> SettleDetails {
        SettleDetails {
            message: self.message(till, trace),
            totals: Totals::default(),
            lines: differing_lines(differing),
            entries: self.terminal(till).batch.map_or(0, |it| it.entries),
        }
    }

    /// Settles and checks in to the next batch.
    pub fn next_batch(&mut self, till: Till, trace: u32) {
        let settlement = self.settlement(till, trace);
        approved(self.ask(settlement));
        self.check_in(till).unwrap();
    }

    pub fn place(&self, till: Till, trace: u32) -> Place {
        let trace = TraceNo::new(trace).unwrap();
        Place::new(till.index, self.batch_no(till), trace)
    }

    pub fn work_items(&self) -> Vec<&WorkItem> {
        let items = self.documents.values().filter_map(|it| match it {
            Document::WorkItem(item) => Some(&**item),
            _ => None,
        });
        items.collect()
    }

    /// An event as it is now.
    pub fn now_of(&self, trans: &Trans) -> &Trans {
        &self.trans[&trans.serial]
    }
}

pub fn kind_of(kind: GiveBackKind) -> TransKind {
    match kind {
        GiveBackKind::Cancel => TransKind::Cancel,
        GiveBackKind::Refund => TransKind::Refund,
        GiveBackKind::RefundCancel => TransKind::RefundCancel,
    }
}

/// A comparison that found so many lines at the host alone.
pub fn differing_lines(differing: i64) -> Vec<Compared> {
    let line = |trace| Compared {
        kind: TransKind::Consume,
        trace: TraceNo::new(trace).unwrap(),
        number: None,
        finding: Finding::OnlyAtHost,
    };
    (1..=u32::try_from(differing).unwrap()).map(line).collect()
}

/// The event of an answer that approves.
pub fn approved(answer: Answer) -> Trans {
    match answer {
        Answer::Done(trans) if trans.state == TransState::Approved => Arc::unwrap_or_clone(trans),
        other => panic!("not approved: {other:?}"),
    }
}

/// Why an answer refuses, and whether that was recorded.
pub fn refused(answer: &Answer) -> Option<(Refusal, bool)> {
    match answer {
        Answer::Done(trans) => match trans.state {
            TransState::Declined(refusal) => Some((refusal, true)),
            TransState::Approved
            | TransState::Reversed(_)
            | TransState::GivenBack(_)
            | TransState::Tombstone => None,
        },
        Answer::Refused(refusal) => Some((*refusal, false)),
        Answer::Again(missing) => panic!("{missing:?}"),
    }
}
