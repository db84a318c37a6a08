//! Where every message of a terminal is taken in and recorded: the same checks before a decision,
//! the same bookkeeping after it.

use super::{Answer, Message, Missing};
use crate::{
    loyalty::{
        document::{Document, DocumentKey},
        postings::postings,
        terminal::{Batch, Terminal},
        trans::{Effect, Place, Refusal, Trans, TransKind, TransNo, TransState},
    },
    rows::{Plan, Rows},
    time::UnixMs,
};
use std::sync::Arc;

/// A message taken in at its terminal.
pub(super) struct Desk<'a> {
    pub(super) message: &'a Message,
    pub(super) terminal: Box<Terminal>,
    pub(super) kind: TransKind,
    pub(super) now: UnixMs,
}

impl Message {
    /// Names the rows that every message needs.
    pub(super) fn plan(&self, plan: &mut Plan<'_>) {
        let loyalty = &mut plan.loyalty;
        let terminal = DocumentKey::terminal(self.tenant, &self.store, &self.terminal);
        loyalty.documents.push(terminal);
        loyalty.places.push((self.tenant, self.place()));
    }

    /// The terminal, if it may send this message.
    pub(super) fn terminal<'r>(&self, rows: &'r Rows) -> Result<&'r Terminal, Answer> {
        let terminal = rows
            .loyalty
            .terminal(self.tenant, &self.store, &self.terminal)
            .ok_or(Answer::Refused(Refusal::UnknownTerminal))?;
        if terminal.blocked {
            return Err(Answer::Refused(Refusal::TerminalInvalid));
        }
        Ok(terminal)
    }

    /// The batch that is open.
    fn batch(&self, terminal: &Terminal) -> Result<(), Answer> {
        match terminal.checked_in_batch() {
            Some(open) if open.number == self.batch => Ok(()),
            Some(_) if !self.names_batch => Err(Answer::Again(Missing::Batch)),
            Some(_) | None => Err(Answer::Refused(Refusal::NotCheckedIn)),
        }
    }

    /// An event of this message that moved nothing yet.
    pub(super) fn trans(&self, kind: TransKind, state: TransState, now: UnixMs) -> Trans {
        Trans {
            tenant: self.tenant,
            serial: self.serial,
            place: Some(self.place()),
            number: None,
            kind,
            state,
            store: Some(self.store.clone()),
            store_account: self.store_account,
            card: None,
            card_account: None,
            at: now,
            content: self.content,
            register_trace: None,
            entry_mode: None,
            advertisement: String::new(),
            original: None,
            undoes: None,
            effect: Effect::default(),
            balance: crate::loyalty::card::Balance::default(),
            settlement: None,
        }
    }
}

impl<'a> Desk<'a> {
    /// Takes a message in: the terminal must be there and not blocked, a message that came before
    /// gets its answer, and a new one must belong to the open batch and come under valid keys.
    pub(super) fn open(
        message: &'a Message,
        kind: TransKind,
        rows: &Rows,
        now: UnixMs,
    ) -> Result<Self, Answer> {
        let terminal = message.terminal(rows)?;
        if let Some(earlier) = rows.loyalty.trans_at(message.tenant, message.place()) {
            return Err(repeated(earlier, kind, message.content));
        }
        message.batch(terminal)?;
        let is_valid = |under| terminal.keys_of(under).is_some();
        let is_proven = message.under.is_some() || !terminal.profile.mac_required;
        if !is_proven || !message.under.is_none_or(is_valid) {
            return Err(Answer::Refused(Refusal::MacWrong));
        }
        let mut terminal = Box::new(terminal.clone());
        terminal.heard_under(message.under);
        Ok(Self {
            message,
            terminal,
            kind,
            now,
        })
    }

    /// Today, as the gateway's zone counts it.
    pub(super) fn day(&self) -> i64 {
        self.message.zone.day(self.now)
    }

    /// A new event of this message that moved nothing yet.
    pub(super) fn trans(&self) -> Trans {
        self.message
            .trans(self.kind, TransState::Approved, self.now)
    }

    /// Whether the terminal can number one more transaction.
    pub(super) const fn has_numbers_left(&self) -> Result<(), Refusal> {
        if self.terminal.trans_count + 1 < TransNo::PER_TERMINAL {
            Ok(())
        } else {
            Err(Refusal::TooMany)
        }
    }

    /// Records `trans` as approved, with its postings, its number and its part of the batch. A
    /// terminal whose numbers are used up can still settle: that goes without.
    pub(super) fn approve(mut self, rows: &mut Rows, mut trans: Trans) -> Answer {
        if self.has_numbers_left().is_ok() {
            self.terminal.trans_count += 1;
            let number = TransNo::new(self.terminal.index, self.terminal.trans_count);
            trans.number = Some(number);
        }
        self.count(&trans.effect, 1);
        let trans = Arc::new(trans);
        book(rows, Arc::clone(&trans));
        self.put_terminal(rows);
        Answer::Done(trans)
    }

    /// Records that the message was refused, so that it is refused again.
    pub(super) fn decline(mut self, rows: &mut Rows, trans: Trans, refusal: Refusal) -> Answer {
        let trans = Arc::new(Trans {
            state: TransState::Declined(refusal),
            effect: Effect::default(),
            ..trans
        });
        self.count(&Effect::default(), 0);
        rows.loyalty.put_trans(Arc::clone(&trans));
        self.put_terminal(rows);
        Answer::Done(trans)
    }

    fn count(&mut self, effect: &Effect, times: i64) {
        if let Some(batch) = &mut self.terminal.batch {
            batch.count(self.kind, effect, times);
        }
    }

    pub(super) fn put_terminal(self, rows: &mut Rows) {
        let terminal = Document::Terminal(self.terminal);
        rows.loyalty.put_document(terminal);
    }
}

/// What a message is answered whose place is taken. One that was reversed, before it came or
/// after, does not stand: whoever asks again must not hear that it does.
fn repeated(earlier: &Trans, kind: TransKind, content: u128) -> Answer {
    let is_same = earlier.kind == kind && earlier.content == content;
    match earlier.state {
        TransState::Tombstone => Answer::Refused(Refusal::NotAllowed),
        TransState::Reversed(_) if is_same => Answer::Refused(Refusal::NotAllowed),
        TransState::Approved
        | TransState::Declined(_)
        | TransState::GivenBack(_)
        | TransState::Reversed(_) => {
            if is_same {
                Answer::Done(Arc::new(earlier.clone()))
            } else {
                Answer::Refused(Refusal::DuplicateTrace)
            }
        }
    }
}

/// Records an event with its postings.
pub(super) fn book(rows: &mut Rows, trans: impl Into<Arc<Trans>>) {
    let trans = trans.into();
    for posting in postings(&trans) {
        rows.post(posting);
    }
    rows.loyalty.put_trans(trans);
}

impl Terminal {
    /// A message came under these keys: wrong MACs before it count no more, and the keys before
    /// the newest ones are over.
    pub(super) fn heard_under(&mut self, under: Option<crate::loyalty::terminal::KeyGeneration>) {
        let Some(under) = under else { return };
        self.mac_failures = 0;
        if self.keys.as_ref().map(|it| it.generation) == Some(under) {
            self.keys_before = None;
        }
    }
}

impl Batch {
    /// Counts an event in, or out again, and notes that the batch moved.
    pub(super) fn count(&mut self, kind: TransKind, effect: &Effect, times: i64) {
        self.totals.count(kind, effect, times);
        self.entries += 1;
    }
}

/// The places a message without a batch number may mean: in the batch believed to be open, and in
/// the one before it.
pub(super) fn places(message: &Message) -> Vec<Place> {
    let index = message.terminal_index;
    let before = Place::new(index, message.batch.previous(), message.trace);
    if message.names_batch {
        vec![message.place()]
    } else {
        vec![message.place(), before]
    }
}
