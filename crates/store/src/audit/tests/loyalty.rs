//! Cards, terminals and events: a clean history, and what breaks each rule.

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

fn terminal(totals: Totals) -> Terminal {
    let batch = Batch {
        number: BatchNo::new(2).unwrap(),
        opened_at: NOW,
        closed_at: None,
        totals,
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

fn card(n: i64, points: i64, pieces: i64) -> Card {
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
        holder: Holder::default(),
        grade: 0,
        pin: None,
        lots: vec![lot(points)],
        owed: Points::ZERO,
        tickets: (pieces != 0).then_some(holding).into_iter().collect(),
        today: DayUse::default(),
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
        trans_added: events.clone(),
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

fn loyalty(loyalty: LoyaltyChanges) -> Changes {
    Changes {
        loyalty,
        ..Changes::default()
    }
}

fn put<const N: usize>(trans: [Trans; N]) -> Changes {
    loyalty(LoyaltyChanges {
        trans: trans.into(),
        ..LoyaltyChanges::default()
    })
}

fn changed(serial: i64, change: impl FnOnce(&mut Trans)) -> Trans {
    let mut trans = stored(serial);
    change(&mut trans);
    trans
}

fn put_document(document: Document) -> Changes {
    loyalty(LoyaltyChanges {
        documents: vec![document],
        ..LoyaltyChanges::default()
    })
}

fn add_document(document: Document) -> Changes {
    loyalty(LoyaltyChanges {
        documents_added: vec![document],
        ..LoyaltyChanges::default()
    })
}

fn remove_document(key: DocumentKey) -> Changes {
    loyalty(LoyaltyChanges {
        documents_removed: vec![key],
        ..LoyaltyChanges::default()
    })
}

fn put_terminal(change: impl FnOnce(&mut Batch)) -> Changes {
    let (_, mut terminal) = events();
    change(terminal.batch.as_mut().unwrap());
    put_document(Document::Terminal(Box::new(terminal)))
}

fn cash_posting(subject: i64) -> Posting {
    Posting {
        tenant: TENANT,
        subject: Serial(subject),
        movement: Movement::Cash,
        debit: Account::CashTakings(1),
        credit: Account::CashSales(1),
        amount: 1,
        unit: Unit::Fen,
        at: NOW,
    }
}

fn post(posting: Posting) -> Changes {
    Changes {
        postings: vec![posting],
        ..Changes::default()
    }
}

fn both(mut one: Changes, other: Changes) -> Changes {
    one.loyalty.trans.extend(other.loyalty.trans);
    one
}

/// The rules that are broken once `changes` are written over a clean history.
async fn broken_by(changes: Changes) -> Vec<Rule> {
    let mut store = history().await;
    store.commit(changes).await.unwrap();
    let report = report(&store).await;
    let mut rules: Vec<Rule> = report.violations.iter().map(|it| it.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[tokio::test]
async fn a_history_of_cards_is_clean_and_counted() {
    let report = report(&history().await).await;
    assert_eq!(report.violations, []);
    assert_eq!((report.counts.trans, report.counts.cards), (16, 2));
    let held = (TENANT, Unit::Point, Account::PointsHeld(account(1)));
    assert_eq!(report.balances[&held].net(), -10_000);
}

/// Clocks of two gateways differ, and go back: a work item and the time each may tell alone that a
/// transaction was reversed after its batch was closed.
#[tokio::test]
async fn a_late_reversal_is_known_by_its_work_item_or_by_its_time() {
    let before = put([changed(LATE_REVERSAL, |it| it.at = NOW)]);
    assert_eq!(broken_by(before).await, []);
    let without_item = remove_document(DocumentKey::work_item(TENANT, Serial(REVERSED_LATER)));
    assert_eq!(broken_by(without_item).await, []);
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
            trans_added: events,
            ..LoyaltyChanges::default()
        },
        ..Changes::default()
    };
    store.commit(changes).await.unwrap();
    assert_eq!(report(&store).await.violations, []);
}

/// One test: the expression doctors a clean history, and exactly these rules are broken.
macro_rules! planted {
    ($($name:ident: $changes:expr => [$($rule:ident),+];)+) => { $(
        #[tokio::test]
        async fn $name() {
            assert_eq!(broken_by($changes).await, [$(Rule::$rule),+]);
        }
    )+ };
}

planted! {
    a_posting_of_another_amount_than_the_event: {
        put([changed(EXPIRY, |it| it.effect.points = points(60))])
    } => [TransPosting];
    a_posting_at_another_store: {
        put([changed(BOUGHT, |it| it.store_account = 2)])
    } => [TransPosting];
    a_posting_of_a_refused_event: post(cash_posting(DECLINED)) => [TransPosting];
    a_posting_of_an_event_that_makes_none: post(cash_posting(NOT_SETTLED)) => [TransPosting];
    a_posting_of_no_event: post(cash_posting(9_999)) => [PostingSubject];
    a_posting_of_an_event_on_a_payment: post(cash_posting(PAID)) => [PostingSubject];
    a_posting_of_a_payment_on_an_event: {
        post(Posting { movement: Movement::Recharge, ..cash_posting(DECLINED) })
    } => [PostingSubject];
    a_posting_of_another_tenants_event: {
        post(Posting { tenant: TenantId(2), ..cash_posting(DECLINED) })
    } => [TransPosting, PostingSubject];

    a_number_shared_with_a_payment: loyalty(LoyaltyChanges {
        trans_added: vec![event(PAID, TransKind::Adjustment, 1)],
        ..LoyaltyChanges::default()
    }) => [OneSubject];

    an_amount_below_zero: {
        put([changed(NOT_SETTLED, |it| it.effect.cash = Fen::new(-1))])
    } => [TransAmounts];
    an_amount_of_a_refused_event: {
        put([changed(DECLINED, |it| it.effect.cash = Fen::new(1))])
    } => [TransAmounts];
    amounts_that_cannot_be_added: {
        let two = [vouchers(i64::MAX), vouchers(i64::MAX)].concat();
        put([changed(DECLINED, |it| it.effect.tickets = two)])
    } => [TransAmounts];

    undone_by_nothing_stored: {
        put([changed(REVERSED, |it| it.state = TransState::Reversed(Serial(9_999)))])
    } => [TransLink];
    undone_by_what_undid_another: {
        put([changed(REVERSAL, |it| it.original = Some(Serial(BOUGHT)))])
    } => [TransLink];
    two_undone_by_the_same: {
        put([changed(CANCELLED, |it| it.state = TransState::GivenBack(Serial(REFUND)))])
    } => [TransLink];
    undone_by_what_was_refused: both(
        put([changed(CANCELLED, |it| it.state = TransState::GivenBack(Serial(DECLINED)))]),
        put([changed(DECLINED, |it| it.original = Some(Serial(CANCELLED)))]),
    ) => [TransLink];
    undone_on_another_card: {
        let twin = |serial, card| Trans { card_account: Some(account(card)),
            ..event(serial, TransKind::Settle, card) };
        let undone = Trans { state: TransState::GivenBack(Serial(2_002)), ..twin(2_001, 1) };
        let cancel = Trans { kind: TransKind::Cancel, original: Some(Serial(2_001)),
            ..twin(2_002, 2) };
        loyalty(LoyaltyChanges { trans_added: vec![undone, cancel], ..LoyaltyChanges::default() })
    } => [TransLink];
    given_back_by_a_reversal: {
        put([changed(REVERSED, |it| it.state = TransState::GivenBack(Serial(REVERSAL)))])
    } => [TransLink, Settlement];

    more_points_than_the_ledger_has: put_document(boxed_card(card(1, 10_001, 4))) => [CardPoints];
    points_owed_that_the_ledger_does_not_know: {
        put_document(boxed_card(Card { owed: Points::new(1), ..card(2, 450, 0) }))
    } => [CardPoints];
    a_lot_below_zero: {
        put_document(boxed_card(Card { lots: vec![lot(451), lot(-1)], ..card(2, 450, 0) }))
    } => [CardPoints];
    lots_that_overflow: {
        let lots = vec![lot(i64::MAX), lot(i64::MAX), lot(452)];
        put_document(boxed_card(Card { lots, ..card(2, 450, 0) }))
    } => [CardPoints];
    two_cards_of_one_account: {
        let twin = Card { account: account(1), ..card(3, 10_000, 0) };
        add_document(boxed_card(twin))
    } => [CardAccount];
    an_account_of_no_card: {
        remove_document(DocumentKey::card(TENANT, &number(2)))
    } => [CardAccount];
    more_tickets_than_the_ledger_has: {
        put_document(boxed_card(card(1, 10_000, 5)))
    } => [TicketPieces];
    tickets_that_the_ledger_does_not_know: {
        let mut other = card(2, 450, 1);
        other.tickets[0].id = 8;
        put_document(boxed_card(other))
    } => [TicketPieces];
    tickets_that_are_gone: put_document(boxed_card(card(1, 10_000, 0))) => [TicketPieces];

    totals_that_count_one_too_many: {
        put_terminal(|batch| batch.totals.trans_count += 1)
    } => [BatchTotals];
    totals_of_another_amount: {
        put_terminal(|batch| batch.totals.ticket_debit_amount = Fen::new(499))
    } => [BatchTotals];
    totals_that_count_what_was_reversed: {
        put([changed(TICKETS, |it| it.state = TransState::Reversed(Serial(9_998)))])
    } => [TransLink, BatchTotals];
    a_batch_of_no_terminal: {
        let (_, terminal) = events();
        remove_document(DocumentKey::terminal(TENANT, &terminal.store, &terminal.number))
    } => [BatchTotals];
    a_batch_that_is_closed_and_open: put([changed(NOT_SETTLED, |it| {
        it.settlement.as_mut().unwrap().closed = true;
    })]) => [BatchTotals];
    a_batch_that_was_closed_and_whose_terminal_forgot_it: {
        put_terminal(|batch| batch.number = BatchNo::new(3).unwrap())
    } => [BatchTotals];
    a_place_in_no_batch: {
        let place = Place::from_stored(INDEX * 1_000_000_000_000 + 5);
        let adjustment = event(2_001, TransKind::Adjustment, 1);
        let astray = Trans { place: Some(place), ..adjustment };
        loyalty(LoyaltyChanges { trans_added: vec![astray], ..LoyaltyChanges::default() })
    } => [BatchTotals];

    a_settlement_of_other_totals: put([changed(SETTLE, |it| {
        it.settlement.as_mut().unwrap().host.refund_count += 1;
    })]) => [Settlement];
    a_transaction_that_its_settlement_did_not_count: {
        put([changed(DECLINED, |it| it.state = TransState::Approved)])
    } => [BatchTotals];
    a_reversal_before_the_close_that_its_settlement_did_not_see: {
        let item = DocumentKey::work_item(TENANT, Serial(REVERSED_LATER));
        both(remove_document(item), put([changed(LATE_REVERSAL, |it| it.at = NOW)]))
    } => [Settlement];
    two_settlements_of_one_batch: {
        let again = Trans { settlement: stored(SETTLE).settlement,
            ..message(2_001, TransKind::SettleDetails, 1, 1, 9) };
        loyalty(LoyaltyChanges { trans_added: vec![again], ..LoyaltyChanges::default() })
    } => [Settlement];
}
