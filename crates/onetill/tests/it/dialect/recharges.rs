//! Data top-ups.

use crate::support::{
    bodies::{self, with},
    eventually,
    house::{House, Rows},
    receiver::Receiver,
};
use wire::opengateway::{Format, Operation, call::Call};

on_both_stores!(
    a_top_up_is_done_after_a_second,
    the_merchant_is_told_how_it_ended
);

fn top_up(house: &House, phone: &str) -> Call {
    let body = bodies::flow(phone).to_string();
    house
        .till()
        .posting(Operation::FlowRecharge, body.as_bytes())
}

async fn a_top_up_is_done_after_a_second(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    let mut call = top_up(&house, "13857142493");
    call.target = call.target.replace("?_type=json&", "?");
    let begun = till.ask(&call).await.expect("SUCCESS");
    assert_eq!((begun.root(), begun.format()), (None, Format::Json));
    let serial = begun.get("flow.orderID");
    for (field, value) in [
        ("flow.id", &*serial),
        ("flow.phoneNo", "13857142493"),
        ("flow.flowVal", "100"),
        ("flow.flowType", "0"),
        ("flow.creatTime", "2026-11-22 07:50:00"),
        ("flow.status", "1"),
        ("flow.busiCode", "0010000001"),
    ] {
        assert_eq!(begun.get(field), value, "{field}");
    }
    assert!(begun.get("flow.platOrderID").starts_with("CT_"));
    assert_eq!(serial.len(), 20);
    house.drain().await;
    let done = till.ask(&call).await.expect("SUCCESS");
    assert_eq!(done.get("flow.status"), "2");
    assert_eq!(
        done.get("flow.orderID"),
        serial,
        "the same request is the same top-up"
    );
    let counts = house.counts().await;
    assert_eq!((counts.recharges, counts.postings), (1, 1));
    house.end().await;
}

#[tokio::test]
async fn signed_anew_it_is_another_top_up() {
    let house = House::open().await;
    let till = house.till();
    let first = till
        .ask(&top_up(&house, "13812345678"))
        .await
        .get("flow.orderID");
    house.advance_s(1).await;
    let second = till
        .ask(&top_up(&house, "13812345678"))
        .await
        .get("flow.orderID");
    assert_ne!(first, second);
    assert_eq!(house.counts().await.recharges, 2);
    house.end().await;
}

#[tokio::test]
async fn a_number_ending_in_0000_cannot_be_topped_up() {
    let house = House::open().await;
    let till = house.till();
    let call = top_up(&house, "13812340000");
    for _ in 0..2 {
        let failed = till.ask(&call).await.expect("FAIL");
        assert_eq!(failed.get("flow.status"), "3");
        assert_eq!(failed.get("flow.phoneNo"), "13812340000");
    }
    let counts = house.counts().await;
    assert_eq!((counts.recharges, counts.postings), (1, 0));
    house.end().await;
}

#[tokio::test]
async fn in_xml_its_root_is_flow_resp() {
    let house = House::open().await;
    let till = house.till().xml();
    let body = with(bodies::flow("13812345678"), "flowType", 1);
    let answer = till
        .post(Operation::FlowRecharge, &body)
        .await
        .expect("SUCCESS");
    assert_eq!(
        (answer.root(), answer.format()),
        (Some("FLOW_RESP"), Format::Xml)
    );
    assert_eq!(answer.get("flow.flowType"), "1");
    house.end().await;
}

#[tokio::test]
async fn racing_copies_of_one_request_are_one_top_up() {
    let house = House::open().await;
    let till = house.till();
    let call = top_up(&house, "13812345678");
    let answers = crate::support::together((0..20).map(|_| till.ask(&call))).await;
    let serial = answers[0].get("flow.orderID");
    for answer in answers {
        assert_eq!(answer.expect("SUCCESS").get("flow.orderID"), serial);
    }
    assert_eq!(house.counts().await.recharges, 1);
    house.end().await;
}

async fn the_merchant_is_told_how_it_ended(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let receiver = Receiver::polite().await;
    let till = house.till();
    for (number, (phone, path, status, code)) in [
        ("13812345678", "/n?pid=7", "2", "SUCCESS"),
        ("13812340000", "/n?_type=xml", "3", "FAIL"),
        ("13812345679", "/n?encrypt=3DES", "2", "SUCCESS"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = with(bodies::flow(phone), "notifyURL", receiver.url(path));
        let begun = till.post(Operation::FlowRecharge, &body).await;
        eventually("the end", async || {
            house.advance_s(1).await;
            (receiver.messages().len() > number).then_some(())
        })
        .await;
        let message = receiver.receive(number + 1).await.remove(number);
        assert!(message.target.starts_with(path), "{}", message.target);
        let told = message.read(&till.key);
        assert_eq!(
            (told.root(), told.format()),
            (None, Format::Json),
            "always JSON"
        );
        assert_eq!(told.get("flow.status"), status);
        assert_eq!(told.get("flow.orderID"), begun.get("flow.orderID"));
        assert_eq!(told.code(), code);
    }
    house.end().await;
    assert_eq!(receiver.messages().len(), 3);
}

#[tokio::test]
async fn nobodys_top_up_is_refused_in_json() {
    let house = House::open().await;
    let till = house.till();
    let mut call = top_up(&house, "13812345678");
    let (path, query) = call.target.split_once('?').unwrap();
    let sign = query.split('&').find(|it| it.starts_with("sign=")).unwrap();
    call.target = format!("{}?{sign}", path.replace("0010000001", "0010000009"));
    let answer = till.ask(&call).await.expect("UNREGISTERED_BUSI");
    assert_eq!((answer.root(), answer.format()), (None, Format::Json));
    house.end().await;
}
