//! What is stored is read again exactly, and survives new connections.

use crate::{
    fixture::{Fixture, claim, on_each_store, record, write},
    samples::{
        FLOWS, MERCHANT, NOW, TENANT, as_begun, credentials, full_details, payment, payment_states,
        receipt, recharges, refund, refunds, serial,
    },
};
use domain::{
    channel::ChannelNo,
    job::{Job, JobKind},
    ledger::{Movement, Posting},
    notification::{Delivery, Notification, Topic},
    payment::{Credential, Payment, PaymentState},
    refund::{FirstAnswer, RefundState},
    rows::Changes,
    voucher::{code::CodeRange, rows::VoucherChanges},
};
use store::Writer;

/// A payment in every state, each flow and credential among them.
fn payments() -> Vec<Payment> {
    let flows = FLOWS.into_iter().cycle();
    let credentials = credentials().into_iter().cycle();
    let details = [payment(0).details, full_details()].into_iter().cycle();
    (1..)
        .zip(payment_states())
        .zip(flows.zip(credentials).zip(details))
        .map(|((n, state), ((flow, credential), details))| Payment {
            flow,
            channel: ChannelNo(u8::try_from(n % 256).unwrap()),
            details,
            credential,
            state,
            ..payment(n)
        })
        .collect()
}

async fn assert_stored(store: &impl Fixture, payments: &[Payment]) {
    let reader = store.reader();
    for payment in payments {
        let stored = reader.payment_of_any(payment.serial).await;
        assert_eq!(stored.as_ref(), Ok(&Some(payment.clone())));
    }
    let mut snapshot = reader.snapshot().await.unwrap();
    assert_eq!(snapshot.payments(None, 1_000).await.unwrap(), payments);
}

/// The codes of the box that a payment's voucher lies in.
fn codes() -> Changes {
    let code = full_details().voucher.unwrap().code;
    let all = CodeRange {
        first: 0,
        ..code.range()
    };
    let voucher = VoucherChanges {
        spans: vec![crate::voucher::samples::span(all)],
        ..VoucherChanges::default()
    };
    Changes {
        voucher,
        ..Changes::default()
    }
}

async fn a_payment_is_changed_into_every_state(store: impl Fixture) {
    let payments = payments();
    let begun: Vec<Payment> = payments.iter().map(as_begun).collect();
    let mut writer = store.writer().await;
    write(&mut writer, codes()).await.unwrap();
    record(&mut writer, &begun).await;
    assert_stored(&store, &begun).await;
    let changes = Changes {
        payments: payments.clone(),
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    assert_stored(&store, &payments).await;
    let changes = Changes {
        payments: begun.clone(),
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    assert_stored(&store, &begun).await;
}

async fn a_refund_of_every_variant_is_read_again(store: impl Fixture) {
    let mut writer = store.writer().await;
    let refunds = refunds(1);
    let changes = Changes {
        refunds: refunds.clone(),
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    let reader = store.reader();
    for refund in &refunds {
        let stored = reader.refund(TENANT, refund.serial).await;
        assert_eq!(stored, Ok(Some(refund.clone())));
    }
    assert_eq!(reader.refunds_of(TENANT, serial(1)).await, Ok(refunds));
}

async fn a_refund_is_overwritten(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut refund = refund(2, 1);
    for (state, first_answer) in [
        (RefundState::InProgress, None),
        (RefundState::InProgress, Some(FirstAnswer::Accepted)),
        (RefundState::Done(NOW), Some(FirstAnswer::Accepted)),
    ] {
        refund.state = state;
        refund.first_answer = first_answer;
        let changes = Changes {
            refunds: vec![refund.clone()],
            ..Changes::default()
        };
        write(&mut writer, changes).await.unwrap();
        let stored = store.reader().refund(TENANT, refund.serial).await;
        assert_eq!(stored, Ok(Some(refund.clone())));
    }
}

async fn a_top_up_of_every_variant_is_read_again(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut recharges = recharges();
    for _ in 0..2 {
        let changes = Changes {
            recharges: recharges.clone(),
            ..Changes::default()
        };
        write(&mut writer, changes).await.unwrap();
        for recharge in &recharges {
            let stored = store.reader().recharge(TENANT, recharge.serial).await;
            assert_eq!(stored, Ok(Some(recharge.clone())));
        }
        // Once more with the states handed on, so that each is overwritten by another.
        let last = recharges.last().unwrap().state.clone();
        let states = recharges.iter().map(|it| it.state.clone());
        let states: Vec<_> = [last].into_iter().chain(states).collect();
        for (recharge, state) in recharges.iter_mut().zip(states) {
            recharge.state = state;
        }
    }
}

fn jobs() -> Vec<Job> {
    let kinds = [
        JobKind::SettlePayment,
        JobKind::ReversePayment,
        JobKind::ConfirmReversal,
        JobKind::FinishRefund,
        JobKind::FinishRecharge,
    ];
    let attempts = [0, 1, 60, 1_000_000, 0].into_iter();
    (1..)
        .zip(kinds)
        .zip(attempts)
        .map(|((n, kind), attempts)| Job {
            attempts,
            ..Job::new(TENANT, serial(n), kind, NOW.plus_ms(n))
        })
        .collect()
}

async fn a_job_of_every_kind_is_read_again_and_removed(store: impl Fixture) {
    let mut writer = store.writer().await;
    let stored = || async {
        let mut snapshot = store.reader().snapshot().await.unwrap();
        snapshot.jobs(None, 100).await.unwrap()
    };
    let mut jobs = jobs();
    for _ in 0..2 {
        let changes = Changes {
            jobs: jobs.clone(),
            ..Changes::default()
        };
        write(&mut writer, changes).await.unwrap();
        assert_eq!(stored().await, jobs);
        for job in &mut jobs {
            job.attempts += 1;
            job.due_at = job.due_at.plus_s(5);
        }
    }
    // One of them twice as easily as one that is not there.
    let changes = Changes {
        jobs_removed: vec![(TENANT, serial(2)), (TENANT, serial(99))],
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    let subjects: Vec<_> = stored().await.iter().map(|it| it.subject).collect();
    assert_eq!(subjects, [1, 3, 4, 5].map(serial));
}

async fn a_notification_of_every_variant_is_read_again(store: impl Fixture) {
    let mut writer = store.writer().await;
    let deliveries = [Delivery::Due, Delivery::Delivered, Delivery::Dead];
    for topic in [Topic::PaymentPaid, Topic::RechargeEnded] {
        for (attempts, delivery) in (0..).zip(deliveries) {
            let notification = Notification {
                tenant: TENANT,
                subject: serial(1),
                merchant: MERCHANT,
                topic,
                attempts,
                delivery: delivery(NOW.plus_ms(5)),
            };
            // The topic never changes.
            let subject = if topic == Topic::PaymentPaid { 1 } else { 2 };
            let notification = Notification {
                subject: serial(subject),
                ..notification
            };
            let changes = Changes {
                notifications: vec![notification],
                ..Changes::default()
            };
            write(&mut writer, changes).await.unwrap();
            let stored = store.reader().notification(TENANT, serial(subject)).await;
            assert_eq!(stored, Ok(Some(notification)));
        }
    }
}

fn postings() -> Vec<Posting> {
    let payment = payment(1);
    let recharge = &recharges()[0];
    vec![
        Posting::payment(&payment, NOW),
        Posting::reversal(&payment, NOW.plus_ms(1)),
        Posting::refund(&payment, &refund(2, 1), NOW.plus_ms(2)),
        Posting::recharge(recharge, NOW.plus_ms(3)),
    ]
}

async fn a_posting_of_every_movement_is_read_again(store: impl Fixture) {
    let changes = Changes {
        postings: postings(),
        ..Changes::default()
    };
    write(&mut store.writer().await, changes).await.unwrap();
    let mut snapshot = store.reader().snapshot().await.unwrap();
    assert_eq!(snapshot.postings(None, 100).await, Ok(postings()));
    let movements = postings().into_iter().map(|it| it.movement);
    assert!(movements.eq([
        Movement::Payment,
        Movement::Reversal,
        Movement::Refund,
        Movement::Recharge
    ]));
}

async fn everything_is_there_after_a_restart(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut paid = payment(1);
    record(&mut writer, &[paid.clone()]).await;
    paid.state = PaymentState::Paid(domain::payment::Paid::new(receipt()));
    paid.credential = Some(Credential::Link("weixin://1".to_owned()));
    let changes = Changes {
        payments: vec![paid.clone()],
        refunds: refunds(1),
        recharges: recharges(),
        jobs: jobs(),
        postings: postings(),
        ..Changes::default()
    };
    write(&mut writer, changes).await.unwrap();
    drop(writer);
    let store = store.reopen().await;
    let mut snapshot = store.reader().snapshot().await.unwrap();
    assert_eq!(snapshot.payments(None, 100).await, Ok(vec![paid.clone()]));
    assert_eq!(snapshot.refunds(None, 100).await, Ok(refunds(1)));
    assert_eq!(snapshot.recharges(None, 100).await, Ok(recharges()));
    assert_eq!(snapshot.jobs(None, 100).await, Ok(jobs()));
    assert_eq!(snapshot.postings(None, 100).await, Ok(postings()));
    drop(snapshot);
    // And the claims hold.
    let twin = Payment {
        serial: serial(50),
        ..as_begun(&paid)
    };
    let plan = domain::rows::Plan {
        claims: vec![claim(&twin)],
        ..Default::default()
    };
    let mut writer = store.writer().await;
    let rows = writer.load(plan).await.unwrap();
    assert!(!rows.was_claimed(twin.serial));
    writer.abandon().await;
}

on_each_store! {
    a_payment_is_changed_into_every_state,
    a_refund_of_every_variant_is_read_again,
    a_refund_is_overwritten,
    a_top_up_of_every_variant_is_read_again,
    a_job_of_every_kind_is_read_again_and_removed,
    a_notification_of_every_variant_is_read_again,
    a_posting_of_every_movement_is_read_again,
    everything_is_there_after_a_restart,
}
