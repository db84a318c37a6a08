//! How often merchants are told, and what counts as being told.

use crate::support::{
    bodies::{self, with},
    eventually,
    house::House,
    receiver::{Manner, Receiver},
    together,
};
use domain::notification::Delivery;
use onetill::admin::Request;
use std::time::{Duration, Instant};
use wire::opengateway::Operation;

/// An order that is paid and tells `receiver`.
async fn paid_order(house: &House, code: &str, receiver: &Receiver) {
    let body = with(bodies::order(code), "NODIFY_URL", receiver.url("/n"));
    let answer = house.till().post(Operation::Order, &body).await;
    let serial = answer.expect("SUCCESS").get("CHARGE_DOWN_CODE");
    assert_eq!(house.payer(&serial, "pay").await, 200);
}

async fn shown(house: &House, code: &str) -> (String, u64) {
    let order = Request::ShowOrder(House::named(code));
    let shown = house.admin(order).await.unwrap();
    let notification = &shown["notification"];
    let state = notification["state"].as_str().unwrap();
    (state.to_owned(), notification["attempts"].as_u64().unwrap())
}

/// How long it is until the next attempt.
async fn due_in_ms(house: &House, code: &str) -> i64 {
    let payment = house.stored(code).await.unwrap();
    let reader = &house.gateway().reader;
    let found = reader.notification(payment.tenant, payment.serial).await;
    match found.unwrap().unwrap().delivery {
        Delivery::Due(at) => at.since_ms(house.now()),
        ended @ (Delivery::Delivered(_) | Delivery::Dead(_)) => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn nothing_but_200_ends_it() {
    let statuses = [500, 404, 201, 204, 302, 401, 200];
    let house = House::open().await;
    let receiver = Receiver::start(move |number| Manner::Status(statuses[number])).await;
    paid_order(&house, "A", &receiver).await;
    for attempt in 1..statuses.len() {
        receiver.receive(attempt).await;
        house.until_attempts("A", attempt).await;
        assert_eq!(due_in_ms(&house, "A").await, 5_000);
        house.advance_s(5).await;
    }
    receiver.receive(statuses.len()).await;
    house.until_attempts("A", statuses.len()).await;
    assert_eq!(shown(&house, "A").await, ("delivered".into(), 7));
    house.advance_s(60).await;
    house.end().await;
    assert_eq!(receiver.messages().len(), 7, "no more once delivered");
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up_and_told_again() {
    let house = House::setup()
        .attempt_timeout(Duration::from_millis(200))
        .open()
        .await;
    let receiver = Receiver::start(|number| match number {
        0 => Manner::Hang,
        _ => Manner::Status(200),
    })
    .await;
    paid_order(&house, "A", &receiver).await;
    house.until_attempts("A", 1).await;
    house.advance_s(5).await;
    receiver.receive(2).await;
    house.end().await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let house = House::open().await;
    let elsewhere = Receiver::polite().await;
    let target = elsewhere.url("/stolen");
    let receiver = Receiver::start(move |number| match number {
        0 => Manner::Redirect(target.clone()),
        _ => Manner::Status(200),
    })
    .await;
    paid_order(&house, "A", &receiver).await;
    house.until_attempts("A", 1).await;
    house.advance_s(5).await;
    receiver.receive(2).await;
    house.end().await;
    assert!(elsewhere.messages().is_empty());
}

#[tokio::test]
async fn one_slow_receiver_does_not_delay_another() {
    let house = House::setup()
        .attempt_timeout(Duration::from_millis(1_500))
        .open()
        .await;
    let slow = Receiver::start(|number| match number {
        0..4 => Manner::Hang,
        _ => Manner::Status(200),
    })
    .await;
    let prompt = Receiver::polite().await;
    for number in 0..4 {
        paid_order(&house, &format!("S{number}"), &slow).await;
    }
    slow.receive(4).await;
    let begun = Instant::now();
    for number in 0..4 {
        paid_order(&house, &format!("P{number}"), &prompt).await;
    }
    prompt.receive(4).await;
    assert!(
        begun.elapsed() < Duration::from_millis(1_200),
        "{:?}",
        begun.elapsed()
    );
    for number in 0..4 {
        house.until_attempts(&format!("S{number}"), 1).await;
    }
    house.advance_s(15).await;
    slow.receive(8).await;
    house.end().await;
}

/// The deliveries that run for one merchant at the same time.
const AT_ONCE: usize = 64;
/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_place_yet_is_not_claimed_and_goes_out_with_the_next_place() {
    let house = House::setup()
        .attempt_timeout(Duration::from_secs(4))
        .open()
        .await;
    let slow = Receiver::start(|number| match number {
        0..AT_ONCE => Manner::Hang,
        _ => Manner::Status(200),
    })
    .await;
    let many = AT_ONCE + 40;
    let codes: Vec<_> = (0..many).map(|n| format!("S{n}")).collect();
    let paid = codes.iter().map(|code| paid_order(&house, code, &slow));
    together(paid).await;
    // Not by `until`, whose nudges are a second worker's, with places of its own.
    eventually("all are owed", async || {
        let figures = house.gateway().reader.figures().await.unwrap();
        (figures.notifications_due == many as u64).then_some(())
    })
    .await;
    // The others wait, and none of them was claimed for later.
    slow.receive(AT_ONCE).await;
    let mut waiting = 0;
    for code in &codes {
        waiting += usize::from(due_in_ms(&house, code).await <= 0);
    }
    assert_eq!(waiting, many - AT_ONCE);
    // The clock stands still, so nothing new becomes due: the places that are given back do it.
    let told = async {
        while slow.messages().len() < many {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, told).await.is_ok());
    for code in &codes {
        house.until_attempts(code, 1).await;
    }
    house.advance_s(5).await;
    slow.receive(many + AT_ONCE).await;
    house.end().await;
}

#[tokio::test]
async fn after_thirty_attempts_it_is_dead_until_an_operator_sends_it_again() {
    let house = House::open().await;
    let receiver =
        Receiver::start(|number| Manner::Status(if number < 30 { 500 } else { 200 })).await;
    paid_order(&house, "A", &receiver).await;
    for attempt in 1..=30 {
        house.until_attempts("A", attempt).await;
        house.advance_s(5).await;
    }
    house.advance_s(600).await;
    house.nudge().await;
    assert_eq!(receiver.messages().len(), 30);
    assert_eq!(shown(&house, "A").await, ("dead".into(), 30));
    let dead = house.admin(Request::DeadNotifications).await.unwrap();
    assert_eq!(dead.as_array().unwrap().len(), 1);
    let sent = house
        .admin(Request::Renotify(House::named("A")))
        .await
        .unwrap();
    assert_eq!(sent["state"], "due");
    receiver.receive(31).await;
    house.until_attempts("A", 1).await;
    assert_eq!(shown(&house, "A").await, ("delivered".into(), 1));
    let key = &house.till().key;
    assert!(
        receiver
            .messages()
            .iter()
            .all(|it| it.read(key).get("CHARGE_CODE") == "A")
    );
    house.end().await;
}

#[tokio::test]
async fn only_what_was_told_can_be_told_again() {
    let house = House::open().await;
    house.till().paid("A", "1.00").await;
    for name in [House::named("A"), House::named("B")] {
        assert!(house.admin(Request::Renotify(name)).await.is_err());
    }
    house.end().await;
}
