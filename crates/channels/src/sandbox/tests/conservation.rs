//! No sequence of calls, with restarts between any two of them, makes or loses money.

use super::rig::{Rig, order, serial};
use crate::{
    contract::Channel,
    sandbox::{InMemory, Memory, PayerAction},
};
use domain::{
    channel::{RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    payment::Flow,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

#[derive(Clone, Debug)]
enum Step {
    Pay(u8),
    Prepare,
    Act(bool),
    Query,
    Reverse,
    Refund(i64, i64),
    Wait(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..10).prop_map(Step::Pay),
        Just(Step::Prepare),
        any::<bool>().prop_map(Step::Act),
        Just(Step::Query),
        Just(Step::Reverse),
        (0_i64..4, prop_oneof![1_i64..1_100, Just(98), Just(97)])
            .prop_map(|(n, fen)| Step::Refund(n, fen)),
        (0_i64..8_000).prop_map(Step::Wait),
        Just(Step::Restart),
    ]
}

/// What the gateway was told about the money of one payment.
#[derive(Default)]
struct Told {
    refunds: BTreeMap<i64, i64>,
    reversed: bool,
    paid: bool,
}

async fn run(steps: Vec<Step>) {
    let memory: Arc<dyn Memory> = Arc::new(InMemory::default());
    let mut rig = Rig::with(Arc::clone(&memory));
    let mut told = Told::default();
    for step in steps {
        take(&mut rig, &memory, &step, &mut told).await;
        check(&rig, &told);
    }
}

async fn take(rig: &mut Rig, memory: &Arc<dyn Memory>, step: &Step, told: &mut Told) {
    match step {
        Step::Pay(code) => {
            rig.pay(1, &format!("0{code}")).await;
        }
        Step::Prepare => {
            rig.sandbox.prepare(order(1, 2, Flow::App)).await;
        }
        Step::Act(pay) => {
            let action = if *pay {
                PayerAction::Pay
            } else {
                PayerAction::Decline
            };
            rig.sandbox.act(serial(1), action);
        }
        Step::Query => told.paid = matches!(rig.query(1).await, QueryOutcome::Paid(_)),
        Step::Reverse => {
            let outcome = rig.reverse(1).await;
            told.reversed = matches!(outcome, ReverseOutcome::Reversed(Some(_)));
            told.paid = false;
        }
        Step::Refund(n, fen) => match rig.refund(1, 100 + n, *fen).await {
            RefundOutcome::Done | RefundOutcome::Waiting => {
                told.refunds.insert(*n, *fen);
            }
            RefundOutcome::Declined => {}
            RefundOutcome::NotSent(_) | RefundOutcome::Unknown => unreachable!(),
        },
        Step::Wait(ms) => rig.advance_ms(*ms),
        Step::Restart => {
            let now = rig.now();
            *rig = Rig::with(Arc::clone(memory));
            rig.advance_ms(now.since_ms(rig.now()));
        }
    }
}

fn check(rig: &Rig, told: &Told) {
    let (charged, given_back) = rig.held(1).unwrap_or((0, 0));
    let refunded: i64 = told.refunds.values().sum();
    assert!(charged == 0 || charged == 1_000);
    assert!(refunded <= charged, "more refunded than charged");
    let kept = charged - given_back;
    assert!(
        kept == 0 || kept == charged - refunded,
        "{kept} kept of {charged}"
    );
    if told.reversed {
        assert_eq!(kept, 0, "charged and kept after a reversal gave it back");
    }
    if told.paid {
        assert_eq!(kept, 1_000 - refunded, "told paid, but not held");
    }
}

proptest! {
    #[test]
    fn money_is_conserved(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(steps));
    }
}
