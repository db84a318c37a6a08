//! The end of a batch: equal totals close it, others leave it open until the journal has been
//! compared.

use super::{
    fixture::{TENANT, TICKET, TILL, VOUCHER, approved, card_no, wanted, yuan},
    world::World,
};
use domain::{
    command::loyalty::{
        Answer, Consume, FinishWork, GiveBackKind, Missing, Settle, TicketsConsume,
    },
    ids::Serial,
    loyalty::{
        document::Document,
        terminal::BatchNo,
        totals::Totals,
        trans::TransNo,
        work_item::{Matter, WorkDone},
    },
    money::Fen,
};

/// One of everything: three purchases of which one is cancelled, one refunded, that refund undone,
/// and one reversed; tickets; a declined purchase.
fn busy() -> World {
    let mut world = World::new();
    let buy = |world: &mut World, trace| {
        let buy = Consume {
            point_amount: Fen::new(10),
            vouchers: wanted(VOUCHER, 1),
            ..world.buy(TILL, trace)
        };
        approved(world.ask(buy))
    };
    let first = buy(&mut world, 1);
    let second = buy(&mut world, 2);
    let cancel = world.give_back(GiveBackKind::Cancel, TILL, 3, &first);
    approved(world.ask(cancel));
    let refund = world.give_back(GiveBackKind::Refund, TILL, 4, &second);
    let refund = approved(world.ask(refund));
    let undo = world.give_back(GiveBackKind::RefundCancel, TILL, 5, &refund);
    approved(world.ask(undo));
    let third = super::ask::Ask::from(world.buy(TILL, 6));
    approved(world.ask(third.clone()));
    let reversal = world.reversal(&third);
    world.ask(reversal);
    let tickets = TicketsConsume {
        tickets: wanted(TICKET, 2),
        ..world.use_ticket(TILL, 7)
    };
    approved(world.ask(tickets));
    let declined = Consume {
        card: card_no(8),
        ..world.buy(TILL, 8)
    };
    world.ask(declined);
    world
}

/// Worked out by hand from the field table.
fn busy_totals() -> Totals {
    Totals {
        point_debit_count: 3,
        point_debit_amount: Fen::new(30),
        point_credit_count: 2,
        point_credit_amount: Fen::new(20),
        ticket_debit_count: 5,
        ticket_debit_amount: yuan(25),
        ticket_credit_count: 2,
        ticket_credit_amount: yuan(10),
        trans_count: 6,
        cancel_count: 1,
        refund_count: 1,
        card_active_count: 0,
    }
}

#[test]
fn totals_count_what_was_approved_and_not_reversed() {
    assert_eq!(busy().totals(TILL), busy_totals());
}

#[test]
fn equal_totals_close_the_batch() {
    let mut world = busy();
    let settle = Settle {
        totals: busy_totals(),
        ..world.settlement(TILL, 20)
    };
    let settled = approved(world.ask(settle)).settlement.unwrap();
    assert!(settled.closed);
    assert_eq!(settled.host, settled.terminal);
    assert!(world.terminal(TILL).open_batch().is_none());
    assert_eq!(world.check_in(TILL).unwrap().batch, BatchNo::FIRST.next());
    assert_eq!(world.totals(TILL), Totals::default());
    assert!(world.work_items().is_empty());
}

#[test]
fn each_unequal_total_leaves_the_batch_open() {
    let changes: [fn(&mut Totals); 12] = [
        |it| it.point_debit_count += 1,
        |it| it.point_debit_amount = Fen::ZERO,
        |it| it.point_credit_count += 1,
        |it| it.point_credit_amount = Fen::ZERO,
        |it| it.ticket_debit_count += 1,
        |it| it.ticket_debit_amount = Fen::ZERO,
        |it| it.ticket_credit_count += 1,
        |it| it.ticket_credit_amount = Fen::ZERO,
        |it| it.trans_count += 1,
        |it| it.cancel_count += 1,
        |it| it.refund_count += 1,
        |it| it.card_active_count += 1,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut world = busy();
        let mut settle = world.settlement(TILL, 20);
        change(&mut settle.totals);
        let totals = settle.totals;
        let settled = approved(world.ask(settle)).settlement.unwrap();
        assert!(!settled.closed, "total {at}");
        assert_eq!((settled.host, settled.terminal), (busy_totals(), totals));
        let buy = world.buy(TILL, 21);
        approved(world.ask(buy));
        let right = world.settlement(TILL, 22);
        assert!(approved(world.ask(right)).settlement.unwrap().closed);
    }
}

#[test]
fn details_close_the_batch_and_tell_the_operator_what_differs() {
    for differing in [0, 3] {
        let mut world = busy();
        let details = world.details(TILL, 20, differing);
        let settled = approved(world.ask(details)).settlement.unwrap();
        assert!(settled.closed);
        assert_eq!(settled.host, busy_totals());
        assert!(world.terminal(TILL).open_batch().is_none());
        let matters: Vec<_> = world
            .work_items()
            .iter()
            .map(|it| it.matter.clone())
            .collect();
        let batch = BatchNo::FIRST;
        let expected = Matter::SettledWithDifferences { batch, differing };
        let expected: Vec<_> = (differing > 0).then_some(expected).into_iter().collect();
        assert_eq!(matters, expected);
    }
}

/// What was compared is on record: a repetition is answered by it, not by what is found now.
#[test]
fn repeated_details_get_the_lines_that_were_found_first() {
    let mut world = busy();
    let details = world.details(TILL, 20, 2);
    let first = approved(world.ask(details.clone()));
    assert_eq!(first.settlement.as_ref().unwrap().lines, details.lines);
    world.later(5);
    let mut again = world.details(TILL, 20, 2);
    again.lines.clear();
    again.message.content = first.content;
    assert_eq!(approved(world.run(&again)), first);
    assert_eq!(world.work_items().len(), 1);
}

/// Whoever takes an item off the list first is who did it.
#[test]
fn an_item_is_done_once() {
    let mut world = busy();
    let details = world.details(TILL, 20, 1);
    let settled = approved(world.ask(details));
    let finish = |by: &str, subject| FinishWork {
        tenant: TENANT,
        subject,
        by: by.to_owned(),
        note: "counted again".to_owned(),
    };
    let done = world.run(&finish("Li", settled.serial)).unwrap().done;
    let expected = WorkDone {
        by: "Li".to_owned(),
        at: world.now,
        note: "counted again".to_owned(),
    };
    assert_eq!(done.as_ref(), Some(&expected));
    world.later(5);
    assert_eq!(
        world.run(&finish("Wang", settled.serial)).unwrap().done,
        done
    );
    assert_eq!(world.run(&finish("Li", Serial(1))), None);
    assert_eq!(world.work_items().len(), 1, "it stays, for the history");
}

/// Whatever moves in the batch between the comparison and its record is compared again.
#[test]
fn details_of_a_batch_that_moved_are_compared_again() {
    let moves: [fn(&mut World); 4] = [
        |world| {
            let buy = world.buy(TILL, 21);
            approved(world.ask(buy));
        },
        |world| {
            let declined = Consume {
                card: card_no(8),
                ..world.buy(TILL, 21)
            };
            world.ask(declined);
        },
        |world| {
            let mut original = super::ask::Ask::from(world.buy(TILL, 2));
            if let super::ask::Ask::Consume(it) = &mut original {
                it.point_amount = Fen::new(10);
            }
            let reversal = world.reversal(&original);
            assert!(matches!(world.ask(reversal), Answer::Done(_)));
        },
        |world| {
            let mut unequal = world.settlement(TILL, 21);
            unequal.totals.trans_count += 1;
            approved(world.ask(unequal));
        },
    ];
    for (at, make) in moves.into_iter().enumerate() {
        let mut world = busy();
        let details = world.details(TILL, 20, 1);
        make(&mut world);
        assert_eq!(world.ask(details), Answer::Again(Missing::Batch), "{at}");
        assert!(world.terminal(TILL).open_batch().is_some());
        assert!(world.work_items().is_empty());
        let details = world.details(TILL, 20, 1);
        assert!(approved(world.ask(details)).settlement.unwrap().closed);
    }
}

#[test]
fn a_terminal_without_numbers_settles() {
    let mut world = busy();
    let mut terminal = world.terminal(TILL).clone();
    terminal.trans_count = TransNo::PER_TERMINAL - 2;
    let document = Document::Terminal(Box::new(terminal));
    world.documents.insert(document.key(), document);
    let buy = world.buy(TILL, 20);
    let last = approved(world.ask(buy)).number.unwrap();
    assert_eq!(last.to_string(), "000019999999");
    for trace in [21, 22] {
        let mut unequal = world.settlement(TILL, trace);
        unequal.totals.trans_count += 1;
        assert_eq!(approved(world.ask(unequal)).number, None);
    }
    world.next_batch(TILL, 23);
}
