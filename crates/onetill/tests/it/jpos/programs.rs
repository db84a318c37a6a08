//! What a program's rules do at the till, from the moment they are set.

use super::pos::Pos;
use crate::support::house::House;
use domain::loyalty::{
    points::Points,
    program::{Campaign, Gift, Limits, Rules},
};
use domain::money::Fen;
use onetill::admin::{
    Request,
    loyalty::{self, demo::CARD, programs::NewProgram},
};
use serde_json::Value;

async fn set(house: &House, rules: Rules) -> Result<Value, String> {
    let program = NewProgram {
        tenant: "demo".to_owned(),
        by: "test".to_owned(),
        rules,
    };
    let request = Request::Loyalty(loyalty::Request::SetProgram(program));
    house.admin(request).await
}

#[tokio::test]
async fn limits_are_told_before_the_card_is_looked_at() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let limits = Limits {
        points_per_trans: Some(Points::new(20_000)),
        points_per_day: Some(Points::new(30_000)),
        count_per_day: Some(3),
    };
    let rules = Rules {
        terminal_limits: limits,
        ..Rules::default()
    };
    set(&house, rules).await.unwrap();
    // More than one message may spend, even of a card that is not there.
    let trace = pos.next_trace();
    pos.buys(&trace, "9999999999025999", "2.01", "0")
        .await
        .expect("61");
    pos.buy("2", "0").await.expect("00");
    // More than a day may.
    pos.buy("1.01", "0").await.expect("61");
    pos.buy("0.50", "0").await.expect("00");
    pos.buy("0.25", "0").await.expect("00");
    pos.buy("0.10", "0").await.expect("65");
    // Cash alone is no use of points.
    pos.buy("0", "1").await.expect("00");
    house.advance_s(24 * 3_600).await;
    pos.buy("2", "0").await.expect("00");
    house.end().await;
}

#[tokio::test]
async fn a_card_has_limits_of_its_own() {
    let house = House::with_cards().await;
    let (one, other) = (Pos::open(&house).await, Pos::with_mac(&house));
    other.check_in().await;
    let rules = Rules {
        card_limits: Limits {
            points_per_day: Some(Points::new(10_000)),
            ..Limits::default()
        },
        ..Rules::default()
    };
    set(&house, rules).await.unwrap();
    one.buy("0.60", "0").await.expect("00");
    other.buy("0.60", "0").await.expect("61");
    other.buy("0.40", "0").await.expect("00");
    house.end().await;
}

/// Points are priced and earned by the rules; what was answered before stays as it was.
#[tokio::test]
async fn prices_rates_and_campaigns_hold_from_their_version_on() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let before = pos.buys("000101", CARD, "0.10", "10").await.expect("00");
    assert_eq!(before.number("usePoint"), "10");
    assert_eq!(before.number("persentPoint"), "10");
    house.advance_s(1).await;
    let now = house.now();
    let campaign = Campaign {
        name: "double".to_owned(),
        from: now,
        until: now.plus_s(60),
        stores: Vec::new(),
        gift: Gift::Multiplier(200),
        advertisement: "双倍积分".to_owned(),
    };
    let rules = Rules {
        points_per_yuan: 200,
        earn_rate: 50,
        campaigns: vec![campaign],
        ..Rules::default()
    };
    set(&house, rules).await.unwrap();
    let doubled = pos.buys("000102", CARD, "0.10", "10").await.expect("00");
    assert_eq!(doubled.number("usePoint"), "20");
    assert_eq!(doubled.number("persentPoint"), "10");
    assert_eq!(doubled.text_of("advertisement"), "双倍积分");
    house.advance_s(60).await;
    let single = pos.buys("000103", CARD, "0", "10").await.expect("00");
    assert_eq!(single.number("persentPoint"), "5");
    assert_eq!(single.text_of("advertisement"), "");
    // Each repetition is told what the first was, its advertisement too.
    for (trace, points, first) in [("000101", "0.10", before), ("000102", "0.10", doubled)] {
        assert_eq!(pos.buys(trace, CARD, points, "10").await.text, first.text);
    }
    house.end().await;
}

#[tokio::test]
async fn each_version_is_kept_with_who_made_it() {
    let house = House::with_cards().await;
    set(&house, Rules::default()).await.unwrap();
    let refused = Rules {
        points_per_yuan: 0,
        ..Rules::default()
    };
    assert!(
        set(&house, refused)
            .await
            .unwrap_err()
            .contains("points_per_yuan")
    );
    let falling = Rules {
        grade_from: vec![Fen::new(2), Fen::new(1)],
        ..Rules::default()
    };
    assert!(
        set(&house, falling)
            .await
            .unwrap_err()
            .contains("grade_from")
    );
    let tenant = "demo".to_owned();
    let show = Request::Loyalty(loyalty::Request::ShowProgram { tenant });
    let shown = house.admin(show).await.unwrap();
    let versions: Vec<_> = shown["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["version"].as_i64().unwrap(), it["by"].as_str().unwrap()))
        .collect();
    assert_eq!(versions, [(2, "test"), (1, "demo")]);
    house.end().await;
}
