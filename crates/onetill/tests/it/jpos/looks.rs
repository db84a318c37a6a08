//! What a card shows.

use super::pos::Pos;
use crate::support::house::House;
use onetill::admin::loyalty::demo::{CARD, EXPIRED_CARD, LOST_CARD, STOCKED_CARD};
use serde_json::json;

#[tokio::test]
async fn a_card_shows_its_holder_and_vouchers() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let fields = [
        ("traceNo", "000001"),
        ("batchNo", "000001"),
        ("cardNo", CARD),
    ];
    let answer = pos.post("cards", &fields).await;
    let expected = json!({
        "status": "00",
        "message": "交易成功",
        "transTime": house.now().0 / 1000,
        "pointBalance": 1000,
        "avaiablePointBalance": 1000,
        "vaucher": [
            {"id": 1, "amount": 1, "num": 2, "name": "1元代金券"},
            {"id": 2, "amount": 5, "num": 1, "name": "5元代金券"},
        ],
        "idType": "01",
        "idNo": "0123456789012345678",
        "name": "张三",
        "gender": "01",
        "mobileNo": "13800000000",
        "grade": "0",
        "address": "",
        "email": "zhangsan@example.com",
    });
    assert_eq!(answer.json, expected);
    house.end().await;
}

#[tokio::test]
async fn a_card_shows_its_tickets() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let fields = [("traceNo", "000001"), ("cardNo", CARD)];
    let answer = pos.post("tickets", &fields).await.expect("00");
    let expected = json!([
        {"id": 1, "type": "01", "amount": 10, "name": "10元团购券", "num": 5},
        {"id": 2, "type": "03", "amount": 100, "name": "100元代金券", "num": 10},
    ]);
    assert_eq!(answer.json["ticket"], expected, "{}", answer.text);
    assert_eq!(answer.number("pointBalance"), "1000");
    house.end().await;
}

#[tokio::test]
async fn a_card_that_may_not_be_looked_at_says_why() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let rows = [
        (STOCKED_CARD, "21"),
        (EXPIRED_CARD, "54"),
        (LOST_CARD, "41"),
        ("9999999999025999", "14"),
        ("1234567", "14"),
    ];
    for function in ["cards", "tickets"] {
        for (card, code) in rows {
            let fields = [("traceNo", "000001"), ("cardNo", card)];
            pos.post(function, &fields).await.expect(code);
        }
    }
    house.end().await;
}

/// A swiped card must be the one whose number is named.
#[tokio::test]
async fn a_stripe_of_another_card_is_refused() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let own = format!("{CARD}=2912101");
    let others = "9999999999025320=2912101";
    for (track, code) in [(&*own, "00"), (others, "14")] {
        let fields = [("traceNo", "000001"), ("cardNo", CARD), ("track2", track)];
        pos.post("cards", &fields).await.expect(code);
        let trace = pos.next_trace();
        let sale = super::pos::plus(
            &super::pos::sale(&trace, CARD, "1", "0"),
            &[("track2", track), ("consumeType", "021")],
        );
        pos.post("trans/consume", &sale).await.expect(code);
    }
    house.end().await;
}

#[tokio::test]
async fn questions_need_the_open_batch() {
    let house = House::with_cards().await;
    let pos = Pos::new(&house);
    let fields = [("traceNo", "000001"), ("cardNo", CARD)];
    pos.post("cards", &fields).await.expect("77");
    pos.check_in().await;
    pos.post("cards", &fields).await.expect("00");
    let other = super::pos::plus(&fields, &[("batchNo", "000002")]);
    pos.post("cards", &other).await.expect("77");
    house.end().await;
}
