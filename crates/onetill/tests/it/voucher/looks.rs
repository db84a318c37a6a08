//! How often the store is asked: each look is a wait, and work for a server that all share.

use super::desk::{Desk, Stock, TOKEN, code, reel, stocked};
use crate::support::{
    house::{House, Rows},
    late_reader::{Delay, LateReader},
};
use std::sync::Arc;

const BOX: &str = "X22169-3141157-33475";

on_both_stores!(a_code_that_is_asked_about_is_one_look);

async fn a_code_that_is_asked_about_is_one_look(rows: Rows) {
    let delay = Arc::new(Delay::default());
    let noted = Arc::clone(&delay);
    let house = House::setup().rows(rows).rig(move |it| {
        it.reader = Arc::new(LateReader::new(Arc::clone(&it.reader), &noted));
    });
    let house = house.open().await;
    stocked(&house, &Stock::of(2, 0)).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[reel(BOX, 1)]).await.expect("A00");
    for (index, status) in [(4, "01"), (5, "03")] {
        delay.take_asked();
        let found = desk.look(&[code(BOX, index)]).await.expect("H00");
        assert_eq!(delay.take_asked(), ["sight"]);
        let (text, shown, _) = &found.codes()[0];
        assert_eq!((text, shown.as_str()), (&code(BOX, index), status));
        let order_no = found.json.get("orderNo").is_some();
        assert_eq!(order_no, index == 5, "only what was bought has one");
    }
    desk.look(&["1001901070000000001-M4DEDSfV".to_owned()])
        .await
        .expect("H01");
    assert_eq!(delay.take_asked(), ["sight"]);
    // A reel: its codes follow.
    let found = desk.look(&[reel(BOX, 1)]).await.expect("H00");
    assert_eq!(found.codes().len(), 5);
    assert_eq!(delay.take_asked(), ["sight", "spans", "tree_page"]);
    house.end().await;
}
