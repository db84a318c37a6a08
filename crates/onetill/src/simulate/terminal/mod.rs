//! A terminal of dialect 2 in bad times. Whatever gets lost, it sees each message to its end, as
//! terminals do: it asks again or reverses until that is through, checks in when it has to, and
//! settles. It holds the gateway to what it is told, by a model outside of it:
//!
//! - each card's points lie between bounds that follow from the messages alone ([`purse`]); an
//!   answer they do not explain is wrong, and so is what it says of the points ([`forecast`]);
//! - all answers to one message agree, and none carries out what was reversed ([`answers`]);
//! - a settlement balances, and so does a journal, line by line.
//!
//! | module | holds |
//! |---|---|
//! | [`wish`] | what its customers want |
//! | [`forecast`], [`purse`], [`answers`] | the model |
//! | [`verdict`] | what is made of an answer |
//! | [`undo`] | reversals |
//!
//! What it was told belongs in the store's gate, which holds the events against it.

pub mod answers;
pub mod forecast;
pub mod purse;
mod undo;
mod verdict;
pub mod wish;

use crate::{
    simulate::dice::Dice,
    simulate_till::roster::{Member, Seat},
    till::{Fate, Message, Till, TillError, told},
};
use answers::{Answers, is_decided};
use domain::{ids::TenantId, loyalty::trans::Place};
use forecast::Forecast;
use purse::{Id, Purses};
use std::{collections::BTreeMap, sync::Arc};
use store::gate::{self, Acknowledged, Heard};
use wire::jpos::{Body, Reply, Status};

/// The operator's number at all of them.
const OPERATOR: &str = "001";
/// How many of its messages a terminal can ask again.
const KEPT_MAX: usize = 24;

/// The way from a terminal to a gateway.
pub trait Line: Send {
    /// Sends a message; `place` is where it is recorded, for those that are answered alike as often
    /// as they are sent.
    fn send(
        &mut self,
        place: Option<Place>,
        message: &Message,
    ) -> impl Future<Output = Sent> + Send;

    /// Notes an event.
    fn log(&mut self, what: &str);

    /// Notes something that must not be.
    fn fail(&mut self, what: &str);
}

/// What became of a message that was sent.
pub struct Sent {
    /// The answer, if one came.
    pub reply: Option<Box<Reply>>,
    /// A copy of it may be carried out whose answer this is not.
    pub may_be_more: bool,
}

/// No gateway said how the last message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away;

/// What all terminals of a run know together.
pub struct Model {
    /// The cards' points.
    pub purses: Purses,
    /// The answers to all messages.
    pub answers: Answers,
}

/// How often things happened at a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages carried out.
    pub approved: u64,
    /// Messages refused.
    pub declined: u64,
    /// Messages reversed.
    pub undone: u64,
    /// Batches settled.
    pub settled: u64,
}

/// A terminal.
pub struct Terminal<L> {
    /// Its line.
    pub line: L,
    /// What happened.
    pub tally: Tally,
    till: Till,
    seat: Seat,
    tenant: TenantId,
    /// The gateway's index of it.
    index: i64,
    /// Cards that are shown at other terminals too; they have no PIN.
    shared: Arc<[Member]>,
    /// A card with a PIN that is shown here only.
    own: Member,
    wrong_pins: u8,
    model: Arc<Model>,
    dice: Dice,
    last: Option<Asked>,
    must_check_in: bool,
    count: u64,
    messages: BTreeMap<Place, gate::Message>,
    kept: Vec<(Place, Message)>,
}

/// The last message, until its end is known.
struct Asked {
    id: Id,
    place: Place,
    card: String,
    forecast: Forecast,
    /// A copy of it may have been carried out.
    may_stand: bool,
    phase: Phase,
}

/// What is done about a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is sent until it is answered.
    Asking,
    /// It is reversed, whatever became of it.
    Undoing,
    /// It is reversed although it was approved, and changed the card's points by so many.
    UndoingApproved(i64),
}

impl<L: Line> Terminal<L> {
    /// A terminal that has not checked in yet. `index` is the gateway's of it, `own` a card with a
    /// PIN that is shown nowhere else.
    pub fn new(
        line: L,
        seat: Seat,
        (tenant, index): (TenantId, i64),
        (shared, own): (Arc<[Member]>, Member),
        model: Arc<Model>,
        dice: Dice,
    ) -> Self {
        Self {
            line,
            tally: Tally::default(),
            till: Till::new(&seat.store_no, &seat.terminal_no),
            seat,
            tenant,
            index,
            shared,
            own,
            wrong_pins: 0,
            model,
            dice,
            last: None,
            must_check_in: false,
            count: 0,
            messages: BTreeMap::new(),
            kept: Vec::new(),
        }
    }

    /// Does the next thing: checks in, sees the last message to its end, or serves a customer.
    ///
    /// # Errors
    /// When no gateway said how it went; the next step goes on from there.
    pub async fn step(&mut self) -> Result<(), Away> {
        if self.must_check_in || self.till.batch_no().is_none() {
            return self.check_in().await;
        }
        if self.last.is_some() {
            return self.go_on().await;
        }
        self.serve().await
    }

    /// Sees the last message to its end and settles, one thing a step.
    ///
    /// # Errors
    /// As [`Terminal::step`].
    pub async fn close(&mut self) -> Result<(), Away> {
        if self.last.is_some() || self.must_check_in {
            return self.step().await;
        }
        match self.till.batch_no() {
            Some(_) => self.settle().await,
            None => Ok(()),
        }
    }

    /// Whether nothing is open at it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.last.is_none() && !self.must_check_in && self.till.batch_no().is_none()
    }

    /// Notes what it was told.
    pub fn acknowledge(&self, all: &mut Acknowledged) {
        for (place, message) in &self.messages {
            all.note_message(self.tenant, *place, message.clone());
        }
    }

    /// Sends its newest messages again, all of which were answered: each gets the same answer.
    /// Says how many.
    ///
    /// # Errors
    /// When a gateway does not answer; the next call goes on from there.
    pub async fn ask_again(&mut self) -> Result<usize, Away> {
        let mut asked = 0;
        while let Some((place, message)) = self.kept.last().cloned() {
            let message = self.till.again(&message);
            let sent = self.send(place, &message).await;
            let status = sent.reply.ok_or(Away)?.outcome.status();
            if status == Status::CheckinNeeded {
                let text = format!("{} was answered, and is not known", name(place));
                self.line.fail(&text);
            } else if !is_decided(status) {
                // Late copies of its check-ins may have made newer keys than those that it was told.
                self.must_check_in |= status == Status::MacFailed;
                return Err(Away);
            }
            self.kept.pop();
            asked += 1;
        }
        Ok(asked)
    }

    async fn check_in(&mut self) -> Result<(), Away> {
        let message = self.till.check_in(OPERATOR);
        let reply = self.line.send(None, &message).await.reply.ok_or(Away)?;
        let Body::Checkin(keys) = &reply.body else {
            return Err(Away);
        };
        if reply.outcome.status() != Status::Approved {
            return Err(Away);
        }
        match self.till.checked_in(keys, &self.seat.master) {
            Ok(is_new) => self.checked_in(is_new),
            Err(error) => self.line.fail(&error.to_string()),
        }
        Ok(())
    }

    /// A new batch says that the settlement of the one before went through, answered or not.
    fn checked_in(&mut self, is_new: bool) {
        self.must_check_in = false;
        let batch = self.till.batch_no().map_or(0, |it| it.get());
        self.line.log(&format!("is checked in to batch {batch}"));
        let Some(asked) = self.last.take_if(|_| is_new) else {
            return;
        };
        let heard = Heard::Approved {
            number: None,
            points: None,
        };
        self.note(asked.place, heard);
        self.forget(&asked, 0);
    }

    /// What is to be done about a message without an answer. Once its reversal was sent there is no
    /// way back.
    async fn go_on(&mut self) -> Result<(), Away> {
        let is_reversible = self.till.reverse().is_ok();
        let is_undone = is_reversible && self.dice.per_mille(500);
        let Some(asked) = &mut self.last else {
            return Ok(());
        };
        match asked.phase {
            Phase::Asking if !is_undone => self.say().await,
            Phase::Asking => {
                asked.phase = Phase::Undoing;
                self.undo().await
            }
            Phase::Undoing | Phase::UndoingApproved(_) => self.undo().await,
        }
    }

    /// Remembers the message that the till just made, and sends it.
    async fn begin(&mut self, card: &str, forecast: Forecast) -> Result<(), Away> {
        let (Some((operation, trace_no, entry)), Some(batch_no)) =
            (self.till.last(), self.till.batch_no())
        else {
            return Ok(());
        };
        let place = told::place(self.index, batch_no, trace_no);
        let (Some(place), Some(message)) = (place, told::sent(operation, entry)) else {
            return Ok(());
        };
        self.messages.insert(place, message);
        self.count += 1;
        let id = (self.index, self.count);
        self.model.purses.begin(card, id, forecast.change);
        let what = format!("{}: {} {forecast:?}", name(place), operation.function());
        self.line.log(&what);
        self.last = Some(Asked {
            id,
            place,
            card: card.to_owned(),
            forecast,
            may_stand: false,
            phase: Phase::Asking,
        });
        self.say().await
    }

    /// Sends the last message, for the first time or again.
    async fn say(&mut self) -> Result<(), Away> {
        let message = self.made(|till| till.repeat())?;
        let Some(asked) = &mut self.last else {
            return Ok(());
        };
        let place = asked.place;
        // Until the answer is here: this may be broken off.
        let before = std::mem::replace(&mut asked.may_stand, true);
        let sent = self.send(place, &message).await;
        let status = sent.reply.as_ref().map(|it| it.outcome.status());
        if let Some(asked) = &mut self.last {
            asked.may_stand = before || sent.may_be_more || status.is_some_and(is_unknown);
        }
        match sent.reply {
            Some(reply) => self.take(&reply),
            None => Err(Away),
        }
    }

    /// Sends a copy of a message, and compares its answer with the others.
    async fn send(&mut self, place: Place, message: &Message) -> Sent {
        let answers = &self.model.answers;
        let was_late = answers.comes_too_late(place);
        let sent = self.line.send(Some(place), message).await;
        if let Some(reply) = &sent.reply {
            let answers = &self.model.answers;
            let agrees = answers.heard(place, reply, was_late);
            let code = reply.outcome.status().code();
            self.line
                .log(&format!("{} is answered {code}", name(place)));
            if let Err(why) = agrees {
                self.line.fail(&format!("{}: {why}", name(place)));
            }
        }
        sent
    }

    fn note(&mut self, place: Place, heard: Heard) {
        if let Some(message) = self.messages.get_mut(&place) {
            message.heard = heard;
        }
    }

    /// It is known what became of the last message, and what it changed.
    fn forget(&mut self, asked: &Asked, changed: i64) {
        self.model.purses.end(&asked.card, asked.id, changed);
        if let Ok(message) = self.till.repeat() {
            self.kept.push((asked.place, message));
            let surplus = self.kept.len().saturating_sub(KEPT_MAX);
            self.kept.drain(..surplus);
        }
    }

    /// What the till makes; that it cannot is as wrong as a wrong answer.
    fn made<T>(&mut self, make: impl FnOnce(&mut Till) -> Result<T, TillError>) -> Result<T, Away> {
        let made = make(&mut self.till);
        made.map_err(|error| {
            self.line.fail(&error.to_string());
            Away
        })
    }
}

/// Whether an answer says that nobody knows.
fn is_unknown(status: Status) -> bool {
    Fate::of(status) == Fate::Unknown
}

/// How the log names a message.
fn name(place: Place) -> String {
    let batch = place.batch().map_or(0, |it| it.get());
    format!("message {batch}/{}", place.trace())
}
