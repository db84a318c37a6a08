//! One of the things that may have become of a sale, and what may come of it.

use super::{Code, Kind, Op, Said};
use crate::simulate::voucher::code::Stand;
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

impl Back {
    /// Whether the money is not on its way back to where it was.
    const fn may_stay(self) -> bool {
        match self {
            Self::Unanswered | Self::Accepted | Self::Done => true,
            Self::Refused | Self::AcceptedThenRefused => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Given {
    number: u8,
    /// What was asked for.
    fen: i64,
    /// Of that, what comes back through the channel.
    of_channel: i64,
    /// Whether the use of the code comes back with it.
    with_code: bool,
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
    /// Closed, because its code could not pay any more.
    code_gone: bool,
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
        code_gone: false,
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
    pub fn begin(&self, op: Op, kind: Kind) -> Vec<(Self, Phase)> {
        let says = |said| vec![(self.clone(), Phase::Says(said))];
        match op {
            Op::Pay { fen } if self.money == Money::Absent => self.begin_pay(fen, kind),
            Op::Pay { fen } if kind.replays && fen == self.fen => {
                vec![(self.clone(), Phase::Begun)]
            }
            Op::Pay { .. } => says(Said::Repeat),
            Op::Query => says(
                self.shown()
                    .map_or(Said::Nonexistent, |it| Said::State(it.code())),
            ),
            Op::Refund { number, fen } => match self.refund(number, fen, kind) {
                Ok(given) => vec![(self.giving(given), Phase::Begun)],
                Err(said) => says(said),
            },
            Op::Cancel => match self.shown() {
                None => says(Said::Nonexistent),
                Some(Shown::Unpaid) => {
                    vec![(self.becoming(Money::Cancelled), Phase::Says(Said::Success))]
                }
                Some(Shown::Paid) => vec![(self.giving(self.whole(kind)), Phase::Begun)],
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

    /// It is new; whether its code can pay, the code's own model knows.
    fn begin_pay(&self, fen: i64, kind: Kind) -> Vec<(Self, Phase)> {
        let begun = |money| Self {
            fen,
            ..self.becoming(money)
        };
        let refused = (self.clone(), Phase::Says(Said::NoCode));
        let worth = match kind.code {
            Code::None => return vec![(begun(Money::Open), Phase::Begun)],
            Code::Useless => return vec![refused],
            Code::Worth { fen } => fen,
        };
        let gone = Self {
            code_gone: true,
            ..begun(Money::Closed)
        };
        let taken = if worth < fen {
            (begun(Money::Open), Phase::Begun)
        } else {
            // The channel has nothing to do.
            (begun(Money::Paid), Phase::Says(Said::Success))
        };
        vec![refused, (gone, Phase::Says(Said::CodeGone)), taken]
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

    fn giving(&self, given: Given) -> Self {
        let mut next = self.clone();
        next.given.push(given);
        if given.of_channel > 0 {
            return next;
        }
        // Nobody has to be asked.
        next.given_back(self.given.len(), Back::Done)
    }

    /// All of it, by a cancellation.
    fn whole(&self, kind: Kind) -> Given {
        Given {
            number: WHOLE,
            fen: self.fen,
            of_channel: self.fen - self.code_pays(kind),
            with_code: self.code_is_used(kind),
            back: Back::Unanswered,
        }
    }

    /// A refund that is new and possible, or what else it is told.
    fn refund(&self, number: u8, fen: i64, kind: Kind) -> Result<Given, Said> {
        if let Some(earlier) = self.given.iter().find(|it| it.number == number) {
            return Err(match earlier.back {
                _ if earlier.fen != fen => Said::Repeat,
                Back::Refused => Said::Fail,
                Back::Unanswered | Back::Accepted | Back::Done | Back::AcceptedThenRefused => {
                    Said::Success
                }
            });
        }
        match self.money {
            Money::Absent => return Err(Said::Nonexistent),
            Money::Open | Money::Closed => return Err(Said::Fail),
            Money::Cancelled => return Err(Said::Revoked),
            Money::Paid => {}
        }
        let with_code = self.code_is_used(kind);
        let of_code = if with_code { self.code_pays(kind) } else { 0 };
        let of_channel = self.fen - self.code_pays(kind) - self.gone();
        // What a code paid comes back whole, with the rest.
        let is_rest = fen == of_channel + of_code;
        if !is_rest && fen > of_channel {
            return Err(Said::Amount);
        }
        Ok(Given {
            number,
            fen,
            of_channel: if is_rest { of_channel } else { fen },
            with_code: is_rest && with_code,
            back: Back::Unanswered,
        })
    }

    /// What its code pays of it.
    fn code_pays(&self, kind: Kind) -> i64 {
        match kind.code {
            Code::None | Code::Useless => 0,
            Code::Worth { fen } => fen.min(self.fen),
        }
    }

    /// Whether it has used its code, and that did not go back and is not on its way.
    fn code_is_used(&self, kind: Kind) -> bool {
        let has_code = matches!(kind.code, Code::Worth { .. });
        let goes = |it: &Given| it.with_code && it.back.may_stay();
        has_code && !self.given.iter().any(goes)
    }

    /// What may have become of the use of its code.
    pub fn stands(&self) -> &'static [Stand] {
        let is_back = |it: &Given| it.with_code && it.back == Back::Done;
        match self.money {
            Money::Absent => &[Stand::Asked],
            Money::Open => &[Stand::Held],
            Money::Paid | Money::Cancelled if self.given.iter().any(is_back) => &[Stand::Back],
            Money::Paid => &[Stand::Used],
            Money::Closed if self.code_gone => &[Stand::Free],
            // Until the channel has confirmed that nothing is charged.
            Money::Cancelled | Money::Closed => &[Stand::Held, Stand::Free],
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
            Money::Closed if self.code_gone => Some(Said::CodeGone),
            Money::Cancelled | Money::Closed => Some(Said::Fail),
            Money::Absent => None,
        }
    }

    fn sum(&self, counts: impl Fn(Back) -> bool) -> i64 {
        let given = self.given.iter().filter(|it| counts(it.back));
        given.map(|it| it.fen).sum()
    }

    /// What went back through the channel, or is on its way.
    fn gone(&self) -> i64 {
        let given = self.given.iter().filter(|it| it.back.may_stay());
        given.map(|it| it.of_channel).sum()
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
