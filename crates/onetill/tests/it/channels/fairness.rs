//! One dead wallet never delays another, and waiting costs nothing.

use super::{CALL_TIMEOUT, CHANNEL, end, house_with, pay};
use crate::support::{
    eventually,
    house::House,
    together,
    wallet::{Does, Manners, Wallet, receipt},
};
use domain::{
    channel::{ChannelNo, Decline},
    command::{Began, BeginPayment, QueryOutcome, RecordQuery},
    ids::{ClaimKey, ClaimSpace},
    money::Fen,
    payment::{Details, Flow, Payment, PaymentState, PaymentStatus},
};
use onetill::{admin::demo, workers::upkeep::open_payments_by_age};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// So many payments hang at the dead wallet.
const STUCK: usize = 5_000;
/// How many ask a silent wallet at the same time: the gateway's worker, and the house's own.
const FEW: usize = 2 * 16;
/// The living wallet's number.
const LIVING: u8 = 1;

/// An open payment at `channel`, as a gateway left it that was killed before it asked.
fn left_open(house: &House, channel: u8, number: usize) -> Payment {
    let gateway = house.gateway();
    let merchant = &gateway.directory.find(demo::MERCHANT).unwrap().merchant;
    let merchant_serial = format!("{channel}-{number}");
    let (tenant, now) = (merchant.tenant, gateway.now());
    Payment {
        tenant,
        serial: gateway.next_serial().unwrap(),
        merchant: merchant.no,
        key: ClaimKey::of(tenant, merchant.no, ClaimSpace::Payment, &merchant_serial),
        merchant_serial,
        flow: Flow::MerchantCode,
        channel: ChannelNo(channel),
        amount: Fen::new(1),
        created_at: now,
        expires_at: now.plus_s(7_200),
        details: Details::default(),
        credential: None,
        state: PaymentState::Open {
            cancel_requested: false,
        },
    }
}

async fn leave_open(house: &House, channel: u8, count: usize) -> Vec<Payment> {
    let payments: Vec<_> = (0..count).map(|n| left_open(house, channel, n)).collect();
    let begin = |payment: &Payment| BeginPayment {
        payment: Box::new(payment.clone()),
        code: None,
    };
    for some in payments.chunks(500) {
        let begun = some.iter().map(|it| house.gateway().run(begin(it)));
        assert!(
            together(begun)
                .await
                .iter()
                .all(|it| *it == Ok(Began::New(None)))
        );
    }
    payments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_payments_stuck_at_one_wallet_do_not_delay_another() {
    let permits = Arc::new(Semaphore::new(0));
    let dead = Wallet::new(Manners {
        query: Does::Waits(
            Arc::clone(&permits),
            QueryOutcome::Declined(Decline::ByChannel),
        ),
        ..Manners::waiting()
    });
    let living = Wallet::new(Manners {
        query: Does::Says(QueryOutcome::Paid(receipt("4200", 1))),
        ..Manners::waiting()
    });
    let served = (Arc::clone(&dead), Arc::clone(&living));
    let house = House::setup()
        .rig(move |gateway| {
            // As good as for ever.
            served.0.serve(gateway, CHANNEL, Duration::from_secs(3_600));
            served.1.serve(gateway, LIVING, CALL_TIMEOUT);
        })
        .open()
        .await;
    leave_open(&house, CHANNEL, STUCK).await;
    house.advance_s(20).await;
    // The dead wallet's payments have been due for longer, and still are.
    let late = leave_open(&house, LIVING, 200).await;
    let before = house.now();
    house.advance_s(20).await;
    let reader = Arc::clone(&house.gateway().reader);
    eventually("the living wallet's payments are settled", async || {
        let named = late.iter().map(|it| (it.tenant, it.serial)).collect();
        let found = reader.payments_by_serial(named).await.unwrap();
        let is_paid = |it: &Payment| it.status() == PaymentStatus::Paid;
        found.iter().all(is_paid).then_some(())
    })
    .await;
    assert_eq!(house.now().since_ms(before), 20_000, "no time had to pass");
    assert_eq!(reader.figures().await.unwrap().jobs, STUCK as u64);
    let waiting = reader
        .due_jobs(house.now(), 10_000, Vec::new())
        .await
        .unwrap();
    assert!(
        waiting.len() > STUCK * 9 / 10,
        "unclaimed: {}",
        waiting.len()
    );
    // The wallet comes back, and all is done.
    permits.add_permits(Semaphore::MAX_PERMITS / 2);
    house.drain().await;
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_answers_nobody_is_asked_by_few() {
    let wallet = Wallet::new(Manners::hanging());
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    leave_open(&house, CHANNEL, 400).await;
    house.advance_s(20).await;
    let channel = house.gateway().channels.get(ChannelNo(CHANNEL)).unwrap();
    // The calls of before it was noticed end; from then on there are few.
    eventually("its silence is noticed", async || {
        (channel.is_silent() && wallet.asked() <= FEW).then_some(())
    })
    .await;
    let mut most = 0;
    for _ in 0..100 {
        house.advance_s(1).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        most = most.max(wallet.asked());
    }
    assert!((1..=FEW).contains(&most), "{most} at the same time");
    wallet.becomes(Manners::paying(1));
    eventually("all are settled", async || {
        house.advance_s(5).await;
        let jobs = house.gateway().reader.figures().await.unwrap().jobs;
        (jobs == 0).then_some(())
    })
    .await;
    assert!(!channel.is_silent());
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_request_is_told_what_another_gateway_settled() {
    let wallet = Wallet::new(Manners::waiting());
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    let till = house.till();
    let (answer, ()) = tokio::join!(pay(&till, "A"), async {
        let payment = house
            .until("A", |it| it.status() == PaymentStatus::Unpaid)
            .await;
        // Recorded as another gateway would: nobody here is told.
        let record = RecordQuery {
            tenant: payment.tenant,
            serial: payment.serial,
            outcome: QueryOutcome::Paid(receipt("4200", 1)),
            refund_serial: house.gateway().next_serial().unwrap(),
        };
        house.gateway().engine.run(record).await.unwrap();
    });
    answer.expect("SUCCESS");
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_payments_are_counted_by_age_however_many_there_are() {
    let wallet = Wallet::new(Manners {
        query: Does::Says(QueryOutcome::Waiting),
        ..Manners::waiting()
    });
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    leave_open(&house, CHANNEL, 1_500).await;
    house.advance_s(300).await;
    for (number, seconds) in [(2_000, 61), (2_001, 0)] {
        let payment = Box::new(left_open(&house, CHANNEL, number));
        let begun = house
            .gateway()
            .run(BeginPayment {
                payment,
                code: None,
            })
            .await;
        assert_eq!(begun, Ok(Began::New(None)));
        house.advance_s(seconds).await;
    }
    let counts = open_payments_by_age(house.gateway()).await.unwrap();
    assert_eq!(counts, [("1m", 1), ("10m", 1_501), ("2h", 0), ("older", 0)]);
    wallet.becomes(Manners::paying(1));
    house.drain().await;
    let counts = open_payments_by_age(house.gateway()).await.unwrap();
    assert!(counts.iter().all(|(_, count)| *count == 0), "{counts:?}");
    end(house).await;
}
