//! Orders that the payer pays: every flow, the payer's page, and their end.

use crate::support::{
    bodies::{self, with},
    eventually,
    house::{House, Rows},
};
use channels::sandbox::SandboxState;
use domain::{ids::Serial, payment::PaymentStatus};
use wire::opengateway::Operation;

on_both_stores!(a_native_order_is_paid_on_its_page);

async fn a_native_order_is_paid_on_its_page(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    let body = with(bodies::order("A"), "MERCHANTPARA", "b3BhcXVl");
    let ordered = till.post(Operation::Order, &body).await.expect("SUCCESS");
    let serial = ordered.get("CHARGE_DOWN_CODE");
    let page = format!("http://{}/sandbox/pay/{serial}", house.address);
    assert_eq!(ordered.get("BAR_CODE"), page);
    assert_eq!(ordered.get("MERCHANTPARA"), "b3BhcXVl");
    assert_eq!(ordered.get("CHARGE_CODE"), "A");
    let waiting = till.query("A").await.expect("SUCCESS");
    assert_eq!(waiting.get("STATE"), "0");
    assert_eq!(waiting.field("END_TIME"), None);
    house.advance_s(3).await;
    assert_eq!(house.payer(&serial, "pay").await, 200);
    house
        .until("A", |it| it.status() == PaymentStatus::Paid)
        .await;
    let paid = till.query("A").await.expect("SUCCESS");
    assert_eq!(paid.get("STATE"), "1");
    assert_eq!(paid.get("BEGIN_TIME"), "2026-11-22 07:50:00");
    assert_eq!(paid.get("END_TIME"), "2026-11-22 07:50:03");
    assert_eq!(paid.get("FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT"), "0.10");
    assert_eq!(
        house.payer(&serial, "pay").await,
        200,
        "paying twice is once"
    );
    assert_eq!(house.holds_fen("A").await, 10);
    house.end().await;
}

#[tokio::test]
async fn jsapi_gives_six_fields_and_app_prepay_id_too() {
    let house = House::open().await;
    let till = house.till();
    let six = [
        "appId",
        "timeStamp",
        "nonceStr",
        "packageData",
        "signType",
        "sign",
    ];
    let body = with(
        with(bodies::order("JS"), "TRADE_TYPE", "JSAPI"),
        "subOpenid",
        "oa58",
    );
    let body = with(body, "subAppid", "wxb1c959c78e070e58");
    let js = till.post(Operation::Order, &body).await.expect("SUCCESS");
    let body = with(bodies::order("APP"), "TRADE_TYPE", "APP");
    let app = till.post(Operation::Order, &body).await.expect("SUCCESS");
    for answer in [&js, &app] {
        assert!(six.iter().all(|name| !answer.get(name).is_empty()));
        assert!(answer.get("packageData").starts_with("prepay_id="));
        assert_eq!(answer.field("BAR_CODE"), None);
    }
    assert_eq!(js.get("appId"), "wxb1c959c78e070e58");
    assert_eq!(js.field("prepayId"), None);
    assert!(app.get("packageData").ends_with(&app.get("prepayId")));
    for answer in [&js, &app] {
        let serial = answer.get("CHARGE_DOWN_CODE");
        assert_eq!(house.payer(&serial, "pay").await, 200);
    }
    for code in ["JS", "APP"] {
        house
            .until(code, |it| it.status() == PaymentStatus::Paid)
            .await;
    }
    house.end().await;
}

#[tokio::test]
async fn mobile_web_gives_the_link_to_open() {
    let house = House::open().await;
    for (code, trade) in [("A", "NATIVE"), ("B", "APP")] {
        let body = with(
            with(bodies::order(code), "CHANNEL_TYPE", 34),
            "TRADE_TYPE",
            trade,
        );
        let answer = house.till().post(Operation::Order, &body).await;
        let answer = answer.expect("SUCCESS");
        assert!(answer.get("BAR_CODE").starts_with("http://"));
        assert_eq!(answer.field("appId"), None);
    }
    house.end().await;
}

#[tokio::test]
async fn a_declined_order_closes_without_a_charge() {
    let house = House::open().await;
    let till = house.till();
    let serial = till
        .order("A")
        .await
        .expect("SUCCESS")
        .get("CHARGE_DOWN_CODE");
    assert_eq!(house.payer(&serial, "decline").await, 200);
    house
        .until("A", |it| it.status() == PaymentStatus::Closed)
        .await;
    assert_eq!(till.state("A").await, "6");
    house.payer(&serial, "pay").await;
    assert_eq!(house.holds_fen("A").await, 0);
    house.end().await;
}

#[tokio::test]
async fn an_order_nobody_pays_closes_here_and_upstream() {
    let house = House::open().await;
    let till = house.till();
    let body = with(bodies::order("SHORT"), "TIME_EXPIRE", 120);
    till.post(Operation::Order, &body).await.expect("SUCCESS");
    till.order("LONG").await.expect("SUCCESS");
    house.advance_s(119).await;
    assert_eq!(till.state("SHORT").await, "0");
    house.advance_s(1).await;
    let closed = house.until("SHORT", |it| it.status() == PaymentStatus::Closed);
    house.passing(closed).await;
    assert_eq!(till.state("SHORT").await, "6");
    let serial = house.stored("SHORT").await.unwrap().serial;
    eventually("closed upstream", async || {
        (sandbox_state(&house, serial) == SandboxState::Closed).then_some(())
    })
    .await;
    assert_eq!(house.payer(&serial.to_string(), "pay").await, 409);
    assert_eq!(
        till.state("LONG").await,
        "0",
        "7200 s unless told otherwise"
    );
    house.advance_s(7_080).await;
    let closed = house.until("LONG", |it| it.status() == PaymentStatus::Closed);
    house.passing(closed).await;
    house.end().await;
}

fn sandbox_state(house: &House, serial: Serial) -> SandboxState {
    let sandbox = house.gateway().sandbox.as_ref().unwrap();
    sandbox.order(serial).unwrap().state
}

#[tokio::test]
async fn a_payer_who_pays_in_the_last_second_has_paid() {
    let house = House::open().await;
    let till = house.till();
    let body = with(bodies::order("A"), "TIME_EXPIRE", 120);
    let serial = till
        .post(Operation::Order, &body)
        .await
        .get("CHARGE_DOWN_CODE");
    house.advance_s(119).await;
    assert_eq!(house.payer(&serial, "pay").await, 200);
    house.advance_s(30).await;
    house
        .until("A", |it| it.status() == PaymentStatus::Paid)
        .await;
    assert_eq!(till.state("A").await, "1");
    house.end().await;
}

#[tokio::test]
async fn the_page_of_an_order_that_never_was_is_not_found() {
    let house = House::open().await;
    let till = house.till();
    assert_eq!(house.payer("20261122000000000000", "pay").await, 404);
    assert_eq!(house.payer("nonsense", "pay").await, 404);
    let serial = till.order("A").await.get("CHARGE_DOWN_CODE");
    assert_eq!(house.payer(&serial, "steal").await, 400);
    let paid = till.paid("B", "1.00").await;
    assert_eq!(
        house.payer(&paid, "pay").await,
        404,
        "a payer's code has no page"
    );
    assert_eq!(till.state("A").await, "0");
    house.end().await;
}

#[tokio::test]
async fn without_the_sandbox_there_is_no_page_and_no_channel() {
    let house = House::setup().options(|it| it.demo = false).open().await;
    assert_eq!(house.payer("20261122000000000000", "pay").await, 404);
    let till = house.till();
    till.pay("A", bodies::PAYS)
        .await
        .expect("SERVICE_UNAVAILABLE");
    till.order("A").await.expect("SERVICE_UNAVAILABLE");
    let flow = bodies::flow("13812345678");
    let flow = till.post(Operation::FlowRecharge, &flow).await;
    flow.expect("SERVICE_UNAVAILABLE");
    assert_eq!(house.counts().await.payments, 0);
    house.end().await;
}
