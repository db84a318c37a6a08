//! What nearly every message begins with: who sends it, its number, and the card it is about.

use super::error::{Demand, RequestError};
use super::fields;
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::number::{BatchNo, TraceNo};
use crate::jpos::track::{Track2, Track3};

/// The till that sends a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terminal {
    /// `storeNo`.
    pub store_no: String,
    /// `terminalNo`, unique in its store.
    pub terminal_no: String,
}

impl Terminal {
    /// Takes the sender out of any operation's form, before the rest is looked at.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the field.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            store_no: fields::text(form, name::STORE_NO)?,
            terminal_no: fields::text(form, name::TERMINAL_NO)?,
        })
    }

    pub(super) fn push<'a>(&'a self, form: &mut Form<'a>) {
        form.push(name::STORE_NO, &*self.store_no)
            .push(name::TERMINAL_NO, &*self.terminal_no);
    }
}

/// The sender and the number of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Head {
    /// The sender.
    pub terminal: Terminal,
    /// `traceNo`.
    pub trace_no: TraceNo,
    /// `batchNo`; `None` means the open batch.
    pub batch_no: Option<BatchNo>,
}

impl Head {
    pub(super) fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            terminal: Terminal::decode(form)?,
            trace_no: fields::trace_no(form)?,
            batch_no: fields::maybe_batch_no(form, name::BATCH_NO)?,
        })
    }

    pub(super) fn push<'a>(&'a self, form: &mut Form<'a>) {
        self.terminal.push(form);
        form.push(name::TRACE_NO, self.trace_no.to_string())
            .maybe(name::BATCH_NO, self.batch_no.map(|no| no.to_string()));
    }
}

/// The card that a message is about. No `Debug`: the tracks are the card.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// `cardNo`.
    pub card_no: String,
    /// `track2`, when the card was swiped.
    pub track2: Option<Track2>,
    /// `track3`, when the card was swiped and has one.
    pub track3: Option<Track3>,
}

impl Card {
    /// A card whose number was typed in.
    pub fn typed(card_no: impl Into<String>) -> Self {
        Self {
            card_no: card_no.into(),
            track2: None,
            track3: None,
        }
    }

    pub(super) fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            card_no: fields::card_no(form)?,
            track2: fields::maybe(form, name::TRACK2, Demand::Track, Track2::parse)?,
            track3: fields::maybe(form, name::TRACK3, Demand::Track, Track3::parse)?,
        })
    }

    pub(super) fn push<'a>(&'a self, form: &mut Form<'a>) {
        form.push(name::CARD_NO, &*self.card_no)
            .maybe(name::TRACK2, self.track2.as_ref().map(Track2::as_str))
            .maybe(name::TRACK3, self.track3.as_ref().map(Track3::as_str));
    }
}
