//! Each refusal, alone and beside all that come after it: the first in the order of the status
//! codes is the one that is named.

use super::{
    ask::Ask,
    fixture::{
        FAR_TILL, NEXT_TILL, NOON, PIN, TENANT, TICKET, TILL, Till, VOUCHER, ZONE, approved,
        card_no, refused, wanted, yuan,
    },
    world::World,
};
use domain::{
    command::loyalty::{
        Activate, Answer, CardChange, Consume, GiveBack, GiveBackKind, Message, Original,
        PinEvidence, Reverse, SendCode, Settle, TerminalChange, TicketsConsume,
    },
    loyalty::{
        card::{Card, CardStatus, PIN_TRIES_MAX},
        document::Document,
        points::Points,
        program::Rules,
        terminal::{BatchNo, KeyGeneration, TerminalNo},
        trans::{Refusal, Trans, TransKind, TransNo, TransState},
    },
    money::Fen,
};
use std::sync::Arc;

/// Something that is wrong with a message of kind `M` or with what it meets.
struct Flaw<M> {
    name: &'static str,
    refusal: Refusal,
    recorded: bool,
    /// Parts of the fixture it touches: two flaws of the same part do not go together.
    parts: &'static [&'static str],
    make: fn(&mut World, &mut M),
}

/// A flaw that is recorded.
const fn flaw<M>(
    name: &'static str,
    refusal: Refusal,
    parts: &'static [&'static str],
    make: fn(&mut World, &mut M),
) -> Flaw<M> {
    Flaw {
        name,
        refusal,
        recorded: true,
        parts,
        make,
    }
}

impl<M> Flaw<M> {
    /// Of this one nothing is recorded.
    const fn passing(self) -> Self {
        Self {
            recorded: false,
            ..self
        }
    }

    fn goes_with(&self, other: &Self) -> bool {
        !self.parts.iter().any(|it| other.parts.contains(it))
    }
}

/// Checks a table whose rows are in the order of precedence.
fn check<M: Into<Ask>>(fixture: fn() -> (World, M), flaws: &[Flaw<M>]) {
    let (mut world, message) = fixture();
    approved(world.ask(message));
    for (at, first) in flaws.iter().enumerate() {
        let others = flaws[at + 1..].iter().filter(|it| first.goes_with(it));
        for other in std::iter::once(None).chain(others.map(Some)) {
            let (mut world, mut message) = fixture();
            (first.make)(&mut world, &mut message);
            if let Some(other) = other {
                (other.make)(&mut world, &mut message);
            }
            let context = (first.name, other.map(|it| it.name));
            check_refused(&mut world, message.into(), first, context);
        }
    }
}

fn check_refused<M>(world: &mut World, ask: Ask, flaw: &Flaw<M>, context: (&str, Option<&str>)) {
    let (events, books) = (world.trans.len(), world.books());
    let answer = world.ask(ask.clone());
    assert_eq!(
        refused(&answer),
        Some((flaw.refusal, flaw.recorded)),
        "{context:?}"
    );
    assert_eq!(world.books(), books, "{context:?}: something moved");
    assert_eq!(world.trans.len(), events + usize::from(flaw.recorded));
    let mut again = world.again(&ask);
    again.digest();
    let second = world.batch(&[again]).remove(0);
    if flaw.recorded {
        assert_eq!(second, answer, "{context:?}: the same answer again");
        assert_eq!(world.trans.len(), events + 1);
    }
}

/// The terminal's part is the same for every message.
fn at_the_terminal<M: Sent>() -> [Flaw<M>; 4] {
    [
        flaw(
            "the terminal is unknown",
            Refusal::UnknownTerminal,
            &["terminal"],
            |_, it: &mut M| {
                it.message().terminal = TerminalNo::parse("T9").unwrap();
            },
        )
        .passing(),
        flaw(
            "the terminal is blocked",
            Refusal::TerminalInvalid,
            &["terminal"],
            |world, _| {
                world.set_terminal(TILL, TerminalChange::Block(true));
            },
        )
        .passing(),
        flaw(
            "another batch",
            Refusal::NotCheckedIn,
            &["batch"],
            |_, it: &mut M| {
                it.message().batch = BatchNo::new(77).unwrap();
            },
        )
        .passing(),
        flaw(
            "unknown keys",
            Refusal::MacWrong,
            &["keys"],
            |_, it: &mut M| {
                it.message().under = Some(KeyGeneration(99));
            },
        )
        .passing(),
    ]
}

/// Messages by what all have.
trait Sent {
    fn message(&mut self) -> &mut Message;
}

macro_rules! sent {
    ($($message:ty),*) => {
        $(impl Sent for $message {
            fn message(&mut self) -> &mut Message {
                &mut self.message
            }
        })*
    };
}

sent!(Consume, TicketsConsume, GiveBack, Activate, Settle);

fn change_card(world: &mut World, n: i64, change: impl FnOnce(&mut Card)) {
    let mut card = world.card(&card_no(n)).clone();
    change(&mut card);
    let document = Document::Card(Box::new(card));
    world.documents.insert(document.key(), document);
}

fn status(world: &mut World, n: i64, status: CardStatus) {
    world.set_card(&card_no(n), CardChange::Status(status));
}

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

fn with_rules(rules: &mut Arc<Rules>, change: impl FnOnce(&mut Rules)) {
    change(Arc::make_mut(rules));
}

#[test]
fn a_purchase_is_refused_by_the_first_of_its_flaws() {
    let [unknown, blocked, batch, keys] = at_the_terminal::<Consume>();
    let flaws = [
        unknown,
        blocked,
        batch,
        keys,
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
    check(purchase, &flaws);
}

fn no_numbers_left(world: &mut World) {
    let mut terminal = world.terminal(TILL).clone();
    terminal.trans_count = TransNo::PER_TERMINAL - 1;
    let document = Document::Terminal(Box::new(terminal));
    world.documents.insert(document.key(), document);
}

fn tickets() -> (World, TicketsConsume) {
    let mut world = World::new();
    let tickets = world.use_ticket(TILL, 1);
    (world, tickets)
}

#[test]
fn tickets_are_refused_by_the_first_of_their_flaws() {
    let [unknown, blocked, batch, keys] = at_the_terminal::<TicketsConsume>();
    let flaws = [
        unknown,
        blocked,
        batch,
        keys,
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
    check(tickets, &flaws);
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

fn refund_cancel() -> (World, GiveBack) {
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
        needs: vec![],
        rules: Arc::new(Rules::default()),
    };
    assert!(matches!(world.ask(reverse), Answer::Done(_)));
}

fn give_back_flaws() -> Vec<Flaw<GiveBack>> {
    let terminal = at_the_terminal::<GiveBack>();
    let more = [
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
    terminal.into_iter().chain(more).collect()
}

#[test]
fn a_cancel_is_refused_by_the_first_of_its_flaws() {
    let mut flaws = give_back_flaws();
    flaws.extend([
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
    ]);
    check(cancel, &flaws);
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

#[test]
fn a_refund_is_refused_by_the_first_of_its_flaws() {
    let mut flaws = give_back_flaws();
    flaws.extend([
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
    ]);
    check(refund, &flaws);
}

#[test]
fn an_undone_refund_is_refused_by_the_first_of_its_flaws() {
    let mut flaws = give_back_flaws();
    // The refund carries no receipt number, so any is another.
    flaws.extend([
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
    ]);
    check(refund_cancel, &flaws);
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

#[test]
fn an_activation_is_refused_by_the_first_of_its_flaws() {
    let [unknown, blocked, batch, keys] = at_the_terminal::<Activate>();
    let flaws = [
        unknown,
        blocked,
        batch,
        keys,
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
    check(activation, &flaws);
}

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

#[test]
fn a_reversal_is_refused_by_the_first_of_its_flaws() {
    let rows: [(&str, fn(&mut World, &mut Reverse), Refusal); 9] = [
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

fn settle() -> (World, Settle) {
    let mut world = World::new();
    let settle = world.settlement(TILL, 1);
    (world, settle)
}

#[test]
fn a_settlement_is_refused_by_the_first_of_its_flaws() {
    let flaws = at_the_terminal::<Settle>();
    check(settle, &flaws);
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
