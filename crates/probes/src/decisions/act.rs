//! One command of any kind about anything there is.

use super::{Stored, World};
use crate::bytes::Bytes;
use domain::{
    channel::{
        ChannelNo, Decline, FundBill, FundSource, NotSent, PayOutcome, Receipt, RechargeOutcome,
        RefundOutcome, ReverseOutcome,
    },
    command::{
        BeginPayment, BeginRecharge, BeginRefund, Cancel, CancelMode, ClaimJobs,
        ClaimNotifications, Command, DecideCancel, GiveUp, QueryOutcome, RecordPay, RecordQuery,
        RecordRecharge, RecordRefund, RecordReverse,
    },
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    money::Fen,
    payment::{Details, Flow, Payment, PaymentState},
    recharge::{Reach, Recharge, RechargeState},
    rows::{Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};
use std::collections::BTreeMap;

const TENANT: TenantId = TenantId(1);
const FLOWS: [Flow; 5] = [
    Flow::PayerCode,
    Flow::MerchantCode,
    Flow::WalletPage,
    Flow::App,
    Flow::MobileWeb,
];

/// Makes an enum of commands, and what each can do.
macro_rules! acts {
    ($($command:ident),+ $(,)?) => {
        pub(super) enum Act { $($command($command)),+ }

        impl Act {
            pub(super) fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
                match self { $(Self::$command(it) => it.plan(plan)),+ }
            }

            pub(super) fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
                match self { $(Self::$command(it) => it.decide(rows, now).map(drop)),+ }
            }
        }
    };
}

acts!(
    BeginPayment,
    RecordPay,
    RecordQuery,
    GiveUp,
    RecordReverse,
    Cancel,
    DecideCancel,
    BeginRefund,
    RecordRefund,
    BeginRecharge,
    RecordRecharge,
    ClaimJobs,
    ClaimNotifications,
);

impl Act {
    /// The next command; `None` when it would be about nothing.
    pub(super) fn choose(world: &mut World, choices: &mut Bytes<'_>) -> Option<Self> {
        let kind = choices.choose(13);
        let new = world.new_serial();
        let of = &world.stored;
        Some(match kind {
            0 => Self::BeginPayment(begin(choices, new, world.now)),
            1 => Self::RecordPay(record_pay(of, choices, new)?),
            2 => Self::RecordQuery(record_query(of, choices, new)?),
            3 => Self::GiveUp(GiveUp {
                tenant: TENANT,
                serial: pick(&of.payments, choices)?.serial,
            }),
            4 => Self::RecordReverse(record_reverse(of, choices, new)?),
            5 => Self::Cancel(cancel(of, choices, new)?),
            6 => Self::DecideCancel(DecideCancel {
                tenant: TENANT,
                serial: pick(&of.payments, choices)?.serial,
                approve: choices.flag(),
                refund_serial: new,
            }),
            7 => Self::BeginRefund(begin_refund(of, choices, new)?),
            8 => Self::RecordRefund(record_refund(of, choices)?),
            9 => Self::BeginRecharge(begin_recharge(choices, new, world.now)),
            10 => Self::RecordRecharge(record_recharge(of, choices)?),
            11 => Self::ClaimJobs(ClaimJobs {
                subjects: subjects(of),
            }),
            _ => Self::ClaimNotifications(ClaimNotifications {
                subjects: subjects(of),
            }),
        })
    }
}

fn pick<V: Clone>(rows: &BTreeMap<Serial, V>, choices: &mut Bytes<'_>) -> Option<V> {
    rows.values().nth(choices.choose(rows.len())).cloned()
}

/// Everything there is: a command takes what it finds.
fn subjects(of: &Stored) -> Vec<(TenantId, Serial)> {
    let serials = of.payments.keys().chain(of.refunds.keys());
    let serials = serials.chain(of.recharges.keys());
    serials.map(|serial| (TENANT, *serial)).collect()
}

/// Nearly always the one; another's payments must not exist for the other.
fn merchant(choices: &mut Bytes<'_>) -> MerchantNo {
    MerchantNo(if choices.byte() < 0xE0 { 7 } else { 8 })
}

fn begin(choices: &mut Bytes<'_>, serial: Serial, now: UnixMs) -> BeginPayment {
    let merchant = merchant(choices);
    let merchant_serial = format!("M{}", choices.choose(8));
    let notify_url = choices.flag().then(|| "http://shop.example/".to_owned());
    let payment = Payment {
        tenant: TENANT,
        serial,
        merchant,
        key: ClaimKey::of(TENANT, merchant, ClaimSpace::Payment, &merchant_serial),
        merchant_serial,
        flow: FLOWS[choices.choose(FLOWS.len())],
        channel: ChannelNo(1),
        amount: Fen::new(1 + i64::from(choices.pair())),
        created_at: now,
        expires_at: now.plus_s(80),
        details: Details {
            notify_url,
            ..Details::default()
        },
        credential: None,
        state: PaymentState::Open {
            cancel_requested: false,
        },
    };
    BeginPayment {
        payment: Box::new(payment),
        code: None,
    }
}

fn receipt(of: &Payment, choices: &mut Bytes<'_>) -> Receipt {
    Receipt {
        channel_serial: format!("C{}", choices.choose(4)),
        paid_at: of.created_at.plus_s(i64::from(choices.byte())),
        bills: vec![FundBill {
            source: FundSource(10),
            amount: of.amount,
        }],
        buyer_id: None,
        channel_result: None,
    }
}

fn decline(choices: &mut Bytes<'_>) -> Decline {
    [
        Decline::InsufficientFunds,
        Decline::CodeExpired,
        Decline::ByPayer,
        Decline::ByChannel,
    ][choices.choose(4)]
}

fn not_sent(choices: &mut Bytes<'_>) -> NotSent {
    [
        NotSent::Unavailable,
        NotSent::Connect,
        NotSent::Secure,
        NotSent::Write,
    ][choices.choose(4)]
}

fn record_pay(of: &Stored, choices: &mut Bytes<'_>, refund_serial: Serial) -> Option<RecordPay> {
    let payment = pick(&of.payments, choices)?;
    let outcome = match choices.choose(5) {
        0 => PayOutcome::Paid(receipt(&payment, choices)),
        1 => PayOutcome::Declined(decline(choices)),
        2 => PayOutcome::Waiting,
        3 => PayOutcome::NotSent(not_sent(choices)),
        _ => PayOutcome::Unknown,
    };
    Some(RecordPay {
        tenant: TENANT,
        serial: payment.serial,
        outcome,
        credential: None,
        refund_serial,
    })
}

fn record_query(
    of: &Stored,
    choices: &mut Bytes<'_>,
    refund_serial: Serial,
) -> Option<RecordQuery> {
    let payment = pick(&of.payments, choices)?;
    let outcome = match choices.choose(5) {
        0 => QueryOutcome::Paid(receipt(&payment, choices)),
        1 => QueryOutcome::Declined(decline(choices)),
        2 => QueryOutcome::Waiting,
        3 => QueryOutcome::NotFound,
        _ => QueryOutcome::Unknown,
    };
    Some(RecordQuery {
        tenant: TENANT,
        serial: payment.serial,
        outcome,
        refund_serial,
    })
}

fn record_reverse(
    of: &Stored,
    choices: &mut Bytes<'_>,
    refund_serial: Serial,
) -> Option<RecordReverse> {
    let payment = pick(&of.payments, choices)?;
    let outcome = match choices.choose(4) {
        0 => ReverseOutcome::Reversed(None),
        1 => ReverseOutcome::Reversed(Some(receipt(&payment, choices))),
        2 => ReverseOutcome::Paid(receipt(&payment, choices)),
        _ => ReverseOutcome::Unknown,
    };
    Some(RecordReverse {
        tenant: TENANT,
        serial: payment.serial,
        outcome,
        refund_serial,
    })
}

fn cancel(of: &Stored, choices: &mut Bytes<'_>, refund_serial: Serial) -> Option<Cancel> {
    let modes = [
        CancelMode::Direct,
        CancelMode::DirectUntilPaid,
        CancelMode::Request,
    ];
    Some(Cancel {
        payment: PaymentRef::Key(TENANT, pick(&of.payments, choices)?.key),
        merchant: merchant(choices),
        mode: modes[choices.choose(3)],
        refund_serial,
    })
}

fn begin_refund(of: &Stored, choices: &mut Bytes<'_>, serial: Serial) -> Option<BeginRefund> {
    let payment = pick(&of.payments, choices)?;
    let merchant = merchant(choices);
    let number = format!("R{}", choices.choose(8));
    let share = payment.amount.get() * i64::from(choices.byte()) / 200;
    Some(BeginRefund {
        tenant: TENANT,
        payment: PaymentRef::Serial(TENANT, payment.serial),
        merchant,
        serial,
        key: ClaimKey::of(TENANT, merchant, ClaimSpace::Refund, &number),
        merchant_serial: Some(number),
        amount: Fen::new(share.max(1)),
    })
}

fn record_refund(of: &Stored, choices: &mut Bytes<'_>) -> Option<RecordRefund> {
    let refund = pick(&of.refunds, choices)?;
    let outcome = match choices.choose(5) {
        0 => RefundOutcome::Done,
        1 => RefundOutcome::Declined,
        2 => RefundOutcome::Waiting,
        3 => RefundOutcome::NotSent(not_sent(choices)),
        _ => RefundOutcome::Unknown,
    };
    Some(RecordRefund {
        tenant: TENANT,
        payment: refund.payment,
        refund: refund.serial,
        outcome,
    })
}

fn begin_recharge(choices: &mut Bytes<'_>, serial: Serial, now: UnixMs) -> BeginRecharge {
    let merchant = merchant(choices);
    let sign = format!("S{}", choices.choose(8));
    let recharge = Recharge {
        tenant: TENANT,
        serial,
        merchant,
        key: ClaimKey::of(TENANT, merchant, ClaimSpace::RechargeSignature, &sign),
        phone: "13800000000".to_owned(),
        data_mb: 1 + i64::from(choices.byte()),
        reach: [Reach::National, Reach::Provincial][choices.choose(2)],
        notify_url: choices.flag().then(|| "http://shop.example/".to_owned()),
        created_at: now,
        state: RechargeState::Created,
    };
    BeginRecharge {
        recharge: Box::new(recharge),
    }
}

fn record_recharge(of: &Stored, choices: &mut Bytes<'_>) -> Option<RecordRecharge> {
    let recharge = pick(&of.recharges, choices)?;
    let number = format!("N{}", choices.choose(4));
    let outcome = match choices.choose(5) {
        0 => RechargeOutcome::Accepted(number),
        1 => RechargeOutcome::Done(number),
        2 => RechargeOutcome::Failed,
        3 => RechargeOutcome::NotSent(not_sent(choices)),
        _ => RechargeOutcome::Unknown,
    };
    Some(RecordRecharge {
        tenant: TENANT,
        serial: recharge.serial,
        outcome,
    })
}
