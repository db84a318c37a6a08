//! Codes that new payments name: looked up by the batch that records the payment.

use super::{
    changes,
    samples::{FACE, TICKET, USES, carton, code, code_use, every_span, found, range, span_due},
};
use crate::{
    fixture::{Fixture, in_one_batch, on_each_store, run, write},
    loyalty::samples::OTHER,
    samples::{AMOUNT, NOW, TENANT, payment, payment_named},
};
use domain::{
    channel::ChannelNo,
    command::{Began, BeginPayment},
    loyalty::document::Document,
    money::Fen,
    payment::{CloseReason, End, Flow, Payment, PaymentState, PaymentStatus, VoucherPart},
    rows::PaymentRef,
    voucher::{
        code::{CodeNo, CodeRange},
        paying::CodeRefusal,
        rows::VoucherChanges,
        span::Span,
        status::CodeStatus,
        stock::Carton,
    },
};
use store::{AdminOp, EngineError, Reader, StoreError, Writer, contract::FoundCode};

/// The first code of each span of [`every_span`], by its stage.
const IN_STOCK: u32 = 0;
const STOCK_FROZEN: u32 = 5;
pub(super) const ACTIVE: u32 = 10;
const FROZEN: u32 = 15;
const DUE: u32 = 20;
const WRITTEN_OFF: u32 = 30;
const VOID: u32 = 40;
/// Codes of [`ACTIVE`]'s span that tills have used.
const ONE_LEFT: u32 = 11;
const USED_UP: u32 = 12;
const RESERVED: u32 = 13;

/// The code with an index in box 1.
pub(super) const fn at(index: u32) -> CodeNo {
    code(1, index)
}

/// By what a code is found. No two boxes of this test have a number of theirs in common.
fn leads_to(it: CodeNo) -> FoundCode {
    let n = u32::try_from(it.carton.0 % 100).unwrap();
    found(n * 100 + it.index, it)
}

fn unready(n: i64) -> Carton {
    Carton {
        ready: false,
        ..carton(TENANT, n, 5)
    }
}

/// Box 1 with codes of every stage, box 2 not ready, box 3 another retailer's, box 4 without a span,
/// no box 5, box 6 active.
pub(super) async fn fill(store: &impl Fixture) {
    let mut writer = store.writer().await;
    let codes = (0..60).map(at);
    let codes = codes.chain([2, 4, 5, 6].map(|n| code(n, 0))).map(leads_to);
    let theirs = FoundCode {
        tenant: OTHER,
        ..leads_to(code(3, 0))
    };
    let mut digests: Vec<FoundCode> = codes.chain([theirs]).collect();
    digests.sort_by_key(|it| it.digest);
    writer.admin(&AdminOp::AddDigests(digests)).await.unwrap();
    let active = range(6, 0, 4);
    let mut rows = changes(VoucherChanges {
        spans: every_span(1)
            .into_iter()
            .chain([of_active(active)])
            .collect(),
        uses_added: vec![
            code_use(at(ONE_LEFT), 1, 0),
            code_use(at(USED_UP), USES, 0),
            code_use(at(RESERVED), 0, USES),
        ],
        ..VoucherChanges::default()
    });
    let cartons = [
        carton(TENANT, 1, 60),
        unready(2),
        carton(OTHER, 3, 1),
        carton(TENANT, 4, 5),
        carton(TENANT, 6, 5),
    ];
    let cartons = cartons.map(|it| Document::Carton(Box::new(it)));
    rows.loyalty.documents_added.extend(cartons);
    write(&mut writer, rows).await.unwrap();
}

fn of_active(range: CodeRange) -> Span {
    span_due(range, 3_600)
}

pub(super) fn begin(payment: Payment, code: CodeNo) -> BeginPayment {
    BeginPayment {
        payment: Box::new(payment),
        code: Some(leads_to(code).digest),
    }
}

/// A payment at a till: its payer shows a code.
pub(super) fn sale(n: i64) -> Payment {
    Payment {
        flow: Flow::PayerCode,
        ..payment(n)
    }
}

const fn part(code: CodeNo, pays: Fen) -> VoucherPart {
    VoucherPart {
        code,
        ticket: TICKET,
        uses: USES,
        face: FACE,
        pays,
    }
}

pub(super) async fn stored(store: &impl Fixture, payment: &Payment) -> Option<Payment> {
    let by = PaymentRef::Key(payment.tenant, payment.key);
    store.reader().payment(by).await.unwrap()
}

async fn reserved(reader: &dyn Reader, code: CodeNo) -> u32 {
    let uses = reader.code_uses(code.range(), 1).await.unwrap();
    uses.first().map_or(0, |it| it.reserved)
}

const fn refused_at(payment: &Payment) -> Option<CodeStatus> {
    match payment.state {
        PaymentState::Ended {
            end: End::Closed(CloseReason::Voucher(status)),
            ..
        } => Some(status),
        _ => None,
    }
}

async fn a_payment_is_recorded_with_what_its_code_pays(store: impl Fixture) {
    fill(&store).await;
    let mut writer = store.writer().await;
    for (n, it) in [
        (1, at(ACTIVE)),
        (2, at(ONE_LEFT)),
        (3, at(DUE)),
        (4, code(6, 0)),
    ] {
        let began = run(&mut writer, begin(payment(n), it)).await;
        let part = part(it, FACE);
        assert_eq!(began, Began::New(Some(part)), "{it:?}");
        let found = stored(&store, &payment(n)).await.unwrap();
        let mut expected = payment(n);
        expected.amount = AMOUNT.checked_sub(FACE).unwrap();
        expected.details.voucher = Some(part);
        assert_eq!(found, expected);
        assert_eq!(found.price(), AMOUNT);
        assert_eq!(reserved(store.reader().as_ref(), it).await, 1);
    }
}

async fn a_code_may_pay_all_and_be_all_there_is(store: impl Fixture) {
    fill(&store).await;
    let small = Payment {
        amount: Fen::new(999),
        ..sale(1)
    };
    // Without a channel the price is what the code is worth.
    let redemption = Payment {
        amount: Fen::ZERO,
        channel: ChannelNo::NONE,
        ..sale(2)
    };
    for (new, pays) in [(small, Fen::new(999)), (redemption, FACE)] {
        let mut writer = store.writer().await;
        let began = run(&mut writer, begin(new.clone(), at(ACTIVE))).await;
        let Began::Settled(settled) = began else {
            panic!("{began:?}");
        };
        assert_eq!(settled.status(), PaymentStatus::Paid);
        assert_eq!((settled.amount, settled.price()), (Fen::ZERO, pays));
        assert_eq!(settled.details.voucher, Some(part(at(ACTIVE), pays)));
        assert_eq!(stored(&store, &new).await.as_ref(), Some(&*settled));
    }
    let uses = store.reader().code_uses(at(ACTIVE).range(), 1).await;
    let used = uses.unwrap()[0].used;
    assert_eq!(used, 2);
}

async fn a_code_that_pays_nothing_leaves_its_serial_free(store: impl Fixture) {
    use CodeRefusal::{PaysAll, Status, Unknown};
    use CodeStatus::{Expired, Frozen, InStock, Reserved, UsedUp, Void};
    fill(&store).await;
    let mut writer = store.writer().await;
    let order = Payment {
        amount: FACE,
        ..payment(1)
    };
    let late = Payment {
        created_at: NOW.plus_s(9),
        ..sale(1)
    };
    for (new, code, why) in [
        (sale(1), code(7, 0), Unknown),
        (sale(1), code(2, 0), Unknown),
        (sale(1), code(3, 0), Unknown),
        (sale(1), code(5, 0), Unknown),
        (order.clone(), at(ACTIVE), PaysAll),
        (order, at(VOID), PaysAll),
        (sale(1), at(IN_STOCK), Status(InStock)),
        (sale(1), at(STOCK_FROZEN), Status(Frozen)),
        (sale(1), at(FROZEN), Status(Frozen)),
        (sale(1), at(WRITTEN_OFF), Status(Expired)),
        (late, at(DUE), Status(Expired)),
        (sale(1), at(VOID), Status(Void)),
        (sale(1), at(USED_UP), Status(UsedUp)),
        (sale(1), at(RESERVED), Status(Reserved)),
    ] {
        let began = run(&mut writer, begin(new, code)).await;
        assert_eq!(began, Began::NoVoucher(why), "{code:?}");
        assert_eq!(stored(&store, &sale(1)).await, None, "{code:?}");
    }
    assert_eq!(store.reader().figures().await.unwrap().jobs, 0);
    let again = run(&mut writer, begin(sale(1), at(ACTIVE))).await;
    assert_eq!(again, Began::New(Some(part(at(ACTIVE), FACE))));
}

async fn a_used_serial_is_told_whatever_became_of_its_code(store: impl Fixture) {
    fill(&store).await;
    let mut writer = store.writer().await;
    let first = payment_named(1, "same");
    run(&mut writer, begin(first.clone(), at(ONE_LEFT))).await;
    let earlier = stored(&store, &first).await.unwrap();
    for (n, code) in [
        (2, at(ONE_LEFT)),
        (3, at(VOID)),
        (4, code(7, 0)),
        (5, at(ACTIVE)),
    ] {
        let again = payment_named(n, "same");
        let began = run(&mut writer, begin(again, code)).await;
        assert_eq!(began, Began::Exists(Box::new(earlier.clone())), "{code:?}");
    }
    assert_eq!(reserved(store.reader().as_ref(), at(ACTIVE)).await, 0);
}

async fn of_two_payments_in_a_batch_one_gets_the_last_use(store: impl Fixture) {
    fill(&store).await;
    let commands = [1, 2].map(|n| begin(payment(n), at(ONE_LEFT))).into();
    let answers = in_one_batch(&store, commands).await;
    assert_eq!(answers[0], Ok(Began::New(Some(part(at(ONE_LEFT), FACE)))));
    let Ok(Began::Settled(closed)) = &answers[1] else {
        panic!("{answers:?}");
    };
    assert_eq!(refused_at(closed), Some(CodeStatus::Reserved));
    assert_eq!(stored(&store, &payment(2)).await.as_ref(), Some(&**closed));
    assert_eq!(reserved(store.reader().as_ref(), at(ONE_LEFT)).await, 1);
}

async fn twins_in_a_batch_make_one_payment_or_none(store: impl Fixture) {
    fill(&store).await;
    let twin = |n, serial, code| begin(payment_named(n, serial), code);
    let void = || Ok(Began::NoVoucher(CodeRefusal::Status(CodeStatus::Void)));
    let new = |code| Ok(Began::New(Some(part(code, FACE))));
    let commands = vec![
        twin(1, "both pay", at(ACTIVE)),
        twin(2, "both pay", at(ONE_LEFT)),
        twin(3, "the first pays", at(ACTIVE)),
        twin(4, "the first pays", at(VOID)),
        twin(5, "the second pays", at(VOID)),
        twin(6, "the second pays", code(6, 0)),
        twin(7, "none pays", at(VOID)),
        twin(8, "none pays", code(7, 0)),
    ];
    let answers = in_one_batch(&store, commands).await;
    let exists = |earlier: Option<Payment>| Ok(Began::Exists(Box::new(earlier.unwrap())));
    let unknown = Ok(Began::NoVoucher(CodeRefusal::Unknown));
    let expected = [
        new(at(ACTIVE)),
        exists(stored(&store, &payment_named(0, "both pay")).await),
        new(at(ACTIVE)),
        exists(stored(&store, &payment_named(0, "the first pays")).await),
        void(),
        new(code(6, 0)),
        void(),
        unknown,
    ];
    assert_eq!(answers, expected);
    assert_eq!(stored(&store, &payment_named(0, "none pays")).await, None);
}

async fn a_box_that_contradicts_itself_spoils_only_its_own_payment(store: impl Fixture) {
    fill(&store).await;
    let plain = BeginPayment {
        payment: Box::new(payment(1)),
        code: None,
    };
    let commands = vec![
        plain,
        begin(payment(2), code(4, 0)),
        begin(payment(3), at(ACTIVE)),
    ];
    let answers = in_one_batch(&store, commands).await;
    assert_eq!(answers[0], Ok(Began::New(None)));
    let spoilt = &answers[1];
    assert!(
        matches!(spoilt, Err(EngineError::Store(StoreError::Corrupt(_)))),
        "{spoilt:?}"
    );
    assert_eq!(answers[2], Ok(Began::New(Some(part(at(ACTIVE), FACE)))));
    assert_eq!(stored(&store, &payment(2)).await, None);
}

async fn each_retailer_has_codes_of_its_own(store: impl Fixture) {
    fill(&store).await;
    let theirs = Payment {
        tenant: OTHER,
        ..payment(1)
    };
    let commands = vec![
        begin(theirs.clone(), at(ACTIVE)),
        begin(payment(2), code(3, 0)),
        begin(payment(3), at(ACTIVE)),
    ];
    let answers = in_one_batch(&store, commands).await;
    let unknown = || Ok(Began::NoVoucher(CodeRefusal::Unknown));
    let ours = Ok(Began::New(Some(part(at(ACTIVE), FACE))));
    assert_eq!(answers, [unknown(), unknown(), ours]);
    assert_eq!(stored(&store, &theirs).await, None);
}

on_each_store! {
    a_payment_is_recorded_with_what_its_code_pays,
    a_code_may_pay_all_and_be_all_there_is,
    a_code_that_pays_nothing_leaves_its_serial_free,
    a_used_serial_is_told_whatever_became_of_its_code,
    of_two_payments_in_a_batch_one_gets_the_last_use,
    twins_in_a_batch_make_one_payment_or_none,
    a_box_that_contradicts_itself_spoils_only_its_own_payment,
    each_retailer_has_codes_of_its_own,
}
