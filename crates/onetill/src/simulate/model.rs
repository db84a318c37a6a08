//! What may have become of one sale, as its merchant can tell: a small set of states.
//!
//! A request takes effect at some time between its sending and its reply, and one without a reply
//! at any time after, or never; what channels do by themselves happens at any time. The model
//! keeps every state that some order of all this leads to. A reply narrows the set to the states
//! that explain it; a reply that none explains is a contradiction.

use std::collections::{BTreeMap, BTreeSet};
use wire::opengateway::State as Shown;

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
}

/// How a sale is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// By the payer's code; else by a page that the payer pays.
    pub by_code: bool,
    /// Identical requests get the first one's answer.
    pub replays: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Money {
    Absent,
    Open,
    Paid,
    Cancelled,
    Closed,
}

/// How far a refund has come. What its first request is answered depends on when it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Back {
    Unanswered,
    Accepted,
    Done,
    Refused,
    AcceptedThenRefused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Given {
    number: u8,
    fen: i64,
    back: Back,
}

/// The number of the refund that a cancellation makes; merchants' own begin at 1.
const WHOLE: u8 = 0;

/// How far a request has come in the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Sent,
    Begun,
    Says(Said),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    money: Money,
    fen: i64,
    last_failed: bool,
    given: Vec<Given>,
    flights: BTreeMap<u32, Phase>,
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
        let nothing = State {
            money: Money::Absent,
            fen: 0,
            last_failed: false,
            given: Vec::new(),
            flights: BTreeMap::new(),
        };
        Self {
            kind,
            states: BTreeSet::from([nothing]),
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
            | Said::Nonexistent => self.keep(id, |phase| phase == Phase::Says(said)),
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
                    let (after, phase) = state.begin(*op, self.kind);
                    next.push(self.landed(after, *id, phase));
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

impl State {
    fn with(mut self, id: u32, phase: Phase) -> Self {
        self.flights.insert(id, phase);
        self
    }

    fn becoming(&self, money: Money) -> Self {
        Self {
            money,
            ..self.clone()
        }
    }

    /// What channels and the gateway's own work may make of it.
    fn by_itself(&self, kind: Kind) -> Vec<Self> {
        let mut next = Vec::new();
        if self.money == Money::Open {
            next.push(self.becoming(Money::Paid));
            next.push(self.becoming(Money::Closed));
            if kind.by_code {
                next.push(self.becoming(Money::Cancelled));
            }
        }
        for (index, given) in self.given.iter().enumerate() {
            let after: &[Back] = match given.back {
                Back::Unanswered => &[Back::Accepted, Back::Done, Back::Refused],
                Back::Accepted => &[Back::Done, Back::AcceptedThenRefused],
                Back::Done | Back::Refused | Back::AcceptedThenRefused => &[],
            };
            next.extend(after.iter().map(|back| self.given_back(index, *back)));
        }
        next
    }

    fn given_back(&self, index: usize, back: Back) -> Self {
        let mut next = self.clone();
        if let Some(given) = next.given.get_mut(index) {
            given.back = back;
            match back {
                Back::Done => {
                    next.last_failed = false;
                    if given.number == WHOLE {
                        next.money = Money::Cancelled;
                    }
                }
                Back::Refused | Back::AcceptedThenRefused => next.last_failed = true,
                Back::Unanswered | Back::Accepted => {}
            }
        }
        next
    }

    /// A request takes effect.
    fn begin(&self, op: Op, kind: Kind) -> (Self, Phase) {
        let says = |said| (self.clone(), Phase::Says(said));
        match op {
            Op::Pay { fen } if self.money == Money::Absent => {
                let begun = Self {
                    fen,
                    ..self.becoming(Money::Open)
                };
                (begun, Phase::Begun)
            }
            Op::Pay { fen } if kind.replays && fen == self.fen => (self.clone(), Phase::Begun),
            Op::Pay { .. } => says(Said::Repeat),
            Op::Query => says(
                self.shown()
                    .map_or(Said::Nonexistent, |it| Said::State(it.code())),
            ),
            Op::Refund { number, fen } => match self.refund(number, fen) {
                Some(said) => says(said),
                None => (self.giving(number, fen), Phase::Begun),
            },
            Op::Cancel => match self.shown() {
                None => says(Said::Nonexistent),
                Some(Shown::Unpaid) => {
                    (self.becoming(Money::Cancelled), Phase::Says(Said::Success))
                }
                Some(Shown::Paid) => (self.giving(WHOLE, self.fen), Phase::Begun),
                Some(Shown::Cancelled) => says(Said::Revoked),
                Some(
                    Shown::CancelRequested
                    | Shown::PartlyRefunded
                    | Shown::Refunded
                    | Shown::Closed
                    | Shown::Reserved
                    | Shown::Refunding
                    | Shown::RefundFailed,
                ) => says(Said::Fail),
            },
        }
    }

    /// Whether a request may ever take effect here.
    fn may_change_by(&self, op: Op) -> bool {
        let is_over = matches!(self.money, Money::Cancelled | Money::Closed);
        match op {
            Op::Pay { .. } => self.money == Money::Absent,
            Op::Query => false,
            Op::Refund { number, .. } => {
                !is_over && !self.given.iter().any(|it| it.number == number)
            }
            // A cancellation needs an open payment, or a paid one of which nothing went back.
            Op::Cancel => !is_over && self.given.is_empty(),
        }
    }

    fn giving(&self, number: u8, fen: i64) -> Self {
        let mut next = self.clone();
        let back = Back::Unanswered;
        next.given.push(Given { number, fen, back });
        next
    }

    /// What a refund is told that is not new, or not possible.
    fn refund(&self, number: u8, fen: i64) -> Option<Said> {
        if let Some(earlier) = self.given.iter().find(|it| it.number == number) {
            return Some(match earlier.back {
                _ if earlier.fen != fen => Said::Repeat,
                Back::Refused => Said::Fail,
                Back::Unanswered | Back::Accepted | Back::Done | Back::AcceptedThenRefused => {
                    Said::Success
                }
            });
        }
        match self.money {
            Money::Absent => Some(Said::Nonexistent),
            Money::Open | Money::Closed => Some(Said::Fail),
            Money::Cancelled => Some(Said::Revoked),
            Money::Paid => (fen > self.fen - self.gone()).then_some(Said::Amount),
        }
    }

    /// What a request that has begun may be told, as things stand.
    fn look(&self, op: Op, kind: Kind) -> Vec<Said> {
        let number = match op {
            Op::Pay { .. } => return self.collected(kind).into_iter().collect(),
            Op::Query => return Vec::new(),
            Op::Refund { number, .. } => number,
            Op::Cancel => WHOLE,
        };
        let given = self.given.iter().find(|it| it.number == number);
        match given.map(|it| it.back) {
            Some(Back::Accepted | Back::Done) => vec![Said::Success],
            Some(Back::Refused) => vec![Said::Fail],
            // Its own request is told how it stands, a later one what came first.
            Some(Back::AcceptedThenRefused) => vec![Said::Success, Said::Fail],
            Some(Back::Unanswered) | None => Vec::new(),
        }
    }

    fn collected(&self, kind: Kind) -> Option<Said> {
        match self.money {
            Money::Paid => Some(Said::Success),
            Money::Open => (!kind.by_code).then_some(Said::Success),
            Money::Cancelled | Money::Closed => Some(Said::Fail),
            Money::Absent => None,
        }
    }

    fn sum(&self, counts: impl Fn(Back) -> bool) -> i64 {
        let given = self.given.iter().filter(|it| counts(it.back));
        given.map(|it| it.fen).sum()
    }

    fn gone(&self) -> i64 {
        self.sum(|back| !matches!(back, Back::Refused | Back::AcceptedThenRefused))
    }

    /// The state that a query shows.
    fn shown(&self) -> Option<Shown> {
        Some(match self.money {
            Money::Absent => return None,
            Money::Open => Shown::Unpaid,
            Money::Cancelled => Shown::Cancelled,
            Money::Closed => Shown::Closed,
            Money::Paid => {
                let under_way = self.sum(|it| matches!(it, Back::Unanswered | Back::Accepted));
                let back = self.sum(|it| it == Back::Done);
                if under_way > 0 {
                    Shown::Refunding
                } else if back >= self.fen {
                    Shown::Refunded
                } else if self.last_failed {
                    Shown::RefundFailed
                } else if back > 0 {
                    Shown::PartlyRefunded
                } else {
                    Shown::Paid
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAY: Op = Op::Pay { fen: 100 };
    const REFUND: Op = Op::Refund { number: 1, fen: 60 };

    /// A sale whose requests were answered so, one after the other.
    fn told(kind: Kind, replies: &[(Op, Said)]) -> Result<Model, String> {
        let mut model = Model::new(kind);
        for (op, said) in replies {
            let id = model.sent(*op);
            model.answered(id, *said)?;
        }
        Ok(model)
    }

    const BY_CODE: Kind = Kind {
        by_code: true,
        replays: false,
    };

    fn shown(state: Shown) -> Said {
        Said::State(state.code())
    }

    #[test]
    fn what_can_be_is_explained() {
        for replies in [
            &[(PAY, Said::Success), (Op::Query, shown(Shown::Paid))] as &[_],
            &[(PAY, Said::Fail), (Op::Query, shown(Shown::Closed))],
            &[
                (PAY, Said::NotRecorded),
                (PAY, Said::Success),
                (PAY, Said::Repeat),
            ],
            &[(PAY, Said::Unknown), (Op::Query, Said::Nonexistent)],
            &[
                (PAY, Said::Success),
                (REFUND, Said::Success),
                (REFUND, Said::Success),
            ],
            &[
                (PAY, Said::Success),
                (REFUND, Said::Fail),
                (REFUND, Said::Fail),
            ],
            &[
                (PAY, Said::Success),
                (Op::Cancel, Said::Success),
                (Op::Cancel, Said::Fail),
            ],
            &[
                (PAY, Said::Success),
                (Op::Cancel, Said::Success),
                (Op::Cancel, Said::Revoked),
            ],
        ] {
            assert!(told(BY_CODE, replies).is_ok(), "{replies:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_a_contradiction() {
        for replies in [
            &[(Op::Query, shown(Shown::Paid))] as &[_],
            &[(PAY, Said::Success), (Op::Query, Said::Nonexistent)],
            &[(PAY, Said::Success), (Op::Query, shown(Shown::Closed))],
            &[(PAY, Said::Success), (PAY, Said::Success)],
            &[(PAY, Said::Fail), (Op::Query, shown(Shown::Paid))],
            &[(PAY, Said::NotRecorded), (Op::Query, shown(Shown::Paid))],
            &[
                (PAY, Said::Success),
                (Op::Query, shown(Shown::PartlyRefunded)),
            ],
            &[
                (PAY, Said::Success),
                (
                    Op::Refund {
                        number: 1,
                        fen: 101,
                    },
                    Said::Success,
                ),
            ],
            &[
                (PAY, Said::Success),
                (REFUND, Said::Success),
                (Op::Refund { number: 2, fen: 60 }, Said::Success),
                (Op::Query, shown(Shown::Refunded)),
            ],
            &[
                (PAY, Said::Success),
                (REFUND, Said::Success),
                (REFUND, Said::Repeat),
            ],
        ] {
            let wrong = told(BY_CODE, replies);
            assert!(wrong.is_err(), "{replies:?}");
        }
    }

    #[test]
    fn a_request_without_a_reply_may_have_happened_or_not_until_a_reply_tells() {
        let seen = |state| {
            let mut model = told(BY_CODE, &[(PAY, Said::Success)]).unwrap();
            let lost = model.sent(REFUND);
            model.left(lost);
            let id = model.sent(Op::Query);
            model.answered(id, state).map(|()| model)
        };
        assert!(seen(shown(Shown::Paid)).is_ok());
        let mut known = seen(shown(Shown::PartlyRefunded)).unwrap();
        let id = known.sent(Op::Query);
        assert!(known.answered(id, shown(Shown::Paid)).is_err());
    }

    #[test]
    fn requests_at_the_same_time_are_taken_in_any_order() {
        let mut model = told(BY_CODE, &[(PAY, Said::Success)]).unwrap();
        let (refund, cancel) = (model.sent(REFUND), model.sent(Op::Cancel));
        model.answered(refund, Said::Amount).unwrap();
        model.answered(cancel, Said::Success).unwrap();
        let mut model = told(BY_CODE, &[(PAY, Said::Success)]).unwrap();
        let (refund, cancel) = (model.sent(REFUND), model.sent(Op::Cancel));
        model.answered(refund, Said::Success).unwrap();
        // Both were accepted, so the channel refuses one of them later: the cancellation.
        model.answered(cancel, Said::Success).unwrap();
        let id = model.sent(Op::Query);
        assert!(model.answered(id, shown(Shown::Cancelled)).is_err());
    }
}
