//! Batches, working keys and wrong MACs.

use super::{
    fixture::{NEXT_TILL, NOON, TENANT, TILL, Till, approved, refused},
    world::World,
};
use domain::{
    command::loyalty::{Answer, Missing, NoteMac, TerminalChange},
    loyalty::{
        document::Document,
        sealed::Sealed,
        terminal::{BatchNo, KeyGeneration, MAC_FAILURES_MAX, MasterKey},
        trans::Refusal,
    },
};

/// A purchase under these keys.
fn under(world: &mut World, trace: u32, generation: i64) -> Answer {
    let mut buy = world.buy(TILL, trace);
    buy.message.under = Some(KeyGeneration(generation));
    world.ask(buy)
}

fn is_under_wrong_keys(answer: &Answer) -> bool {
    refused(answer) == Some((Refusal::MacWrong, false))
}

fn mac(world: &mut World, till: Till, right: Option<i64>) {
    world.run(&NoteMac {
        tenant: TENANT,
        store: till.store_no(),
        terminal: till.number(),
        right: right.map(KeyGeneration),
    });
}

/// With a MAC or without.
fn assert_has_to_check_in(world: &mut World) {
    let mut plain = world.buy(TILL, 9);
    let mut with_mac = plain.clone();
    with_mac.message.under = Some(KeyGeneration(1));
    plain.message.names_batch = false;
    for buy in [plain, with_mac] {
        let answer = world.ask(buy);
        assert_eq!(refused(&answer), Some((Refusal::NotCheckedIn, false)));
    }
}

#[test]
fn nothing_is_done_before_the_first_check_in() {
    let mut world = World::closed();
    for names_batch in [true, false] {
        let mut buy = world.buy(TILL, 1);
        buy.message.names_batch = names_batch;
        let answer = world.ask(buy);
        assert_eq!(refused(&answer), Some((Refusal::NotCheckedIn, false)));
    }
    assert_eq!(world.check_in(TILL).unwrap().batch, BatchNo::FIRST);
    let buy = world.buy(TILL, 1);
    approved(world.ask(buy));
}

#[test]
fn a_check_in_inside_a_batch_keeps_it_and_after_a_settlement_opens_the_next() {
    let mut world = World::new();
    let first = world.batch_no(TILL);
    assert_eq!(world.check_in(TILL).unwrap().batch, first);
    let settlement = world.settlement(TILL, 1);
    approved(world.ask(settlement));
    let buy = world.buy(TILL, 2);
    let answer = world.ask(buy);
    assert_eq!(refused(&answer), Some((Refusal::NotCheckedIn, false)));
    assert_eq!(world.check_in(TILL).unwrap().batch, first.next());
    assert_eq!(world.batch_no(NEXT_TILL), BatchNo::FIRST);
}

#[test]
fn batches_begin_again_after_the_last_number() {
    let mut world = World::new();
    let mut terminal = world.terminal(TILL).clone();
    let batch = terminal.batch.as_mut().unwrap();
    batch.number = BatchNo::new(999_999).unwrap();
    let document = Document::Terminal(Box::new(terminal));
    world.documents.insert(document.key(), document);
    world.next_batch(TILL, 1);
    assert_eq!(world.batch_no(TILL), BatchNo::FIRST);
}

#[test]
fn a_message_without_a_batch_number_means_the_open_one() {
    let mut world = World::new();
    let mut stale = world.buy(TILL, 2);
    world.next_batch(TILL, 1);
    stale.message.names_batch = false;
    assert_eq!(world.ask(stale), Answer::Again(Missing::Batch));
    let mut fresh = world.buy(TILL, 2);
    fresh.message.names_batch = false;
    approved(world.ask(fresh));
}

#[test]
fn another_batch_than_the_open_one_is_refused() {
    let mut world = World::new();
    world.next_batch(TILL, 1);
    let open = world.batch_no(TILL);
    for batch in [open.previous(), open.next()] {
        let mut buy = world.buy(TILL, 2);
        buy.message.batch = batch;
        let answer = world.ask(buy);
        assert_eq!(refused(&answer), Some((Refusal::NotCheckedIn, false)));
    }
}

#[test]
fn the_keys_before_last_until_a_message_under_the_new_ones() {
    let mut world = World::new();
    approved(under(&mut world, 1, 1));
    assert_eq!(world.check_in(TILL).unwrap().generation, KeyGeneration(2));
    approved(under(&mut world, 2, 1));
    approved(under(&mut world, 3, 2));
    assert!(is_under_wrong_keys(&under(&mut world, 4, 1)));
    assert!(is_under_wrong_keys(&under(&mut world, 4, 3)));
    approved(under(&mut world, 4, 2));
}

/// It may have heard neither answer.
#[test]
fn the_keys_that_worked_last_through_two_check_ins() {
    let mut world = World::new();
    approved(under(&mut world, 1, 1));
    world.check_in(TILL).unwrap();
    world.check_in(TILL).unwrap();
    approved(under(&mut world, 2, 1));
    approved(under(&mut world, 3, 3));
    assert!(is_under_wrong_keys(&under(&mut world, 4, 1)));
}

#[test]
fn wrong_macs_in_a_row_need_a_new_check_in() {
    let mut world = World::new();
    for _ in 1..MAC_FAILURES_MAX {
        mac(&mut world, TILL, None);
    }
    approved(under(&mut world, 1, 1));
    assert_eq!(world.terminal(TILL).mac_failures, 0, "no more in a row");
    for _ in 1..MAC_FAILURES_MAX {
        mac(&mut world, TILL, None);
    }
    mac(&mut world, TILL, Some(1));
    for _ in 0..MAC_FAILURES_MAX {
        assert!(world.terminal(TILL).keys.is_some());
        mac(&mut world, TILL, None);
    }
    assert!(world.terminal(TILL).keys.is_none());
    assert_has_to_check_in(&mut world);
    let generation = world.check_in(TILL).unwrap().generation;
    assert_eq!(generation, KeyGeneration(2));
    assert_eq!(world.terminal(TILL).mac_failures, 0);
    assert!(is_under_wrong_keys(&under(&mut world, 2, 1)));
    approved(under(&mut world, 2, 2));
    let unknown = Till { store: 1, index: 9 };
    mac(&mut world, unknown, None);
}

#[test]
fn a_new_master_key_needs_a_new_check_in() {
    let mut world = World::new();
    let key = MasterKey {
        key: Sealed("sealed".to_owned()),
        check: "00000000".to_owned(),
        at: NOON,
    };
    world.set_terminal(TILL, TerminalChange::MasterKey(key));
    assert_has_to_check_in(&mut world);
    world.check_in(TILL).unwrap();
    approved(under(&mut world, 1, 2));
}
