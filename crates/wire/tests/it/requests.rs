//! The source's request tables, row by row: 2.3, 3.3, 4.2, 6.2, 10.2 and appendix 1.

use serde_json::{Value, json};
use wire::opengateway::request::{Good, path_code, rules};
use wire::opengateway::{
    ChannelType, Document, FlowRecharge, Locale, Order, PreOrder, Refund, RequestError,
};

/// A request type, so that the tables can be run on each.
trait Message: Sized {
    fn read(document: &Document<'_>) -> Result<Self, RequestError>;
}

macro_rules! message {
    ($($name:ident),+) => {
        $(impl Message for $name {
            fn read(document: &Document<'_>) -> Result<Self, RequestError> {
                Self::decode(document)
            }
        })+
    };
}

message!(PreOrder, Order, Refund, FlowRecharge);

fn decode<M: Message>(body: &Value) -> Result<M, RequestError> {
    let text = body.to_string();
    let document = Document::decode(text.as_bytes())?;
    M::read(&document)
}

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

fn without(body: &Value, field: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove(field).unwrap();
    body
}

/// Asserts that a body is refused because of one field, in both languages.
fn refused<M: Message>(body: &Value, field: &str) {
    match decode::<M>(body) {
        Ok(_) => panic!("accepted with a wrong {field}: {body}"),
        Err(error) => {
            assert_eq!(error.field(), field, "{body}");
            assert!(error.info(Locale::Zh).contains(field));
            assert!(error.info(Locale::En).contains(field));
        }
    }
}

fn accepted<M: Message>(body: &Value) -> M {
    decode::<M>(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Mandatory rows are refused when absent, null, empty or blank; optional ones are not.
fn presence<M: Message>(body: &Value, mandatory: &[&str], optional: &[&str]) {
    accepted::<M>(body);
    for field in mandatory {
        refused::<M>(&without(body, field), field);
        for blank in [Value::Null, json!(""), json!("  ")] {
            refused::<M>(&with(body, field, blank), field);
        }
    }
    for field in optional {
        accepted::<M>(&without(body, field));
        accepted::<M>(&with(body, field, json!("")));
    }
}

/// Every row is refused when it is a truth value or nested, holds a control character, or is
/// too long; solid ones when they hold white space.
fn shapes<M: Message>(body: &Value, table: &[rules::Rule]) {
    for rule in table {
        let field = rule.name;
        for unusable in [json!(true), json!({"a": 1}), json!([1])] {
            refused::<M>(&with(body, field, unusable), field);
        }
        for control in ["a\u{0}", "a\nb", "\u{7f}"] {
            refused::<M>(&with(body, field, json!(control)), field);
        }
        let long = "快".repeat(rule.chars_max + 1);
        refused::<M>(&with(body, field, json!(long)), field);
        if rule.is_solid && !matches!(field, "NODIFY_URL" | "notifyURL") {
            refused::<M>(&with(body, field, json!("1 1")), field);
        }
    }
}

fn goods() -> Value {
    json!([{
        "GOOD_NAME": "商品名称", "GOOD_CLASS": "商品类型", "GOOD_QUANTITY": "5",
        "GOOD_SUBJECT": "商品描述", "GOOD_ID": "商品ID", "GOOD_PRICE": "2.00",
        "GOOD_SHOWURL": "www.example.com"
    }])
}

fn pre_order() -> Value {
    json!({
        "AMT": "0.01", "BUSI_ID": "0010000001", "CHANNEL_TYPE": "0", "DYNAMIC_ID_TYPE": "1",
        "DYNAMIC_ID": "130730865806264036", "PAY_SUBJECT": "product 2", "OPER_ID": "test1",
        "CHARGE_CODE": "1FD7DA99-997C-4C27-99F9-40C1EC170D5C", "REGISTER_ID": "02016",
        "DEV_ID": "Cash register 1", "verifyCodes": "915346596237", "MERCHANTPARA": "01000001",
        "TIME_EXPIRE": 120, "GOODS_DETAIL": goods()
    })
}

fn order() -> Value {
    json!({
        "AMT": "0.1", "BUSI_ID": "0010000001", "CHANNEL_TYPE": "2", "TRADE_TYPE": "JSAPI",
        "subAppid": "wx0000000000000001", "subOpenid": "oAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "DEV_ID": " dev1", "PAY_SUBJECT": "产品1", "REGISTER_ID": "02016",
        "NODIFY_URL": "HTTP://192.0.2.1:8081/PAY", "OPER_ID": " oper1",
        "MERCHANTPARA": "111111111111111111111111", "TIME_EXPIRE": "7200",
        "CHARGE_CODE": "D3820833-F310-4658-BF98-52959454FCA0",
        "verifyCodes": "915346596237", "GOODS_DETAIL": goods()
    })
}

fn refund() -> Value {
    json!({
        "BUSI_ID": "0010000001", "CHARGE_CODE": "B67B2AEF-058B-45D1-9397-85DD9B1BD84E",
        "DEV_ID": "dev01", "CHARGE_REFUND_FEE": "0.01", "REFUND_SUBJECT": "退款",
        "OUT_REFUND_NO": "BBB10898-4D12-4109-8AFD-D0EB1C37C998", "OPER_ID": "oper01",
        "CHARGE_DOWN_CODE": "20151014100000000953"
    })
}

fn flow_recharge() -> Value {
    json!({
        "phoneNo": "13812345678", "flowVal": 100, "flowType": "0",
        "notifyURL": "http://127.0.0.1/notify"
    })
}

#[test]
fn table_2_3_pre_order() {
    let mandatory = [
        "OPER_ID",
        "DEV_ID",
        "AMT",
        "CHANNEL_TYPE",
        "DYNAMIC_ID_TYPE",
        "DYNAMIC_ID",
        "CHARGE_CODE",
        "PAY_SUBJECT",
    ];
    let optional = [
        "BUSI_ID",
        "MERCHANTPARA",
        "REGISTER_ID",
        "TIME_EXPIRE",
        "GOODS_DETAIL",
        "verifyCodes",
    ];
    presence::<PreOrder>(&pre_order(), &mandatory, &optional);
    shapes::<PreOrder>(
        &pre_order(),
        &[
            rules::BUSI_ID,
            rules::OPER_ID,
            rules::DEV_ID,
            rules::MERCHANTPARA,
            rules::REGISTER_ID,
            rules::AMT,
            rules::TIME_EXPIRE,
            rules::CHANNEL_TYPE,
            rules::DYNAMIC_ID_TYPE,
            rules::DYNAMIC_ID,
            rules::CHARGE_CODE,
            rules::PAY_SUBJECT,
            rules::VERIFY_CODES,
        ],
    );
    let read = accepted::<PreOrder>(&pre_order());
    assert!(read.channel_type == ChannelType::Auto);
    assert_eq!(read.time_expire_s, Some(120));
    assert_eq!(read.dynamic_id_type.code(), 1);
    assert_eq!(read.verify_code.as_deref(), Some("915346596237"));
}

const ORDER_MANDATORY: [&str; 6] = [
    "OPER_ID",
    "DEV_ID",
    "AMT",
    "CHANNEL_TYPE",
    "CHARGE_CODE",
    "PAY_SUBJECT",
];
const ORDER_OPTIONAL: [&str; 7] = [
    "BUSI_ID",
    "MERCHANTPARA",
    "REGISTER_ID",
    "TIME_EXPIRE",
    "NODIFY_URL",
    "GOODS_DETAIL",
    "verifyCodes",
];

#[test]
fn table_3_3_order() {
    let mut body = order();
    for field in ["TRADE_TYPE", "subAppid", "subOpenid"] {
        body = without(&body, field);
    }
    presence::<Order>(&body, &ORDER_MANDATORY, &ORDER_OPTIONAL);
    shapes::<Order>(
        &body,
        &[
            rules::BUSI_ID,
            rules::OPER_ID,
            rules::DEV_ID,
            rules::MERCHANTPARA,
            rules::REGISTER_ID,
            rules::AMT,
            rules::TIME_EXPIRE,
            rules::CHANNEL_TYPE,
            rules::CHARGE_CODE,
            rules::NODIFY_URL,
            rules::PAY_SUBJECT,
            rules::VERIFY_CODES,
        ],
    );
    assert_eq!(accepted::<Order>(&body).trade_type.as_str(), "NATIVE");
    assert_eq!(accepted::<Order>(&body).oper_id, " oper1");
}

#[test]
fn table_4_2_order_in_the_wallets_browser() {
    presence::<Order>(&order(), &ORDER_MANDATORY, &ORDER_OPTIONAL);
    presence::<Order>(&order(), &["subOpenid"], &["subAppid"]);
    shapes::<Order>(
        &order(),
        &[rules::TRADE_TYPE, rules::SUB_APPID, rules::SUB_OPENID],
    );
    refused::<Order>(&with(&order(), "TRADE_TYPE", json!("MWEB")), "TRADE_TYPE");
    for trade_type in ["NATIVE", "APP"] {
        let body = without(
            &with(&order(), "TRADE_TYPE", json!(trade_type)),
            "subOpenid",
        );
        assert_eq!(accepted::<Order>(&body).trade_type.as_str(), trade_type);
    }
}

#[test]
fn table_6_2_refund() {
    let mandatory = ["OPER_ID", "DEV_ID", "CHARGE_REFUND_FEE", "REFUND_SUBJECT"];
    let optional = [
        "BUSI_ID",
        "CHARGE_CODE",
        "CHARGE_DOWN_CODE",
        "OUT_REFUND_NO",
    ];
    presence::<Refund>(&refund(), &mandatory, &optional);
    shapes::<Refund>(
        &refund(),
        &[
            rules::BUSI_ID,
            rules::OPER_ID,
            rules::DEV_ID,
            rules::CHARGE_REFUND_FEE,
            rules::REFUND_SUBJECT,
            rules::CHARGE_CODE,
            rules::CHARGE_DOWN_CODE,
            rules::OUT_REFUND_NO,
        ],
    );
    let neither = without(&without(&refund(), "CHARGE_CODE"), "CHARGE_DOWN_CODE");
    refused::<Refund>(&neither, "CHARGE_CODE");
    let odd = with(&refund(), "CHARGE_DOWN_CODE", json!("1435736619488"));
    assert_eq!(
        accepted::<Refund>(&odd).charge_down_code.unwrap(),
        "1435736619488"
    );
}

#[test]
fn table_10_2_flow_recharge() {
    presence::<FlowRecharge>(
        &flow_recharge(),
        &["phoneNo", "flowVal"],
        &["flowType", "notifyURL"],
    );
    shapes::<FlowRecharge>(
        &flow_recharge(),
        &[
            rules::PHONE_NO,
            rules::FLOW_VAL,
            rules::FLOW_TYPE,
            rules::NOTIFY_URL,
        ],
    );
    for wrong in ["23812345678", "1381234567", "138123456789", "1381234567a"] {
        refused::<FlowRecharge>(&with(&flow_recharge(), "phoneNo", json!(wrong)), "phoneNo");
    }
    for wrong in [json!(0), json!("0"), json!(-1), json!(1.5), json!("ten")] {
        refused::<FlowRecharge>(&with(&flow_recharge(), "flowVal", wrong), "flowVal");
    }
    for wrong in [json!(2), json!("x")] {
        refused::<FlowRecharge>(&with(&flow_recharge(), "flowType", wrong), "flowType");
    }
    let default = without(&flow_recharge(), "flowType");
    assert_eq!(accepted::<FlowRecharge>(&default).flow_type.as_str(), "0");
}

#[test]
fn appendix_1_goods() {
    let item = goods()[0].clone();
    let in_order = |item: Value| with(&order(), "GOODS_DETAIL", json!([item]));
    for field in [
        "GOOD_ID",
        "GOOD_NAME",
        "GOOD_CLASS",
        "GOOD_PRICE",
        "GOOD_SUBJECT",
        "GOOD_QUANTITY",
    ] {
        refused::<Order>(&in_order(without(&item, field)), field);
        refused::<Order>(&in_order(with(&item, field, json!(true))), field);
    }
    for field in ["GOOD_PRICE", "GOOD_QUANTITY"] {
        refused::<Order>(&in_order(with(&item, field, json!("1 0"))), field);
    }
    accepted::<Order>(&in_order(without(&item, "GOOD_SHOWURL")));
    let read: Good = accepted::<Order>(&in_order(item)).goods.remove(0);
    assert_eq!(
        (read.id.as_str(), read.price_yuan.as_str()),
        ("商品ID", "2.00")
    );
    refused::<Order>(&with(&order(), "GOODS_DETAIL", json!([1])), "GOODS_DETAIL");
    let many = json!(vec![goods()[0].clone(); 101]);
    refused::<Order>(&with(&order(), "GOODS_DETAIL", many), "GOODS_DETAIL");
}

#[test]
fn closed_lists_and_ranges() {
    for wrong in [
        json!("4"),
        json!("x"),
        json!(-1),
        json!(1.5),
        json!("+1"),
        json!(99999),
    ] {
        refused::<PreOrder>(&with(&pre_order(), "CHANNEL_TYPE", wrong), "CHANNEL_TYPE");
    }
    for channel in ChannelType::ALL {
        let body = with(&pre_order(), "CHANNEL_TYPE", json!(channel.code()));
        assert!(accepted::<PreOrder>(&body).channel_type == *channel);
    }
    for wrong in [json!(0), json!("4"), json!("a")] {
        refused::<PreOrder>(
            &with(&pre_order(), "DYNAMIC_ID_TYPE", wrong),
            "DYNAMIC_ID_TYPE",
        );
    }
    for wrong in [
        json!(119),
        json!("119"),
        json!("120.0"),
        json!(-120),
        json!("9999999999"),
    ] {
        refused::<PreOrder>(&with(&pre_order(), "TIME_EXPIRE", wrong), "TIME_EXPIRE");
    }
}

#[test]
fn amounts_stay_text() {
    for (sent, kept) in [
        (json!("0.1"), "0.1"),
        (json!("158.0"), "158.0"),
        (json!("1.0E7"), "1.0E7"),
        (json!(158), "158"),
        (json!("abc"), "abc"),
        (json!("-1"), "-1"),
    ] {
        let body = with(&pre_order(), "AMT", sent);
        assert_eq!(accepted::<PreOrder>(&body).amount_yuan, kept);
    }
}

#[test]
fn notification_addresses() {
    let url = |sent: &str| accepted::<Order>(&with(&order(), "NODIFY_URL", json!(sent))).notify_url;
    assert_eq!(url("null"), None);
    assert_eq!(url(" null "), None);
    let spaced = "http://pay.example.com/x? _type=json&encrypt=3DES";
    assert_eq!(
        url(spaced).unwrap(),
        "http://pay.example.com/x?_type=json&encrypt=3DES"
    );
    for wrong in [
        "ftp://example.com/",
        "example.com",
        "http://",
        "https:///x",
        "//x",
        "http://?a",
    ] {
        refused::<Order>(&with(&order(), "NODIFY_URL", json!(wrong)), "NODIFY_URL");
    }
}

#[test]
fn fields_of_other_operations_are_ignored() {
    let body = with(&pre_order(), "NODIFY_URL", json!("null"));
    accepted::<PreOrder>(&with(&body, "unknown", json!({"a": [true]})));
    let body = with(&order(), "DYNAMIC_ID_TYPE", json!("9"));
    accepted::<Order>(&with(&body, "openId", json!(true)));
    accepted::<Refund>(&with(&refund(), "NODIFY_URL", json!("null")));
}

#[test]
fn a_charge_code_is_counted_in_characters() {
    let longest = "快".repeat(64);
    let body = with(&pre_order(), "CHARGE_CODE", json!(longest));
    assert_eq!(accepted::<PreOrder>(&body).charge_code, longest);
    for white in ["a b", "a\u{b}", " a"] {
        assert!(path_code(white).is_err());
    }
    for (code, is_ok) in [
        ("C1", true),
        ("", false),
        ("a\u{0}", false),
        (&longest, true),
    ] {
        assert_eq!(path_code(code).is_ok(), is_ok, "{code:?}");
    }
    assert!(path_code(&"a".repeat(65)).is_err());
}

#[test]
fn what_a_client_writes_is_read_back() {
    let read = accepted::<PreOrder>(&pre_order());
    let again: Value = serde_json::from_str(&read.to_json()).unwrap();
    assert!(accepted::<PreOrder>(&again) == read);
    let read = accepted::<Order>(&order());
    let again: Value = serde_json::from_str(&read.to_json()).unwrap();
    assert!(accepted::<Order>(&again) == read);
    let read = accepted::<Refund>(&refund());
    let again: Value = serde_json::from_str(&read.to_json()).unwrap();
    assert_eq!(accepted::<Refund>(&again), read);
    let read = accepted::<FlowRecharge>(&flow_recharge());
    assert_eq!(
        serde_json::from_str::<Value>(&read.to_json()).unwrap(),
        flow_recharge()
    );
}
