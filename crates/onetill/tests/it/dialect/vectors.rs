//! What independent clients send, byte for byte.

use crate::support::{
    house::{House, Rows},
    http,
    till::Answer,
};
use serde_json::Value;
use wire::opengateway::call::Call;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../wire/tests/vectors/open-gateway.json"
));

on_both_stores!(the_files_requests_in_file_order);

async fn the_files_requests_in_file_order(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let mut answers = Vec::new();
    for request in file["requests"].as_array().unwrap() {
        answers.push(ask(&house, request).await);
    }
    let codes: Vec<String> = answers.iter().map(Answer::code).collect();
    assert_eq!(
        codes,
        [
            "SUCCESS",
            "SERIAL_REPEAT",
            "SUCCESS",
            "SUCCESS",
            "AREADY_REVOKED",
            "SUCCESS"
        ]
    );
    let [paid, _, found, _, _, ordered] = &answers[..] else {
        panic!("six requests");
    };
    assert_eq!(paid.get("AMT"), "1");
    assert_eq!(paid.get("CHANNEL_TYPE"), "1");
    assert_eq!(found.get("STATE"), "1");
    assert_eq!(found.get("PAY_SUBJECT"), "收 款");
    assert_eq!(
        found.get("charge_THIRD_CODE"),
        paid.get("CHARGE_THIRD_CODE")
    );
    assert!(ordered.get("BAR_CODE").contains("/sandbox/pay/"));
    let order = house.stored("20170714155924001").await.unwrap();
    assert_eq!(order.expires_at.since_ms(order.created_at), 1_800_000);
    house.end().await;
}

async fn ask(house: &House, request: &Value) -> Answer {
    let text = |name: &str| request[name].as_str();
    let target = text("target").unwrap();
    let call = Call {
        method: if text("method") == Some("POST") {
            "POST"
        } else {
            "GET"
        },
        target: format!("/openGateway/openService/{target}"),
        body: text("body").unwrap_or_default().into(),
    };
    let till = house.till();
    let till = if target.contains("encrypt=3DES") {
        till.sealed()
    } else {
        till
    };
    till.read(&http::send(house.address, &call).await)
}
