//! preOrder to its end, whatever the channel does: the sandbox's triggers.

use crate::support::{
    bodies::{self, trigger},
    house::{House, Rows},
    together,
};
use domain::payment::PaymentState;
use wire::opengateway::Operation;

on_both_stores!(
    every_trigger_ends_as_it_must,
    a_success_after_the_cancel_goes_back_by_itself
);

/// Digits, CODE, STATE, what the channel holds in the end (fen), what INFO says.
const ENDS: [(&str, &str, &str, i64, &str); 9] = [
    ("55", "SUCCESS", "1", 1, "成功"),
    ("01", "SUCCESS", "1", 1, "成功"),
    ("02", "FAIL", "6", 0, "余额不足，未扣款"),
    ("03", "FAIL", "2", 0, "未扣款"),
    ("04", "SUCCESS", "1", 1, "成功"),
    ("05", "FAIL", "2", 0, "未扣款"),
    ("06", "FAIL", "6", 0, "付款码已失效，未扣款"),
    ("07", "SUCCESS", "1", 1, "成功"),
    ("08", "FAIL", "2", 0, "未扣款"),
];

async fn every_trigger_ends_as_it_must(rows: Rows) {
    let house = House::setup()
        .rows(rows)
        .options(|it| it.window_s = Some(10))
        .open()
        .await;
    let till = house.till();
    let pays = ENDS.map(|(digits, ..)| {
        let (till, code) = (till.clone(), format!("T{digits}"));
        async move { till.pay(&code, &trigger(digits)).await }
    });
    let answers = house.passing(together(pays)).await;
    for ((digits, code, state, _, info), answer) in ENDS.iter().zip(answers) {
        assert_eq!(answer.code(), *code, "{digits}: {}", answer.info());
        assert!(answer.info().contains(info), "{digits}: {}", answer.info());
        assert_eq!(till.state(&format!("T{digits}")).await, *state, "{digits}");
    }
    house.drain().await;
    for (digits, _, state, held, _) in ENDS {
        let code = format!("T{digits}");
        assert_eq!(house.holds_fen(&code).await, held, "{digits}");
        assert_eq!(till.state(&code).await, state, "{digits} stays");
    }
    house.end().await;
}

#[tokio::test]
async fn a_customer_who_confirms_after_six_seconds_has_paid_then() {
    let house = House::open().await;
    let till = house.till();
    let begun = house.now();
    let code = trigger("01");
    house.passing(till.pay("C1", &code)).await.expect("SUCCESS");
    let took_ms = house.now().since_ms(begun);
    assert!((6_000..20_000).contains(&took_ms), "{took_ms}");
    let found = till.query("C1").await;
    assert_eq!(found.get("BEGIN_TIME"), "2026-11-22 07:50:00");
    assert_eq!(found.get("END_TIME"), "2026-11-22 07:50:06");
    house.end().await;
}

#[tokio::test]
async fn a_customer_who_never_confirms_is_waited_for_until_the_window_ends() {
    let house = House::impatient().await;
    let till = house.till();
    let begun = house.now();
    let code = trigger("03");
    let answer = house.passing(till.pay("C1", &code)).await;
    let took_ms = house.now().since_ms(begun);
    assert!((10_000..20_000).contains(&took_ms), "{took_ms}");
    assert_eq!(answer.expect("FAIL").get("CHARGE_CODE"), "C1");
    let found = till.query("C1").await.expect("SUCCESS");
    assert_eq!(found.get("STATE"), "2");
    assert_eq!(found.field("CHARGE_THIRD_CODE"), None);
    assert_eq!(found.field("FUND_BILL_LIST.TRADEFUNDBILL.0.AMOUNT"), None);
    house.end().await;
}

async fn a_success_after_the_cancel_goes_back_by_itself(rows: Rows) {
    let house = House::setup()
        .rows(rows)
        .options(|it| it.window_s = Some(10))
        .open()
        .await;
    let till = house.till();
    let code = trigger("08");
    house.passing(till.pay("C1", &code)).await.expect("FAIL");
    let serial = house.stored("C1").await.unwrap().serial;
    let charged = house.held(serial).unwrap();
    assert_eq!((charged.charged.get(), charged.given_back.get()), (1, 0));
    house.drain().await;
    let returned = house.held(serial).unwrap();
    assert_eq!((returned.charged.get(), returned.given_back.get()), (1, 1));
    let payment = house.stored("C1").await.unwrap();
    let PaymentState::Ended {
        paid: Some(paid), ..
    } = payment.state
    else {
        panic!("{:?}", payment.state);
    };
    assert_eq!(paid.refunded, payment.amount);
    let report = house.audit().await;
    assert_eq!((report.counts.refunds, report.counts.postings), (1, 2));
    assert!(report.balances.values().all(|it| it.net() == 0));
    assert_eq!(till.state("C1").await, "2");
    house.end().await;
}

#[tokio::test]
async fn the_window_is_the_requests_own_but_never_longer_than_the_gateways() {
    let house = House::setup()
        .options(|it| it.window_s = Some(200))
        .open()
        .await;
    for (code, wanted, granted_s) in [
        ("A", None, 200),
        ("B", Some(120), 120),
        ("C", Some(201), 200),
    ] {
        let body = bodies::pre_order(code, bodies::PAYS);
        let body = wanted.map_or(body.clone(), |it| bodies::with(body, "TIME_EXPIRE", it));
        let answer = house.till().post(Operation::PreOrder, &body).await;
        answer.expect("SUCCESS");
        let payment = house.stored(code).await.unwrap();
        let window_ms = payment.expires_at.since_ms(payment.created_at);
        assert_eq!(window_ms, granted_s * 1000, "{code}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_charge_the_channel_never_heard_of_is_given_up_long_before_the_window_ends() {
    let house = House::open().await;
    let till = house.till();
    let (begun, code) = (house.now(), trigger("05"));
    house.passing(till.pay("C1", &code)).await.expect("FAIL");
    let took_ms = house.now().since_ms(begun);
    assert!((4_000..40_000).contains(&took_ms), "{took_ms}");
    assert_eq!(till.state("C1").await, "2");
    house.end().await;
}
