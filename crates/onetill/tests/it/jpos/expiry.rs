//! Points and tickets whose time is over, and codes of which nothing counts any more.

use super::pos::Pos;
use crate::support::house::{House, Rows};
use domain::loyalty::document::DocumentKind;
use onetill::admin::loyalty::demo::CARD;

const DAY_S: i64 = 24 * 3_600;

on_both_stores!(what_has_expired_is_written_off);

async fn what_has_expired_is_written_off(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::open(&house).await;
    pos.buy("0", "12.34").await.expect("00");
    assert_eq!(pos.points(CARD).await.0, "1012.34");
    house.advance_s(364 * DAY_S).await;
    assert_eq!(pos.pieces("tickets", CARD, 1).await, 5);
    house.advance_s(2 * DAY_S).await;
    assert_eq!(pos.pieces("tickets", CARD, 1).await, 0);
    // Earned points live to the end of the 24th month; those of the demo never end.
    house.advance_s(380 * DAY_S).await;
    assert_eq!(pos.points(CARD).await.0, "1000");
    // Nothing is due any more: all of it was written off.
    let now = house.now();
    let due = house
        .gateway()
        .reader
        .due_documents(DocumentKind::Card, now, 10);
    assert_eq!(due.await.unwrap(), []);
    house.end().await;
}

#[tokio::test]
async fn useless_codes_are_forgotten() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let mobile = [("mobileNo", "13812345678")];
    pos.post("mobile/sendVerifyCode", &mobile)
        .await
        .expect("00");
    let stored = async || {
        let kind = DocumentKind::VerifyCodes;
        let found = house.gateway().reader.documents(kind, None, None, 10).await;
        found.unwrap().len()
    };
    house.advance_s(3_500).await;
    assert_eq!(stored().await, 1);
    house.advance_s(200).await;
    assert_eq!(stored().await, 0);
    house.end().await;
}
