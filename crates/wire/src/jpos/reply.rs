//! What the gateway answers, written and read (source: "接口报文", "响应").
//!
//! Every reply has `status`, `message` and `transTime`. Members come in the order of the source's
//! samples; nothing is ever null; what a failure has no value for is absent, but for the members
//! that clients read without looking at the status, which are there and empty.

mod body;
mod card;
mod outcome;
mod points;
mod settle;

pub use body::Body;
pub use card::{CardsReply, CheckinReply, Holder, TicketLine, TicketsReply, VoucherLine};
pub use outcome::Outcome;
pub use points::{Balances, ConsumeReply, Points, RefundReply, Returned, TicketConsumeReply};
pub use settle::{Difference, EntryResult, SettleFlag, SettleReply, Verdict};

use std::borrow::Cow;

use super::amount::Amount;
use super::name;
use super::object::{MemberError, Object, tree};
use super::operation::Operation;
use super::status::Status;
use super::time::TimeUnit;
use super::working_keys::Layout;
use crate::node::{Members, Node};

/// The value of a reply's `Content-Type` header.
pub const CONTENT_TYPE: &str = "application/json;charset=UTF-8";
/// Most bytes of a reply that a client reads.
pub const REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why a reply cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// More than [`REPLY_BYTES_MAX`] bytes.
    #[error("the reply is too large")]
    TooLarge,
    /// Not UTF-8, no JSON object, or nested too deeply.
    #[error("the reply is no JSON object")]
    NotJson,
    /// A member is missing or no value of its kind; a status outside the appendix is one.
    #[error("the reply's member {0}")]
    Member(#[from] MemberError),
}

/// A reply. No `Debug`: it may hold who a card's holder is.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// `status` and `message`.
    pub outcome: Outcome,
    /// `transTime`, in milliseconds since 1970.
    pub trans_time_ms: i64,
    /// The rest.
    pub body: Body,
}

impl Reply {
    /// The answer to a request that was carried out.
    pub fn approved(body: Body, trans_time_ms: i64) -> Self {
        Self {
            outcome: Outcome::new(Status::Approved),
            trans_time_ms,
            body,
        }
    }

    /// The answer to a request that was not, with the members that may not be missing.
    pub fn refused(
        operation: Operation,
        layout: Layout,
        outcome: Outcome,
        trans_time_ms: i64,
    ) -> Self {
        Self {
            outcome,
            trans_time_ms,
            body: Body::empty(operation, layout),
        }
    }

    /// Writes the reply, its time in the terminal's unit.
    pub fn encode(&self, unit: TimeUnit) -> String {
        let mut members = Members::with_capacity(20);
        members
            .text(name::STATUS, self.outcome.status().code())
            .text(name::MESSAGE, self.outcome.message())
            .int(name::TRANS_TIME, unit.of_ms(self.trans_time_ms));
        self.body.push(&mut members);
        let mut out = String::with_capacity(256);
        match self.body.long_list() {
            Some((name, list)) => members.write_with_list(&mut out, name, list),
            None => members.write(&mut out),
        }
        out
    }

    /// Reads an operation's reply.
    ///
    /// # Errors
    ///
    /// [`ReplyError`] when it is no reply to this operation.
    pub fn decode(operation: Operation, unit: TimeUnit, bytes: &[u8]) -> Result<Self, ReplyError> {
        if bytes.len() > REPLY_BYTES_MAX {
            return Err(ReplyError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ReplyError::NotJson)?;
        let node = tree(text.trim()).ok_or(ReplyError::NotJson)?;
        let object = Object::of(&node).ok_or(ReplyError::NotJson)?;
        let outcome = Outcome::read(object)?;
        let trans_time_ms = object.get(name::TRANS_TIME, |text| unit.to_ms(text.parse().ok()?))?;
        let body = Body::read(operation, outcome.status(), object)?;
        Ok(Self {
            outcome,
            trans_time_ms,
            body,
        })
    }
}

/// The answer to a path that leads nowhere: it belongs to no operation.
pub fn unknown_function(unit: TimeUnit, trans_time_ms: i64) -> String {
    let reply = Reply {
        outcome: Outcome::new(Status::UnknownFunction),
        trans_time_ms,
        body: Body::Plain,
    };
    reply.encode(unit)
}

fn number(amount: Amount) -> Node<'static> {
    Node::Number(Cow::Owned(amount.to_string()))
}

fn digits(number: &impl ToString) -> Node<'static> {
    Node::Text(Cow::Owned(number.to_string()))
}
