//! One of the things that may have become of a sale, and what may come of it.

use super::{Kind, Op, Said};
use std::collections::BTreeMap;
use wire::opengateway::State as Shown;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Money {
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
pub(super) enum Phase {
    Sent,
    Begun,
    Says(Said),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    money: Money,
    fen: i64,
    last_failed: bool,
    given: Vec<Given>,
    /// Requests whose replies are waited for, or that may still take effect.
    pub flights: BTreeMap<u32, Phase>,
}

impl State {
    /// Nobody asked for anything yet.
    pub const NOTHING: Self = Self {
        money: Money::Absent,
        fen: 0,
        last_failed: false,
        given: Vec::new(),
        flights: BTreeMap::new(),
    };

    pub fn with(mut self, id: u32, phase: Phase) -> Self {
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
    pub fn by_itself(&self, kind: Kind) -> Vec<Self> {
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
    pub fn begin(&self, op: Op, kind: Kind) -> (Self, Phase) {
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
    pub fn may_change_by(&self, op: Op) -> bool {
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
    pub fn look(&self, op: Op, kind: Kind) -> Vec<Said> {
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
