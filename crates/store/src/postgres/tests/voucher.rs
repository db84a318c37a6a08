//! Voucher codes that two gateways reach for at the same moment.

use super::fixture::{NOW, TENANT, clock, payment, store};
use crate::{
    audit::audit,
    contract::{AdminOp, FoundCode, Reader, StoredCode},
    engine::Engine,
    postgres::PostgresStore,
};
use domain::{
    command::{
        Began, BeginPayment,
        voucher::{ChangeReply, ChangeStock, FinishCarton, OpenCarton, Request, Target},
    },
    ids::Serial,
    money::Fen,
    payment::{CloseReason, End, Payment, PaymentState},
    voucher::{
        change::{Change, ChangeId, ChangeKind, Remarks, Verdict},
        code::{CodeDigest, CodeNo, CodeRange},
        partner::PartnerNo,
        paying::CodeRefusal,
        status::CodeStatus,
        stock::Carton,
        ticket::{ActivityNo, Term, Terms, Validity, VoucherTicketNo},
    },
};

const ROUNDS: i64 = 40;
const CODES: u32 = 10;
const TICKET: VoucherTicketNo = VoucherTicketNo(81);
const PARTNER: PartnerNo = PartnerNo(1504);
const TERMS: Terms = Terms {
    uses: 1,
    face_value: Fen::new(100),
    validity: Validity::Forever,
};

/// A gateway: an engine with a writer of its own.
async fn gateway(store: &PostgresStore) -> Engine {
    let (engine, queue) = Engine::new(clock());
    tokio::spawn(queue.serve(store.writer().await.unwrap()));
    engine
}

const fn serial(round: i64, n: i64) -> Serial {
    Serial(1_000 * (round + 1) + n)
}

const fn range(round: i64, first: u32, last: u32) -> CodeRange {
    CodeRange {
        carton: serial(round, 0),
        first,
        last,
    }
}

fn carton(round: i64) -> Carton {
    Carton {
        tenant: TENANT,
        serial: serial(round, 0),
        id: format!("X{round:07}"),
        partner: PARTNER,
        codes: CODES,
        shape: None,
        activity: ActivityNo(1),
        activity_name: String::new(),
        sale_channel: String::new(),
        send_channel: String::new(),
        ticket: TICKET,
        ticket_name: String::new(),
        terms: TERMS,
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

async fn issue(engine: &Engine, round: i64) {
    let carton = carton(round);
    engine.run(OpenCarton { carton }).await.unwrap();
    let codes = (0..CODES).map(|index| CodeNo {
        carton: serial(round, 0),
        index,
    });
    let digests = codes.clone().map(|code| FoundCode {
        digest: digest(code),
        tenant: TENANT,
        code,
    });
    let sealed = vec![7];
    let codes = codes.map(|code| StoredCode {
        code,
        sealed: sealed.clone(),
    });
    let codes = AdminOp::AddCodes(codes.collect());
    engine.admin(codes).await.unwrap();
    let digests = AdminOp::AddDigests(digests.collect());
    engine.admin(digests).await.unwrap();
    let (tenant, serial) = (TENANT, serial(round, 0));
    engine.run(FinishCarton { tenant, serial }).await.unwrap();
}

/// The `n`th change of a round.
async fn change(
    engine: &Engine,
    round: i64,
    n: i64,
    kind: ChangeKind,
    range: CodeRange,
) -> Verdict {
    let number = serial(round, n).to_string();
    let target = Target {
        range,
        ticket: TICKET,
        terms: TERMS,
        term: Term::default(),
    };
    let command = ChangeStock {
        change: Change {
            tenant: TENANT,
            id: ChangeId::of_partner(PARTNER, kind, &number),
            kind,
            serial: serial(round, n),
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
        request: Request::Found(vec![target]),
        part_serials: vec![serial(round, n + 100)],
        day: 0,
        dry_run: false,
        forget_refusal: false,
    };
    match engine.run(command).await.unwrap() {
        ChangeReply::New(change) => change.verdict,
        other @ (ChangeReply::Repeat(_) | ChangeReply::Other(_)) => panic!("{other:?}"),
    }
}

const fn is_done(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Done(_))
}

/// Begins the `n`th payment of a round, with a use of a code; the code's status where it was not
/// to be had.
async fn begin(engine: &Engine, round: i64, n: i64, index: u32) -> Option<CodeStatus> {
    let number = serial(round, n);
    let code = CodeNo {
        carton: serial(round, 0),
        index,
    };
    let payment: Payment = payment(number.0, &number.to_string());
    let begin = BeginPayment {
        payment: Box::new(payment),
        code: Some(digest(code)),
    };
    let settled = match engine.run(begin).await.unwrap() {
        Began::New(Some(part)) if part.code == code => return None,
        Began::NoVoucher(CodeRefusal::Status(status)) => return Some(status),
        Began::Settled(payment) => payment,
        other @ (Began::New(_) | Began::NoVoucher(_) | Began::Exists(_)) => panic!("{other:?}"),
    };
    let PaymentState::Ended {
        end: End::Closed(CloseReason::Voucher(status)),
        ..
    } = settled.state
    else {
        panic!("{settled:?}");
    };
    Some(status)
}

async fn assert_clean(store: &PostgresStore) {
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let report = audit(snapshot.as_mut(), &mut |_| {}).await.unwrap();
    assert_eq!(report.violations, []);
}

/// Both want codes 4 and 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_activations_that_overlap_one_is_done() {
    let store = store().await;
    let (one, two) = (gateway(&store).await, gateway(&store).await);
    for round in 0..ROUNDS {
        issue(&one, round).await;
        let kind = ChangeKind::Activate;
        let (first, second) = tokio::join!(
            change(&one, round, 1, kind, range(round, 0, 5)),
            change(&two, round, 2, kind, range(round, 4, 9)),
        );
        assert!(is_done(&first) != is_done(&second), "{first:?} {second:?}");
    }
    assert_clean(&store).await;
}

/// An activation that comes second is refused; a voiding that comes second voids what is active.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_and_a_voiding_come_one_after_the_other() {
    let store = store().await;
    let (one, two) = (gateway(&store).await, gateway(&store).await);
    for round in 0..ROUNDS {
        issue(&one, round).await;
        let (activated, voided) = tokio::join!(
            change(&one, round, 1, ChangeKind::Activate, range(round, 0, 5)),
            change(&two, round, 2, ChangeKind::Void, range(round, 4, 9)),
        );
        assert!(is_done(&voided), "{voided:?}");
        let of_active = is_done(&activated);
        let Verdict::Done(parts) = voided else {
            panic!("{voided:?}");
        };
        assert_eq!(parts[0].uses_from_active, if of_active { 2 } else { 0 });
    }
    assert_clean(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_held_or_voided_and_never_both() {
    let store = store().await;
    let (one, two) = (gateway(&store).await, gateway(&store).await);
    for round in 0..ROUNDS {
        issue(&one, round).await;
        let all = range(round, 0, CODES - 1);
        change(&one, round, 1, ChangeKind::Activate, all).await;
        let (held, voided) = tokio::join!(
            begin(&one, round, 3, 5),
            change(&two, round, 2, ChangeKind::Void, range(round, 2, 7)),
        );
        match (held, &voided) {
            (None, Verdict::Conflict(_)) | (Some(CodeStatus::Void), Verdict::Done(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_clean(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_payments_one_holds_the_last_use() {
    let store = store().await;
    let (one, two) = (gateway(&store).await, gateway(&store).await);
    for round in 0..ROUNDS {
        issue(&one, round).await;
        let all = range(round, 0, CODES - 1);
        change(&one, round, 1, ChangeKind::Activate, all).await;
        let (first, second) = tokio::join!(begin(&one, round, 3, 5), begin(&two, round, 4, 5));
        let lost = first.xor(second);
        assert_eq!(lost, Some(CodeStatus::Reserved), "{first:?} {second:?}");
    }
    assert_clean(&store).await;
}
