//! Partners, boxes, changes, spans and codes: plain ones, and one of every variant.

use crate::{
    loyalty::samples::OTHER,
    samples::{MERCHANT, NOW, TENANT, serial},
};
use domain::{
    ids::{Serial, TenantId},
    loyalty::{
        document::{Document, DocumentKind},
        sealed::Sealed,
    },
    money::Fen,
    voucher::{
        change::{
            Change, ChangeId, ChangeKind, Conflict, Conflicts, Obstacle, Part, Remarks, Verdict,
        },
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeAct, CodeEvent, CodeUse, KeptEvent, Scene},
        partner::{DayCount, Partner, PartnerEntry, PartnerKey, PartnerNo, PartnerSettings, Token},
        span::{Activation, Span, Stage, Voiding},
        stock::{Cards, Carton, Custody, CustodyAct, Level, Shape, Unit},
        ticket::{Activity, ActivityNo, Term, Terms, Validity, VoucherTicket, VoucherTicketNo},
    },
};
use store::contract::{FoundCode, StoredCode};

pub const TICKET: VoucherTicketNo = VoucherTicketNo(500_811);
pub const PARTNER: PartnerNo = PartnerNo(1504);
pub const FACE: Fen = Fen::new(1_000);
/// How often a code may be used.
pub const USES: u32 = 2;

/// The serial of the `n`th box.
pub const fn carton_no(n: i64) -> Serial {
    serial(70_000 + n)
}

pub const fn code(n: i64, index: u32) -> CodeNo {
    CodeNo {
        carton: carton_no(n),
        index,
    }
}

pub const fn range(n: i64, first: u32, last: u32) -> CodeRange {
    CodeRange {
        carton: carton_no(n),
        first,
        last,
    }
}

pub fn terms() -> Terms {
    Terms {
        uses: USES,
        face_value: FACE,
        validity: Validity::Forever,
    }
}

pub fn partner(tenant: TenantId, number: u32) -> Partner {
    Partner {
        tenant,
        number: PartnerNo(number),
        merchant_id: String::new(),
        name: "小店'\"".to_owned(),
        blocked: false,
        tokens: Vec::new(),
        networks: Vec::new(),
        keys: Vec::new(),
        reply_key: None,
        settings: PartnerSettings::default(),
        history: Vec::new(),
        activated: DayCount::default(),
        updated_at: NOW,
    }
}

fn full_partner(tenant: TenantId, number: u32) -> Partner {
    Partner {
        merchant_id: "30102".to_owned(),
        blocked: true,
        tokens: vec![Token {
            digest: "00ff".to_owned(),
            until: Some(NOW),
        }],
        networks: vec!["10.0.0.0/8".to_owned()],
        keys: vec![PartnerKey {
            spki: "3082".to_owned(),
            until: None,
        }],
        reply_key: Some(Sealed("aa".to_owned())),
        settings: PartnerSettings {
            english: true,
            codes_per_day: Some(i64::MAX),
            requests_per_s: Some(5),
            ..PartnerSettings::default()
        },
        history: vec![PartnerEntry {
            at: NOW,
            by: "op".to_owned(),
            what: "blocked".to_owned(),
        }],
        activated: DayCount {
            day: 20_779,
            count: 7,
        },
        ..partner(tenant, number)
    }
}

/// The `n`th box, ready.
pub fn carton(tenant: TenantId, n: i64, codes: u32) -> Carton {
    Carton {
        tenant,
        serial: carton_no(n),
        id: format!("X{n:07}"),
        partner: PARTNER,
        codes,
        shape: None,
        activity: ActivityNo(500_706),
        activity_name: "茶".to_owned(),
        sale_channel: String::new(),
        send_channel: String::new(),
        ticket: TICKET,
        ticket_name: "tea".to_owned(),
        terms: terms(),
        cards: None,
        ready: true,
        issued_at: NOW,
        custody: Vec::new(),
    }
}

fn full_carton(tenant: TenantId, n: i64) -> Carton {
    Carton {
        shape: Some(Shape {
            packages: 10,
            reels: 20,
            codes: 50,
        }),
        cards: Some(Cards {
            bin: "622848".to_owned(),
            first: 9_990_000,
        }),
        terms: Terms {
            validity: Validity::Between(NOW, NOW.plus_s(1)),
            ..terms()
        },
        custody: vec![Custody {
            at: NOW,
            by: "op".to_owned(),
            act: CustodyAct::Exported,
        }],
        ready: false,
        ..carton(tenant, n, 10_000)
    }
}

pub fn change(tenant: TenantId, number: &str, verdict: Verdict) -> Change {
    Change {
        tenant,
        id: ChangeId::of_partner(PARTNER, ChangeKind::Activate, number),
        kind: ChangeKind::Activate,
        serial: serial(80_001),
        partner: Some(PARTNER),
        operator: None,
        number: number.to_owned(),
        content: u128::MAX - 1,
        at: NOW,
        total: Fen::new(99),
        remarks: Remarks::default(),
        ranges: vec![range(1, 0, 9), range(2, 5, u32::MAX)],
        verdict,
    }
}

fn verdicts() -> Vec<Verdict> {
    let conflict = Conflict {
        range: range(1, 3, 4),
        why: Obstacle::InUse,
    };
    vec![
        Verdict::Done(vec![Part {
            serial: serial(80_002),
            ticket: TICKET,
            uses_from_stock: i64::MAX,
            uses_from_active: 1,
            face: Fen::new(i64::MAX),
        }]),
        Verdict::Conflict(Conflicts {
            first: vec![conflict],
            more: true,
        }),
        Verdict::Unknown(vec![0, 999]),
        Verdict::Duplicate(1, 2),
        Verdict::TooMany,
    ]
}

fn changes() -> Vec<Document> {
    let numbers = ["1", "2", "3", "4", "5"].into_iter();
    let changes = numbers.zip(verdicts()).map(|(number, verdict)| Change {
        operator: Some("op'1".to_owned()),
        remarks: Remarks {
            shop: Some("S1".to_owned()),
            reason: Some("a \"reason\"".to_owned()),
            ..Remarks::default()
        },
        ..change(TENANT, number, verdict)
    });
    let other = change(OTHER, "1", Verdict::TooMany);
    let all = changes.chain([other]);
    all.map(|it| Document::Change(Box::new(it))).collect()
}

fn voucher_ticket(tenant: TenantId, number: u32, validity: Validity) -> VoucherTicket {
    VoucherTicket {
        tenant,
        number: VoucherTicketNo(number),
        name: "券".to_owned(),
        terms: Terms {
            validity,
            ..terms()
        },
        updated_at: NOW,
    }
}

fn activity(tenant: TenantId, number: u32) -> Activity {
    Activity {
        tenant,
        number: ActivityNo(number),
        name: "活动".to_owned(),
        sale_channel: "a".to_owned(),
        send_channel: String::new(),
        updated_at: NOW,
    }
}

/// Documents of one of the kinds that vouchers have, by tenant and key; none of another kind.
pub fn of_kind(kind: DocumentKind) -> Vec<Document> {
    match kind {
        DocumentKind::Partner => [
            partner(TENANT, 1504),
            full_partner(TENANT, 1505),
            partner(OTHER, 15),
        ]
        .map(|it| Document::Partner(Box::new(it)))
        .into(),
        DocumentKind::VoucherTicket => [
            voucher_ticket(TENANT, 1, Validity::Forever),
            voucher_ticket(TENANT, 2, Validity::Days(365)),
            voucher_ticket(OTHER, 1, Validity::Between(NOW, NOW)),
        ]
        .map(|it| Document::VoucherTicket(Box::new(it)))
        .into(),
        DocumentKind::Activity => [activity(TENANT, 500_706), activity(OTHER, 500_706)]
            .map(|it| Document::Activity(Box::new(it)))
            .into(),
        DocumentKind::Carton => [
            carton(TENANT, 1, 10),
            full_carton(TENANT, 2),
            carton(OTHER, 3, 1),
        ]
        .map(|it| Document::Carton(Box::new(it)))
        .into(),
        DocumentKind::Change => changes(),
        _ => Vec::new(),
    }
}

pub fn span(range: CodeRange) -> Span {
    Span {
        tenant: TENANT,
        range,
        stage: Stage::InStock,
        frozen: false,
    }
}

fn activation(term: Term) -> Activation {
    Activation {
        by: ChangeId::of_partner(PARTNER, ChangeKind::Activate, "a'1"),
        at: NOW,
        term,
        expired: false,
    }
}

/// A span that is due at that many seconds.
pub fn span_due(range: CodeRange, s: i64) -> Span {
    let term = Term {
        from: Some(NOW),
        until: Some(NOW.plus_s(s)),
    };
    Span {
        stage: Stage::Active(activation(term)),
        ..span(range)
    }
}

/// A span of every stage, side by side in one box.
pub fn every_span(n: i64) -> Vec<Span> {
    let expired = Activation {
        expired: true,
        ..activation(Term::default())
    };
    let voiding = |was| Voiding {
        by: ChangeId::of_house(ChangeKind::Void, serial(1)),
        at: NOW,
        was,
    };
    let stages = [
        Stage::InStock,
        Stage::Active(activation(Term::default())),
        span_due(range(n, 0, 0), 9).stage,
        Stage::Active(expired.clone()),
        Stage::Void(voiding(None)),
        Stage::Void(voiding(Some(expired))),
    ];
    let stages = stages
        .into_iter()
        .flat_map(|it| [(it.clone(), false), (it, true)]);
    (0..)
        .zip(stages)
        .map(|(at, (stage, frozen))| Span {
            stage,
            frozen,
            ..span(range(n, at * 5, at * 5 + 4))
        })
        .collect()
}

pub fn code_use(code: CodeNo, used: u32, reserved: u32) -> CodeUse {
    CodeUse {
        used,
        reserved,
        ..CodeUse::untouched(TENANT, code)
    }
}

/// The subjects of a code's events in turn: that of the third made all later ones, too.
pub fn subject(number: u32) -> Serial {
    serial(9 + i64::from(number.min(2)))
}

/// A code with its first `count` events.
pub fn with_events(mut code_use: CodeUse, count: u32) -> CodeUse {
    code_use.events = count;
    code_use.last = count.checked_sub(1).map(subject);
    code_use
}

/// The same, which keeps the newest of these.
pub fn keeping(code_use: CodeUse, count: u32) -> CodeUse {
    let code_use = with_events(code_use, count);
    let newest = count.checked_sub(1).map(|it| event(code_use.code, it));
    let kept = newest.map(
        |CodeEvent {
             act, at, before, ..
         }| KeptEvent { act, at, before },
    );
    CodeUse { kept, ..code_use }
}

pub fn event(code: CodeNo, number: u32) -> CodeEvent {
    let is_full = number % 2 == 1;
    let scene = Scene {
        merchant: Some(MERCHANT),
        store: "S1".to_owned(),
        terminal: "till \"1\"".to_owned(),
        sale: "牛奶".to_owned(),
    };
    CodeEvent {
        tenant: TENANT,
        code,
        number,
        act: if is_full {
            CodeAct::GivenBack
        } else {
            CodeAct::Used
        },
        at: NOW.plus_s(i64::from(number)),
        subject: subject(number),
        before: number.checked_sub(1).map(subject),
        scene: is_full.then_some(scene),
    }
}

pub fn unit(level: Level, id: &str, range: CodeRange) -> Unit {
    Unit {
        tenant: TENANT,
        id: id.to_owned(),
        level,
        range,
        sale_channel_order_id: None,
    }
}

pub fn stored(code: CodeNo) -> StoredCode {
    let sealed = format!("sealed {}", code.index).into_bytes();
    StoredCode { code, sealed }
}

/// The digest of the `n`th text.
pub fn digest(n: u32) -> CodeDigest {
    let mut bytes = [0xA5; 16];
    bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    CodeDigest(bytes)
}

pub fn found(n: u32, code: CodeNo) -> FoundCode {
    FoundCode {
        digest: digest(n),
        tenant: TENANT,
        code,
    }
}
