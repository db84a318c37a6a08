//! Whatever comes first, a message or its reversal, and however often: it ends undone.

use super::pos::{Pos, plus, sale, take_back, totals};
use crate::support::{
    house::{House, Rows},
    together,
};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, PIN_CARD},
    },
};

on_both_stores!(in_any_order_the_end_is_the_same);

/// Sale and reversal, each sent up to twice, in every order: the card ends as it began, and what
/// the terminal heard last says so.
async fn in_any_order_the_end_is_the_same(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::open(&house).await;
    let before = pos.points(CARD).await;
    let orders: [&[bool]; 7] = [
        &[true, false],
        &[false, true],
        &[true, true, false],
        &[true, false, true],
        &[false, true, true],
        &[true, false, true, false],
        &[false, false, true, false],
    ];
    for order in orders {
        let trace = pos.next_trace();
        let mut was_sold = false;
        for is_sale in order {
            let code = if *is_sale {
                pos.buys(&trace, CARD, "2", "7").await.code().to_owned()
            } else {
                pos.unbuys(&trace, CARD, "2", "7").await.code().to_owned()
            };
            let first_sale = *is_sale && !was_sold;
            let expected: &[&str] = match (is_sale, first_sale) {
                (true, _) => &["00", "12"],
                (false, _) => &["00", "25"],
            };
            assert!(expected.contains(&&*code), "{order:?}: {code}");
            was_sold |= *is_sale && code == "00";
        }
        // A late original must not come through any more.
        let last = pos.unbuys(&trace, CARD, "2", "7").await;
        assert!(
            ["00", "25"].contains(&last.code()),
            "{order:?}: {}",
            last.text
        );
        assert_eq!(pos.points(CARD).await, before, "{order:?}");
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_same_time_too() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let before = pos.points(CARD).await;
    for _ in 0..10 {
        let trace = pos.next_trace();
        let both = (0..4).map(async |turn| {
            if turn % 2 == 0 {
                pos.buys(&trace, CARD, "1", "1").await
            } else {
                pos.unbuys(&trace, CARD, "1", "1").await
            }
        });
        together(both).await;
        let last = pos.unbuys(&trace, CARD, "1", "1").await;
        assert!(["00", "25"].contains(&last.code()), "{}", last.text);
        assert_eq!(pos.points(CARD).await, before);
    }
    house.end().await;
}

#[tokio::test]
async fn a_reversal_says_what_it_found() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    // Never seen; and then the late original is refused.
    pos.unbuys("000101", CARD, "1", "1").await.expect("25");
    pos.buys("000101", CARD, "1", "1").await.expect("12");
    pos.unbuys("000101", CARD, "1", "1").await.expect("25");
    // Declined.
    pos.buys("000102", CARD, "99", "1").await.expect("51");
    pos.unbuys("000102", CARD, "99", "1").await.expect("12");
    // Another card or amount than the original's.
    pos.buys("000103", CARD, "1", "1").await.expect("00");
    pos.unbuys("000103", PIN_CARD, "1", "1").await.expect("14");
    pos.unbuys("000103", "?", "1", "1").await.expect("14");
    pos.unbuys("000103", CARD, "1", "2").await.expect("64");
    pos.unbuys("000103", CARD, "x", "1").await.expect("64");
    // Only the number is needed.
    let bare = [("traceNo", "000103")];
    pos.post("trans/consumeReversal", &bare).await.expect("00");
    // Another function's message is not this one.
    pos.buys("000104", CARD, "1", "1").await.expect("00");
    pos.post("trans/cancelReversal", &[("traceNo", "000104")])
        .await
        .expect("25");
    house.end().await;
}

#[tokio::test]
async fn what_was_given_back_cannot_be_reversed() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    for function in ["trans/cancel", "refunds"] {
        let trace = pos.next_trace();
        let sold = pos.buys(&trace, CARD, "1", "1").await.expect("00");
        let back = pos.next_trace();
        let serial = sold.text_of("serialNo");
        pos.post(function, &take_back(&back, CARD, &serial))
            .await
            .expect("00");
        pos.unbuys(&trace, CARD, "1", "1").await.expect("22");
    }
    house.end().await;
}

/// Each message that may be reversed, and that the card ends as before it.
#[tokio::test]
async fn every_reversal_undoes_its_message() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let sold = pos.buy("2", "30").await.expect("00").text_of("serialNo");
    let refundable = pos.buy("1", "10").await.expect("00").text_of("serialNo");
    let refunded = pos
        .refund(&refundable)
        .await
        .expect("00")
        .text_of("serialNo");
    let other = pos.buy("1", "10").await.expect("00").text_of("serialNo");
    let rows: Vec<(&str, &str, Vec<(&'static str, &str)>)> = vec![
        (
            "trans/cancel",
            "trans/cancelReversal",
            take_back("000201", CARD, &sold).to_vec(),
        ),
        (
            "refunds",
            "refunds/reversal",
            take_back("000202", CARD, &other).to_vec(),
        ),
        (
            "refunds/cancel",
            "refunds/cancelReversal",
            take_back("000203", CARD, &refunded).to_vec(),
        ),
        (
            "tickets/consume",
            "tickets/consumeReversal",
            vec![
                ("traceNo", "000204"),
                ("cardNo", CARD),
                ("ticket", r#"[{"id":1,"num":2}]"#),
            ],
        ),
    ];
    let before = (pos.points(CARD).await, pos.pieces("tickets", CARD, 1).await);
    for (function, reversal, fields) in &rows {
        pos.post(function, fields).await.expect("00");
        pos.post(reversal, fields).await.expect("00");
        pos.post(reversal, fields).await.expect("00");
        let after = (pos.points(CARD).await, pos.pieces("tickets", CARD, 1).await);
        assert_eq!(after, before, "{function}");
    }
    // The sales stand again, so they can go back again, under other numbers.
    pos.cancel(&sold).await.expect("00");
    pos.refund(&other).await.expect("00");
    pos.refund_cancel(&refunded).await.expect("00");
    house.end().await;
}

/// A reversal is never refused for its batch, and after the settlement an operator hears of it.
#[tokio::test]
async fn a_reversal_after_the_settlement_waits_for_an_operator() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let before = pos.points(CARD).await;
    pos.buys("000301", CARD, "1", "1").await.expect("00");
    let counted = [
        ("pointDebitCount", "1"),
        ("pointDebitAmount", "1"),
        ("totalTransCount", "1"),
    ];
    let settled = pos
        .post("trans/settle", &totals("000302", "000001", &counted))
        .await;
    assert_eq!(settled.expect("00").text_of("settleFlag"), "ss");
    // Before the next check-in, and after it without naming the batch.
    let fields = plus(&sale("000301", CARD, "1", "1"), &[("batchNo", "000001")]);
    pos.post("trans/consumeReversal", &fields)
        .await
        .expect("00");
    pos.check_in().await;
    pos.unbuys("000301", CARD, "1", "1").await.expect("00");
    assert_eq!(pos.points(CARD).await, before);
    let work = Request::Loyalty(loyalty::Request::ListWork);
    let work = house.admin(work).await.unwrap();
    assert_eq!(work.as_array().unwrap().len(), 1, "{work}");
    assert_eq!(work[0]["matter"], "reversed after settlement");
    assert_eq!(work[0]["batch"], "000001");
    house.end().await;
}

#[tokio::test]
async fn a_terminal_that_never_checked_in_has_nothing_to_reverse() {
    let house = House::with_cards().await;
    let pos = Pos::new(&house);
    pos.unbuys("000001", CARD, "1", "1").await.expect("25");
    house.end().await;
}
