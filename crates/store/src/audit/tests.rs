//! A history of every kind of row is clean.

pub(crate) mod loyalty;
mod planted;
pub(crate) mod voucher;

use super::{AuditReport, Rule, VIOLATIONS_KEPT_MAX, VoucherUses, audit};
use crate::{contract::Reader, contract::Writer, memory::Memory};
use domain::{
    channel::{
        ChannelNo, FundBill, FundSource, PayOutcome, Receipt, RechargeOutcome, RefundOutcome,
        ReverseOutcome,
    },
    command::{
        BeginPayment, BeginRecharge, BeginRefund, Cancel, CancelMode, Command, GiveUp, RecordPay,
        RecordRecharge, RecordRefund, RecordReverse,
    },
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    ledger::{Account, Movement, Posting, Unit},
    money::Fen,
    notification::{Delivery, Notification, Topic},
    payment::{Details, Flow, Paid, Payment, PaymentState, VoucherFate},
    recharge::{Reach, Recharge, RechargeState},
    refund::{Refund, RefundState},
    rows::{Changes, PaymentRef, Plan},
    time::UnixMs,
};

pub(crate) const TENANT: TenantId = TenantId(1);
pub(crate) const MERCHANT: MerchantNo = MerchantNo(7);
pub(crate) const AMOUNT: Fen = Fen::new(1_000);
pub(crate) const NOW: UnixMs = UnixMs(1_000_000);

pub(crate) const OPEN: i64 = 1;
pub(crate) const PAID: i64 = 2;
pub(crate) const ENDING: i64 = 3;
pub(crate) const ENDED: i64 = 4;
pub(crate) const REVERSED: i64 = 5;
pub(crate) const REFUNDED: i64 = 6;
pub(crate) const LATE: i64 = 7;
pub(crate) const CANCELLED: i64 = 8;
pub(crate) const REFUND_DONE: i64 = 101;
pub(crate) const REFUND_UNDER_WAY: i64 = 102;
pub(crate) const REFUND_FAILED: i64 = 103;
pub(crate) const TOP_UP_CREATED: i64 = 201;
pub(crate) const TOP_UP_DONE: i64 = 202;
pub(crate) const TOP_UP_FAILED: i64 = 203;
const NOWHERE: i64 = 999;

async fn run<C: Command>(store: &mut impl Writer, command: C) -> C::Reply {
    run_at(store, command, NOW).await
}

async fn run_at<C: Command>(store: &mut impl Writer, command: C, now: UnixMs) -> C::Reply {
    let mut plan = Plan::default();
    command.plan(&mut plan);
    plan.normalise();
    // In boxes: a history of all these would not fit on a thread's stack.
    let mut rows = Box::pin(store.load(plan)).await.unwrap();
    let reply = command.decide(&mut rows, now).unwrap();
    Box::pin(store.commit(rows.into_changes())).await.unwrap();
    reply
}

fn payment(serial: i64) -> Payment {
    let merchant_serial = format!("M{serial}");
    Payment {
        tenant: TENANT,
        serial: Serial(serial),
        merchant: MERCHANT,
        key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Payment, &merchant_serial),
        merchant_serial,
        flow: Flow::MerchantCode,
        channel: ChannelNo(1),
        amount: AMOUNT,
        created_at: NOW,
        expires_at: NOW.plus_s(80),
        details: Details {
            notify_url: Some("http://shop.example/paid".to_owned()),
            ..Details::default()
        },
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
        bills: vec![FundBill {
            source: FundSource(1),
            amount: AMOUNT,
        }],
        buyer_id: None,
        channel_result: None,
    }
}

async fn begin(store: &mut impl Writer, serial: i64) {
    let payment = Box::new(payment(serial));
    run(
        store,
        BeginPayment {
            payment,
            code: None,
        },
    )
    .await;
}

async fn pay(store: &mut impl Writer, serial: i64, outcome: PayOutcome) {
    let command = RecordPay {
        tenant: TENANT,
        serial: Serial(serial),
        outcome,
        credential: None,
        refund_serial: Serial(serial + 300),
    };
    run(store, command).await;
}

async fn give_up(store: &mut impl Writer, serial: i64) {
    let serial = Serial(serial);
    run(
        store,
        GiveUp {
            tenant: TENANT,
            serial,
        },
    )
    .await;
}

async fn reverse(store: &mut impl Writer, serial: i64, outcome: ReverseOutcome) {
    let command = RecordReverse {
        tenant: TENANT,
        serial: Serial(serial),
        outcome,
        refund_serial: Serial(serial + 300),
    };
    run(store, command).await;
}

async fn refund(store: &mut impl Writer, of: i64, serial: i64, fen: i64) {
    let command = BeginRefund {
        tenant: TENANT,
        payment: PaymentRef::Serial(TENANT, Serial(of)),
        merchant: MERCHANT,
        serial: Serial(serial),
        key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Refund, &serial.to_string()),
        merchant_serial: Some(serial.to_string()),
        amount: Fen::new(fen),
    };
    run(store, command).await;
}

async fn finish_refund(store: &mut impl Writer, of: i64, serial: i64, outcome: RefundOutcome) {
    let command = RecordRefund {
        tenant: TENANT,
        payment: Serial(of),
        refund: Serial(serial),
        outcome,
    };
    run(store, command).await;
}

async fn top_up(store: &mut impl Writer, serial: i64, outcome: Option<RechargeOutcome>) {
    let recharge = Box::new(Recharge {
        tenant: TENANT,
        serial: Serial(serial),
        merchant: MERCHANT,
        key: ClaimKey::of(
            TENANT,
            MERCHANT,
            ClaimSpace::RechargeSignature,
            &serial.to_string(),
        ),
        phone: "13800000000".to_owned(),
        data_mb: 500,
        reach: Reach::National,
        notify_url: Some("http://shop.example/data".to_owned()),
        created_at: NOW,
        state: RechargeState::Created,
    });
    run(store, BeginRecharge { recharge }).await;
    if let Some(outcome) = outcome {
        let serial = Serial(serial);
        let command = RecordRecharge {
            tenant: TENANT,
            serial,
            outcome,
        };
        run(store, command).await;
    }
}

/// A store that holds a payment, refund and top-up of each kind.
pub(crate) async fn history() -> Memory {
    let mut store = Memory::new();
    record(&mut store).await;
    store
}

async fn record(it: &mut impl Writer) {
    for serial in OPEN..=CANCELLED {
        begin(it, serial).await;
    }
    for serial in [PAID, REFUNDED, CANCELLED] {
        pay(it, serial, PayOutcome::Paid(receipt())).await;
    }
    for serial in [ENDING, ENDED, REVERSED, LATE] {
        give_up(it, serial).await;
    }
    reverse(it, ENDED, ReverseOutcome::Reversed(None)).await;
    reverse(it, REVERSED, ReverseOutcome::Reversed(Some(receipt()))).await;
    reverse(it, LATE, ReverseOutcome::Reversed(None)).await;
    pay(it, LATE, PayOutcome::Paid(receipt())).await;
    for (serial, fen) in [
        (REFUND_DONE, 300),
        (REFUND_UNDER_WAY, 200),
        (REFUND_FAILED, 100),
    ] {
        refund(it, REFUNDED, serial, fen).await;
    }
    finish_refund(it, REFUNDED, REFUND_DONE, RefundOutcome::Done).await;
    finish_refund(it, REFUNDED, REFUND_FAILED, RefundOutcome::Declined).await;
    let cancel = Cancel {
        payment: PaymentRef::Serial(TENANT, Serial(CANCELLED)),
        merchant: MERCHANT,
        mode: CancelMode::Direct,
        refund_serial: Serial(CANCELLED + 300),
    };
    run(it, cancel).await;
    finish_refund(it, CANCELLED, CANCELLED + 300, RefundOutcome::Done).await;
    top_up(it, TOP_UP_CREATED, None).await;
    top_up(
        it,
        TOP_UP_DONE,
        Some(RechargeOutcome::Done("N1".to_owned())),
    )
    .await;
    top_up(it, TOP_UP_FAILED, Some(RechargeOutcome::Failed)).await;
}

async fn report(store: &Memory) -> AuditReport {
    let mut snapshot = store.snapshot().await.unwrap();
    audit(snapshot.as_mut(), &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn a_history_of_every_kind_of_row_is_clean_and_counted() {
    let mut seen = 0;
    let mut snapshot = history().await.snapshot().await.unwrap();
    let report = audit(snapshot.as_mut(), &mut |rows| seen = rows)
        .await
        .unwrap();
    assert_eq!(report.violations, []);
    assert!(report.is_clean());
    let counts = report.counts;
    assert_eq!(
        (counts.payments, counts.refunds, counts.recharges),
        (8, 5, 3)
    );
    assert_eq!(
        (counts.postings, counts.jobs, counts.notifications),
        (9, 6, 5)
    );
    // Refunds are read twice.
    assert_eq!(seen, 8 + 5 + 5 + 3 + 9 + 6 + 5);
}

#[tokio::test]
async fn balances_show_what_each_side_owes() {
    let report = report(&history().await).await;
    let net = |unit, account| report.balances[&(TENANT, unit, account)].net();
    // 5 payments of 1000 came in, one was reversed, one cancelled, 300 refunded.
    assert_eq!(net(Unit::Fen, Account::Channel(ChannelNo(1))), 2_700);
    assert_eq!(net(Unit::Fen, Account::Merchant(MERCHANT)), -2_700);
    assert_eq!(net(Unit::Megabyte, Account::DataDelivered(MERCHANT)), 500);
    let totals = report.totals();
    assert_eq!(totals[&(TENANT, Unit::Fen)].debit, 7_300);
    assert_eq!(totals[&(TENANT, Unit::Fen)].credit, 7_300);
    assert_eq!(totals[&(TENANT, Unit::Megabyte)].net(), 0);
}

#[tokio::test]
async fn sums_that_do_not_balance_are_found() {
    let mut report = report(&history().await).await;
    let merchant = (TENANT, Unit::Fen, Account::Merchant(MERCHANT));
    report.balances.get_mut(&merchant).unwrap().credit += 1;
    report.check_totals();
    assert_eq!(report.violations[0].rule, Rule::Balance);
}

#[tokio::test]
async fn no_more_than_the_kept_violations_are_kept_but_all_are_counted() {
    let mut store = Memory::new();
    let jobs = 1..=VIOLATIONS_KEPT_MAX as i64 + 5;
    let jobs = jobs.map(|n| Job::new(TENANT, Serial(n), JobKind::FinishRefund, NOW));
    let changes = Changes {
        jobs: jobs.collect(),
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
    let report = report(&store).await;
    assert_eq!(report.violations.len(), VIOLATIONS_KEPT_MAX);
    assert_eq!(report.violations_len, VIOLATIONS_KEPT_MAX as u64 + 5);
}
