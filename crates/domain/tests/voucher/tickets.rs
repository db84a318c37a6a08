//! Codes that a member's card holds: their uses are tickets of the card.

use super::{
    fixture::{CASH, GOODS, Kind, NOON, TENANT, TRIPLE, ZONE, code, range},
    world::{Act, World},
};
use domain::{
    command::{
        Began, BeginPayment,
        loyalty::{
            AddCards, AddStore, AddTerminal, Answer, CheckIn, HoldCode, HoldReply, LetGoOfCode,
            Message, NewCard, NewKeys, Reverse, TicketsConsume, Wanted,
        },
    },
    ids::Serial,
    ledger::{Account, Movement},
    loyalty::{
        card::{
            CODES_HELD_MAX, Card, CardNo, CardStatus, DayUse, HeldCode, Holder, Holding,
            TicketCode, TicketKind,
        },
        document::{Document, DocumentKey},
        points::Points,
        program::Rules,
        sealed::Sealed,
        store::{Store, StoreNo},
        terminal::{BatchNo, Profile, Terminal, TerminalNo},
        totals::Totals,
        trans::{Refusal, TraceNo, Trans, TransKind, TransState},
    },
    money::Fen,
    payment::PaymentStatus,
    voucher::{
        change::{ChangeKind, Obstacle},
        code::CodeNo,
        code_use::CodeAct,
        status::CodeStatus,
    },
};
use std::sync::Arc;

const STORE: i64 = 1;

fn card_no() -> CardNo {
    CardNo::parse("62000001").unwrap()
}

fn store_no() -> StoreNo {
    StoreNo::parse("S1").unwrap()
}

fn terminal_no() -> TerminalNo {
    TerminalNo::parse("T1").unwrap()
}

/// One store, one terminal, one card.
fn world() -> World {
    let mut world = World::new();
    let tickets = vec![];
    assert!(world.run(&AddStore { store: store() }));
    assert!(world.run(&AddTerminal {
        terminal: terminal()
    }));
    let new = NewCard {
        card: card(tickets),
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

fn card(tickets: Vec<Holding>) -> Card {
    Card {
        tenant: TENANT,
        number: card_no(),
        account: Serial(1_001),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default(),
        grade: 0,
        pin: None,
        lots: vec![],
        owed: Points::ZERO,
        tickets,
        codes: vec![],
        today: DayUse::default(),
        spending: vec![],
    }
}

impl World {
    fn the_card(&self) -> &Card {
        match &self.documents[&DocumentKey::card(TENANT, &card_no())] {
            Document::Card(card) => card,
            other => panic!("{other:?}"),
        }
    }

    fn totals(&self) -> Totals {
        let key = DocumentKey::terminal(TENANT, &store_no(), &terminal_no());
        match &self.documents[&key] {
            Document::Terminal(terminal) => terminal.batch.unwrap().totals,
            other => panic!("{other:?}"),
        }
    }

    fn holding(&self, code: CodeNo) -> HoldCode {
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
    fn hold(&mut self, code: CodeNo) {
        let hold = self.holding(code);
        let reply = self.run(&hold);
        assert!(matches!(reply, HoldReply::Held(_)), "{reply:?}");
    }

    /// The card holds the first code of a box of such codes.
    fn held_one(&mut self, kind: Kind) -> CodeNo {
        let it = code(self.sold(kind, 10), 0);
        self.hold(it);
        it
    }

    fn message(&mut self, trace: u32) -> Message {
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

    fn using(&mut self, trace: u32, tickets: &[(Kind, i64)]) -> TicketsConsume {
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
    fn used(&mut self, trace: u32, tickets: &[(Kind, i64)]) -> Trans {
        let using = self.using(trace, tickets);
        approved(self.run(&using))
    }

    /// Why tickets cannot be used.
    fn refused(&mut self, trace: u32, tickets: &[(Kind, i64)]) -> Refusal {
        let using = self.using(trace, tickets);
        match self.run(&using) {
            Answer::Done(trans) => match trans.state {
                TransState::Declined(refusal) => refusal,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn reversal(&mut self, trace: u32) -> Reverse {
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

    fn undo(&mut self, trace: u32) {
        let reversal = self.reversal(trace);
        let answer = self.run(&reversal);
        assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    }

    fn left(&self, code: CodeNo) -> u32 {
        self.standing(code).uses_left
    }
}

fn approved(answer: Answer) -> Trans {
    match answer {
        Answer::Done(trans) if trans.state == TransState::Approved => *trans,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_use_of_a_code_is_spent_with_the_ticket() {
    let mut world = world();
    let it = world.held_one(TRIPLE);
    let trans = world.used(1, &[(TRIPLE, 2)]);
    assert_eq!(world.left(it), 1);
    let [line] = &trans.effect.tickets[..] else {
        panic!("{:?}", trans.effect.tickets)
    };
    assert_eq!((line.pieces, line.value()), (2, Fen::new(2_000)));
    assert_eq!(-world.balance(Account::VoucherTakings(STORE)), 2_000);
    assert_eq!(world.uses_at(Account::UsesSpent, TRIPLE), 2);
    let totals = world.totals();
    let counted = (totals.ticket_debit_count, totals.ticket_debit_amount);
    assert_eq!(counted, (2, Fen::new(2_000)));
}

#[test]
fn each_use_leaves_a_trace_of_where() {
    let mut world = world();
    let it = world.held_one(TRIPLE);
    world.used(7, &[(TRIPLE, 2)]);
    world.undo(7);
    let events: Vec<_> = world.events.values().collect();
    let acts: Vec<CodeAct> = events.iter().map(|it| it.act).collect();
    let (used, back) = (CodeAct::Used, CodeAct::GivenBack);
    assert_eq!(acts, [used, used, back, back]);
    for event in events {
        let scene = &event.scene;
        let at = (&scene.store[..], &scene.terminal[..], &scene.sale[..]);
        assert_eq!(at, ("S1", "T1", "000001/000007"));
        assert_eq!((event.code, scene.merchant), (it, None));
    }
}

#[test]
fn several_codes_serve_one_line_the_one_that_ends_first_before() {
    let mut world = world();
    let later = world.sold(TRIPLE, 10);
    world.hold(code(later, 0));
    let mut sooner = TRIPLE;
    sooner.terms.validity = domain::voucher::ticket::Validity::Days(1);
    let sooner = world.sold(sooner, 10);
    world.hold(code(sooner, 0));
    let trans = world.used(1, &[(TRIPLE, 4)]);
    let pieces: Vec<i64> = trans.effect.tickets.iter().map(|it| it.pieces).collect();
    assert_eq!(pieces, [3, 1]);
    assert_eq!(world.left(code(sooner, 0)), 0);
    assert_eq!(world.left(code(later, 0)), 2);
}

#[test]
fn the_same_ticket_in_two_lines_takes_each_use_once() {
    let mut world = world();
    let it = world.held_one(TRIPLE);
    assert_eq!(
        world.refused(1, &[(TRIPLE, 2), (TRIPLE, 2)]),
        Refusal::TooFew
    );
    assert_eq!(world.left(it), 3);
    world.used(2, &[(TRIPLE, 2), (TRIPLE, 1)]);
    assert_eq!(world.left(it), 0);
}

#[test]
fn all_tickets_are_used_or_none() {
    let mut world = world();
    let cash = world.held_one(CASH);
    let goods = world.held_one(GOODS);
    assert_eq!(world.refused(1, &[(GOODS, 1), (CASH, 2)]), Refusal::TooFew);
    assert_eq!((world.left(cash), world.left(goods)), (1, 2));
    world.used(2, &[(GOODS, 1), (CASH, 1)]);
    assert_eq!((world.left(cash), world.left(goods)), (0, 1));
}

#[test]
fn a_code_that_cannot_be_used_is_no_ticket() {
    type Spoil = fn(&mut World, CodeNo);
    let spoils: [(&str, Spoil); 6] = [
        ("void", |world, it| {
            world.done(ChangeKind::Void, &[it.range()]);
        }),
        ("frozen", |world, it| {
            world.done(ChangeKind::Freeze, &[it.range()]);
        }),
        ("its term is over", |world, _| world.later(3 * 86_400)),
        ("written off", |world, _| {
            world.later(3 * 86_400);
            world.expire();
        }),
        ("used up elsewhere", |world, it| {
            (0..3).for_each(|_| {
                world.bought(1_000, it);
            });
        }),
        ("held by open payments", |world, it| {
            (0..3).for_each(|_| {
                world.held(2_000, it);
            });
        }),
    ];
    for (name, spoil) in spoils {
        let mut world = world();
        let it = world.held_one(TRIPLE);
        spoil(&mut world, it);
        assert_eq!(world.refused(1, &[(TRIPLE, 1)]), Refusal::TooFew, "{name}");
    }
}

#[test]
fn a_payment_cannot_have_what_a_ticket_used() {
    let mut world = world();
    let it = world.held_one(CASH);
    world.used(1, &[(CASH, 1)]);
    let payment = world.payment(6_000, Some(it));
    let serial = payment.serial;
    assert!(matches!(world.begin(payment), Began::Settled(_)));
    assert_eq!(world.status(serial), PaymentStatus::Closed);
    let conflicts = world.conflicts(ChangeKind::Void, &[it.range()]);
    assert_eq!(conflicts[0].why, Obstacle::InUse);
}

#[test]
fn of_a_payment_and_a_ticket_in_one_batch_the_first_has_the_last_use() {
    for ticket_first in [true, false] {
        let mut world = world();
        let it = world.held_one(CASH);
        let payment = world.payment(6_000, Some(it));
        let serial = payment.serial;
        let using = world.using(1, &[(CASH, 1)]);
        let payment = Box::new(payment);
        let mut acts: Vec<Box<dyn Act>> =
            vec![Box::new(using.clone()), Box::new(BeginPayment { payment })];
        if !ticket_first {
            acts.reverse();
        }
        world.batch(&acts);
        let state = world.trans.values().next().unwrap().state;
        let status = world.status(serial);
        if ticket_first {
            assert_eq!(
                (state, status),
                (TransState::Approved, PaymentStatus::Closed)
            );
        } else {
            let declined = TransState::Declined(Refusal::TooFew);
            assert_eq!((state, status), (declined, PaymentStatus::Unpaid));
        }
    }
}

/// The message and its reversal, each up to twice, in every order, alone and in one batch: the
/// message never stands, and the code has all of its uses.
#[test]
fn whatever_order_a_ticket_and_its_reversal_come_in_the_use_is_back() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Step {
        Use,
        Undo,
    }
    use Step::{Undo, Use};
    let orders: [&[Step]; 12] = [
        &[Use, Undo],
        &[Undo, Use],
        &[Use, Undo, Undo],
        &[Undo, Use, Undo],
        &[Undo, Undo, Use],
        &[Use, Use, Undo],
        &[Use, Undo, Use],
        &[Undo, Use, Use],
        &[Use, Use, Undo, Undo],
        &[Use, Undo, Use, Undo],
        &[Undo, Use, Undo, Use],
        &[Undo, Undo, Use, Use],
    ];
    for order in orders {
        for together in [false, true] {
            let mut world = world();
            let it = world.held_one(TRIPLE);
            let acts = order.iter().map(|step| -> Box<dyn Act> {
                match step {
                    Use => Box::new(world.using(1, &[(TRIPLE, 2)])),
                    Undo => Box::new(world.reversal(1)),
                }
            });
            let acts: Vec<Box<dyn Act>> = acts.collect();
            if together {
                world.together(&acts);
            } else {
                acts.chunks(1).for_each(|it| world.together(it));
            }
            let case = format!("{order:?} {together}");
            assert_eq!(world.left(it), 3, "{case}");
            assert_eq!(world.balance(Account::VoucherTakings(STORE)), 0, "{case}");
            assert_eq!(world.totals(), Totals::default(), "{case}");
            let stands = |it: &&Trans| {
                it.kind == TransKind::TicketsConsume && it.state == TransState::Approved
            };
            assert_eq!(world.trans.values().find(stands), None, "{case}");
            world.used(2, &[(TRIPLE, 3)]);
        }
    }
}

#[test]
fn a_use_that_comes_back_after_its_term_is_written_off() {
    let mut world = world();
    let it = world.held_one(TRIPLE);
    world.used(1, &[(TRIPLE, 2)]);
    world.later(3 * 86_400);
    world.expire();
    world.undo(1);
    assert_eq!(world.left(it), 0);
    assert_eq!(world.uses_at(Account::UsesSpent, TRIPLE), 0);
    assert_eq!(world.uses_at(Account::UsesExpired, TRIPLE), 30);
    assert_eq!(world.balance(Account::VoucherTakings(STORE)), 0);
}

#[test]
fn a_use_comes_back_to_a_code_that_is_frozen_or_let_go() {
    let mut world = world();
    let it = world.held_one(TRIPLE);
    world.used(1, &[(TRIPLE, 2)]);
    world.done(ChangeKind::Freeze, &[it.range()]);
    let gone = world.run(&LetGoOfCode {
        tenant: TENANT,
        card: card_no(),
        code: it,
    });
    assert_eq!(gone.unwrap().codes, []);
    world.undo(1);
    assert_eq!(world.left(it), 3);
    assert_eq!(world.the_card().codes, [world.holding(it).held]);
}

#[test]
fn a_card_holds_only_codes_that_may_be_used() {
    let mut world = world();
    let stock = code(world.issue(CASH, 10), 0);
    let hold = world.holding(stock);
    assert_eq!(world.run(&hold), HoldReply::Useless(CodeStatus::InStock));
    world.done(ChangeKind::Activate, &[stock.range()]);
    world.hold(stock);
    world.hold(stock);
    assert_eq!(world.the_card().codes.len(), 1, "held once");
    let nobody = HoldCode {
        card: CardNo::parse("62000009").unwrap(),
        ..world.holding(stock)
    };
    assert_eq!(world.run(&nobody), HoldReply::NoCard);
}

#[test]
fn what_stands_under_one_number_is_alike() {
    let mut world = world();
    world.held_one(CASH);
    let mut dearer = CASH;
    dearer.terms.face_value = Fen::new(9_000);
    let dearer = code(world.sold(dearer, 10), 0);
    let hold = world.holding(dearer);
    assert_eq!(world.run(&hold), HoldReply::NumberTaken);
}

#[test]
fn a_full_card_lets_go_of_what_is_useless_only() {
    let mut world = world();
    let carton = world.sold(CASH, 40);
    let most = u32::try_from(CODES_HELD_MAX).unwrap();
    (0..most).for_each(|index| world.hold(code(carton, index)));
    let one_more = world.holding(code(carton, most));
    assert_eq!(world.run(&one_more), HoldReply::Full);
    world.done(ChangeKind::Void, &[range(carton, 0, 1)]);
    world.hold(code(carton, most));
    assert_eq!(world.the_card().codes.len(), CODES_HELD_MAX - 1);
}

#[test]
fn a_message_uses_only_so_many_codes() {
    let mut world = world();
    let carton = world.sold(CASH, 20);
    let most = u32::from(Movement::CODE_LINES_MAX);
    (0..=most).for_each(|index| world.hold(code(carton, index)));
    let all = i64::from(most) + 1;
    assert_eq!(world.refused(1, &[(CASH, all)]), Refusal::AmountInvalid);
    world.used(2, &[(CASH, all - 1)]);
    assert_eq!(
        -world.balance(Account::VoucherTakings(STORE)),
        (all - 1) * 5_000
    );
}
