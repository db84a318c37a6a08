//! Words of a channel against the books: the books stay or the money goes back, and an operator
//! finds out.

use super::{CALL_TIMEOUT, CHANNEL, contradictions, end, house_with, pay};
use crate::support::{
    house::{House, Rows},
    wallet::{Does, Manners, Wallet, receipt},
};
use domain::{
    channel::{Decline, PayOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    money::Fen,
    payment::PaymentStatus,
};
use onetill::{app::contradictions::notes, telemetry};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// News that comes by itself, after all is settled.
async fn told(house: &House, charge_code: &str, outcome: QueryOutcome) {
    let payment = house.stored(charge_code).await.unwrap();
    house
        .gateway()
        .record_query(&payment, outcome)
        .await
        .unwrap();
}

async fn kept_fen(house: &House, charge_code: &str) -> i64 {
    let payment = house.stored(charge_code).await.unwrap();
    let paid = payment.paid().map(|paid| paid.refunded);
    paid.map_or(0, |refunded| payment.amount.get() - refunded.get())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_as_paid_stays_paid() {
    for (said, hint) in [
        (QueryOutcome::Declined(Decline::ByChannel), "never charged"),
        (QueryOutcome::NotFound, "never charged"),
        (QueryOutcome::Paid(receipt("4299", 1)), "another number"),
        (QueryOutcome::Paid(receipt("4200", 2)), "another amount"),
    ] {
        let wallet = Wallet::new(Manners::paying(1));
        let house = house_with(&wallet, CALL_TIMEOUT).await;
        pay(&house.till(), "A").await.expect("SUCCESS");
        let before = house.stored("A").await;
        for _ in 0..3 {
            told(&house, "A", said.clone()).await;
        }
        assert_eq!(house.stored("A").await, before, "{said:?}");
        assert_eq!(house.till().state("A").await, "1");
        let found = contradictions(&house, "A").await;
        assert_eq!(found.len(), 1, "said three times, noted once: {found:?}");
        assert!(found[0].contains(hint), "{found:?}");
        end(house).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_amount_is_never_booked() {
    for reversed in [
        ReverseOutcome::Reversed(None),
        ReverseOutcome::Reversed(Some(receipt("4200", 2))),
    ] {
        let wallet = Wallet::new(Manners {
            reverse: Does::Says(reversed),
            ..Manners::paying(2)
        });
        let house = house_with(&wallet, CALL_TIMEOUT).await;
        let answer = house.passing(pay(&house.till(), "A")).await;
        answer.expect("FAIL");
        wallet.becomes(Manners::ignorant());
        house.drain().await;
        assert_eq!(house.till().state("A").await, "2");
        assert_eq!(house.counts().await.postings, 0);
        let found = contradictions(&house, "A").await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("another amount"), "{found:?}");
        end(house).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_after_a_refusal_goes_back_and_is_noted() {
    let wallet = Wallet::new(Manners {
        pay: Does::Says(PayOutcome::Declined(Decline::InsufficientFunds)),
        ..Manners::waiting()
    });
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    pay(&house.till(), "A").await.expect("FAIL");
    told(&house, "A", QueryOutcome::Paid(receipt("4200", 1))).await;
    house.drain().await;
    assert_eq!(house.till().state("A").await, "6");
    assert_eq!(kept_fen(&house, "A").await, 0);
    let found = contradictions(&house, "A").await;
    assert!(found[0].contains("the money goes back"), "{found:?}");
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_after_a_reversal_goes_back_and_is_noted() {
    let wallet = Wallet::new(Manners::waiting());
    let house = house_with(&wallet, CALL_TIMEOUT).await;
    let answer = house.passing(pay(&house.till(), "A")).await;
    answer.expect("FAIL");
    wallet.becomes(Manners::paying(1));
    house.drain().await;
    assert_eq!(house.till().state("A").await, "2");
    assert_eq!(kept_fen(&house, "A").await, 0);
    let found = contradictions(&house, "A").await;
    assert!(found[0].contains("the money goes back"), "{found:?}");
    end(house).await;
}

/// The request's own call is still under way when a worker asks for the same refund again, and
/// the two are answered differently.
async fn refund_answered(first: RefundOutcome, worker: RefundOutcome) -> (House, String) {
    let wallet = Wallet::new(Manners::paying(1));
    let house = house_with(&wallet, Duration::from_secs(60)).await;
    let till = house.till();
    pay(&till, "A").await.expect("SUCCESS");
    let permits = Arc::new(Semaphore::new(0));
    wallet.becomes(Manners {
        refund: Does::Waits(Arc::clone(&permits), first),
        ..Manners::paying(1)
    });
    let (answer, ()) = tokio::join!(till.refund("A", "0.01", "R"), async {
        wallet.until_refunds_asked(1).await;
        wallet.becomes(Manners {
            refund: Does::Says(worker),
            ..Manners::paying(1)
        });
        house.advance_s(16).await;
        wallet.until_refunds_asked(2).await;
        let is_over = |it: &domain::payment::Payment| it.status() != PaymentStatus::Refunding;
        house.until("A", is_over).await;
        permits.add_permits(1);
    });
    (house, answer.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_was_done_stays_done() {
    let (house, code) = refund_answered(RefundOutcome::Declined, RefundOutcome::Done).await;
    assert_eq!(code, "SUCCESS");
    assert_eq!(kept_fen(&house, "A").await, 0);
    let found = contradictions(&house, "A").await;
    assert!(found[0].contains("refund refused"), "{found:?}");
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_was_refused_stays_refused_and_an_operator_must_look() {
    let (house, code) = refund_answered(RefundOutcome::Done, RefundOutcome::Declined).await;
    assert_ne!(code, "SUCCESS");
    assert_eq!(kept_fen(&house, "A").await, 1);
    let found = contradictions(&house, "A").await;
    assert!(found[0].contains("the payer has the money"), "{found:?}");
    end(house).await;
}

async fn an_operator_finds_all_of_them(rows: Rows) {
    telemetry::init_metrics(crate::support::house::START).unwrap();
    let wallet = Wallet::new(Manners::paying(1));
    let served = Arc::clone(&wallet);
    let house = House::setup()
        .rows(rows)
        .rig(move |gateway| served.serve(gateway, CHANNEL, CALL_TIMEOUT))
        .open()
        .await;
    for code in ["A", "B"] {
        pay(&house.till(), code).await.expect("SUCCESS");
        told(&house, code, QueryOutcome::NotFound).await;
    }
    let reader = house.gateway().reader.as_ref();
    let all = notes(reader, None, 10).await.unwrap();
    let newest = house.stored("B").await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].serial, newest.serial.to_string());
    assert_eq!(
        (all[0].at_ms, all[0].channel),
        (house.now().0, Some(newest.channel))
    );
    assert_eq!(
        notes(reader, Some(newest.serial), 10).await.unwrap(),
        all[..1]
    );
    assert_eq!(newest.amount, Fen::new(1));
    let counted = format!("onetill_channel_contradictions_total{{channel=\"{CHANNEL}\"}}");
    assert!(telemetry::render().contains(&counted));
    let text = format!("{all:?}");
    assert!(
        !text.contains(crate::support::bodies::PAYS),
        "no secret: {text}"
    );
    end(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_all_of_them_on_sqlite() {
    an_operator_finds_all_of_them(Rows::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_all_of_them_on_postgres() {
    an_operator_finds_all_of_them(Rows::Postgres).await;
}
