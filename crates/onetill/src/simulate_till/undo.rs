//! What a terminal does about a message without an answer: reversals, until they are through, or
//! the same message again.

use super::{
    cashier::{Cashier, fate},
    line::{Heard, Patience},
};
use crate::till::{Fate, Message, Till};
use wire::jpos::{Reply, Status};

impl Cashier {
    /// Reverses the last message until that is through, over the same bad line. Where it is known
    /// what must come out, anything else disagrees.
    pub(super) async fn undo(&mut self, expected: Option<Status>) -> Result<(), String> {
        let reversal = self.made(|till| till.reverse())?;
        let mut patience = Patience::new();
        loop {
            self.line.tally.reversal_requests += 1;
            let reply = match self.line.say(&reversal).await? {
                Heard::Answer(reply) => reply,
                Heard::AnswerLost(_) | Heard::RequestLost => continue,
                Heard::Broken(why) => {
                    patience.wait(&why).await?;
                    continue;
                }
            };
            let status = reply.outcome.status();
            if expected.is_some_and(|it| it != status) {
                let wanted = expected.map_or("", Status::code);
                let text = self.refused("a reversal", &reply);
                self.line.tally.disagree(format!("{text}, not {wanted}"));
            }
            if self.till.reversed(status) {
                self.line.tally.reversed += 1;
                return Ok(());
            }
            patience.wait(&self.refused("a reversal", &reply)).await?;
        }
    }

    /// Sends the last message again, as it was: the answer must be what it really was.
    pub(super) async fn repeat(&mut self, really: &Reply) -> Result<(), String> {
        let message = self.made(|till: &mut Till| till.repeat())?;
        self.line.tally.repeated += 1;
        let reply = self.line.ask(&message).await?;
        let is_same = reply.outcome == really.outcome && reply.body == really.body;
        if !is_same && fate(really) != Fate::Unknown {
            let text = self.refused("a repeated message", &reply);
            self.line.tally.disagree(format!("{text}, not as before"));
        }
        if fate(&reply) == Fate::Unknown {
            return self.undo(None).await;
        }
        self.take(&reply);
        Ok(())
    }

    /// Now and then a message arrives after its reversal: it must not be carried out.
    pub(super) async fn arrive_late(&mut self, message: &Message) -> Result<(), String> {
        if self.dice.per_mille(500) {
            return Ok(());
        }
        self.line.tally.late += 1;
        let reply = self.line.ask(message).await?;
        if fate(&reply) == Fate::Done {
            let text = self.refused("a message after its reversal", &reply);
            self.line.tally.disagree(text);
        }
        Ok(())
    }
}
