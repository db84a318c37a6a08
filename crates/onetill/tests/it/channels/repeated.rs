//! A channel may say the same twice, at once or much later: it is booked once.

use super::{CALL_TIMEOUT, contradictions, end, house_with, pay};
use crate::support::{
    together,
    wallet::{Manners, Wallet, receipt},
};
use domain::{command::QueryOutcome, payment::PaymentStatus};

fn paid() -> QueryOutcome {
    QueryOutcome::Paid(receipt("4200", 1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_news_is_booked_once_and_contradicts_nothing() {
    let wallet = Wallet::new(Manners::waiting());
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    let till = house.till();
    let (answer, ()) = tokio::join!(pay(&till, "A"), async {
        let payment = house
            .until("A", |it| it.status() == PaymentStatus::Unpaid)
            .await;
        let gateway = house.gateway();
        let told = (0..8).map(|_| gateway.record_query(&payment, paid()));
        assert!(together(told).await.iter().all(Result::is_ok));
    });
    answer.expect("SUCCESS");
    assert_eq!(house.counts().await.postings, 1);
    let payment = house.stored("A").await.unwrap();
    // Later, and again after half of it went back, and after all of it did.
    house
        .gateway()
        .record_query(&payment, paid())
        .await
        .unwrap();
    till.cancel("A").await.expect("SUCCESS");
    house
        .gateway()
        .record_query(&payment, paid())
        .await
        .unwrap();
    assert_eq!(house.counts().await.postings, 2);
    assert_eq!(contradictions(&house, "A").await, [""; 0]);
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_told_twice_is_one_refusal() {
    let wallet = Wallet::new(Manners::waiting());
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    let till = house.till();
    let declined = || QueryOutcome::Declined(domain::channel::Decline::ByPayer);
    let (answer, ()) = tokio::join!(pay(&till, "A"), async {
        let payment = house
            .until("A", |it| it.status() == PaymentStatus::Unpaid)
            .await;
        for _ in 0..3 {
            house
                .gateway()
                .record_query(&payment, declined())
                .await
                .unwrap();
        }
    });
    answer.expect("FAIL");
    wallet.becomes(Manners::ignorant());
    assert_eq!(house.counts().await.postings, 0);
    assert_eq!(contradictions(&house, "A").await, [""; 0]);
    end(house).await;
}
