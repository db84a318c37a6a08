//! Notifications and the addresses they go to.

use super::replies::good;
use super::vectors::file;
use serde_json::{Value, json};
use wire::opengateway::notification::{ChannelResult, NotifyTarget, PayNotification, with_sign};
use wire::opengateway::reply::FundBill;
use wire::opengateway::{ChannelType, Encryption, Format, FundChannel, Node, State};

fn from_captured(captured: &Value) -> PayNotification {
    let text = |name: &str| captured[name].as_str().unwrap().to_owned();
    let node = |name: &str| Node::from_json(&captured[name].to_string());
    let channel = captured["CHANNEL_TYPE"].as_u64().unwrap();
    let fund = &captured["FUND_BILL_LIST"]["TRADEFUNDBILL"][0]["FUND_CHANNEL"];
    PayNotification {
        begin_time: Some(text("BEGIN_TIME")),
        end_time: Some(text("END_TIME")),
        channel_result: node("weixin")
            .map(ChannelResult::WeChat)
            .or(node("ali").map(ChannelResult::Alipay)),
        buyer_id: Some(text("buyerId")),
        charge_third_code: Some(text("charge_THIRD_CODE")),
        busi_id: text("BUSI_ID"),
        charge_code: text("CHARGE_CODE"),
        charge_down_code: text("CHARGE_DOWN_CODE"),
        channel_type: ChannelType::from_code(u16::try_from(channel).unwrap()).unwrap(),
        state: State::Paid,
        oper_id: text("OPER_ID"),
        pay_subject: text("PAY_SUBJECT"),
        goods: Vec::new(),
        fund_bills: vec![FundBill {
            fund_channel: FundChannel::from_code(fund.as_str().unwrap()).unwrap(),
            amount_fen: 1,
        }],
        amount_fen: 1,
        dev_id: text("DEV_ID"),
        merchant_para: None,
    }
}

#[test]
fn captured_notifications_are_reproduced() {
    for captured in file()["captured_notifications"].as_array().unwrap() {
        let mut expected = captured.clone();
        let body = &mut expected["PAY_NODIFY"];
        let made = from_captured(body).encode(Format::Json);
        // Two deliberate differences: both spellings of the channel's serial are sent, and
        // AMOUNT is text as in sample 5.3 and in every reply.
        body["CHARGE_THIRD_CODE"] = body["charge_THIRD_CODE"].clone();
        body["FUND_BILL_LIST"]["TRADEFUNDBILL"][0]["AMOUNT"] = json!("0.01");
        assert_eq!(serde_json::from_slice::<Value>(&made).unwrap(), expected);
    }
}

fn sample() -> PayNotification {
    let file = file();
    let captured = &file["captured_notifications"][1]["PAY_NODIFY"];
    PayNotification {
        goods: vec![good(), good()],
        merchant_para: Some("111111111111111111111111".into()),
        ..from_captured(captured)
    }
}

#[test]
fn table_5_2_in_both_formats() {
    let xml = String::from_utf8(sample().encode(Format::Xml)).unwrap();
    let json: Value = serde_json::from_slice(&sample().encode(Format::Json)).unwrap();
    for field in [
        "BUSI_ID",
        "OPER_ID",
        "DEV_ID",
        "AMT",
        "CHANNEL_TYPE",
        "CHARGE_CODE",
        "CHARGE_DOWN_CODE",
        "CHARGE_THIRD_CODE",
        "PAY_SUBJECT",
        "GOODS_DETAIL",
        "STATE",
        "MERCHANTPARA",
        "FUND_BILL_LIST",
    ] {
        assert!(xml.contains(&format!("<{field}>")), "{field}");
        assert!(!json["PAY_NODIFY"][field].is_null(), "{field}");
    }
    for field in ["ali", "weixin", "buyerId", "charge_THIRD_CODE"] {
        assert!(!xml.contains(&format!("<{field}>")), "{field}");
    }
}

#[test]
fn xml_survives_a_receiver_that_drops_spaces_and_backslashes() {
    let mut notification = sample();
    notification.pay_subject = "a\\b \"c\" </PAY_SUBJECT>".into();
    let xml = String::from_utf8(notification.encode(Format::Xml)).unwrap();
    assert!(xml.contains("<PAY_SUBJECT>a&#92;b &quot;c&quot; &lt;/PAY_SUBJECT&gt;</PAY_SUBJECT>"));
    assert!(!xml.contains(['\\', '\r', '\n', '\t', '\x0B', '\x0C']));
}

#[test]
fn json_has_a_backslash_only_where_there_is_no_other_spelling() {
    let json = String::from_utf8(sample().encode(Format::Json)).unwrap();
    assert!(!json.contains(['\\', '\r', '\n', '\t']));
    let mut notification = sample();
    notification.pay_subject = "say \"hi\"/".into();
    let json = String::from_utf8(notification.encode(Format::Json)).unwrap();
    assert!(json.contains(r#""PAY_SUBJECT":"say \"hi\"/""#));
}

#[test]
fn targets() {
    let plain = (Format::Xml, Encryption::None);
    let rows = [
        ("http://example.com/n", plain),
        ("http://example.com/n?pid=7", plain),
        (
            "http://example.com/n?_type=json",
            (Format::Json, Encryption::None),
        ),
        ("http://example.com/n?a=_type=json", plain),
        (
            "http://example.com/n?_type=xml&encrypt=3DES",
            (Format::Xml, Encryption::TripleDes),
        ),
        (
            "http://example.com/n?encrypt=3DES&%5ftype=json",
            (Format::Json, Encryption::TripleDes),
        ),
        ("http://example.com/n?_type=csv&encrypt=AES", plain),
        ("http://example.com/n#?_type=json", plain),
    ];
    for (url, (format, encryption)) in rows {
        assert_eq!(
            NotifyTarget::parse(url),
            NotifyTarget { format, encryption },
            "{url}"
        );
    }
}

#[test]
fn sign_comes_after_the_addresss_own_parameters() {
    let rows = [
        ("http://example.com/n", "http://example.com/n?sign=ab:1"),
        ("http://example.com/n?", "http://example.com/n?sign=ab:1"),
        (
            "http://example.com/n?pid=7",
            "http://example.com/n?pid=7&sign=ab:1",
        ),
        (
            "http://example.com/n?pid=7&",
            "http://example.com/n?pid=7&sign=ab:1",
        ),
        ("http://example.com/n#top", "http://example.com/n?sign=ab:1"),
    ];
    for (url, expected) in rows {
        assert_eq!(with_sign(url, "ab:1"), expected);
    }
}
