//! terminal/checkin, and the two queries that need a card only.

use super::error::RequestError;
use super::fields;
use super::head::{Card, Head, Terminal};
use crate::jpos::form::Form;
use crate::jpos::name;

/// A check-in (source: "签到"). It carries neither a trace number nor a MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkin {
    /// The sender.
    pub terminal: Terminal,
    /// `operatorNo`.
    pub operator_no: String,
}

impl Checkin {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            terminal: Terminal::decode(form)?,
            operator_no: fields::text(form, name::OPERATOR_NO)?,
        })
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.terminal.push(&mut form);
        form.push(name::OPERATOR_NO, &*self.operator_no);
        form
    }
}

/// A question about a card: cards and tickets (source: "卡查询", "券查询"). No `Debug`: see [`Card`].
#[derive(Clone, PartialEq, Eq)]
pub struct CardQuery {
    /// Sender and number.
    pub head: Head,
    /// The card.
    pub card: Card,
}

impl CardQuery {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            head: Head::decode(form)?,
            card: Card::decode(form)?,
        })
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        self.card.push(&mut form);
        form
    }
}
