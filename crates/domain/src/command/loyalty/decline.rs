//! Messages that were found wrong before anything of the card was decided.

use super::{Answer, Message, desk::Desk};
use crate::{
    command::Command,
    loyalty::{
        card::CardNo,
        trans::{Refusal, Trans, TransKind},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Refuses a message for what was found wrong with it on the way here, and records that: a terminal
/// that sends it again hears the same, and nothing else can come under its number.
#[derive(Clone, Debug)]
pub struct Decline {
    /// The message.
    pub message: Message,
    /// What it would have made.
    pub kind: TransKind,
    /// The card it names, if that is a card's number.
    pub card: Option<CardNo>,
    /// What is wrong with it.
    pub refusal: Refusal,
}

impl Command for Decline {
    type Reply = Answer;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let opened = Desk::open(&self.message, self.kind, rows, now);
        Ok(opened.map_or_else(
            |answer| answer,
            |desk| {
                let trans = Trans {
                    card: self.card.clone(),
                    ..desk.trans()
                };
                desk.decline(rows, trans, self.refusal)
            },
        ))
    }
}
