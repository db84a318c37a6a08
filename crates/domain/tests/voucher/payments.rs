//! What a voucher pays of a payment, and what becomes of the use it holds.

use super::{
    fixture::{CASH, DAY_S, GOODS, MERCHANT, NOON, TRIPLE, code, declined, paid, range, receipt},
    world::{Act, World},
};
use domain::{
    channel::{NotSent, PayOutcome, ReverseOutcome},
    command::{Began, BeginPayment, QueryOutcome, RecordQuery},
    ids::Serial,
    job::JobKind,
    ledger::Account,
    payment::{CloseReason, End, Payment, PaymentState, PaymentStatus},
    voucher::{
        change::{ChangeKind, Obstacle},
        code_use::{CodeAct, CodeEvent},
        status::CodeStatus,
    },
};

fn owed(world: &World) -> i64 {
    -world.balance(Account::Merchant(MERCHANT))
}

fn why_not(payment: &Payment) -> Option<CodeStatus> {
    match payment.state {
        PaymentState::Ended {
            end: End::Closed(CloseReason::Voucher(status)),
            paid: None,
            ..
        } => Some(status),
        _ => None,
    }
}

/// Price, what the channel is asked for, what the voucher pays, and what nobody will ask for.
#[test]
fn a_voucher_pays_its_face_value_or_the_price() {
    for (kind, price, of_channel, pays, rest) in [
        (CASH, 5_001, 1, 5_000, 0),
        (CASH, 5_000, 0, 5_000, 0),
        (CASH, 4_999, 0, 4_999, 1),
        (CASH, 1, 0, 1, 4_999),
        (CASH, 9_999_999_999, 9_999_994_999, 5_000, 0),
        (TRIPLE, 3_000, 2_000, 1_000, 0),
        (GOODS, 100, 100, 0, 0),
    ] {
        let mut world = World::new();
        let carton = world.sold(kind, 2);
        let before = world.uses_at(Account::VoucherLiability, kind);
        let payment = world.bought(price, code(carton, 1));
        let payment = &world.payments[&payment];
        assert_eq!(
            (payment.amount.get(), payment.voucher_pays().get()),
            (of_channel, pays)
        );
        assert_eq!(payment.price().get(), price);
        assert_eq!(owed(&world), price, "the merchant has its price");
        let liability = world.uses_at(Account::VoucherLiability, kind);
        assert_eq!(before - liability, kind.terms.face_value.get());
        assert_eq!(world.uses_at(Account::VoucherBreakage, kind), rest);
        assert_eq!(world.uses_at(Account::UsesSpent, kind), 1);
    }
}

#[test]
fn a_payment_that_a_voucher_pays_whole_is_over_at_once() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let payment = world.payment(5_000, Some(code(carton, 0)));
    let Began::Settled(settled) = world.begin(payment.clone()) else {
        panic!("the channel has nothing to do");
    };
    assert_eq!(settled.status(), PaymentStatus::Paid);
    assert!(settled.paid().unwrap().receipt.bills.is_empty());
    assert!(world.jobs.is_empty(), "nobody has work with it");
    assert_eq!(world.begin(payment), Began::Exists(settled));
    assert_eq!(world.uses_at(Account::UsesSpent, CASH), 1);
}

#[test]
fn each_use_is_in_the_history_of_its_code() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 1);
    let it = code(carton, 0);
    let payment = world.bought(600, it);
    world.held(2_000, it);
    world.cancel(payment);
    let event = |number, act, before| CodeEvent {
        tenant: super::fixture::TENANT,
        code: it,
        number,
        act,
        at: NOON,
        subject: payment,
        before,
        scene: None,
    };
    assert_eq!(world.events.len(), 1, "the newest is kept");
    let events = world.events_of(&world.uses[&it]);
    let expected = [
        event(0, CodeAct::Used, None),
        event(1, CodeAct::GivenBack, Some(payment)),
    ];
    assert_eq!(events, expected, "holding a use is no event");
}

#[test]
fn the_newest_payment_that_held_a_code_is_found() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 1);
    let it = code(carton, 0);
    let newest = |world: &World| world.uses[&it].newest;
    for _ in 0..3 {
        let payment = world.held(2_000, it);
        assert_eq!(newest(&world), Some(payment));
    }
    let last = newest(&world);
    let payment = world.payment(2_000, Some(it));
    world.begin(payment);
    assert_eq!(newest(&world), last, "it never held a use");
    world.tell(last.unwrap(), declined());
    assert_eq!(newest(&world), last);
}

/// A code that stands so refuses the payment: nobody is asked for money, the merchant's number
/// is used, and the code is as it was.
#[test]
fn a_code_that_is_not_active_pays_nothing() {
    use CodeStatus::{Expired, Frozen, InStock, Reserved, UsedUp, Void};
    for status in [InStock, UsedUp, Void, Expired, Reserved, Frozen] {
        let mut world = World::new();
        let carton = world.issue(TRIPLE, 3);
        let it = code(carton, 1);
        if status != InStock {
            world.done(ChangeKind::Activate, &[range(carton, 0, 2)]);
        }
        match status {
            UsedUp => (0..3).for_each(|_| _ = world.bought(2_000, it)),
            Reserved => (0..3).for_each(|_| _ = world.held(2_000, it)),
            Void => drop(world.done(ChangeKind::Void, &[it.range()])),
            Frozen => drop(world.done(ChangeKind::Freeze, &[it.range()])),
            Expired => world.later(2 * DAY_S),
            _ => {}
        }
        let (uses, postings) = (world.uses.clone(), world.postings.clone());
        for price in [2_000, 500] {
            let payment = world.payment(price, Some(it));
            let Began::Settled(refused) = world.begin(payment.clone()) else {
                panic!("{status:?}");
            };
            assert_eq!(why_not(&refused), Some(status));
            assert_eq!(refused.status(), PaymentStatus::Closed);
            assert!(!world.jobs.contains_key(&payment.serial));
            assert_eq!(world.begin(payment), Began::Exists(refused));
        }
        assert_eq!((world.uses, world.postings), (uses, postings), "{status:?}");
    }
}

/// One use is left, and two payments want it: one of them has it, in one batch or in two.
#[test]
fn the_last_use_is_had_once() {
    for (kind, used) in [(CASH, 0), (TRIPLE, 2), (GOODS, 1)] {
        for whole in [false, true] {
            for batched in [false, true] {
                let mut world = World::new();
                let carton = world.sold(kind, 1);
                let it = code(carton, 0);
                (0..used).for_each(|_| _ = world.bought(9_000, it));
                let price = if whole { 1_000 } else { 6_000 };
                let payments = [
                    world.payment(price, Some(it)),
                    world.payment(price, Some(it)),
                ];
                let serials = payments.clone().map(|it| it.serial);
                let acts: Vec<Box<dyn Act>> = payments
                    .map(|it| {
                        Box::new(BeginPayment {
                            payment: Box::new(it),
                            code: None,
                        }) as Box<dyn Act>
                    })
                    .into();
                if batched {
                    world.batch(&acts);
                } else {
                    acts.iter()
                        .for_each(|it| world.together(std::slice::from_ref(it)));
                }
                let lost = serials.map(|it| why_not(&world.payments[&it]));
                let is_over = whole && kind.terms.face_value.get() > 0;
                let why = if is_over {
                    CodeStatus::UsedUp
                } else {
                    CodeStatus::Reserved
                };
                assert_eq!(lost, [None, Some(why)], "{kind:?} {price}");
            }
        }
    }
}

#[test]
fn a_use_is_free_again_when_its_payment_ends_without_money() {
    type End = fn(&mut World, Serial);
    let ends: [(&str, End); 7] = [
        ("declined", |world, it| drop(world.tell(it, declined()))),
        ("not sent", |world, it| {
            drop(world.tell(it, PayOutcome::NotSent(NotSent::Connect)));
        }),
        ("query", |world, it| {
            query(
                world,
                it,
                QueryOutcome::Declined(domain::channel::Decline::ByChannel),
            )
        }),
        ("given up", |world, it| {
            world.give_up(it);
            world.reverse(it, ReverseOutcome::Reversed(None));
        }),
        ("given up, declined", |world, it| {
            world.give_up(it);
            world.tell(it, declined());
        }),
        ("cancelled, reversed", |world, it| {
            world.cancel(it);
            world.reverse(it, ReverseOutcome::Reversed(Some(receipt())));
        }),
        ("cancelled, too late", |world, it| {
            world.cancel(it);
            world.reverse(it, ReverseOutcome::Paid(receipt()));
        }),
    ];
    for (name, end) in ends {
        let mut world = World::new();
        let carton = world.sold(CASH, 1);
        let it = code(carton, 0);
        let payment = world.held(6_000, it);
        end(&mut world, payment);
        assert_eq!(world.standing(it).status, CodeStatus::Active, "{name}");
        assert_eq!(world.uses[&it].events, 0, "{name}");
        // It is let go once, however often the end is heard of.
        for outcome in [QueryOutcome::Unknown, QueryOutcome::NotFound] {
            query(&mut world, payment, outcome);
        }
        world.reverse(payment, ReverseOutcome::Reversed(None));
        world.bought(6_000, it);
        assert_eq!(world.uses_at(Account::UsesSpent, CASH), 1, "{name}");
    }
}

fn query(world: &mut World, serial: Serial, outcome: QueryOutcome) {
    let refund_serial = world.serial();
    world.run(&RecordQuery {
        tenant: super::fixture::TENANT,
        serial,
        outcome,
        refund_serial,
    });
}

#[test]
fn a_use_stays_held_while_the_channel_may_still_charge() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let it = code(carton, 0);
    let payment = world.held(6_000, it);
    for outcome in [PayOutcome::Waiting, PayOutcome::Unknown] {
        world.tell(payment, outcome);
    }
    world.give_up(payment);
    world.reverse(payment, ReverseOutcome::Unknown);
    for outcome in [
        QueryOutcome::Waiting,
        QueryOutcome::NotFound,
        QueryOutcome::Unknown,
    ] {
        query(&mut world, payment, outcome);
    }
    assert_eq!(world.standing(it).status, CodeStatus::Reserved);
    assert_eq!(world.jobs[&payment].kind, JobKind::ReversePayment);
    let found = world.conflicts(ChangeKind::Void, &[it.range()]);
    assert_eq!(found[0].why, Obstacle::InUse);
}

/// The use went to somebody else meanwhile; the money goes back, and the use stays there.
#[test]
fn money_that_comes_after_the_end_brings_no_use_with_it() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let it = code(carton, 0);
    let late = world.held(6_000, it);
    world.give_up(late);
    world.reverse(late, ReverseOutcome::Reversed(None));
    world.bought(7_000, it);
    let learned = world.tell(late, paid());
    let refund = world.refunds[&learned.late_refund.unwrap()].clone();
    assert_eq!((refund.amount.get(), refund.voucher_back), (1_000, false));
    world.hear(&refund, domain::channel::RefundOutcome::Done);
    assert_eq!(owed(&world), 7_000);
    assert_eq!(world.uses_at(Account::UsesSpent, CASH), 1);
}

#[test]
fn freezing_does_not_reach_a_payment_that_holds_a_use() {
    let mut world = World::new();
    let carton = world.sold(CASH, 2);
    let (one, other) = (
        world.held(6_000, code(carton, 0)),
        world.held(6_000, code(carton, 1)),
    );
    world.done(ChangeKind::Freeze, &[range(carton, 0, 1)]);
    world.tell(one, paid());
    world.tell(other, declined());
    assert_eq!(world.uses_at(Account::UsesSpent, CASH), 1);
    world.cancel(one);
    assert_eq!(world.standing(code(carton, 0)).status, CodeStatus::Frozen);
}

#[test]
fn a_number_that_was_used_before_holds_no_use() {
    let mut world = World::new();
    let carton = world.sold(TRIPLE, 2);
    let first = world.payment(2_000, Some(code(carton, 0)));
    world.begin(first.clone());
    let again = world.payment(2_000, Some(code(carton, 1)));
    let again = Payment {
        key: first.key,
        merchant_serial: first.merchant_serial,
        ..again
    };
    assert!(matches!(world.begin(again), Began::Exists(_)));
    assert_eq!(world.uses.len(), 1);
    assert_eq!(world.uses[&code(carton, 0)].reserved, 1);
}
