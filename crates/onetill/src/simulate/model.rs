//! What may have become of one sale, as its merchant can tell: a small set of states.
//!
//! A request takes effect at some time between its sending and its reply, and one without a reply
//! at any time after, or never; what channels do by themselves happens at any time. The model
//! keeps every state that some order of all this leads to. A reply narrows the set to the states
//! that explain it; a reply that none explains is a contradiction.

mod state;
#[cfg(test)]
mod tests;

use super::voucher::code::Stand;
use state::{Phase, State};
use std::collections::{BTreeMap, BTreeSet};

/// Something asked about a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Collect it.
    Pay {
        /// How much.
        fen: i64,
    },
    /// What became of it?
    Query,
    /// Give back a part.
    Refund {
        /// The merchant's number of the refund.
        number: u8,
        /// How much.
        fen: i64,
    },
    /// Cancel it.
    Cancel,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// SUCCESS of anything but a query.
    Success,
    /// SUCCESS of a query, and the state it shows.
    State(u8),
    /// Refused or declined.
    Fail,
    /// The number was used before.
    Repeat,
    /// It is cancelled.
    Revoked,
    /// More than what is left.
    Amount,
    /// There is no such payment.
    Nonexistent,
    /// The store is down, nothing was recorded.
    NotRecorded,
    /// Nobody knows.
    Unknown,
    /// Its code cannot pay, and nothing was recorded.
    NoCode,
    /// Its code could not pay any more when it was recorded: it is closed.
    CodeGone,
}

/// How a sale is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// By the payer's code; else by a page that the payer pays.
    pub by_code: bool,
    /// Identical requests get the first one's answer.
    pub replays: bool,
    /// The code of a voucher that is to pay a part.
    pub code: Code,
}

/// What a till names for a voucher's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nothing.
    None,
    /// What never pays: no code, or one that would leave nothing for an order's payer to do.
    Useless,
    /// A code, which may pay if it is good.
    Worth {
        /// What one use pays.
        fen: i64,
    },
}

/// More states than this, and so much is asked at once that a sale is not followed any more.
const STATES_MAX: usize = 50_000;

/// All that may have become of a sale.
#[derive(Debug)]
pub struct Model {
    kind: Kind,
    states: BTreeSet<State>,
    ops: BTreeMap<u32, Op>,
    /// Requests whose replies nobody waits for any more.
    unanswered: BTreeSet<u32>,
    next: u32,
    /// Too much was asked at once: it is not followed any more.
    is_lost: bool,
}

impl Model {
    /// A sale that nobody asked for yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            states: BTreeSet::from([State::NOTHING]),
            ops: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            next: 0,
            is_lost: false,
        }
    }

    /// A request is sent.
    pub fn sent(&mut self, op: Op) -> u32 {
        let id = self.next;
        self.next += 1;
        self.ops.insert(id, op);
        let states = std::mem::take(&mut self.states).into_iter();
        self.states = states
            .map(|mut state| {
                state.flights.insert(id, Phase::Sent);
                state
            })
            .collect();
        id
    }

    /// The request surely did not arrive.
    pub fn withdrawn(&mut self, id: u32) {
        self.keep(id, |phase| phase == Phase::Sent);
    }

    /// Nobody waits for the reply any more; the request may still take effect.
    pub fn left(&mut self, id: u32) {
        self.unanswered.insert(id);
        let states = std::mem::take(&mut self.states).into_iter();
        let left = states.map(|mut state| {
            let sent = |it: &u32, phase: &mut Phase| *it != id || *phase == Phase::Sent;
            state.flights.retain(sent);
            self.without_idle(state)
        });
        self.states = left.collect();
    }

    /// The state without requests that nobody waits for and that can change nothing any more.
    fn without_idle(&self, mut state: State) -> State {
        let mut flights = std::mem::take(&mut state.flights);
        flights.retain(|id, _| {
            let op = self.ops.get(id).filter(|_| self.unanswered.contains(id));
            op.is_none_or(|op| state.may_change_by(*op))
        });
        state.flights = flights;
        state
    }

    /// A reply came.
    ///
    /// # Errors
    /// When no state explains it; the text says what would have been explained.
    pub fn answered(&mut self, id: u32, said: Said) -> Result<(), String> {
        self.spread();
        if self.is_lost {
            return Ok(());
        }
        let phases = self.states.iter().filter_map(|it| it.flights.get(&id));
        let expected: BTreeSet<Phase> = phases.copied().collect();
        match said {
            Said::Unknown => self.keep(id, |_| true),
            Said::NotRecorded => self.keep(id, |phase| phase == Phase::Sent),
            Said::Success
            | Said::State(_)
            | Said::Fail
            | Said::Repeat
            | Said::Revoked
            | Said::Amount
            | Said::Nonexistent
            | Said::NoCode
            | Said::CodeGone => self.keep(id, |phase| phase == Phase::Says(said)),
        }
        if self.states.is_empty() {
            return Err(format!(
                "{said:?} is explained by no order; {expected:?} would be"
            ));
        }
        Ok(())
    }

    /// Whether so much was asked at once that the sale could not be followed to its end; what it
    /// was told is held against the rows all the same.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// What may have become of the use of its code; `None` when it is not followed any more.
    #[must_use]
    pub fn stands(&self) -> Option<BTreeSet<Stand>> {
        let stands = self.states.iter().flat_map(State::stands);
        (!self.is_lost).then(|| stands.copied().collect())
    }

    /// Keeps the states whose request `id` is in a phase that explains its end, which ends it.
    fn keep(&mut self, id: u32, explains: impl Fn(Phase) -> bool) {
        let states = std::mem::take(&mut self.states).into_iter();
        let explained = states.filter_map(|mut state| {
            let phase = state.flights.remove(&id)?;
            explains(phase).then_some(state)
        });
        self.states = explained.collect();
        self.ops.remove(&id);
    }

    /// Adds every state that may have come of those there are.
    fn spread(&mut self) {
        let mut frontier: Vec<State> = self.states.iter().cloned().collect();
        while let Some(state) = frontier.pop() {
            if self.states.len() > STATES_MAX {
                self.is_lost = true;
                self.states.clear();
                return;
            }
            for next in self.successors(&state) {
                let next = self.without_idle(next);
                if self.states.insert(next.clone()) {
                    frontier.push(next);
                }
            }
        }
    }

    fn successors(&self, state: &State) -> Vec<State> {
        let mut next = state.by_itself(self.kind);
        for (id, phase) in &state.flights {
            let Some(op) = self.ops.get(id) else { continue };
            match phase {
                Phase::Sent => {
                    let begun = state.begin(*op, self.kind).into_iter();
                    next.extend(begun.map(|(after, phase)| self.landed(after, *id, phase)));
                }
                Phase::Begun => {
                    let said = state.look(*op, self.kind).into_iter();
                    next.extend(said.map(|said| state.clone().with(*id, Phase::Says(said))));
                }
                Phase::Says(_) => {}
            }
        }
        next
    }

    /// The state with request `id` in `phase`; where nobody waits for it, it is over.
    fn landed(&self, mut state: State, id: u32, phase: Phase) -> State {
        if self.unanswered.contains(&id) {
            state.flights.remove(&id);
            state
        } else {
            state.with(id, phase)
        }
    }
}
