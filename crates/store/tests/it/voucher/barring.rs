//! Redemptions and their undoing, in every order, twice each: once undone, nothing is used.

use super::paying::{ACTIVE, at, begin, fill, sale, stored};
use crate::{
    fixture::{Fixture, in_one_batch, on_each_store, run},
    samples::{MERCHANT, payment_named},
};
use domain::{
    channel::ChannelNo,
    command::{
        BarRedemption, Barred, Began, BeginPayment, Cancel, CancelMode, CancelReply, Command,
    },
    money::Fen,
    payment::{Payment, PaymentStatus},
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};

/// What a gate sends under one serial, as the gateway carries it out.
#[derive(Debug)]
enum Step {
    Redeem(BeginPayment),
    Undo(BarRedemption, Cancel),
}

/// What is answered to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// The use is gone, since now or before.
    Redeemed,
    /// It was gone before, and came back.
    RedeemedAndUndone,
    /// It was undone before it came.
    Refused,
    /// The use is back, since now or before.
    Undone,
    /// Nothing was redeemed, and nothing will be.
    Nothing,
}

impl Command for Step {
    type Reply = Said;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        match self {
            Self::Redeem(begin) => begin.plan(plan),
            Self::Undo(bar, cancel) => {
                bar.plan(plan);
                cancel.plan(plan);
            }
        }
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Said, Inconsistent> {
        match self {
            Self::Redeem(begin) => Ok(said(begin.decide(rows, now)?)),
            Self::Undo(bar, cancel) => match bar.decide(rows, now)? {
                Barred::Exists(earlier) if !earlier.is_tombstone() => {
                    match cancel.decide(rows, now)? {
                        CancelReply::Refund(..) | CancelReply::AlreadyCancelled => Ok(Said::Undone),
                        reply => panic!("{reply:?}"),
                    }
                }
                Barred::Now | Barred::Exists(_) => Ok(Said::Nothing),
            },
        }
    }
}

fn said(began: Began) -> Said {
    match began {
        Began::Settled(_) => Said::Redeemed,
        Began::Exists(it) if it.is_tombstone() => Said::Refused,
        Began::Exists(it) if it.status() == PaymentStatus::Paid => Said::Redeemed,
        Began::Exists(it) if it.status() == PaymentStatus::Cancelled => Said::RedeemedAndUndone,
        began => panic!("{began:?}"),
    }
}

/// What every order of two redemptions and two undoings must be answered.
const ORDERS: [(&str, [Said; 4]); 6] = {
    use Said::{Nothing, Redeemed, RedeemedAndUndone, Refused, Undone};
    [
        ("RRUU", [Redeemed, Redeemed, Undone, Undone]),
        ("RURU", [Redeemed, Undone, RedeemedAndUndone, Undone]),
        ("RUUR", [Redeemed, Undone, Undone, RedeemedAndUndone]),
        ("URRU", [Nothing, Refused, Refused, Nothing]),
        ("URUR", [Nothing, Refused, Nothing, Refused]),
        ("UURR", [Nothing, Nothing, Refused, Refused]),
    ]
};

/// The four messages of an order, numbered so that earlier ones may come with higher serials.
fn steps(order: &str, n: i64) -> Vec<Step> {
    let messages = order.chars().zip([3, 0, 2, 1]);
    let step = |(what, place): (char, i64)| {
        let payment = Payment {
            channel: ChannelNo::NONE,
            amount: Fen::ZERO,
            flow: sale(1).flow,
            ..payment_named(n + 2 * place, &format!("{n} {order}"))
        };
        match what {
            'R' => Step::Redeem(begin(payment, at(ACTIVE))),
            _ => undo(payment, n + 2 * place + 1),
        }
    };
    messages.map(step).collect()
}

fn undo(tombstone: Payment, refund: i64) -> Step {
    let cancel = Cancel {
        payment: PaymentRef::Key(tombstone.tenant, tombstone.key),
        merchant: MERCHANT,
        mode: CancelMode::Direct,
        refund_serial: crate::samples::serial(refund),
    };
    let tombstone = Box::new(tombstone);
    Step::Undo(BarRedemption { tombstone }, cancel)
}

/// How many uses of the code are gone, and how many are held.
async fn gone(store: &impl Fixture) -> (u32, u32) {
    let uses = store.reader().code_uses(at(ACTIVE).range(), 1).await;
    let uses = uses.unwrap();
    uses.first().map_or((0, 0), |it| (it.used, it.reserved))
}

async fn all_is_over(store: &impl Fixture, order: &str, n: i64) {
    assert_eq!(gone(store).await, (0, 0), "{order}");
    let named = payment_named(0, &format!("{n} {order}"));
    let payment = stored(store, &named).await.unwrap();
    assert_eq!(payment.status(), PaymentStatus::Cancelled, "{order}");
    assert_eq!(payment.is_tombstone(), order.starts_with('U'), "{order}");
    assert_eq!(payment.paid().is_none(), payment.is_tombstone(), "{order}");
    assert_eq!(store.reader().figures().await.unwrap().jobs, 0, "{order}");
}

async fn whatever_comes_first_an_undone_code_is_not_used(store: impl Fixture) {
    fill(&store).await;
    let mut writer = store.writer().await;
    for (n, (order, expected)) in (0..).step_by(10).zip(ORDERS) {
        let mut is_undone = false;
        for ((step, expected), what) in steps(order, n).into_iter().zip(expected).zip(order.chars())
        {
            is_undone |= what == 'U';
            assert_eq!(run(&mut writer, step).await, expected, "{order}");
            let used = u32::from(!is_undone);
            assert_eq!(gone(&store).await, (used, 0), "{order}");
        }
        all_is_over(&store, order, n).await;
    }
}

async fn in_one_batch_the_order_is_the_same(store: impl Fixture) {
    fill(&store).await;
    for (n, (order, expected)) in (0..).step_by(10).zip(ORDERS) {
        let answers = in_one_batch(&store, steps(order, n)).await;
        assert_eq!(answers, expected.map(Ok), "{order}");
        all_is_over(&store, order, n).await;
    }
}

async fn a_serial_of_anything_else_is_left_alone(store: impl Fixture) {
    fill(&store).await;
    let mut writer = store.writer().await;
    let sale = sale(1);
    run(&mut writer, begin(sale.clone(), at(ACTIVE))).await;
    let before = stored(&store, &sale).await;
    let tombstone = Payment {
        channel: ChannelNo::NONE,
        serial: crate::samples::serial(2),
        ..sale.clone()
    };
    let bar = BarRedemption {
        tombstone: Box::new(tombstone),
    };
    let barred = run(&mut writer, bar).await;
    assert_eq!(barred, Barred::Exists(Box::new(before.clone().unwrap())));
    assert_eq!(stored(&store, &sale).await, before);
}

on_each_store! {
    whatever_comes_first_an_undone_code_is_not_used,
    in_one_batch_the_order_is_the_same,
    a_serial_of_anything_else_is_left_alone,
}
