//! Cards, terminals and events: a clean history.

mod planted;

use super::*;
use domain::loyalty::{
    card::{Balance, Card, CardNo, CardStatus, DayUse, Holder, Holding, Lot, TicketKind},
    document::{Document, DocumentKey},
    points::Points,
    postings::postings,
    rows::LoyaltyChanges,
    store::StoreNo,
    terminal::{Batch, BatchNo, Profile, Terminal, TerminalNo},
    totals::Totals,
    trans::{
        Effect, LotKey, LotUse, Place, Refusal, Settlement, TicketUse, TraceNo, Trans, TransKind,
        TransNo, TransState,
    },
    work_item::{Matter, WorkItem},
};

pub(crate) const INDEX: i64 = 3;
const VOUCHER: i64 = 7;

// Serials of the events of a history, in the order in which they happened.
const OPENING: i64 = 1_001;
const OTHER_OPENING: i64 = 1_002;
pub(crate) const BOUGHT: i64 = 1_011;
pub(crate) const CANCELLED: i64 = 1_012;
const CANCEL: i64 = 1_013;
pub(crate) const REVERSED: i64 = 1_014;
const REVERSAL: i64 = 1_015;
const REVERSED_LATER: i64 = 1_016;
const SETTLE: i64 = 1_017;
const LATE_REVERSAL: i64 = 1_018;
pub(crate) const DECLINED: i64 = 1_019;
const REFUND: i64 = 1_021;
const NOT_SETTLED: i64 = 1_022;
pub(crate) const TOMBSTONE: i64 = 1_023;
const TICKETS: i64 = 1_024;
const EXPIRY: i64 = 1_031;

fn account(card: i64) -> Serial {
    Serial(900 + card)
}

fn number(card: i64) -> CardNo {
    CardNo::parse(&format!("{card:08}")).unwrap()
}

/// An event on a card that no message made and that moved nothing.
fn event(serial: i64, kind: TransKind, card: i64) -> Trans {
    Trans {
        tenant: TENANT,
        serial: Serial(serial),
        place: None,
        number: None,
        kind,
        state: TransState::Approved,
        store: None,
        store_account: 1,
        card: Some(number(card)),
        card_account: Some(account(card)),
        at: NOW,
        content: 0,
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

/// The same, made by the message `trace` of a batch.
fn message(serial: i64, kind: TransKind, card: i64, batch: u32, trace: u32) -> Trans {
    let (batch, trace) = (BatchNo::new(batch).unwrap(), TraceNo::new(trace).unwrap());
    Trans {
        place: Some(Place::new(INDEX, batch, trace)),
        number: Some(TransNo::new(INDEX, serial)),
        ..event(serial, kind, card)
    }
}

fn points(points: i64) -> Vec<LotUse> {
    let lot = LotKey {
        available_at: NOW,
        expires_at: None,
    };
    vec![LotUse {
        lot,
        points: Points::new(points),
    }]
}

fn vouchers(pieces: i64) -> Vec<TicketUse> {
    vec![TicketUse {
        id: VOUCHER,
        kind: TicketKind::Voucher,
        name: "tea".to_owned(),
        face: Fen::new(500),
        pieces,
        expires_at: None,
        code: None,
        written_off: false,
    }]
}

fn bought(spent: i64, earned: i64, cash: i64, pieces: i64) -> Effect {
    Effect {
        point_amount: Fen::new(spent),
        points: points(spent),
        cash: Fen::new(cash),
        earned: Points::new(earned),
        tickets: if pieces > 0 { vouchers(pieces) } else { vec![] },
        ..Effect::default()
    }
}

fn undoing(by: Trans, of: &Trans) -> Trans {
    Trans {
        original: Some(of.serial),
        undoes: (by.kind == TransKind::Reversal).then_some(of.kind),
        effect: of.effect.clone(),
        ..by
    }
}

fn counting<'a>(trans: impl IntoIterator<Item = &'a Trans>) -> Totals {
    let mut totals = Totals::default();
    trans
        .into_iter()
        .for_each(|it| totals.count(it.kind, &it.effect, 1));
    totals
}

/// A batch that was closed: a purchase refunded later, one cancelled, one reversed, one reversed
/// after the close, and one declined.
fn closed_batch() -> Vec<Trans> {
    let consume = |serial, card, trace, state, effect| Trans {
        state,
        effect,
        ..message(serial, TransKind::Consume, card, 1, trace)
    };
    let by = Serial;
    let refunded = TransState::GivenBack(by(REFUND));
    let sale = consume(BOUGHT, 1, 1, refunded, bought(1_000, 50, 5_000, 0));
    let cancelled = TransState::GivenBack(by(CANCEL));
    let cancelled = consume(CANCELLED, 1, 2, cancelled, bought(200, 10, 0, 2));
    let cancel = message(CANCEL, TransKind::Cancel, 1, 1, 3);
    let cancel = undoing(cancel, &cancelled);
    let undone = TransState::Reversed(by(REVERSAL));
    let undone = consume(REVERSED, 1, 4, undone, bought(30, 0, 70, 1));
    let reversal = undoing(event(REVERSAL, TransKind::Reversal, 1), &undone);
    let later = TransState::Reversed(by(LATE_REVERSAL));
    let later = consume(REVERSED_LATER, 2, 5, later, bought(100, 0, 0, 0));
    let late_reversal = Trans {
        at: NOW.plus_s(20),
        ..undoing(event(LATE_REVERSAL, TransKind::Reversal, 2), &later)
    };
    let settle = Trans {
        card: None,
        card_account: None,
        at: NOW.plus_s(10),
        settlement: Some(Box::new(Settlement {
            host: counting([&sale, &cancelled, &cancel, &later]),
            terminal: Totals::default(),
            closed: true,
            lines: Vec::new(),
        })),
        ..message(SETTLE, TransKind::Settle, 1, 1, 6)
    };
    let declined = TransState::Declined(Refusal::TooFew);
    let declined = consume(DECLINED, 1, 7, declined, Effect::default());
    vec![
        sale,
        cancelled,
        cancel,
        undone,
        reversal,
        later,
        settle,
        late_reversal,
        declined,
    ]
}

/// A batch that is open, and its terminal.
fn open_batch(sale: &Trans) -> (Vec<Trans>, Terminal) {
    let refund = undoing(message(REFUND, TransKind::Refund, 1, 2, 1), sale);
    let not_settled = Trans {
        card: None,
        card_account: None,
        settlement: Some(Box::new(Settlement {
            host: counting([&refund]),
            terminal: Totals::default(),
            closed: false,
            lines: Vec::new(),
        })),
        ..message(NOT_SETTLED, TransKind::Settle, 1, 2, 2)
    };
    let tombstone = Trans {
        number: None,
        state: TransState::Tombstone,
        ..message(TOMBSTONE, TransKind::Consume, 1, 2, 3)
    };
    let tickets = Trans {
        effect: bought(0, 0, 0, 1),
        ..message(TICKETS, TransKind::TicketsConsume, 1, 2, 4)
    };
    let terminal = terminal(counting([&refund, &tickets]));
    (vec![refund, not_settled, tombstone, tickets], terminal)
}

pub(crate) fn terminal(totals: Totals) -> Terminal {
    let batch = Batch {
        number: BatchNo::new(2).unwrap(),
        opened_at: NOW,
        closed_at: None,
        totals,
        entries: 0,
    };
    Terminal {
        tenant: TENANT,
        store: StoreNo::parse("S1").unwrap(),
        number: TerminalNo::parse("T1").unwrap(),
        index: INDEX,
        blocked: false,
        profile: Profile::default(),
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: Some(batch),
        trans_count: 0,
        today: DayUse::default(),
        codes_sent_at: Vec::new(),
        updated_at: NOW,
    }
}

fn events() -> (Vec<Trans>, Terminal) {
    let opening = |serial, card, earned, tickets| Trans {
        effect: Effect {
            earned: Points::new(earned),
            tickets,
            ..Effect::default()
        },
        ..event(serial, TransKind::Opening, card)
    };
    let closed = closed_batch();
    let (open, terminal) = open_batch(&closed[0]);
    let expiry = Trans {
        effect: Effect {
            points: points(50),
            ..Effect::default()
        },
        ..event(EXPIRY, TransKind::Expiry, 2)
    };
    let openings = [
        opening(OPENING, 1, 10_000, vouchers(5)),
        opening(OTHER_OPENING, 2, 500, vec![]),
    ];
    let events = openings.into_iter().chain(closed).chain(open);
    (events.chain([expiry]).collect(), terminal)
}

pub(crate) fn card(n: i64, points: i64, pieces: i64) -> Card {
    let holding = Holding {
        id: VOUCHER,
        kind: TicketKind::Voucher,
        name: "tea".to_owned(),
        face: Fen::new(500),
        pieces,
        expires_at: None,
    };
    Card {
        tenant: TENANT,
        number: number(n),
        account: account(n),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: None,
        lots: vec![lot(points)],
        owed: Points::ZERO,
        tickets: (pieces != 0).then_some(holding).into_iter().collect(),
        today: DayUse::default(),
        codes: Vec::new(),
        spending: Vec::new(),
    }
}

fn lot(points: i64) -> Lot {
    Lot {
        points: Points::new(points),
        available_at: NOW,
        expires_at: None,
    }
}

fn item() -> WorkItem {
    WorkItem {
        tenant: TENANT,
        subject: Serial(REVERSED_LATER),
        at: NOW,
        terminal: INDEX,
        matter: Matter::ReversedAfterSettlement {
            batch: BatchNo::FIRST,
            number: TransNo::new(INDEX, REVERSED_LATER),
        },
        done: None,
    }
}

fn boxed_card(card: Card) -> Document {
    Document::Card(Box::new(card))
}

/// A store that holds an event of each kind, beside payments.
pub(crate) async fn history() -> Memory {
    let mut store = super::history().await;
    let (events, terminal) = events();
    let loyalty = LoyaltyChanges {
        documents_added: vec![
            boxed_card(card(1, 10_000, 4)),
            boxed_card(card(2, 450, 0)),
            Document::Terminal(Box::new(terminal)),
            Document::WorkItem(Box::new(item())),
        ],
        trans_added: events.iter().cloned().map(Into::into).collect(),
        ..LoyaltyChanges::default()
    };
    let changes = Changes {
        postings: events.iter().flat_map(postings).collect(),
        loyalty,
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
    store
}

fn stored(serial: i64) -> Trans {
    let (events, _) = events();
    let found = events.into_iter().find(|it| it.serial == Serial(serial));
    found.unwrap()
}

#[tokio::test]
async fn a_history_of_cards_is_clean_and_counted() {
    let report = report(&history().await).await;
    assert_eq!(report.violations, []);
    assert_eq!((report.counts.trans, report.counts.cards), (16, 2));
    let held = (TENANT, Unit::Point, Account::PointsHeld(account(1)));
    assert_eq!(report.balances[&held].net(), -10_000);
}

/// Serials are made before decisions, so the order of both may differ.
#[tokio::test]
async fn events_may_be_numbered_in_another_order_than_they_happened() {
    let mut store = super::history().await;
    let (events, terminal) = events();
    let swapped = |serial: Serial| Serial(3_000 - serial.0);
    let events: Vec<Trans> = events
        .into_iter()
        .map(|it| Trans {
            serial: swapped(it.serial),
            original: it.original.map(swapped),
            state: match it.state {
                TransState::Reversed(by) => TransState::Reversed(swapped(by)),
                TransState::GivenBack(by) => TransState::GivenBack(swapped(by)),
                TransState::Approved | TransState::Declined(_) | TransState::Tombstone => it.state,
            },
            ..it
        })
        .collect();
    let documents_added = vec![
        boxed_card(card(1, 10_000, 4)),
        boxed_card(card(2, 450, 0)),
        Document::Terminal(Box::new(terminal)),
    ];
    let changes = Changes {
        postings: events.iter().flat_map(postings).collect(),
        loyalty: LoyaltyChanges {
            documents_added,
            trans_added: events.into_iter().map(Into::into).collect(),
            ..LoyaltyChanges::default()
        },
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
    assert_eq!(report(&store).await.violations, []);
}
