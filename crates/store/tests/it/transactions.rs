//! A transaction is recorded whole or not at all.

use crate::{
    fixture::{Fixture, claim, on_each_store, record, write},
    samples::{NOW, TENANT, payment, receipt, recharge, refund, serial},
};
use domain::{
    job::{Job, JobKind},
    ledger::Posting,
    payment::{Paid, PaymentState},
    rows::{Changes, PaymentRef, Plan},
};
use store::{StoreError, Writer};

async fn nothing_is_left_of_an_abandoned_claim(store: impl Fixture) {
    let mut writer = store.writer().await;
    let first = payment(1);
    let plan = || Plan {
        claims: vec![claim(&first)],
        ..Plan::default()
    };
    let rows = writer.load(plan()).await.unwrap();
    assert!(rows.was_claimed(first.serial));
    writer.abandon().await;
    assert_eq!(store.reader().payment_of_any(first.serial).await, Ok(None));
    // The key is free again, and the writer good for another transaction.
    let rows = writer.load(plan()).await.unwrap();
    assert!(rows.was_claimed(first.serial));
    writer.commit(rows.into_changes()).await.unwrap();
    let stored = store.reader().payment_of_any(first.serial).await;
    assert_eq!(stored, Ok(Some(first)));
}

async fn a_movement_posted_twice_spoils_its_whole_transaction(store: impl Fixture) {
    let mut writer = store.writer().await;
    let posting = Posting::payment(&payment(1), NOW);
    record(&mut writer, &[payment(1)]).await;
    let once = Changes {
        postings: vec![posting],
        ..Changes::default()
    };
    write(&mut writer, once).await.unwrap();
    let mut paid = payment(1);
    paid.state = PaymentState::Paid(Paid::new(receipt()));
    let again = Changes {
        payments: vec![paid],
        refunds: vec![refund(2, 1)],
        recharges: vec![recharge(3)],
        jobs: vec![Job::new(TENANT, serial(1), JobKind::SettlePayment, NOW)],
        postings: vec![Posting::recharge(&recharge(3), NOW), posting],
        ..Changes::default()
    };
    let new = payment(4);
    let plan = Plan {
        claims: vec![claim(&new)],
        ..Plan::default()
    };
    writer.load(plan).await.unwrap();
    let refused = writer.commit(again).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let reader = store.reader();
    let mut snapshot = reader.snapshot().await.unwrap();
    assert_eq!(snapshot.payments(None, 10).await, Ok(vec![payment(1)]));
    assert_eq!(snapshot.refunds(None, 10).await, Ok(vec![]));
    assert_eq!(snapshot.recharges(None, 10).await, Ok(vec![]));
    assert_eq!(snapshot.jobs(None, 10).await, Ok(vec![]));
    assert_eq!(snapshot.postings(None, 10).await, Ok(vec![posting]));
    drop(snapshot);
    record(&mut writer, &[new]).await;
}

async fn a_load_finds_rows_by_number_and_by_claim(store: impl Fixture) {
    let mut writer = store.writer().await;
    record(&mut writer, &[payment(1), payment(2)]).await;
    let refunds = crate::samples::refunds(1);
    let requested = refunds.last().unwrap().clone();
    let by_key = refunds.iter().find_map(|it| match &it.origin {
        domain::refund::Origin::Request { key, .. } => Some((*key, it.clone())),
        _ => None,
    });
    let (key, claimed) = by_key.unwrap();
    let changes = Changes {
        refunds: refunds.clone(),
        recharges: vec![recharge(3), recharge(4)],
        jobs: vec![Job::new(TENANT, serial(1), JobKind::SettlePayment, NOW)],
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    let mut plan = Plan {
        payments: vec![(TENANT, serial(1)), (TENANT, serial(99))],
        payment_keys: vec![(TENANT, payment(2).key)],
        refunds: vec![(TENANT, requested.serial)],
        refund_keys: vec![(TENANT, key)],
        recharges: vec![(TENANT, serial(3))],
        recharge_keys: vec![(TENANT, recharge(4).key)],
        jobs: vec![(TENANT, serial(1)), (TENANT, serial(2))],
        ..Plan::default()
    };
    plan.normalise();
    let rows = writer.load(plan).await.unwrap();
    let by_serial = |n| rows.payment(PaymentRef::Serial(TENANT, serial(n)));
    assert_eq!(by_serial(1), Some(&payment(1)));
    assert_eq!(by_serial(99), None);
    let by_key = rows.payment(PaymentRef::Key(TENANT, payment(2).key));
    assert_eq!(by_key, Some(&payment(2)));
    assert_eq!(rows.refund(requested.serial), Some(&requested));
    assert_eq!(rows.refund_by_key(key), Some(&claimed));
    assert_eq!(rows.recharge(serial(3)), Some(&recharge(3)));
    assert_eq!(rows.recharge_by_key(recharge(4).key), Some(&recharge(4)));
    assert_eq!(rows.job(serial(1)).unwrap().kind, JobKind::SettlePayment);
    assert_eq!(rows.job(serial(2)), None);
    writer.abandon().await;
}

async fn a_snapshot_stays_as_it_was_while_writes_go_on(store: impl Fixture) {
    let mut writer = store.writer().await;
    record(&mut writer, &[payment(1), payment(2)]).await;
    let reader = store.reader();
    let mut before = reader.snapshot().await.unwrap();
    assert_eq!(before.payments(None, 1).await, Ok(vec![payment(1)]));
    let mut paid = payment(2);
    paid.state = PaymentState::Paid(Paid::new(receipt()));
    let changes = Changes {
        payments: vec![paid.clone()],
        postings: vec![Posting::payment(&paid, NOW)],
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    record(&mut writer, &[payment(3)]).await;
    let rest = before.payments(Some(serial(1)), 10).await;
    assert_eq!(rest, Ok(vec![payment(2)]));
    assert_eq!(before.postings(None, 10).await, Ok(vec![]));
    drop(before);
    let mut after = reader.snapshot().await.unwrap();
    let all = after.payments(None, 10).await;
    assert_eq!(all, Ok(vec![payment(1), paid, payment(3)]));
}

on_each_store! {
    nothing_is_left_of_an_abandoned_claim,
    a_movement_posted_twice_spoils_its_whole_transaction,
    a_load_finds_rows_by_number_and_by_claim,
    a_snapshot_stays_as_it_was_while_writes_go_on,
}
