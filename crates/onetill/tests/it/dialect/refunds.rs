//! Money that goes back: amounts, numbers, states, and whose payment it is.

use crate::support::{
    bodies::{self, trigger, with, without},
    house::{House, Rows},
    till::Till,
};
use domain::merchant::MerchantSettings;
use onetill::admin::{Request, demo, merchants::NewMerchant};
use serde_json::Value;
use wire::opengateway::Operation;

on_both_stores!(
    parts_add_up_to_the_whole_and_no_further,
    the_same_number_is_the_same_refund
);

async fn parts_add_up_to_the_whole_and_no_further(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    for (number, yuan, code, state, kept_fen) in [
        ("R1", "0.30", "SUCCESS", "4", 70),
        ("R2", "0.71", "AMT_ERROR", "4", 70),
        ("R3", "1.00", "AMT_ERROR", "4", 70),
        ("R4", "0.69", "SUCCESS", "4", 1),
        ("R5", "0.02", "AMT_ERROR", "4", 1),
        ("R6", "0.01", "SUCCESS", "5", 0),
        ("R7", "0.01", "AMT_ERROR", "5", 0),
    ] {
        let answer = till.refund("A", yuan, number).await;
        assert_eq!(answer.code(), code, "{number}: {}", answer.info());
        if code == "SUCCESS" {
            let amount = answer.get("FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT");
            assert_eq!(amount, yuan);
            assert_eq!(answer.get("CHANNEL_TYPE"), "1");
        } else {
            assert!(
                answer
                    .info()
                    .contains(&format!("{}.{:02}元", kept_fen / 100, kept_fen % 100))
            );
        }
        assert_eq!(till.state("A").await, state, "{number}");
        assert_eq!(house.holds_fen("A").await, kept_fen, "{number}");
    }
    house.end().await;
}

async fn the_same_number_is_the_same_refund(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    till.paid("B", "1.00").await;
    let first = till.refund("A", "0.40", "R").await.expect("SUCCESS");
    house.advance_s(90).await;
    assert_eq!(till.refund("A", "0.40", "R").await, first);
    assert_eq!(
        till.refund("A", "0.4", "R").await,
        first,
        "the amount, not its spelling"
    );
    for (order, yuan) in [("A", "0.41"), ("B", "0.40")] {
        let answer = till.refund(order, yuan, "R").await;
        assert!(answer.info().contains("OUT_REFUND_NO"), "{}", answer.info());
        answer.expect("SERIAL_REPEAT");
    }
    till.refund("A", "0.60", "R2").await.expect("SUCCESS");
    assert_eq!(
        till.refund("A", "0.40", "R").await,
        first,
        "though nothing is left"
    );
    assert_eq!(house.counts().await.refunds, 2);
    assert_eq!(
        (house.holds_fen("A").await, house.holds_fen("B").await),
        (0, 100)
    );
    house.end().await;
}

#[tokio::test]
async fn without_a_number_the_signature_is_the_number() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    let body = without(bodies::refund("A", "0.30", ""), "OUT_REFUND_NO").to_string();
    let call = till.posting(Operation::Refund, body.as_bytes());
    let first = till.ask(&call).await.expect("SUCCESS");
    house.advance_s(86_400).await;
    assert_eq!(till.ask(&call).await, first);
    assert_eq!(house.holds_fen("A").await, 70);
    let later = till.posting(Operation::Refund, body.as_bytes());
    assert_ne!(later.target, call.target);
    till.ask(&later).await.expect("SUCCESS");
    assert_eq!(
        house.holds_fen("A").await,
        40,
        "signed anew, it is another refund"
    );
    house.end().await;
}

#[tokio::test]
async fn refunds_by_state() {
    let house = House::impatient().await;
    let till = house.till();
    till.order("S0").await.expect("SUCCESS");
    till.paid("S1", "1.00").await;
    till.paid("S2", "1.00").await;
    till.cancel("S2").await.expect("SUCCESS");
    till.paid("S3", "1.00").await;
    till.request_cancel("S3").await.expect("SUCCESS");
    till.paid("S4", "1.00").await;
    till.refund("S4", "0.10", "R4").await.expect("SUCCESS");
    till.paid("S5", "1.00").await;
    till.refund("S5", "1.00", "R5").await.expect("SUCCESS");
    till.pay("S6", &trigger("06")).await.expect("FAIL");
    till.paid("S8", "2.00").await;
    till.refund("S8", "0.98", "R8").await.expect("SUCCESS");
    till.paid("S9", "2.00").await;
    till.refund("S9", "0.97", "R9").await.expect("FAIL");
    for (order, code, state) in [
        ("S0", "FAIL", "0"),
        ("S1", "SUCCESS", "4"),
        ("S2", "AREADY_REVOKED", "2"),
        ("S3", "FAIL", "3"),
        ("S4", "SUCCESS", "4"),
        ("S5", "AMT_ERROR", "5"),
        ("S6", "FAIL", "6"),
        ("S8", "SUCCESS", "8"),
        ("S9", "SUCCESS", "4"),
        ("UNKNOWN", "CHARGE_NONEXISTENT", ""),
    ] {
        let answer = till.refund(order, "0.20", order).await;
        assert_eq!(answer.code(), code, "{order}: {}", answer.info());
        if !state.is_empty() {
            assert_eq!(till.state(order).await, state, "{order}");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_refund_under_way_holds_its_money_until_it_is_done() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    let first = till.refund("A", "0.98", "R1").await.expect("SUCCESS");
    assert!(first.info().contains("处理中"), "{}", first.info());
    assert_eq!(till.state("A").await, "8");
    till.refund("A", "0.03", "R2").await.expect("AMT_ERROR");
    assert_eq!(till.refund("A", "0.98", "R1").await, first);
    till.refund("A", "0.02", "R3").await.expect("SUCCESS");
    assert_eq!(till.state("A").await, "8");
    house.drain().await;
    assert_eq!(till.state("A").await, "5");
    till.refund("A", "0.98", "R1").await.expect("SUCCESS");
    assert_eq!(house.counts().await.refunds, 2);
    house.end().await;
}

#[tokio::test]
async fn a_failed_refund_keeps_its_number_and_its_money_can_go_back_under_another() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "2.00").await;
    let refused = till.refund("A", "1.97", "R1").await.expect("FAIL");
    assert!(refused.info().contains("未退款"), "{}", refused.info());
    assert_eq!(refused.field("FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT"), None);
    assert_eq!(till.state("A").await, "9");
    assert_eq!(house.holds_fen("A").await, 200);
    assert_eq!(
        till.refund("A", "1.97", "R1").await,
        refused,
        "the first answer again"
    );
    till.refund("A", "1.96", "R2").await.expect("SUCCESS");
    assert_eq!(till.state("A").await, "4");
    till.refund("A", "0.04", "R3").await.expect("SUCCESS");
    assert_eq!(till.state("A").await, "5");
    house.end().await;
}

#[tokio::test]
async fn a_refused_refund_leaves_its_number_free() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    till.refund("A", "1.01", "R").await.expect("AMT_ERROR");
    till.refund("UNKNOWN", "0.50", "R")
        .await
        .expect("CHARGE_NONEXISTENT");
    till.order("OPEN").await.expect("SUCCESS");
    till.refund("OPEN", "0.01", "R").await.expect("FAIL");
    let no_subject = with(bodies::refund("A", "0.50", "R"), "REFUND_SUBJECT", "");
    till.post(Operation::Refund, &no_subject)
        .await
        .expect("ILLEGAL_PARAMETER");
    till.refund("A", "0.50", "R").await.expect("SUCCESS");
    house.end().await;
}

#[tokio::test]
async fn the_gateways_serial_wins_over_the_merchants() {
    let house = House::open().await;
    let till = house.till();
    let a = till.paid("A", "1.00").await;
    till.paid("B", "1.00").await;
    let refund = async |body: Value| till.post(Operation::Refund, &body).await.code();
    let both = with(bodies::refund("B", "0.10", "R1"), "CHARGE_DOWN_CODE", &*a);
    assert_eq!(refund(both).await, "SUCCESS");
    assert_eq!(
        (till.state("A").await, till.state("B").await),
        ("4".into(), "1".into())
    );
    let alone = with(
        without(bodies::refund("", "0.10", "R2"), "CHARGE_CODE"),
        "CHARGE_DOWN_CODE",
        &*a,
    );
    assert_eq!(refund(alone).await, "SUCCESS");
    for unknown in [
        "20261122000000000000",
        "A",
        "2026112",
        "20261399000000000000",
    ] {
        let wrong = with(
            bodies::refund("B", "0.10", "R3"),
            "CHARGE_DOWN_CODE",
            unknown,
        );
        assert_eq!(refund(wrong).await, "CHARGE_NONEXISTENT", "{unknown}");
    }
    assert_eq!(
        (house.holds_fen("A").await, house.holds_fen("B").await),
        (80, 100)
    );
    house.end().await;
}

#[tokio::test]
async fn nobody_elses_payment_can_be_given_back_seen_or_cancelled() {
    let house = House::open().await;
    let serial = house.till().paid("A", "1.00").await;
    let neighbour = NewMerchant {
        code: "0010000003".to_owned(),
        tenant: "demo".to_owned(),
        name: "隔壁".to_owned(),
        key: demo::OTHER_KEY.to_owned(),
        channels: None,
        settings: MerchantSettings::default(),
    };
    house.admin(Request::AddMerchant(neighbour)).await.unwrap();
    for thief in [
        house.other_till(),
        Till::new(&house, "0010000003", demo::OTHER_KEY),
    ] {
        let body = with(
            bodies::refund("A", "0.10", "R"),
            "BUSI_ID",
            &*thief.busi_code,
        );
        for body in [body.clone(), with(body, "CHARGE_DOWN_CODE", &*serial)] {
            let answer = thief.post(Operation::Refund, &body).await;
            answer.expect("CHARGE_NONEXISTENT");
        }
        thief.cancel("A").await.expect("CHARGE_NONEXISTENT");
        thief.query("A").await.expect("CHARGE_NONEXISTENT");
        let by_serial =
            thief.call(|it| it.query(&serial, wire::opengateway::SerialType::Gateway, true));
        thief.ask(&by_serial).await.expect("CHARGE_NONEXISTENT");
    }
    assert_eq!(house.till().state("A").await, "1");
    house.end().await;
}
