//! Verify codes and activations.

use super::{Flaw, change_card, check, flaw, no_numbers_left, status};
use crate::{
    fixture::{NOON, TENANT, TILL, Till, card_no},
    world::World,
};
use domain::{
    command::loyalty::{Activate, SendCode, TerminalChange},
    loyalty::{card::CardStatus, trans::Refusal},
};

fn send_code(world: &mut World, till: Till, mobile: &str) -> Result<(), Refusal> {
    world.run(&SendCode {
        tenant: TENANT,
        store: till.store_no(),
        terminal: till.number(),
        mobile: mobile.to_owned(),
        digest: "right".to_owned(),
    })
}

fn activation() -> (World, Activate) {
    let mut world = World::new();
    let activation = world.activation(TILL, 1);
    send_code(&mut world, TILL, &activation.mobile).unwrap();
    (world, activation)
}

const ACTIVATION: &[Flaw<Activate>] = &[
    flaw(
        "no numbers left",
        Refusal::TooMany,
        &["numbers"],
        |world, _| no_numbers_left(world),
    ),
    flaw(
        "an unknown card",
        Refusal::UnknownCard,
        &["card"],
        |_, it: &mut Activate| {
            it.card = card_no(8);
        },
    ),
    flaw(
        "an expired card",
        Refusal::CardExpired,
        &["expiry"],
        |world, _| {
            change_card(world, 3, |it| it.expires_at = Some(NOON));
        },
    ),
    flaw(
        "a lost card",
        Refusal::CardBlocked,
        &["status"],
        |world, _| {
            status(world, 3, CardStatus::Lost);
        },
    ),
    flaw(
        "a restricted card",
        Refusal::Restricted,
        &["status"],
        |world, _| {
            status(world, 3, CardStatus::Restricted);
        },
    ),
    flaw(
        "a wrong code",
        Refusal::CodeWrong,
        &["code"],
        |_, it: &mut Activate| {
            it.code_digest = "wrong".to_owned();
        },
    ),
    flaw(
        "no code was sent",
        Refusal::CodeWrong,
        &["code"],
        |_, it: &mut Activate| {
            it.mobile = "13900000000".to_owned();
        },
    ),
    flaw(
        "a code that is over",
        Refusal::CodeWrong,
        &["code"],
        |world, _| world.later(300),
    ),
    flaw(
        "an active card",
        Refusal::InConflict,
        &["status"],
        |world, _| {
            status(world, 3, CardStatus::Active);
        },
    ),
];

#[test]
fn an_activation_is_refused_by_the_first_of_its_flaws() {
    check(activation, &[ACTIVATION]);
}

#[test]
fn codes_are_refused_in_order() {
    let mut world = World::closed();
    let nobody = Till { store: 1, index: 9 };
    assert_eq!(
        send_code(&mut world, nobody, "1"),
        Err(Refusal::UnknownTerminal)
    );
    world.set_terminal(TILL, TerminalChange::Block(true));
    assert_eq!(
        send_code(&mut world, TILL, "1"),
        Err(Refusal::TerminalInvalid)
    );
    world.set_terminal(TILL, TerminalChange::Block(false));
    assert_eq!(send_code(&mut world, TILL, "1"), Err(Refusal::NotCheckedIn));
    world.check_in(TILL).unwrap();
    assert_eq!(send_code(&mut world, TILL, "1"), Ok(()));
    assert_eq!(send_code(&mut world, TILL, "1"), Err(Refusal::TooMany));
}
