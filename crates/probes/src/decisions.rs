//! Any commands in any order, with any answers of channels, over the memory store: after each
//! batch the audit is clean, nothing goes back that was not paid, and nothing that ended begins
//! again. Unlike the store's own property tests there is no honest bank here: a channel may
//! contradict itself as it likes.

mod act;

use crate::bytes::Bytes;
use act::Act;
use domain::{
    ids::Serial,
    payment::{Payment, PaymentState},
    recharge::Recharge,
    refund::{Refund, RefundState},
    rows::Plan,
    time::UnixMs,
};
use std::collections::BTreeMap;
use store::{Reader, Writer, audit::audit, memory::Memory};

/// More than this teaches nothing new and makes every input slow.
const BATCHES_MAX: usize = 48;
const BATCH_MAX: usize = 3;
const NOON: UnixMs = UnixMs(1_795_276_800_000);

/// What is stored.
#[derive(Clone, Default)]
struct Stored {
    payments: BTreeMap<Serial, Payment>,
    refunds: BTreeMap<Serial, Refund>,
    recharges: BTreeMap<Serial, Recharge>,
}

struct World {
    store: Memory,
    now: UnixMs,
    serials: i64,
    stored: Stored,
}

/// The bytes choose the commands.
pub fn probe(bytes: &[u8]) {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(live(Bytes::new(bytes))));
}

async fn live(mut choices: Bytes<'_>) {
    let mut world = World {
        store: Memory::new(),
        now: NOON,
        serials: 0,
        stored: Stored::default(),
    };
    for _ in 0..BATCHES_MAX {
        if choices.is_empty() {
            break;
        }
        let count = 1 + choices.choose(BATCH_MAX);
        let acts: Vec<Act> = (0..count)
            .filter_map(|_| world.next(&mut choices))
            .collect();
        let before = world.stored.clone();
        world.carry_out(&acts).await;
        assert_lawful(&before, &world.stored);
    }
}

impl World {
    fn new_serial(&mut self) -> Serial {
        self.serials += 1;
        Serial(20_779_000_000_000_000 + self.serials)
    }

    fn next(&mut self, choices: &mut Bytes<'_>) -> Option<Act> {
        self.now = self.now.plus_s(i64::from(choices.byte() >> 4));
        Act::choose(self, choices)
    }

    /// One batch, as the engine carries it out.
    async fn carry_out(&mut self, acts: &[Act]) {
        let mut plan = Plan::default();
        acts.iter().for_each(|act| act.plan(&mut plan));
        plan.normalise();
        let mut rows = self.store.load(plan).await.expect("rows");
        for act in acts {
            act.decide(&mut rows, self.now)
                .expect("rows that contradict each other");
        }
        let changes = rows.into_changes();
        self.store.commit(changes).await.expect("a commit");
        let mut snapshot = self.store.snapshot().await.expect("a snapshot");
        let report = audit(snapshot.as_mut(), &mut |_| {})
            .await
            .expect("an audit");
        assert_eq!(report.violations, []);
        let rows = 1_000;
        let payments = snapshot.payments(None, rows).await.expect("payments");
        let refunds = snapshot.refunds(None, rows).await.expect("refunds");
        let recharges = snapshot.recharges(None, rows).await.expect("top-ups");
        self.stored = Stored {
            payments: payments.into_iter().map(|it| (it.serial, it)).collect(),
            refunds: refunds.into_iter().map(|it| (it.serial, it)).collect(),
            recharges: recharges.into_iter().map(|it| (it.serial, it)).collect(),
        };
    }
}

const fn was_given_up(payment: &Payment) -> bool {
    matches!(
        payment.state,
        PaymentState::Ending(_) | PaymentState::Ended { .. }
    )
}

fn assert_lawful(before: &Stored, after: &Stored) {
    for payment in after.payments.values() {
        if let Some(paid) = payment.paid() {
            let gone = paid.refunded.get() + paid.refunding.get();
            assert!(paid.refunded.get() >= 0 && paid.refunding.get() >= 0);
            assert!(gone <= payment.amount.get(), "{payment:?}");
            assert!(paid.refundable(payment.amount).get() >= 0, "{payment:?}");
        }
    }
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
        let is_over = was.state != RefundState::InProgress;
        assert!(!is_over || *was == after.refunds[serial], "{was:?}");
    }
    for (serial, was) in &before.recharges {
        assert!(!was.is_over() || *was == after.recharges[serial], "{was:?}");
    }
}
