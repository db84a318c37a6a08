//! Arbitrary histories of all commands, alone or several in one batch, each step of them audited.

use super::{
    fixture::{CASH, DAY_S, GOODS, MERCHANT, TENANT, TRIPLE, code, range, receipt},
    world::{Act, World},
};
use domain::{
    channel::{Decline, NotSent, PayOutcome, RefundOutcome, ReverseOutcome},
    command::{
        BeginPayment, Cancel, CancelMode, DecideCancel, GiveUp, QueryOutcome, RecordQuery,
        RecordRefund, voucher::ChangeStock,
    },
    ids::Serial,
    payment::{CloseReason, End, Payment, PaymentState},
    refund::Refund,
    rows::PaymentRef,
    voucher::{change::ChangeKind, code::CodeRange},
};
use proptest::prelude::*;

const CODES: u32 = 5;

/// One step of a history. Small numbers, so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    Change(ChangeKind, Vec<(usize, u32, u32)>),
    /// A change once more, counted from the last.
    Repeat(usize),
    Begin {
        carton: usize,
        index: u32,
        price: i64,
        /// Under the number of an earlier payment.
        again: bool,
    },
    Tell(usize, PayOutcome),
    Query(usize, QueryOutcome),
    GiveUp(usize),
    Reverse(usize, ReverseOutcome),
    Cancel(usize, CancelMode),
    Decide(usize, bool),
    Refund(usize, Share, u8),
    Hear(usize, RefundOutcome),
    /// A range that is a span by chance, and all that is due.
    Expire(usize, u32, u32),
    ExpireDue,
    Wait(i64),
    /// So many of the next commands come in one batch.
    Together(usize),
}

/// How much of a payment is asked back.
#[derive(Clone, Copy, Debug)]
enum Share {
    Fen(i64),
    OfChannel,
    All,
}

fn changes() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        4 => Just(ChangeKind::Activate),
        1 => Just(ChangeKind::ActivateSegment),
        2 => Just(ChangeKind::Void),
        2 => Just(ChangeKind::Freeze),
        3 => Just(ChangeKind::Unfreeze),
    ];
    let range = (0..3_usize, 0..CODES, 0..CODES);
    let range = range.prop_map(|(carton, one, other)| (carton, one.min(other), one.max(other)));
    (kind, proptest::collection::vec(range, 1..4)).prop_map(|(kind, it)| Step::Change(kind, it))
}

fn begins() -> impl Strategy<Value = Step> {
    let price = prop_oneof![Just(1_i64), Just(1_000), Just(5_000), 1..9_000_i64];
    let again = proptest::bool::weighted(0.1);
    (0..3_usize, 0..CODES, price, again).prop_map(|(carton, index, price, again)| Step::Begin {
        carton,
        index,
        price,
        again,
    })
}

fn words() -> impl Strategy<Value = Step> {
    let nth = || 0..4_usize;
    let told = prop_oneof![
        4 => Just(PayOutcome::Paid(receipt())),
        1 => Just(PayOutcome::Declined(Decline::ByPayer)),
        1 => Just(PayOutcome::NotSent(NotSent::Write)),
        1 => Just(PayOutcome::Unknown),
    ];
    let asked = prop_oneof![
        2 => Just(QueryOutcome::Paid(receipt())),
        1 => Just(QueryOutcome::Declined(Decline::ByChannel)),
        1 => Just(QueryOutcome::NotFound),
        1 => Just(QueryOutcome::Waiting),
    ];
    let reversed = prop_oneof![
        2 => Just(ReverseOutcome::Reversed(None)),
        1 => Just(ReverseOutcome::Reversed(Some(receipt()))),
        1 => Just(ReverseOutcome::Paid(receipt())),
        1 => Just(ReverseOutcome::Unknown),
    ];
    prop_oneof![
        4 => (nth(), told).prop_map(|(nth, it)| Step::Tell(nth, it)),
        1 => (nth(), asked).prop_map(|(nth, it)| Step::Query(nth, it)),
        1 => nth().prop_map(Step::GiveUp),
        2 => (nth(), reversed).prop_map(|(nth, it)| Step::Reverse(nth, it)),
    ]
}

fn undoing() -> impl Strategy<Value = Step> {
    let nth = || 0..4_usize;
    let mode = prop_oneof![
        3 => Just(CancelMode::Direct),
        1 => Just(CancelMode::DirectUntilPaid),
        1 => Just(CancelMode::Request),
    ];
    let share = prop_oneof![
        2 => (1..6_000_i64).prop_map(Share::Fen),
        2 => Just(Share::OfChannel),
        3 => Just(Share::All),
    ];
    let heard = prop_oneof![
        4 => Just(RefundOutcome::Done),
        2 => Just(RefundOutcome::Declined),
        1 => Just(RefundOutcome::NotSent(NotSent::Connect)),
        1 => Just(RefundOutcome::Unknown),
    ];
    prop_oneof![
        2 => (nth(), mode).prop_map(|(nth, mode)| Step::Cancel(nth, mode)),
        1 => (nth(), any::<bool>()).prop_map(|(nth, approve)| Step::Decide(nth, approve)),
        6 => (0..2_usize, share, 0..40_u8).prop_map(|(nth, it, number)| Step::Refund(nth, it, number)),
        6 => (nth(), heard).prop_map(|(nth, it)| Step::Hear(nth, it)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![Just(60_i64), Just(DAY_S / 2), Just(DAY_S)];
    let span = (0..3_usize, 0..CODES, 0..CODES);
    let step = prop_oneof![
        6 => changes(),
        1 => (0..4_usize).prop_map(Step::Repeat),
        8 => begins(),
        7 => words(),
        9 => undoing(),
        1 => span.prop_map(|(carton, first, last)| Step::Expire(carton, first, last)),
        2 => Just(Step::ExpireDue),
        2 => wait.prop_map(Step::Wait),
        4 => (2..5_usize).prop_map(Step::Together),
    ];
    proptest::collection::vec(step, 1..40)
}

/// A history as it is carried out.
struct Play {
    world: World,
    cartons: [Serial; 3],
    changes: Vec<ChangeStock>,
    waiting: Vec<Box<dyn Act>>,
    /// How many commands of this batch are still to come.
    wanted: usize,
}

impl Play {
    fn new() -> Self {
        let mut world = World::new();
        world.limit(Some(12));
        let cartons = [CASH, TRIPLE, GOODS].map(|it| world.issue(it, CODES));
        let all = [0, 1].map(|it| range(cartons[it], 0, CODES - 1));
        world.done(ChangeKind::Activate, &all);
        Self {
            world,
            cartons,
            changes: vec![],
            waiting: vec![],
            wanted: 1,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Wait(s) => {
                self.flush();
                self.world.later(s);
            }
            Step::Together(count) => {
                self.flush();
                self.wanted = count;
            }
            Step::ExpireDue => {
                for range in self.world.due() {
                    let expiry = self.world.expiry(range);
                    self.send(Some(expiry));
                }
            }
            Step::Change(kind, ranges) => {
                let ranges: Vec<CodeRange> = ranges
                    .iter()
                    .map(|(carton, first, last)| range(self.cartons[*carton], *first, *last))
                    .collect();
                let change = self.world.change(kind, &ranges);
                self.changes.push(change.clone());
                self.send(Some(change));
            }
            Step::Repeat(nth) => {
                let change = self.changes.iter().rev().nth(nth).cloned();
                self.send(change);
            }
            Step::Begin {
                carton,
                index,
                price,
                again,
            } => self.begin(carton, index, price, again),
            Step::Expire(carton, first, last) if first <= last => {
                let expiry = self.world.expiry(range(self.cartons[carton], first, last));
                self.send(Some(expiry));
            }
            Step::Expire(..) => {}
            of_payment => self.step_of_payment(of_payment),
        }
    }

    fn begin(&mut self, carton: usize, index: u32, price: i64, again: bool) {
        let it = code(self.cartons[carton], index);
        let mut payment = self.world.payment(price, Some(it));
        if let Some(earlier) = self.nth_payment(0).filter(|_| again) {
            payment.key = earlier.key;
            payment.merchant_serial = earlier.merchant_serial;
        }
        let payment = Box::new(payment);
        self.send(Some(BeginPayment {
            payment,
            code: None,
        }));
    }

    fn step_of_payment(&mut self, step: Step) {
        match step {
            Step::Tell(nth, outcome) => {
                let told = self
                    .asked(nth)
                    .map(|it| self.world.told(it.serial, outcome));
                self.send(told);
            }
            Step::Query(nth, outcome) => {
                let queried = self.asked(nth).map(|it| RecordQuery {
                    tenant: TENANT,
                    serial: it.serial,
                    outcome,
                    refund_serial: self.world.serial(),
                });
                self.send(queried);
            }
            Step::GiveUp(nth) => {
                let given_up = self.asked(nth).map(|it| GiveUp {
                    tenant: TENANT,
                    serial: it.serial,
                });
                self.send(given_up);
            }
            Step::Reverse(nth, outcome) => {
                let reversed = self.asked(nth);
                let reversed = reversed.map(|it| self.world.reversed(it.serial, outcome));
                self.send(reversed);
            }
            undoing => self.step_of_undoing(undoing),
        }
    }

    fn step_of_undoing(&mut self, step: Step) {
        match step {
            Step::Cancel(nth, mode) => {
                let cancel = self.nth_payment(nth).map(|it| Cancel {
                    payment: PaymentRef::Key(TENANT, it.key),
                    merchant: MERCHANT,
                    mode,
                    refund_serial: self.world.serial(),
                });
                self.send(cancel);
            }
            Step::Decide(nth, approve) => {
                let decide = self.nth_payment(nth).map(|it| DecideCancel {
                    tenant: TENANT,
                    serial: it.serial,
                    approve,
                    refund_serial: self.world.serial(),
                });
                self.send(decide);
            }
            Step::Refund(nth, share, number) => {
                let refund = self.nth_paid(nth).map(|it| {
                    let fen = fen(&it, share);
                    self.world.refunding(it.serial, &format!("R{number}"), fen)
                });
                self.send(refund.filter(|it| it.amount.get() > 0));
            }
            Step::Hear(nth, outcome) => {
                let heard = self.nth_refund(nth).map(|it| RecordRefund {
                    tenant: TENANT,
                    payment: it.payment,
                    refund: it.serial,
                    outcome,
                });
                self.send(heard);
            }
            other => panic!("{other:?} is not about a payment"),
        }
    }

    /// Sends it, with those before it if they are of one batch.
    fn send<A: Act + 'static>(&mut self, act: Option<A>) {
        let Some(act) = act else { return };
        self.waiting.push(Box::new(act));
        if self.waiting.len() >= self.wanted {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let acts = std::mem::take(&mut self.waiting);
        self.wanted = 1;
        if !acts.is_empty() {
            self.world.batch(&acts);
        }
    }

    fn nth_payment(&self, nth: usize) -> Option<Payment> {
        self.world.payments.values().rev().nth(nth).cloned()
    }

    fn nth_paid(&self, nth: usize) -> Option<Payment> {
        let paid = self.world.payments.values().rev();
        paid.filter(|it| it.paid().is_some()).nth(nth).cloned()
    }

    /// Only of a payment that a channel was asked for does it have anything to say.
    fn asked(&self, nth: usize) -> Option<Payment> {
        let was_asked = |it: &&Payment| {
            let refused = matches!(
                it.state,
                PaymentState::Ended {
                    end: End::Closed(CloseReason::Voucher(_)),
                    ..
                }
            );
            it.amount.get() > 0 && !refused
        };
        let payments = self.world.payments.values().rev();
        payments.filter(was_asked).nth(nth).cloned()
    }

    fn nth_refund(&self, nth: usize) -> Option<Refund> {
        self.world.refunds.values().rev().nth(nth).cloned()
    }
}

fn fen(payment: &Payment, share: Share) -> i64 {
    let paid = payment.paid();
    match share {
        Share::Fen(fen) => fen,
        Share::OfChannel => paid.map_or(1, |it| it.refundable(payment.amount).get()),
        Share::All => paid.map_or(1, |it| it.refundable_price(payment).get()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_the_books_hold(steps in steps()) {
        let mut play = Play::new();
        for step in steps {
            play.step(step);
        }
        play.flush();
        // In the end nothing is left that nobody works on.
        play.world.later(10 * DAY_S);
        play.world.expire();
    }
}
