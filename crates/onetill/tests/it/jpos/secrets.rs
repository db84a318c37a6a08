//! MACs and PINs: right, wrong, and wrong too often.

use super::pos::{Pos, plus, sale, totals};
use crate::support::house::House;
use onetill::admin::{
    Request,
    loyalty::{
        self,
        cards::{CardChange, CardName},
        demo::{CARD, PIN, PIN_CARD},
    },
};

#[tokio::test]
async fn a_terminal_that_must_send_macs_is_not_heard_without() {
    let house = House::with_cards().await;
    let pos = Pos::with_mac(&house);
    pos.check_in().await;
    pos.buy("1", "1").await.expect("00");
    let trace = pos.next_trace();
    let fields = sale(&trace, CARD, "1", "1");
    let without = without_mac(&pos, &fields);
    pos.post_form("trans/consume", &without).await.expect("A0");
    // Nothing of it was kept: under its MAC it is carried out.
    pos.post("trans/consume", &fields).await.expect("00");
    // A question needs one too.
    let question = [("traceNo", "000900"), ("cardNo", CARD)];
    pos.post_form("cards", &without_mac(&pos, &question))
        .await
        .expect("A0");
    pos.post("cards", &question).await.expect("00");
    house.end().await;
}

fn without_mac(pos: &Pos<'_>, fields: &[(&'static str, &str)]) -> String {
    let form = pos.form(fields).encode();
    form.split('&')
        .filter(|it| !it.starts_with("mac="))
        .collect::<Vec<_>>()
        .join("&")
}

#[tokio::test]
async fn three_wrong_macs_need_a_new_check_in() {
    let house = House::with_cards().await;
    let pos = Pos::with_mac(&house);
    pos.check_in().await;
    let fields = sale("000001", CARD, "1", "1");
    let wrong = format!("{}&mac=00000000", without_mac(&pos, &fields));
    // A right one in between starts the count anew, whatever message it is of.
    for question in [false, true] {
        pos.post_form("trans/consume", &wrong).await.expect("A0");
        pos.post_form("trans/consume", &wrong).await.expect("A0");
        if question {
            pos.points(CARD).await;
        } else {
            pos.buys("000101", CARD, "0", "1").await.expect("00");
        }
    }
    for _ in 0..3 {
        pos.post_form("trans/consume", &wrong).await.expect("A0");
    }
    pos.buys("000001", CARD, "1", "1").await.expect("77");
    // Terminals take 77 for a reversal as no end: it is A0 as long as nobody can check it.
    pos.unbuys("000001", CARD, "1", "1").await.expect("A0");
    assert_eq!(pos.check_in().await, "000001");
    pos.buys("000001", CARD, "1", "1").await.expect("00");
    house.end().await;
}

/// Old keys stay valid until a message under the new ones comes.
#[tokio::test]
async fn a_lost_check_in_leaves_the_terminal_its_keys() {
    let house = House::with_cards().await;
    let pos = Pos::with_mac(&house);
    pos.check_in().await;
    let old = pos.keys();
    pos.check_in().await;
    let new = pos.keys();
    pos.use_keys(old.clone());
    pos.buy("1", "1").await.expect("00");
    pos.use_keys(new);
    pos.buy("1", "1").await.expect("00");
    pos.use_keys(old);
    pos.buy("1", "1").await.expect("A0");
    house.end().await;
}

#[tokio::test]
async fn every_message_of_such_a_terminal_is_heard_under_its_mac() {
    let house = House::with_cards().await;
    let pos = Pos::with_mac(&house);
    pos.check_in().await;
    let sold = pos.buy("1", "1").await.expect("00").text_of("serialNo");
    let refunded = pos.refund(&sold).await.expect("00").text_of("serialNo");
    pos.refund_cancel(&refunded).await.expect("00");
    pos.cancel(&sold).await.expect("00");
    let trace = pos.next_trace();
    let tickets = [
        ("traceNo", &*trace),
        ("cardNo", CARD),
        ("ticket", r#"[{"id":2,"num":1}]"#),
    ];
    pos.post("tickets/consume", &tickets).await.expect("00");
    pos.post("tickets/consumeReversal", &tickets)
        .await
        .expect("00");
    let counted = [
        ("pointDebitCount", "2"),
        ("pointDebitAmount", "2"),
        ("pointCeditCount", "2"),
        ("pointCreditAmount", "2"),
        ("totalTransCount", "4"),
        ("cancelCount", "1"),
        ("refundCount", "1"),
    ];
    let settled = pos
        .post("trans/settle", &totals("000901", "000001", &counted))
        .await;
    let settled = settled.expect("00");
    assert_eq!(settled.text_of("settleFlag"), "ss", "{}", settled.text);
    house.end().await;
}

#[tokio::test]
async fn a_pin_is_asked_for_when_points_are_spent() {
    let house = House::with_cards().await;
    // Under both layouts of keys.
    let (short, long) = (Pos::new(&house), Pos::with_mac(&house));
    for pos in [short, long] {
        pos.check_in().await;
        let right = pos.pin_block(PIN, PIN_CARD);
        let trace = pos.next_trace();
        let fields = plus(&sale(&trace, PIN_CARD, "1", "0"), &[("password", &right)]);
        let bought = pos.post("trans/consume", &fields).await.expect("00");
        assert_eq!(bought.number("usePoint"), "100");
        let trace = pos.next_trace();
        let missing = pos.buys(&trace, PIN_CARD, "1", "0").await.expect("30");
        assert!(missing.text_of("message").ends_with("：password"));
        // Cash alone needs none; nor does a card that has none look at one.
        let trace = pos.next_trace();
        pos.buys(&trace, PIN_CARD, "0", "1").await.expect("00");
        let trace = pos.next_trace();
        let needless = pos.pin_block("9999", CARD);
        let fields = plus(&sale(&trace, CARD, "1", "0"), &[("password", &needless)]);
        pos.post("trans/consume", &fields).await.expect("00");
    }
    house.end().await;
}

#[tokio::test]
async fn a_pin_block_of_another_key_or_card_is_no_pin() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let trace = pos.next_trace();
    let good = sale(&trace, PIN_CARD, "1", "0");
    for block in ["", "12", "0123456789ABCDEG"] {
        let code = if block.is_empty() { "30" } else { "99" };
        let fields = plus(&good, &[("password", block)]);
        pos.post("trans/consume", &fields).await.expect(code);
    }
    let old = pos.pin_block(PIN, PIN_CARD);
    pos.check_in().await;
    pos.check_in().await;
    pos.buys("000900", CARD, "0", "1").await.expect("00");
    // Its keys are over, unless the message was answered before.
    let fields = plus(&good, &[("password", &old)]);
    let newest = pos.pin_block(PIN, PIN_CARD);
    let fresh = plus(&good, &[("password", &newest)]);
    pos.post("trans/consume", &fresh).await.expect("00");
    pos.post("trans/consume", &fields).await.expect("00");
    house.end().await;
}

#[tokio::test]
async fn three_wrong_pins_lock_a_card_until_an_operator_resets_it() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let buy = async |pin: &str| {
        let (trace, block) = (pos.next_trace(), pos.pin_block(pin, PIN_CARD));
        let fields = plus(&sale(&trace, PIN_CARD, "1", "0"), &[("password", &block)]);
        pos.post("trans/consume", &fields).await
    };
    // A right one in between starts the count anew.
    for pin in ["000000", "111111"] {
        buy(pin).await.expect("55");
    }
    buy(PIN).await.expect("00");
    for pin in ["000000", "111111", "222222"] {
        buy(pin).await.expect("55");
    }
    buy(PIN).await.expect("75");
    buy("000000").await.expect("75");
    // A repeated wrong one counts once; the same message is the same try.
    reset_pin(&house).await;
    let (trace, block) = (pos.next_trace(), pos.pin_block("000000", PIN_CARD));
    let fields = plus(&sale(&trace, PIN_CARD, "1", "0"), &[("password", &block)]);
    for _ in 0..5 {
        pos.post("trans/consume", &fields).await.expect("55");
    }
    buy(PIN).await.expect("00");
    house.end().await;
}

async fn reset_pin(house: &House) {
    let change = CardChange {
        card: CardName {
            tenant: "demo".to_owned(),
            number: PIN_CARD.to_owned(),
        },
        status: None,
        grade: None,
        pin: None,
        reset_pin: true,
    };
    let request = Request::Loyalty(loyalty::Request::SetCard(change));
    let card = house.admin(request).await.unwrap();
    assert_eq!(card["pin_is_locked"], false);
}
