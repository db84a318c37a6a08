//! White space is not signed, so whoever carries a message may add and remove it. What that could
//! change is refused.

use crate::support::{bodies, house::House};
use serde_json::Value;
use wire::opengateway::{Operation, SerialType, sign};

/// Each kind of white space that the signature does not see.
const UNSEEN: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];

fn escaped(body: &Value, field: &str, value: &str) -> String {
    bodies::with(body.clone(), field, value).to_string()
}

#[tokio::test]
async fn numbers_and_codes_with_white_space_are_refused_though_their_signature_is_right() {
    let house = House::open().await;
    let till = house.till();
    till.paid("PAID", "1.00").await;
    let before = house.counts().await;
    let pre_order = bodies::pre_order("NEW1", bodies::PAYS);
    let order = bodies::order("NEW2");
    let refund = bodies::with(
        bodies::refund("PAID", "0.01", "R1"),
        "CHARGE_DOWN_CODE",
        "20261122000000000742",
    );
    let flow = bodies::flow("13812345678");
    let rows = [
        (Operation::PreOrder, &pre_order, "CHARGE_CODE", "NEW1"),
        (Operation::PreOrder, &pre_order, "DYNAMIC_ID", bodies::PAYS),
        (Operation::PreOrder, &pre_order, "AMT", "10.01"),
        (Operation::PreOrder, &pre_order, "TIME_EXPIRE", "1200"),
        (Operation::PreOrder, &pre_order, "CHANNEL_TYPE", "10"),
        (
            Operation::PreOrder,
            &pre_order,
            "verifyCodes",
            "915346596237",
        ),
        (Operation::Order, &order, "CHARGE_CODE", "NEW2"),
        (Operation::Order, &order, "AMT", "10.01"),
        (Operation::Refund, &refund, "CHARGE_CODE", "PAID"),
        (
            Operation::Refund,
            &refund,
            "CHARGE_DOWN_CODE",
            "20261122000000000742",
        ),
        (Operation::Refund, &refund, "OUT_REFUND_NO", "R1"),
        (Operation::Refund, &refund, "CHARGE_REFUND_FEE", "10.01"),
        (Operation::FlowRecharge, &flow, "phoneNo", "13812345678"),
        (Operation::FlowRecharge, &flow, "flowVal", "100"),
    ];
    for (operation, body, field, value) in rows {
        for space in UNSEEN {
            for spaced in [
                format!("{space}{value}"),
                format!("{value}{space}"),
                value.replacen('0', &format!("0{space}"), 1) + &space.to_string(),
            ] {
                let answer = till
                    .post_text(operation, &escaped(body, field, &spaced))
                    .await;
                let what = format!("{field} {spaced:?}: {}", answer.info());
                assert_eq!(answer.code(), "ILLEGAL_PARAMETER", "{what}");
                assert!(answer.info().contains(field), "{what}");
            }
        }
    }
    assert_eq!(house.counts().await, before);
    house.end().await;
}

#[tokio::test]
async fn a_carrier_cannot_make_a_second_payment_or_refund_of_a_signed_one() {
    let house = House::open().await;
    let till = house.till();
    let attack = async |operation, body: &Value, from: &str, to: &str| {
        let signed = till.posting(operation, body.to_string().as_bytes());
        let mut carried = signed.clone();
        carried.body = body.to_string().replace(from, to).into_bytes();
        assert_ne!(carried.body, signed.body);
        let first = till.ask(&signed).await;
        (first.code(), till.ask(&carried).await.code())
    };
    let body = bodies::pre_order("A1", bodies::PAYS);
    let codes = attack(Operation::PreOrder, &body, "\"A1\"", "\"A 1\"").await;
    assert_eq!(codes, ("SUCCESS".into(), "ILLEGAL_PARAMETER".into()));
    let body = bodies::pre_order("B1", bodies::PAYS);
    let codes = attack(Operation::PreOrder, &body, "收 款", "收  款").await;
    assert_eq!(codes, ("SUCCESS".into(), "SERIAL_REPEAT".into()));
    till.paid("PAID", "1.00").await;
    let body = bodies::without(bodies::refund("PAID", "0.01", ""), "OUT_REFUND_NO");
    let codes = attack(Operation::Refund, &body, "{\"", "{ \n \"").await;
    assert_eq!(
        codes,
        ("SUCCESS".into(), "SUCCESS".into()),
        "the first answer again"
    );
    let refunded = house.stored("PAID").await.unwrap().paid().unwrap().refunded;
    assert_eq!(refunded.get(), 1, "and no second refund");
    let body = bodies::flow("13812345678");
    let codes = attack(Operation::FlowRecharge, &body, "{\"", "{\t\"").await;
    assert_eq!(codes, ("SUCCESS".into(), "SUCCESS".into()));
    assert_eq!(house.counts().await.recharges, 1);
    house.end().await;
}

#[tokio::test]
async fn a_field_cannot_be_hidden_by_white_space_in_its_name() {
    let house = House::open().await;
    let till = house.till();
    till.paid("PAID", "1.00").await;
    let body = bodies::refund("PAID", "0.01", "R1").to_string();
    for space in UNSEEN.map(|it| {
        it.escape_default()
            .to_string()
            .replace("\\u{b}", "\\u000b")
            .replace("\\u{c}", "\\u000c")
    }) {
        let hidden = body.replace("\"OUT_REFUND_NO\"", &format!("\"OUT_REFUND_NO{space}\""));
        assert_ne!(hidden, body);
        let answer = till.post_text(Operation::Refund, &hidden).await;
        assert!(
            answer.info().contains("OUT_REFUND_NO"),
            "{hidden}: {}",
            answer.info()
        );
        answer.expect("ILLEGAL_PARAMETER");
    }
    assert_eq!(till.state("PAID").await, "1");
    house.end().await;
}

#[tokio::test]
async fn a_path_with_white_space_is_refused() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A1", "1.00").await;
    for space in ["%20", "%0A", "%09", "%0D", "%0B", "%0C"] {
        let mut query = till.call(|it| it.query("A1", SerialType::Merchant, true));
        query.target = query.target.replace("/A1/", &format!("/A{space}1/"));
        till.ask(&query).await.expect("ILLEGAL_PARAMETER");
        let mut cancel = till.call(|it| it.cancel("A1", false));
        cancel.target = cancel.target.replace("/A1/", &format!("/A{space}1/"));
        till.ask(&cancel).await.expect("ILLEGAL_PARAMETER");
    }
    assert_eq!(till.state("A1").await, "1");
    house.end().await;
}

#[tokio::test]
async fn wide_spaces_are_signed() {
    let house = House::open().await;
    let till = house.till();
    for (code, space) in [("A", '\u{3000}'), ("B", '\u{a0}')] {
        let body = bodies::pre_order(code, bodies::PAYS);
        let body = bodies::with(body, "PAY_SUBJECT", format!("收{space}款"));
        let signed = till.posting(Operation::PreOrder, body.to_string().as_bytes());
        let mut carried = signed.clone();
        carried.body = body.to_string().replace(space, "").into_bytes();
        till.ask(&carried).await.expect("INVALID_SIGN");
        till.ask(&signed).await.expect("SUCCESS");
        assert_eq!(
            till.query(code).await.get("PAY_SUBJECT"),
            format!("收{space}款")
        );
    }
    house.end().await;
}

#[tokio::test]
async fn a_body_may_be_laid_out_in_any_way_and_signed_in_either_unit_of_time() {
    let house = House::open().await;
    let till = house.till();
    let (seconds, ms) = ("1795305000", "1795305000123");
    for (code, timestamp) in [("A", seconds), ("B", ms)] {
        let body = format!("{:#}\r\n\r\n", bodies::pre_order(code, bodies::PAYS));
        let sign = sign::sign(
            &till.key,
            timestamp,
            body.replace([' ', '\n', '\r'], "").as_bytes(),
        );
        let mut call = till.posting(Operation::PreOrder, body.as_bytes());
        let (path, _) = call.target.split_once('?').unwrap();
        call.target = format!("{path}?_type=json&sign={sign}");
        till.ask(&call).await.expect("SUCCESS");
    }
    house.end().await;
}
