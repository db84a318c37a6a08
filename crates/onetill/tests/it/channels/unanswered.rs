//! Calls that hang, answers nobody can read, and panics inside a call are the same to us: nobody
//! knows. The till is not told "failed" before the channel has confirmed it.

use super::{CALL_TIMEOUT, end, house_waiting, house_with, pay};
use crate::support::wallet::{Manners, Wallet};
use domain::payment::PaymentStatus;
use std::sync::Arc;

/// Every way of giving no answer.
fn silences() -> [Manners; 3] {
    [Manners::hanging(), Manners::garbled(), Manners::panicking()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_unknown_until_the_channel_answers_again() {
    for silence in silences() {
        for (again, state) in [
            (Manners::paying(1), PaymentStatus::Paid),
            (Manners::ignorant(), PaymentStatus::Cancelled),
        ] {
            let wallet = Wallet::new(silence.clone());
            // A till that is to be told must still be waiting then, however slow the machine is.
            let window_s = if state == PaymentStatus::Paid {
                300
            } else {
                10
            };
            let house = house_waiting(window_s, &wallet, CALL_TIMEOUT).await;
            let till = house.till();
            if state == PaymentStatus::Paid {
                // It answers while the till still waits. The clock goes on until then: how late the
                // first call is given up decides when the wallet is asked again.
                let paying = house.passing(pay(&till, "A"));
                let (answer, ()) = tokio::join!(paying, async {
                    house
                        .until("A", |it| it.status() == PaymentStatus::Unpaid)
                        .await;
                    wallet.becomes(again);
                });
                answer.expect("SUCCESS");
            } else {
                let answer = house.passing(pay(&till, "A")).await;
                assert_ne!(answer.code(), "SUCCESS");
                let info = answer.info();
                assert!(!info.contains("未扣款"), "nobody knows: {info}");
                assert!(info.contains("渠道确认中"), "{info}");
                wallet.becomes(again);
                house.drain().await;
            }
            assert_eq!(house.stored("A").await.unwrap().status(), state);
            end(house).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_never_shown_without_its_code_and_is_closed() {
    for silence in silences() {
        let wallet = Wallet::new(silence);
        let house = house_with(&wallet, CALL_TIMEOUT).await;
        let answer = house.till().order("A").await;
        assert_eq!(answer.field("BAR_CODE"), None);
        assert_ne!(answer.code(), "SUCCESS");
        wallet.becomes(Manners::ignorant());
        house.drain().await;
        assert_eq!(house.till().state("A").await, "6");
        end(house).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_is_under_way_until_the_channel_answers_again() {
    for silence in silences() {
        let wallet = Wallet::new(Manners::paying(1));
        let house = house_with(&wallet, CALL_TIMEOUT).await;
        let till = house.till();
        pay(&till, "A").await.expect("SUCCESS");
        wallet.becomes(silence);
        till.refund("A", "0.01", "R").await.expect("SUCCESS");
        assert_eq!(
            house.stored("A").await.unwrap().status(),
            PaymentStatus::Refunding
        );
        house.advance_s(60).await;
        assert_eq!(
            house.stored("A").await.unwrap().status(),
            PaymentStatus::Refunding
        );
        wallet.becomes(Manners::paying(1));
        house.drain().await;
        assert_eq!(
            house.stored("A").await.unwrap().status(),
            PaymentStatus::Refunded
        );
        end(house).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_ends_when_the_channel_answers_again() {
    for silence in silences() {
        let wallet = Wallet::new(Manners::paying(1));
        let house = house_with(&wallet, CALL_TIMEOUT).await;
        let till = house.till();
        pay(&till, "A").await.expect("SUCCESS");
        wallet.becomes(silence);
        till.cancel("A").await;
        house.advance_s(60).await;
        let reader = Arc::clone(&house.gateway().reader);
        assert_eq!(
            reader.figures().await.unwrap().jobs,
            1,
            "it is not forgotten"
        );
        wallet.becomes(Manners::paying(1));
        house.drain().await;
        assert_eq!(
            house.stored("A").await.unwrap().status(),
            PaymentStatus::Cancelled
        );
        end(house).await;
    }
}
