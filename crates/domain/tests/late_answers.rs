//! Answers that come after a payment has ended: none of them may end the watch over its money
//! too early, nor start one that never ends.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use domain::{
    channel::{ChannelNo, PayOutcome, Receipt, RefundOutcome, ReverseOutcome},
    command::{
        BeginPayment, ClaimJobs, Command, GiveUp, QueryOutcome, RecordPay, RecordQuery,
        RecordRefund, RecordReverse,
    },
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    job::{CONFIRM_AFTER_MS, Job, JobKind},
    money::Fen,
    payment::{Details, Flow, Payment, PaymentState},
    rows::{PaymentRef, Rows},
    time::UnixMs,
};

const TENANT: TenantId = TenantId(1);
const SERIAL: Serial = Serial(1);
const NOW: UnixMs = UnixMs(1_000_000);

fn payment() -> Payment {
    Payment {
        tenant: TENANT,
        serial: SERIAL,
        merchant: MerchantNo(1),
        key: ClaimKey([1; 16]),
        merchant_serial: "M1".to_owned(),
        flow: Flow::PayerCode,
        channel: ChannelNo(1),
        amount: Fen::new(100),
        created_at: NOW,
        expires_at: NOW.plus_s(80),
        details: Details::default(),
        credential: None,
        state: PaymentState::Open {
            cancel_requested: false,
        },
    }
}

fn receipt() -> Receipt {
    Receipt {
        channel_serial: "C1".to_owned(),
        paid_at: NOW,
        bills: Vec::new(),
        buyer_id: None,
        channel_result: None,
    }
}

fn decide(rows: &mut Rows, command: &impl Command) {
    command.decide(rows, NOW).unwrap();
}

/// A payment that was given up and reversed.
fn reversed(outcome: ReverseOutcome) -> Rows {
    let mut rows = Rows::default();
    rows.add_claimed(SERIAL);
    rows.add_payment(payment());
    let payment = Box::new(payment());
    decide(
        &mut rows,
        &BeginPayment {
            payment,
            code: None,
        },
    );
    let (tenant, serial) = (TENANT, SERIAL);
    decide(&mut rows, &GiveUp { tenant, serial });
    decide(&mut rows, &reversal(outcome));
    rows
}

fn reversal(outcome: ReverseOutcome) -> RecordReverse {
    RecordReverse {
        tenant: TENANT,
        serial: SERIAL,
        outcome,
        refund_serial: Serial(2),
    }
}

fn charged(outcome: PayOutcome) -> RecordPay {
    RecordPay {
        tenant: TENANT,
        serial: SERIAL,
        outcome,
        credential: None,
        refund_serial: Serial(3),
    }
}

fn asked(outcome: QueryOutcome) -> RecordQuery {
    RecordQuery {
        tenant: TENANT,
        serial: SERIAL,
        outcome,
        refund_serial: Serial(3),
    }
}

fn confirmation() -> Job {
    let due_at = NOW.plus_ms(CONFIRM_AFTER_MS);
    Job::new(TENANT, SERIAL, JobKind::ConfirmReversal, due_at)
}

#[test]
fn a_lost_answer_to_the_charge_does_not_end_the_watch() {
    let mut rows = reversed(ReverseOutcome::Reversed(None));
    decide(&mut rows, &charged(PayOutcome::Unknown));
    assert_eq!(rows.job(SERIAL), Some(&confirmation()));
}

#[test]
fn an_answer_from_before_the_confirmation_was_asked_does_not_end_the_watch() {
    for outcome in [QueryOutcome::Waiting, QueryOutcome::NotFound] {
        let mut rows = reversed(ReverseOutcome::Reversed(None));
        decide(&mut rows, &asked(outcome));
        assert_eq!(rows.job(SERIAL), Some(&confirmation()));
    }
}

#[test]
fn silence_does_not_put_the_confirmation_forward() {
    let mut rows = reversed(ReverseOutcome::Reversed(None));
    decide(&mut rows, &asked(QueryOutcome::Unknown));
    assert_eq!(rows.job(SERIAL), Some(&confirmation()));
}

#[test]
fn the_answer_to_the_confirmation_ends_the_watch() {
    for (outcome, is_over) in [
        (QueryOutcome::NotFound, true),
        (QueryOutcome::Unknown, false),
    ] {
        let mut rows = reversed(ReverseOutcome::Reversed(None));
        let later = NOW.plus_ms(CONFIRM_AFTER_MS);
        let subjects = vec![(TENANT, SERIAL)];
        let claimed = ClaimJobs { subjects }.decide(&mut rows, later).unwrap();
        assert_eq!(claimed, [confirmation()]);
        decide(&mut rows, &asked(outcome));
        assert_eq!(rows.job(SERIAL).is_none(), is_over);
    }
}

/// The charge was asked once more before the payment was given up, and that answer is given up
/// only after the channel has confirmed the reversal.
#[test]
fn silence_after_the_confirmation_starts_no_new_watch() {
    let mut rows = reversed(ReverseOutcome::Reversed(None));
    let later = NOW.plus_ms(CONFIRM_AFTER_MS);
    let subjects = vec![(TENANT, SERIAL)];
    ClaimJobs { subjects }.decide(&mut rows, later).unwrap();
    decide(&mut rows, &asked(QueryOutcome::NotFound));
    assert_eq!(rows.job(SERIAL), None, "the channel confirmed");
    decide(&mut rows, &asked(QueryOutcome::Unknown));
    decide(&mut rows, &charged(PayOutcome::Unknown));
    assert_eq!(rows.job(SERIAL), None);
    decide(&mut rows, &asked(QueryOutcome::Paid(receipt())));
    let job = rows
        .job(Serial(3))
        .expect("late money goes back all the same");
    assert_eq!(job.kind, JobKind::FinishRefund);
}

#[test]
fn silence_about_money_that_went_back_starts_no_new_work() {
    for outcome in [
        ReverseOutcome::Reversed(Some(receipt())),
        ReverseOutcome::Paid(receipt()),
    ] {
        let mut rows = reversed(outcome);
        decide(&mut rows, &asked(QueryOutcome::Unknown));
        assert_eq!(rows.job(SERIAL), None);
        let payment = rows.payment(PaymentRef::Serial(TENANT, SERIAL)).unwrap();
        assert!(payment.paid().is_some());
    }
}

/// Two gateways had the same payment reversed, and the answer that knew of no money came first.
#[test]
fn a_second_reversal_that_found_money_is_booked() {
    let mut rows = reversed(ReverseOutcome::Reversed(None));
    decide(&mut rows, &reversal(ReverseOutcome::Unknown));
    decide(&mut rows, &reversal(ReverseOutcome::Reversed(None)));
    assert_eq!(rows.job(SERIAL), Some(&confirmation()), "nothing new");
    for _ in 0..2 {
        decide(
            &mut rows,
            &reversal(ReverseOutcome::Reversed(Some(receipt()))),
        );
        let payment = rows.payment(PaymentRef::Serial(TENANT, SERIAL)).unwrap();
        let paid = payment.paid().unwrap();
        assert_eq!((paid.refunded, paid.refunding), (Fen::new(100), Fen::ZERO));
        assert_eq!(rows.job(SERIAL), None, "nothing is left to ask");
    }
}

#[test]
fn a_second_reversal_that_came_too_late_for_the_money_is_refunded() {
    let mut rows = reversed(ReverseOutcome::Reversed(None));
    decide(&mut rows, &reversal(ReverseOutcome::Paid(receipt())));
    let payment = rows.payment(PaymentRef::Serial(TENANT, SERIAL)).unwrap();
    assert_eq!(payment.paid().unwrap().refunding, Fen::new(100));
    let job = rows.job(Serial(2)).unwrap();
    assert_eq!(job.kind, JobKind::FinishRefund);
    assert_eq!(rows.job(SERIAL), None);
}

#[test]
fn money_that_the_channel_will_not_take_back_is_offered_ever_more_slowly() {
    let mut rows = reversed(ReverseOutcome::Paid(receipt()));
    let refund = Serial(2);
    let mut waits_s = Vec::new();
    for _ in 0..70 {
        let due_at = rows.job(refund).unwrap().due_at;
        let subjects = vec![(TENANT, refund)];
        ClaimJobs { subjects }.decide(&mut rows, due_at).unwrap();
        let declined = RecordRefund {
            tenant: TENANT,
            payment: SERIAL,
            refund,
            outcome: RefundOutcome::Declined,
        };
        declined.decide(&mut rows, due_at).unwrap();
        let again_at = rows.job(refund).expect("it is never given up").due_at;
        waits_s.push(again_at.since_ms(due_at) / 1000);
    }
    assert!(waits_s.is_sorted(), "{waits_s:?}");
    assert_eq!((waits_s.first(), waits_s.last()), (Some(&2), Some(&300)));
}
