//! One serial, one charge.

use crate::support::{
    bodies::{self, trigger, with},
    house::{House, Rows},
    till::Answer,
    together,
};
use std::collections::BTreeSet;
use wire::opengateway::Operation;

on_both_stores!(of_twin_pre_orders_one_pays);

async fn of_twin_pre_orders_one_pays(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    let twins = (0..20).map(|_| till.pay("TWIN", bodies::PAYS));
    let answers = together(twins).await;
    let codes: Vec<String> = answers.iter().map(Answer::code).collect();
    let count = |code: &str| codes.iter().filter(|it| *it == code).count();
    assert_eq!(
        (count("SUCCESS"), count("SERIAL_REPEAT")),
        (1, 19),
        "{codes:?}"
    );
    let counts = house.counts().await;
    assert_eq!((counts.payments, counts.postings), (1, 1));
    assert_eq!(house.holds_fen("TWIN").await, 1);
    house.end().await;
}

#[tokio::test]
async fn a_used_serial_stays_used_in_both_operations_and_every_state() {
    let house = House::open().await;
    let till = house.till();
    till.paid("PAID", "1.00").await;
    till.pay("CLOSED", &trigger("02")).await.expect("FAIL");
    till.paid("CANCELLED", "1.00").await;
    till.cancel("CANCELLED").await.expect("SUCCESS");
    till.order("OPEN").await.expect("SUCCESS");
    for (code, state) in [
        ("PAID", "已付款"),
        ("CLOSED", "交易关闭"),
        ("CANCELLED", "已撤单"),
        ("OPEN", "待付款"),
    ] {
        for answer in [till.pay(code, bodies::PAYS).await, till.order(code).await] {
            assert!(answer.info().contains(state), "{}", answer.info());
            assert_eq!(
                answer.field("BAR_CODE"),
                None,
                "nothing of the other order is told"
            );
            answer.expect("SERIAL_REPEAT");
        }
    }
    house.advance_s(40 * 24 * 3_600).await;
    till.pay("PAID", bodies::PAYS).await.expect("SERIAL_REPEAT");
    house.end().await;
}

#[tokio::test]
async fn another_merchant_may_use_the_same_serial() {
    let house = House::open().await;
    house.till().paid("SAME", "1.00").await;
    let other = house.other_till();
    let body = with(
        bodies::pre_order("SAME", bodies::PAYS),
        "BUSI_ID",
        &*other.busi_code,
    );
    other
        .post(Operation::PreOrder, &body)
        .await
        .expect("SUCCESS");
    assert_eq!(other.query("SAME").await.get("AMT"), "1");
    assert_eq!(house.till().query("SAME").await.get("AMT"), "100");
    house.end().await;
}

#[tokio::test]
async fn serials_differ_in_case_and_may_be_64_characters() {
    let house = House::open().await;
    let till = house.till();
    for code in ["a", "A", &"收".repeat(64), &"c".repeat(64)] {
        till.pay(code, bodies::PAYS).await.expect("SUCCESS");
        assert_eq!(till.query(code).await.get("CHARGE_CODE"), code);
    }
    house.end().await;
}

#[tokio::test]
async fn gateway_serials_are_20_digits_with_the_local_date_and_unique() {
    let house = House::open().await;
    let till = house.till();
    let mut serials = BTreeSet::new();
    for number in 0..30 {
        let serial = till.paid(&format!("C{number}"), "1.00").await;
        assert_eq!(serial.len(), 20);
        assert!(serial.starts_with("20261122") && serial.bytes().all(|it| it.is_ascii_digit()));
        assert!(serials.insert(serial));
    }
    house.end().await;
}

#[tokio::test]
async fn with_replay_an_identical_body_gets_the_first_answer() {
    let house = House::open().await;
    let till = house.till();
    house
        .set_merchant(|it| it.replay_identical = Some(true))
        .await;
    let body = bodies::pre_order("A", bodies::PAYS);
    let first = till
        .post(Operation::PreOrder, &body)
        .await
        .expect("SUCCESS");
    house.advance_s(60).await;
    let again = till
        .post(Operation::PreOrder, &body)
        .await
        .expect("SUCCESS");
    assert_eq!(first, again);
    let laid_out = till
        .post_text(Operation::PreOrder, &format!("{body:#}"))
        .await;
    assert_eq!(first, laid_out);
    let sealed = till.sealed().post(Operation::PreOrder, &body).await;
    assert_eq!(first, sealed);
    let other = with(body, "AMT", "0.02");
    till.post(Operation::PreOrder, &other)
        .await
        .expect("SERIAL_REPEAT");
    let order = bodies::order("O");
    let first = till.post(Operation::Order, &order).await.expect("SUCCESS");
    assert_eq!(first, till.post(Operation::Order, &order).await);
    assert_eq!(house.counts().await.payments, 2);
    house.end().await;
}

#[tokio::test]
async fn with_replay_a_retry_waits_for_the_payment_under_way() {
    let house = House::open().await;
    let till = house.till();
    house
        .set_merchant(|it| it.replay_identical = Some(true))
        .await;
    let code = trigger("01");
    let twins = together((0..3).map(|_| till.pay("A", &code)));
    let answers = house.passing(twins).await;
    for answer in answers {
        answer.expect("SUCCESS");
    }
    let declined = trigger("02");
    for _ in 0..2 {
        let answer = till.pay("B", &declined).await;
        assert!(answer.info().contains("余额不足"), "{}", answer.info());
        answer.expect("FAIL");
    }
    assert_eq!(house.counts().await.payments, 2);
    house.end().await;
}
