//! Channels that do not answer: an unanswered call is unknown, never failed.

use crate::support::{
    bodies::{self, with},
    house::House,
    stub::Mute,
};
use domain::{
    channel::{FundBill, FundSource, Receipt, ReverseOutcome},
    money::Fen,
    payment::PaymentState,
};
use wire::opengateway::Operation;

fn receipt(fen: i64) -> Receipt {
    Receipt {
        channel_serial: "4200".to_owned(),
        paid_at: crate::support::house::START,
        bills: vec![FundBill {
            source: FundSource(11),
            amount: Fen::new(fen),
        }],
        buyer_id: None,
        channel_result: None,
    }
}

async fn house_with(undone: ReverseOutcome) -> House {
    House::setup()
        .options(|it| it.window_s = Some(10))
        .rig(|gateway| Mute::serve(gateway, 2, undone))
        .open()
        .await
}

#[tokio::test]
async fn a_payment_nobody_knows_of_is_asked_about_and_then_reversed() {
    let house = house_with(ReverseOutcome::Reversed(None)).await;
    let till = house.till();
    let body = with(bodies::pre_order("A", bodies::PAYS), "CHANNEL_TYPE", 2);
    let begun = house.now();
    let answer = house.passing(till.post(Operation::PreOrder, &body)).await;
    assert!(answer.info().contains("未扣款"), "{}", answer.info());
    answer.expect("FAIL");
    assert!(house.now().since_ms(begun) >= 10_000, "the whole window");
    assert_eq!(till.state("A").await, "2");
    // The question after the reversal gets no answer either: the work stays, and is looked at.
    assert_eq!(house.counts().await.jobs, 1);
    let mut house = house;
    house.close().await;
}

#[tokio::test]
async fn an_order_without_a_credential_is_closed_and_the_channel_told() {
    let house = house_with(ReverseOutcome::Reversed(Some(receipt(10)))).await;
    let till = house.till();
    let answer = till.order("A").await;
    assert_eq!(answer.field("BAR_CODE"), None);
    answer.expect("FAIL");
    assert_eq!(till.state("A").await, "6");
    house.drain().await;
    assert_eq!(till.state("A").await, "6");
    let report = house.audit().await;
    assert!(report.is_clean(), "{:?}", report.violations);
    let mut house = house;
    house.close().await;
}

#[tokio::test]
async fn a_payment_that_can_no_longer_be_reversed_is_refunded() {
    let house = house_with(ReverseOutcome::Paid(receipt(1))).await;
    let till = house.till();
    let body = with(bodies::pre_order("A", bodies::PAYS), "CHANNEL_TYPE", 2);
    let answer = house.passing(till.post(Operation::PreOrder, &body)).await;
    answer.expect("FAIL");
    house.drain().await;
    let payment = house.stored("A").await.unwrap();
    let PaymentState::Ended {
        paid: Some(paid), ..
    } = payment.state
    else {
        panic!("{:?}", payment.state);
    };
    assert_eq!(paid.refunded, Fen::new(1));
    assert_eq!(till.state("A").await, "2");
    till.refund("A", "0.01", "R").await.expect("AREADY_REVOKED");
    house.end().await;
}
