//! What a reply holds besides its outcome and its time.

use super::card::{CardsReply, CheckinReply, TicketsReply};
use super::digits;
use super::points::{self, ConsumeReply, Points, RefundReply, TicketConsumeReply};
use super::settle::{EntryResult, SettleReply};
use crate::jpos::name;
use crate::jpos::number::SerialNo;
use crate::jpos::object::{MemberError, Object};
use crate::jpos::operation::Operation;
use crate::jpos::status::Status;
use crate::jpos::working_keys::Layout;
use crate::node::{Members, Node};

/// The rest of a reply. No `Debug`: see [`super::Reply`].
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// terminal/checkin.
    Checkin(CheckinReply),
    /// cards.
    Cards(CardsReply),
    /// trans/consume.
    Consume(ConsumeReply),
    /// trans/cancel and refunds/cancel; absent on failure.
    Cancel(Option<Points>),
    /// refunds.
    Refund(RefundReply),
    /// tickets.
    Tickets(TicketsReply),
    /// tickets/consume.
    TicketConsume(TicketConsumeReply),
    /// card/active: `serialNo`, absent on failure.
    CardActive(Option<SerialNo>),
    /// trans/settle.
    Settle(SettleReply),
    /// trans/settle/details: `details`, one for each message of either side.
    SettleDetails(Vec<EntryResult>),
    /// mobile/sendVerifyCode and the reversals: nothing.
    Plain,
}

impl Body {
    /// What a failed request of this kind is answered with.
    pub fn empty(operation: Operation, layout: Layout) -> Self {
        match operation {
            Operation::Checkin => Self::Checkin(CheckinReply::empty(layout)),
            Operation::Cards => Self::Cards(CardsReply::default()),
            Operation::Consume => Self::Consume(ConsumeReply::default()),
            Operation::Cancel | Operation::RefundCancel => Self::Cancel(None),
            Operation::Refund => Self::Refund(RefundReply::default()),
            Operation::Tickets => Self::Tickets(TicketsReply::default()),
            Operation::TicketConsume => Self::TicketConsume(TicketConsumeReply::default()),
            Operation::CardActive => Self::CardActive(None),
            Operation::Settle => Self::Settle(SettleReply::default()),
            Operation::SettleDetails => Self::SettleDetails(Vec::new()),
            Operation::SendVerifyCode
            | Operation::ConsumeReversal
            | Operation::CancelReversal
            | Operation::RefundReversal
            | Operation::RefundCancelReversal
            | Operation::TicketConsumeReversal => Self::Plain,
        }
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        match self {
            Self::Checkin(reply) => reply.push(members),
            Self::Cards(reply) => reply.push(members),
            Self::Consume(reply) => reply.push(members),
            Self::Cancel(Some(points)) => points.push(members),
            Self::Refund(reply) => reply.push(members),
            Self::Tickets(reply) => reply.push(members),
            Self::TicketConsume(reply) => reply.push(members),
            Self::CardActive(serial_no) => {
                members.maybe(name::SERIAL_NO, serial_no.as_ref().map(digits));
            }
            Self::Settle(reply) => reply.push(members),
            Self::Cancel(None) | Self::SettleDetails(_) | Self::Plain => {}
        }
    }

    /// Its last member, where that is a list which may be long.
    pub(super) fn long_list(&self) -> Option<(&'static str, impl Iterator<Item = Node<'_>>)> {
        match self {
            Self::SettleDetails(results) => {
                Some((name::DETAILS, results.iter().map(EntryResult::node)))
            }
            Self::Checkin(_)
            | Self::Cards(_)
            | Self::Consume(_)
            | Self::Cancel(_)
            | Self::Refund(_)
            | Self::Tickets(_)
            | Self::TicketConsume(_)
            | Self::CardActive(_)
            | Self::Settle(_)
            | Self::Plain => None,
        }
    }

    pub(super) fn read(
        operation: Operation,
        status: Status,
        object: Object<'_>,
    ) -> Result<Self, MemberError> {
        Ok(match operation {
            Operation::Checkin => Self::Checkin(CheckinReply::read(object)?),
            Operation::Cards => Self::Cards(CardsReply::read(status, object)?),
            Operation::Consume => Self::Consume(ConsumeReply::read(status, object)?),
            Operation::Cancel | Operation::RefundCancel => {
                Self::Cancel(Points::maybe(status, object)?)
            }
            Operation::Refund => Self::Refund(RefundReply::read(status, object)?),
            Operation::Tickets => Self::Tickets(TicketsReply::read(status, object)?),
            Operation::TicketConsume => {
                Self::TicketConsume(TicketConsumeReply::read(status, object)?)
            }
            Operation::CardActive => Self::CardActive(points::serial_no(status, object)?),
            Operation::Settle => Self::Settle(SettleReply::read(object)?),
            Operation::SettleDetails => {
                Self::SettleDetails(object.list(name::DETAILS, EntryResult::read)?)
            }
            Operation::SendVerifyCode
            | Operation::ConsumeReversal
            | Operation::CancelReversal
            | Operation::RefundReversal
            | Operation::RefundCancelReversal
            | Operation::TicketConsumeReversal => Self::Plain,
        })
    }
}
