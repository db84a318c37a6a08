//! Limits of a message, a day and an hour; wrong PINs and wrong codes.

use super::{
    ask::Ask,
    fixture::{
        DAY_S, NEXT_TILL, PIN, TENANT, TILL, Till, VOUCHER, approved, card_no, points, refused,
        wanted,
    },
    world::World,
};
use domain::{
    command::loyalty::{
        Answer, CardChange, Consume, GiveBack, GiveBackKind, Missing, PinEvidence, SendCode,
    },
    loyalty::{
        program::{Limits, Rules},
        trans::{Refusal, TransState},
    },
    money::Fen,
};
use std::sync::Arc;

fn with(card_limits: Limits, terminal_limits: Limits) -> Arc<Rules> {
    Arc::new(Rules {
        card_limits,
        terminal_limits,
        ..Rules::default()
    })
}

fn pay(world: &mut World, till: Till, trace: u32, fen: i64, rules: &Arc<Rules>) -> Ask {
    Consume {
        point_amount: Fen::new(fen),
        cash: Fen::ZERO,
        rules: rules.clone(),
        ..world.buy(till, trace)
    }
    .into()
}

fn answer(
    world: &mut World,
    till: Till,
    trace: u32,
    fen: i64,
    rules: &Arc<Rules>,
) -> Option<Refusal> {
    let pay = pay(world, till, trace, fen, rules);
    refused(&world.ask(pay)).map(|(refusal, _)| refusal)
}

#[test]
fn points_per_message() {
    let limits = Limits {
        points_per_trans: Some(points(10)),
        ..Limits::default()
    };
    for rules in [
        with(limits, Limits::default()),
        with(Limits::default(), limits),
    ] {
        let mut world = World::new();
        assert_eq!(
            answer(&mut world, TILL, 1, 11, &rules),
            Some(Refusal::OverLimit)
        );
        assert_eq!(answer(&mut world, TILL, 2, 10, &rules), None);
        assert_eq!(
            answer(&mut world, TILL, 3, 10, &rules),
            None,
            "each message"
        );
    }
}

/// The card's limit holds at every till; the terminal's holds for every card.
#[test]
fn points_per_day() {
    let limits = Limits {
        points_per_day: Some(points(20)),
        ..Limits::default()
    };
    for (rules, elsewhere) in [
        (with(limits, Limits::default()), Some(Refusal::OverLimit)),
        (with(Limits::default(), limits), None),
    ] {
        let mut world = World::new();
        assert_eq!(answer(&mut world, TILL, 1, 15, &rules), None);
        assert_eq!(
            answer(&mut world, TILL, 2, 6, &rules),
            Some(Refusal::OverLimit)
        );
        assert_eq!(answer(&mut world, TILL, 3, 5, &rules), None);
        assert_eq!(answer(&mut world, NEXT_TILL, 1, 1, &rules), elsewhere);
        world.later(DAY_S);
        assert_eq!(answer(&mut world, TILL, 4, 20, &rules), None, "a new day");
    }
}

#[test]
fn messages_per_day() {
    let limits = Limits {
        count_per_day: Some(2),
        ..Limits::default()
    };
    for rules in [
        with(limits, Limits::default()),
        with(Limits::default(), limits),
    ] {
        let mut world = World::new();
        assert_eq!(answer(&mut world, TILL, 1, 1, &rules), None);
        let vouchers = Consume {
            vouchers: wanted(VOUCHER, 1),
            rules: rules.clone(),
            ..world.buy(TILL, 2)
        };
        approved(world.ask(vouchers));
        assert_eq!(
            answer(&mut world, TILL, 3, 1, &rules),
            Some(Refusal::TooMany)
        );
        let cash = Consume {
            rules: rules.clone(),
            ..world.buy(TILL, 4)
        };
        approved(world.ask(cash));
        world.later(DAY_S / 2);
        assert_eq!(
            answer(&mut world, TILL, 5, 1, &rules),
            None,
            "after midnight"
        );
    }
}

/// Cancelling and then reversing the cancel does not free the day.
#[test]
fn a_purchase_that_stands_again_counts_again() {
    let limits = Limits {
        points_per_day: Some(points(20)),
        ..Limits::default()
    };
    let rules = with(limits, Limits::default());
    let mut world = World::new();
    let buy = pay(&mut world, TILL, 1, 20, &rules);
    let bought = approved(world.ask(buy));
    let cancel: Ask = GiveBack {
        rules: rules.clone(),
        ..world.give_back(GiveBackKind::Cancel, TILL, 2, &bought)
    }
    .into();
    approved(world.ask(cancel.clone()));
    let reversal = world.reversal(&cancel);
    assert!(matches!(world.ask(reversal), Answer::Done(_)));
    assert_eq!(world.now_of(&bought).state, TransState::Approved);
    assert_eq!(
        answer(&mut world, TILL, 3, 1, &rules),
        Some(Refusal::OverLimit)
    );
}

fn with_pin(world: &mut World, trace: u32, pin: PinEvidence) -> Answer {
    let buy = Consume {
        card: card_no(1),
        pin,
        point_amount: Fen::new(1),
        ..world.buy(TILL, trace)
    };
    world.ask(buy)
}

fn right() -> PinEvidence {
    PinEvidence::Right(PIN.to_owned())
}

fn wrong() -> PinEvidence {
    PinEvidence::Wrong(PIN.to_owned())
}

#[test]
fn three_wrong_pins_in_a_row_lock_it_until_an_operator_resets_it() {
    let mut world = World::new();
    let wrong_one = Some((Refusal::PinWrong, true));
    for trace in [1, 2] {
        assert_eq!(refused(&with_pin(&mut world, trace, wrong())), wrong_one);
    }
    approved(with_pin(&mut world, 3, right()));
    for trace in [4, 5, 6] {
        assert_eq!(refused(&with_pin(&mut world, trace, wrong())), wrong_one);
    }
    let locked = Some((Refusal::PinLocked, true));
    assert_eq!(refused(&with_pin(&mut world, 7, right())), locked);
    assert_eq!(refused(&with_pin(&mut world, 8, wrong())), locked);
    world.set_card(&card_no(1), CardChange::ResetPin);
    approved(with_pin(&mut world, 9, right()));
}

#[test]
fn a_repeated_wrong_pin_counts_once() {
    let mut world = World::new();
    let buy: Ask = Consume {
        card: card_no(1),
        pin: wrong(),
        point_amount: Fen::new(1),
        ..world.buy(TILL, 1)
    }
    .into();
    for _ in 0..5 {
        let again = world.again(&buy);
        assert_eq!(refused(&world.ask(again)), Some((Refusal::PinWrong, true)));
    }
    assert_eq!(world.card(&card_no(1)).pin.as_ref().unwrap().wrong, 1);
}

#[test]
fn a_pin_is_asked_for_only_where_points_are_spent_from_a_card_that_has_one() {
    let mut world = World::new();
    let cash = Consume {
        card: card_no(1),
        ..world.buy(TILL, 1)
    };
    approved(world.ask(cash));
    let no_pin = with_pin(&mut world, 2, PinEvidence::None);
    assert_eq!(refused(&no_pin), Some((Refusal::PinMissing, false)));
    approved(with_pin(&mut world, 2, right()));
    let rules = Arc::new(Rules::default());
    assert_eq!(
        answer(&mut world, TILL, 3, 1, &rules),
        None,
        "card 2 has none"
    );
    let stale = PinEvidence::Right("of another PIN".to_owned());
    assert_eq!(with_pin(&mut world, 4, stale), Answer::Again(Missing::Pin));
}

fn send_code(world: &mut World, till: Till, mobile: &str, digest: &str) -> Result<(), Refusal> {
    world.run(&SendCode {
        tenant: TENANT,
        store: till.store_no(),
        terminal: till.number(),
        mobile: mobile.to_owned(),
        digest: digest.to_owned(),
    })
}

#[test]
fn one_code_a_minute_and_five_an_hour_to_a_number() {
    let mut world = World::new();
    for _ in 0..5 {
        assert_eq!(send_code(&mut world, TILL, "1", "a"), Ok(()));
        world.later(59);
        assert_eq!(
            send_code(&mut world, NEXT_TILL, "1", "a"),
            Err(Refusal::TooMany)
        );
        world.later(1);
    }
    assert_eq!(send_code(&mut world, TILL, "1", "a"), Err(Refusal::TooMany));
    assert_eq!(
        send_code(&mut world, TILL, "2", "a"),
        Ok(()),
        "another number"
    );
    world.later(3_600 - 5 * 60);
    assert_eq!(
        send_code(&mut world, TILL, "1", "a"),
        Ok(()),
        "an hour later"
    );
    assert_eq!(send_code(&mut world, TILL, "1", "a"), Err(Refusal::TooMany));
}

#[test]
fn sixty_codes_an_hour_from_a_terminal() {
    let mut world = World::new();
    for n in 0..60 {
        assert_eq!(send_code(&mut world, TILL, &n.to_string(), "a"), Ok(()));
    }
    assert_eq!(
        send_code(&mut world, TILL, "60", "a"),
        Err(Refusal::TooMany)
    );
    assert_eq!(send_code(&mut world, NEXT_TILL, "60", "a"), Ok(()));
    world.later(3_600);
    assert_eq!(send_code(&mut world, TILL, "61", "a"), Ok(()));
}

fn activate(world: &mut World, trace: u32, digest: &str) -> Answer {
    let mut activation = world.activation(TILL, trace);
    activation.code_digest = digest.to_owned();
    world.ask(activation)
}

#[test]
fn a_code_may_be_tried_five_times_and_used_once() {
    for (wrong, is_given) in [(4, true), (5, false)] {
        let mut world = World::new();
        send_code(&mut world, TILL, "13800000000", "right").unwrap();
        for trace in 1..=wrong {
            let answer = activate(&mut world, trace, "wrong");
            assert_eq!(refused(&answer), Some((Refusal::CodeWrong, true)));
        }
        let answer = activate(&mut world, 10, "right");
        assert_eq!(refused(&answer).is_none(), is_given);
        assert_eq!(world.totals(TILL).card_active_count, i64::from(is_given));
        let again = activate(&mut world, 11, "right");
        assert_eq!(
            refused(&again),
            Some((Refusal::CodeWrong, true)),
            "no code is left"
        );
    }
}

#[test]
fn the_newest_code_is_the_one_that_counts() {
    let mut world = World::new();
    send_code(&mut world, TILL, "13800000000", "first").unwrap();
    world.later(60);
    send_code(&mut world, TILL, "13800000000", "second").unwrap();
    let answer = activate(&mut world, 1, "first");
    assert_eq!(refused(&answer), Some((Refusal::CodeWrong, true)));
    world.later(299);
    approved(activate(&mut world, 2, "second"));
    let card = world.card(&card_no(3));
    assert_eq!(card.holder.mobile, "13800000000");
    assert_eq!(card.holder.id_no, "110101199001011234");
}
