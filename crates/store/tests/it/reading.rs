//! What readers find, in which order, and how much of it.

use crate::{
    fixture::{Fixture, on_each_store, record, write},
    samples::{MERCHANT, NOW, TENANT, payment, receipt, recharge, refund, serial},
};
use domain::{
    channel::ChannelNo,
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    notification::{Delivery, Notification, Topic},
    payment::{End, Paid, Payment, PaymentState},
    rows::{Changes, PaymentRef},
    time::UnixMs,
};
use store::{
    AdminOp, Reader,
    contract::{DueJob, PaymentFilter, StoreFigures, Writer},
};

const OTHER: TenantId = TenantId(2);

fn in_state(n: i64, state: PaymentState) -> Payment {
    Payment {
        state,
        ..payment(n)
    }
}

fn open(cancel_requested: bool) -> PaymentState {
    PaymentState::Open { cancel_requested }
}

fn paid(cancel_requested: bool) -> Paid {
    Paid {
        cancel_requested,
        ..Paid::new(receipt())
    }
}

fn ended(paid: Option<Paid>) -> PaymentState {
    PaymentState::Ended {
        end: End::Cancelled,
        at: NOW,
        paid,
    }
}

/// Payments 1 to 8: each state, then another merchant's and another tenant's.
fn listed() -> Vec<Payment> {
    let mut others = [7, 8].map(payment);
    others[0].merchant = MerchantNo(8);
    others[1].tenant = OTHER;
    others[1].merchant = MerchantNo(9);
    others[1].key = ClaimKey([8; 16]);
    let states = [
        open(false),
        open(true),
        PaymentState::Paid(paid(false)),
        PaymentState::Paid(paid(true)),
        PaymentState::Ending(End::Cancelled),
        ended(Some(paid(false))),
    ];
    let ours = (1..).zip(states).map(|(n, state)| in_state(n, state));
    ours.chain(others).collect()
}

/// The jobs that open and ending payments always have.
fn work_on(payments: &[Payment]) -> Changes {
    let jobs = payments.iter().filter_map(|payment| {
        let kind = match payment.state {
            PaymentState::Open { .. } => JobKind::SettlePayment,
            PaymentState::Ending(_) => JobKind::ReversePayment,
            PaymentState::Paid(_) | PaymentState::Ended { .. } => return None,
        };
        Some(Job::new(payment.tenant, payment.serial, kind, NOW))
    });
    Changes {
        jobs: jobs.collect(),
        ..Changes::default()
    }
}

async fn listed_serials(reader: &dyn Reader, filter: PaymentFilter, limit: u32) -> Vec<Serial> {
    let found = reader.payments(filter, limit).await.unwrap();
    found.iter().map(|payment| payment.serial).collect()
}

async fn payments_are_listed_newest_first_by_filter(store: impl Fixture) {
    let mut writer = store.writer().await;
    record(&mut writer, &listed()).await;
    write(&mut writer, work_on(&listed())).await.unwrap();
    let filter = PaymentFilter::default;
    let of_tenant = |tenant| PaymentFilter {
        tenant: Some(tenant),
        ..filter()
    };
    let merchant = PaymentFilter {
        merchant: Some(MERCHANT),
        ..of_tenant(TENANT)
    };
    let undecided = PaymentFilter {
        undecided: true,
        ..filter()
    };
    let requested = PaymentFilter {
        cancel_requested: true,
        ..filter()
    };
    let both = PaymentFilter {
        undecided: true,
        tenant: Some(TENANT),
        before: Some(serial(5)),
        ..filter()
    };
    let before = PaymentFilter {
        before: Some(serial(4)),
        ..filter()
    };
    for (filter, limit, expected) in [
        (filter(), 100, &[8, 7, 6, 5, 4, 3, 2, 1][..]),
        (filter(), 3, &[8, 7, 6]),
        (before.clone(), 100, &[3, 2, 1]),
        (before, 2, &[3, 2]),
        (of_tenant(TENANT), 100, &[7, 6, 5, 4, 3, 2, 1]),
        (of_tenant(OTHER), 100, &[8]),
        (of_tenant(TenantId(3)), 100, &[]),
        (merchant, 100, &[6, 5, 4, 3, 2, 1]),
        (undecided, 100, &[8, 7, 5, 4, 2, 1]),
        (requested.clone(), 100, &[4, 2]),
        (requested, 1, &[4]),
        (both, 100, &[4, 2, 1]),
    ] {
        let found = listed_serials(store.reader().as_ref(), filter.clone(), limit).await;
        let expected: Vec<_> = expected.iter().map(|n| serial(*n)).collect();
        assert_eq!(found, expected, "{filter:?} limit {limit}");
    }
}

async fn a_decided_request_is_no_longer_listed(store: impl Fixture) {
    let mut writer = store.writer().await;
    record(&mut writer, &[in_state(1, open(false))]).await;
    let requested = || PaymentFilter {
        cancel_requested: true,
        ..PaymentFilter::default()
    };
    for (state, expected) in [
        (open(true), vec![serial(1)]),
        (open(false), vec![]),
        (PaymentState::Paid(paid(true)), vec![serial(1)]),
        (PaymentState::Paid(paid(false)), vec![]),
    ] {
        let changes = Changes {
            payments: vec![in_state(1, state)],
            ..Changes::default()
        };
        write(&mut writer, changes).await.unwrap();
        let found = listed_serials(store.reader().as_ref(), requested(), 10).await;
        assert_eq!(found, expected);
    }
}

async fn rows_are_found_by_number_within_their_tenant(store: impl Fixture) {
    let mut writer = store.writer().await;
    record(&mut writer, &[payment(1)]).await;
    let changes = Changes {
        refunds: vec![refund(4, 1), refund(3, 1), refund(5, 2)],
        recharges: vec![recharge(6)],
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    let reader = store.reader();
    let by_serial = |tenant| reader.payment(PaymentRef::Serial(tenant, serial(1)));
    let by_key = |tenant| reader.payment(PaymentRef::Key(tenant, payment(1).key));
    assert_eq!(by_serial(TENANT).await, Ok(Some(payment(1))));
    assert_eq!(by_key(TENANT).await, Ok(Some(payment(1))));
    assert_eq!(by_serial(OTHER).await, Ok(None));
    assert_eq!(reader.payment_of_any(serial(1)).await, Ok(Some(payment(1))));
    assert_eq!(reader.payment_of_any(serial(2)).await, Ok(None));
    let oldest_first = Ok(vec![refund(3, 1), refund(4, 1)]);
    assert_eq!(reader.refunds_of(TENANT, serial(1)).await, oldest_first);
    assert_eq!(reader.refunds_of(OTHER, serial(1)).await, Ok(vec![]));
    assert_eq!(
        reader.refund(TENANT, serial(4)).await,
        Ok(Some(refund(4, 1)))
    );
    assert_eq!(reader.refund(OTHER, serial(4)).await, Ok(None));
    assert_eq!(
        reader.recharge(TENANT, serial(6)).await,
        Ok(Some(recharge(6)))
    );
    assert_eq!(reader.recharge(OTHER, serial(6)).await, Ok(None));
}

fn job(n: i64, due_at: UnixMs) -> Job {
    Job::new(TENANT, serial(n), JobKind::SettlePayment, due_at)
}

fn notification(n: i64, delivery: Delivery) -> Notification {
    Notification {
        tenant: TENANT,
        subject: serial(n),
        merchant: MERCHANT,
        topic: Topic::PaymentPaid,
        attempts: 1,
        delivery,
    }
}

async fn work_that_is_due_longest_comes_first(store: impl Fixture) {
    let due = |n, s| (n, NOW.plus_s(s));
    let times = [due(1, 30), due(2, 10), due(3, 20), due(4, 41)];
    let changes = Changes {
        jobs: times.iter().map(|(n, at)| job(*n, *at)).collect(),
        notifications: times
            .iter()
            .map(|(n, at)| notification(*n, Delivery::Due(*at)))
            .chain([
                notification(5, Delivery::Delivered(NOW)),
                notification(6, Delivery::Dead(NOW)),
            ])
            .collect(),
        ..Changes::default()
    };
    write(&mut store.writer().await, changes).await.unwrap();
    let reader = store.reader();
    for (s, limit, expected) in [
        (9, 10, &[][..]),
        (10, 10, &[2]),
        (40, 10, &[2, 3, 1]),
        (41, 10, &[2, 3, 1, 4]),
        (40, 2, &[2, 3]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| serial(*n)).collect();
        let jobs = reader.due_jobs(NOW.plus_s(s), limit, Vec::new()).await;
        let jobs: Vec<_> = jobs.unwrap().iter().map(|it| it.subject).collect();
        assert_eq!(jobs, expected, "jobs at {s}");
        let found = reader.due_notifications(NOW.plus_s(s), limit, Vec::new());
        let found: Vec<_> = found.await.unwrap().iter().map(|it| it.subject).collect();
        assert_eq!(found, expected, "notifications at {s}");
    }
}

async fn due_work_tells_whom_it_asks_and_leaves_out_who_is_not_wanted(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut payments = [1, 2, 3].map(payment);
    payments[1].channel = ChannelNo(2);
    payments[2].tenant = OTHER;
    record(&mut writer, &payments).await;
    let kinds = [
        (1, JobKind::SettlePayment),
        (2, JobKind::ReversePayment),
        (4, JobKind::FinishRefund),
        (5, JobKind::FinishRecharge),
    ];
    let job = |(n, kind)| Job::new(TENANT, serial(n), kind, NOW.plus_ms(n));
    let others = Job::new(OTHER, serial(3), JobKind::SettlePayment, NOW.plus_ms(3));
    let changes = Changes {
        jobs: kinds.map(job).into_iter().chain([others]).collect(),
        refunds: vec![refund(4, 2)],
        recharges: vec![recharge(5)],
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    let (one, two, provider) = (Some(ChannelNo(1)), Some(ChannelNo(2)), None);
    let asked = |n, asks| DueJob {
        tenant: if n == 3 { OTHER } else { TENANT },
        subject: serial(n),
        asks,
    };
    let all = [(1, one), (2, two), (3, one), (4, two), (5, provider)];
    for (except, limit) in [
        (vec![], 10),
        (vec![one], 10),
        (vec![two], 10),
        (vec![provider], 10),
        (vec![one, provider], 1),
        (vec![one, two, provider], 10),
    ] {
        let wanted = all.iter().filter(|(_, asks)| !except.contains(asks));
        let expected: Vec<_> = wanted
            .take(limit)
            .map(|(n, asks)| asked(*n, *asks))
            .collect();
        let limit = u32::try_from(limit).unwrap();
        let reader = store.reader();
        let found = reader.due_jobs(NOW.plus_s(1), limit, except.clone());
        assert_eq!(found.await, Ok(expected), "without {except:?}");
    }
}

async fn due_notifications_leave_out_merchants_that_are_not_wanted(store: impl Fixture) {
    let to = |n, tenant, merchant| Notification {
        tenant,
        merchant: MerchantNo(merchant),
        ..notification(n, Delivery::Due(NOW.plus_ms(n)))
    };
    // The same number at another tenant is another merchant.
    let all = [
        to(1, TENANT, 7),
        to(2, OTHER, 7),
        to(3, TENANT, 8),
        to(4, TENANT, 7),
    ];
    let changes = Changes {
        notifications: all.to_vec(),
        ..Changes::default()
    };
    write(&mut store.writer().await, changes).await.unwrap();
    for except in [
        vec![],
        vec![(TENANT, MerchantNo(7))],
        vec![(OTHER, MerchantNo(7)), (TENANT, MerchantNo(8))],
    ] {
        let wanted = all
            .iter()
            .filter(|it| !except.contains(&(it.tenant, it.merchant)));
        let expected: Vec<_> = wanted.copied().collect();
        let reader = store.reader();
        let found = reader.due_notifications(NOW.plus_s(1), 10, except.clone());
        assert_eq!(found.await, Ok(expected), "without {except:?}");
    }
}

async fn payments_are_read_together(store: impl Fixture) {
    let mut writer = store.writer().await;
    record(&mut writer, &[1, 2, 3].map(payment)).await;
    let named = vec![
        (TENANT, serial(3)),
        (OTHER, serial(2)),
        (TENANT, serial(9)),
        (TENANT, serial(1)),
    ];
    let mut found = store.reader().payments_by_serial(named).await.unwrap();
    found.sort_unstable_by_key(|it| it.serial);
    assert_eq!(found, [payment(1), payment(3)]);
    assert_eq!(
        store.reader().payments_by_serial(Vec::new()).await,
        Ok(Vec::new())
    );
}

async fn open_payments_are_counted_by_age(store: impl Fixture) {
    let mut writer = store.writer().await;
    let payments = listed();
    record(&mut writer, &payments).await;
    let mut work = work_on(&payments);
    // Asked about once more, and not open.
    work.jobs
        .push(Job::new(TENANT, serial(6), JobKind::ConfirmReversal, NOW));
    write(&mut writer, work).await.unwrap();
    for (since, expected) in [(0, 5), (2, 4), (6, 2), (8, 1), (9, 0)] {
        let counted = store.reader().open_payments(serial(since)).await;
        assert_eq!(counted, Ok(expected), "since {since}");
    }
}

async fn values_are_found_by_how_their_names_begin(store: impl Fixture) {
    let mut writer = store.writer().await;
    for name in ["note/1", "note/3", "note/2", "notes", "other"] {
        let put = AdminOp::PutIfAbsent {
            name: name.to_owned(),
            value: name.as_bytes().to_vec(),
        };
        writer.admin(&put).await.unwrap();
    }
    for (prefix, limit, expected) in [
        ("note/", 10, &["note/3", "note/2", "note/1"][..]),
        ("note/", 2, &["note/3", "note/2"]),
        ("note/3", 2, &["note/3"]),
        ("none", 2, &[]),
    ] {
        let found = store
            .reader()
            .values(prefix.to_owned(), limit)
            .await
            .unwrap();
        let named = expected
            .iter()
            .map(|it| ((*it).to_owned(), it.as_bytes().to_vec()));
        assert_eq!(found, named.collect::<Vec<_>>(), "{prefix}");
    }
}

async fn dead_notifications_are_listed_newest_first(store: impl Fixture) {
    let dead = |n| notification(n, Delivery::Dead(NOW));
    let changes = Changes {
        notifications: vec![
            dead(1),
            notification(2, Delivery::Due(NOW)),
            dead(3),
            notification(4, Delivery::Delivered(NOW)),
            dead(5),
        ],
        ..Changes::default()
    };
    write(&mut store.writer().await, changes).await.unwrap();
    let reader = store.reader();
    let all = reader.dead_notifications(10).await;
    assert_eq!(all, Ok(vec![dead(5), dead(3), dead(1)]));
    let two = reader.dead_notifications(2).await;
    assert_eq!(two, Ok(vec![dead(5), dead(3)]));
    assert_eq!(
        reader.notification(TENANT, serial(3)).await,
        Ok(Some(dead(3)))
    );
    assert_eq!(reader.notification(OTHER, serial(3)).await, Ok(None));
}

async fn figures_count_what_waits(store: impl Fixture) {
    let reader = store.reader();
    assert_eq!(reader.figures().await, Ok(StoreFigures::default()));
    let changes = Changes {
        jobs: vec![job(1, NOW.plus_s(9)), job(2, NOW.plus_s(5))],
        notifications: vec![
            notification(1, Delivery::Due(NOW.plus_s(8))),
            notification(2, Delivery::Due(NOW.plus_s(7))),
            notification(3, Delivery::Due(NOW.plus_s(9))),
            notification(4, Delivery::Delivered(NOW)),
            notification(5, Delivery::Dead(NOW)),
        ],
        ..Changes::default()
    };
    write(&mut store.writer().await, changes).await.unwrap();
    let expected = StoreFigures {
        jobs: 2,
        oldest_job_due_at: Some(NOW.plus_s(5)),
        notifications_due: 3,
        notifications_dead: 1,
        oldest_notification_due_at: Some(NOW.plus_s(7)),
        ..StoreFigures::default()
    };
    assert_eq!(reader.figures().await, Ok(expected));
}

async fn a_snapshot_is_read_in_pages(store: impl Fixture) {
    let mut writer = store.writer().await;
    let payments: Vec<Payment> = (1..=5).map(payment).collect();
    record(&mut writer, &payments).await;
    let changes = Changes {
        jobs: (1..=5).map(|n| job(n, NOW.plus_s(9 - n))).collect(),
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    let mut snapshot = store.reader().snapshot().await.unwrap();
    for (after, expected) in [
        (None, &[1, 2][..]),
        (Some(2), &[3, 4]),
        (Some(4), &[5]),
        (Some(5), &[]),
    ] {
        let after = after.map(serial);
        let expected: Vec<_> = expected.iter().map(|n| serial(*n)).collect();
        let page = snapshot.payments(after, 2).await.unwrap();
        let found: Vec<_> = page.iter().map(|it| it.serial).collect();
        assert_eq!(found, expected);
        let page = snapshot.jobs(after, 2).await.unwrap();
        let found: Vec<_> = page.iter().map(|it| it.subject).collect();
        assert_eq!(found, expected);
    }
}

on_each_store! {
    payments_are_listed_newest_first_by_filter,
    a_decided_request_is_no_longer_listed,
    rows_are_found_by_number_within_their_tenant,
    work_that_is_due_longest_comes_first,
    due_work_tells_whom_it_asks_and_leaves_out_who_is_not_wanted,
    due_notifications_leave_out_merchants_that_are_not_wanted,
    payments_are_read_together,
    open_payments_are_counted_by_age,
    values_are_found_by_how_their_names_begin,
    dead_notifications_are_listed_newest_first,
    figures_count_what_waits,
    a_snapshot_is_read_in_pages,
}
