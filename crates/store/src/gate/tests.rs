//! Each promise finds what breaks it.

mod messages;

use super::*;
use crate::{
    audit::tests::*,
    contract::{Reader, Writer},
    memory::Memory,
};
use domain::{
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    money::Fen,
    payment::{End, Payment, PaymentState},
    refund::{Origin, Refund},
    rows::Changes,
};

const OWNER: (TenantId, MerchantNo) = (TENANT, MERCHANT);

/// What the clients of [`history`] were told, in truth.
struct Clients(Vec<(i64, Fact)>);

impl Clients {
    fn in_truth() -> Self {
        use Answer::{Accepted, Done, Nothing, Refused};
        let pay = |number, answer| (number, pay(number, answer));
        let refund = |number: i64, fen, answer| (REFUNDED, refund(number, fen, answer));
        Self(vec![
            pay(OPEN, Accepted),
            pay(PAID, Accepted),
            (PAID, Fact::Paid),
            pay(ENDING, Nothing),
            pay(ENDED, Refused),
            pay(REVERSED, Refused),
            pay(REFUNDED, Done),
            pay(LATE, Refused),
            pay(CANCELLED, Done),
            (CANCELLED, Fact::Cancel(Done)),
            refund(REFUND_DONE, 300, Done),
            refund(REFUND_UNDER_WAY, 200, Nothing),
            refund(REFUND_UNDER_WAY, 200, Accepted),
            refund(REFUND_FAILED, 100, Refused),
        ])
    }

    /// Without what `is_left_out`.
    fn but(mut self, is_left_out: impl Fn(i64, &Fact) -> bool) -> Self {
        self.0.retain(|(number, fact)| !is_left_out(*number, fact));
        self
    }

    fn and(mut self, number: i64, fact: Fact) -> Self {
        self.0.push((number, fact));
        self
    }
}

fn pay(number: i64, answer: Answer) -> Fact {
    let serial = match answer {
        Answer::Accepted | Answer::Done | Answer::Refused => Some(Serial(number)),
        Answer::Nothing | Answer::NotRecorded | Answer::Repeat => None,
    };
    Fact::Pay {
        amount: AMOUNT,
        answer,
        serial,
    }
}

fn refund(number: i64, fen: i64, answer: Answer) -> Fact {
    Fact::Refund {
        number: number.to_string(),
        amount: Fen::new(fen),
        answer,
    }
}

fn top_up(serial: i64, answer: Answer) -> (i64, TopUp) {
    let told = TopUp {
        data_mb: 500,
        answer,
        serial: Some(Serial(serial)),
    };
    (serial, told)
}

fn top_ups() -> Vec<(i64, TopUp)> {
    vec![
        top_up(TOP_UP_CREATED, Answer::Accepted),
        top_up(TOP_UP_DONE, Answer::Done),
        top_up(TOP_UP_FAILED, Answer::Refused),
    ]
}

async fn judged(
    store: &Memory,
    told: Clients,
    top_ups: Vec<(i64, TopUp)>,
    at: Moment,
) -> GateReport {
    let mut acknowledged = Acknowledged::new();
    for (number, fact) in told.0 {
        acknowledged.note(OWNER, &format!("M{number}"), fact);
    }
    for (number, fact) in top_ups {
        acknowledged.note_top_up(OWNER, &number.to_string(), fact);
    }
    let mut snapshot = store.snapshot().await.unwrap();
    gate(snapshot.as_mut(), &acknowledged, at).await.unwrap()
}

fn promises(report: &GateReport) -> Vec<Promise> {
    let mut promises: Vec<Promise> = report.broken.iter().map(|it| it.promise).collect();
    promises.sort_unstable();
    promises.dedup();
    promises
}

async fn payment(store: &Memory, number: i64) -> Payment {
    let found = store.payment_of_any(Serial(number)).await;
    found.unwrap().unwrap()
}

async fn put_payment(store: &mut Memory, payment: Payment) {
    let changes = Changes {
        payments: vec![payment],
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
}

async fn put_refund(store: &mut Memory, from: i64, change: impl FnOnce(&mut Refund)) {
    let refund = Reader::refund(store, TENANT, Serial(from)).await;
    let mut refund = refund.unwrap().unwrap();
    change(&mut refund);
    let changes = Changes {
        refunds: vec![refund],
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
}

#[tokio::test]
async fn a_history_that_kept_its_promises_is_clean() {
    let truth = Clients::in_truth();
    let report = judged(&history().await, truth, top_ups(), Moment::Running).await;
    assert!(report.is_clean(), "{report}");
}

#[tokio::test]
async fn a_broken_rule_of_the_audit_is_in_the_report() {
    let mut store = history().await;
    let jobs_removed = vec![(TENANT, Serial(OPEN))];
    let changes = Changes {
        jobs_removed,
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
    let report = judged(&store, Clients::in_truth(), top_ups(), Moment::Running).await;
    assert!(!report.is_clean());
    assert!(report.to_string().starts_with("PaymentJob: "), "{report}");
}

#[tokio::test]
async fn what_is_left_open_shows_at_rest_only() {
    let truth = Clients::in_truth();
    let report = judged(&history().await, truth, top_ups(), Moment::AtRest).await;
    assert_eq!(promises(&report), [Promise::AtRest]);
    // One open, one ending, six jobs and five messages.
    assert_eq!(report.broken.len(), 13, "{report}");
}

#[tokio::test]
async fn lost_unasked_and_contradicted_top_ups_are_found() {
    let store = history().await;
    let told = |top_ups| judged(&store, Clients::in_truth(), top_ups, Moment::Running);
    let with = |more: (i64, TopUp)| [top_ups(), vec![more]].concat();
    let lost = told(with(top_up(299, Answer::Accepted))).await;
    assert_eq!(promises(&lost), [Promise::Recorded]);
    let failed = told(with(top_up(TOP_UP_FAILED, Answer::Done))).await;
    assert_eq!(promises(&failed), [Promise::Recorded]);
    let unasked = told(top_ups().split_off(1)).await;
    assert_eq!(promises(&unasked), [Promise::Asked]);
}

/// One test: the clients were told this, and exactly these promises are broken.
macro_rules! told {
    ($($name:ident: $clients:expr => [$($promise:ident),+];)+) => { $(
        #[tokio::test]
        async fn $name() {
            let clients: Clients = $clients;
            let report = judged(&history().await, clients, top_ups(), Moment::Running).await;
            assert_eq!(promises(&report), [$(Promise::$promise),+], "{report}");
        }
    )+ };
}

told! {
    an_acknowledged_payment_that_is_lost:
        Clients::in_truth().and(99, pay(99, Answer::Accepted)) => [Recorded];

    a_payment_seen_paid_that_is_lost:
        Clients::in_truth().and(99, Fact::Paid) => [Recorded];

    a_number_used_before_that_nobody_has:
        Clients::in_truth().and(99, pay(99, Answer::Repeat)) => [Recorded];

    a_payment_of_another_amount: Clients::in_truth().and(OPEN, Fact::Pay {
        amount: Fen::new(999), answer: Answer::Accepted, serial: None,
    }) => [Recorded];

    a_payment_under_another_number_than_was_told: Clients::in_truth().and(OPEN, Fact::Pay {
        amount: AMOUNT, answer: Answer::Nothing, serial: Some(Serial(999)),
    }) => [Recorded];

    an_acknowledged_refund_that_is_lost:
        Clients::in_truth().and(REFUNDED, refund(104, 50, Answer::Accepted)) => [Recorded];

    an_acknowledged_refund_of_another_amount:
        Clients::in_truth().and(REFUNDED, refund(REFUND_DONE, 301, Answer::Done)) => [Recorded];

    a_payment_nobody_asked_for:
        Clients::in_truth().but(|number, _| number == OPEN) => [Asked];

    a_payment_that_was_said_not_to_be_recorded: Clients::in_truth()
        .but(|number, _| number == OPEN)
        .and(OPEN, pay(OPEN, Answer::NotRecorded)) => [Asked];

    a_refund_that_was_said_not_to_be_recorded: Clients::in_truth()
        .but(|_, fact| matches!(fact, Fact::Refund { amount, .. } if *amount == Fen::new(200)))
        .and(REFUNDED, refund(REFUND_UNDER_WAY, 200, Answer::NotRecorded)) => [Asked];

    a_refund_that_was_refused_and_moves: Clients::in_truth()
        .but(|_, fact| matches!(fact, Fact::Refund { amount, .. } if *amount == Fen::new(200)))
        .and(REFUNDED, refund(REFUND_UNDER_WAY, 200, Answer::Refused)) => [Asked];

    a_cancellation_nobody_asked_for: Clients::in_truth()
        .but(|number, fact| number == CANCELLED && matches!(fact, Fact::Cancel(_)))
        => [Asked, PaidStays];

    one_number_told_for_two_payments: Clients::in_truth().and(OPEN, Fact::Pay {
        amount: AMOUNT, answer: Answer::Nothing, serial: Some(Serial(PAID)),
    }) => [Recorded, SerialOnce];

    a_charge_that_was_refused:
        Clients::in_truth().and(PAID, pay(PAID, Answer::Refused)) => [NotCharged];

    money_that_was_seen_and_is_gone:
        Clients::in_truth().and(OPEN, Fact::Paid) => [PaidStays];

    a_cancellation_that_did_not_happen:
        Clients::in_truth().and(PAID, Fact::Cancel(Answer::Done)) => [Cancelled];

    a_cancellation_on_its_way_that_is_not:
        Clients::in_truth().and(PAID, Fact::Cancel(Answer::Accepted)) => [Cancelled];

    a_refund_done_that_failed: Clients::in_truth()
        .and(REFUNDED, refund(REFUND_FAILED, 100, Answer::Done)) => [Refunded];
}

#[tokio::test]
async fn two_payments_of_one_number_are_found() {
    let mut store = history().await;
    let twin = Payment {
        serial: Serial(900),
        ..payment(&store, OPEN).await
    };
    put_payment(&mut store, twin).await;
    let report = judged(&store, Clients::in_truth(), top_ups(), Moment::Running).await;
    assert_eq!(
        promises(&report),
        [Promise::Recorded, Promise::NumberOnce],
        "{report}"
    );
}

#[tokio::test]
async fn a_number_claimed_under_a_wrong_key_is_found() {
    let mut store = history().await;
    let mut wrong = payment(&store, OPEN).await;
    wrong.key = ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Payment, "M77");
    put_payment(&mut store, wrong).await;
    let report = judged(&store, Clients::in_truth(), top_ups(), Moment::Running).await;
    assert_eq!(promises(&report), [Promise::NumberOnce], "{report}");
}

#[tokio::test]
async fn two_refunds_of_one_number_are_found() {
    let mut store = history().await;
    put_refund(&mut store, REFUND_FAILED, |twin| {
        twin.serial = Serial(901);
    })
    .await;
    let report = judged(&store, Clients::in_truth(), top_ups(), Moment::Running).await;
    assert_eq!(promises(&report), [Promise::NumberOnce], "{report}");
}

#[tokio::test]
async fn a_paid_payment_that_ended_by_itself_is_found() {
    let mut store = history().await;
    let mut gone = payment(&store, PAID).await;
    let paid = gone.paid().cloned();
    gone.state = PaymentState::Ended {
        end: End::Cancelled,
        at: NOW,
        paid,
    };
    put_payment(&mut store, gone).await;
    let report = judged(&store, Clients::in_truth(), top_ups(), Moment::Running).await;
    assert_eq!(promises(&report), [Promise::PaidStays], "{report}");
}

#[tokio::test]
async fn refunds_beyond_the_payment_are_found() {
    let mut store = history().await;
    put_refund(&mut store, REFUND_UNDER_WAY, |more| {
        more.amount = Fen::new(701);
    })
    .await;
    let clients = Clients::in_truth()
        .but(|_, fact| matches!(fact, Fact::Refund { amount, .. } if *amount == Fen::new(200)))
        .and(REFUNDED, refund(REFUND_UNDER_WAY, 701, Answer::Accepted));
    let report = judged(&store, clients, top_ups(), Moment::Running).await;
    assert_eq!(promises(&report), [Promise::Refunded], "{report}");
}

#[tokio::test]
async fn late_money_that_is_returned_from_a_paid_payment_is_found() {
    let mut store = history().await;
    put_refund(&mut store, REFUND_FAILED, |odd| {
        odd.origin = Origin::LateSuccess;
    })
    .await;
    let clients = Clients::in_truth()
        .but(|_, fact| matches!(fact, Fact::Refund { amount, .. } if *amount == Fen::new(100)));
    let report = judged(&store, clients, top_ups(), Moment::Running).await;
    assert_eq!(promises(&report), [Promise::Asked], "{report}");
}

#[tokio::test]
async fn acknowledged_transactions_on_cards_were_carried_out() {
    use crate::audit::tests::loyalty::{BOUGHT, CANCELLED, DECLINED, INDEX, REVERSED, history};
    use domain::loyalty::trans::TransNo;
    let store = history().await;
    let number = |serial| TransNo::new(INDEX, serial);
    let mut acknowledged = Acknowledged::new();
    for serial in [BOUGHT, CANCELLED, REVERSED] {
        acknowledged.note_trans(TENANT, number(serial));
    }
    let mut snapshot = store.snapshot().await.unwrap();
    let kept = gate(snapshot.as_mut(), &acknowledged, Moment::Running);
    assert_eq!(kept.await.unwrap().broken, []);
    acknowledged.note_trans(TENANT, number(DECLINED));
    acknowledged.note_trans(TENANT, number(9_999));
    acknowledged.note_trans(TenantId(2), number(BOUGHT));
    let mut snapshot = store.snapshot().await.unwrap();
    let report = gate(snapshot.as_mut(), &acknowledged, Moment::Running);
    let broken = report.await.unwrap().broken;
    assert!(broken.iter().all(|it| it.promise == Promise::Recorded));
    assert_eq!(broken.len(), 3, "{broken:?}");
}
