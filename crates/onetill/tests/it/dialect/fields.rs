//! Every row of the source's tables of body fields: what must be there, what is refused, that INFO
//! names it, and that nothing is recorded.

use crate::support::{
    bodies::{self, with, without},
    house::House,
};
use serde_json::{Value, json};
use wire::opengateway::Operation;

const ILLEGAL: &str = "ILLEGAL_PARAMETER";

/// Table 2.3.
const PRE_ORDER: [&str; 15] = [
    "BUSI_ID",
    "OPER_ID",
    "DEV_ID",
    "MERCHANTPARA",
    "REGISTER_ID",
    "AMT",
    "TIME_EXPIRE",
    "CHANNEL_TYPE",
    "DYNAMIC_ID_TYPE",
    "DYNAMIC_ID",
    "CHARGE_CODE",
    "PAY_SUBJECT",
    "GOODS_DETAIL",
    "verifyCodes",
    // Unknown here, but one SDK sends it: ignored.
    "NODIFY_URL",
];
/// Tables 3.3 and 4.2.
const ORDER: [&str; 16] = [
    "BUSI_ID",
    "OPER_ID",
    "DEV_ID",
    "MERCHANTPARA",
    "REGISTER_ID",
    "AMT",
    "TIME_EXPIRE",
    "CHANNEL_TYPE",
    "TRADE_TYPE",
    "subAppid",
    "subOpenid",
    "CHARGE_CODE",
    "NODIFY_URL",
    "PAY_SUBJECT",
    "GOODS_DETAIL",
    "verifyCodes",
];
/// Table 6.2.
const REFUND: [&str; 8] = [
    "BUSI_ID",
    "OPER_ID",
    "DEV_ID",
    "CHARGE_REFUND_FEE",
    "REFUND_SUBJECT",
    "CHARGE_CODE",
    "CHARGE_DOWN_CODE",
    "OUT_REFUND_NO",
];
/// Table 10.2.
const FLOW: [&str; 4] = ["phoneNo", "flowVal", "flowType", "notifyURL"];
/// Table 9.1.
const GOODS: [&str; 7] = [
    "GOOD_ID",
    "GOOD_NAME",
    "GOOD_CLASS",
    "GOOD_PRICE",
    "GOOD_SUBJECT",
    "GOOD_QUANTITY",
    "GOOD_SHOWURL",
];

/// One row of a table.
struct Row {
    field: &'static str,
    mandatory: bool,
    /// Values that are refused, and with which CODE.
    bad: Vec<(Value, &'static str)>,
    /// A value that is taken.
    good: Value,
}

fn row(
    field: &'static str,
    mandatory: bool,
    good: impl Into<Value>,
    bad: &[(Value, &'static str)],
) -> Row {
    Row {
        field,
        mandatory,
        bad: bad.to_vec(),
        good: good.into(),
    }
}

/// A text of so many characters, each three bytes long.
fn long(chars: usize) -> Value {
    Value::String("收".repeat(chars))
}

fn illegal<const N: usize>(values: [Value; N]) -> Vec<(Value, &'static str)> {
    values.map(|value| (value, ILLEGAL)).to_vec()
}

fn bad_amounts() -> Vec<(Value, &'static str)> {
    let mut amounts: Vec<_> = [
        json!("0"),
        json!("0.00"),
        json!("-0.01"),
        json!("0.001"),
        json!(0.005),
        json!("100000000"),
        json!("1e400"),
        json!("1,00"),
        json!("NaN"),
        json!("0x10"),
        json!("１"),
    ]
    .map(|value| (value, "AMT_ERROR"))
    .to_vec();
    amounts.extend(illegal([json!("0. 01"), json!([]), json!(true)]));
    amounts
}

/// What preOrder and order have in common.
fn common() -> Vec<Row> {
    let text =
        |chars: usize| illegal([long(chars + 1), json!("a\u{1}b"), json!("a\tb"), json!({})]);
    let code = |chars: usize| {
        illegal([
            Value::String("c".repeat(chars + 1)),
            json!("a b"),
            json!("a\nb"),
            json!(" "),
            json!(["C"]),
        ])
    };
    let amounts = bad_amounts();
    let two_merchants = illegal([json!("0010000002"), json!("001 0000001")]);
    let expiries = illegal([
        json!("119"),
        json!(0),
        json!("-120"),
        json!("120.5"),
        json!("abc"),
        json!("99999999999"),
    ]);
    let goods = illegal([json!("text"), json!(5), json!([5]), json!([[]])]);
    vec![
        // The URL names the merchant as well: the body need not.
        row("BUSI_ID", false, "0010000001", &two_merchants),
        row("OPER_ID", true, "oper01", &text(128)),
        row("DEV_ID", true, "dev 01", &text(128)),
        row("MERCHANTPARA", false, "01000001", &text(1024)),
        row("REGISTER_ID", false, "02016", &text(128)),
        row("AMT", true, "1.0E-2", &amounts),
        row("TIME_EXPIRE", false, 120, &expiries),
        row("CHARGE_CODE", true, "set by the test", &code(64)),
        row("PAY_SUBJECT", true, "二维码 产品支付", &text(256)),
        row("GOODS_DETAIL", false, json!([bodies::good()]), &goods),
        // Not yet: this gateway takes no vouchers. Nothing may be charged meanwhile.
        row(
            "verifyCodes",
            false,
            Value::Null,
            &illegal([json!("A1234455"), json!("A 1")]),
        ),
    ]
}

fn pre_order_rows() -> Vec<Row> {
    let channels = illegal([
        json!("4"),
        json!("-1"),
        json!("x"),
        json!("1.0"),
        json!("99999"),
    ]);
    let kinds = illegal([json!("0"), json!("4"), json!("x")]);
    let payer_codes = illegal([
        json!("99"),
        json!("2842149030607947 55"),
        json!("28421490306079475x"),
        json!("13421490306079475"),
    ]);
    let mut rows = common();
    rows.extend([
        row("CHANNEL_TYPE", true, "0", &channels),
        row("DYNAMIC_ID_TYPE", true, 1, &kinds),
        row("DYNAMIC_ID", true, bodies::PAYS, &payer_codes),
        row("NODIFY_URL", false, "not a URL", &[]),
    ]);
    rows
}

fn order_rows() -> Vec<Row> {
    let channels = illegal([json!("0"), json!("4"), json!("x")]);
    let trades = illegal([json!("native"), json!("MWEB"), json!(5)]);
    let urls = illegal([
        json!("ftp://203.0.114.1/"),
        json!("http://"),
        json!("//host/path"),
        json!("http://10.0.0.1/"),
        json!("http://user:word@203.0.114.1/"),
        Value::String(format!("http://203.0.114.1/{}", "a".repeat(1_010))),
    ]);
    let mut rows = common();
    rows.extend([
        row("CHANNEL_TYPE", true, "2", &channels),
        row("TRADE_TYPE", false, "JSAPI", &trades),
        row(
            "subAppid",
            false,
            "wx8888888888888888",
            &illegal([json!("a b")]),
        ),
        row(
            "subOpenid",
            false,
            "o-1",
            &illegal([json!("a b"), json!("\t")]),
        ),
        row("NODIFY_URL", false, "http://203.0.114.1/a b?x=1", &urls),
    ]);
    rows
}

fn refund_rows() -> Vec<Row> {
    let text = illegal([long(257), json!("a\u{7f}")]);
    let serials = illegal([Value::String("c".repeat(65)), json!("a b"), json!("a\rb")]);
    vec![
        row(
            "BUSI_ID",
            false,
            "0010000001",
            &illegal([json!("0010000002")]),
        ),
        row("OPER_ID", true, "oper01", &text),
        row("DEV_ID", true, "dev01", &text),
        row("CHARGE_REFUND_FEE", true, 0.01, &bad_amounts()),
        row("REFUND_SUBJECT", true, "商户 退款", &text),
        row("CHARGE_CODE", true, "PAID", &serials),
        row("CHARGE_DOWN_CODE", false, Value::Null, &serials),
        row("OUT_REFUND_NO", false, "R-good", &serials),
    ]
}

fn flow_rows() -> Vec<Row> {
    let phones = illegal([
        json!("1381234567"),
        json!("138123456789"),
        json!("23812345678"),
        json!("1381234567x"),
        json!("138 12345678"),
    ]);
    let volumes = illegal([
        json!(0),
        json!(-1),
        json!("1.5"),
        json!("x"),
        json!("1 0"),
        json!(4_294_967_296_i64),
    ]);
    let urls = illegal([json!("gopher://x/"), json!("http://192.168.0.1/")]);
    vec![
        row("phoneNo", true, "13812345678", &phones),
        row("flowVal", true, "100", &volumes),
        row("flowType", false, 1, &illegal([json!("2"), json!("x")])),
        row("notifyURL", false, Value::Null, &urls),
    ]
}

fn goods_rows() -> Vec<Row> {
    let text = illegal([long(1025), json!("a\u{0}b"), json!([])]);
    let figure = illegal([json!("4 9"), Value::String("9".repeat(33))]);
    vec![
        row("GOOD_ID", true, "2010", &text),
        row("GOOD_NAME", true, "I phone", &text),
        row("GOOD_CLASS", true, "手机", &text),
        row("GOOD_PRICE", true, 4999, &figure),
        row("GOOD_SUBJECT", true, "数码产品", &text),
        row("GOOD_QUANTITY", true, 1, &figure),
        row("GOOD_SHOWURL", false, "WWW.****.COM", &text),
    ]
}

fn assert_covers(rows: &[Row], source: &[&str]) {
    for field in source {
        assert_eq!(
            rows.iter().filter(|it| it.field == *field).count(),
            1,
            "{field}"
        );
    }
    assert_eq!(rows.len(), source.len());
}

#[test]
fn no_row_of_the_source_is_forgotten() {
    assert_covers(&pre_order_rows(), &PRE_ORDER);
    assert_covers(&order_rows(), &ORDER);
    assert_covers(&refund_rows(), &REFUND);
    assert_covers(&flow_rows(), &FLOW);
    assert_covers(&goods_rows(), &GOODS);
}

/// Makes `right` wrong in each way of each row; `place` puts a table's fields into the body.
async fn prove(
    house: &House,
    operation: Operation,
    rows: &[Row],
    right: &Value,
    place: impl Fn(&Value) -> Value,
) {
    let before = house.counts().await;
    for row in rows {
        let refused = |body: Value, code: &'static str| {
            let place = &place;
            async move {
                let body = place(&body);
                let answer = house.till().post(operation, &body).await;
                assert_eq!(answer.code(), code, "{body}: {}", answer.info());
                assert!(
                    answer.info().contains(row.field),
                    "{body}: {}",
                    answer.info()
                );
            }
        };
        for (bad, code) in &row.bad {
            refused(with(right.clone(), row.field, bad.clone()), code).await;
        }
        if row.mandatory {
            for absent in [json!(""), json!("  \t "), Value::Null] {
                refused(with(right.clone(), row.field, absent), ILLEGAL).await;
            }
            refused(without(right.clone(), row.field), ILLEGAL).await;
        }
    }
    assert_eq!(house.counts().await, before, "a refusal leaves no trace");
}

/// All fields at their good values, then only those that must be there.
async fn prove_good(
    house: &House,
    operation: Operation,
    rows: &[Row],
    right: &Value,
    finish: impl Fn(Value, &str) -> Value,
) {
    let all = rows.iter().fold(right.clone(), |body, row| {
        with(body, row.field, row.good.clone())
    });
    let answer = house
        .till()
        .post(operation, &finish(all.clone(), "ALL"))
        .await;
    answer.expect("SUCCESS");
    let few = rows
        .iter()
        .filter(|row| !row.mandatory)
        .fold(all, |body, row| without(body, row.field));
    let answer = house.till().post(operation, &finish(few, "FEW")).await;
    answer.expect("SUCCESS");
}

#[tokio::test]
async fn table_2_3_of_pre_order() {
    let house = House::open().await;
    let right = bodies::pre_order("BAD", bodies::PAYS);
    let rows = pre_order_rows();
    prove(&house, Operation::PreOrder, &rows, &right, Value::clone).await;
    assert_eq!(house.till().query("BAD").await.code(), "CHARGE_NONEXISTENT");
    let finish = |body, code: &str| with(body, "CHARGE_CODE", code);
    prove_good(&house, Operation::PreOrder, &rows, &right, finish).await;
    let found = house.till().query("ALL").await;
    assert_eq!(found.get("MERCHANTPARA"), "01000001");
    assert_eq!(found.get("REGISTER_ID"), "02016");
    assert_eq!(found.get("DEV_ID"), "dev 01");
    assert_eq!(found.get("GOODS_DETAIL.0.GOOD_NAME"), "Iphone");
    house.end().await;
}

#[tokio::test]
async fn tables_3_3_and_4_2_of_order() {
    let house = House::open().await;
    let right = bodies::order("BAD");
    let rows = order_rows();
    prove(&house, Operation::Order, &rows, &right, Value::clone).await;
    let js = with(right.clone(), "TRADE_TYPE", "JSAPI");
    let answer = house.till().post(Operation::Order, &js).await;
    assert!(answer.info().contains("subOpenid"), "{}", answer.info());
    answer.expect(ILLEGAL);
    assert_eq!(house.till().query("BAD").await.code(), "CHARGE_NONEXISTENT");
    let finish = |body, code: &str| with(body, "CHARGE_CODE", code);
    prove_good(&house, Operation::Order, &rows, &right, finish).await;
    let stored = house.stored("ALL").await.unwrap();
    let url = stored.details.notify_url.as_deref();
    assert_eq!(url, Some("http://203.0.114.1/ab?x=1"), "white space goes");
    house.end().await;
}

#[tokio::test]
async fn table_6_2_of_refund() {
    let house = House::open().await;
    house.till().paid("PAID", "1.00").await;
    let right = bodies::refund("PAID", "0.01", "R-bad");
    let rows = refund_rows();
    prove(&house, Operation::Refund, &rows, &right, Value::clone).await;
    let finish = |body, code: &str| with(with(body, "CHARGE_CODE", "PAID"), "REFUND_SUBJECT", code);
    prove_good(&house, Operation::Refund, &rows, &right, finish).await;
    assert_eq!(house.till().state("PAID").await, "4");
    house.end().await;
}

#[tokio::test]
async fn table_10_2_of_flow_recharge() {
    let house = House::open().await;
    let right = bodies::flow("13812345678");
    let rows = flow_rows();
    prove(&house, Operation::FlowRecharge, &rows, &right, Value::clone).await;
    let finish = |body, _: &str| body;
    prove_good(&house, Operation::FlowRecharge, &rows, &right, finish).await;
    house.end().await;
}

#[tokio::test]
async fn appendix_1_of_goods_in_both_operations() {
    let house = House::open().await;
    let rows = goods_rows();
    for (operation, right) in [
        (
            Operation::PreOrder,
            bodies::pre_order("GOODS-P", bodies::PAYS),
        ),
        (Operation::Order, bodies::order("GOODS-O")),
    ] {
        let place =
            |good: &Value| with(right.clone(), "GOODS_DETAIL", json!([bodies::good(), good]));
        prove(&house, operation, &rows, &bodies::good(), place).await;
        let many = json!(vec![bodies::good(); 101]);
        let body = with(right.clone(), "GOODS_DETAIL", many);
        let answer = house.till().post(operation, &body).await;
        assert!(answer.info().contains("GOODS_DETAIL"), "{}", answer.info());
        answer.expect(ILLEGAL);
        let code = right["CHARGE_CODE"].as_str().unwrap();
        let most = with(
            right.clone(),
            "GOODS_DETAIL",
            json!(vec![bodies::good(); 100]),
        );
        house.till().post(operation, &most).await.expect("SUCCESS");
        let found = house.till().query(code).await;
        assert_eq!(found.get("GOODS_DETAIL.99.GOOD_PRICE"), "4999");
        assert_eq!(found.get("GOODS_DETAIL.99.GOOD_QUANTITY"), "1");
    }
    house.end().await;
}
