//! The messages of a terminal as one type, so that tests can put them in any order.

use domain::{
    command::{
        Command,
        loyalty::{
            Activate, Answer, Consume, GiveBack, Message, Reverse, Settle, SettleDetails,
            TicketsConsume,
        },
    },
    ids::Serial,
    loyalty::program::Rules,
    rows::{Plan, Rows},
    time::UnixMs,
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// A message of a terminal.
#[derive(Clone)]
pub enum Ask {
    Consume(Consume),
    Tickets(TicketsConsume),
    GiveBack(GiveBack),
    Reverse(Reverse),
    Activate(Activate),
    Settle(Settle),
    Details(SettleDetails),
}

impl Ask {
    pub fn message(&mut self) -> &mut Message {
        match self {
            Self::Consume(it) => &mut it.message,
            Self::Tickets(it) => &mut it.message,
            Self::GiveBack(it) => &mut it.message,
            Self::Reverse(it) => &mut it.message,
            Self::Activate(it) => &mut it.message,
            Self::Settle(it) => &mut it.message,
            Self::Details(it) => &mut it.message,
        }
    }

    /// The program it is decided by.
    pub fn rules(&self) -> Arc<Rules> {
        match self {
            Self::Consume(it) => it.rules.clone(),
            Self::Tickets(it) => it.rules.clone(),
            Self::GiveBack(it) => it.rules.clone(),
            Self::Reverse(it) => it.rules.clone(),
            Self::Activate(_) | Self::Settle(_) | Self::Details(_) => panic!("it needs none"),
        }
    }

    /// Sets the digest of what it says, as the wire's side does.
    pub fn digest(&mut self) {
        let text = match self {
            Self::Consume(it) => format!(
                "{:?} {:?} {:?} {:?}",
                it.card, it.point_amount, it.cash, it.vouchers
            ),
            Self::Tickets(it) => format!("{:?} {:?}", it.card, it.tickets),
            Self::GiveBack(it) => format!("{:?} {:?} {:?}", it.kind, it.card, it.original),
            Self::Reverse(it) => format!("{:?} {:?} {:?}", it.reverses, it.card, it.amounts),
            Self::Activate(it) => format!("{:?} {} {}", it.card, it.mobile, it.code_digest),
            Self::Settle(it) => format!("{:?}", it.totals),
            Self::Details(it) => format!("{:?} {}", it.totals, it.lines.len()),
        };
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.message().content = u128::from(hasher.finish());
    }

    /// Brings an event along that was missing.
    pub fn bring(&mut self, serial: Serial) {
        match self {
            Self::GiveBack(it) => it.needs.push(serial),
            Self::Reverse(it) => it.needs.push(serial),
            Self::Consume(_)
            | Self::Tickets(_)
            | Self::Activate(_)
            | Self::Settle(_)
            | Self::Details(_) => panic!("it is about no other event"),
        }
    }

    pub fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        match self {
            Self::Consume(it) => it.plan(plan),
            Self::Tickets(it) => it.plan(plan),
            Self::GiveBack(it) => it.plan(plan),
            Self::Reverse(it) => it.plan(plan),
            Self::Activate(it) => it.plan(plan),
            Self::Settle(it) => it.plan(plan),
            Self::Details(it) => it.plan(plan),
        }
    }

    pub fn decide(&self, rows: &mut Rows, now: UnixMs) -> Answer {
        let answer = match self {
            Self::Consume(it) => it.decide(rows, now),
            Self::Tickets(it) => it.decide(rows, now),
            Self::GiveBack(it) => it.decide(rows, now),
            Self::Reverse(it) => it.decide(rows, now),
            Self::Activate(it) => it.decide(rows, now),
            Self::Settle(it) => it.decide(rows, now),
            Self::Details(it) => it.decide(rows, now),
        };
        answer.unwrap()
    }
}

macro_rules! ask_from {
    ($($variant:ident: $command:ty),* $(,)?) => {
        $(impl From<$command> for Ask {
            fn from(command: $command) -> Self {
                Self::$variant(command)
            }
        })*
    };
}

ask_from! {
    Consume: Consume,
    Tickets: TicketsConsume,
    GiveBack: GiveBack,
    Reverse: Reverse,
    Activate: Activate,
    Settle: Settle,
    Details: SettleDetails,
}
