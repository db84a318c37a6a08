//! Codes in payments: a part, the whole, goods; refunds and cancels that give the use back.

use super::desk::{Desk, Stock, TOKEN, code, stocked};
use crate::support::{
    bodies::{self, PAYS, trigger, with},
    house::{House, Rows},
    till::{Answer, Till},
};
use wire::opengateway::{Operation, SerialType};

on_both_stores!(
    a_voucher_pays_its_part_and_comes_back_whole,
    a_voucher_that_pays_all_leaves_the_wallet_alone,
    a_refused_code_charges_nothing,
);

const BOX: &str = "X22169-3141157-33475";

async fn open(rows: Rows, stock: Stock) -> House {
    let house = House::setup().rows(rows).open().await;
    stocked(&house, &stock).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[BOX.to_owned()]).await.expect("A00");
    house
}

async fn pay(till: &Till<'_>, number: &str, dynamic_id: &str, yuan: &str, code: &str) -> Answer {
    let body = with(bodies::pre_order(number, dynamic_id), "AMT", yuan);
    let body = with(body, "verifyCodes", code);
    till.post(Operation::PreOrder, &body).await
}

async fn left(house: &House, at: u32) -> (String, i64) {
    let found = Desk::new(house, TOKEN)
        .look(&[code(BOX, at)])
        .await
        .expect("H00");
    let (_, status, left) = found.codes().remove(0);
    (status, left)
}

fn bills(answer: &Answer) -> Vec<(String, String)> {
    let bill = |at: usize| {
        let field = |name: &str| answer.field(&format!("FUND_BILL_LIST.TRADEFUNDBILL.{at}.{name}"));
        Some((
            field("FUNDCHANNEL").or_else(|| field("FUND_CHANNEL"))?,
            field("AMOUNT")?,
        ))
    };
    (0..3).map_while(bill).collect()
}

async fn a_voucher_pays_its_part_and_comes_back_whole(rows: Rows) {
    let house = open(rows, Stock::of(2, 2_000)).await;
    let till = house.till();
    let text = code(BOX, 0);
    let paid = pay(&till, "A", PAYS, "50.00", &text)
        .await
        .expect("SUCCESS");
    assert_eq!(paid.get("AMT"), "5000");
    assert_eq!(
        bills(&paid)[0],
        ("9007".to_owned(), "20.00".to_owned()),
        "{:?}",
        paid
    );
    assert_eq!(house.holds_fen("A").await, 3_000, "the wallet's part");
    assert_eq!(left(&house, 0).await, ("03".to_owned(), 1));
    let query = till.query("A").await.expect("SUCCESS");
    assert_eq!(
        (query.get("realAMT"), query.get("AMT")),
        ("30".to_owned(), "5000".to_owned())
    );
    let by_code = till
        .ask(&till.call(|it| it.query(&text, SerialType::VerifyCode, true)))
        .await;
    assert_eq!(by_code.get("CHARGE_CODE"), "A");

    till.refund("A", "10.00", "R1").await.expect("SUCCESS");
    till.refund("A", "30.00", "R2").await.expect("AMT_ERROR");
    till.refund("A", "20.01", "R3").await.expect("AMT_ERROR");
    assert_eq!(left(&house, 0).await.1, 1, "a part gives no use back");
    let back = till.refund("A", "40.00", "R4").await.expect("SUCCESS");
    assert_eq!(bills(&back)[0], ("9007".to_owned(), "20.00".to_owned()));
    assert_eq!(
        till.refund("A", "40.00", "R4").await,
        back,
        "the same again"
    );
    assert_eq!(left(&house, 0).await, ("03".to_owned(), 2));
    assert_eq!(till.state("A").await, "5");
    assert_eq!(house.holds_fen("A").await, 0);

    pay(&till, "B", PAYS, "50.00", &text)
        .await
        .expect("SUCCESS");
    till.cancel("B").await.expect("SUCCESS");
    assert_eq!(left(&house, 0).await, ("03".to_owned(), 2));
    let trace = Desk::new(&house, TOKEN).trace(&text).await;
    let entries = trace.json["returnData"].as_array().unwrap();
    let kinds: Vec<_> = entries
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["1", "2", "3", "2", "3"]);
    assert_eq!(entries[1]["mid"], "0010000001");
    assert_eq!(entries[1]["tid"], "dev01");
    house.end().await;
}

async fn a_voucher_that_pays_all_leaves_the_wallet_alone(rows: Rows) {
    let house = open(rows, Stock::of(1, 2_000)).await;
    let till = house.till();
    let paid = pay(&till, "A", PAYS, "12.34", &code(BOX, 0))
        .await
        .expect("SUCCESS");
    assert_eq!(bills(&paid), [("9007".to_owned(), "12.34".to_owned())]);
    assert_eq!(till.state("A").await, "1");
    assert_eq!(left(&house, 0).await, ("04".to_owned(), 0));
    let order = with(bodies::order("B"), "verifyCodes", code(BOX, 1));
    let refused = till
        .post(Operation::Order, &order)
        .await
        .expect("ILLEGAL_PARAMETER");
    assert!(refused.info().contains("verifyCodes"), "{}", refused.info());
    till.refund("A", "12.33", "R1").await.expect("AMT_ERROR");
    till.refund("A", "12.34", "R2").await.expect("SUCCESS");
    assert_eq!(till.state("A").await, "5");
    assert_eq!(left(&house, 0).await, ("03".to_owned(), 1));
    pay(&till, "C", PAYS, "20.00", &code(BOX, 0))
        .await
        .expect("SUCCESS");
    till.cancel("C").await.expect("SUCCESS");
    assert_eq!(till.state("C").await, "2");
    assert_eq!(left(&house, 0).await, ("03".to_owned(), 1));
    house.end().await;
}

async fn a_refused_code_charges_nothing(rows: Rows) {
    let house = open(rows, Stock::of(1, 2_000)).await;
    let till = house.till();
    let desk = Desk::new(&house, TOKEN);
    pay(&till, "USED", PAYS, "30", &code(BOX, 0))
        .await
        .expect("SUCCESS");
    desk.void("v", &[code(BOX, 1)]).await.expect("V00");
    for (number, text) in [
        ("A", code(BOX, 0)),
        ("B", code(BOX, 1)),
        ("C", "1001901070000000258-XXXXXXXX".to_owned()),
        ("D", BOX.to_owned()),
    ] {
        let refused = pay(&till, number, PAYS, "30", &text)
            .await
            .expect("ILLEGAL_PARAMETER");
        assert!(refused.info().contains("verifyCodes"), "{}", refused.info());
        assert_eq!(house.stored(number).await, None, "the number stays free");
    }
    pay(&till, "USED", PAYS, "30", &code(BOX, 0))
        .await
        .expect("SERIAL_REPEAT");
    // Declined by the wallet: the use comes back.
    pay(&till, "E", &trigger("02"), "30", &code(BOX, 2))
        .await
        .expect("FAIL");
    assert_eq!(left(&house, 2).await, ("03".to_owned(), 1));
    // Another retailer's merchant knows no code of this one's.
    let other = house.other_till();
    let body = with(
        bodies::pre_order("F", PAYS),
        "BUSI_ID",
        other.busi_code.clone(),
    );
    let body = with(with(body, "AMT", "30"), "verifyCodes", code(BOX, 2));
    other
        .post(Operation::PreOrder, &body)
        .await
        .expect("ILLEGAL_PARAMETER");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voucher_for_goods_changes_no_amount() {
    let house = open(Rows::Sqlite, Stock::of(1, 0)).await;
    let till = house.till();
    let paid = pay(&till, "A", PAYS, "30", &code(BOX, 0))
        .await
        .expect("SUCCESS");
    assert_eq!(bills(&paid)[0], ("9005".to_owned(), "0.00".to_owned()));
    assert_eq!(house.holds_fen("A").await, 3_000);
    assert_eq!(left(&house, 0).await, ("04".to_owned(), 0));
    till.refund("A", "10", "R1").await.expect("SUCCESS");
    assert_eq!(left(&house, 0).await.1, 0);
    till.refund("A", "20", "R2").await.expect("SUCCESS");
    assert_eq!(left(&house, 0).await, ("03".to_owned(), 1));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_holds_its_code_until_it_is_paid_or_over() {
    let house = open(Rows::Sqlite, Stock::of(1, 500)).await;
    let till = house.till();
    let order = |number| {
        with(
            with(bodies::order(number), "AMT", "30"),
            "verifyCodes",
            code(BOX, 0),
        )
    };
    let open = till
        .post(Operation::Order, &order("A"))
        .await
        .expect("SUCCESS");
    assert_eq!(left(&house, 0).await, ("07".to_owned(), 0));
    till.post(Operation::Order, &order("B"))
        .await
        .expect("ILLEGAL_PARAMETER");
    Desk::new(&house, TOKEN)
        .void("v", &[code(BOX, 0)])
        .await
        .expect("V01");
    assert_eq!(house.payer(&open.get("CHARGE_DOWN_CODE"), "pay").await, 200);
    house.until("A", |it| it.settled_at().is_some()).await;
    assert_eq!(left(&house, 0).await, ("04".to_owned(), 0));
    assert_eq!(house.holds_fen("A").await, 2_500);
    house.end().await;
}
