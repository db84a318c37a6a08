//! Codes that a member's card holds: their uses are tickets of the card.

use super::{
    fixture::{CASH, GOODS, TENANT, TRIPLE, code, range},
    member::{STORE, card_no, world},
    world::{Act, World},
};
use domain::{
    command::{
        Began, BeginPayment,
        loyalty::{HoldCode, HoldReply, LetGoOfCode},
    },
    ledger::{Account, Movement},
    loyalty::{
        card::{CODES_HELD_MAX, CardNo},
        totals::Totals,
        trans::{Refusal, Trans, TransKind, TransState},
    },
    money::Fen,
    payment::PaymentStatus,
    voucher::{
        change::{ChangeKind, Obstacle},
        code::CodeNo,
        code_use::CodeAct,
        status::CodeStatus,
        ticket::Validity,
    },
};

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
        let scene = event.scene.as_ref().unwrap();
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
    sooner.terms.validity = Validity::Days(1);
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
        let mut acts: Vec<Box<dyn Act>> = vec![
            Box::new(using.clone()),
            Box::new(BeginPayment {
                payment,
                code: None,
            }),
        ];
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
