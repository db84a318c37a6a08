//! What operators set up and workers clean up.

use super::{
    fixture::{TENANT, TILL, VOUCHER, ZONE, approved, card_account, card_no, holding, points},
    world::World,
};
use domain::{
    command::loyalty::{AddCards, Expire, ForgetCodes, NewCard, SendCode},
    ledger::Account,
    loyalty::{
        card::{CardNo, Lot, TicketId, TicketKind},
        document::DocumentKey,
        trans::TransKind,
    },
    time::UnixMs,
};

fn expire(world: &mut World, card: &CardNo) {
    let serial = world.serial();
    world.run(&Expire {
        tenant: TENANT,
        card: card.clone(),
        serial,
    });
}

fn expiries(world: &World) -> usize {
    let events = world.trans.values();
    events.filter(|it| it.kind == TransKind::Expiry).count()
}

#[test]
fn expired_points_are_written_off_once() {
    let mut world = World::new();
    let buy = world.buy(TILL, 1);
    approved(world.ask(buy));
    expire(&mut world, &card_no(2));
    assert_eq!(expiries(&world), 0, "nothing is over yet");
    let due_at = world.card(&card_no(2)).next_expiry().unwrap();
    assert_eq!(due_at, ZONE.end_of_month(world.now, 6));
    for (now, books) in [
        (due_at.plus_ms(-1), -11_000),
        (due_at, -1_000),
        (due_at, -1_000),
    ] {
        world.now = now;
        expire(&mut world, &card_no(2));
        assert_eq!(world.balance(card_account(2)), books);
    }
    assert_eq!(expiries(&world), 1);
    assert_eq!(world.balance(Account::PointsExpired), -10_000);
    expire(&mut world, &card_no(8));
}

/// As many kinds as a card may begin with.
#[test]
fn all_expired_tickets_of_a_card_are_written_off() {
    let mut world = World::new();
    let end = world.now.plus_s(60);
    let card = world.add_card_9(|card| {
        card.lots.clear();
        card.tickets = (1..=32)
            .map(|id| holding(TicketKind::Cash, id, 2))
            .collect();
    });
    let mut changed = world.card(&card).clone();
    for it in &mut changed.tickets {
        it.expires_at = Some(end);
    }
    let document = domain::loyalty::document::Document::Card(Box::new(changed));
    world.documents.insert(document.key(), document);
    world.now = end.plus_ms(-1);
    expire(&mut world, &card);
    assert_eq!(world.card(&card).tickets.len(), 32);
    world.now = end;
    expire(&mut world, &card);
    assert!(world.card(&card).tickets.is_empty());
    assert_eq!(world.card(&card).next_expiry(), None);
    let ticket = TicketId {
        voucher: false,
        id: 32,
    };
    assert_eq!(world.balance(Account::TicketsExpired(ticket)), -2);
}

#[test]
fn a_card_is_added_once_and_what_it_begins_with_is_granted() {
    let mut world = World::new();
    let granted = world.balance(Account::PointsGranted);
    let card = world.add_card_9(|card| {
        card.lots = vec![Lot {
            points: points(7),
            available_at: UnixMs(0),
            expires_at: None,
        }];
    });
    assert_eq!(world.balance(Account::PointsGranted) - granted, 700);
    let voucher = TicketId {
        voucher: true,
        id: VOUCHER,
    };
    assert_eq!(world.balance(Account::TicketsGranted(voucher)), 30);
    let new = NewCard {
        card: world.card(&card).clone(),
        serial: world.serial(),
    };
    let books = world.books();
    let cards = vec![new.clone(), new];
    assert_eq!(world.run(&AddCards { cards }), [false, false]);
    assert_eq!(world.books(), books);
}

#[test]
fn codes_are_forgotten_when_nothing_of_them_counts() {
    let mut world = World::new();
    let mobile = "13800000000";
    let sent = world.run(&SendCode {
        tenant: TENANT,
        store: TILL.store_no(),
        terminal: TILL.number(),
        mobile: mobile.to_owned(),
        digest: "digest".to_owned(),
    });
    assert_eq!(sent, Ok(()));
    let key = DocumentKey::verify_codes(TENANT, mobile);
    let due_at = world.documents[&key].due_at().unwrap();
    assert_eq!(due_at, world.now.plus_s(3_600));
    let forget = ForgetCodes {
        tenant: TENANT,
        mobile: mobile.to_owned(),
    };
    for (now, is_there) in [(due_at.plus_ms(-1), true), (due_at, false), (due_at, false)] {
        world.now = now;
        world.run(&forget);
        assert_eq!(world.documents.contains_key(&key), is_there);
    }
}
