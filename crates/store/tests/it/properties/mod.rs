//! Whatever happens in whatever order, the money is right: arbitrary histories over the engine
//! and the memory store, held against a bank that keeps books of its own.

mod bank;
mod step;
mod world;

use crate::samples::{MERCHANT, TENANT};
use bank::Luck;
use domain::{
    channel::ChannelNo,
    command::{CancelMode, RefundReply},
    ids::Serial,
    ledger::{Account, Unit},
    money::Fen,
    payment::{Payment, PaymentState, PaymentStatus},
    refund::{Origin, RefundState},
    rows::PaymentRef,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use step::Step;
use world::{RefundAnswer, Stored, World};

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        4 => Just(Luck::Good),
        2 => Just(Luck::Lost),
        2 => Just(Luck::Slow),
        1 => Just(Luck::Refused),
        1 => Just(Luck::NotSent),
    ]
}

fn cancel_mode() -> impl Strategy<Value = CancelMode> {
    prop_oneof![
        Just(CancelMode::Direct),
        Just(CancelMode::DirectUntilPaid),
        Just(CancelMode::Request),
    ]
}

/// Few payments and numbers, so that steps meet.
fn step() -> impl Strategy<Value = Step> {
    let n = || 0..4_u8;
    prop_oneof![
        3 => (n(), 0..2_000_u16, any::<bool>())
            .prop_map(|(number, fen, by_code)| Step::Begin { number, fen, by_code }),
        4 => (n(), luck()).prop_map(|(payment, luck)| Step::Charge { payment, luck }),
        2 => (n(), any::<bool>()).prop_map(|(payment, pays)| Step::PayerActs { payment, pays }),
        2 => (n(), luck()).prop_map(|(payment, luck)| Step::Ask { payment, luck }),
        1 => n().prop_map(|payment| Step::GiveUp { payment }),
        2 => (n(), luck()).prop_map(|(payment, luck)| Step::Reverse { payment, luck }),
        2 => (n(), cancel_mode()).prop_map(|(payment, mode)| Step::Cancel { payment, mode }),
        1 => (n(), any::<bool>()).prop_map(|(payment, approve)| Step::Decide { payment, approve }),
        3 => (n(), n(), 0..130_u8)
            .prop_map(|(payment, number, percent)| Step::Refund { payment, number, percent }),
        3 => (n(), luck()).prop_map(|(refund, luck)| Step::AskRefund { refund, luck }),
        1 => n().prop_map(|number| Step::TopUp { number }),
        1 => (n(), luck()).prop_map(|(top_up, luck)| Step::AskTopUp { top_up, luck }),
        8 => any::<u8>().prop_map(|answer| Step::Hear { answer }),
        2 => luck().prop_map(|luck| Step::Work { luck }),
        1 => any::<bool>().prop_map(|acknowledged| Step::Deliver { acknowledged }),
        1 => n().prop_map(|payment| Step::Renotify { payment }),
        2 => (0..40_u8).prop_map(|s| Step::Pass { s }),
    ]
}

/// What is done and on its way back of each payment, as its refunds say.
fn refunds_of(stored: &Stored, payment: &Payment) -> (i64, i64) {
    let of = stored.refunds.values();
    let of = of.filter(|refund| refund.payment == payment.serial);
    of.fold((0, 0), |(done, under_way), refund| {
        let fen = refund.amount.get();
        match refund.state {
            RefundState::Done(_) => (done + fen, under_way),
            RefundState::InProgress => (done, under_way + fen),
            RefundState::Failed(..) => (done, under_way),
        }
    })
}

fn assert_no_more_goes_back_than_was_paid(stored: &Stored) {
    for payment in stored.payments.values() {
        let (done, under_way) = refunds_of(stored, payment);
        let paid = payment.paid().map_or(0, |_| payment.amount.get());
        assert!(done + under_way <= paid, "{payment:?}");
    }
}

fn assert_one_payment_per_merchant_serial(stored: &Stored) {
    let mut first: BTreeMap<&str, Serial> = BTreeMap::new();
    for payment in stored.payments.values() {
        let earlier = first.insert(&payment.merchant_serial, payment.serial);
        assert_eq!(earlier, None, "{payment:?}");
    }
}

const fn was_given_up(payment: &Payment) -> bool {
    matches!(
        payment.state,
        PaymentState::Ending(_) | PaymentState::Ended { .. }
    )
}

fn assert_nothing_is_taken_back(before: &Stored, after: &Stored) {
    for (serial, was) in &before.payments {
        let is = &after.payments[serial];
        assert!(
            !was_given_up(was) || was_given_up(is),
            "{was:?} became {is:?}"
        );
        if let Some(money) = was.paid() {
            let now = is.paid().expect("money that came stays on record");
            assert_eq!(now.receipt, money.receipt);
            assert!(now.refunded >= money.refunded, "{was:?} became {is:?}");
        }
    }
    for (serial, was) in &before.refunds {
        let is = &after.refunds[serial];
        let is_first = was.first_answer.is_none() || was.first_answer == is.first_answer;
        assert!(is_first, "{was:?} became {is:?}");
        let is_over = was.state != RefundState::InProgress;
        assert!(!is_over || was == is, "{was:?} became {is:?}");
    }
    for (serial, was) in &before.top_ups {
        assert!(!was.is_over() || *was == after.top_ups[serial], "{was:?}");
    }
}

/// The answer to a refund request that came alone, from the rows before it.
fn assert_refund_answer(before: &Stored, answer: &RefundAnswer) {
    let (PaymentRef::Serial(_, serial), amount, reply) = answer else {
        panic!("{answer:?}");
    };
    let payment = &before.payments[serial];
    let (done, under_way) = refunds_of(before, payment);
    let left = payment.amount.get() - done - under_way;
    let fits = amount.get() <= left;
    match reply {
        RefundReply::NotFound => panic!("{payment:?} not found"),
        RefundReply::Cancelled => assert_eq!(payment.status(), PaymentStatus::Cancelled),
        RefundReply::Refused(status) => assert_eq!(*status, payment.status()),
        RefundReply::OverRemainder(said) => {
            assert!(!fits, "{payment:?}");
            assert_eq!(*said, Fen::new(left));
        }
        RefundReply::Repeat(_, earlier) => {
            assert_eq!(before.refunds.get(&earlier.serial), Some(earlier.as_ref()));
            assert_eq!((earlier.payment, earlier.amount), (*serial, *amount));
        }
        RefundReply::Conflict => assert!(!before.refunds.is_empty()),
        RefundReply::New(_, refund) => {
            assert!(fits && payment.paid().is_some(), "{payment:?}");
            assert_eq!(before.refunds.get(&refund.serial), None);
        }
    }
}

async fn assert_books_are_right(world: &World) {
    let report = world.audited().await;
    assert_eq!(report.violations, []);
    world.bank.assert_sane(&world.stored.payments);
}

/// Once everybody has finished, the rows, the ledger and the bank say the same.
async fn assert_settled(world: &World) {
    let mut held_by_bank = 0;
    for payment in world.stored.payments.values() {
        let is_over = matches!(
            payment.state,
            PaymentState::Paid(_) | PaymentState::Ended { .. }
        );
        assert!(is_over, "{payment:?}");
        let kept = payment.paid().map_or(0, |paid| {
            assert_eq!(paid.refunding, Fen::ZERO, "{payment:?}");
            payment.amount.get() - paid.refunded.get()
        });
        assert!(!was_given_up(payment) || kept == 0, "{payment:?}");
        assert_eq!(world.bank.holds(payment), kept, "{payment:?}");
        held_by_bank += i128::from(kept);
    }
    for refund in world.stored.refunds.values() {
        let is_done = matches!(refund.state, RefundState::Done(_));
        assert!(
            refund.origin != Origin::LateSuccess || is_done,
            "{refund:?}"
        );
        assert_ne!(refund.state, RefundState::InProgress);
    }
    let mut delivered_mb = 0;
    for top_up in world.stored.top_ups.values() {
        let delivered = matches!(top_up.state, domain::recharge::RechargeState::Done(..));
        assert_eq!(delivered, world.bank.delivered(top_up.serial), "{top_up:?}");
        delivered_mb += if delivered {
            i128::from(top_up.data_mb)
        } else {
            0
        };
    }
    let report = world.audited().await;
    let net = |unit, account| {
        let balance = report.balances.get(&(TENANT, unit, account));
        balance.map_or(0, |balance| balance.net())
    };
    assert_eq!(net(Unit::Fen, Account::Channel(ChannelNo(1))), held_by_bank);
    let delivered = Account::DataDelivered(MERCHANT);
    assert_eq!(net(Unit::Megabyte, delivered), delivered_mb);
}

/// Lives through `bursts`, each decided in one batch, and checks all after each.
async fn live(bursts: &[Vec<Step>]) {
    let mut world = World::new();
    for burst in bursts {
        let before = world.stored.clone();
        let answers = world.happen(burst).await;
        if burst.len() == 1 {
            for answer in &answers {
                assert_refund_answer(&before, answer);
            }
        }
        assert_nothing_is_taken_back(&before, &world.stored);
        assert_no_more_goes_back_than_was_paid(&world.stored);
        assert_one_payment_per_merchant_serial(&world.stored);
        assert_books_are_right(&world).await;
    }
    let before = world.stored.clone();
    world.settle().await;
    assert_nothing_is_taken_back(&before, &world.stored);
    assert_books_are_right(&world).await;
    assert_settled(&world).await;
}

fn run(bursts: &[Vec<Step>]) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(live(bursts));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn one_thing_after_another_keeps_the_books_right(steps in prop::collection::vec(step(), 1..60)) {
        let bursts: Vec<Vec<Step>> = steps.into_iter().map(|step| vec![step]).collect();
        run(&bursts);
    }

    #[test]
    fn things_at_the_same_time_keep_the_books_right(
        bursts in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..30)
    ) {
        run(&bursts);
    }
}
