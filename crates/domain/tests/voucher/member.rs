//! A member's card, and the terminal where its tickets are used.

use super::{
    fixture::{Kind, NOON, TENANT, ZONE, code},
    world::World,
};
use domain::{
    command::loyalty::{
        AddCards, AddStore, AddTerminal, Answer, CheckIn, HoldCode, HoldReply, Message, NewCard,
        NewKeys, Reverse, TicketsConsume, Wanted,
    },
    ids::Serial,
    loyalty::{
        card::{Card, CardNo, CardStatus, DayUse, HeldCode, Holder, TicketCode, TicketKind},
        document::{Document, DocumentKey},
        points::Points,
        program::Rules,
        sealed::Sealed,
        store::{Store, StoreNo},
        terminal::{BatchNo, Profile, Terminal, TerminalNo},
        totals::Totals,
        trans::{Refusal, TraceNo, Trans, TransKind, TransState},
    },
    voucher::code::CodeNo,
};
use std::sync::Arc;

/// The number of the store's accounts in the ledger.
pub const STORE: i64 = 1;

pub fn card_no() -> CardNo {
    CardNo::parse("62000001").unwrap()
}

pub fn store_no() -> StoreNo {
    StoreNo::parse("S1").unwrap()
}

pub fn terminal_no() -> TerminalNo {
    TerminalNo::parse("T1").unwrap()
}

/// One store, one terminal that has checked in, one card.
pub fn world() -> World {
    let mut world = World::new();
    assert!(world.run(&AddStore { store: store() }));
    assert!(world.run(&AddTerminal {
        terminal: terminal()
    }));
    let new = NewCard {
        card: card(),
        serial: world.serial(),
    };
    assert_eq!(world.run(&AddCards { cards: vec![new] }), [true]);
    let sealed = || Sealed("sealed".to_owned());
    let checked = world.run(&CheckIn {
        tenant: TENANT,
        store: store_no(),
        terminal: terminal_no(),
        operator: "01".to_owned(),
        keys: NewKeys {
            pin_key: sealed(),
            pin_key_check: "00000000".to_owned(),
            mac_key: sealed(),
            mac_key_check: "00000000".to_owned(),
        },
        under: None,
    });
    checked.unwrap();
    world
}

fn store() -> Store {
    Store {
        tenant: TENANT,
        number: store_no(),
        account: STORE,
        name: "Harbour Street".to_owned(),
        networks: vec![],
        certificates: vec![],
        updated_at: NOON,
    }
}

fn terminal() -> Terminal {
    Terminal {
        tenant: TENANT,
        store: store_no(),
        number: terminal_no(),
        index: 1,
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

fn card() -> Card {
    Card {
        tenant: TENANT,
        number: card_no(),
        account: Serial(1_001),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: None,
        lots: vec![],
        owed: Points::ZERO,
        tickets: vec![],
        codes: vec![],
        today: DayUse::default(),
        spending: vec![],
    }
}

impl World {
    pub fn the_card(&self) -> &Card {
        match &self.documents[&DocumentKey::card(TENANT, &card_no())] {
            Document::Card(card) => card,
            other => panic!("{other:?}"),
        }
    }

    pub fn totals(&self) -> Totals {
        let key = DocumentKey::terminal(TENANT, &store_no(), &terminal_no());
        match &self.documents[&key] {
            Document::Terminal(terminal) => terminal.batch.unwrap().totals,
            other => panic!("{other:?}"),
        }
    }

    pub fn holding(&self, code: CodeNo) -> HoldCode {
        let carton = self.carton(code.carton);
        HoldCode {
            tenant: TENANT,
            card: card_no(),
            held: HeldCode {
                backing: TicketCode {
                    code,
                    ticket: carton.ticket,
                    uses: carton.terms.uses,
                },
                kind: TicketKind::Exchange,
                name: carton.ticket_name.clone(),
                face: carton.terms.face_value,
            },
        }
    }

    /// The card holds `code` from now on.
    pub fn hold(&mut self, code: CodeNo) {
        let hold = self.holding(code);
        let reply = self.run(&hold);
        assert!(matches!(reply, HoldReply::Held(_)), "{reply:?}");
    }

    /// The card holds the first code of a box of such codes.
    pub fn held_one(&mut self, kind: Kind) -> CodeNo {
        let it = code(self.sold(kind, 10), 0);
        self.hold(it);
        it
    }

    pub fn message(&mut self, trace: u32) -> Message {
        Message {
            tenant: TENANT,
            store: store_no(),
            store_account: STORE,
            terminal: terminal_no(),
            terminal_index: 1,
            batch: BatchNo::FIRST,
            names_batch: true,
            trace: TraceNo::new(trace).unwrap(),
            content: 0,
            serial: self.serial(),
            under: None,
            zone: ZONE,
        }
    }

    pub fn using(&mut self, trace: u32, tickets: &[(Kind, i64)]) -> TicketsConsume {
        let tickets = tickets.iter().map(|(kind, pieces)| Wanted {
            id: i64::from(kind.ticket.0),
            pieces: *pieces,
        });
        TicketsConsume {
            message: self.message(trace),
            card: card_no(),
            tickets: tickets.collect(),
            rules: Arc::new(Rules::default()),
        }
    }

    /// Uses tickets, which must be possible.
    pub fn used(&mut self, trace: u32, tickets: &[(Kind, i64)]) -> Trans {
        let using = self.using(trace, tickets);
        approved(self.run(&using))
    }

    /// Why tickets cannot be used.
    pub fn refused(&mut self, trace: u32, tickets: &[(Kind, i64)]) -> Refusal {
        let using = self.using(trace, tickets);
        match self.run(&using) {
            Answer::Done(trans) => match trans.state {
                TransState::Declined(refusal) => refusal,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub fn reversal(&mut self, trace: u32) -> Reverse {
        Reverse {
            message: self.message(trace),
            reverses: TransKind::TicketsConsume,
            card: card_no(),
            amounts: None,
            is_explicit: true,
            needs: vec![],
            rules: Arc::new(Rules::default()),
        }
    }

    pub fn undo(&mut self, trace: u32) {
        let reversal = self.reversal(trace);
        let answer = self.run(&reversal);
        assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    }

    pub fn left(&self, code: CodeNo) -> u32 {
        self.standing(code).uses_left
    }
}

pub fn approved(answer: Answer) -> Trans {
    match answer {
        Answer::Done(trans) if trans.state == TransState::Approved => Arc::unwrap_or_clone(trans),
        other => panic!("{other:?}"),
    }
}
