//! trans/settle/details: the terminal's journal of a batch whose totals differ. The source asks
//! for it ("把流水发送到前置机") and says no more; the form is ours.

use std::borrow::Cow;

use super::error::RequestError;
use super::head::Head;
use super::pieces::{self, PIECES_MAX, Piece};
use crate::jpos::amount::Amount;
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::number::{SerialNo, TraceNo};
use crate::jpos::object::{MemberError, Object};
use crate::jpos::operation::Operation;
use crate::json;
use crate::node::{Members, Node};

/// Most entries of a journal.
pub const ENTRIES_MAX: usize = 20_000;

/// One message in a terminal's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// `function`: the operation's path after `/jpos/`, such as `trans/consume`.
    pub operation: Operation,
    /// `traceNo`.
    pub trace_no: TraceNo,
    /// `serialNo`, if the terminal got a reply.
    pub serial_no: Option<SerialNo>,
    /// `pointAmount`; zero when it is not there.
    pub point_amount: Amount,
    /// `cashAmount`; zero when it is not there.
    pub cash_amount: Amount,
    /// `vaucher`.
    pub vouchers: Vec<Piece>,
    /// `ticket`.
    pub tickets: Vec<Piece>,
}

impl JournalEntry {
    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        let amount = |name| object.maybe(name, amount).map(Option::unwrap_or_default);
        Ok(Self {
            operation: object.get(name::FUNCTION, journalled)?,
            trace_no: object.get(name::TRACE_NO, TraceNo::parse)?,
            serial_no: object.maybe(name::SERIAL_NO, SerialNo::parse)?,
            point_amount: amount(name::POINT_AMOUNT)?,
            cash_amount: amount(name::CASH_AMOUNT)?,
            vouchers: pieces_of(name::VAUCHER, object.list(name::VAUCHER, Piece::voucher)?)?,
            tickets: pieces_of(name::TICKET, object.list(name::TICKET, Piece::ticket)?)?,
        })
    }

    fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(7);
        let number = |amount: Amount| Node::Number(Cow::Owned(amount.to_string()));
        let text = |text: String| Node::Text(Cow::Owned(text));
        members
            .text(name::FUNCTION, self.operation.function())
            .node(name::TRACE_NO, text(self.trace_no.to_string()))
            .maybe(
                name::SERIAL_NO,
                self.serial_no.map(|no| text(no.to_string())),
            )
            .node(name::POINT_AMOUNT, number(self.point_amount))
            .node(name::CASH_AMOUNT, number(self.cash_amount))
            .maybe(name::VAUCHER, pieces::list(&self.vouchers))
            .maybe(name::TICKET, pieces::list(&self.tickets));
        members.into_node()
    }
}

/// A terminal's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettleDetails {
    /// Sender and number.
    pub head: Head,
    /// `details`; an empty list is a journal, a missing one is not.
    pub entries: Vec<JournalEntry>,
}

impl SettleDetails {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        let field = name::DETAILS;
        let head = Head::decode(form)?;
        let entries = pieces::items(form, field, ENTRIES_MAX, JournalEntry::read)?;
        let entries = entries.ok_or(RequestError::Missing { field })?;
        Ok(Self { head, entries })
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        let mut entries = String::new();
        json::write_list(&mut entries, self.entries.iter().map(JournalEntry::node));
        form.push(name::DETAILS, entries);
        form
    }
}

fn journalled(function: &str) -> Option<Operation> {
    Operation::from_function(function).filter(|operation| operation.is_journalled())
}

fn amount(text: &str) -> Option<Amount> {
    Amount::parse(text, Amount::TRANSACTION_MAX).ok()
}

fn pieces_of(name: &'static str, pieces: Vec<Piece>) -> Result<Vec<Piece>, MemberError> {
    let is_valid = pieces.len() <= PIECES_MAX && pieces::are_distinct(&pieces);
    is_valid.then_some(pieces).ok_or(MemberError::Invalid(name))
}
