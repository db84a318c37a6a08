//! Refunds that race each other.

use crate::support::{
    house::{House, Rows},
    till::Answer,
    together,
};

on_both_stores!(
    fifty_racing_refunds_never_give_back_more_than_was_paid,
    fifty_racing_requests_with_one_number_are_one_refund,
    refunds_racing_a_cancel_end_with_nothing_or_the_rest_kept
);

fn count(answers: &[Answer], code: &str) -> usize {
    answers.iter().filter(|it| it.code() == code).count()
}

async fn fifty_racing_refunds_never_give_back_more_than_was_paid(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    let numbers: Vec<String> = (0..50).map(|number| format!("R{number}")).collect();
    let answers = together(numbers.iter().map(|it| till.refund("A", "0.03", it))).await;
    assert_eq!(count(&answers, "SUCCESS"), 33);
    assert_eq!(count(&answers, "AMT_ERROR"), 17);
    assert_eq!(house.holds_fen("A").await, 1);
    assert_eq!(till.state("A").await, "4");
    till.refund("A", "0.01", "LAST").await.expect("SUCCESS");
    assert_eq!(till.state("A").await, "5");
    house.end().await;
}

async fn fifty_racing_requests_with_one_number_are_one_refund(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    let answers = together((0..50).map(|_| till.refund("A", "0.40", "R"))).await;
    assert_eq!(count(&answers, "SUCCESS"), 50);
    assert_eq!(house.counts().await.refunds, 1);
    assert_eq!(house.holds_fen("A").await, 60);
    house.end().await;
}

async fn refunds_racing_a_cancel_end_with_nothing_or_the_rest_kept(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    for round in 0..8 {
        let order = format!("A{round}");
        till.paid(&order, "1.00").await;
        let numbers: Vec<String> = (0..5).map(|number| format!("{order}-{number}")).collect();
        let refunds = together(numbers.iter().map(|it| till.refund(&order, "0.10", it)));
        let (refunds, cancel) = tokio::join!(refunds, till.cancel(&order));
        let refunded = count(&refunds, "SUCCESS");
        if cancel.code() == "SUCCESS" {
            assert_eq!(refunded, 0, "a cancel gives back all or nothing");
            assert_eq!(till.state(&order).await, "2");
            assert_eq!(house.holds_fen(&order).await, 0);
        } else {
            cancel.expect("FAIL");
            assert_eq!(refunded, 5);
            assert_eq!(till.state(&order).await, "4");
            assert_eq!(house.holds_fen(&order).await, 50);
        }
    }
    house.end().await;
}
