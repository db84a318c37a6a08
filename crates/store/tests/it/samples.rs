//! Rows to store: plain ones, and one of every variant.

use domain::{
    channel::{ChannelNo, Decline, FundBill, FundSource, NotSent, Receipt},
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    merchant::{Merchant, MerchantSettings, Tenant},
    money::Fen,
    payment::{
        CloseReason, Credential, Details, End, Flow, Good, Paid, Payment, PaymentState,
        VoucherFate, VoucherPart, WalletCall,
    },
    recharge::{Reach, Recharge, RechargeState},
    refund::{FirstAnswer, Origin, Refund, RefundFailure, RefundState},
    time::UnixMs,
    voucher::{code::CodeNo, status::CodeStatus, ticket::VoucherTicketNo},
};

pub const TENANT: TenantId = TenantId(1);
pub const MERCHANT: MerchantNo = MerchantNo(7);
pub const NOW: UnixMs = UnixMs(1_795_276_800_000);
pub const AMOUNT: Fen = Fen::new(15_800);

/// The `n`th serial of a day.
pub const fn serial(n: i64) -> Serial {
    Serial(20_779_000_000_000_000 + n)
}

/// The payment `n`, open.
pub fn payment(n: i64) -> Payment {
    payment_named(n, &format!("M{n}"))
}

pub fn payment_named(n: i64, merchant_serial: &str) -> Payment {
    Payment {
        tenant: TENANT,
        serial: serial(n),
        merchant: MERCHANT,
        key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Payment, merchant_serial),
        merchant_serial: merchant_serial.to_owned(),
        flow: Flow::MerchantCode,
        channel: ChannelNo(1),
        amount: AMOUNT,
        created_at: NOW,
        expires_at: NOW.plus_s(80),
        details: Details::default(),
        credential: None,
        state: PaymentState::Open {
            cancel_requested: false,
        },
    }
}

/// The payment as it was when it began: open, and nothing known yet.
pub fn as_begun(payment: &Payment) -> Payment {
    Payment {
        credential: None,
        state: PaymentState::Open {
            cancel_requested: false,
        },
        ..payment.clone()
    }
}

pub fn receipt() -> Receipt {
    Receipt {
        channel_serial: "4200001".to_owned(),
        paid_at: NOW.plus_s(3),
        bills: vec![FundBill {
            source: FundSource(1),
            amount: AMOUNT,
        }],
        buyer_id: None,
        channel_result: None,
    }
}

pub fn full_receipt() -> Receipt {
    let bill = |source, fen| FundBill {
        source: FundSource(source),
        amount: Fen::new(fen),
    };
    Receipt {
        bills: vec![bill(1, 5_800), bill(9_007, 10_000)],
        buyer_id: Some("208…/买家".to_owned()),
        channel_result: Some(r#"{"a":"\"quoted\\","b":[1,2]}"#.to_owned()),
        ..receipt()
    }
}

pub fn full_details() -> Details {
    Details {
        operator_id: "op'1".to_owned(),
        device_id: "till\"2".to_owned(),
        store_id: Some(String::new()),
        subject: "牛奶 🥛 \\ ; DROP TABLE payments".to_owned(),
        echo: Some("echo\u{7f}".to_owned()),
        payer_code: Some("134567890123456789".to_owned()),
        payer_code_kind: Some(3),
        goods: vec![
            Good {
                id: "1".to_owned(),
                name: "milk".to_owned(),
                class: "food".to_owned(),
                price: "7.90".to_owned(),
                summary: "1 l".to_owned(),
                quantity: "2".to_owned(),
                show_url: Some("http://shop.example/milk".to_owned()),
            },
            Good::default(),
        ],
        notify_url: Some("http://shop.example/paid?pid=7".to_owned()),
        payer_app_id: Some("wx1".to_owned()),
        payer_open_id: Some("o1".to_owned()),
        request_digest: Some("00ff".to_owned()),
        voucher: Some(VoucherPart {
            code: CodeNo {
                carton: serial(70),
                index: u32::MAX,
            },
            ticket: VoucherTicketNo(500_811),
            uses: 999,
            face: Fen::new(5_000),
            pays: Fen::new(4_999),
        }),
    }
}

pub fn credentials() -> Vec<Option<Credential>> {
    let call = |prepay_id: Option<&str>| WalletCall {
        app_id: "wx1".to_owned(),
        timestamp: "1795276800".to_owned(),
        nonce: "n".to_owned(),
        package: "prepay_id=1".to_owned(),
        sign_type: "RSA".to_owned(),
        sign: "s==".to_owned(),
        prepay_id: prepay_id.map(str::to_owned),
    };
    vec![
        None,
        Some(Credential::Link("weixin://wxpay/1?a=b&c=d".to_owned())),
        Some(Credential::Wallet(call(None))),
        Some(Credential::Wallet(call(Some("p1")))),
    ]
}

pub const FLOWS: [Flow; 5] = [
    Flow::PayerCode,
    Flow::MerchantCode,
    Flow::WalletPage,
    Flow::App,
    Flow::MobileWeb,
];

pub const NOT_SENT: [NotSent; 4] = [
    NotSent::Unavailable,
    NotSent::Connect,
    NotSent::Secure,
    NotSent::Write,
];

const DECLINES: [Decline; 4] = [
    Decline::InsufficientFunds,
    Decline::CodeExpired,
    Decline::ByPayer,
    Decline::ByChannel,
];

const CODE_STATUSES: [CodeStatus; 7] = [
    CodeStatus::InStock,
    CodeStatus::Active,
    CodeStatus::UsedUp,
    CodeStatus::Void,
    CodeStatus::Expired,
    CodeStatus::Reserved,
    CodeStatus::Frozen,
];

pub fn ends() -> Vec<End> {
    let declined = DECLINES.into_iter().map(CloseReason::Declined);
    let not_sent = NOT_SENT.into_iter().map(CloseReason::NotSent);
    let vouchers = CODE_STATUSES.into_iter().map(CloseReason::Voucher);
    let reasons = declined.chain(not_sent).chain([CloseReason::Expired]);
    let reasons = reasons.chain(vouchers);
    reasons.map(End::Closed).chain([End::Cancelled]).collect()
}

/// Money in every combination of flags and sums, and every fate of a voucher.
pub fn paids() -> Vec<Paid> {
    let flags = [(false, false), (false, true), (true, false), (true, true)];
    let sums = [(0, 0), (1, 0), (0, 15_800), (15_799, 1)];
    let paid = |(failed, requested), (refunded, refunding), receipt| Paid {
        receipt,
        refunded: Fen::new(refunded),
        refunding: Fen::new(refunding),
        refund_failed: failed,
        cancel_requested: requested,
        voucher: VoucherFate::Used,
    };
    let fates = [VoucherFate::Returning, VoucherFate::Returned];
    let fates = fates.map(|voucher| Paid {
        voucher,
        ..paid(flags[3], sums[3], receipt())
    });
    let plain = flags.map(|flags| paid(flags, sums[0], receipt()));
    let full = sums.map(|sums| paid(flags[0], sums, full_receipt()));
    plain.into_iter().chain(full).chain(fates).collect()
}

/// Every state a payment can have.
pub fn payment_states() -> Vec<PaymentState> {
    let mut states: Vec<PaymentState> = [false, true]
        .map(|cancel_requested| PaymentState::Open { cancel_requested })
        .to_vec();
    states.extend(paids().into_iter().map(PaymentState::Paid));
    states.extend(ends().into_iter().map(PaymentState::Ending));
    let ended = |end, paid| PaymentState::Ended {
        end,
        at: NOW.plus_ms(7),
        paid,
    };
    states.extend(ends().into_iter().map(|end| ended(end, None)));
    let money = paids().into_iter();
    states.extend(money.map(|paid| ended(End::Cancelled, Some(paid))));
    states
}

/// The refund `n` of the payment `of`, in progress.
pub fn refund(n: i64, of: i64) -> Refund {
    Refund {
        tenant: TENANT,
        serial: serial(n),
        payment: serial(of),
        merchant: MERCHANT,
        origin: Origin::Cancellation,
        amount: Fen::new(100),
        voucher_back: false,
        created_at: NOW,
        state: RefundState::InProgress,
        first_answer: None,
    }
}

fn requested(n: i64, merchant_serial: Option<&str>) -> Origin {
    Origin::Request {
        key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Refund, &n.to_string()),
        merchant_serial: merchant_serial.map(str::to_owned),
    }
}

/// A refund of every origin, state and first answer.
pub fn refunds(of: i64) -> Vec<Refund> {
    let failures = NOT_SENT.map(RefundFailure::NotSent).into_iter();
    let failures = failures.chain([RefundFailure::Declined]);
    let failed = failures.map(|why| RefundState::Failed(NOW.plus_s(9), why));
    let states = [RefundState::InProgress, RefundState::Done(NOW.plus_s(8))];
    let answers = [
        None,
        Some(FirstAnswer::Accepted),
        Some(FirstAnswer::Refused),
    ];
    let mut all: Vec<Refund> = failed
        .chain(states)
        .zip(answers.into_iter().cycle())
        .map(|(state, first_answer)| Refund {
            state,
            first_answer,
            ..refund(0, of)
        })
        .collect();
    for origin in [
        requested(1, None),
        requested(2, Some("R'2")),
        Origin::LateSuccess,
    ] {
        all.push(Refund {
            origin,
            voucher_back: true,
            amount: Fen::ZERO,
            ..refund(0, of)
        });
    }
    for (n, refund) in (1_000..).zip(&mut all) {
        refund.serial = serial(n);
    }
    all
}

/// The top-up `n`, created.
pub fn recharge(n: i64) -> Recharge {
    Recharge {
        tenant: TENANT,
        serial: serial(n),
        merchant: MERCHANT,
        key: ClaimKey::of(
            TENANT,
            MERCHANT,
            ClaimSpace::RechargeSignature,
            &n.to_string(),
        ),
        phone: "13800000000".to_owned(),
        data_mb: 500,
        reach: Reach::National,
        notify_url: None,
        created_at: NOW,
        state: RechargeState::Created,
    }
}

/// A top-up of every state and reach.
pub fn recharges() -> Vec<Recharge> {
    let number = || "N'1".to_owned();
    let states = [
        RechargeState::Created,
        RechargeState::AtProvider(number()),
        RechargeState::Done(number(), NOW.plus_s(1)),
        RechargeState::Failed(None, NOW.plus_s(2)),
        RechargeState::Failed(Some(number()), NOW.plus_s(3)),
    ];
    let reaches = [Reach::National, Reach::Provincial].into_iter().cycle();
    let urls = [None, Some("http://shop.example/data".to_owned())];
    (2_000..)
        .zip(states)
        .zip(reaches.zip(urls.into_iter().cycle()))
        .map(|((n, state), (reach, notify_url))| Recharge {
            state,
            reach,
            notify_url,
            ..recharge(n)
        })
        .collect()
}

pub fn tenant(id: i64, name: &str) -> Tenant {
    Tenant {
        id: TenantId(id),
        name: name.to_owned(),
    }
}

pub fn merchant(no: i64, code: &str) -> Merchant {
    Merchant {
        tenant: TENANT,
        no: MerchantNo(no),
        code: code.to_owned(),
        name: "小店".to_owned(),
        sealed_key: vec![0, 255, 10],
        channels: vec![ChannelNo(1), ChannelNo(34)],
        suspended: true,
        settings: MerchantSettings {
            english: true,
            require_query_sign: false,
            signature_max_age_s: Some(300),
            replay_identical: true,
            cancel_paid_by_approval: true,
            requests_per_s: Some(50),
        },
        updated_at: NOW,
    }
}
