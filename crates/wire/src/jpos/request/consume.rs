//! trans/consume and tickets/consume: what a sale takes from a card.

use super::error::{Demand, RequestError};
use super::fields;
use super::head::{Card, Head};
use super::pieces::{self, Piece};
use crate::jpos::amount::{Amount, AmountError};
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::pin::PinBlock;
use crate::text::is_digits;

/// A sale (source: "消费"). No `Debug`: see [`Card`].
#[derive(Clone, PartialEq, Eq)]
pub struct Consume {
    /// Sender and number.
    pub head: Head,
    /// The card.
    pub card: Card,
    /// `password`, encrypted under the PIN key.
    pub password: Option<PinBlock>,
    /// `consumeType`, two or three digits; terminals put the entry mode there. Recorded only.
    pub consume_type: String,
    /// `pointAmount`, in yuan that are paid in points.
    pub point_amount: Amount,
    /// `cashAmount`, in yuan that are paid otherwise.
    pub cash_amount: Amount,
    /// `vaucher`, no id twice.
    pub vouchers: Vec<Piece>,
    /// `registerTraceNo`, the till's receipt.
    pub register_trace_no: Option<String>,
}

impl Consume {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule; `pointAmount` when nothing
    /// is to be paid at all.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        let max = Amount::TRANSACTION_MAX;
        let sale = Self {
            head: Head::decode(form)?,
            card: Card::decode(form)?,
            password: fields::password(form)?,
            consume_type: fields::get(form, name::CONSUME_TYPE, Demand::ConsumeType, consume_type)?,
            point_amount: fields::amount(form, name::POINT_AMOUNT, max)?,
            cash_amount: fields::amount(form, name::CASH_AMOUNT, max)?,
            vouchers: pieces::vouchers(form)?,
            register_trace_no: fields::maybe_text(form, name::REGISTER_TRACE_NO)?,
        };
        sale.of_something()
    }

    /// The form a client sends, to consume and to consumeReversal.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        self.card.push(&mut form);
        form.maybe(name::PASSWORD, self.password.as_ref().map(PinBlock::to_hex))
            .push(name::CONSUME_TYPE, &*self.consume_type)
            .push(name::POINT_AMOUNT, self.point_amount.to_string())
            .push(name::CASH_AMOUNT, self.cash_amount.to_string());
        pieces::push(&mut form, name::VAUCHER, &self.vouchers);
        form.maybe(name::REGISTER_TRACE_NO, self.register_trace_no.as_deref());
        form
    }

    /// A sale of nothing is none.
    fn of_something(self) -> Result<Self, RequestError> {
        let amounts = [self.point_amount, self.cash_amount];
        if amounts == [Amount::ZERO; 2] && self.vouchers.is_empty() {
            return Err(RequestError::Amount {
                field: name::POINT_AMOUNT,
                error: AmountError::Zero,
            });
        }
        Ok(self)
    }
}

/// A redemption of tickets (source: "券消费"). No `Debug`: see [`Card`].
#[derive(Clone, PartialEq, Eq)]
pub struct TicketConsume {
    /// Sender and number.
    pub head: Head,
    /// The card.
    pub card: Card,
    /// `ticket`, at least one, no id twice.
    pub tickets: Vec<Piece>,
}

impl TicketConsume {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        let head = Head::decode(form)?;
        let card = Card::decode(form)?;
        let tickets = pieces::tickets(form)?;
        if tickets.is_empty() {
            let field = name::TICKET;
            return Err(RequestError::Missing { field });
        }
        Ok(Self {
            head,
            card,
            tickets,
        })
    }

    /// The form a client sends, to tickets/consume and to tickets/consumeReversal.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        self.card.push(&mut form);
        pieces::push(&mut form, name::TICKET, &self.tickets);
        form
    }
}

fn consume_type(text: &str) -> Option<String> {
    let is_type = is_digits(text) && matches!(text.len(), 2 | 3);
    is_type.then(|| text.to_owned())
}
