//! Codes to a phone, and cards given to members.

use super::pos::{Answer, Pos};
use crate::support::house::{House, Rows};
use onetill::admin::{
    Request,
    loyalty::{
        self,
        demo::{CARD, LOST_CARD, STOCKED_CARD},
    },
};

const MOBILE: &str = "13812345678";

on_both_stores!(a_stocked_card_becomes_a_members);

async fn a_stocked_card_becomes_a_members(rows: Rows) {
    let house = House::setup().cards().rows(rows).open().await;
    let pos = Pos::open(&house).await;
    let code = send_code(&house, &pos, MOBILE).await;
    let given = activate(&pos, "000001", STOCKED_CARD, MOBILE, &code)
        .await
        .expect("00");
    assert_eq!(given.text_of("serialNo").len(), 12);
    let shown = pos
        .post("cards", &[("traceNo", "000002"), ("cardNo", STOCKED_CARD)])
        .await;
    let shown = shown.expect("00");
    assert_eq!(shown.text_of("mobileNo"), MOBILE);
    assert_eq!(shown.text_of("idNo"), "110101199003070000");
    assert_eq!(pos.points(STOCKED_CARD).await.0, "0");
    // The code is used up; and who has a new one is told that the card is a member's.
    let again = activate(&pos, "000003", STOCKED_CARD, MOBILE, &code).await;
    again.expect("05");
    house.advance_s(60).await;
    let code = send_code(&house, &pos, MOBILE).await;
    let again = activate(&pos, "000004", STOCKED_CARD, MOBILE, &code).await;
    again.expect("22");
    house.end().await;
}

async fn send_code(house: &House, pos: &Pos<'_>, mobile: &str) -> String {
    let sent = pos
        .post("mobile/sendVerifyCode", &[("mobileNo", mobile)])
        .await;
    sent.expect("00");
    newest_code(house).await
}

async fn newest_code(house: &House) -> String {
    let messages = Request::Loyalty(loyalty::Request::ListSms);
    let messages = house.admin(messages).await.unwrap();
    messages[0]["code"].as_str().unwrap().to_owned()
}

async fn activate(pos: &Pos<'_>, trace: &str, card: &str, mobile: &str, code: &str) -> Answer {
    let fields = [
        ("traceNo", trace),
        ("cardNo", card),
        ("mobileNo", mobile),
        ("verifyCode", code),
        ("idType", "01"),
        ("idNo", "110101199003070000"),
    ];
    pos.post("card/active", &fields).await
}

/// A code that is not this one, whatever this one is.
fn another(code: &str) -> String {
    let first = if code.starts_with('1') { '2' } else { '1' };
    format!("{first}{}", &code[1..])
}

#[tokio::test]
async fn a_code_is_good_for_one_number_five_tries_and_five_minutes() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let code = send_code(&house, &pos, MOBILE).await;
    activate(&pos, "000001", STOCKED_CARD, "13812345679", &code)
        .await
        .expect("05");
    for trace in 2..=6 {
        let trace = format!("{trace:06}");
        activate(&pos, &trace, STOCKED_CARD, MOBILE, &another(&code))
            .await
            .expect("05");
    }
    activate(&pos, "000007", STOCKED_CARD, MOBILE, &code)
        .await
        .expect("05");
    house.advance_s(60).await;
    let code = send_code(&house, &pos, MOBILE).await;
    house.advance_s(300).await;
    activate(&pos, "000008", STOCKED_CARD, MOBILE, &code)
        .await
        .expect("05");
    let code = send_code(&house, &pos, MOBILE).await;
    house.advance_s(299).await;
    activate(&pos, "000009", STOCKED_CARD, MOBILE, &code)
        .await
        .expect("00");
    house.end().await;
}

#[tokio::test]
async fn codes_are_limited_by_number_and_by_terminal() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let send = async |mobile: &str| {
        let answer = pos
            .post("mobile/sendVerifyCode", &[("mobileNo", mobile)])
            .await;
        answer.code().to_owned()
    };
    assert_eq!(send(MOBILE).await, "00");
    assert_eq!(send(MOBILE).await, "65");
    for _ in 0..4 {
        house.advance_s(60).await;
        assert_eq!(send(MOBILE).await, "00");
    }
    house.advance_s(60).await;
    assert_eq!(send(MOBILE).await, "65", "five an hour");
    // Sixty an hour from one terminal.
    for number in 0..55 {
        assert_eq!(send(&format!("139{number:04}9999")).await, "00");
    }
    assert_eq!(send("13999999999").await, "65");
    house.advance_s(3_600).await;
    assert_eq!(send(MOBILE).await, "00");
    house.end().await;
}

#[tokio::test]
async fn a_card_that_cannot_be_given_says_why() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let code = send_code(&house, &pos, MOBILE).await;
    let rows = [
        ("9999999999025999", "14"),
        (CARD, "22"),
        (LOST_CARD, "41"),
        (STOCKED_CARD, "00"),
    ];
    for (number, (card, expected)) in rows.into_iter().enumerate() {
        let trace = format!("{:06}", number + 1);
        activate(&pos, &trace, card, MOBILE, &code)
            .await
            .expect(expected);
    }
    house.end().await;
}

/// What the provider says is told, and where nobody knows the code stays good.
#[tokio::test]
async fn what_the_provider_refuses_is_told() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    for (mobile, code) in [
        ("13800000001", "65"),
        ("13800000002", "30"),
        ("13800000003", "91"),
        ("13800000004", "00"),
        ("13800000006", "91"),
        ("1380000000", "30"),
    ] {
        let answer = pos
            .post("mobile/sendVerifyCode", &[("mobileNo", mobile)])
            .await;
        answer.expect(code);
    }
    house.end().await;
}
