//! Which of two faults is told: each row of the table has its own fault and all those below it.

use super::pos::{Fields, Pos, plus, sale};
use crate::support::house::House;
use onetill::admin::{
    Request,
    loyalty::{self, demo, terminals::TerminalChange},
};

/// A purchase with the PIN card from the terminal that must send MACs. Each fault is what it does
/// to the fields.
const FAULTS: &[(&str, Fields<'static>)] = &[
    ("03", &[("storeNo", "102100099990002")]),
    ("97", &[("terminalNo", "20141119")]),
    ("77", &[("batchNo", "000009")]),
    ("A0", &[("mac", "00000000")]),
    ("99", &[("password", "0123456789ABCDEF")]),
    ("30", &[("consumeType", "abc")]),
    ("13", &[("cashAmount", "-1")]),
    ("14", &[("cardNo", "9999999999025999")]),
];

/// The fields of a purchase with the faults from `first` on.
fn faulty(first: usize, trace: &str) -> Vec<(&'static str, &str)> {
    let good = plus(
        &sale(trace, demo::PIN_CARD, "1", "1"),
        &[("batchNo", "000001")],
    );
    // The worst fault is set last, so that none below it takes its field.
    let faults = FAULTS[first..].iter().rev();
    faults.fold(good, |fields, (_, fault)| plus(&fields, fault))
}

#[tokio::test]
async fn the_fault_that_comes_first_is_told() {
    let house = House::with_cards().await;
    let pos = Pos::with_mac(&house);
    pos.check_in().await;
    for (first, (code, _)) in FAULTS.iter().enumerate() {
        // Of its own: from the amounts on a refusal is on record.
        let trace = pos.next_trace();
        let fields = faulty(first, &trace);
        // A fault in the MAC is there in its own field; below it the MAC is right.
        let form = if fields.iter().any(|(name, _)| *name == "mac") {
            Pos::new(&house).form(&fields).encode()
        } else {
            pos.form(&fields).encode()
        };
        let form = form.replacen("terminalNo=20141111", "terminalNo=20141112", 1);
        let answer = pos.post_form("trans/consume", &form).await;
        assert_eq!(answer.code(), *code, "{form}: {}", answer.text);
    }
    house.end().await;
}

#[tokio::test]
async fn a_blocked_terminal_is_told_before_its_batch_and_after_its_name() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    block(&house, true).await;
    let wrong_batch = plus(
        &sale("000001", demo::CARD, "0", "1"),
        &[("batchNo", "000009")],
    );
    pos.post("trans/consume", &wrong_batch).await.expect("58");
    let unknown = plus(&wrong_batch, &[("terminalNo", "20141119")]);
    pos.post("trans/consume", &unknown).await.expect("97");
    pos.post("terminal/checkin", &[("operatorNo", "001")])
        .await
        .expect("58");
    block(&house, false).await;
    pos.buy("0", "1").await.expect("00");
    house.end().await;
}

async fn block(house: &House, blocked: bool) {
    let change = TerminalChange {
        store: demo::STORE.to_owned(),
        number: demo::TERMINAL.to_owned(),
        blocked: Some(blocked),
        profile: None,
    };
    let request = Request::Loyalty(loyalty::Request::SetTerminal(change));
    house.admin(request).await.unwrap();
}

/// What is refused of a card and its points, one row each, in the dialect's order.
#[tokio::test]
async fn cards_are_refused_in_the_dialects_order() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let rows = [
        (demo::STOCKED_CARD, "1", "21"),
        (demo::EXPIRED_CARD, "1", "54"),
        (demo::LOST_CARD, "1", "41"),
        ("9999999999025999", "1", "14"),
        ("AB99999999", "1", "14"),
        (demo::CARD, "10.01", "51"),
        // A PIN that is missing is a missing field, told before what the card lacks.
        (demo::PIN_CARD, "10.01", "30"),
    ];
    for (card, points, code) in rows {
        let trace = pos.next_trace();
        let answer = pos.buys(&trace, card, points, "0").await;
        assert_eq!(answer.code(), code, "{card} {points}: {}", answer.text);
    }
    let none = pos.buy("0", "0").await.expect("13");
    assert!(
        none.text_of("message").contains("pointAmount"),
        "{}",
        none.text
    );
    house.end().await;
}

/// Every field that must be there is named when it is missing or bad.
#[tokio::test]
async fn a_bad_field_is_named() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let good = sale("000001", demo::CARD, "1", "1");
    let rows = [
        ("traceNo", "1", "30", "traceNo"),
        ("traceNo", "000000", "30", "traceNo"),
        ("batchNo", "1", "30", "batchNo"),
        ("cardNo", "12 34", "30", "cardNo"),
        ("track2", "x", "30", "track2"),
        ("consumeType", "1", "30", "consumeType"),
        ("vaucher", "{}", "30", "vaucher"),
        ("vaucher", r#"[{"id":1,"num":0}]"#, "30", "vaucher[0].num"),
        ("pointAmount", "1.001", "13", "pointAmount"),
        ("cashAmount", "x", "13", "cashAmount"),
    ];
    for (field, value, code, named) in rows {
        // Of its own: what an amount may not be is refused on record.
        let trace = pos.next_trace();
        let fields = plus(&good, &[("traceNo", &*trace)]);
        let answer = pos
            .post("trans/consume", &plus(&fields, &[(field, value)]))
            .await;
        let message = answer.text_of("message");
        assert_eq!(answer.code(), code, "{field}={value}: {}", answer.text);
        assert!(message.ends_with(&format!("：{named}")), "{message}");
    }
    // A field in no form at all is told before what an amount may not be.
    let both = plus(&good, &[("pointAmount", "x"), ("vaucher", "{}")]);
    let answer = pos.post("trans/consume", &both).await.expect("30");
    assert_eq!(answer.text_of("message"), "请重试：vaucher");
    for field in [
        "traceNo",
        "cardNo",
        "consumeType",
        "pointAmount",
        "cashAmount",
    ] {
        let missing: Vec<_> = good
            .into_iter()
            .filter(|(name, _)| *name != field)
            .collect();
        let answer = pos.post("trans/consume", &missing).await.expect("30");
        let message = answer.text_of("message");
        assert_eq!(message, format!("请重试：{field}"));
    }
    assert_eq!(house.counts().await.postings, openings(&house).await);
    house.end().await;
}

/// Nothing of it was recorded.
async fn openings(house: &House) -> u64 {
    let fresh = House::with_cards().await;
    let counts = fresh.counts().await.postings;
    fresh.end().await;
    assert!(house.audit().await.is_clean());
    counts
}
