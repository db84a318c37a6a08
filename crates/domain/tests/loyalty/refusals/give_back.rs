//! Cancels, refunds, and refunds that are undone.

use super::{Flaw, check, flaw, no_numbers_left, with_rules};
use crate::{
    ask::Ask,
    fixture::{FAR_TILL, NEXT_TILL, TILL, Till, ZONE, approved, card_no, refused, yuan},
    world::World,
};
use domain::{
    command::loyalty::{Answer, Consume, GiveBack, GiveBackKind, Original, Reverse},
    loyalty::{
        program::Rules,
        trans::{Refusal, Trans, TransKind, TransNo, TransState},
    },
    money::Fen,
};
use std::sync::Arc;

/// Card 2 bought something at `till`; trace 1.
fn bought(till: Till) -> (World, Trans) {
    let mut world = World::new();
    let buy = Consume {
        point_amount: Fen::new(50),
        register_trace: Some("R1".to_owned()),
        ..world.buy(till, 1)
    };
    let bought = approved(world.ask(buy));
    (world, bought)
}

fn cancel() -> (World, GiveBack) {
    let (mut world, bought) = bought(TILL);
    let cancel = world.give_back(GiveBackKind::Cancel, TILL, 2, &bought);
    (world, cancel)
}

fn refund() -> (World, GiveBack) {
    let (mut world, bought) = bought(NEXT_TILL);
    let refund = world.give_back(GiveBackKind::Refund, TILL, 2, &bought);
    (world, refund)
}

pub fn refund_cancel() -> (World, GiveBack) {
    let (mut world, bought) = bought(TILL);
    let refund = world.give_back(GiveBackKind::Refund, TILL, 2, &bought);
    let refund = approved(world.ask(refund));
    let undo = world.give_back(GiveBackKind::RefundCancel, TILL, 3, &refund);
    (world, undo)
}

fn reverse_number_one(world: &mut World, till: Till) {
    let reverse = Reverse {
        message: world.message(till, 1),
        reverses: TransKind::Consume,
        card: card_no(2),
        amounts: None,
        is_explicit: true,
        needs: vec![],
        rules: Arc::new(Rules::default()),
    };
    assert!(matches!(world.ask(reverse), Answer::Done(_)));
}

/// What is wrong with any of them.
const GIVE_BACK: &[Flaw<GiveBack>] = &[
    flaw(
        "no numbers left",
        Refusal::TooMany,
        &["numbers"],
        |world, _| no_numbers_left(world),
    ),
    flaw(
        "a card nobody has",
        Refusal::UnknownCard,
        &["card", "reversed"],
        |_, it: &mut GiveBack| {
            it.card = card_no(8);
        },
    ),
    flaw(
        "another card",
        Refusal::UnknownCard,
        // What the message says wrongly of the original hides it, and with it its card.
        &["card", "original", "reversed", "place", "day", "receipt"],
        |_, it: &mut GiveBack| {
            it.card = card_no(1);
        },
    ),
    flaw(
        "it is not named",
        Refusal::OriginalMissing,
        &["original"],
        |_, it: &mut GiveBack| {
            it.original = Original::default();
        },
    ),
    flaw(
        "no such number",
        Refusal::OriginalMissing,
        &["original"],
        |_, it: &mut GiveBack| {
            it.original.number = Some(TransNo::new(1, 999));
        },
    ),
    flaw(
        "another trace",
        Refusal::OriginalMissing,
        &["place"],
        |world, it: &mut GiveBack| {
            it.original.place = Some(world.place(TILL, 500));
        },
    ),
    flaw(
        "another day",
        Refusal::OriginalMissing,
        &["day"],
        |_, it: &mut GiveBack| {
            it.original.day = Some(1);
        },
    ),
    flaw(
        "another receipt",
        Refusal::OriginalMissing,
        &["receipt"],
        |_, it: &mut GiveBack| {
            it.original.register_trace = Some("R2".to_owned());
        },
    ),
];

const CANCEL: &[Flaw<GiveBack>] = &[
    flaw(
        "of another terminal",
        Refusal::OriginalMissing,
        &["terminal", "batch", "keys", "numbers", "original"],
        |world, it: &mut GiveBack| {
            it.message = world.message(NEXT_TILL, 2);
        },
    ),
    flaw(
        "it was reversed",
        Refusal::OriginalMissing,
        &["terminal", "original", "reversed"],
        |world, _| {
            reverse_number_one(world, TILL);
        },
    ),
    flaw(
        "its batch is settled",
        Refusal::NotAllowed,
        &["terminal", "batch", "numbers"],
        |world, it: &mut GiveBack| {
            world.next_batch(TILL, 900);
            it.message.batch = world.batch_no(TILL);
        },
    ),
    flaw(
        "it is cancelled already",
        Refusal::InConflict,
        &["terminal", "batch", "numbers", "original"],
        |world, _| {
            let bought = world
                .trans
                .values()
                .find(|it| it.kind == TransKind::Consume)
                .cloned();
            let cancel = world.give_back(GiveBackKind::Cancel, TILL, 9, &bought.unwrap());
            approved(world.ask(cancel));
        },
    ),
];

#[test]
fn a_cancel_is_refused_by_the_first_of_its_flaws() {
    check(cancel, &[GIVE_BACK, CANCEL]);
}

fn spend_all(world: &mut World) {
    let available = world.available(&card_no(2));
    let all = Consume {
        point_amount: Fen::new(available / 100),
        cash: Fen::new(1),
        ..world.buy(NEXT_TILL, 40)
    };
    approved(world.ask(all));
}

const REFUND: &[Flaw<GiveBack>] = &[
    flaw(
        "of another store",
        Refusal::OriginalMissing,
        &["terminal", "batch", "keys", "numbers", "original"],
        |world, it: &mut GiveBack| {
            it.message = world.message(FAR_TILL, 2);
        },
    ),
    flaw(
        "it was reversed",
        Refusal::OriginalMissing,
        &["terminal", "original", "reversed"],
        |world, _| {
            reverse_number_one(world, NEXT_TILL);
        },
    ),
    flaw(
        "it is refunded already",
        Refusal::InConflict,
        &["original"],
        |world, _| {
            let bought = world
                .trans
                .values()
                .find(|it| it.kind == TransKind::Consume)
                .cloned();
            let refund = world.give_back(GiveBackKind::Refund, NEXT_TILL, 9, &bought.unwrap());
            approved(world.ask(refund));
        },
    ),
];

#[test]
fn a_refund_is_refused_by_the_first_of_its_flaws() {
    check(refund, &[GIVE_BACK, REFUND]);
}

const REFUND_CANCEL: &[Flaw<GiveBack>] = &[
    flaw(
        "its batch is settled",
        Refusal::NotAllowed,
        &["terminal", "batch", "numbers"],
        |world, it: &mut GiveBack| {
            world.next_batch(TILL, 900);
            it.message.batch = world.batch_no(TILL);
        },
    ),
    flaw(
        "it is undone already",
        Refusal::InConflict,
        &["terminal", "batch", "numbers", "original"],
        |world, _| {
            let refund = world
                .trans
                .values()
                .find(|it| it.kind == TransKind::Refund)
                .cloned();
            let undo = world.give_back(GiveBackKind::RefundCancel, TILL, 9, &refund.unwrap());
            approved(world.ask(undo));
        },
    ),
    flaw(
        "its points are spent",
        Refusal::TooFew,
        &["original"],
        |world, _| {
            spend_all(world);
        },
    ),
];

#[test]
fn an_undone_refund_is_refused_by_the_first_of_its_flaws() {
    check(refund_cancel, &[GIVE_BACK, REFUND_CANCEL]);
}

/// Kinds that cannot be given back are not allowed; what never stood is not there.
#[test]
fn only_purchases_that_stand_go_back() {
    let mut world = World::new();
    let used = world.use_ticket(TILL, 1);
    let used = approved(world.ask(used));
    let declined = Consume {
        point_amount: yuan(5),
        ..world.buy(TILL, 2)
    };
    let declined = world.ask(declined);
    assert_eq!(refused(&declined), Some((Refusal::TooFew, true)));
    let lost = Ask::from(world.buy(TILL, 3));
    let tombstone = world.reversal(&lost);
    world.ask(tombstone);
    for (trace, refusal) in [
        (1, Refusal::NotAllowed),
        (2, Refusal::NotAllowed),
        (3, Refusal::OriginalMissing),
        (4, Refusal::OriginalMissing),
    ] {
        for kind in [GiveBackKind::Cancel, GiveBackKind::Refund] {
            let place = Some(world.place(TILL, trace));
            let trace = 10 + trace * 2 + u32::from(kind == GiveBackKind::Cancel);
            let give_back = GiveBack {
                original: Original {
                    place,
                    ..Original::default()
                },
                ..world.give_back(kind, TILL, trace, &used)
            };
            let answer = world.ask(give_back);
            assert_eq!(refused(&answer), Some((refusal, true)), "{trace} {kind:?}");
        }
    }
}

/// Number, batch and trace, day and receipt, as clients send them in two sets; those of another
/// till of the store too.
#[test]
fn a_refund_finds_its_original_by_what_clients_send() {
    let days = |world: &World| Some(ZONE.day(world.now));
    let sets: [fn(&Original) -> Original; 4] = [
        |all| Original {
            day: None,
            register_trace: None,
            ..all.clone()
        },
        |all| Original {
            number: None,
            ..all.clone()
        },
        |all| Original {
            place: None,
            ..all.clone()
        },
        Original::clone,
    ];
    for till in [TILL, NEXT_TILL] {
        for (at, set) in sets.iter().enumerate() {
            let (mut world, bought) = bought(till);
            let all = Original {
                number: bought.number,
                // The terminal that refunds names batch and trace; it knows no other's index.
                place: Some(world.place(TILL, 1)),
                day: days(&world),
                register_trace: Some("R1".to_owned()),
            };
            let refund = GiveBack {
                original: set(&all),
                ..world.give_back(GiveBackKind::Refund, TILL, 2, &bought)
            };
            let is_named = till == TILL || set(&all).number.is_some();
            let answer = world.ask(refund);
            assert_eq!(refused(&answer).is_none(), is_named, "{till:?}, set {at}");
        }
    }
}

#[test]
fn a_retailer_may_refund_at_any_store() {
    let (mut world, bought) = bought(FAR_TILL);
    let mut refund = world.give_back(GiveBackKind::Refund, TILL, 2, &bought);
    with_rules(&mut refund.rules, |it| it.refund_anywhere = true);
    approved(world.ask(refund));
    assert!(matches!(
        world.now_of(&bought).state,
        TransState::GivenBack(_)
    ));
}
