//! The end of a term, while payments hold uses, before and after they are decided.

use super::{
    fixture::{DAY_S, GOODS, TRIPLE, code, declined, paid, range, receipt},
    world::World,
};
use domain::{
    channel::{RefundOutcome, ReverseOutcome},
    command::Began,
    ids::Serial,
    ledger::Account,
    payment::{CloseReason, End, PaymentState},
    voucher::{change::ChangeKind, status::CodeStatus},
};

fn held() -> (World, Serial, Serial) {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 2);
    let payment = world.held(3_000, code(carton, 0));
    world.later(2 * DAY_S);
    (world, carton, payment)
}

fn uses(world: &World) -> (i64, i64, i64) {
    let at = |account| world.uses_at(account, TRIPLE);
    (
        at(Account::UsesActive),
        at(Account::UsesSpent),
        at(Account::UsesExpired),
    )
}

fn owed(world: &World) -> (i64, i64) {
    let at = |account| world.uses_at(account, TRIPLE);
    (at(Account::VoucherLiability), at(Account::VoucherBreakage))
}

#[test]
fn a_term_ends_with_its_day_and_is_written_off_once() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 2);
    let all = range(carton, 0, 1);
    let expiry = world.expiry(all);
    let end = world.span_of(code(carton, 0)).due_at().unwrap();
    world.now = end.plus_ms(-1);
    assert!(!world.run(&expiry), "not over");
    assert_eq!(world.standing(code(carton, 0)).status, CodeStatus::Active);
    world.now = end;
    assert_eq!(world.standing(code(carton, 0)).status, CodeStatus::Expired);
    let part = world.expiry(code(carton, 1).range());
    assert!(!world.run(&part), "not a span");
    assert!(world.run(&expiry));
    assert_eq!((uses(&world), owed(&world)), ((0, 0, 6), (0, 6_000)));
    let again = world.expiry(all);
    assert!(!world.run(&again), "once");
}

#[test]
fn a_held_use_survives_the_end_of_its_term_and_pays() {
    let (mut world, _, payment) = held();
    world.expire();
    assert_eq!((uses(&world), owed(&world)), ((1, 0, 5), (1_000, 5_000)));
    world.tell(payment, paid());
    assert_eq!((uses(&world), owed(&world)), ((0, 1, 5), (0, 5_000)));
}

#[test]
fn a_held_use_that_is_not_needed_is_written_off() {
    for end in [
        |world: &mut World, payment| drop(world.tell(payment, declined())),
        |world: &mut World, payment| {
            world.give_up(payment);
            world.reverse(payment, ReverseOutcome::Reversed(None));
        },
        |world: &mut World, payment| {
            world.give_up(payment);
            world.reverse(payment, ReverseOutcome::Reversed(Some(receipt())));
        },
        |world: &mut World, payment| {
            world.cancel(payment);
            world.reverse(payment, ReverseOutcome::Paid(receipt()));
        },
    ] {
        let (mut world, carton, payment) = held();
        world.expire();
        end(&mut world, payment);
        assert_eq!((uses(&world), owed(&world)), ((0, 0, 6), (0, 6_000)));
        let (mut world, _, payment) = held();
        end(&mut world, payment);
        assert_eq!(uses(&world), (6, 0, 0), "before the end is looked at");
        world.expire();
        assert_eq!((uses(&world), owed(&world)), ((0, 0, 6), (0, 6_000)));
        assert_eq!(world.standing(code(carton, 0)).uses_left, 0);
    }
}

#[test]
fn a_use_that_comes_back_after_its_term_is_written_off_and_not_usable() {
    for first in ["expire", "refund"] {
        let mut world = World::new();
        let carton = world.sold(TRIPLE, 2);
        let it = code(carton, 0);
        let (part, whole) = (world.bought(1_500, it), world.bought(400, it));
        world.later(2 * DAY_S);
        if first == "expire" {
            world.expire();
        }
        let refund = world.begun(part, 1_500);
        world.hear(&refund, RefundOutcome::Done);
        world.cancel(whole);
        world.expire();
        assert_eq!(
            (uses(&world), owed(&world)),
            ((0, 0, 6), (0, 6_000)),
            "{first}"
        );
        assert_eq!(world.standing(it).status, CodeStatus::Expired);
        let payment = world.payment(1_500, Some(it));
        assert_refused(&world.begin(payment), CodeStatus::Expired);
    }
}

fn assert_refused(began: &Began, why: CodeStatus) {
    let Began::Settled(payment) = began else {
        panic!("{began:?}");
    };
    let PaymentState::Ended {
        end, paid: None, ..
    } = &payment.state
    else {
        panic!("{payment:?}");
    };
    assert_eq!(*end, End::Closed(CloseReason::Voucher(why)));
}

#[test]
fn what_was_left_of_the_face_value_stays_written_off() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 1);
    let payment = world.bought(300, code(carton, 0));
    assert_eq!(owed(&world), (2_000, 700));
    world.later(2 * DAY_S);
    world.expire();
    assert_eq!(owed(&world), (0, 2_700));
    world.cancel(payment);
    assert_eq!(owed(&world), (0, 3_000));
}

#[test]
fn a_span_that_changed_since_it_was_found_waits_for_the_next_pass() {
    let mut world = World::new();
    let carton = world.sold(GOODS, 9);
    world.later(2 * DAY_S);
    let expiry = world.expiry(range(carton, 0, 8));
    world.done(ChangeKind::Freeze, &[range(carton, 4, 4)]);
    assert!(!world.run(&expiry));
    assert_eq!(world.uses_at(Account::UsesExpired, GOODS), 0);
    world.expire();
    assert_eq!(world.uses_at(Account::UsesExpired, GOODS), 18);
}

#[test]
fn codes_that_nobody_bought_do_not_expire() {
    let mut world = World::new();
    let carton = world.issue(TRIPLE, 4);
    world.done(ChangeKind::Activate, &[range(carton, 0, 1)]);
    world.done(ChangeKind::Void, &[range(carton, 1, 2)]);
    world.later(3 * DAY_S);
    for index in 1..4 {
        let expiry = world.expiry(code(carton, index).range());
        assert!(!world.run(&expiry), "{index}");
    }
    world.expire();
    assert_eq!(uses(&world), (0, 0, 3));
}
