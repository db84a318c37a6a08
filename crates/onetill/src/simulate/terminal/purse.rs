//! What cards may hold, as their terminals can tell: a message under way has happened or not, so
//! a card's points lie between two bounds. They meet as soon as nothing is under way.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A message under way: the terminal's index, and its own count.
pub type Id = (i64, u64);

/// The points of cards, in hundredths.
pub struct Purses(Mutex<BTreeMap<String, Purse>>);

/// One card's.
#[derive(Default)]
struct Purse {
    low: i64,
    high: i64,
    open: BTreeMap<Id, Open>,
}

/// A message under way on a card.
#[derive(Clone, Copy)]
struct Open {
    change: Bounds,
    seen: Bounds,
}

/// Two bounds and all between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The lower one.
    pub low: i64,
    /// The upper one.
    pub high: i64,
}

impl Bounds {
    /// This, and nothing else.
    #[must_use]
    pub const fn exactly(points: i64) -> Self {
        Self {
            low: points,
            high: points,
        }
    }

    /// Whether `points` lies between them.
    #[must_use]
    pub const fn contains(self, points: i64) -> bool {
        self.low <= points && points <= self.high
    }

    /// These, or nothing at all.
    fn or_nothing(self) -> Self {
        Self {
            low: self.low.min(0),
            high: self.high.max(0),
        }
    }
}

impl Purses {
    /// Cards with what each holds.
    pub fn new(cards: impl IntoIterator<Item = (String, i64)>) -> Self {
        let purse = |points| Purse {
            low: points,
            high: points,
            open: BTreeMap::new(),
        };
        let cards = cards.into_iter();
        Self(Mutex::new(
            cards.map(|(card, it)| (card, purse(it))).collect(),
        ))
    }

    /// A message is sent that changes a card's points within these bounds, or not at all.
    pub fn begin(&self, card: &str, id: Id, change: Bounds) {
        let change = change.or_nothing();
        self.at(card, |purse| {
            purse.low += change.low;
            purse.high += change.high;
            let (low, high) = (purse.low, purse.high);
            for open in purse.open.values_mut() {
                open.seen.low = open.seen.low.min(low);
                open.seen.high = open.seen.high.max(high);
            }
            let seen = Bounds { low, high };
            purse.open.insert(id, Open { change, seen });
        });
    }

    /// What the card may have held at some time since the message was sent, without what it did
    /// itself.
    pub fn held(&self, card: &str, id: Id) -> Bounds {
        self.at(card, |purse| match purse.open.get(&id) {
            Some(Open { change, seen }) => Bounds {
                low: seen.low - change.low,
                high: seen.high - change.high,
            },
            None => Bounds {
                low: purse.low,
                high: purse.high,
            },
        })
    }

    /// It is known what the message did.
    pub fn end(&self, card: &str, id: Id, changed: i64) {
        self.at(card, |purse| {
            if let Some(open) = purse.open.remove(&id) {
                purse.low += changed - open.change.low;
                purse.high += changed - open.change.high;
            }
        });
    }

    /// Each card with what it may hold now.
    pub fn all(&self) -> Vec<(String, Bounds)> {
        let bounds = |it: &Purse| Bounds {
            low: it.low,
            high: it.high,
        };
        let purses = self.purses();
        let all = purses.iter().map(|(card, it)| (card.clone(), bounds(it)));
        all.collect()
    }

    fn at<T>(&self, card: &str, work: impl FnOnce(&mut Purse) -> T) -> T {
        work(self.purses().entry(card.to_owned()).or_default())
    }

    fn purses(&self) -> MutexGuard<'_, BTreeMap<String, Purse>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "1";

    fn bounds(low: i64, high: i64) -> Bounds {
        Bounds { low, high }
    }

    #[test]
    fn a_message_under_way_widens_what_others_see() {
        let purses = Purses::new([(CARD.to_owned(), 100)]);
        purses.begin(CARD, (1, 1), Bounds::exactly(-30));
        assert_eq!(purses.held(CARD, (1, 1)), Bounds::exactly(100));
        purses.begin(CARD, (2, 1), Bounds::exactly(20));
        assert_eq!(purses.held(CARD, (1, 1)), bounds(100, 120));
        assert_eq!(purses.held(CARD, (2, 1)), bounds(70, 100));
        purses.end(CARD, (1, 1), -30);
        // It may have come before the other or after it.
        assert_eq!(purses.held(CARD, (2, 1)), bounds(70, 100));
        purses.end(CARD, (2, 1), 0);
        assert_eq!(purses.all(), [(CARD.to_owned(), Bounds::exactly(70))]);
    }

    #[test]
    fn what_may_change_either_way_is_bounded_on_both_sides() {
        let purses = Purses::new([(CARD.to_owned(), 100)]);
        purses.begin(CARD, (1, 1), bounds(-5, 10));
        assert_eq!(purses.all(), [(CARD.to_owned(), bounds(95, 110))]);
        assert!(bounds(95, 110).contains(110) && !bounds(95, 110).contains(111));
        purses.end(CARD, (1, 1), 10);
        assert_eq!(purses.all(), [(CARD.to_owned(), Bounds::exactly(110))]);
    }
}
