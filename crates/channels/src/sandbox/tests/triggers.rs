//! What each code does, and what becomes of it when it is asked about, reversed and refunded.

use super::rig::{Rig, START, serial};
use crate::contract::{RechargeProvider, RechargeRequest};
use domain::{
    channel::{Decline, PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    recharge::Reach,
};

fn name_pay(outcome: &PayOutcome) -> &'static str {
    match outcome {
        PayOutcome::Paid(_) => "paid",
        PayOutcome::Declined(Decline::InsufficientFunds) => "no funds",
        PayOutcome::Declined(Decline::CodeExpired) => "expired",
        PayOutcome::Declined(Decline::ByPayer | Decline::ByChannel) => "refused",
        PayOutcome::Waiting => "waiting",
        PayOutcome::NotSent(_) => "not sent",
        PayOutcome::Unknown => "unknown",
    }
}

fn name_query(outcome: &QueryOutcome) -> &'static str {
    match outcome {
        QueryOutcome::Paid(_) => "paid",
        QueryOutcome::Declined(Decline::InsufficientFunds) => "no funds",
        QueryOutcome::Declined(Decline::CodeExpired) => "expired",
        QueryOutcome::Declined(Decline::ByPayer | Decline::ByChannel) => "refused",
        QueryOutcome::Waiting => "waiting",
        QueryOutcome::NotFound => "not found",
        QueryOutcome::Unknown => "unknown",
    }
}

fn name_reverse(outcome: &ReverseOutcome) -> &'static str {
    match outcome {
        ReverseOutcome::Reversed(None) => "nothing",
        ReverseOutcome::Reversed(Some(_)) => "given back",
        ReverseOutcome::Paid(_) => "too late",
        ReverseOutcome::Unknown => "unknown",
    }
}

/// Code, answer to the charge, to three questions 2 s apart, to a cancel, to a question after it.
type Row = (
    &'static str,
    &'static str,
    [&'static str; 3],
    &'static str,
    &'static str,
);

const TRIGGERS: [Row; 10] = [
    (
        "01",
        "waiting",
        ["waiting", "waiting", "paid"],
        "given back",
        "refused",
    ),
    ("02", "no funds", ["no funds"; 3], "nothing", "no funds"),
    ("03", "waiting", ["waiting"; 3], "nothing", "refused"),
    ("04", "unknown", ["paid"; 3], "given back", "refused"),
    ("05", "unknown", ["not found"; 3], "nothing", "refused"),
    ("06", "expired", ["expired"; 3], "nothing", "expired"),
    (
        "07",
        "unknown",
        ["unknown", "paid", "paid"],
        "given back",
        "refused",
    ),
    ("08", "waiting", ["waiting"; 3], "nothing", "paid"),
    ("00", "paid", ["paid"; 3], "given back", "refused"),
    ("99", "paid", ["paid"; 3], "given back", "refused"),
];

#[tokio::test(start_paused = true)]
async fn the_last_two_digits_decide() {
    for (code, charged, asked, cancelled, after) in TRIGGERS {
        let rig = Rig::new();
        assert_eq!(name_pay(&rig.pay(1, code).await), charged, "{code}");
        for (round, expected) in asked.into_iter().enumerate() {
            rig.advance_ms(2_000);
            let answer = rig.query(1).await;
            assert_eq!(name_query(&answer), expected, "{code} asked {round}");
        }
        assert_eq!(name_reverse(&rig.reverse(1).await), cancelled, "{code}");
        assert_eq!(name_query(&rig.query(1).await), after, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_timeouts_take_time() {
    for (code, ms) in [("99", 0), ("07", 0), ("03", 0), ("04", 300), ("05", 300)] {
        let started = tokio::time::Instant::now();
        Rig::new().pay(1, code).await;
        assert_eq!(started.elapsed().as_millis(), ms, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_arrives_after_its_cancel_is_refused() {
    let rig = Rig::new();
    assert_eq!(rig.reverse(1).await, ReverseOutcome::Reversed(None));
    for code in ["99", "01", "04", "08"] {
        let late = rig.pay(1, code).await;
        assert_eq!(late, PayOutcome::Declined(Decline::ByChannel), "{code}");
    }
    assert_eq!(rig.held(1), Some((0, 0)));
}

#[tokio::test(start_paused = true)]
async fn the_same_charge_again_charges_nothing_more() {
    let rig = Rig::new();
    let first = rig.pay(1, "99").await;
    rig.advance_ms(1_000);
    assert_eq!(rig.pay(1, "99").await, first);
    assert_eq!(rig.held(1), Some((1_000, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_asked_for_again_gets_the_same_answer() {
    let rig = Rig::new();
    rig.pay(1, "99").await;
    let first = rig.reverse(1).await;
    assert_eq!(name_reverse(&first), "given back");
    assert_eq!(rig.reverse(1).await, first);
    assert_eq!(rig.held(1), Some((1_000, 1_000)));
}

#[tokio::test(start_paused = true)]
async fn a_late_success_can_be_refunded() {
    let rig = Rig::new();
    rig.pay(1, "08").await;
    assert_eq!(rig.refund(1, 2, 1_000).await, RefundOutcome::Declined);
    rig.reverse(1).await;
    assert_eq!(rig.refund(1, 3, 1_000).await, RefundOutcome::Done);
    assert_eq!(rig.held(1), Some((1_000, 1_000)));
}

#[tokio::test(start_paused = true)]
async fn refunds_are_made_once_and_never_exceed_the_payment() {
    use RefundOutcome::{Declined, Done};
    let rig = Rig::new();
    rig.pay(1, "99").await;
    for (refund, fen, expected) in [
        (10, 400, Done),
        (10, 400, Done),     // the same again
        (10, 500, Declined), // the same number for something else
        (11, 601, Declined), // over the remainder
        (12, 0, Declined),
        (13, -1, Declined),
        (14, 600, Done),
        (15, 1, Declined), // nothing left
        (14, 600, Done),
    ] {
        let answer = rig.refund(1, refund, fen).await;
        assert_eq!(answer, expected, "{refund} {fen}");
    }
    assert_eq!(rig.held(1), Some((1_000, 1_000)));
}

#[tokio::test(start_paused = true)]
async fn the_fen_of_a_refund_can_make_it_slow_or_refused() {
    let rig = Rig::new();
    rig.pay(1, "99").await;
    assert_eq!(rig.refund(1, 10, 98).await, RefundOutcome::Waiting);
    assert_eq!(rig.refund(1, 10, 98).await, RefundOutcome::Done);
    assert_eq!(rig.refund(1, 11, 297).await, RefundOutcome::Declined);
    assert_eq!(rig.held(1), Some((1_000, 98)));
}

#[tokio::test(start_paused = true)]
async fn the_gateways_word_is_taken_for_a_forgotten_payment() {
    let rig = Rig::new();
    assert_eq!(rig.refund(1, 10, 400).await, RefundOutcome::Done);
    assert_eq!(rig.refund(1, 11, 601).await, RefundOutcome::Declined);
    assert_eq!(rig.held(1), Some((1_000, 400)));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_after_a_partial_refund_gives_back_the_rest() {
    let rig = Rig::new();
    rig.pay(1, "99").await;
    rig.refund(1, 10, 400).await;
    assert_eq!(name_reverse(&rig.reverse(1).await), "given back");
    assert_eq!(rig.refund(1, 11, 1).await, RefundOutcome::Declined);
    assert_eq!(rig.refund(1, 10, 400).await, RefundOutcome::Done);
    assert_eq!(rig.held(1), Some((1_000, 1_000)));
}

#[tokio::test(start_paused = true)]
async fn top_ups_take_a_second_and_fail_for_dead_numbers() {
    let rig = Rig::new();
    let order = |phone: &str, n| RechargeRequest {
        serial: serial(n),
        phone: phone.into(),
        data_mb: 100,
        reach: Reach::National,
    };
    let ask = |n| RechargeProvider::query(&rig.sandbox, serial(n));
    let number = format!("CT_{}", serial(1));
    let accepted = RechargeOutcome::Accepted(number.clone());
    assert_eq!(ask(1).await, RechargeOutcome::Unknown);
    let first = rig.sandbox.recharge(order("13800138000", 1)).await;
    assert_eq!(first, accepted);
    rig.advance_ms(999);
    assert_eq!(ask(1).await, accepted);
    rig.advance_ms(1);
    assert_eq!(ask(1).await, RechargeOutcome::Done(number.clone()));
    let again = rig.sandbox.recharge(order("13800138000", 1)).await;
    assert_eq!(again, RechargeOutcome::Done(number));
    let dead = rig.sandbox.recharge(order("13800130000", 2)).await;
    assert_eq!(dead, RechargeOutcome::Failed);
    assert_eq!(ask(2).await, RechargeOutcome::Failed);
    assert_eq!(rig.now(), START.plus_s(1));
}
