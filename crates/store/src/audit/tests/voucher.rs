//! Boxes of voucher codes, and payments that use them: a clean history.

mod planted;
mod tickets;

use super::*;
use crate::contract::{AdminOp, FoundCode, StoredCode, key_of_event};
use domain::{
    channel::Decline,
    command::voucher::{
        ChangeReply, ChangeStock, ExpireSpan, FinishCarton, OpenCarton, Request, Target,
    },
    payment::VoucherPart,
    voucher::{
        change::{Change, ChangeId, ChangeKind, Remarks, Verdict},
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse},
        partner::PartnerNo,
        stock::{Carton, Level, Shape, Unit},
        ticket::{ActivityNo, Term, Terms, Validity, VoucherTicketNo},
    },
};

const PARTNER: PartnerNo = PartnerNo(1504);
/// Codes worth 10 yuan twice.
const CASH: VoucherTicketNo = VoucherTicketNo(81);
/// Codes for goods, once.
const GOODS: VoucherTicketNo = VoucherTicketNo(82);
const FACE: Fen = Fen::new(1_000);

const CASH_BOX: i64 = 2_001;
const GOODS_BOX: i64 = 2_002;
const UNFINISHED_BOX: i64 = 2_003;
const CODES: u32 = 100;

// Payments, in the order of the codes of the cash box they name.
const RESERVES: i64 = 401;
const USES: i64 = 402;
const GIVES_BACK: i64 = 403;
const CANCELS: i64 = 404;
const ENDS: i64 = 405;
const NEEDS_NO_CHANNEL: i64 = 406;
const GIVES_IT_ALL_BACK: i64 = 407;
const RETURNING: i64 = 408;
const COMES_LATE: i64 = 409;
const USES_AGAIN: i64 = 410;
/// Names a code that is void.
const REFUSED: i64 = 411;
// And those that name codes whose term ends.
const USED_BEFORE: i64 = 421;
const BACK_LATER: i64 = 422;
const RELEASED_LATER: i64 = 423;
const RESERVES_LATER: i64 = 424;
const REFUND: i64 = 500;

// Changes.
const ACTIVATION: i64 = 3_001;
const VOIDING: i64 = 3_002;
const FREEZE: i64 = 3_003;
const CONFLICT: i64 = 3_004;
const OF_BOTH: i64 = 3_005;
const SHORT: i64 = 3_006;
const EXPIRY: i64 = 3_007;
/// The numbers of the postings of a change follow its own.
const PARTS: i64 = 100;

const fn terms(ticket: VoucherTicketNo) -> Terms {
    Terms {
        uses: if ticket.0 == CASH.0 { 2 } else { 1 },
        face_value: if ticket.0 == CASH.0 { FACE } else { Fen::ZERO },
        validity: Validity::Forever,
    }
}

const fn ticket_of(carton: i64) -> VoucherTicketNo {
    if carton == GOODS_BOX { GOODS } else { CASH }
}

const fn code(carton: i64, index: u32) -> CodeNo {
    CodeNo {
        carton: Serial(carton),
        index,
    }
}

const fn range(carton: i64, first: u32, last: u32) -> CodeRange {
    CodeRange {
        carton: Serial(carton),
        first,
        last,
    }
}

fn carton(serial: i64) -> Carton {
    let ticket = ticket_of(serial);
    Carton {
        tenant: TENANT,
        serial: Serial(serial),
        id: format!("X{serial:07}"),
        partner: PARTNER,
        codes: CODES,
        shape: Some(Shape {
            packages: 1,
            reels: 4,
            codes: 25,
        }),
        activity: ActivityNo(1),
        activity_name: String::new(),
        sale_channel: String::new(),
        send_channel: String::new(),
        ticket,
        ticket_name: "tea".to_owned(),
        terms: terms(ticket),
        cards: None,
        ready: false,
        issued_at: NOW,
        custody: Vec::new(),
    }
}

fn digest(code: CodeNo) -> CodeDigest {
    let number = i128::from(code.carton.0) << 32 | i128::from(code.index);
    CodeDigest(number.to_be_bytes())
}

/// What rests of the first `codes` of a box.
async fn fill(store: &mut impl Writer, carton: i64, codes: u32) {
    let all = || (0..codes).map(|index| code(carton, index));
    let sealed = all().map(|code| StoredCode {
        code,
        sealed: vec![1, 2, 3],
    });
    let digests = all().map(|code| FoundCode {
        digest: digest(code),
        tenant: TENANT,
        code,
    });
    let reels = (0..4).map(|reel| Unit {
        tenant: TENANT,
        id: format!("R{carton}-{reel}"),
        level: Level::Reel,
        range: range(carton, reel * 25, reel * 25 + 24),
        sale_channel_order_id: None,
    });
    for op in [
        AdminOp::AddCodes(sealed.collect()),
        AdminOp::AddDigests(digests.collect()),
        AdminOp::AddUnits(reels.collect()),
    ] {
        Box::pin(store.admin(&op)).await.unwrap();
    }
}

async fn issue(store: &mut impl Writer, serial: i64) {
    let carton = carton(serial);
    run(store, OpenCarton { carton }).await;
    fill(store, serial, CODES).await;
    let finish = FinishCarton {
        tenant: TENANT,
        serial: Serial(serial),
    };
    assert!(run(store, finish).await);
}

/// Changes ranges, of which each box has its own ticket type; codes that become active are valid
/// until `until`.
async fn change(
    store: &mut impl Writer,
    serial: i64,
    kind: ChangeKind,
    ranges: &[CodeRange],
    until: Option<UnixMs>,
) -> Verdict {
    let targets = ranges.iter().map(|range| Target {
        range: *range,
        ticket: ticket_of(range.carton.0),
        terms: terms(ticket_of(range.carton.0)),
        term: Term { from: None, until },
    });
    let number = serial.to_string();
    let command = ChangeStock {
        change: Change {
            tenant: TENANT,
            id: ChangeId::of_partner(PARTNER, kind, &number),
            kind,
            serial: Serial(serial),
            partner: Some(PARTNER),
            operator: None,
            number,
            content: 1,
            at: NOW,
            total: Fen::ZERO,
            remarks: Remarks::default(),
            ranges: Vec::new(),
            verdict: Verdict::TooMany,
        },
        request: Request::Found(targets.collect()),
        part_serials: [1, 2].map(|n| Serial(serial + n * PARTS)).into(),
        day: 0,
        dry_run: false,
        forget_refusal: false,
    };
    match run(store, command).await {
        ChangeReply::New(change) => change.verdict,
        other @ (ChangeReply::Repeat(_) | ChangeReply::Other(_)) => panic!("{other:?}"),
    }
}

/// The payment `serial`, of which a use of `code` pays all but `amount`.
async fn begin_with(store: &mut impl Writer, serial: i64, code: CodeNo, amount: Fen) {
    let ticket = ticket_of(code.carton.0);
    let face = terms(ticket).face_value;
    let voucher = VoucherPart {
        code,
        ticket,
        uses: terms(ticket).uses,
        face,
        // Once the price was less than the voucher.
        pays: if amount > Fen::ZERO {
            face
        } else {
            Fen::new(600)
        },
    };
    let mut payment = Box::new(payment(serial));
    payment.amount = amount;
    payment.details.voucher = Some(voucher);
    run(
        store,
        BeginPayment {
            payment,
            code: None,
        },
    )
    .await;
}

async fn decline(store: &mut impl Writer, serial: i64) {
    pay(store, serial, PayOutcome::Declined(Decline::ByPayer)).await;
}

async fn payments(it: &mut impl Writer) {
    for (index, serial) in (0..).zip(RESERVES..=COMES_LATE) {
        let alone = serial == NEEDS_NO_CHANNEL || serial == GIVES_IT_ALL_BACK;
        let amount = if alone { Fen::ZERO } else { AMOUNT };
        begin_with(it, serial, code(CASH_BOX, index), amount).await;
    }
    begin_with(it, USES_AGAIN, code(CASH_BOX, 1), AMOUNT).await;
    begin_with(it, REFUSED, code(CASH_BOX, 55), AMOUNT).await;
    for serial in [USES, GIVES_BACK, CANCELS, RETURNING, USES_AGAIN] {
        pay(it, serial, PayOutcome::Paid(receipt())).await;
    }
    for serial in [ENDS, COMES_LATE] {
        decline(it, serial).await;
    }
    pay(it, COMES_LATE, PayOutcome::Paid(receipt())).await;
    for (n, serial, fen) in [
        (1, GIVES_BACK, 2_000),
        (2, GIVES_IT_ALL_BACK, 600),
        (3, RETURNING, 2_000),
    ] {
        refund(it, serial, REFUND + n, fen).await;
    }
    finish_refund(it, GIVES_BACK, REFUND + 1, RefundOutcome::Done).await;
    let cancel = Cancel {
        payment: PaymentRef::Serial(TENANT, Serial(CANCELS)),
        merchant: MERCHANT,
        mode: CancelMode::Direct,
        refund_serial: Serial(REFUND + 4),
    };
    run(it, cancel).await;
    finish_refund(it, CANCELS, REFUND + 4, RefundOutcome::Done).await;
}

/// Codes of the goods box whose term ends while payments hold some of them.
async fn a_term_ends(it: &mut impl Writer) {
    let short = range(GOODS_BOX, 0, 19);
    let until = NOW.plus_s(10);
    change(it, SHORT, ChangeKind::Activate, &[short], Some(until)).await;
    for (index, serial) in (0..).zip(USED_BEFORE..=RESERVES_LATER) {
        begin_with(it, serial, code(GOODS_BOX, index), AMOUNT).await;
    }
    for serial in [USED_BEFORE, BACK_LATER] {
        pay(it, serial, PayOutcome::Paid(receipt())).await;
    }
    let expire = ExpireSpan {
        tenant: TENANT,
        range: short,
        ticket: GOODS,
        terms: terms(GOODS),
        serial: Serial(EXPIRY),
    };
    assert!(run_at(it, expire, until).await);
    decline(it, RELEASED_LATER).await;
    refund(it, BACK_LATER, REFUND + 5, 1_000).await;
    finish_refund(it, BACK_LATER, REFUND + 5, RefundOutcome::Done).await;
}

/// A store that holds vouchers, and payments and changes of every kind.
pub(crate) async fn history() -> Memory {
    let mut store = Memory::new();
    record(&mut store).await;
    store
}

/// What codes' rows keep, as events of their own with long texts.
pub(crate) fn kept_texts(uses: &[CodeUse]) -> Vec<(CodeEvent, String)> {
    let kept = uses.iter().filter_map(CodeUse::kept_event);
    let with_text = kept.map(|it| {
        let (tenant, number, subject) = (it.tenant.0, it.number, it.subject.0);
        let CodeNo { carton, index } = it.code;
        let text = format!(
            r#"{{"tenant":{tenant},"code":{{"b":{},"i":{index}}},"number":{number},"act":"{:?}","at":{},"subject":{subject},"scene":null}}"#,
            carton.0, it.act, it.at.0
        );
        (it, text)
    });
    with_text.collect()
}

/// The same rows where each event is one of its own.
pub(crate) fn all_recorded(
    mut uses: Vec<CodeUse>,
    mut events: Vec<CodeEvent>,
) -> (Vec<CodeUse>, Vec<CodeEvent>) {
    events.extend(uses.iter().filter_map(CodeUse::kept_event));
    events.sort_by_key(key_of_event);
    uses.iter_mut().for_each(|it| it.kept = None);
    (uses, events)
}

/// Records it all in an empty store.
pub(crate) async fn record(it: &mut impl Writer) {
    super::record(it).await;
    for carton in [CASH_BOX, GOODS_BOX] {
        issue(it, carton).await;
    }
    let carton = carton(UNFINISHED_BOX);
    run(it, OpenCarton { carton }).await;
    fill(it, UNFINISHED_BOX, 7).await;
    let cash = |first, last| [range(CASH_BOX, first, last)];
    let done = |verdict| assert!(matches!(verdict, Verdict::Done(_)), "{verdict:?}");
    done(change(it, ACTIVATION, ChangeKind::Activate, &cash(0, 59), None).await);
    done(change(it, VOIDING, ChangeKind::Void, &cash(50, 64), None).await);
    done(change(it, FREEZE, ChangeKind::Freeze, &cash(40, 44), None).await);
    let refused = change(it, CONFLICT, ChangeKind::Activate, &cash(59, 70), None).await;
    assert!(matches!(refused, Verdict::Conflict(_)), "{refused:?}");
    let both = [range(GOODS_BOX, 30, 39), range(CASH_BOX, 90, 94)];
    done(change(it, OF_BOTH, ChangeKind::Activate, &both, None).await);
    payments(it).await;
    a_term_ends(it).await;
}

#[tokio::test]
async fn a_history_of_vouchers_is_clean_and_counted() {
    let report = report(&history().await).await;
    assert_eq!(report.violations, []);
    let counts = report.counts;
    assert_eq!((counts.cartons, counts.codes), (3, 13));
    let uses = |ticket| report.vouchers[&(TENANT, ticket)];
    let cash = uses(CASH);
    // 65 codes were sold, 10 of them voided, as 5 more; 2 uses of code 1, 1 each of codes 5 and 7.
    let expected = (200, 60, 106, 4, 30, 0);
    let VoucherUses {
        issued,
        in_stock,
        active,
        spent,
        void,
        expired,
        owed,
    } = cash;
    assert_eq!((issued, in_stock, active, spent, void, expired), expected);
    assert_eq!(owed, 106_000);
    // Of 20 whose term ended one was used before, and an open payment holds one.
    let goods = uses(GOODS);
    let found = (goods.in_stock, goods.active, goods.spent, goods.expired);
    assert_eq!(found, (70, 11, 1, 18));
    assert_eq!(goods.owed, 0);
}
