//! Reversals: refused only where the terminal must not repeat them for ever.

use super::give_back::refund_cancel;
use crate::{
    ask::Ask,
    fixture::{TILL, approved, card_no, refused, yuan},
    world::World,
};
use domain::{
    command::loyalty::{Consume, GiveBackKind, Reverse, TerminalChange},
    loyalty::{
        terminal::{BatchNo, KeyGeneration, TerminalNo},
        trans::{Refusal, TransKind},
    },
    money::Fen,
};

/// Trace 1 was a purchase of card 2 in points and cash.
fn reversal() -> (World, Reverse) {
    let mut world = World::new();
    let buy = Ask::from(Consume {
        point_amount: Fen::new(50),
        ..world.buy(TILL, 1)
    });
    approved(world.ask(buy.clone()));
    let reversal = world.reversal(&buy);
    (world, reversal)
}

/// Makes a reversal, or what it meets, wrong.
type Make = fn(&mut World, &mut Reverse);

#[test]
fn a_reversal_is_refused_by_the_first_of_its_flaws() {
    let rows: [(&str, Make, Refusal); 9] = [
        (
            "the terminal is unknown",
            |_, it| it.message.terminal = TerminalNo::parse("T9").unwrap(),
            Refusal::UnknownTerminal,
        ),
        (
            "the terminal is blocked",
            |world, _| world.set_terminal(TILL, TerminalChange::Block(true)),
            Refusal::TerminalInvalid,
        ),
        (
            "unknown keys",
            |_, it| it.message.under = Some(KeyGeneration(99)),
            Refusal::MacWrong,
        ),
        (
            "another card",
            |_, it| it.card = card_no(1),
            Refusal::UnknownCard,
        ),
        (
            "another kind",
            |_, it| it.reverses = TransKind::Cancel,
            Refusal::OriginalMissing,
        ),
        (
            "it never came",
            |world, it| it.message.trace = world.message(TILL, 5).trace,
            Refusal::OriginalMissing,
        ),
        (
            "it was cancelled",
            give_back_number_one::<true>,
            Refusal::InConflict,
        ),
        (
            "it was refunded",
            give_back_number_one::<false>,
            Refusal::InConflict,
        ),
        (
            "another amount",
            |_, it| it.amounts = Some((Fen::new(50), Fen::new(1))),
            Refusal::AmountDiffers,
        ),
    ];
    for (name, make, refusal) in rows {
        let (mut world, mut reversal) = reversal();
        make(&mut world, &mut reversal);
        let books = world.books();
        let answer = world.ask(reversal);
        assert_eq!(refused(&answer), Some((refusal, false)), "{name}");
        assert_eq!(world.books(), books, "{name}");
    }
}

fn give_back_number_one<const CANCEL: bool>(world: &mut World, _: &mut Reverse) {
    let bought = world
        .trans
        .values()
        .find(|it| it.kind == TransKind::Consume);
    let bought = bought.unwrap().clone();
    let kind = if CANCEL {
        GiveBackKind::Cancel
    } else {
        GiveBackKind::Refund
    };
    let give_back = world.give_back(kind, TILL, 9, &bought);
    approved(world.ask(give_back));
}

/// A declined message is answered 12 whatever amount its reversal repeats, in an open batch and a
/// closed one, before any check-in too.
#[test]
fn a_reversal_is_never_refused_for_its_batch() {
    let (mut world, mut reversal) = reversal();
    let declined = Ask::from(Consume {
        point_amount: yuan(5),
        ..world.buy(TILL, 2)
    });
    world.ask(declined.clone());
    let of_declined = world.reversal(&declined);
    let answer = world.ask(of_declined);
    assert_eq!(refused(&answer), Some((Refusal::NotAllowed, false)));
    reversal.message.batch = BatchNo::new(77).unwrap();
    let answer = world.ask(reversal.clone());
    assert_eq!(refused(&answer), Some((Refusal::OriginalMissing, false)));
    let mut closed = World::closed();
    let answer = closed.ask(reversal);
    assert_eq!(refused(&answer), Some((Refusal::OriginalMissing, false)));
    assert!(
        closed.trans.values().all(|it| it.place.is_none()),
        "no tombstone"
    );
}

/// After a refund was undone and the purchase refunded again, the first refund cannot come back.
#[test]
fn a_purchase_is_not_refunded_twice_by_a_reversal() {
    let (mut world, undo) = refund_cancel();
    let undo = Ask::from(undo);
    approved(world.ask(undo.clone()));
    let bought = world
        .trans
        .values()
        .find(|it| it.kind == TransKind::Consume);
    let bought = bought.unwrap().clone();
    let again = world.give_back(GiveBackKind::Refund, TILL, 4, &bought);
    approved(world.ask(again));
    let books = world.books();
    let reversal = world.reversal(&undo);
    let answer = world.ask(reversal);
    assert_eq!(refused(&answer), Some((Refusal::InConflict, false)));
    assert_eq!(world.books(), books);
}
