//! Undoing a payment in every state, at once and by an operator's decision.

use crate::support::{
    bodies::{self, trigger},
    house::{House, Rows},
    late_reader::{Delay, LateReader},
};
use channels::sandbox::SandboxState;
use domain::{ids::Serial, payment::PaymentStatus};
use std::{sync::Arc, time::Duration};

on_both_stores!(cancels_by_state, an_operator_decides_on_a_requested_cancel);

/// Brings an order named after each state into that state.
async fn in_every_state(house: &House) {
    let till = house.till();
    till.order("S0").await.expect("SUCCESS");
    till.paid("S1", "1.00").await;
    till.paid("S2", "1.00").await;
    till.cancel("S2").await.expect("SUCCESS");
    till.paid("S3", "1.00").await;
    till.request_cancel("S3").await.expect("SUCCESS");
    till.paid("S4", "1.00").await;
    till.refund("S4", "0.10", "R4").await.expect("SUCCESS");
    till.paid("S5", "1.00").await;
    till.refund("S5", "1.00", "R5").await.expect("SUCCESS");
    till.pay("S6", &trigger("02")).await.expect("FAIL");
    till.paid("S8", "2.00").await;
    till.refund("S8", "0.98", "R8").await.expect("SUCCESS");
    till.paid("S9", "2.00").await;
    till.refund("S9", "0.97", "R9").await.expect("FAIL");
}

async fn cancels_by_state(rows: Rows) {
    // State before, CODE, state after; at once, then on request.
    let table = [
        ("S0", "SUCCESS", "2", "SUCCESS", "3"),
        ("S1", "SUCCESS", "2", "SUCCESS", "3"),
        ("S2", "AREADY_REVOKED", "2", "AREADY_REVOKED", "2"),
        ("S3", "SUCCESS", "2", "SUCCESS", "3"),
        ("S4", "FAIL", "4", "FAIL", "4"),
        ("S5", "FAIL", "5", "FAIL", "5"),
        ("S6", "FAIL", "6", "FAIL", "6"),
        ("S8", "FAIL", "8", "FAIL", "8"),
        ("S9", "FAIL", "9", "FAIL", "9"),
    ];
    for requested in [false, true] {
        let house = House::setup().rows(rows).open().await;
        let till = house.till();
        in_every_state(&house).await;
        for (order, code, state, requested_code, requested_state) in table {
            let (answer, code, state) = if requested {
                (
                    till.request_cancel(order).await,
                    requested_code,
                    requested_state,
                )
            } else {
                (till.cancel(order).await, code, state)
            };
            assert_eq!(
                answer.code(),
                code,
                "{order} {requested}: {}",
                answer.info()
            );
            assert_eq!(till.state(order).await, state, "{order} {requested}");
        }
        till.cancel("UNKNOWN").await.expect("CHARGE_NONEXISTENT");
        if !requested {
            for order in ["S0", "S1", "S2", "S3"] {
                assert_eq!(house.holds_fen(order).await, 0, "{order}");
                till.cancel(order).await.expect("AREADY_REVOKED");
            }
        }
        house.end().await;
    }
}

async fn an_operator_decides_on_a_requested_cancel(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let till = house.till();
    // Paid or not, approved or not, state in the end.
    for (order, paid, approve, state) in [
        ("A", true, true, "2"),
        ("B", true, false, "1"),
        ("C", false, true, "2"),
        ("D", false, false, "0"),
    ] {
        if paid {
            till.paid(order, "1.00").await;
        } else {
            till.order(order).await.expect("SUCCESS");
        }
        till.request_cancel(order).await.expect("SUCCESS");
        till.request_cancel(order).await.expect("SUCCESS");
        assert_eq!(till.state(order).await, "3");
        house.decide(order, approve).await.unwrap();
        assert_eq!(till.state(order).await, state, "{order}");
        assert!(house.decide(order, approve).await.is_err(), "decided once");
        assert_eq!(
            house.holds_fen(order).await,
            if state == "1" { 100 } else { 0 }
        );
    }
    till.refund("B", "1.00", "R").await.expect("SUCCESS");
    let serial = house.stored("D").await.unwrap().serial.to_string();
    assert_eq!(
        house.payer(&serial, "pay").await,
        200,
        "a rejected request leaves it payable"
    );
    house
        .until("D", |it| it.status() == PaymentStatus::Paid)
        .await;
    house.end().await;
}

#[tokio::test]
async fn an_unpaid_order_is_closed_at_the_channel_too() {
    let house = House::open().await;
    let till = house.till();
    let serial = till.order("A").await.get("CHARGE_DOWN_CODE");
    till.cancel("A").await.expect("SUCCESS");
    let sandbox = house.gateway().sandbox.as_ref().unwrap();
    let order = sandbox.order(Serial::parse(&serial).unwrap()).unwrap();
    assert_eq!(order.state, SandboxState::Closed);
    assert_eq!(house.payer(&serial, "pay").await, 409);
    house.end().await;
}

#[tokio::test]
async fn a_payment_in_flight_is_reversed() {
    let house = House::open().await;
    let till = house.till();
    for (order, digits) in [("A", "03"), ("B", "01"), ("C", "08")] {
        let code = trigger(digits);
        let cancelled = async {
            house.until(order, |_| true).await;
            till.cancel(order).await
        };
        let (paying, cancel) = tokio::join!(till.pay(order, &code), cancelled);
        cancel.expect("SUCCESS");
        paying.expect("FAIL");
        assert_eq!(till.state(order).await, "2");
    }
    house.drain().await;
    for order in ["A", "B", "C"] {
        assert_eq!(house.holds_fen(order).await, 0, "{order}");
        assert_eq!(till.state(order).await, "2");
    }
    house.end().await;
}

#[tokio::test]
async fn a_cancel_that_the_channel_refuses_or_takes_its_time_for() {
    let house = House::open().await;
    let till = house.till();
    till.paid("REFUSED", "0.97").await;
    let refused = till.cancel("REFUSED").await.expect("FAIL");
    assert!(refused.info().contains("撤单失败"), "{}", refused.info());
    assert_eq!(till.state("REFUSED").await, "9");
    assert_eq!(house.holds_fen("REFUSED").await, 97);
    till.paid("SLOW", "0.98").await;
    let slow = till.cancel("SLOW").await.expect("SUCCESS");
    assert!(slow.info().contains("处理中"), "{}", slow.info());
    assert_eq!(till.state("SLOW").await, "8");
    house.drain().await;
    assert_eq!(till.state("SLOW").await, "2");
    till.cancel("SLOW").await.expect("AREADY_REVOKED");
    house.end().await;
}

#[tokio::test]
async fn by_approval_a_paid_order_always_waits_and_an_unpaid_one_never() {
    let house = House::open().await;
    let till = house.till();
    house
        .set_merchant(|it| it.cancel_paid_by_approval = Some(true))
        .await;
    till.paid("PAID", "1.00").await;
    for _ in 0..2 {
        let answer = till.cancel("PAID").await.expect("SUCCESS");
        assert!(answer.info().contains("等待审核"), "{}", answer.info());
        assert_eq!(till.state("PAID").await, "3");
        assert_eq!(house.holds_fen("PAID").await, 100);
    }
    till.order("OPEN").await.expect("SUCCESS");
    till.cancel("OPEN").await.expect("SUCCESS");
    assert_eq!(till.state("OPEN").await, "2");
    house.decide("PAID", true).await.unwrap();
    assert_eq!(till.state("PAID").await, "2");
    house.end().await;
}

/// Seen once under load: a look at the merchants that began before a setting was made and ended
/// after it brought the old setting back, for up to two seconds.
#[tokio::test]
async fn a_setting_holds_at_once_though_an_older_look_at_the_merchants_ends_after_it() {
    let delay = Arc::new(Delay::default());
    let late = Arc::clone(&delay);
    let house = House::setup().rig(move |it| {
        it.reader = Arc::new(LateReader::new(Arc::clone(&it.reader), &late));
    });
    let house = house.open().await;
    delay.hold_next();
    let gateway = Arc::clone(house.gateway());
    let looking =
        tokio::spawn(async move { gateway.directory.refresh(gateway.reader.as_ref()).await });
    delay.seen.notified().await;
    let setting = house.set_merchant(|it| it.cancel_paid_by_approval = Some(true));
    let letting_go = async {
        // Whoever does not wait for the older look is through by then.
        tokio::time::sleep(Duration::from_millis(100)).await;
        delay.go_on.notify_one();
    };
    tokio::join!(setting, letting_go);
    looking.await.unwrap().unwrap();
    house.till().paid("PAID", "1.00").await;
    house.till().cancel("PAID").await.expect("SUCCESS");
    assert_eq!(house.till().state("PAID").await, "3");
    house.decide("PAID", true).await.unwrap();
    house.end().await;
}

#[tokio::test]
async fn an_order_paid_while_its_cancel_waits_for_the_operator_is_refunded_on_approval() {
    let house = House::open().await;
    let till = house.till();
    let serial = till.order("A").await.get("CHARGE_DOWN_CODE");
    till.request_cancel("A").await.expect("SUCCESS");
    assert_eq!(house.payer(&serial, "pay").await, 200);
    house.until("A", |it| it.paid().is_some()).await;
    assert_eq!(till.state("A").await, "3");
    assert_eq!(house.holds_fen("A").await, 10);
    house.decide("A", true).await.unwrap();
    assert_eq!(till.state("A").await, "2");
    assert_eq!(house.holds_fen("A").await, 0);
    house.end().await;
}

#[tokio::test]
async fn an_order_whose_cancel_nobody_decides_closes_when_its_time_is_over() {
    let house = House::open().await;
    let till = house.till();
    let body = bodies::with(bodies::order("A"), "TIME_EXPIRE", 120);
    till.post(wire::opengateway::Operation::Order, &body)
        .await
        .expect("SUCCESS");
    till.request_cancel("A").await.expect("SUCCESS");
    house.advance_s(120).await;
    house
        .passing(house.until("A", |it| it.status() == PaymentStatus::Closed))
        .await;
    assert_eq!(till.state("A").await, "6");
    assert!(house.decide("A", true).await.is_err());
    house.end().await;
}
