//! Two tills and one use; activation against void; void against a payment that holds a code.

use super::desk::{Desk, Stock, TOKEN, code, reel, stocked};
use crate::support::{
    bodies::{self, PAYS, with},
    house::{House, Rows},
    together,
};
use wire::opengateway::Operation;

on_both_stores!(
    of_two_tills_one_gets_the_last_use,
    a_void_and_a_payment_never_both_have_a_code,
    of_overlapping_activations_one_wins,
);

const BOX: &str = "X22169-3141157-33475";
const ROUNDS: u32 = 20;

async fn of_two_tills_one_gets_the_last_use(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    stocked(&house, &Stock::of(1, 100)).await;
    Desk::new(&house, TOKEN)
        .activate("1", &[BOX.to_owned()])
        .await
        .expect("A00");
    let till = house.till();
    for round in 0..ROUNDS {
        let pay = |at: u32| {
            let number = format!("{round}-{at}");
            let body = with(bodies::pre_order(&number, PAYS), "AMT", "3");
            let body = with(body, "verifyCodes", code(BOX, round));
            let till = &till;
            async move { till.post(Operation::PreOrder, &body).await.code() }
        };
        let mut codes = together((0..4).map(pay)).await;
        codes.sort();
        let refused = "ILLEGAL_PARAMETER";
        assert_eq!(codes, [refused, refused, refused, "SUCCESS"], "{round}");
    }
    house.end().await;
}

async fn a_void_and_a_payment_never_both_have_a_code(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    stocked(&house, &Stock::of(1, 100)).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[BOX.to_owned()]).await.expect("A00");
    let till = house.till();
    for round in 0..4 {
        // Every code of a reel is tried while the reel is voided.
        let pay = |at: u32| {
            let number = format!("{round}-{at}");
            let body = with(bodies::pre_order(&number, PAYS), "AMT", "3");
            let body = with(body, "verifyCodes", code(BOX, round * 5 + at));
            let till = &till;
            async move { till.post(Operation::PreOrder, &body).await.code() == "SUCCESS" }
        };
        let void = async {
            let trace = format!("v{round}");
            desk.void(&trace, &[reel(BOX, round)]).await.code() == "V00"
        };
        let (voided, paid) = tokio::join!(void, together((0..5).map(pay)));
        let paid = paid.into_iter().filter(|it| *it).count();
        assert_eq!(voided, paid == 0, "round {round}: {paid} were paid");
        let expected = if voided { "05" } else { "04" };
        let found = desk.look(&[reel(BOX, round)]).await;
        let count = found.codes().iter().filter(|it| it.1 == expected).count();
        assert_eq!(count, if voided { 5 } else { paid }, "round {round}");
    }
    house.end().await;
}

async fn of_overlapping_activations_one_wins(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    stocked(&house, &Stock::of(1, 100)).await;
    let desk = Desk::new(&house, TOKEN);
    for round in 0..4_u32 {
        let first = round * 5;
        let names = [
            vec![reel(BOX, round)],
            vec![code(BOX, first + 4), code(BOX, first)],
            vec![code(BOX, first + 1), code(BOX, first + 4)],
            vec![code(BOX, first + 4)],
        ];
        let ask = |at: usize| {
            let (desk, names) = (&desk, &names[at]);
            let trace = format!("{round}-{at}");
            async move { desk.activate(&trace, names).await.code().to_owned() }
        };
        let codes = together((0..4).map(ask)).await;
        let won = codes.iter().filter(|it| *it == "A00").count();
        assert_eq!(won, 1, "all of them want the last code: {codes:?}");
    }
    house.end().await;
}
