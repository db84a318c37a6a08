//! A cancel that races the payment it is about.

use crate::support::{
    bodies,
    house::{House, Rows},
    together,
};

on_both_stores!(
    a_payer_and_a_cancel_racing_leave_nothing_charged,
    a_pre_order_and_a_cancel_racing_agree,
    twin_cancels_give_back_once
);

async fn a_payer_and_a_cancel_racing_leave_nothing_charged(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    for round in 0..10 {
        let order = format!("A{round}");
        let serial = till.order(&order).await.get("CHARGE_DOWN_CODE");
        let (page, cancel) = tokio::join!(house.payer(&serial, "pay"), till.cancel(&order));
        assert!([200, 409].contains(&page), "{page}");
        cancel.expect("SUCCESS");
        assert_eq!(till.state(&order).await, "2", "{order}");
    }
    house.drain().await;
    for round in 0..10 {
        let order = format!("A{round}");
        assert_eq!(house.holds_fen(&order).await, 0, "{order}");
        assert_eq!(till.state(&order).await, "2", "{order}");
    }
    house.end().await;
}

async fn a_pre_order_and_a_cancel_racing_agree(rows: Rows) {
    let house = House::setup()
        .rows(rows)
        .options(|it| it.sandbox_latency_ms = Some(5))
        .open()
        .await;
    let till = house.till();
    for round in 0..10 {
        let order = format!("A{round}");
        let cancelling = async {
            house.until(&order, |_| true).await;
            till.cancel(&order).await
        };
        let (paying, cancel) = tokio::join!(till.pay(&order, bodies::PAYS), cancelling);
        cancel.expect("SUCCESS");
        assert!(
            ["SUCCESS", "FAIL"].contains(&&*paying.code()),
            "{}",
            paying.info()
        );
        house.drain().await;
        assert_eq!(till.state(&order).await, "2", "{order}");
        assert_eq!(house.holds_fen(&order).await, 0, "{order}");
    }
    house.end().await;
}

async fn twin_cancels_give_back_once(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    let answers = together((0..20).map(|_| till.cancel("A"))).await;
    let done = answers.iter().filter(|it| it.code() == "SUCCESS").count();
    assert_eq!(done, 1);
    assert_eq!(house.counts().await.refunds, 1);
    assert_eq!(till.state("A").await, "2");
    house.end().await;
}
