//! Bodies that are no documents, or more than one.

use crate::support::{bodies, house::House};
use wire::opengateway::Operation;

/// A right preOrder with `head` before its first field.
fn json_with(head: &str) -> Vec<u8> {
    let body = bodies::pre_order("BAD", bodies::PAYS).to_string();
    body.replacen('{', &format!("{{{head}"), 1).into_bytes()
}

/// A right order as XML with `head` inside its root.
fn xml_with(prologue: &str, head: &str, tail: &str) -> Vec<u8> {
    format!(
        "{prologue}<ORDER_REQ>{head}<BUSI_ID>0010000001</BUSI_ID><OPER_ID>o</OPER_ID>\
         <DEV_ID>d</DEV_ID><AMT>0.10</AMT><CHANNEL_TYPE>2</CHANNEL_TYPE>\
         <PAY_SUBJECT>测试 商品1</PAY_SUBJECT ><CHARGE_CODE>BAD</CHARGE_CODE></ORDER_REQ>{tail}"
    )
    .into_bytes()
}

fn deep(levels: usize) -> String {
    format!("\"X\":{}1{},", "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test]
async fn what_is_no_json_object_or_xml_document_is_refused_and_named() {
    let house = House::open().await;
    let till = house.till();
    let right = json_with("");
    let appended = |tail: &[u8]| [&right[..], tail].concat();
    let invalid_utf8 = String::from_utf8_lossy(&right).replace("oper01", "oper~");
    let invalid_utf8: Vec<u8> = invalid_utf8
        .bytes()
        .map(|b| if b == b'~' { 0xff } else { b })
        .collect();
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "body"),
        (b" \r\n\t".to_vec(), "body"),
        (b"hello".to_vec(), "body"),
        (b"[1]".to_vec(), "body"),
        (b"\"text\"".to_vec(), "body"),
        (b"\xef\xbb\xbf{}".to_vec(), "body"),
        (right[..right.len() - 1].to_vec(), "body"),
        (appended(b"x"), "body"),
        (appended(b"{}"), "body"),
        (appended(b",\"AMT\":\"9.99\""), "body"),
        (appended(b"\0"), "body"),
        (invalid_utf8, "body"),
        (json_with("\"X\":01,"), "body"),
        (json_with("\"X\":.5,"), "body"),
        (json_with("X:1,"), "body"),
        (json_with("'X':1,"), "body"),
        (json_with(","), "body"),
        (json_with("\"X\":\"\\ud800\","), "body"),
        (json_with("/* no */"), "body"),
        (json_with(&deep(40)), "body"),
        (json_with("\"AMT\":\"9.99\","), "AMT"),
        (json_with("\"\\u0041MT\":\"9.99\","), "AMT"),
        (json_with("\"A MT\":1,"), "A MT"),
        (json_with("\"ext\\n\":1,"), "ext"),
        (json_with("\"EXTRA\":\"a\\u0000b\","), "EXTRA"),
        (json_with("\"EXTRA\":\"a\\u007fb\","), "EXTRA"),
    ];
    for (body, field) in rows {
        let answer = till.ask(&till.posting(Operation::PreOrder, &body)).await;
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(
            answer.code(),
            "ILLEGAL_PARAMETER",
            "{shown}: {}",
            answer.info()
        );
        assert!(answer.info().contains(field), "{shown}: {}", answer.info());
    }
    assert_eq!(house.counts().await.payments, 0);
    till.ask(&till.posting(Operation::PreOrder, &json_with(&deep(20))))
        .await
        .expect("SUCCESS");
    house.end().await;
}

#[tokio::test]
async fn xml_with_a_dtd_an_entity_or_a_second_root_is_refused() {
    let house = House::open().await;
    let till = house.till();
    let dtd = "<!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\">]>";
    let nested = format!("{}1{}", "<x>".repeat(40), "</x>".repeat(40));
    let rows: Vec<Vec<u8>> = vec![
        xml_with(dtd, "<X>&a;</X>", ""),
        xml_with(bomb, "<X>&a;</X>", ""),
        xml_with("<!DOCTYPE r>", "", ""),
        xml_with("", "<X>&a;</X>", ""),
        xml_with("", "<X>&#0;</X>", ""),
        xml_with("", "<X>&#7;</X>", ""),
        xml_with("", "<AMT>9.99</AMT>", ""),
        xml_with("", "text", ""),
        xml_with("", &nested, ""),
        xml_with("", "<X>1</Y>", ""),
        xml_with("", "<X>1", ""),
        xml_with("", "<?php evil ?>", ""),
        xml_with("", "<!-- a -- > <AMT>9</AMT> <!-- b -->", ""),
        xml_with("", "", "<ORDER_REQ/>"),
        xml_with("", "", "text"),
        xml_with("text", "", ""),
    ];
    for body in rows {
        let answer = till.ask(&till.posting(Operation::Order, &body)).await;
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(
            answer.code(),
            "ILLEGAL_PARAMETER",
            "{shown}: {}",
            answer.info()
        );
    }
    assert_eq!(house.counts().await.payments, 0);
    house.end().await;
}

#[tokio::test]
async fn xml_as_production_clients_write_it_is_taken_by_every_operation() {
    let house = House::open().await;
    let till = house.till();
    let declaration = "<?xml version='1.0' encoding='utf-8' ?>\r\n<!-- till 1 -->\r\n";
    let goods = "<GOODS_DETAIL><GOOD_ID>1</GOOD_ID><GOOD_NAME>a &amp; b</GOOD_NAME><GOOD_CLASS>c\
        </GOOD_CLASS><GOOD_PRICE>2.00</GOOD_PRICE><GOOD_SUBJECT>s</GOOD_SUBJECT><GOOD_QUANTITY>5\
        </GOOD_QUANTITY></GOODS_DETAIL>";
    let body = xml_with(declaration, &goods.repeat(2), "\r\n");
    let answer = till.ask(&till.posting(Operation::Order, &body)).await;
    answer.expect("SUCCESS");
    let found = till.query("BAD").await;
    assert_eq!(found.get("PAY_SUBJECT"), "测试 商品1");
    assert_eq!(found.get("GOODS_DETAIL.1.GOOD_NAME"), "a & b");
    for (operation, root, body) in [
        (
            Operation::PreOrder,
            "PREORDER_REQ",
            bodies::pre_order("P", bodies::PAYS),
        ),
        (Operation::Refund, "any", bodies::refund("P", "0.01", "R")),
        (Operation::FlowRecharge, "FLOW", bodies::flow("13812345678")),
    ] {
        let fields = body.as_object().unwrap().iter().map(|(name, value)| {
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            format!("<{name}>{value}</{name} >")
        });
        let xml = format!("<{root}>\n{}\n</{root}>", fields.collect::<String>());
        till.post_text(operation, &xml).await.expect("SUCCESS");
    }
    house.end().await;
}

#[tokio::test]
async fn json_numbers_do_for_every_field() {
    let house = House::open().await;
    let till = house.till();
    let pre_order = r#"{"BUSI_ID":"0010000001","OPER_ID":1,"DEV_ID":2.50,"MERCHANTPARA":1e3,"AMT":0.01,
        "CHANNEL_TYPE":1,"DYNAMIC_ID_TYPE":1,"DYNAMIC_ID":284214903060794755,"CHARGE_CODE":20150324001069125999,
        "PAY_SUBJECT":3,"TIME_EXPIRE":120,"REGISTER_ID":7,"GOODS_DETAIL":[{"GOOD_ID":1,"GOOD_NAME":2,
        "GOOD_CLASS":3,"GOOD_PRICE":2.00,"GOOD_SUBJECT":4,"GOOD_QUANTITY":5,"GOOD_SHOWURL":6}]}"#;
    till.post_text(Operation::PreOrder, pre_order)
        .await
        .expect("SUCCESS");
    let found = till.query("20150324001069125999").await.expect("SUCCESS");
    for (field, value) in [
        ("DEV_ID", "2.50"),
        ("MERCHANTPARA", "1e3"),
        ("DYNAMIC_ID", "284214903060794755"),
    ] {
        assert_eq!(found.get(field), value, "as it was written");
    }
    let refund = r#"{"OPER_ID":1,"DEV_ID":2,"CHARGE_REFUND_FEE":0.01,"REFUND_SUBJECT":3,
        "CHARGE_CODE":20150324001069125999,"OUT_REFUND_NO":5}"#;
    till.post_text(Operation::Refund, refund)
        .await
        .expect("SUCCESS");
    let order = r#"{"OPER_ID":1,"DEV_ID":2,"AMT":1.0E7,"CHANNEL_TYPE":2,"CHARGE_CODE":9,"PAY_SUBJECT":3,
        "TIME_EXPIRE":120,"subOpenid":4,"subAppid":5}"#;
    till.post_text(Operation::Order, order)
        .await
        .expect("SUCCESS");
    assert_eq!(till.query("9").await.get("AMT"), "1000000000");
    let flow = r#"{"phoneNo":13812345678,"flowVal":100,"flowType":0}"#;
    till.post_text(Operation::FlowRecharge, flow)
        .await
        .expect("SUCCESS");
    house.end().await;
}

#[tokio::test]
async fn amounts_are_exact_decimals() {
    let house = House::open().await;
    let till = house.till();
    let rows = [
        ("\"0.1\"", "10"),
        ("\"158.0\"", "15800"),
        ("\"1.0E7\"", "1000000000"),
        ("0.29", "29"),
        ("1.15", "115"),
        ("8.41", "841"),
        ("\"99999999.99\"", "9999999999"),
        ("1e-2", "1"),
        ("\"0.0100\"", "1"),
    ];
    for (number, (written, fen)) in rows.into_iter().enumerate() {
        let code = format!("A{number}");
        let body = bodies::pre_order(&code, bodies::PAYS).to_string();
        let body = body.replace("\"AMT\":\"0.01\"", &format!("\"AMT\":{written}"));
        let answer = till
            .post_text(Operation::PreOrder, &body)
            .await
            .expect("SUCCESS");
        assert_eq!(answer.get("AMT"), fen, "{written}");
    }
    house.end().await;
}

#[tokio::test]
async fn the_word_null_is_no_address() {
    let house = House::open().await;
    let till = house.till();
    let body = bodies::with(bodies::order("A"), "NODIFY_URL", "null");
    till.post(Operation::Order, &body).await.expect("SUCCESS");
    let stored = house.stored("A").await.unwrap();
    assert_eq!(stored.details.notify_url, None);
    house.end().await;
}
