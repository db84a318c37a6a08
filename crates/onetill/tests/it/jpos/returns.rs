//! Cancels, refunds, and refunds undone.

use super::pos::{Pos, plus, sale, take_back, totals};
use crate::support::house::{House, Rows};
use domain::loyalty::program::{Clawback, Rules};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, PIN_CARD},
        programs::NewProgram,
    },
};

on_both_stores!(a_sale_goes_back_whole);

async fn a_sale_goes_back_whole(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::open(&house).await;
    let before = pos.points(CARD).await;
    let with_voucher = [("vaucher", r#"[{"id":1,"num":2}]"#)];
    let trace = pos.next_trace();
    let fields = plus(&sale(&trace, CARD, "2.00", "50"), &with_voucher);
    let sold = pos.post("trans/consume", &fields).await.expect("00");
    let cancelled = pos.cancel(&sold.text_of("serialNo")).await.expect("00");
    assert_eq!(cancelled.number("usePoint"), "200");
    assert_eq!(cancelled.number("persentPoint"), "50");
    assert_eq!(
        (pos.points(CARD).await, pos.pieces("cards", CARD, 1).await),
        (before, 2)
    );

    let sold = pos.buy("2", "50").await.expect("00").text_of("serialNo");
    let refunded = pos.refund(&sold).await.expect("00");
    assert_eq!(refunded.number("returnPoint"), "200");
    assert_eq!(refunded.number("returnPersentPoint"), "50");
    assert_eq!(refunded.number("returnCash"), "50");
    assert_eq!(refunded.number("supplyCash"), "0");
    let undone = pos
        .refund_cancel(&refunded.text_of("serialNo"))
        .await
        .expect("00");
    assert_eq!(undone.number("usePoint"), "200");
    assert_eq!(undone.number("pointBalance"), "850");
    // The sale stands again.
    pos.refund(&sold).await.expect("00");
    house.end().await;
}

#[tokio::test]
async fn what_cannot_go_back_says_why() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    pos.cancel("999999999999").await.expect("25");
    pos.cancel("12345678901234567890").await.expect("25");
    let sold = pos.buy("1", "1").await.expect("00").text_of("serialNo");
    let trace = pos.next_trace();
    pos.post("trans/cancel", &take_back(&trace, PIN_CARD, &sold))
        .await
        .expect("14");
    for (field, wrong) in [("oriTransDate", "20261121"), ("oriRegisterTraceNo", "R-9")] {
        let trace = pos.next_trace();
        let fields = plus(&take_back(&trace, CARD, &sold), &[(field, wrong)]);
        pos.post("trans/cancel", &fields).await.expect("25");
    }
    let trace = pos.next_trace();
    let no_day = plus(
        &take_back(&trace, CARD, &sold),
        &[("oriTransDate", "20261131")],
    );
    pos.post("refunds", &no_day).await.expect("30");
    // A sale is no refund.
    pos.refund_cancel(&sold).await.expect("12");
    pos.cancel(&sold).await.expect("00");
    pos.cancel(&sold).await.expect("22");
    pos.refund(&sold).await.expect("22");
    house.end().await;
}

/// What clients in use send, and what the source's tables list.
#[tokio::test]
async fn an_original_is_found_by_either_set_of_fields() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let buy = async |trace: &str| {
        let fields = plus(&sale(trace, CARD, "1", "1"), &[("registerTraceNo", "R-7")]);
        let sold = pos.post("trans/consume", &fields).await.expect("00");
        sold.text_of("serialNo")
    };
    let sold = buy("000101").await;
    let clients = [
        ("traceNo", "000201"),
        ("cardNo", CARD),
        ("oriSerialNo", &*sold),
        ("oriBatchNo", "000001"),
        ("oriTraceNo", "000101"),
        // A terminal's clock is no key.
        ("oriTransTime", "1415125804472"),
    ];
    pos.post("trans/cancel", &clients).await.expect("00");
    buy("000102").await;
    let by_place = [
        ("traceNo", "000202"),
        ("batchNo", "000001"),
        ("cardNo", CARD),
        ("oriBatchNo", "000001"),
        ("oriTraceNo", "000102"),
        ("oriRegisterTraceNo", "R-7"),
    ];
    pos.post("trans/cancel", &by_place).await.expect("00");
    let sold = buy("000103").await;
    let source = [
        ("traceNo", "000203"),
        ("batchNo", "000001"),
        ("cardNo", CARD),
        ("oriSerialNo", &*sold),
        ("oriTransDate", "20261122"),
        ("oriRegisterTraceNo", "R-7"),
    ];
    pos.post("refunds", &source).await.expect("00");
    house.end().await;
}

#[tokio::test]
async fn after_the_settlement_only_a_refund_will_do() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let sold = pos
        .buys("000101", CARD, "1", "1")
        .await
        .expect("00")
        .text_of("serialNo");
    let counted = [
        ("pointDebitCount", "1"),
        ("pointDebitAmount", "1"),
        ("totalTransCount", "1"),
    ];
    let settled = pos
        .post("trans/settle", &totals("000102", "000001", &counted))
        .await;
    assert_eq!(settled.expect("00").text_of("settleFlag"), "ss");
    pos.check_in().await;
    pos.cancel(&sold).await.expect("12");
    pos.refund(&sold).await.expect("00");
    house.end().await;
}

/// A refund from another terminal of the store; a cancel only from the sale's own.
#[tokio::test]
async fn a_store_refunds_what_another_of_its_terminals_sold() {
    let house = House::with_cards().await;
    let (pos, other) = (Pos::open(&house).await, Pos::with_mac(&house));
    other.check_in().await;
    let sold = pos.buy("1", "1").await.expect("00").text_of("serialNo");
    other.cancel(&sold).await.expect("25");
    other.refund(&sold).await.expect("00");
    house.end().await;
}

/// Earned points that were spent already, under each rule of the program.
#[tokio::test]
async fn earned_points_are_taken_back_as_the_program_says() {
    for (clawback, code, supply, available) in [
        (Clawback::Cash, "00", "0.5", "0"),
        (Clawback::Negative, "00", "0", "-50"),
        (Clawback::Refuse, "51", "", ""),
    ] {
        let house = House::with_cards().await;
        let pos = Pos::open(&house).await;
        set_rules(&house, clawback).await;
        let sold = pos.buy("0", "100").await.expect("00").text_of("serialNo");
        pos.buy("10.50", "0").await.expect("00");
        let refunded = pos.refund(&sold).await.expect(code);
        if code == "00" {
            assert_eq!(refunded.number("supplyCash"), supply);
            assert_eq!(refunded.number("avaiablePointBalance"), available);
        }
        house.end().await;
    }
}

async fn set_rules(house: &House, clawback: Clawback) {
    let program = NewProgram {
        tenant: "demo".to_owned(),
        by: "test".to_owned(),
        rules: Rules {
            clawback,
            ..Rules::default()
        },
    };
    let request = Request::Loyalty(loyalty::Request::SetProgram(program));
    house.admin(request).await.unwrap();
}

#[tokio::test]
async fn a_refund_whose_points_are_spent_cannot_be_undone() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let sold = pos.buy("5", "0").await.expect("00").text_of("serialNo");
    let refunded = pos.refund(&sold).await.expect("00").text_of("serialNo");
    pos.buy("10", "0").await.expect("00");
    pos.refund_cancel(&refunded).await.expect("51");
    house.end().await;
}
