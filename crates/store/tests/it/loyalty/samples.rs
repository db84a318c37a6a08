//! Cards, terminals and events: plain ones, and one of every variant.

use crate::samples::{NOW, TENANT, serial};
use domain::{
    ids::{Serial, TenantId},
    ledger::{Account, Movement, Posting, Unit},
    loyalty::{
        card::{
            Balance, Card, CardNo, CardPin, CardStatus, DayUse, HeldCode, Holder, Holding, Lot,
            MonthSpending, TicketCode, TicketKind,
        },
        document::{Document, DocumentKind},
        journal::{Compared, Difference, Figure, Finding},
        points::Points,
        sealed::Sealed,
        store::{Store, StoreNo},
        terminal::{
            Batch, BatchNo, CheckedIn, KeyGeneration, KeyLayout, MasterKey, Profile, Terminal,
            TerminalNo, TimeUnit, WorkingKeys,
        },
        totals::Totals,
        trans::{
            Effect, LotKey, LotUse, Place, Refusal, Settlement, TicketUse, TraceNo, Trans,
            TransKind, TransNo, TransState,
        },
        verify_code::{VerifyCode, VerifyCodes},
        work_item::{Matter, WorkItem},
    },
    money::Fen,
    time::UnixMs,
    voucher::{code::CodeNo, ticket::VoucherTicketNo},
};

pub const OTHER: TenantId = TenantId(2);

pub fn store(tenant: TenantId, number: &str) -> Store {
    Store {
        tenant,
        number: StoreNo::parse(number).unwrap(),
        account: 7,
        name: "西单'店\" 🏬".to_owned(),
        networks: vec!["10.0.0.0/8".to_owned(), "::1".to_owned()],
        certificates: vec!["00".repeat(32)],
        updated_at: NOW,
    }
}

pub fn terminal(tenant: TenantId, number: &str, index: i64) -> Terminal {
    Terminal {
        tenant,
        store: StoreNo::parse("S1").unwrap(),
        number: TerminalNo::parse(number).unwrap(),
        index,
        blocked: false,
        profile: Profile::default(),
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: None,
        trans_count: 0,
        today: DayUse::default(),
        codes_sent_at: Vec::new(),
        updated_at: NOW,
    }
}

fn working_keys(generation: i64) -> WorkingKeys {
    WorkingKeys {
        generation: KeyGeneration(generation),
        pin_key: Sealed("00ff".to_owned()),
        pin_key_check: "01020304".to_owned(),
        mac_key: Sealed("ff00".to_owned()),
        mac_key_check: "05060708".to_owned(),
    }
}

pub fn totals() -> Totals {
    Totals {
        point_debit_count: 1,
        point_debit_amount: Fen::new(2),
        ticket_credit_amount: Fen::new(i64::MAX),
        ..Totals::default()
    }
}

pub fn full_terminal(tenant: TenantId, number: &str, index: i64) -> Terminal {
    Terminal {
        blocked: true,
        profile: Profile {
            key_layout: KeyLayout::Bytes40,
            mac_required: true,
            time_unit: TimeUnit::Milliseconds,
        },
        master_key: Some(MasterKey {
            key: Sealed("aa".to_owned()),
            check: "bb".to_owned(),
            at: NOW,
        }),
        keys: Some(working_keys(2)),
        keys_before: Some(working_keys(1)),
        key_count: 2,
        mac_failures: 3,
        check_in: Some(CheckedIn {
            at: NOW,
            operator: "op'1".to_owned(),
        }),
        batch: Some(Batch {
            number: BatchNo::FIRST,
            opened_at: NOW,
            closed_at: Some(NOW.plus_s(1)),
            totals: totals(),
            entries: i64::MAX,
        }),
        trans_count: i64::MAX,
        today: DayUse {
            day: 20_779,
            count: u32::MAX,
            points: Points::new(-1),
        },
        codes_sent_at: vec![NOW, NOW],
        ..terminal(tenant, number, index)
    }
}

/// The card numbered `n`.
pub fn card(tenant: TenantId, n: i64) -> Card {
    Card {
        tenant,
        number: CardNo::parse(&format!("{n:08}")).unwrap(),
        account: serial(n),
        status: CardStatus::Stocked,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: None,
        lots: Vec::new(),
        owed: Points::ZERO,
        tickets: Vec::new(),
        today: DayUse::default(),
        codes: Vec::new(),
        spending: Vec::new(),
    }
}

/// The card numbered `n`, with a lot that expires then.
pub fn card_due(tenant: TenantId, n: i64, expires_at: UnixMs) -> Card {
    Card {
        lots: vec![Lot {
            points: Points::new(1),
            available_at: UnixMs(0),
            expires_at: Some(expires_at),
        }],
        ..card(tenant, n)
    }
}

pub fn full_card(tenant: TenantId, n: i64) -> Card {
    Card {
        status: CardStatus::Restricted,
        expires_at: Some(NOW.plus_s(9)),
        expiry_yymm: Some("3112".to_owned()),
        holder: Holder {
            name: "王'小\"明".to_owned(),
            gender: "01".to_owned(),
            mobile: "13800000000".to_owned(),
            id_type: "01".to_owned(),
            id_no: "11010119900101000X".to_owned(),
            address: "北京\n西城".to_owned(),
            email: "a@b.example".to_owned(),
        }
        .into(),
        grade: 3,
        pin: Some(CardPin {
            hash: "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA".to_owned(),
            wrong: 2,
        }),
        lots: [(1, None), (i64::MAX, Some(NOW.plus_s(4)))]
            .map(|(points, expires_at)| Lot {
                points: Points::new(points),
                available_at: NOW,
                expires_at,
            })
            .to_vec(),
        owed: Points::new(12),
        tickets: [
            TicketKind::Voucher,
            TicketKind::GroupBuy,
            TicketKind::Exchange,
            TicketKind::Cash,
        ]
        .map(|kind| Holding {
            id: 999_999_999_999,
            kind,
            name: "茶".to_owned(),
            face: Fen::new(5),
            pieces: -3,
            expires_at: Some(NOW.plus_s(2)),
        })
        .to_vec(),
        today: DayUse {
            day: 1,
            count: 2,
            points: Points::new(3),
        },
        codes: vec![HeldCode {
            backing: TicketCode {
                code: CodeNo {
                    carton: serial(7),
                    index: u32::MAX,
                },
                ticket: VoucherTicketNo(500_811),
                uses: 999,
            },
            kind: TicketKind::GroupBuy,
            name: "券".to_owned(),
            face: Fen::new(10),
        }],
        spending: vec![MonthSpending {
            month: 24_000,
            spent: Fen::new(-7),
        }],
        ..card(tenant, n)
    }
}

pub fn codes(tenant: TenantId, mobile: &str, sent_at: UnixMs) -> VerifyCodes {
    VerifyCodes {
        tenant,
        mobile: mobile.to_owned(),
        current: Some(VerifyCode {
            digest: "d1".to_owned(),
            expires_at: sent_at.plus_s(300),
            tries: 1,
        }),
        sent_at: vec![sent_at],
    }
}

pub fn item(tenant: TenantId, subject: Serial, matter: Matter) -> WorkItem {
    WorkItem {
        tenant,
        subject,
        at: NOW,
        terminal: 3,
        matter,
        done: None,
    }
}

pub fn reversed_after_settlement() -> Matter {
    Matter::ReversedAfterSettlement {
        batch: BatchNo::new(999_999).unwrap(),
        number: TransNo::new(3, 1),
    }
}

pub fn documents(items: impl IntoIterator<Item = Card>) -> Vec<Document> {
    let cards = items.into_iter();
    cards.map(|it| Document::Card(Box::new(it))).collect()
}

/// Documents of `kind`, plain and full ones in turn, by tenant and key.
pub fn of_kind(kind: DocumentKind) -> Vec<Document> {
    match kind {
        DocumentKind::Store => vec![
            Document::Store(Box::new(store(TENANT, "S1"))),
            Document::Store(Box::new(Store {
                networks: Vec::new(),
                certificates: Vec::new(),
                name: String::new(),
                ..store(OTHER, "S2")
            })),
        ],
        DocumentKind::Terminal => vec![
            Document::Terminal(Box::new(terminal(TENANT, "T1", 1))),
            Document::Terminal(Box::new(full_terminal(TENANT, "T2", 99_999))),
            Document::Terminal(Box::new(terminal(OTHER, "T1", 1))),
        ],
        DocumentKind::Card => {
            documents([card(TENANT, 1), full_card(TENANT, 2), full_card(OTHER, 1)])
        }
        DocumentKind::VerifyCodes => vec![
            Document::VerifyCodes(Box::new(codes(TENANT, "13800000000", NOW))),
            Document::VerifyCodes(Box::new(VerifyCodes {
                current: None,
                sent_at: Vec::new(),
                ..codes(TENANT, "13900000000", NOW)
            })),
        ],
        DocumentKind::WorkItem => vec![
            Document::WorkItem(Box::new(item(
                TENANT,
                serial(1),
                reversed_after_settlement(),
            ))),
            Document::WorkItem(Box::new(item(
                TENANT,
                serial(2),
                Matter::SettledWithDifferences {
                    batch: BatchNo::FIRST,
                    differing: 5,
                },
            ))),
        ],
        DocumentKind::Partner
        | DocumentKind::VoucherTicket
        | DocumentKind::Activity
        | DocumentKind::Carton
        | DocumentKind::Change => crate::voucher::samples::of_kind(kind),
    }
}

pub fn place(terminal: i64, batch: u32, trace: u32) -> Place {
    Place::new(
        terminal,
        BatchNo::new(batch).unwrap(),
        TraceNo::new(trace).unwrap(),
    )
}

/// The event `n` in the first batch of terminal 3.
pub fn trans(n: i64) -> Trans {
    Trans {
        tenant: TENANT,
        serial: serial(n),
        place: Some(place(3, 1, u32::try_from(n).unwrap())),
        number: Some(TransNo::new(3, n)),
        kind: TransKind::Consume,
        state: TransState::Approved,
        store: None,
        store_account: 7,
        card: None,
        card_account: None,
        at: NOW,
        content: 1,
        register_trace: None,
        entry_mode: None,
        advertisement: String::new(),
        original: None,
        undoes: None,
        effect: Effect::default(),
        balance: Balance::default(),
        settlement: None,
    }
}

fn effect() -> Effect {
    let lot = |points, expires_at| LotUse {
        lot: LotKey {
            available_at: NOW,
            expires_at,
        },
        points: Points::new(points),
    };
    Effect {
        point_amount: Fen::new(1),
        points: vec![lot(2, None), lot(3, Some(NOW.plus_s(1)))],
        points_owed: Points::new(4),
        cash: Fen::new(5),
        earned: Points::new(6),
        earned_lot: Some(lot(0, None).lot),
        earned_owed: Points::new(7),
        supply_cash: Fen::new(8),
        tickets: vec![TicketUse {
            id: 9,
            kind: TicketKind::Voucher,
            name: "券".to_owned(),
            face: Fen::new(10),
            pieces: 11,
            expires_at: Some(NOW),
            code: None,
            written_off: false,
        }],
    }
}

/// The event `n` with everything that an event can have.
pub fn full_trans(n: i64) -> Trans {
    Trans {
        store: StoreNo::parse("S1"),
        card: CardNo::parse("00000001"),
        card_account: Some(serial(1)),
        content: u128::MAX - 1,
        register_trace: Some("收 1".to_owned()),
        entry_mode: Some("021".to_owned()),
        advertisement: "欢迎".to_owned(),
        original: Some(serial(1)),
        undoes: Some(TransKind::Refund),
        effect: effect(),
        balance: Balance {
            total: Points::new(-1),
            available: Points::new(1),
        },
        settlement: Some(Box::new(Settlement {
            host: totals(),
            terminal: Totals::default(),
            closed: true,
            lines: vec![Compared {
                kind: TransKind::Refund,
                trace: TraceNo::new(1).unwrap(),
                number: Some(TransNo::new(1, 2)),
                finding: Finding::Differs(vec![Difference {
                    figure: Figure::Cash,
                    host: 1,
                    terminal: -2,
                }]),
            }],
        })),
        ..trans(n)
    }
}

/// An event of every kind and state, some without a place, some without a number.
pub fn every_trans() -> Vec<Trans> {
    let kinds = [
        TransKind::Consume,
        TransKind::Cancel,
        TransKind::Refund,
        TransKind::RefundCancel,
        TransKind::TicketsConsume,
        TransKind::Activate,
        TransKind::Reversal,
        TransKind::Settle,
        TransKind::SettleDetails,
        TransKind::Expiry,
        TransKind::Opening,
    ];
    let states = [
        TransState::Approved,
        TransState::Declined(Refusal::DuplicateTrace),
        TransState::Reversed(serial(1)),
        TransState::GivenBack(serial(2)),
        TransState::Tombstone,
    ];
    (1..)
        .zip(kinds)
        .zip(states.into_iter().cycle())
        .map(|((n, kind), state)| {
            let like = if n % 2 == 0 { full_trans(n) } else { trans(n) };
            Trans {
                kind,
                state,
                place: like.place.filter(|_| kind != TransKind::Reversal),
                number: like.number.filter(|_| n % 3 > 0),
                ..like
            }
        })
        .collect()
}

/// A posting of points that `trans` earned.
pub fn earned(trans: &Trans) -> Posting {
    Posting {
        tenant: trans.tenant,
        subject: trans.serial,
        movement: Movement::PointsEarned,
        debit: Account::PointsGranted,
        credit: Account::PointsHeld(serial(1)),
        amount: 6,
        unit: Unit::Point,
        at: NOW,
    }
}
