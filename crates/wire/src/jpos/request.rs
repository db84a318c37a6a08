//! The typed messages a client sends, and what the dialect itself demands of their fields (source:
//! "接口报文").
//!
//! Only shape is checked here: presence, length, closed lists, the bounds of amounts. A field of
//! the form that a message does not know is ignored; an empty one is absent.

mod active;
mod checkin;
mod consume;
mod details;
mod error;
mod fields;
mod head;
mod original;
mod pieces;
mod reversal;
mod settle;

pub use active::{CardActive, SendVerifyCode};
pub use checkin::{CardQuery, Checkin};
pub use consume::{Consume, TicketConsume};
pub use details::{ENTRIES_MAX, JournalEntry, SettleDetails};
pub use error::{Demand, RequestError};
pub use fields::TEXT_CHARS_MAX;
pub use head::{Card, Head, Terminal};
pub use original::{Original, TakeBack};
pub use pieces::{NUM_MAX, PIECES_MAX, Piece};
pub use reversal::{Repeated, Reversal};
pub use settle::{Settle, Totals};

use zeroize::Zeroizing;

use super::form::{FIELDS_MAX, Form};
use super::name;
use super::operation::Operation;
use super::status::Status;

/// What says nothing of a message's meaning: the password is encrypted under keys that a check-in
/// between two tries replaces, the batch is a part of the key, and the original's time is a guess.
const NOT_CONTENT: [&str; 3] = [name::PASSWORD, name::BATCH_NO, name::ORI_TRANS_TIME];

/// An amount that every field takes.
const MENDED: &str = "1";

/// Any message.
pub enum Request {
    /// terminal/checkin.
    Checkin(Checkin),
    /// cards.
    Cards(CardQuery),
    /// trans/consume.
    Consume(Consume),
    /// trans/cancel.
    Cancel(TakeBack),
    /// refunds.
    Refund(TakeBack),
    /// refunds/cancel.
    RefundCancel(TakeBack),
    /// tickets.
    Tickets(CardQuery),
    /// tickets/consume.
    TicketConsume(TicketConsume),
    /// mobile/sendVerifyCode.
    SendVerifyCode(SendVerifyCode),
    /// card/active.
    CardActive(CardActive),
    /// trans/settle.
    Settle(Settle),
    /// trans/settle/details.
    SettleDetails(SettleDetails),
    /// trans/consumeReversal.
    ConsumeReversal(Reversal),
    /// trans/cancelReversal.
    CancelReversal(Reversal),
    /// refunds/reversal.
    RefundReversal(Reversal),
    /// refunds/cancelReversal.
    RefundCancelReversal(Reversal),
    /// tickets/consumeReversal.
    TicketConsumeReversal(Reversal),
}

impl Request {
    /// Takes an operation's message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule. What an amount may not be
    /// (13) is told only where no field is missing or in no form at all (30).
    pub fn decode(operation: Operation, form: &Form<'_>) -> Result<Self, RequestError> {
        let decoded = Self::read(operation, form);
        let Err(RequestError::Amount { field, .. }) = decoded else {
            return decoded;
        };
        match Self::decode(operation, &form.with(field, MENDED)) {
            Err(error) if error.status() == Status::BadField => Err(error),
            Ok(_) | Err(_) => decoded,
        }
    }

    /// The message, or the first field that misses its rule, whatever its rule is.
    fn read(operation: Operation, form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(match operation {
            Operation::Checkin => Self::Checkin(Checkin::decode(form)?),
            Operation::Cards => Self::Cards(CardQuery::decode(form)?),
            Operation::Consume => Self::Consume(Consume::decode(form)?),
            Operation::ConsumeReversal => Self::ConsumeReversal(Reversal::decode(form)?),
            Operation::Cancel => Self::Cancel(TakeBack::decode(form)?),
            Operation::CancelReversal => Self::CancelReversal(Reversal::decode(form)?),
            Operation::Refund => Self::Refund(TakeBack::decode(form)?),
            Operation::RefundCancel => Self::RefundCancel(TakeBack::decode(form)?),
            Operation::RefundReversal => Self::RefundReversal(Reversal::decode(form)?),
            Operation::RefundCancelReversal => Self::RefundCancelReversal(Reversal::decode(form)?),
            Operation::Tickets => Self::Tickets(CardQuery::decode(form)?),
            Operation::TicketConsume => Self::TicketConsume(TicketConsume::decode(form)?),
            Operation::TicketConsumeReversal => {
                Self::TicketConsumeReversal(Reversal::decode(form)?)
            }
            Operation::SendVerifyCode => Self::SendVerifyCode(SendVerifyCode::decode(form)?),
            Operation::CardActive => Self::CardActive(CardActive::decode(form)?),
            Operation::Settle => Self::Settle(Settle::decode(form)?),
            Operation::SettleDetails => Self::SettleDetails(SettleDetails::decode(form)?),
        })
    }

    /// What tells a message that was refused for its amounts (13) from others with its number: who
    /// sends it under which number, and its content, to be hashed, not kept. The content holds the
    /// amounts that cannot be as they were sent. `None` when more is wrong than amounts.
    pub fn identify(operation: Operation, form: &Form<'_>) -> Option<(Head, Zeroizing<String>)> {
        let mut mended = form.clone();
        let mut wrong = Form::new();
        // Each round mends a field, and no message has more amounts than a form has fields.
        for _ in 0..FIELDS_MAX {
            match Self::read(operation, &mended) {
                Err(RequestError::Amount { field, .. }) => {
                    wrong.push(field, form.get(field).unwrap_or_default().to_owned());
                    mended = mended.with(field, MENDED);
                }
                Err(
                    RequestError::Form(_)
                    | RequestError::Missing { .. }
                    | RequestError::Invalid { .. }
                    | RequestError::Item { .. }
                    | RequestError::Pin(_),
                ) => return None,
                Ok(request) => {
                    let mut content = request.content();
                    content.push('!');
                    content.push_str(&wrong.canonical_without(&[]));
                    return Some((request.head()?.clone(), content));
                }
            }
        }
        None
    }

    /// The operation it asks for.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Checkin(_) => Operation::Checkin,
            Self::Cards(_) => Operation::Cards,
            Self::Consume(_) => Operation::Consume,
            Self::Cancel(_) => Operation::Cancel,
            Self::Refund(_) => Operation::Refund,
            Self::RefundCancel(_) => Operation::RefundCancel,
            Self::Tickets(_) => Operation::Tickets,
            Self::TicketConsume(_) => Operation::TicketConsume,
            Self::SendVerifyCode(_) => Operation::SendVerifyCode,
            Self::CardActive(_) => Operation::CardActive,
            Self::Settle(_) => Operation::Settle,
            Self::SettleDetails(_) => Operation::SettleDetails,
            Self::ConsumeReversal(_) => Operation::ConsumeReversal,
            Self::CancelReversal(_) => Operation::CancelReversal,
            Self::RefundReversal(_) => Operation::RefundReversal,
            Self::RefundCancelReversal(_) => Operation::RefundCancelReversal,
            Self::TicketConsumeReversal(_) => Operation::TicketConsumeReversal,
        }
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        match self {
            Self::Checkin(message) => message.to_form(),
            Self::Cards(message) | Self::Tickets(message) => message.to_form(),
            Self::Consume(message) => message.to_form(),
            Self::Cancel(message) | Self::Refund(message) | Self::RefundCancel(message) => {
                message.to_form()
            }
            Self::TicketConsume(message) => message.to_form(),
            Self::SendVerifyCode(message) => message.to_form(),
            Self::CardActive(message) => message.to_form(),
            Self::Settle(message) => message.to_form(),
            Self::SettleDetails(message) => message.to_form(),
            Self::ConsumeReversal(message)
            | Self::CancelReversal(message)
            | Self::RefundReversal(message)
            | Self::RefundCancelReversal(message)
            | Self::TicketConsumeReversal(message) => message.to_form(),
        }
    }

    /// Who sends it.
    pub const fn terminal(&self) -> &Terminal {
        match self {
            Self::Checkin(message) => &message.terminal,
            Self::SendVerifyCode(message) => &message.terminal,
            Self::Cards(CardQuery { head, .. })
            | Self::Tickets(CardQuery { head, .. })
            | Self::Consume(Consume { head, .. })
            | Self::Cancel(TakeBack { head, .. })
            | Self::Refund(TakeBack { head, .. })
            | Self::RefundCancel(TakeBack { head, .. })
            | Self::TicketConsume(TicketConsume { head, .. })
            | Self::CardActive(CardActive { head, .. })
            | Self::Settle(Settle { head, .. })
            | Self::SettleDetails(SettleDetails { head, .. })
            | Self::ConsumeReversal(Reversal { head, .. })
            | Self::CancelReversal(Reversal { head, .. })
            | Self::RefundReversal(Reversal { head, .. })
            | Self::RefundCancelReversal(Reversal { head, .. })
            | Self::TicketConsumeReversal(Reversal { head, .. }) => &head.terminal,
        }
    }

    /// Its sender and number; `None` where a message of its kind has no number of its own.
    pub const fn head(&self) -> Option<&Head> {
        match self {
            Self::Checkin(_) | Self::SendVerifyCode(_) => None,
            Self::Cards(CardQuery { head, .. })
            | Self::Tickets(CardQuery { head, .. })
            | Self::Consume(Consume { head, .. })
            | Self::Cancel(TakeBack { head, .. })
            | Self::Refund(TakeBack { head, .. })
            | Self::RefundCancel(TakeBack { head, .. })
            | Self::TicketConsume(TicketConsume { head, .. })
            | Self::CardActive(CardActive { head, .. })
            | Self::Settle(Settle { head, .. })
            | Self::SettleDetails(SettleDetails { head, .. })
            | Self::ConsumeReversal(Reversal { head, .. })
            | Self::CancelReversal(Reversal { head, .. })
            | Self::RefundReversal(Reversal { head, .. })
            | Self::RefundCancelReversal(Reversal { head, .. })
            | Self::TicketConsumeReversal(Reversal { head, .. }) => Some(head),
        }
    }

    /// What the message says, for telling a repetition from another message with its number: to
    /// be hashed, not kept. The operation, and every field the message knows but `mac`,
    /// `password`, `batchNo` and `oriTransTime`, in one spelling: amounts without their last
    /// zeros, lists without white space.
    pub fn content(&self) -> Zeroizing<String> {
        let fields = self.to_form().canonical_without(&NOT_CONTENT);
        let function = self.operation().function();
        let mut content = Zeroizing::new(String::with_capacity(function.len() + 1 + fields.len()));
        content.push_str(function);
        content.push('?');
        content.push_str(&fields);
        content
    }
}
