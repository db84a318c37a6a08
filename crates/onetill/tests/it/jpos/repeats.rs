//! One message, one effect, and one answer.

use super::pos::{Answer, Field, Pos, plus, sale, take_back, totals};
use crate::support::{house::House, together};
use onetill::admin::loyalty::demo::{CARD, STOCKED_CARD};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_buy_once() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let twins = (0..20).map(|_| pos.buys("000001", CARD, "1", "1"));
    let answers = together(twins).await;
    let first = answers[0].clone().expect("00");
    assert!(
        answers.iter().all(|it| it.text == first.text),
        "{answers:?}"
    );
    assert_eq!(pos.points(CARD).await.0, "901");
    house.end().await;
}

/// Each keyed message, approved or refused, is answered the same again.
#[tokio::test]
async fn every_keyed_message_is_answered_again() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let sold = pos.buys("000901", CARD, "1", "10").await.expect("00");
    let sold = sold.text_of("serialNo");
    let other = pos.buys("000902", CARD, "1", "10").await.expect("00");
    let other = other.text_of("serialNo");
    let refunded = ask_twice(&pos, "refunds", &take_back("000001", CARD, &other)).await;
    let refunded = refunded.expect("00").text_of("serialNo");
    let rows: Vec<(&str, Vec<Field<'_>>, &str)> = vec![
        (
            "trans/cancel",
            take_back("000002", CARD, &sold).to_vec(),
            "00",
        ),
        (
            "trans/cancel",
            take_back("000003", CARD, &sold).to_vec(),
            "22",
        ),
        (
            "refunds/cancel",
            take_back("000004", CARD, &refunded).to_vec(),
            "00",
        ),
        (
            "trans/consume",
            sale("000005", CARD, "11", "1").to_vec(),
            "51",
        ),
        (
            "tickets/consume",
            tickets("000006", r#"[{"id":1,"num":2}]"#),
            "00",
        ),
        (
            "tickets/consume",
            tickets("000007", r#"[{"id":1,"num":9}]"#),
            "51",
        ),
        ("card/active", activation("000008"), "05"),
        ("trans/settle", totals("000009", "000001", &[]), "00"),
        ("trans/settle/details", journal("000010"), "00"),
    ];
    for (function, fields, code) in rows {
        ask_twice(&pos, function, &fields).await.expect(code);
        // A message of another kind under a used number is another message.
        let another = if function == "trans/consume" {
            pos.post("trans/cancel", &plus(&fields, &[("oriSerialNo", &sold)]))
                .await
        } else {
            let trace = fields
                .iter()
                .find(|(name, _)| *name == "traceNo")
                .unwrap()
                .1;
            pos.buys(trace, CARD, "0", "1").await
        };
        another.expect("94");
    }
    house.end().await;
}

/// What is wrong with a message in itself is decided on no less: repeated it is refused again as it
/// was, and another message under its number is another message.
#[tokio::test]
async fn what_is_wrong_in_itself_is_refused_on_record() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let sold = pos.buys("000901", CARD, "1", "10").await.expect("00");
    let sold = sold.text_of("serialNo");
    for (function, good, wrong, code) in wrong_messages(&sold) {
        let trace = pos.next_trace();
        let good = plus(&good, &[("traceNo", &*trace)]);
        let bad = plus(&good, &[wrong]);
        let refused = ask_twice(&pos, function, &bad).await.expect(code);
        if code == "13" {
            let field = match wrong {
                (_, "0") => "pointAmount",
                (field, _) => field,
            };
            let message = refused.text_of("message");
            assert!(message.ends_with(field), "{message}");
        }
        pos.post(function, &good).await.expect("94");
        // Whoever lost the answer and reverses it is told that nothing is to be undone.
        if let Some((_, reversal)) = REVERSALS.iter().find(|(it, _)| *it == function) {
            pos.post(reversal, &bad).await.expect("12");
        }
    }
    house.end().await;
}

/// A function, a good message, what is made wrong with it, and how it is refused.
type WrongMessage<'f> = (&'static str, Vec<Field<'f>>, Field<'f>, &'static str);

fn wrong_messages(sold: &str) -> Vec<WrongMessage<'_>> {
    let sale = sale("", CARD, "0", "1").to_vec();
    let back = take_back("", CARD, sold).to_vec();
    let tickets = tickets("", r#"[{"id":1,"num":1}]"#);
    let with_cards = [
        ("trans/consume", sale.clone()),
        ("trans/cancel", back.clone()),
        ("refunds", back.clone()),
        ("refunds/cancel", back),
        ("tickets/consume", tickets),
        ("card/active", activation("")),
    ];
    // The stripe of another card, and what is no card's number.
    let faults = [("track2", "9999999999025320=4912"), ("cardNo", "ABC")];
    let of_cards = faults.into_iter().flat_map(|fault| {
        let with_cards = with_cards.clone().into_iter();
        with_cards.map(move |(function, good)| (function, good, fault, "14"))
    });
    let amounts = [
        ("pointAmount", "x"),
        ("cashAmount", "0"),
        ("cashAmount", "0.001"),
    ];
    let of_amounts = amounts.map(|fault| ("trans/consume", sale.clone(), fault, "13"));
    let settle = totals("", "000001", &[]);
    let of_totals = ("trans/settle", settle, ("pointDebitAmount", "-1"), "13");
    of_cards.chain(of_amounts).chain([of_totals]).collect()
}

const REVERSALS: [(&str, &str); 5] = [
    ("trans/consume", "trans/consumeReversal"),
    ("trans/cancel", "trans/cancelReversal"),
    ("refunds", "refunds/reversal"),
    ("refunds/cancel", "refunds/cancelReversal"),
    ("tickets/consume", "tickets/consumeReversal"),
];

async fn ask_twice(pos: &Pos<'_>, function: &str, fields: &[(&'static str, &str)]) -> Answer {
    let first = pos.post(function, fields).await;
    // Its time is a part of the answer.
    pos.house().advance_s(2).await;
    let again = pos.post(function, fields).await;
    assert_eq!(first.text, again.text, "{function}");
    first
}

fn tickets<'f>(trace: &'f str, list: &'f str) -> Vec<(&'static str, &'f str)> {
    vec![("traceNo", trace), ("cardNo", CARD), ("ticket", list)]
}

fn journal(trace: &str) -> Vec<(&'static str, &str)> {
    vec![("traceNo", trace), ("batchNo", "000001"), ("details", "[]")]
}

fn activation(trace: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("traceNo", trace),
        ("cardNo", STOCKED_CARD),
        ("mobileNo", "13800000001"),
        ("verifyCode", "000000"),
        ("idType", "01"),
    ]
}

/// Refusals that say nothing of the message itself are not kept: put right, it is carried out.
#[tokio::test]
async fn what_can_be_put_right_is_not_kept() {
    let house = House::with_cards().await;
    let pos = Pos::new(&house);
    pos.buys("000001", CARD, "1", "0").await.expect("77");
    pos.check_in().await;
    let good = sale("000001", CARD, "1", "0");
    for (wrong, code) in [
        (("password", "0123456789ABCDEF"), "99"),
        (("consumeType", ""), "30"),
        (("pointAmount", ""), "30"),
        (("vaucher", "{}"), "30"),
    ] {
        let answer = pos.post("trans/consume", &plus(&good, &[wrong])).await;
        answer.expect(code);
    }
    pos.post("trans/consume", &good).await.expect("00");
    house.end().await;
}

/// Spellings of one message, and what a terminal adds between two tries, make no other message.
#[tokio::test]
async fn a_message_is_the_same_in_every_spelling() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let first = pos.buys("000001", CARD, "1", "1").await.expect("00");
    pos.check_in().await;
    let spelled = plus(
        &sale("000001", CARD, "1.00", "1.0"),
        &[("vaucher", " [ ] "), ("mac", ""), ("unknown", "field")],
    );
    assert_eq!(pos.post("trans/consume", &spelled).await.text, first.text);
    house.end().await;
}
