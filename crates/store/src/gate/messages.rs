//! What terminals sent about cards and were told, held against the events.
//!
//! A terminal sees each of its messages to an end: answered, or reversed until that is through. So
//! at rest the events of a terminal are exactly what it was told, and with the audit, which
//! proves every card and batch from the events, so are the cards.

use super::{
    Moment,
    promises::{Broken, Promise},
};
use domain::{
    ids::TenantId,
    loyalty::{
        card::{CardNo, TicketId},
        points::Points,
        trans::{Effect, Place, Trans, TransKind, TransNo, TransState},
    },
    money::Fen,
};
use std::collections::{BTreeMap, BTreeSet};

/// A message that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it asks for.
    pub kind: TransKind,
    /// The card; none where it is about none.
    pub card: Option<CardNo>,
    /// What it spends or gives back, where its terminal knows that.
    pub moves: Option<Moves>,
    /// What its terminal was told.
    pub heard: Heard,
}

/// What a message says that it spends, or that it takes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// In points, at their value.
    pub point_amount: Fen,
    /// In cash.
    pub cash: Fen,
    /// In pieces of tickets and vouchers.
    pub pieces: BTreeMap<TicketId, i64>,
}

/// What a terminal was told of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing yet: it stands or not.
    Nothing,
    /// It is carried out.
    Approved {
        /// The number it was told, of a message that has one.
        number: Option<TransNo>,
        /// Points used and earned, or those that went back, where it was told them.
        points: Option<(Points, Points)>,
    },
    /// It is refused.
    Refused,
    /// Its reversal is through: it does not stand.
    Undone,
}

type Key = (TenantId, Place);

/// The messages of terminals, by what makes them the same message.
pub(super) type Messages = BTreeMap<Key, Message>;

/// Holds events against messages.
pub(super) struct Judged<'a> {
    messages: &'a Messages,
    moment: Moment,
    /// The terminals whose messages were noted.
    terminals: BTreeSet<(TenantId, i64)>,
    found: BTreeSet<Key>,
    broken: Vec<Broken>,
}

impl<'a> Judged<'a> {
    pub fn new(messages: &'a Messages, moment: Moment) -> Self {
        let terminals = messages.keys();
        Self {
            messages,
            moment,
            terminals: terminals.map(|(of, at)| (*of, at.terminal())).collect(),
            found: BTreeSet::new(),
            broken: Vec::new(),
        }
    }

    pub fn check(&mut self, trans: &Trans) {
        let Some(place) = trans.place else { return };
        if !self.terminals.contains(&(trans.tenant, place.terminal())) {
            return;
        }
        let key = (trans.tenant, place);
        if !self.found.insert(key) {
            self.add(Promise::NumberOnce, key, format!("there twice: {trans:?}"));
        }
        let wrong = match self.messages.get(&key) {
            Some(message) => message.promise_broken_by(trans),
            None => Some(Promise::Asked),
        };
        if let Some(promise) = wrong {
            let told = self.messages.get(&key);
            self.add(promise, key, format!("{told:?}, but it is {trans:?}"));
        }
    }

    /// Checks what only the whole shows.
    pub fn finish(mut self) -> Vec<Broken> {
        let mut numbers: BTreeMap<(TenantId, TransNo), Key> = BTreeMap::new();
        for (key, message) in self.messages {
            if message.heard.promises() && !self.found.contains(key) {
                self.add(
                    Promise::Recorded,
                    *key,
                    format!("{message:?}, and not there"),
                );
            }
            if message.heard == Heard::Nothing && self.moment == Moment::AtRest {
                self.add(Promise::AtRest, *key, format!("{message:?} has no end"));
            }
            let number = message.heard.number().map(|it| (key.0, it));
            let earlier = number.and_then(|it| numbers.insert(it, *key));
            if let Some((_, place)) = earlier {
                let found = format!("was told the number of message {}", place.get());
                self.add(Promise::SerialOnce, *key, found);
            }
        }
        self.broken
    }

    fn add(&mut self, promise: Promise, (tenant, place): Key, found: String) {
        self.broken.push(Broken {
            promise,
            subject: format!("message {} of tenant {}", place.get(), tenant.0),
            found,
        });
    }
}

impl Heard {
    const fn promises(self) -> bool {
        match self {
            Self::Approved { .. } => true,
            Self::Nothing | Self::Refused | Self::Undone => false,
        }
    }

    const fn number(self) -> Option<TransNo> {
        match self {
            Self::Approved { number, .. } => number,
            Self::Nothing | Self::Refused | Self::Undone => None,
        }
    }
}

impl Message {
    /// The promise to its terminal that the event in its place breaks.
    fn promise_broken_by(&self, trans: &Trans) -> Option<Promise> {
        let stands = match trans.state {
            TransState::Approved | TransState::GivenBack(_) => true,
            TransState::Declined(_) | TransState::Reversed(_) | TransState::Tombstone => false,
        };
        let is_asked = self.kind == trans.kind && (!stands || self.is_about(trans));
        if !is_asked {
            return Some(Promise::Asked);
        }
        match self.heard {
            Heard::Nothing => None,
            Heard::Approved { number, points } => {
                let numbered = number.is_none() || number == trans.number;
                let moved = (trans.effect.points_used(), trans.effect.earned);
                let is_told = numbered && points.is_none_or(|it| it == moved);
                (!stands || !is_told).then_some(Promise::Recorded)
            }
            Heard::Refused => stands.then_some(Promise::Asked),
            Heard::Undone => stands.then_some(Promise::Undone),
        }
    }

    /// Whether the event is on its card and moved what it says.
    fn is_about(&self, trans: &Trans) -> bool {
        let same_moves = |it: &Moves| *it == Moves::of(&trans.effect);
        self.card == trans.card && self.moves.as_ref().is_none_or(same_moves)
    }
}

impl Moves {
    pub(super) fn of(effect: &Effect) -> Self {
        let mut pieces = BTreeMap::new();
        for it in &effect.tickets {
            *pieces.entry(it.ticket()).or_default() += it.pieces;
        }
        Self {
            point_amount: effect.point_amount,
            cash: effect.cash,
            pieces,
        }
    }
}
