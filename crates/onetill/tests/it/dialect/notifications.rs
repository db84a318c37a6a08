//! What merchants are told of paid orders.

use crate::support::{
    bodies::{self, with},
    house::{House, Rows},
    receiver::Receiver,
};
use serde_json::Value;
use wire::opengateway::{Format, Operation, sign};

on_both_stores!(a_paid_order_is_told_in_xml_with_a_signature);

/// Orders with changes, has it paid, and gives the gateway's serial.
async fn paid_order(house: &House, body: &Value) -> String {
    let answer = house.till().post(Operation::Order, body).await;
    let serial = answer.expect("SUCCESS").get("CHARGE_DOWN_CODE");
    assert_eq!(house.payer(&serial, "pay").await, 200);
    serial
}

async fn a_paid_order_is_told_in_xml_with_a_signature(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let receiver = Receiver::polite().await;
    let body = with(
        bodies::order("A"),
        "NODIFY_URL",
        receiver.url("/PF.aspx?pid=7"),
    );
    let goods = Value::from(vec![bodies::good(), bodies::good()]);
    let body = with(with(body, "GOODS_DETAIL", goods), "MERCHANTPARA", "0100");
    let serial = paid_order(&house, &body).await;
    let message = receiver.receive(1).await.remove(0);
    assert!(
        message.head.starts_with("POST /PF.aspx?pid=7&sign="),
        "{}",
        message.head
    );
    assert!(
        message
            .head
            .to_lowercase()
            .contains("content-type: application/xml;charset=utf-8")
    );
    let told = message.read(&house.till().key);
    assert_eq!(
        (told.root(), told.format()),
        (Some("PAY_NODIFY"), Format::Xml)
    );
    let found = house.till().query("A").await;
    for (field, value) in [
        ("BUSI_ID", "0010000001"),
        ("OPER_ID", "oper01"),
        ("DEV_ID", "dev01"),
        ("AMT", "10"),
        ("CHANNEL_TYPE", "2"),
        ("CHARGE_CODE", "A"),
        ("CHARGE_DOWN_CODE", &*serial),
        ("CHARGE_THIRD_CODE", &*found.get("CHARGE_THIRD_CODE")),
        ("PAY_SUBJECT", "测试 商品1"),
        ("GOODS_DETAIL.1.GOOD_NAME", "Iphone"),
        ("STATE", "1"),
        ("MERCHANTPARA", "0100"),
        ("FUND_BILL_LIST.TRADEFUNDBILL.0.FUND_CHANNEL", "11"),
        ("FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT", "0.10"),
    ] {
        assert_eq!(told.get(field), value, "{field}");
    }
    house.end().await;
    assert_eq!(receiver.messages().len(), 1, "told once");
}

#[tokio::test]
async fn json_carries_the_channels_own_result() {
    let house = House::open().await;
    let receiver = Receiver::polite().await;
    for (number, (channel, object, serial_name)) in [
        (2, "weixin", "transaction_id"),
        (1, "ali", "trade_no"),
        (34, "ali", "trade_no"),
    ]
    .into_iter()
    .enumerate()
    {
        let code = format!("C{channel}");
        let body = with(
            bodies::order(&code),
            "NODIFY_URL",
            receiver.url("/n?_type=json"),
        );
        let serial = paid_order(&house, &with(body, "CHANNEL_TYPE", channel)).await;
        let message = receiver.receive(number + 1).await.remove(number);
        let told = message.read(&house.till().key);
        assert_eq!(told.format(), Format::Json);
        let third = told.get("CHARGE_THIRD_CODE");
        assert_eq!(told.get("charge_THIRD_CODE"), third);
        assert_eq!(told.get(&format!("{object}.{serial_name}")), third);
        assert_eq!(told.get(&format!("{object}.out_trade_no")), serial);
        assert!(!told.get("buyerId").is_empty());
        let json: Value = serde_json::from_slice(&message.body).unwrap();
        let json = &json["PAY_NODIFY"];
        assert_eq!(json["AMT"], 10);
        assert!(json["FUND_BILL_LIST"]["TRADEFUNDBILL"].is_array());
    }
    house.end().await;
}

#[tokio::test]
async fn the_address_decides_on_encryption_and_format() {
    let house = House::open().await;
    let receiver = Receiver::polite().await;
    let rows = [
        ("/n", Format::Xml, false),
        ("/n?_type=xml", Format::Xml, false),
        ("/n? _type=json&encrypt=3DES", Format::Json, true),
        ("/n?encrypt=3DES", Format::Xml, true),
        ("/n?_type=json&pid=7#part", Format::Json, false),
    ];
    for (number, (path, format, sealed)) in rows.into_iter().enumerate() {
        let body = with(
            bodies::order(&format!("C{number}")),
            "NODIFY_URL",
            receiver.url(path),
        );
        paid_order(&house, &body).await;
        let message = receiver.receive(number + 1).await.remove(number);
        let plaintext = message.opened(&house.till().key);
        assert_eq!(plaintext != message.body, sealed, "{path}");
        assert_eq!(message.read(&house.till().key).format(), format, "{path}");
        let own = path.replace(' ', "");
        let own = own.split('#').next().unwrap();
        assert!(message.target.starts_with(own), "{} {path}", message.target);
    }
    house.end().await;
}

#[tokio::test]
async fn a_receiver_that_drops_backslashes_and_spaces_first_agrees_on_the_signature() {
    let house = House::open().await;
    let receiver = Receiver::polite().await;
    for (number, (path, subject)) in [
        ("/n", r"C:\tea & <milk> ' \n"),
        ("/n?_type=json", "乌龙 茶　100%"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = with(
            bodies::order(&format!("C{number}")),
            "NODIFY_URL",
            receiver.url(path),
        );
        paid_order(&house, &with(body, "PAY_SUBJECT", subject)).await;
        let message = receiver.receive(number + 1).await.remove(number);
        let kept = |it: &u8| !b" \t\r\n\\".contains(it);
        let stripped: Vec<u8> = message.body.iter().copied().filter(kept).collect();
        let (_, sign) = message.target.split_once("sign=").unwrap();
        let sign = sign.replace("%3A", ":");
        assert_eq!(sign::verify(&house.till().key, &sign, &stripped), Ok(()));
        assert_eq!(message.read(&house.till().key).get("PAY_SUBJECT"), subject);
        let odd = |it: &u8| b"\r\x0b\x0c".contains(it);
        assert!(!message.body.iter().any(odd));
    }
    house.end().await;
}

#[tokio::test]
async fn the_news_stays_that_it_was_paid_whatever_happens_to_the_money_later() {
    let house = House::open().await;
    let receiver = Receiver::start(|number| {
        crate::support::receiver::Manner::Status(if number == 0 { 500 } else { 200 })
    })
    .await;
    let body = with(bodies::order("A"), "NODIFY_URL", receiver.url("/n"));
    paid_order(&house, &body).await;
    receiver.receive(1).await;
    house.till().cancel("A").await.expect("SUCCESS");
    assert_eq!(house.till().state("A").await, "2");
    house.until_attempts("A", 1).await;
    house.advance_s(6).await;
    let messages = receiver.receive(2).await;
    assert_eq!(messages[1].read(&house.till().key).get("STATE"), "1");
    house.end().await;
}

#[tokio::test]
async fn only_paid_orders_are_told() {
    let house = House::open().await;
    let receiver = Receiver::polite().await;
    let told = |body| with(body, "NODIFY_URL", receiver.url("/n"));
    let till = house.till();
    let pre_order = told(bodies::pre_order("P", bodies::PAYS));
    till.post(Operation::PreOrder, &pre_order)
        .await
        .expect("SUCCESS");
    till.post(Operation::Order, &told(bodies::order("UNPAID")))
        .await
        .expect("SUCCESS");
    let declined = till
        .post(Operation::Order, &told(bodies::order("DECLINED")))
        .await;
    house
        .payer(&declined.get("CHARGE_DOWN_CODE"), "decline")
        .await;
    let cancelled = told(bodies::order("CANCELLED"));
    till.post(Operation::Order, &cancelled)
        .await
        .expect("SUCCESS");
    till.cancel("CANCELLED").await.expect("SUCCESS");
    house.drain().await;
    assert_eq!(house.counts().await.notifications, 0);
    house.end().await;
    assert!(receiver.messages().is_empty());
}
