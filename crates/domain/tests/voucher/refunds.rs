//! How much of a payment that a voucher paid a part of may come back, and when the use does.

use super::{
    fixture::{CASH, GOODS, Kind, MERCHANT, TENANT, TRIPLE, code, range},
    world::World,
};
use domain::{
    channel::{NotSent, RefundOutcome},
    command::{
        Cancel as CancelPayment, CancelMode, CancelReply, DecideCancel, DecideReply, RefundReply,
    },
    ids::Serial,
    ledger::Account,
    money::Fen,
    payment::{PaymentStatus, VoucherFate},
    refund::{FirstAnswer, RefundState},
    rows::PaymentRef,
    voucher::{change::ChangeKind, status::CodeStatus},
};

/// What is asked for, and what becomes of it: what goes through the channel and whether the use
/// comes back, or what is left.
type Ask = (i64, Result<(i64, bool), i64>);

fn fate(world: &World, payment: Serial) -> VoucherFate {
    world.payments[&payment].paid().unwrap().voucher
}

fn ask(world: &mut World, payment: Serial, (fen, expected): Ask) {
    match (world.refund(payment, fen), expected) {
        (RefundReply::New(_, refund), Ok((of_channel, back))) => {
            assert_eq!(
                (refund.amount.get(), refund.voucher_back),
                (of_channel, back),
                "{fen}"
            );
            let is_done = matches!(refund.state, RefundState::Done(_));
            assert_eq!(is_done, of_channel == 0, "{fen}");
            let answer = is_done.then_some(FirstAnswer::Accepted);
            assert_eq!(refund.first_answer, answer, "{fen}");
            if !is_done {
                world.hear(&refund, RefundOutcome::Done);
            }
        }
        (RefundReply::OverRemainder(left), Err(expected)) => {
            assert_eq!(left.get(), expected, "{fen}");
        }
        (reply, _) => panic!("{fen}: {reply:?}"),
    }
}

/// What is bought, and what is asked back of it. Of 80 yuan a voucher for 50 leaves 30 to the
/// channel, of 50 yuan nothing; a voucher for goods leaves all of it.
const CASES: &[(Kind, i64, &[Ask])] = &[
    (CASH, 8_000, &[(8_000, Ok((3_000, true))), (1, Err(0))]),
    (
        CASH,
        8_000,
        &[(3_000, Ok((3_000, false))), (5_000, Ok((0, true)))],
    ),
    (
        CASH,
        8_000,
        &[
            (1, Ok((1, false))),
            (3_000, Err(7_999)),
            (5_000, Err(7_999)),
            (8_000, Err(7_999)),
            (7_998, Err(7_999)),
            (2_999, Ok((2_999, false))),
            (1, Err(5_000)),
            (4_999, Err(5_000)),
            (5_001, Err(5_000)),
            (5_000, Ok((0, true))),
            (5_000, Err(0)),
        ],
    ),
    (
        CASH,
        8_000,
        &[
            (3_001, Err(8_000)),
            (1_000, Ok((1_000, false))),
            (7_000, Ok((2_000, true))),
        ],
    ),
    (
        CASH,
        5_000,
        &[
            (1, Err(5_000)),
            (4_999, Err(5_000)),
            (5_000, Ok((0, true))),
            (1, Err(0)),
        ],
    ),
    (CASH, 4_000, &[(5_000, Err(4_000)), (4_000, Ok((0, true)))]),
    (
        GOODS,
        100,
        &[(101, Err(100)), (100, Ok((100, true))), (1, Err(0))],
    ),
    (GOODS, 100, &[(40, Ok((40, false))), (60, Ok((60, true)))]),
    (
        TRIPLE,
        1_001,
        &[(1, Ok((1, false))), (1, Err(1_000)), (1_000, Ok((0, true)))],
    ),
];

/// Up to the channel's remainder a part; all that is left, with the use; nothing in between.
#[test]
fn a_part_comes_from_the_channel_and_all_of_it_with_the_use() {
    for &(kind, price, asks) in CASES {
        let mut world = World::new();
        let carton = world.sold(kind, 1);
        let it = code(carton, 0);
        let payment = world.bought(price, it);
        for each in asks {
            ask(&mut world, payment, *each);
        }
        if fate(&world, payment) == VoucherFate::Returned {
            assert_eq!(world.status(payment), PaymentStatus::Refunded);
            assert_eq!(world.standing(it).status, CodeStatus::Active);
            assert_eq!(world.balance(Account::Merchant(MERCHANT)), 0);
            let worth = i64::from(kind.terms.uses) * kind.terms.face_value.get();
            assert_eq!(world.uses_at(Account::VoucherLiability, kind), worth);
            assert_eq!(world.uses_at(Account::VoucherBreakage, kind), 0);
        }
    }
}

/// The use is with the channel's money until that is back, and stays gone if it is refused.
#[test]
fn a_full_refund_that_fails_leaves_the_use_gone() {
    for failure in [
        RefundOutcome::Declined,
        RefundOutcome::NotSent(NotSent::Connect),
    ] {
        let mut world = World::new();
        let carton = world.sold(CASH, 1);
        let it = code(carton, 0);
        let payment = world.bought(8_000, it);
        let refund = world.begun(payment, 8_000);
        assert_eq!(world.status(payment), PaymentStatus::Refunding);
        assert_eq!(world.standing(it).status, CodeStatus::UsedUp);
        ask(&mut world, payment, (1, Err(0)));
        world.hear(&refund, RefundOutcome::Unknown);
        assert_eq!(fate(&world, payment), VoucherFate::Returning);
        world.hear(&refund, failure);
        assert_eq!(world.status(payment), PaymentStatus::RefundFailed);
        assert_eq!(fate(&world, payment), VoucherFate::Used);
        world.hear(&refund, RefundOutcome::Done);
        assert_eq!(
            world.status(payment),
            PaymentStatus::RefundFailed,
            "it had failed"
        );
        assert_eq!(world.standing(it).status, CodeStatus::UsedUp);
        ask(&mut world, payment, (8_000, Ok((3_000, true))));
        assert_eq!(world.status(payment), PaymentStatus::Refunded);
    }
}

/// A part is under way when all that is left beside it goes back with the use. Then the part
/// fails: its money can be asked for once more, without a use.
#[test]
fn a_part_under_way_is_not_asked_for_again() {
    for (kind, price, part, rest, of_channel) in [
        (CASH, 8_000, 3_000, 5_000, 0),
        (CASH, 8_000, 1_000, 7_000, 2_000),
        (GOODS, 100, 40, 60, 60),
    ] {
        let mut world = World::new();
        let carton = world.sold(kind, 1);
        let it = code(carton, 0);
        let payment = world.bought(price, it);
        let first = world.begun(payment, part);
        ask(&mut world, payment, (price, Err(rest)));
        ask(&mut world, payment, (rest, Ok((of_channel, true))));
        assert_eq!(world.status(payment), PaymentStatus::Refunding);
        assert_eq!(world.standing(it).status, CodeStatus::Active);
        world.hear(&first, RefundOutcome::Declined);
        assert_eq!(world.status(payment), PaymentStatus::RefundFailed);
        ask(&mut world, payment, (part, Ok((part, false))));
        assert_eq!(world.status(payment), PaymentStatus::Refunded);
        assert_eq!(world.uses[&it].used, 0);
    }
}

/// The use and the last money are under way when the part before them fails.
#[test]
fn a_part_that_fails_beside_the_rest_is_asked_for_alone() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let payment = world.bought(8_000, code(carton, 0));
    let (part, rest) = (world.begun(payment, 1_000), world.begun(payment, 7_000));
    world.hear(&part, RefundOutcome::Declined);
    assert_eq!(world.status(payment), PaymentStatus::Refunding);
    ask(&mut world, payment, (1_001, Err(1_000)));
    let again = world.begun(payment, 1_000);
    assert!(!again.voucher_back);
    world.hear(&rest, RefundOutcome::Declined);
    assert_eq!(fate(&world, payment), VoucherFate::Used);
    world.hear(&again, RefundOutcome::Done);
    ask(&mut world, payment, (7_000, Ok((2_000, true))));
    assert_eq!(world.status(payment), PaymentStatus::Refunded);
}

#[test]
fn the_same_refund_asked_for_again_gives_nothing_back_again() {
    for (price, fen) in [
        (8_000, 8_000),
        (8_000, 3_000),
        (5_000, 5_000),
        (1_000, 1_000),
    ] {
        let mut world = World::new();
        let carton = world.sold(CASH, 1);
        let payment = world.bought(price, code(carton, 0));
        let first = world.refunding(payment, "R1", fen);
        assert!(matches!(world.run(&first), RefundReply::New(..)));
        let before = world.clone();
        let again = world.refunding(payment, "R1", fen);
        let RefundReply::Repeat(_, refund) = world.run(&again) else {
            panic!("not the same");
        };
        assert_eq!(refund.price(&world.payments[&payment]), Fen::new(fen));
        let other = world.refunding(payment, "R1", fen - 1);
        assert_eq!(world.run(&other), RefundReply::Conflict);
        world.serial = before.serial;
        assert_eq!(world, before);
    }
}

#[test]
fn a_refused_refund_leaves_its_number_free() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let payment = world.bought(8_000, code(carton, 0));
    let in_between = world.refunding(payment, "R1", 4_000);
    assert_eq!(
        world.run(&in_between),
        RefundReply::OverRemainder(Fen::new(8_000))
    );
    let all = world.refunding(payment, "R1", 8_000);
    assert!(matches!(world.run(&all), RefundReply::New(..)));
}

#[test]
fn a_cancellation_gives_back_all_of_it() {
    for (kind, price) in [
        (CASH, 8_000),
        (CASH, 5_000),
        (CASH, 200),
        (GOODS, 100),
        (TRIPLE, 1_500),
    ] {
        let mut world = World::new();
        let carton = world.sold(kind, 1);
        let it = code(carton, 0);
        let payment = world.bought(price, it);
        let CancelReply::Refund(_, refund) = world.cancel(payment) else {
            panic!("it was paid");
        };
        assert!(refund.voucher_back);
        if refund.amount > Fen::ZERO {
            assert_eq!(world.status(payment), PaymentStatus::Refunding);
            world.hear(&refund, RefundOutcome::Done);
        }
        assert_eq!(world.status(payment), PaymentStatus::Cancelled);
        assert_eq!(world.cancel(payment), CancelReply::AlreadyCancelled);
        assert_eq!(world.refund(payment, price), RefundReply::Cancelled);
        assert_eq!(world.standing(it).uses_left, kind.terms.uses);
        assert_eq!(world.balance(Account::Merchant(MERCHANT)), 0);
    }
}

#[test]
fn a_cancellation_that_the_channel_refuses_leaves_the_use_gone() {
    let mut world = World::new();
    let carton = world.sold(CASH, 1);
    let payment = world.bought(8_000, code(carton, 0));
    let CancelReply::Refund(_, refund) = world.cancel(payment) else {
        panic!("it was paid");
    };
    world.hear(&refund, RefundOutcome::Declined);
    assert_eq!(world.status(payment), PaymentStatus::RefundFailed);
    assert_eq!(fate(&world, payment), VoucherFate::Used);
    ask(&mut world, payment, (8_000, Ok((3_000, true))));
}

/// Nothing of a payment comes back in part that is then cancelled.
#[test]
fn what_came_back_in_part_is_not_cancelled() {
    for asked in [3_000, 8_000] {
        let mut world = World::new();
        let carton = world.sold(CASH, 1);
        let payment = world.bought(8_000, code(carton, 0));
        let refund = world.begun(payment, asked);
        let under_way = CancelReply::Refused(PaymentStatus::Refunding);
        assert_eq!(world.cancel(payment), under_way);
        world.hear(&refund, RefundOutcome::Done);
        assert!(matches!(world.cancel(payment), CancelReply::Refused(_)));
    }
}

#[test]
fn an_operator_decides_on_a_payment_that_a_voucher_paid() {
    for price in [8_000, 5_000] {
        for approve in [true, false] {
            let mut world = World::new();
            let carton = world.sold(CASH, 1);
            let it = code(carton, 0);
            let serial = world.bought(price, it);
            let refund_serial = world.serial();
            let requested = world.run(&CancelPayment {
                payment: PaymentRef::Serial(TENANT, serial),
                merchant: MERCHANT,
                mode: CancelMode::DirectUntilPaid,
                refund_serial,
            });
            assert!(matches!(requested, CancelReply::Requested(_)));
            let refused = RefundReply::Refused(PaymentStatus::CancelRequested);
            assert_eq!(world.refund(serial, price), refused);
            let decided = world.run(&DecideCancel {
                tenant: TENANT,
                serial,
                approve,
                refund_serial,
            });
            if let DecideReply::Approved(CancelReply::Refund(_, refund)) = decided {
                world.hear(&refund, RefundOutcome::Done);
            }
            let gone = world.uses[&it].used == 0;
            assert_eq!(gone, approve);
            let status = if approve {
                PaymentStatus::Cancelled
            } else {
                PaymentStatus::Paid
            };
            assert_eq!(world.status(serial), status);
        }
    }
}

#[test]
fn a_use_that_came_back_can_be_voided_or_used() {
    let mut world = World::new();
    let carton = world.sold(CASH, 2);
    let codes = [code(carton, 0), code(carton, 1)];
    for it in codes {
        let payment = world.bought(5_000, it);
        ask(&mut world, payment, (5_000, Ok((0, true))));
    }
    world.bought(5_000, codes[0]);
    world.done(ChangeKind::Void, &[range(carton, 1, 1)]);
    assert_eq!(world.uses_at(Account::UsesSpent, CASH), 1);
    assert_eq!(world.uses_at(Account::UsesVoid, CASH), 1);
}
