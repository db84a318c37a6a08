//! Each refusal, alone and beside all that come after it: the first in the order of the status
//! codes is the one that is named.

mod activation;
mod give_back;
mod purchase;
mod reversal;

use super::{
    ask::Ask,
    fixture::{TILL, approved, card_no, refused},
    world::World,
};
use domain::{
    command::loyalty::{
        Activate, CardChange, Consume, GiveBack, Message, Settle, TerminalChange, TicketsConsume,
    },
    loyalty::{
        card::{Card, CardStatus},
        document::Document,
        program::Rules,
        terminal::{BatchNo, KeyGeneration, TerminalNo},
        trans::{Refusal, TransNo},
    },
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
fn check<M: Into<Ask> + Sent>(fixture: fn() -> (World, M), tables: &[&[Flaw<M>]]) {
    let terminal = at_the_terminal();
    let flaws: Vec<&Flaw<M>> = terminal
        .iter()
        .chain(tables.iter().copied().flatten())
        .collect();
    let (mut world, message) = fixture();
    approved(world.ask(message));
    for (at, first) in flaws.iter().enumerate() {
        let others = flaws[at + 1..].iter().copied();
        let others = others.filter(|it| first.goes_with(it));
        for other in std::iter::once(None).chain(others.map(Some)) {
            let (mut world, mut message) = fixture();
            (first.make)(&mut world, &mut message);
            if let Some(other) = other {
                (other.make)(&mut world, &mut message);
            }
            let context = (first.name, other.map(|it| it.name));
            check_refused(&mut world, &message.into(), first, context);
        }
    }
}

fn check_refused<M>(world: &mut World, ask: &Ask, flaw: &Flaw<M>, context: (&str, Option<&str>)) {
    let (events, books) = (world.trans.len(), world.books());
    let answer = world.ask(ask.clone());
    assert_eq!(
        refused(&answer),
        Some((flaw.refusal, flaw.recorded)),
        "{context:?}"
    );
    assert_eq!(world.books(), books, "{context:?}: something moved");
    assert_eq!(world.trans.len(), events + usize::from(flaw.recorded));
    let mut again = world.again(ask);
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

fn with_rules(rules: &mut Arc<Rules>, change: impl FnOnce(&mut Rules)) {
    change(Arc::make_mut(rules));
}

fn no_numbers_left(world: &mut World) {
    let mut terminal = world.terminal(TILL).clone();
    terminal.trans_count = TransNo::PER_TERMINAL - 1;
    let document = Document::Terminal(Box::new(terminal));
    world.documents.insert(document.key(), document);
}

fn settle() -> (World, Settle) {
    let mut world = World::new();
    let settle = world.settlement(TILL, 1);
    (world, settle)
}

#[test]
fn a_settlement_is_refused_by_the_first_of_its_flaws() {
    check(settle, &[]);
}
