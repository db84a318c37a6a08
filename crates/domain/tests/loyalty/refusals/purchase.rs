//! Purchases and tickets.

use super::{Flaw, change_card, check, flaw, no_numbers_left, status, with_rules};
use crate::{
    fixture::{NOON, PIN, TICKET, TILL, VOUCHER, card_no, refused, wanted},
    world::World,
};
use domain::{
    command::loyalty::{Consume, PinEvidence, TicketsConsume},
    loyalty::{
        card::{CardStatus, PIN_TRIES_MAX},
        points::Points,
        trans::Refusal,
    },
    money::Fen,
};

/// Card 1 pays in points, vouchers and cash, with its PIN.
fn purchase() -> (World, Consume) {
    let mut world = World::new();
    let buy = Consume {
        card: card_no(1),
        pin: PinEvidence::Right(PIN.to_owned()),
        point_amount: Fen::new(50),
        vouchers: wanted(VOUCHER, 1),
        ..world.buy(TILL, 1)
    };
    (world, buy)
}

const PURCHASE: &[Flaw<Consume>] = &[
    flaw(
        "no PIN",
        Refusal::PinMissing,
        &["pin", "amount", "card"],
        |_, it: &mut Consume| {
            it.pin = PinEvidence::None;
        },
    )
    .passing(),
    flaw(
        "nothing to pay",
        Refusal::AmountInvalid,
        &["amount", "lines", "cash"],
        |_, it: &mut Consume| {
            it.point_amount = Fen::ZERO;
            it.cash = Fen::ZERO;
            it.vouchers.clear();
        },
    ),
    flaw(
        "too many lines",
        Refusal::AmountInvalid,
        &["lines"],
        |_, it: &mut Consume| {
            it.vouchers = wanted(VOUCHER, 1).repeat(33);
        },
    ),
    flaw(
        "too much cash",
        Refusal::AmountInvalid,
        &["cash"],
        |_, it: &mut Consume| {
            it.cash = Fen::new(Fen::MAX_CHARGE.get() + 1);
        },
    ),
    flaw(
        "over the terminal's limit",
        Refusal::OverLimit,
        &["terminal's points", "amount"],
        |_, it: &mut Consume| {
            with_rules(&mut it.rules, |it| {
                it.terminal_limits.points_per_trans = Some(Points::new(4_999))
            });
        },
    ),
    flaw(
        "over the card's limit",
        Refusal::OverLimit,
        &["card's points", "amount", "card"],
        |_, it: &mut Consume| {
            with_rules(&mut it.rules, |it| {
                it.card_limits.points_per_day = Some(Points::new(4_999))
            });
        },
    ),
    flaw(
        "too many at the terminal",
        Refusal::TooMany,
        &["terminal's count"],
        |_, it: &mut Consume| {
            with_rules(&mut it.rules, |it| {
                it.terminal_limits.count_per_day = Some(0)
            });
        },
    ),
    flaw(
        "too many with the card",
        Refusal::TooMany,
        &["card's count", "card"],
        |_, it: &mut Consume| {
            with_rules(&mut it.rules, |it| it.card_limits.count_per_day = Some(0));
        },
    ),
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
        |_, it: &mut Consume| {
            it.card = card_no(8);
        },
    ),
    flaw(
        "a card in stock",
        Refusal::NotActive,
        &["status"],
        |world, _| {
            status(world, 1, CardStatus::Stocked);
        },
    ),
    flaw(
        "an expired card",
        Refusal::CardExpired,
        &["expiry"],
        |world, _| {
            change_card(world, 1, |it| it.expires_at = Some(NOON));
        },
    ),
    flaw(
        "a lost card",
        Refusal::CardBlocked,
        &["status"],
        |world, _| {
            status(world, 1, CardStatus::Lost);
        },
    ),
    flaw(
        "a blocked card",
        Refusal::CardBlocked,
        &["status"],
        |world, _| {
            status(world, 1, CardStatus::Blocked);
        },
    ),
    flaw(
        "a restricted card",
        Refusal::Restricted,
        &["status"],
        |world, _| {
            status(world, 1, CardStatus::Restricted);
        },
    ),
    flaw(
        "too few points",
        Refusal::TooFew,
        &["amount"],
        |_, it: &mut Consume| {
            it.point_amount = Fen::new(101);
        },
    ),
    flaw(
        "too few vouchers",
        Refusal::TooFew,
        &["lines"],
        |_, it: &mut Consume| {
            it.vouchers = [wanted(VOUCHER, 6), wanted(VOUCHER, 5)].concat();
        },
    ),
    flaw(
        "no such voucher",
        Refusal::TooFew,
        &["lines"],
        |_, it: &mut Consume| {
            it.vouchers = wanted(99, 1);
        },
    ),
    flaw(
        "a negative piece",
        Refusal::TooFew,
        &["lines"],
        |_, it: &mut Consume| {
            it.vouchers = wanted(VOUCHER, -1);
        },
    ),
    flaw(
        "an expired voucher",
        Refusal::TooFew,
        &["lines"],
        |world, _| {
            change_card(world, 1, |it| it.tickets[0].expires_at = Some(NOON));
        },
    ),
    flaw(
        "a wrong PIN",
        Refusal::PinWrong,
        &["pin"],
        |_, it: &mut Consume| {
            it.pin = PinEvidence::Wrong(PIN.to_owned());
        },
    ),
    flaw("a locked PIN", Refusal::PinLocked, &["pin"], |world, _| {
        change_card(world, 1, |it| {
            it.pin.as_mut().unwrap().wrong = PIN_TRIES_MAX
        });
    }),
];

#[test]
fn a_purchase_is_refused_by_the_first_of_its_flaws() {
    check(purchase, &[PURCHASE]);
}

fn tickets() -> (World, TicketsConsume) {
    let mut world = World::new();
    let tickets = world.use_ticket(TILL, 1);
    (world, tickets)
}

const TICKETS: &[Flaw<TicketsConsume>] = &[
    flaw(
        "no tickets",
        Refusal::AmountInvalid,
        &["lines"],
        |_, it: &mut TicketsConsume| {
            it.tickets.clear();
        },
    ),
    flaw(
        "too many at the terminal",
        Refusal::TooMany,
        &["count"],
        |_, it: &mut TicketsConsume| {
            with_rules(&mut it.rules, |it| {
                it.terminal_limits.count_per_day = Some(0)
            });
        },
    ),
    flaw(
        "an unknown card",
        Refusal::UnknownCard,
        &["card"],
        |_, it: &mut TicketsConsume| {
            it.card = card_no(8);
        },
    ),
    flaw(
        "a card in stock",
        Refusal::NotActive,
        &["status"],
        |world, _| {
            status(world, 2, CardStatus::Stocked);
        },
    ),
    flaw(
        "an expired card",
        Refusal::CardExpired,
        &["expiry"],
        |world, _| {
            change_card(world, 2, |it| it.expires_at = Some(NOON));
        },
    ),
    flaw(
        "a lost card",
        Refusal::CardBlocked,
        &["status"],
        |world, _| {
            status(world, 2, CardStatus::Lost);
        },
    ),
    flaw(
        "a restricted card",
        Refusal::Restricted,
        &["status"],
        |world, _| {
            status(world, 2, CardStatus::Restricted);
        },
    ),
    flaw(
        "too few tickets",
        Refusal::TooFew,
        &["lines"],
        |_, it: &mut TicketsConsume| {
            it.tickets = wanted(TICKET, 11);
        },
    ),
];

#[test]
fn tickets_are_refused_by_the_first_of_their_flaws() {
    check(tickets, &[TICKETS]);
}

/// A card that holds only one of two tickets keeps it: all or nothing.
#[test]
fn vouchers_do_not_pass_for_tickets() {
    let (mut world, _) = tickets();
    let card = world.add_card_9(|it| it.tickets.truncate(1));
    let only_vouchers = TicketsConsume {
        card,
        ..world.use_ticket(TILL, 3)
    };
    let answer = world.ask(only_vouchers);
    assert_eq!(refused(&answer), Some((Refusal::TooFew, true)));
}
