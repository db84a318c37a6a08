//! Every row of the source's tables of URL parameters (2.2, 3.2, 4.1, and sections 6 to 9).

use crate::support::{bodies, house::House, http, till::Answer};
use wire::opengateway::{Operation, SerialType, call::Call};

const OPEN: &str = "/openGateway/openService";

/// What a change to a URL leads to: the operations it concerns, the change, CODE, what INFO says.
struct Row {
    parameter: &'static str,
    change: fn(&str) -> String,
    code: &'static str,
    info: &'static str,
}

const fn row(
    parameter: &'static str,
    change: fn(&str) -> String,
    code: &'static str,
    info: &'static str,
) -> Row {
    Row {
        parameter,
        change,
        code,
        info,
    }
}

/// Takes a parameter out.
fn drop_parameter(target: &str, name: &str) -> String {
    let (path, query) = target.split_once('?').unwrap();
    let left: Vec<&str> = query
        .split('&')
        .filter(|pair| pair.split('=').next() != Some(name))
        .collect();
    format!("{path}?{}", left.join("&"))
}

fn set(target: &str, name: &str, value: &str) -> String {
    format!("{}&{name}={value}", drop_parameter(target, name))
}

/// Tables 2.2, 3.2 and 4.1; the same for refund (section 6.1).
const OF_POSTS: [Row; 11] = [
    row(
        "sign",
        |it| drop_parameter(it, "sign"),
        "INVALID_SIGN",
        "sign",
    ),
    row("sign", |it| set(it, "sign", ""), "INVALID_SIGN", "sign"),
    row(
        "sign",
        |it| set(it, "sign", "0"),
        "INVALID_SIGN",
        "签名错误",
    ),
    row(
        "sign",
        |it| format!("{it}&sign=1"),
        "ILLEGAL_PARAMETER",
        "sign",
    ),
    row(
        "_type",
        |it| set(it, "_type", "yaml"),
        "ILLEGAL_PARAMETER",
        "_type",
    ),
    row(
        "_type",
        |it| set(it, "_type", "JSON"),
        "ILLEGAL_PARAMETER",
        "_type",
    ),
    row(
        "_type",
        |it| format!("{it}&_type=json"),
        "ILLEGAL_PARAMETER",
        "_type",
    ),
    row(
        "encrypt",
        |it| set(it, "encrypt", "AES"),
        "ILLEGAL_PARAMETER",
        "encrypt",
    ),
    row(
        "encrypt",
        |it| set(it, "encrypt", "3des"),
        "ILLEGAL_PARAMETER",
        "encrypt",
    ),
    row(
        "busiCode",
        |it| set(it, "busiCode", "0010000003"),
        "UNREGISTERED_BUSI",
        "未注册",
    ),
    row(
        "busiCode",
        |it| set(it, "busiCode", "0010000002"),
        "INVALID_SIGN",
        "签名错误",
    ),
];

/// Sections 7.1 and 8.1.
const OF_GETS: [Row; 8] = [
    row(
        "sign",
        |it| set(it, "sign", "0"),
        "INVALID_SIGN",
        "签名错误",
    ),
    row(
        "_type",
        |it| set(it, "_type", "yaml"),
        "ILLEGAL_PARAMETER",
        "_type",
    ),
    row(
        "encrypt",
        |it| set(it, "encrypt", "AES"),
        "ILLEGAL_PARAMETER",
        "encrypt",
    ),
    row(
        "serType",
        |it| set(it, "serType", "3"),
        "ILLEGAL_PARAMETER",
        "serType",
    ),
    row(
        "serType",
        |it| set(it, "serType", "x"),
        "ILLEGAL_PARAMETER",
        "serType",
    ),
    row(
        "serType",
        |it| set(it, "serType", "1%20"),
        "ILLEGAL_PARAMETER",
        "serType",
    ),
    row(
        "opType",
        |it| format!("{it}&opType=ACO&opType=x"),
        "ILLEGAL_PARAMETER",
        "opType",
    ),
    row(
        "busiCode",
        |it| set(it, "busiCode", "0010000002"),
        "ILLEGAL_PARAMETER",
        "busiCode",
    ),
];

#[test]
fn no_parameter_of_the_source_is_forgotten() {
    for parameter in ["sign", "_type", "encrypt", "busiCode"] {
        assert!(OF_POSTS.iter().any(|it| it.parameter == parameter));
        assert!(OF_GETS.iter().any(|it| it.parameter == parameter));
    }
    for parameter in ["serType", "opType"] {
        assert!(OF_GETS.iter().any(|it| it.parameter == parameter));
    }
}

async fn prove(house: &House, rows: &[Row], right: &Call) {
    let before = house.counts().await;
    for row in rows {
        let call = Call {
            target: (row.change)(&right.target),
            ..right.clone()
        };
        let answer = Answer::read(&http::send(house.address, &call).await.body);
        let target = &call.target;
        assert_eq!(answer.code(), row.code, "{target}: {}", answer.info());
        assert!(
            answer.info().contains(row.info),
            "{target}: {}",
            answer.info()
        );
    }
    assert_eq!(house.counts().await, before, "a refusal leaves no trace");
}

#[tokio::test]
async fn parameters_of_every_operation_with_a_body() {
    let house = House::open().await;
    let till = house.till();
    till.paid("PAID", "1.00").await;
    for (operation, body) in [
        (Operation::PreOrder, bodies::pre_order("P", bodies::PAYS)),
        (Operation::Order, bodies::order("O")),
        (Operation::Refund, bodies::refund("PAID", "0.01", "R")),
    ] {
        let mut body = body;
        // Else the body would name the merchant where the URL does not.
        body["BUSI_ID"] = serde_json::Value::Null;
        let right = till.posting(operation, body.to_string().as_bytes());
        prove(&house, &OF_POSTS, &right).await;
        let nameless = row(
            "busiCode",
            |it| drop_parameter(it, "busiCode"),
            "ILLEGAL_PARAMETER",
            "busiCode",
        );
        prove(&house, &[nameless], &right).await;
        till.ask(&right).await.expect("SUCCESS");
    }
    house.end().await;
}

#[tokio::test]
async fn parameters_of_query_cancel_and_recharge() {
    let house = House::open().await;
    let till = house.till();
    till.paid("PAID", "1.00").await;
    let query = till.call(|it| it.query("PAID", SerialType::Merchant, true));
    prove(&house, &OF_GETS, &query).await;
    let cancel = till.call(|it| it.cancel("PAID", false));
    prove(&house, &OF_GETS, &cancel).await;
    let unsigned = row(
        "sign",
        |it| drop_parameter(it, "sign"),
        "INVALID_SIGN",
        "sign",
    );
    prove(&house, &[unsigned], &cancel).await;
    let body = bodies::flow("13812345678").to_string();
    let flow = till.posting(Operation::FlowRecharge, body.as_bytes());
    let of_flow = [
        row(
            "sign",
            |it| drop_parameter(it, "sign"),
            "INVALID_SIGN",
            "sign",
        ),
        row(
            "sign",
            |it| set(it, "sign", "0"),
            "INVALID_SIGN",
            "签名错误",
        ),
        row(
            "busiCode",
            |it| set(it, "busiCode", "0010000002"),
            "ILLEGAL_PARAMETER",
            "busiCode",
        ),
        row(
            "BUSICODE",
            |it| it.replace("/0010000001?", "/0010000009?"),
            "ILLEGAL_PARAMETER",
            "busiCode",
        ),
    ];
    prove(&house, &of_flow, &flow).await;
    assert_eq!(till.state("PAID").await, "1");
    house.end().await;
}

#[tokio::test]
async fn any_op_type_but_aco_cancels_at_once() {
    let house = House::open().await;
    let till = house.till();
    for (code, op_type, state) in [
        ("A", "ACO", "3"),
        ("B", "aco", "2"),
        ("C", "", "2"),
        ("D", "x", "2"),
    ] {
        till.paid(code, "1.00").await;
        let mut call = till.call(|it| it.cancel(code, false));
        call.target = set(&call.target, "opType", op_type);
        till.ask(&call).await.expect("SUCCESS");
        assert_eq!(till.state(code).await, state, "{op_type}");
    }
    house.end().await;
}

#[tokio::test]
async fn des_is_read_as_3des_and_unknown_parameters_are_ignored() {
    let house = House::open().await;
    let till = house.till().sealed();
    let body = bodies::pre_order("A", bodies::PAYS).to_string();
    let mut call = till.posting(Operation::PreOrder, body.as_bytes());
    call.target = set(&call.target, "encrypt", "DES");
    till.ask(&call).await.expect("SUCCESS");
    let plain = house.till();
    let mut call = plain.call(|it| it.query("A", SerialType::Merchant, true));
    call.target = format!("{}&BUSI_ID=0010000002&foo=bar&foo=bar&&=&x", call.target);
    plain.ask(&call).await.expect("SUCCESS");
    house.end().await;
}

#[tokio::test]
async fn the_body_names_the_merchant_when_the_url_does_not() {
    let house = House::open().await;
    let till = house.till();
    let body = bodies::pre_order("A", bodies::PAYS).to_string();
    let mut call = till.posting(Operation::PreOrder, body.as_bytes());
    call.target = drop_parameter(&call.target, "busiCode");
    till.ask(&call).await.expect("SUCCESS");
    let xml = "<r><BUSI_ID>0010000009</BUSI_ID></r>";
    let call = http::post(&format!("{OPEN}/order?_type=json"), xml);
    till.ask(&call).await.expect("UNREGISTERED_BUSI");
    house.end().await;
}
