//! The engine over each store: many at once, a full queue, and one bad command among good ones.

use crate::{
    fixture::{
        Fixture, all_in_order, audited, clock, engine_on, in_one_batch, on_each_store, queued,
    },
    samples::{AMOUNT, MERCHANT, TENANT, payment, payment_named, receipt, recharge, serial},
};
use domain::{
    channel::{PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::{
        Began, BeginPayment, BeginRecharge, BeginRefund, GiveUp, RecordPay, RecordRecharge,
        RecordRefund, RecordReverse,
    },
    ids::{ClaimKey, ClaimSpace, Serial},
    ledger::{Account, Unit},
    money::Fen,
    payment::PaymentStatus,
    rows::PaymentRef,
};
use std::thread;
use store::{Engine, EngineError, StoreError, engine::QUEUE_LEN_MAX};
use tokio::{
    runtime::{Builder, Handle},
    task::JoinSet,
};

fn pay(serial: Serial, outcome: PayOutcome) -> RecordPay {
    RecordPay {
        tenant: TENANT,
        serial,
        outcome,
        credential: None,
        refund_serial: Serial(serial.0 + 100_000),
    }
}

/// One till: a payment under a number that four tills share, paid and refunded in parts, or given
/// up and reversed.
async fn till(engine: Engine, n: i64) -> bool {
    let payment = Box::new(payment_named(n, &format!("shared {}", n / 4)));
    let paid = n / 4 % 2 == 0;
    let serial = payment.serial;
    match engine
        .run(BeginPayment {
            payment,
            code: None,
        })
        .await
        .unwrap()
    {
        Began::Exists(_) => return false,
        Began::New(None) => {}
        other @ (Began::New(Some(_)) | Began::Settled(_) | Began::NoVoucher(_)) => {
            panic!("{other:?}")
        }
    }
    if paid {
        let outcome = PayOutcome::Paid(receipt());
        engine.run(pay(serial, outcome)).await.unwrap();
        for part in 1..=3 {
            refund_a_part(&engine, serial, part).await;
        }
    } else {
        let tenant = TENANT;
        engine.run(GiveUp { tenant, serial }).await.unwrap();
        let reverse = RecordReverse {
            tenant,
            serial,
            outcome: ReverseOutcome::Reversed(Some(receipt())),
            refund_serial: Serial(serial.0 + 200_000),
        };
        engine.run(reverse).await.unwrap();
        top_up(&engine, serial).await;
    }
    true
}

/// Two parts fit into the amount, the third does not.
async fn refund_a_part(engine: &Engine, of: Serial, part: i64) {
    let refund = Serial(of.0 + part * 10_000);
    let number = refund.to_string();
    let begin = BeginRefund {
        tenant: TENANT,
        payment: PaymentRef::Serial(TENANT, of),
        merchant: MERCHANT,
        serial: refund,
        key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Refund, &number),
        merchant_serial: Some(number),
        amount: Fen::new(AMOUNT.get() / 2),
    };
    let begun = engine.run(begin).await.unwrap();
    let is_new = matches!(begun, domain::command::RefundReply::New(..));
    assert_eq!(is_new, part < 3, "{begun:?}");
    if is_new {
        let done = RecordRefund {
            tenant: TENANT,
            payment: of,
            refund,
            outcome: RefundOutcome::Done,
        };
        engine.run(done).await.unwrap();
    }
}

async fn top_up(engine: &Engine, near: Serial) {
    let n = near.0 - serial(0).0 + 50_000;
    let recharge = Box::new(recharge(n));
    engine.run(BeginRecharge { recharge }).await.unwrap();
    let done = RecordRecharge {
        tenant: TENANT,
        serial: serial(n),
        outcome: RechargeOutcome::Done("N1".to_owned()),
    };
    engine.run(done).await.unwrap();
}

async fn two_hundred_tills_at_once_leave_a_clean_ledger(store: impl Fixture) {
    let engine = engine_on(&store).await;
    let mut tills = JoinSet::new();
    for n in 0..200 {
        tills.spawn(till(engine.clone(), n));
    }
    let new = tills.join_all().await.into_iter().filter(|new| *new);
    assert_eq!(new.count(), 50);
    let report = audited(store.reader().as_ref()).await;
    assert_eq!(report.violations, []);
    let counts = report.counts;
    assert_eq!(
        (counts.payments, counts.refunds, counts.recharges),
        (50, 50, 25)
    );
    assert_eq!((counts.postings, counts.jobs), (25 * 3 + 25 * 2 + 25, 0));
    let merchant = report.balances[&(TENANT, Unit::Fen, Account::Merchant(MERCHANT))];
    assert_eq!(merchant.net(), 0);
    assert_eq!(merchant.credit, 50 * i128::from(AMOUNT.get()));
}

async fn a_bad_command_spoils_only_itself(store: impl Fixture) {
    let (engine, queue) = Engine::new(clock());
    let begin = |n| BeginPayment {
        payment: Box::new(payment(n)),
        code: None,
    };
    let good = vec![queued(&engine, begin(1)), queued(&engine, begin(2))];
    let bad = vec![queued(&engine, pay(serial(99), PayOutcome::Waiting))];
    let late = vec![queued(&engine, begin(3))];
    drop(engine);
    let writer = store.writer().await;
    let serve = async { drop(tokio::spawn(queue.serve(writer))) };
    let (good, bad, late, _) = tokio::join!(
        biased;
        all_in_order(good),
        all_in_order(bad),
        all_in_order(late),
        serve
    );
    assert_eq!(good, [Ok(Began::New(None)), Ok(Began::New(None))]);
    assert_eq!(late, [Ok(Began::New(None))]);
    let corrupt = &bad[0];
    assert!(
        matches!(corrupt, Err(EngineError::Store(StoreError::Corrupt(_)))),
        "{corrupt:?}"
    );
    let figures = store.reader().figures().await.unwrap();
    assert_eq!(figures.jobs, 3);
}

async fn a_batch_sees_each_decision_before_the_next(store: impl Fixture) {
    let engine = engine_on(&store).await;
    let payment = Box::new(payment(1));
    engine
        .run(BeginPayment {
            payment,
            code: None,
        })
        .await
        .unwrap();
    let outcomes = vec![
        pay(serial(1), PayOutcome::Waiting),
        pay(serial(1), PayOutcome::Paid(receipt())),
        pay(serial(1), PayOutcome::Paid(receipt())),
    ];
    let answers = in_one_batch(&store, outcomes).await;
    let statuses: Vec<_> = answers
        .into_iter()
        .map(|it| it.unwrap().payment.status())
        .collect();
    let paid = PaymentStatus::Paid;
    assert_eq!(statuses, [PaymentStatus::Unpaid, paid, paid]);
    let report = audited(store.reader().as_ref()).await;
    assert_eq!((report.violations, report.counts.postings), (vec![], 1));
}

async fn a_full_queue_refuses_at_once_and_loses_nothing(store: impl Fixture) {
    let (engine, queue) = Engine::new(clock());
    let begin = |n| BeginPayment {
        payment: Box::new(payment(n)),
        code: None,
    };
    let len = i64::try_from(QUEUE_LEN_MAX).unwrap();
    let waiting = (1..=len).map(|n| queued(&engine, begin(n))).collect();
    let writer = store.writer().await;
    let overflow = async {
        assert_eq!(engine.queue_len(), QUEUE_LEN_MAX);
        let refused = engine.run(begin(len + 1)).await;
        assert_eq!(refused, Err(EngineError::QueueFull));
        tokio::spawn(queue.serve(writer));
    };
    let (answers, ()) = tokio::join!(biased; all_in_order(waiting), overflow);
    assert!(answers.iter().all(|it| *it == Ok(Began::New(None))));
    let again = engine.run(begin(len + 1)).await;
    assert_eq!(again, Ok(Began::New(None)));
    let figures = store.reader().figures().await.unwrap();
    assert_eq!(figures.jobs, QUEUE_LEN_MAX as u64 + 1);
}

async fn what_was_queued_is_done_after_the_last_handle_is_gone(store: impl Fixture) {
    let (engine, queue) = Engine::new(clock());
    let writer = store.writer().await;
    let payment = Box::new(payment(1));
    let waiting = vec![queued(
        &engine,
        BeginPayment {
            payment,
            code: None,
        },
    )];
    drop(engine);
    let (answers, ()) = tokio::join!(biased; all_in_order(waiting), queue.serve(writer));
    assert_eq!(answers, [Ok(Began::New(None))]);
}

async fn a_writer_with_a_thread_of_its_own_answers_those_who_wait_elsewhere(store: impl Fixture) {
    let (engine, queue) = Engine::new(clock());
    let queue = queue.answering_on(Handle::current());
    let writer = store.writer().await;
    let own = Builder::new_current_thread().enable_all().build().unwrap();
    let thread = thread::spawn(move || own.block_on(queue.serve(writer)));
    let begin = |n| BeginPayment {
        payment: Box::new(payment(n)),
        code: None,
    };
    let bad = pay(serial(999), PayOutcome::Waiting);
    let waiting = (1..=100).map(|n| queued(&engine, begin(n))).collect();
    let (answers, bad) = tokio::join!(all_in_order(waiting), engine.run(bad));
    assert!(answers.iter().all(|it| *it == Ok(Began::New(None))));
    assert!(bad.is_err());
    drop(engine);
    let ended = tokio::task::spawn_blocking(|| thread.join()).await.unwrap();
    assert!(ended.is_ok());
    assert_eq!(store.reader().figures().await.unwrap().jobs, 100);
}

on_each_store! {
    two_hundred_tills_at_once_leave_a_clean_ledger,
    a_bad_command_spoils_only_itself,
    a_batch_sees_each_decision_before_the_next,
    a_full_queue_refuses_at_once_and_loses_nothing,
    what_was_queued_is_done_after_the_last_handle_is_gone,
    a_writer_with_a_thread_of_its_own_answers_those_who_wait_elsewhere,
}
