//! Two terminals and the last points.

use super::pos::Pos;
use crate::support::{
    house::{House, Rows},
    together,
};
use onetill::admin::loyalty::demo::CARD;

on_both_stores!(
    of_two_terminals_one_gets_the_last_points,
    points_are_spent_once
);

async fn of_two_terminals_one_gets_the_last_points(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let (one, other) = (Pos::open(&house).await, Pos::with_mac(&house));
    other.check_in().await;
    // Each wants all that the card has.
    let answers = together([one.buy("10", "0"), other.buy("10", "0")]).await;
    let mut codes: Vec<&str> = answers.iter().map(|it| it.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["00", "51"]);
    assert_eq!(one.points(CARD).await.0, "0");
    house.end().await;
}

/// Many at once from both: what went through is what the card lacks, to the hundredth.
async fn points_are_spent_once(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let (one, other) = (Pos::open(&house).await, Pos::with_mac(&house));
    other.check_in().await;
    let all = (0..24).map(async |turn| {
        let pos = if turn % 2 == 0 { &one } else { &other };
        pos.buy("0.73", "0").await
    });
    let answers = together(all).await;
    let bought = answers.iter().filter(|it| it.code() == "00").count();
    assert_eq!(bought, 13, "1000 points are 13 times 73 and 51 more");
    assert!(answers.iter().all(|it| ["00", "51"].contains(&it.code())));
    assert_eq!(one.points(CARD).await.0, "51");
    house.end().await;
}
