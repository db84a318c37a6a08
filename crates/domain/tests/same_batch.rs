//! Decisions of one batch are taken in their order, although the store records all its new
//! payments first.

use domain::{
    channel::ChannelNo,
    command::{Began, BeginPayment, Cancel, CancelMode, CancelReply, Command},
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    job::JobKind,
    money::Fen,
    payment::{Details, Flow, Payment, PaymentState},
    rows::{PaymentRef, Rows},
    time::UnixMs,
};

const TENANT: TenantId = TenantId(1);
const MERCHANT: MerchantNo = MerchantNo(7);
const SERIAL: Serial = Serial(1);
const NOW: UnixMs = UnixMs(1_000_000);

fn payment() -> Payment {
    Payment {
        tenant: TENANT,
        serial: SERIAL,
        merchant: MERCHANT,
        key: ClaimKey::of(TENANT, MERCHANT, ClaimSpace::Payment, "S1"),
        merchant_serial: "S1".to_owned(),
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

#[test]
fn a_cancellation_that_comes_before_its_payment_does_not_find_it() {
    let mut rows = Rows::default();
    rows.add_claimed(SERIAL);
    rows.add_payment(payment());
    let begin = BeginPayment {
        payment: Box::new(payment()),
        code: None,
    };
    let cancel = Cancel {
        payment: PaymentRef::Key(TENANT, payment().key),
        merchant: MERCHANT,
        mode: CancelMode::Direct,
        refund_serial: Serial(2),
    };
    let cancelled = |rows: &mut Rows| cancel.decide(rows, NOW).unwrap();
    assert_eq!(cancelled(&mut rows), CancelReply::NotFound);
    assert_eq!(begin.decide(&mut rows, NOW).unwrap(), Began::New(None));
    assert!(matches!(cancelled(&mut rows), CancelReply::Reverse(_)));
    let job = rows.job(SERIAL).map(|job| job.kind);
    assert_eq!(job, Some(JobKind::ReversePayment));
}
