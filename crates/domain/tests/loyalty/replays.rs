//! A repeated message gets its first answer and does nothing; another one under its trace number
//! is refused.

use super::{
    ask::Ask,
    fixture::{NEXT_TILL, TENANT, TILL, VOUCHER, approved, refused, wanted, yuan},
    world::World,
};
use domain::{
    command::loyalty::{Answer, Consume, Decline, GiveBackKind, Message, SendCode, TicketsConsume},
    loyalty::{
        program::{Campaign, Gift, Rules},
        trans::{Refusal, TraceNo, Trans, TransKind, TransState},
    },
    money::Fen,
    time::UnixMs,
};
use std::sync::Arc;

/// One message of each kind, as trace 5 of the till; what it needs has been done before.
fn messages() -> Vec<(World, Ask)> {
    let bought = |world: &mut World| -> Trans {
        let buy = Consume {
            point_amount: Fen::new(50),
            vouchers: wanted(VOUCHER, 1),
            ..world.buy(TILL, 1)
        };
        approved(world.ask(buy))
    };
    let makers: [&dyn Fn(&mut World) -> Ask; 9] = [
        &|world| world.buy(TILL, 5).into(),
        &|world| world.use_ticket(TILL, 5).into(),
        &|world| {
            let bought = bought(world);
            world
                .give_back(GiveBackKind::Cancel, TILL, 5, &bought)
                .into()
        },
        &|world| {
            let bought = bought(world);
            world
                .give_back(GiveBackKind::Refund, TILL, 5, &bought)
                .into()
        },
        &|world| {
            let bought = bought(world);
            let refund = world.give_back(GiveBackKind::Refund, TILL, 2, &bought);
            let refund = approved(world.ask(refund));
            world
                .give_back(GiveBackKind::RefundCancel, TILL, 5, &refund)
                .into()
        },
        &|world| {
            let activation = world.activation(TILL, 5);
            let sent = world.run(&SendCode {
                tenant: TENANT,
                store: TILL.store_no(),
                terminal: TILL.number(),
                mobile: activation.mobile.clone(),
                digest: activation.code_digest.clone(),
            });
            assert_eq!(sent, Ok(()));
            activation.into()
        },
        &|world| world.settlement(TILL, 5).into(),
        &|world| world.details(TILL, 5, 1).into(),
        &|world| {
            Consume {
                point_amount: yuan(9),
                ..world.buy(TILL, 5)
            }
            .into()
        },
    ];
    let made = makers.iter().map(|make| {
        let mut world = World::new();
        let mut ask = make(&mut world);
        ask.digest();
        (world, ask)
    });
    made.collect()
}

/// All that is stored.
fn state(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        world.documents.clone(),
        world.trans.clone(),
        world.postings.clone(),
    )
}

#[test]
fn a_repeated_message_gets_the_same_answer_and_does_nothing() {
    for (mut world, ask) in messages() {
        let first = world.ask(ask.clone());
        assert!(matches!(first, Answer::Done(_)), "{first:?}");
        let before = state(&world);
        for later_s in [0, 90_000] {
            world.later(later_s);
            let again = world.again(&ask);
            assert_eq!(world.ask(again), first);
            assert_eq!(state(&world), before, "{first:?}");
        }
    }
}

#[test]
fn two_in_one_batch_are_one() {
    for (mut world, ask) in messages() {
        let again = world.again(&ask);
        let answers = world.batch(&[ask.clone(), again]);
        assert_eq!(answers[0], answers[1]);
        let place = ask.clone().message().place();
        let made = world.trans.values().filter(|it| it.place == Some(place));
        assert_eq!(made.count(), 1);
    }
}

/// So a settlement whose answer was lost gets it, although its batch is closed.
#[test]
fn the_answer_comes_after_the_batch_is_over_too() {
    for (mut world, ask) in messages() {
        let first = world.ask(ask.clone());
        if world.terminal(TILL).open_batch().is_some() {
            world.next_batch(TILL, 900);
        } else {
            let again = world.again(&ask);
            assert_eq!(world.ask(again), first, "before the next check-in");
            world.check_in(TILL).unwrap();
        }
        let again = world.again(&ask);
        assert_eq!(world.ask(again), first);
    }
}

#[test]
fn other_content_under_the_same_trace_number_is_refused() {
    let duplicate = Some((Refusal::DuplicateTrace, false));
    for (mut world, ask) in messages() {
        world.ask(ask.clone());
        let before = state(&world);
        let mut other = world.again(&ask);
        other.message().content += 1;
        let answer = world.batch(&[other]).remove(0);
        assert_eq!(refused(&answer), duplicate);
        for (_, mut kind) in messages() {
            if std::mem::discriminant(&kind) == std::mem::discriminant(&ask) {
                continue;
            }
            // Even of the same digest: the kind belongs to the content.
            kind.message().content = ask.clone().message().content;
            let answer = world.batch(&[kind]).remove(0);
            assert_eq!(refused(&answer), duplicate);
        }
        assert_eq!(state(&world), before);
    }
}

/// What was found wrong before a decision is refused on record, like what the decision finds.
#[test]
fn a_message_declined_before_its_decision_is_declined_again() {
    let mut world = World::new();
    let decline = |world: &mut World, content| Decline {
        message: Message {
            content,
            ..world.buy(TILL, 5).message
        },
        kind: TransKind::Consume,
        card: None,
        refusal: Refusal::UnknownCard,
    };
    let command = decline(&mut world, 7);
    let first = world.run(&command);
    assert_eq!(refused(&first), Some((Refusal::UnknownCard, true)));
    world.later(5);
    let command = decline(&mut world, 7);
    assert_eq!(world.run(&command), first);
    let command = decline(&mut world, 8);
    let duplicate = Some((Refusal::DuplicateTrace, false));
    assert_eq!(refused(&world.run(&command)), duplicate);
    let buy = world.buy(TILL, 5);
    assert_eq!(refused(&world.ask(buy)), duplicate);
    // It counts nowhere, and its reversal is told that nothing was done.
    assert_eq!(world.totals(TILL).trans_count, 0);
    // What was approved stays so, whatever is found wrong with its repetition.
    let buy: Ask = world.buy(TILL, 6).into();
    let bought = approved(world.ask(buy));
    let repeated = Decline {
        message: Message {
            trace: TraceNo::new(6).unwrap(),
            ..decline(&mut world, bought.content).message
        },
        ..decline(&mut world, bought.content)
    };
    assert_eq!(approved(world.run(&repeated)), bought);
}

/// Two gateways may know two versions of the program: the answer is the first one's.
#[test]
fn a_repeated_purchase_shows_the_line_that_was_shown_first() {
    let mut world = World::new();
    let showing = |line: &str, now| {
        let campaign = Campaign {
            name: line.to_owned(),
            from: now,
            until: UnixMs(i64::MAX),
            stores: Vec::new(),
            gift: Gift::None,
            advertisement: line.to_owned(),
        };
        Arc::new(Rules {
            campaigns: vec![campaign],
            ..Rules::default()
        })
    };
    let (older, newer) = (showing("older", world.now), showing("newer", world.now));
    let buy = |world: &mut World, rules: &Arc<Rules>| Consume {
        rules: rules.clone(),
        ..world.buy(TILL, 1)
    };
    let ticket = |world: &mut World, rules: &Arc<Rules>| TicketsConsume {
        rules: rules.clone(),
        ..world.use_ticket(TILL, 2)
    };
    let first = buy(&mut world, &older);
    assert_eq!(approved(world.ask(first)).advertisement, "older");
    let again = buy(&mut world, &newer);
    assert_eq!(approved(world.ask(again)).advertisement, "older");
    let first = ticket(&mut world, &older);
    assert_eq!(approved(world.ask(first)).advertisement, "older");
    let again = ticket(&mut world, &newer);
    assert_eq!(approved(world.ask(again)).advertisement, "older");
}

#[test]
fn another_terminal_has_trace_numbers_of_its_own() {
    let mut world = World::new();
    for till in [TILL, NEXT_TILL] {
        let buy = world.buy(till, 5);
        approved(world.ask(buy));
    }
}

/// A purchase that was given back is answered as what it was, with what became of it.
#[test]
fn a_repeated_message_says_what_became_of_it() {
    let mut world = World::new();
    let buy: Ask = world.buy(TILL, 1).into();
    let bought = approved(world.ask(buy.clone()));
    let cancel = world.give_back(GiveBackKind::Cancel, TILL, 2, &bought);
    let cancelled = approved(world.ask(cancel));
    let again = world.again(&buy);
    let Answer::Done(answer) = world.ask(again) else {
        panic!("it is recorded");
    };
    let expected = Trans {
        state: TransState::GivenBack(cancelled.serial),
        ..bought
    };
    assert_eq!(*answer, expected);
}

/// What is refused without being recorded may be sent again once it is right.
#[test]
fn what_was_not_recorded_may_come_again() {
    let mut world = World::closed();
    let buy: Ask = world.buy(TILL, 1).into();
    let answer = world.ask(buy.clone());
    assert_eq!(refused(&answer), Some((Refusal::NotCheckedIn, false)));
    world.check_in(TILL).unwrap();
    let again = world.again(&buy);
    approved(world.ask(again));
}
