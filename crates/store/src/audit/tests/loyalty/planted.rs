//! Each rule of cards, terminals and events finds what breaks it.

use super::*;

fn loyalty(loyalty: LoyaltyChanges) -> Changes {
    Changes {
        loyalty,
        ..Changes::default()
    }
}

fn put<const N: usize>(trans: [Trans; N]) -> Changes {
    loyalty(LoyaltyChanges {
        trans: trans.into_iter().map(Into::into).collect(),
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

/// Clocks of two gateways differ, and go back: a work item and the time each may tell alone that a
/// transaction was reversed after its batch was closed.
#[tokio::test]
async fn a_late_reversal_is_known_by_its_work_item_or_by_its_time() {
    let before = put([changed(LATE_REVERSAL, |it| it.at = NOW)]);
    assert_eq!(broken_by(before).await, []);
    let without_item = remove_document(DocumentKey::work_item(TENANT, Serial(REVERSED_LATER)));
    assert_eq!(broken_by(without_item).await, []);
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
        trans_added: vec![event(PAID, TransKind::Opening, 1).into()],
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
        loyalty(LoyaltyChanges { trans_added: vec![undone.into(), cancel.into()], ..LoyaltyChanges::default() })
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
        let opening = event(2_001, TransKind::Opening, 1);
        let astray = Trans { place: Some(place), ..opening };
        loyalty(LoyaltyChanges { trans_added: vec![astray.into()], ..LoyaltyChanges::default() })
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
        loyalty(LoyaltyChanges { trans_added: vec![again.into()], ..LoyaltyChanges::default() })
    } => [Settlement];
}
