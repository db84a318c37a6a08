//! The source's reply samples, field by field, and XML's own rules.

use serde_json::{Value, json};
use wire::opengateway::code::RechargeStatus;
use wire::opengateway::received::Received;
use wire::opengateway::reply::{
    CancelReply, ErrorReply, Flow, FundBill, OrderReply, Outcome, QueryReply, RechargeReply,
    RefundReply, WalletCall, yuan_number, yuan_text,
};
use wire::opengateway::request::{FlowType, Good};
use wire::opengateway::{ChannelType, Format, FundChannel, Operation, ReturnCode, State};

fn as_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn as_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn bill(fund_channel: FundChannel) -> Vec<FundBill> {
    vec![FundBill {
        fund_channel,
        amount_fen: 1,
    }]
}

fn paid() -> OrderReply {
    OrderReply {
        channel_type: Some(ChannelType::WeChat),
        charge_code: text("E4E0D212-789B-4914-A4EB-19550F751066"),
        charge_down_code: text("20151014100000000953"),
        charge_third_code: text("2088110245121545154"),
        fund_bills: bill(FundChannel::WeChatPay),
        oper_id: text("TEST1"),
        begin_time: text("2015-10-14 04:43:14"),
        amount_fen: Some(1),
        dev_id: text("收银机1"),
        ..OrderReply::new(ReturnCode::Success, "请求并支付成功!")
    }
}

pub fn good() -> Good {
    Good {
        id: "product ID".into(),
        name: "product name".into(),
        class: "product type".into(),
        price_yuan: "2.00".into(),
        subject: "product description".into(),
        quantity: "5".into(),
        show_url: text("www.example.com"),
    }
}

fn found() -> QueryReply {
    QueryReply {
        outcome: Outcome::new(ReturnCode::Success, "The query was successful"),
        real_amount_fen: Some(1),
        busi_id: "0010000001".into(),
        channel_type: ChannelType::WeChat,
        charge_code: "1FD7DA99-997C-4C27-99F9-40C1EC170D5C".into(),
        goods: vec![good(), good()],
        dynamic_id: text("130730865806264036"),
        end_time: text("2015-10-14 04:43:29"),
        register_id: text("02016"),
        charge_down_code: "20151014100000000952".into(),
        charge_third_code: None,
        fund_bills: bill(FundChannel::WeChatPay),
        pay_subject: "product 2".into(),
        state: State::Paid,
        oper_id: "TEST1".into(),
        begin_time: "2015-10-14 04:38:25".into(),
        amount_fen: 1,
        dev_id: "Cash Register 1".into(),
        merchant_para: None,
    }
}

#[test]
fn sample_2_6_pre_order() {
    let expected = json!({"ORDER_RESP": {
        "RESULT": {"CODE": "SUCCESS", "INFO": "请求并支付成功!"},
        "CHANNEL_TYPE": 2,
        "CHARGE_CODE": "E4E0D212-789B-4914-A4EB-19550F751066",
        "CHARGE_DOWN_CODE": "20151014100000000953",
        "CHARGE_THIRD_CODE": "2088110245121545154",
        "FUND_BILL_LIST": {"TRADEFUNDBILL": [{"AMOUNT": "0.01", "FUND_CHANNEL": "11"}]},
        "OPER_ID": "TEST1", "BEGIN_TIME": "2015-10-14 04:43:14", "AMT": 1, "DEV_ID": "收银机1"
    }});
    assert_eq!(as_json(&paid().encode(Format::Json)), expected);
}

#[test]
fn sample_3_6_order() {
    let reply = OrderReply {
        charge_code: text("D3820833-F310-4658-BF98-52959454FCA0"),
        charge_down_code: text("20151014100000000950"),
        bar_code: text("weixin://wxpay/bizpayurl?pr=59tFp8e"),
        ..OrderReply::new(ReturnCode::Success, "请求成功!")
    };
    let expected = r#"{"ORDER_RESP":{"RESULT":{"CODE":"SUCCESS","INFO":"请求成功!"},"#.to_owned()
        + r#""CHARGE_CODE":"D3820833-F310-4658-BF98-52959454FCA0","#
        + r#""CHARGE_DOWN_CODE":"20151014100000000950","#
        + r#""BAR_CODE":"weixin://wxpay/bizpayurl?pr=59tFp8e"}}"#;
    assert_eq!(as_text(reply.encode(Format::Json)), expected);
}

#[test]
fn sample_4_5_order_in_the_wallets_browser() {
    let call = WalletCall {
        app_id: "wx0000000000000001".into(),
        time_stamp: "1465698073386".into(),
        nonce_str: "53f02f8bdb8942c382787e7ec0d09ab6".into(),
        package_data: "prepay_id=wx2016061210212283e40a2ca90319983999".into(),
        sign_type: "MD5".into(),
        sign: "1C082A5DD99475AEED5938887F8AAC4D".into(),
        prepay_id: None,
    };
    let mut reply = OrderReply {
        charge_code: text("D3820833-F310-4658-BF98-52959454FCA0"),
        charge_down_code: text("20151014100000000950"),
        wallet_call: Some(call.clone()),
        ..OrderReply::new(ReturnCode::Success, "请求成功!")
    };
    let mut expected = json!({"ORDER_RESP": {
        "RESULT": {"CODE": "SUCCESS", "INFO": "请求成功!"},
        "CHARGE_CODE": "D3820833-F310-4658-BF98-52959454FCA0",
        "CHARGE_DOWN_CODE": "20151014100000000950",
        "appId": "wx0000000000000001", "timeStamp": "1465698073386",
        "nonceStr": "53f02f8bdb8942c382787e7ec0d09ab6",
        "packageData": "prepay_id=wx2016061210212283e40a2ca90319983999",
        "signType": "MD5", "sign": "1C082A5DD99475AEED5938887F8AAC4D"
    }});
    assert_eq!(as_json(&reply.encode(Format::Json)), expected);
    reply.wallet_call = Some(WalletCall {
        prepay_id: text("wx2016"),
        ..call
    });
    expected["ORDER_RESP"]["prepayId"] = json!("wx2016");
    assert_eq!(as_json(&reply.encode(Format::Json)), expected);
}

#[test]
fn sample_6_5_refund() {
    let reply = RefundReply {
        outcome: Outcome::new(ReturnCode::Success, "退款成功!"),
        fund_bills: bill(FundChannel::AlipayBalance),
        channel_type: Some(ChannelType::Alipay),
    };
    let expected = json!({"REFUND_RESP": {
        "RESULT": {"INFO": "退款成功!", "CODE": "SUCCESS"},
        "FUND_BILL_LIST": {"TRADEFUNDBILL": [{"FUND_CHANNEL": "10", "AMOUNT": "0.01"}]},
        "CHANNEL_TYPE": 1
    }});
    assert_eq!(as_json(&reply.encode(Format::Json)), expected);
}

fn sample_7_3() -> Value {
    let good = json!({
        "GOOD_SHOWURL": "www.example.com", "GOOD_QUANTITY": 5, "GOOD_CLASS": "product type",
        "GOOD_ID": "product ID", "GOOD_PRICE": 2, "GOOD_SUBJECT": "product description",
        "GOOD_NAME": "product name"
    });
    json!({"QUERY_RESP": {
        "RESULT": {"CODE": "SUCCESS", "INFO": "The query was successful"},
        "dynamic_ID_TYPE_STR": "", "realAMT": 0.01, "BUSI_ID": "0010000001", "CHANNEL_TYPE": 2,
        "CHARGE_CODE": "1FD7DA99-997C-4C27-99F9-40C1EC170D5C", "GOODS_DETAIL": [good, good],
        "DYNAMIC_ID": "130730865806264036", "END_TIME": "2015-10-14 04:43:29",
        "REGISTER_ID": "02016", "CHARGE_DOWN_CODE": "20151014100000000952",
        "FUND_BILL_LIST": {"TRADEFUNDBILL": [{"AMOUNT": "0.01", "FUND_CHANNEL": "11"}]},
        "PAY_SUBJECT": "product 2", "STATE": 1, "OPER_ID": "TEST1",
        "BEGIN_TIME": "2015-10-14 04:38:25", "AMT": 1, "DEV_ID": "Cash Register 1"
    }})
}

#[test]
fn sample_7_3_query() {
    assert_eq!(as_json(&found().encode(Format::Json)), sample_7_3());
}

#[test]
fn table_7_2_rows_the_sample_lacks() {
    let mut reply = found();
    reply.charge_third_code = text("2088110245121545154");
    reply.merchant_para = text("01000001");
    let mut expected = sample_7_3();
    expected["QUERY_RESP"]["CHARGE_THIRD_CODE"] = json!("2088110245121545154");
    expected["QUERY_RESP"]["charge_THIRD_CODE"] = json!("2088110245121545154");
    expected["QUERY_RESP"]["MERCHANTPARA"] = json!("01000001");
    assert_eq!(as_json(&reply.encode(Format::Json)), expected);
    let xml = as_text(reply.encode(Format::Xml));
    assert!(xml.contains("<CHARGE_THIRD_CODE>2088110245121545154</CHARGE_THIRD_CODE>"));
    assert!(!xml.contains("charge_THIRD_CODE"));
}

#[test]
fn goods_that_are_no_plain_numbers_stay_text() {
    let rows = [
        ("5", json!(5)),
        ("2.50", json!(2.5)),
        ("0", json!(0)),
        ("0.00", json!(0)),
        ("05", json!("05")),
        ("1e3", json!("1e3")),
        ("-1", json!("-1")),
        (".5", json!(".5")),
        ("1234567890123456", json!("1234567890123456")),
        ("two", json!("two")),
    ];
    for (quantity, expected) in rows {
        let mut reply = found();
        reply.goods = vec![Good {
            quantity: quantity.into(),
            ..good()
        }];
        let json = as_json(&reply.encode(Format::Json));
        let found = &json["QUERY_RESP"]["GOODS_DETAIL"][0]["GOOD_QUANTITY"];
        assert_eq!(*found, expected, "{quantity}");
    }
}

#[test]
fn sample_8_3_cancel() {
    let reply = CancelReply {
        outcome: Outcome::new(ReturnCode::Success, "撤单成功"),
    };
    let expected = json!({"CANCELTRADE_RESP": {"RESULT": {"CODE": "SUCCESS", "INFO": "撤单成功"}}});
    assert_eq!(as_json(&reply.encode(Format::Json)), expected);
}

#[test]
fn sample_9_5_flow_recharge() {
    let flow = Flow {
        id: "20170112100000233510".into(),
        phone_no: "13812345678".into(),
        flow_mb: 10,
        flow_type: FlowType::Nationwide,
        order_id: "20170112100000233509".into(),
        plat_order_id: text("CT_201701129796"),
        create_time: "2017-01-12 06:04:52".into(),
        status: RechargeStatus::AtProvider,
        busi_code: "0010000001".into(),
    };
    let reply = RechargeReply {
        outcome: Outcome::new(ReturnCode::Success, "ok"),
        flow: Some(flow),
    };
    let expected = json!({
        "result": {"CODE": "SUCCESS", "INFO": "ok"},
        "flow": {
            "id": "20170112100000233510", "phoneNo": "13812345678", "flowVal": 10,
            "flowType": "0", "orderID": "20170112100000233509",
            "platOrderID": "CT_201701129796", "creatTime": "2017-01-12 06:04:52",
            "status": "1", "busiCode": "0010000001"
        }
    });
    assert_eq!(as_json(&reply.encode(Format::Json)), expected);
    let xml = as_text(reply.encode(Format::Xml));
    assert!(
        xml.contains("<FLOW_RESP><flow><busiCode>0010000001</busiCode><creatTime>"),
        "{xml}"
    );
    assert!(
        xml.ends_with("<INFO>ok</INFO></result></FLOW_RESP>"),
        "{xml}"
    );
}

#[test]
fn errors_keep_their_root() {
    let rows = [
        (Operation::PreOrder, "ORDER_RESP"),
        (Operation::Order, "ORDER_RESP"),
        (Operation::Refund, "REFUND_RESP"),
        (Operation::Query, "QUERY_RESP"),
        (Operation::CancelTrade, "CANCELTRADE_RESP"),
    ];
    for (operation, root) in rows {
        let reply = ErrorReply::new(operation, ReturnCode::InvalidSign, "x");
        let json = as_text(reply.encode(Format::Json));
        let expected = r#"{"RESULT":{"CODE":"INVALID_SIGN","INFO":"x"}}"#;
        assert_eq!(json, format!(r#"{{"{root}":{expected}}}"#));
        let xml = as_text(reply.encode(Format::Xml));
        let header = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
        let result = "<RESULT><CODE>INVALID_SIGN</CODE><INFO>x</INFO></RESULT>";
        assert_eq!(xml, format!("{header}<{root}>{result}</{root}>"));
    }
    let reply = ErrorReply::new(Operation::FlowRecharge, ReturnCode::InvalidSign, "x");
    let json = as_text(reply.encode(Format::Json));
    assert_eq!(json, r#"{"result":{"CODE":"INVALID_SIGN","INFO":"x"}}"#);
    assert_eq!(
        Received::decode(json.as_bytes()).unwrap().code(),
        Some(ReturnCode::InvalidSign)
    );
}

#[test]
fn xml_siblings_are_in_property_order() {
    let mut reply = found();
    reply.charge_third_code = text("3");
    reply.merchant_para = text("m");
    let xml = as_text(reply.encode(Format::Xml));
    let order = [
        "AMT",
        "BEGIN_TIME",
        "BUSI_ID",
        "CHANNEL_TYPE",
        "CHARGE_CODE",
        "CHARGE_DOWN_CODE",
        "CHARGE_THIRD_CODE",
        "DEV_ID",
        "DYNAMIC_ID",
        "dynamic_ID_TYPE_STR",
        "END_TIME",
        "FUND_BILL_LIST",
        "GOODS_DETAIL",
        "MERCHANTPARA",
        "OPER_ID",
        "PAY_SUBJECT",
        "REGISTER_ID",
        "RESULT",
        "realAMT",
        "STATE",
    ];
    let at: Vec<usize> = order
        .map(|name| xml.find(&format!("<{name}>")).unwrap())
        .to_vec();
    assert!(at.is_sorted(), "{xml}");
    assert_eq!(xml.matches("<GOODS_DETAIL>").count(), 2);
    let bill = "<FUND_BILL_LIST><TRADEFUNDBILL><AMOUNT>0.01</AMOUNT>\
                <FUND_CHANNEL>11</FUND_CHANNEL></TRADEFUNDBILL></FUND_BILL_LIST>";
    assert!(xml.contains(bill), "{xml}");
}

#[test]
fn escapes() {
    let info = "a&<b>\"'\\/快\u{1}\t";
    let reply = ErrorReply::new(Operation::Query, ReturnCode::Fail, info);
    let xml = as_text(reply.encode(Format::Xml));
    let expected = "<INFO>a&amp;&lt;b&gt;&quot;'&#92;/快\u{FFFD}&#9;</INFO>";
    assert!(xml.contains(expected), "{xml}");
    let json = as_text(reply.encode(Format::Json));
    assert!(json.contains(r#""a&<b>\"'\\/快\u0001\u0009""#), "{json}");
    assert_eq!(
        as_json(json.as_bytes())["QUERY_RESP"]["RESULT"]["INFO"],
        info
    );
}

#[test]
fn amounts() {
    let rows = [
        (0, "0.00", "0"),
        (1, "0.01", "0.01"),
        (10, "0.10", "0.1"),
        (100, "1.00", "1"),
        (15_800, "158.00", "158"),
        (-5, "-0.05", "-0.05"),
        (1_000, "10.00", "10"),
        (i64::MIN, "-92233720368547758.08", "-92233720368547758.08"),
    ];
    for (fen, text, number) in rows {
        assert_eq!(
            (yuan_text(fen).as_str(), yuan_number(fen).as_str()),
            (text, number)
        );
    }
}

#[test]
fn replies_are_read_back_alike_from_both_formats() {
    for format in [Format::Json, Format::Xml] {
        let read = Received::decode(&paid().encode(format)).unwrap();
        assert_eq!(read.format(), format);
        assert_eq!(read.root(), Some("ORDER_RESP"));
        assert_eq!(read.code(), Some(ReturnCode::Success));
        assert_eq!(read.info().as_deref(), Some("请求并支付成功!"));
        assert_eq!(read.field("AMT").as_deref(), Some("1"));
        for path in [
            "FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT",
            "FUND_BILL_LIST.TRADEFUNDBILL.AMOUNT",
        ] {
            assert_eq!(
                read.field(path).as_deref(),
                Some("0.01"),
                "{format:?} {path}"
            );
        }
        assert_eq!(read.field("NOTHING"), None);
        let flat = read.flattened();
        assert!(flat.contains(&("RESULT.CODE".into(), "SUCCESS".into())));
    }
    for bad in ["", "x", "[]", "{", "<a>", "{}x"] {
        assert!(Received::decode(bad.as_bytes()).is_err(), "{bad}");
    }
}
