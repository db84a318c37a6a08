//! A day at a terminal, from check-in to settlement.

use super::pos::{Pos, plus, sale, totals};
use crate::support::house::{House, Rows};
use onetill::admin::loyalty::demo::CARD;

on_both_stores!(a_day_from_check_in_to_settlement, a_batch_follows_a_batch);

async fn a_day_from_check_in_to_settlement(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::new(&house);
    assert_eq!(pos.check_in().await, "000001");
    assert_eq!(pos.points(CARD).await, ("1000".into(), "1000".into()));

    // 1.50 yuan in points, 20 yuan in cash, a voucher of 5 yuan.
    let trace = pos.next_trace();
    let fields = plus(
        &sale(&trace, CARD, "1.50", "20.00"),
        &[
            ("batchNo", "000001"),
            ("vaucher", r#"[{"id":2,"num":1}]"#),
            ("registerTraceNo", "R-1"),
        ],
    );
    let bought = pos.post("trans/consume", &fields).await.expect("00");
    assert_eq!(bought.number("usePoint"), "150");
    assert_eq!(bought.number("persentPoint"), "20");
    assert_eq!(bought.number("pointBalance"), "870");
    assert_eq!(bought.number("avaiablePointBalance"), "870");
    assert_eq!(bought.text_of("advertisement"), "欢迎参加会员积分活动");
    let serial = bought.text_of("serialNo");
    assert!(
        serial.len() == 12 && serial.bytes().all(|it| it.is_ascii_digit()),
        "{serial}"
    );
    assert_eq!(pos.pieces("cards", CARD, 2).await, 0);

    // The same message gets the same reply, whatever happened to the card meanwhile.
    pos.buy("0", "3").await.expect("00");
    house.advance_s(60).await;
    let again = pos.post("trans/consume", &fields).await;
    assert_eq!(again.text, bought.text);
    // Other content under the same number does not.
    let other = plus(&fields, &[("cashAmount", "20.01")]);
    pos.post("trans/consume", &other).await.expect("94");

    // Its answer was lost: it is undone, once.
    for _ in 0..3 {
        let undone = pos.post("trans/consumeReversal", &fields).await;
        undone.expect("00");
    }
    assert_eq!(pos.points(CARD).await, ("1003".into(), "1003".into()));
    assert_eq!(pos.pieces("cards", CARD, 2).await, 1);

    let trace = pos.next_trace();
    let counted = [("pointDebitCount", "1"), ("totalTransCount", "1")];
    let settle = totals(&trace, "000001", &counted);
    let settled = pos.post("trans/settle", &settle).await.expect("00");
    assert_eq!(settled.text_of("settleFlag"), "ss");
    assert!(
        settled.json.get("differences").is_none(),
        "{}",
        settled.text
    );
    // Its reply was lost too: the batch is closed, the answer is the same.
    assert_eq!(pos.post("trans/settle", &settle).await.text, settled.text);
    pos.buy("0", "1").await.expect("77");
    // Even when the next batch is open, under other keys.
    assert_eq!(pos.check_in().await, "000002");
    pos.buy("0", "1").await.expect("00");
    assert_eq!(pos.post("trans/settle", &settle).await.text, settled.text);
    // What was undone does not come to life again.
    pos.post("trans/consume", &fields).await.expect("12");
    house.end().await;
}

async fn a_batch_follows_a_batch(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::open(&house).await;
    // A check-in inside a batch keeps it.
    assert_eq!(pos.check_in().await, "000001");
    let trace = pos.next_trace();
    let settled = pos
        .post("trans/settle", &totals(&trace, "000001", &[]))
        .await;
    assert_eq!(settled.expect("00").text_of("settleFlag"), "ss");
    assert_eq!(pos.check_in().await, "000002");
    // The numbers of messages begin anew with each batch.
    pos.buys("000001", CARD, "0", "5").await.expect("00");
    let old = plus(&sale("000002", CARD, "0", "5"), &[("batchNo", "000001")]);
    pos.post("trans/consume", &old).await.expect("77");
    house.end().await;
}
