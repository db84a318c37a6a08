//! How replies are written: roots, formats, types, encryption, languages.

use crate::support::{
    bodies::{self, with},
    house::House,
    http,
    till::Answer,
};
use serde_json::Value;
use wire::opengateway::{Format, Operation, SerialType, call::Call, seal};

/// A call of each operation that is refused for its signature, with the root of its reply.
fn refused_calls(house: &House) -> Vec<(Call, Option<&'static str>, &'static str)> {
    let till = house.till();
    let wrong = |operation| {
        let mut call = till.posting(operation, b"{}");
        call.body = b"{\"another\":1}".to_vec();
        call
    };
    let mut query = till.call(|it| it.query("A", SerialType::Merchant, true));
    query.target = query.target.replace("/A/", "/B/");
    let mut cancel = till.call(|it| it.cancel("A", false));
    cancel.target = cancel.target.replace("/A/", "/B/");
    vec![
        (wrong(Operation::PreOrder), Some("ORDER_RESP"), "ORDER_RESP"),
        (wrong(Operation::Order), Some("ORDER_RESP"), "ORDER_RESP"),
        (wrong(Operation::Refund), Some("REFUND_RESP"), "REFUND_RESP"),
        (query, Some("QUERY_RESP"), "QUERY_RESP"),
        (cancel, Some("CANCELTRADE_RESP"), "CANCELTRADE_RESP"),
        (wrong(Operation::FlowRecharge), None, "FLOW_RESP"),
    ]
}

#[tokio::test]
async fn errors_have_the_operations_root_in_json_and_xml() {
    let house = House::open().await;
    for (call, json_root, xml_root) in refused_calls(&house) {
        let json = http::send(house.address, &call).await;
        assert_eq!(json.status, 200);
        assert_eq!(
            json.header("content-type"),
            Some("application/json;charset=UTF-8")
        );
        let answer = Answer::read(&json.body);
        assert_eq!((answer.root(), answer.format()), (json_root, Format::Json));
        answer.expect("INVALID_SIGN");
        let as_xml = Call {
            target: call.target.replace("_type=json", "_type=xml"),
            ..call
        };
        let xml = http::send(house.address, &as_xml).await;
        assert_eq!(
            xml.header("content-type"),
            Some("application/xml;charset=UTF-8")
        );
        let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
        assert!(
            xml.text().starts_with(&format!("{head}<{xml_root}>")),
            "{}",
            xml.text()
        );
        assert_eq!(Answer::read(&xml.body).root(), Some(xml_root));
    }
    house.end().await;
}

#[tokio::test]
async fn without_type_replies_are_xml_but_a_recharges_json_and_a_bad_type_is_told_in_xml() {
    let house = House::open().await;
    for (call, json_root, _) in refused_calls(&house) {
        let bare = Call {
            target: call.target.replace("_type=json", "x="),
            ..call.clone()
        };
        let answer = Answer::read(&http::send(house.address, &bare).await.body);
        let wanted = if json_root.is_none() {
            Format::Json
        } else {
            Format::Xml
        };
        assert_eq!(answer.format(), wanted, "{}", bare.target);
        let bad = Call {
            target: call.target.replace("_type=json", "_type=html"),
            ..call
        };
        let answer = Answer::read(&http::send(house.address, &bad).await.body);
        assert_eq!(answer.format(), Format::Xml);
        answer.expect("ILLEGAL_PARAMETER");
    }
    house.end().await;
}

#[tokio::test]
async fn replies_are_sealed_for_a_known_merchant_and_plain_for_an_unknown_one() {
    let house = House::open().await;
    let till = house.till().sealed();
    till.pay("A", bodies::PAYS).await.expect("SUCCESS");
    till.query("A").await.expect("SUCCESS");
    till.query("B").await.expect("CHARGE_NONEXISTENT");
    till.order("B").await.expect("SUCCESS");
    till.refund("A", "0.01", "R").await.expect("SUCCESS");
    till.cancel("A").await.expect("FAIL");
    let flow = bodies::flow("13812345678");
    till.post(Operation::FlowRecharge, &flow)
        .await
        .expect("SUCCESS");
    for (call, ..) in refused_calls(&house) {
        let sealed = Call {
            target: format!("{}&encrypt=3DES", call.target),
            ..call
        };
        let reply = http::send(house.address, &sealed).await;
        let plaintext = seal::open(&till.key, &reply.body).unwrap();
        let wanted = if sealed.method == "POST" {
            "ILLEGAL_PARAMETER"
        } else {
            "INVALID_SIGN"
        };
        Answer::read(&plaintext).expect(wanted);
        let nobody = Call {
            target: sealed.target.replace("0010000001", "0010000009"),
            ..sealed
        };
        let reply = http::send(house.address, &nobody).await;
        Answer::read(&reply.body).expect("UNREGISTERED_BUSI");
    }
    house.end().await;
}

#[tokio::test]
async fn base64_with_line_ends_and_no_padding_is_opened() {
    let house = House::open().await;
    let till = house.till().sealed();
    for (code, damage) in [("A", "\r\n"), ("BB", " "), ("CCC", "-_.~\n")] {
        let body = bodies::pre_order(code, bodies::PAYS).to_string();
        let mut call = till.posting(Operation::PreOrder, body.as_bytes());
        let text = String::from_utf8(call.body).unwrap();
        let (head, tail) = text.split_at(70);
        call.body = format!("{head}{damage}{}", tail.trim_end_matches('=')).into_bytes();
        till.ask(&call).await.expect("SUCCESS");
    }
    house.end().await;
}

#[tokio::test]
async fn json_has_the_sources_types() {
    let house = House::open().await;
    let till = house.till();
    let body = with(
        bodies::pre_order("A", bodies::PAYS),
        "GOODS_DETAIL",
        Value::from(vec![bodies::good()]),
    );
    let call = till.posting(Operation::PreOrder, body.to_string().as_bytes());
    let paid: Value = serde_json::from_slice(&till.send(&call).await.body).unwrap();
    let paid = &paid["ORDER_RESP"];
    assert_eq!(paid["AMT"], 1);
    assert_eq!(paid["CHANNEL_TYPE"], 1);
    let call = till.call(|it| it.query("A", SerialType::Merchant, true));
    let text = till.send(&call).await.text();
    let found: Value = serde_json::from_str(&text).unwrap();
    let found = &found["QUERY_RESP"];
    assert_eq!((&found["AMT"], &found["STATE"]), (&1.into(), &1.into()));
    let bills = found["FUND_BILL_LIST"]["TRADEFUNDBILL"].as_array().unwrap();
    assert_eq!(bills[0]["AMOUNT"], "0.01");
    assert_eq!(bills[0]["FUND_CHANNEL"], "10");
    assert_eq!(found["GOODS_DETAIL"][0]["GOOD_QUANTITY"], 1);
    assert_eq!(found["GOODS_DETAIL"][0]["GOOD_PRICE"].to_string(), "4999");
    assert!(text.contains("\"realAMT\":0.01,"), "{text}");
    assert_eq!(found["dynamic_ID_TYPE_STR"], "");
    assert_eq!(found["CHARGE_THIRD_CODE"], found["charge_THIRD_CODE"]);
    house.end().await;
}

#[tokio::test]
async fn xml_siblings_are_in_order_and_lists_are_repeated_elements() {
    let house = House::open().await;
    let till = house.till().xml();
    let goods = Value::from(vec![bodies::good(), bodies::good()]);
    let body = with(bodies::pre_order("A", bodies::PAYS), "GOODS_DETAIL", goods);
    till.post(Operation::PreOrder, &body)
        .await
        .expect("SUCCESS");
    let call = till.call(|it| it.query("A", SerialType::Merchant, true));
    let text = till.send(&call).await.text();
    assert!(
        !text.contains("charge_THIRD_CODE") && text.contains("<CHARGE_THIRD_CODE>"),
        "{text}"
    );
    assert_eq!(text.matches("<GOODS_DETAIL>").count(), 2, "{text}");
    assert!(
        text.contains("<FUND_BILL_LIST><TRADEFUNDBILL><AMOUNT>0.01</AMOUNT>"),
        "{text}"
    );
    assert!(!text.contains('\n'));
    let found = Answer::read(text.as_bytes());
    let names = |it: &str| it.split('.').next().unwrap().to_owned();
    let mut order: Vec<String> = found.flattened().iter().map(|it| names(&it.0)).collect();
    order.dedup();
    let mut sorted = order.clone();
    // As JAXB sorts properties: by name with the first letter in lower case.
    sorted.sort_by_key(|name| name[..1].to_lowercase() + &name[1..]);
    assert_eq!(order, sorted);
    house.end().await;
}

#[tokio::test]
async fn info_is_chinese_unless_the_merchant_wants_english() {
    let house = House::open().await;
    let till = house.till();
    assert!(till.query("A").await.info().contains("交易记录不存在"));
    house.set_merchant(|it| it.english = Some(true)).await;
    assert!(till.query("A").await.info().is_ascii());
    let poor = till.pay("A", &bodies::trigger("02")).await.expect("FAIL");
    assert!(poor.info().contains("Not charged"), "{}", poor.info());
    for (call, ..) in refused_calls(&house) {
        let answer = Answer::read(&http::send(house.address, &call).await.body);
        assert!(answer.info().is_ascii(), "{}", answer.info());
    }
    house.end().await;
}
