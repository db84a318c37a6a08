//! Batches on a healthy server.

use super::fixture::{
    NOW, TENANT, claiming, paid, paying, payment, payment_of, record, settling, store,
};
use crate::contract::{AdminOp, AdminReply, PaymentFilter, Reader, StoreError, Writer};
use domain::{
    channel::{ChannelNo, Decline},
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    ledger::Posting,
    merchant::{Merchant, MerchantSettings, Tenant},
    money::Fen,
    notification::{Delivery, Notification, Topic},
    payment::{CloseReason, Credential, End, Payment, PaymentState},
    recharge::{Reach, Recharge, RechargeState},
    refund::{FirstAnswer, Origin, Refund, RefundState},
    rows::{Changes, PaymentRef, Plan},
    time::UnixMs,
};

fn refund(serial: i64, payment: &Payment, origin: Origin) -> Refund {
    Refund {
        tenant: payment.tenant,
        serial: Serial(serial),
        payment: payment.serial,
        merchant: payment.merchant,
        origin,
        voucher_back: false,
        amount: Fen::new(500),
        created_at: NOW,
        state: RefundState::InProgress,
        first_answer: None,
    }
}

fn requested(number: &str) -> Origin {
    Origin::Request {
        key: ClaimKey::of(TENANT, MerchantNo(7), ClaimSpace::Refund, number),
        merchant_serial: Some(number.to_owned()),
    }
}

fn recharge(serial: i64) -> Recharge {
    Recharge {
        tenant: TENANT,
        serial: Serial(serial),
        merchant: MerchantNo(7),
        key: ClaimKey::of(TENANT, MerchantNo(7), ClaimSpace::RechargeSignature, "r"),
        phone: "13800138000".to_owned(),
        data_mb: 500,
        reach: Reach::Provincial,
        notify_url: Some("https://example.com/".to_owned()),
        created_at: NOW,
        state: RechargeState::Created,
    }
}

#[tokio::test]
async fn twins_in_one_batch_are_recorded_once() {
    let mut writer = store().await.writer().await.unwrap();
    let (first, twin, other) = (payment(10, "A"), payment(11, "A"), payment(12, "B"));
    let mut rows = writer
        .load(claiming([&first, &twin, &other]))
        .await
        .unwrap();
    assert!(rows.was_claimed(first.serial) && rows.was_claimed(other.serial));
    assert!(!rows.was_claimed(twin.serial));
    rows.begin(first.serial);
    assert_eq!(
        rows.payment(PaymentRef::Key(TENANT, twin.key)),
        Some(&first)
    );
    writer.commit(Changes::default()).await.unwrap();
}

#[tokio::test]
async fn a_key_taken_by_an_earlier_batch_brings_its_row() {
    let store = store().await;
    let mut writer = store.writer().await.unwrap();
    let first = payment(10, "A");
    record(&mut writer, &first).await.unwrap();
    let twin = payment(11, "A");
    let rows = writer.load(claiming([&twin])).await.unwrap();
    assert!(!rows.was_claimed(twin.serial));
    assert_eq!(
        rows.payment(PaymentRef::Key(TENANT, twin.key)),
        Some(&first)
    );
    writer.abandon().await;
    let stored = store
        .reader()
        .payments(PaymentFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(stored, [first]);
}

#[tokio::test]
async fn a_key_claimed_by_two_writers_at_once_is_recorded_once() {
    let store = store().await;
    let (mut one, mut two) = (store.writer().await.unwrap(), store.writer().await.unwrap());
    let (first, twin) = (payment(10, "A"), payment(11, "A"));
    one.load(claiming([&first])).await.unwrap();
    // The second writer waits for the first one's commit.
    let (loaded, committed) =
        tokio::join!(two.load(claiming([&twin])), one.commit(settling(&first)));
    committed.unwrap();
    let rows = loaded.unwrap();
    assert!(!rows.was_claimed(twin.serial));
    assert_eq!(
        rows.payment(PaymentRef::Key(TENANT, twin.key)),
        Some(&first)
    );
}

#[tokio::test]
async fn a_serial_used_twice_is_refused() {
    let mut writer = store().await.writer().await.unwrap();
    record(&mut writer, &payment(10, "A")).await.unwrap();
    let clash = payment(10, "B");
    let refused = writer.load(claiming([&clash])).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    record(&mut writer, &payment(11, "B")).await.unwrap();
}

#[tokio::test]
async fn a_posting_made_twice_is_refused_with_all_its_batch() {
    let store = store().await;
    let mut writer = store.writer().await.unwrap();
    let (first, next) = (payment(10, "A"), payment(11, "B"));
    writer.load(claiming([&first])).await.unwrap();
    writer.commit(paying(&first)).await.unwrap();
    writer.load(claiming([&next])).await.unwrap();
    let refused = writer.commit(paying(&first)).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(
        store.reader().payment_of_any(next.serial).await.unwrap(),
        None
    );
    record(&mut writer, &next).await.unwrap();
}

/// One of each kind, in states that fill most columns.
fn one_of_each() -> (Vec<Payment>, Changes) {
    let open = payment(10, "A");
    let mut made = paid(payment(11, "B"));
    made.credential = Some(Credential::Link("weixin://x".to_owned()));
    let mut closed = payment(12, "C");
    let end = End::Closed(CloseReason::Declined(Decline::ByPayer));
    closed.state = PaymentState::Ended {
        end,
        at: NOW,
        paid: None,
    };
    let mut done = refund(21, &made, requested("R"));
    done.state = RefundState::Done(NOW);
    done.first_answer = Some(FirstAnswer::Accepted);
    let notification = Notification {
        tenant: TENANT,
        subject: made.serial,
        merchant: made.merchant,
        topic: Topic::PaymentPaid,
        attempts: 3,
        delivery: Delivery::Due(NOW),
    };
    let changes = Changes {
        refunds: vec![refund(20, &made, Origin::Cancellation), done],
        recharges: vec![recharge(30)],
        jobs: vec![Job::new(TENANT, open.serial, JobKind::SettlePayment, NOW)],
        jobs_removed: vec![(TENANT, made.serial)],
        notifications: vec![notification],
        postings: vec![Posting::payment(&made, NOW)],
        payments: vec![made, closed],
        ..Changes::default()
    };
    (vec![open, payment(11, "B"), payment(12, "C")], changes)
}

#[tokio::test]
async fn all_kinds_of_rows_come_back_as_they_were_written() {
    let store = store().await;
    let mut writer = store.writer().await.unwrap();
    let (claims, changes) = one_of_each();
    writer.load(claiming(&claims)).await.unwrap();
    let (made, done) = (changes.payments[0].clone(), changes.refunds[1].clone());
    let (recharge, job) = (changes.recharges[0].clone(), changes.jobs[0]);
    let (notification, posting) = (changes.notifications[0], changes.postings[0]);
    writer.commit(changes).await.unwrap();

    let plan = Plan {
        payments: vec![(TENANT, Serial(10))],
        payment_keys: vec![(TENANT, made.key)],
        refund_keys: vec![(
            TENANT,
            ClaimKey::of(TENANT, MerchantNo(7), ClaimSpace::Refund, "R"),
        )],
        refunds: vec![(TENANT, Serial(20))],
        recharge_keys: vec![(TENANT, recharge.key)],
        jobs: vec![(TENANT, job.subject)],
        notifications: vec![(TENANT, notification.subject)],
        ..Plan::default()
    };
    let rows = writer.load(plan).await.unwrap();
    assert_eq!(
        rows.payment(PaymentRef::Serial(TENANT, made.serial)),
        Some(&made)
    );
    assert_eq!(
        rows.payment(PaymentRef::Serial(TENANT, Serial(10))),
        Some(&claims[0])
    );
    assert_eq!(rows.refund(done.serial), Some(&done));
    assert!(rows.refund(Serial(20)).is_some());
    assert_eq!(rows.recharge(recharge.serial), Some(&recharge));
    assert_eq!(rows.job(job.subject), Some(&job));
    assert_eq!(rows.notification(notification.subject), Some(&notification));
    writer.abandon().await;

    let reader = store.reader();
    assert_eq!(
        reader
            .payment(PaymentRef::Key(TENANT, made.key))
            .await
            .unwrap(),
        Some(made.clone())
    );
    assert_eq!(
        reader.refunds_of(TENANT, made.serial).await.unwrap().len(),
        2
    );
    let due = reader.due_jobs(NOW, 5, Vec::new()).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].tenant, due[0].subject), (TENANT, job.subject));
    assert_eq!(
        reader.due_notifications(NOW, 5, Vec::new()).await.unwrap(),
        [notification]
    );
    assert_eq!(reader.figures().await.unwrap().jobs, 1);
    let mut snapshot = reader.snapshot().await.unwrap();
    assert_eq!(snapshot.postings(None, 10).await.unwrap(), [posting]);
    assert_eq!(snapshot.recharges(None, 10).await.unwrap(), [recharge]);
    assert_eq!(snapshot.payments(None, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_refund_key_raced_for_is_a_conflict_that_retrying_solves() {
    let store = store().await;
    let (mut one, mut two) = (store.writer().await.unwrap(), store.writer().await.unwrap());
    let of = payment(10, "A");
    record(&mut one, &of).await.unwrap();
    let changes = |serial| Changes {
        refunds: vec![refund(serial, &of, requested("R"))],
        ..Changes::default()
    };
    one.load(Plan::default()).await.unwrap();
    two.load(Plan::default()).await.unwrap();
    one.commit(changes(20)).await.unwrap();
    let lost = two.commit(changes(21)).await;
    assert!(matches!(lost, Err(StoreError::Conflict(_))), "{lost:?}");
}

#[tokio::test]
async fn pages_go_by_serial_over_all_tenants() {
    let store = store().await;
    let mut writer = store.writer().await.unwrap();
    let tenant = |serial: i64| TenantId(serial % 3 + 1);
    let all: Vec<Payment> = (1..=100)
        .map(|n| payment_of(tenant(n), n, &n.to_string()))
        .collect();
    writer.load(claiming(&all)).await.unwrap();
    writer.commit(Changes::default()).await.unwrap();

    let mut snapshot = store.reader().snapshot().await.unwrap();
    let late = payment(1000, "late");
    record(&mut writer, &late).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = snapshot.payments(after, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.serial);
        seen.extend(page);
    }
    assert_eq!(seen, all);
    assert_eq!(
        snapshot.payments(Some(Serial(98)), 7).await.unwrap(),
        all[98..]
    );

    let before = PaymentFilter {
        before: Some(Serial(51)),
        ..PaymentFilter::default()
    };
    let newest = store.reader().payments(before, 3).await.unwrap();
    assert_eq!(newest, [all[49].clone(), all[48].clone(), all[47].clone()]);
    let of_two = PaymentFilter {
        tenant: Some(TenantId(2)),
        ..PaymentFilter::default()
    };
    let newest = store.reader().payments(of_two, 1).await.unwrap();
    assert_eq!(newest, [all[99].clone()]);
    let any = store.reader().payment_of_any(Serial(50)).await.unwrap();
    assert_eq!(any.as_ref(), Some(&all[49]));
}

#[tokio::test]
async fn a_cancellation_to_decide_is_listed_until_it_is_decided() {
    let store = store().await;
    let mut writer = store.writer().await.unwrap();
    let plain = payment(10, "A");
    writer.load(claiming([&plain])).await.unwrap();
    let mut asked = paid(plain.clone());
    asked.paid_mut().unwrap().cancel_requested = true;
    let put = |payment: &Payment| Changes {
        payments: vec![payment.clone()],
        ..Changes::default()
    };
    writer.commit(put(&asked)).await.unwrap();
    let reader = store.reader();
    let wanted = [(true, false), (false, true), (true, true)];
    for (undecided, cancel_requested) in wanted {
        let filter = PaymentFilter {
            undecided,
            cancel_requested,
            ..PaymentFilter::default()
        };
        assert_eq!(reader.payments(filter, 5).await.unwrap(), [asked.clone()]);
    }
    let plan = Plan {
        payments: vec![(TENANT, plain.serial)],
        ..Plan::default()
    };
    writer.load(plan).await.unwrap();
    writer.commit(put(&paid(plain))).await.unwrap();
    let filter = PaymentFilter {
        undecided: true,
        ..PaymentFilter::default()
    };
    assert_eq!(reader.payments(filter, 5).await.unwrap(), []);
}

#[tokio::test]
async fn provisioning_keeps_what_came_first() {
    let store = store().await;
    let mut writer = store.writer().await.unwrap();
    let tenant = |id| Tenant {
        id: TenantId(id),
        name: "shop".to_owned(),
    };
    for id in [4, 5] {
        let reply = writer.admin(&AdminOp::AddTenant(tenant(id))).await.unwrap();
        assert_eq!(reply, AdminReply::Tenant(tenant(4)));
    }
    for value in [vec![1], vec![2]] {
        let op = AdminOp::PutIfAbsent {
            name: "k".to_owned(),
            value,
        };
        assert_eq!(writer.admin(&op).await.unwrap(), AdminReply::Value(vec![1]));
    }
    let mut merchant = Merchant {
        tenant: TENANT,
        no: MerchantNo(1),
        code: "m".to_owned(),
        name: "店".to_owned(),
        sealed_key: vec![0, 255],
        channels: vec![ChannelNo(1), ChannelNo(34)],
        suspended: false,
        settings: MerchantSettings::default(),
        updated_at: NOW,
    };
    let put = |it: &Merchant| AdminOp::PutMerchant(Box::new(it.clone()));
    assert_eq!(
        writer.admin(&put(&merchant)).await.unwrap(),
        AdminReply::Done
    );
    merchant.suspended = true;
    writer.admin(&put(&merchant)).await.unwrap();
    assert!(store.reader().merchants().await.unwrap() == [merchant.clone()]);
    merchant.no = MerchantNo(2);
    let refused = writer.admin(&put(&merchant)).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn node_numbers_are_leased_once_at_a_time() {
    let store = store().await;
    let lease = |now: i64, owner| AdminOp::LeaseNode {
        now: UnixMs(now),
        until: UnixMs(now + 10),
        owner,
    };
    let mut writers = Vec::new();
    for _ in 0..8 {
        writers.push(store.writer().await.unwrap());
    }
    let leases = writers.into_iter().zip(1..).map(|(mut writer, owner)| {
        let op = lease(100, owner);
        tokio::spawn(async move { writer.admin(&op).await })
    });
    let mut nodes = Vec::new();
    for lease in leases.collect::<Vec<_>>() {
        let reply = lease.await.unwrap().unwrap();
        let AdminReply::Lease { node, issued_until } = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(issued_until, UnixMs(0));
        nodes.push(node);
    }
    nodes.sort_unstable();
    assert_eq!(nodes, [0, 1, 2, 3, 4, 5, 6, 7]);
    let mut writer = store.writer().await.unwrap();
    let reply = writer.admin(&lease(110, 9)).await.unwrap();
    assert_eq!(
        reply,
        AdminReply::Lease {
            node: 0,
            issued_until: UnixMs(110)
        }
    );
    let renew = |owner| AdminOp::RenewNode {
        node: 0,
        owner,
        until: UnixMs(130),
    };
    assert_eq!(
        writer.admin(&renew(1)).await.unwrap(),
        AdminReply::Renewed(false)
    );
    assert_eq!(
        writer.admin(&renew(9)).await.unwrap(),
        AdminReply::Renewed(true)
    );
}
