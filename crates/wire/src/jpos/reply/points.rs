//! Replies to sales and to what takes them back: balances, and the points that moved.

use super::{digits, number};
use crate::jpos::amount::Amount;
use crate::jpos::name;
use crate::jpos::number::SerialNo;
use crate::jpos::object::{MemberError, Object};
use crate::jpos::status::Status;
use crate::node::Members;

/// The points on a card after the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balances {
    /// `pointBalance`, pending points included.
    pub total: Amount,
    /// `avaiablePointBalance`: what can be spent now.
    pub available: Amount,
}

impl Balances {
    pub(super) fn push(self, members: &mut Members<'_>) {
        members
            .node(name::POINT_BALANCE, number(self.total))
            .node(name::AVAILABLE_POINT_BALANCE, number(self.available));
    }

    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            total: object.amount(name::POINT_BALANCE)?,
            available: object.amount(name::AVAILABLE_POINT_BALANCE)?,
        })
    }

    pub(super) fn maybe(status: Status, object: Object<'_>) -> Result<Option<Self>, MemberError> {
        expected(status, name::POINT_BALANCE, object, Self::read)
    }
}

/// What `read` makes of the members that an approved reply has and a refused one may have; the
/// first of them tells whether they are there.
fn expected<T>(
    status: Status,
    first: &'static str,
    object: Object<'_>,
    read: impl FnOnce(Object<'_>) -> Result<T, MemberError>,
) -> Result<Option<T>, MemberError> {
    if status == Status::Approved || object.has(first) {
        read(object).map(Some)
    } else {
        Ok(None)
    }
}

/// `serialNo` of an approved transaction.
pub(super) fn serial_no(
    status: Status,
    object: Object<'_>,
) -> Result<Option<SerialNo>, MemberError> {
    expected(status, name::SERIAL_NO, object, |object| {
        object.get(name::SERIAL_NO, SerialNo::parse)
    })
}

/// What a sale, its cancellation, or a refund's cancellation did to the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Points {
    /// `serialNo`.
    pub serial_no: SerialNo,
    /// The balances.
    pub balances: Balances,
    /// `usePoint`: points used, or given back by a cancellation.
    pub used: Amount,
    /// `persentPoint`: points earned, or taken back by a cancellation.
    pub present: Amount,
}

impl Points {
    pub(super) fn push(self, members: &mut Members<'_>) {
        members.node(name::SERIAL_NO, digits(&self.serial_no));
        self.balances.push(members);
        members
            .node(name::USE_POINT, number(self.used))
            .node(name::PRESENT_POINT, number(self.present));
    }

    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            serial_no: object.get(name::SERIAL_NO, SerialNo::parse)?,
            balances: Balances::read(object)?,
            used: object.amount(name::USE_POINT)?,
            present: object.amount(name::PRESENT_POINT)?,
        })
    }

    pub(super) fn maybe(status: Status, object: Object<'_>) -> Result<Option<Self>, MemberError> {
        expected(status, name::SERIAL_NO, object, Self::read)
    }
}

/// The reply to a sale (source: "消费").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumeReply {
    /// What it did; absent on failure.
    pub points: Option<Points>,
    /// `advertisement`; there on failure too.
    pub advertisement: String,
}

impl ConsumeReply {
    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        if let Some(points) = self.points {
            points.push(members);
        }
        members.text(name::ADVERTISEMENT, &self.advertisement);
    }

    pub(super) fn read(status: Status, object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            points: Points::maybe(status, object)?,
            advertisement: object.text(name::ADVERTISEMENT)?,
        })
    }
}

/// The reply to a redemption of tickets (source: "券消费").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketConsumeReply {
    /// `serialNo`; absent on failure.
    pub serial_no: Option<SerialNo>,
    /// `advertisement`; there on failure too.
    pub advertisement: String,
}

impl TicketConsumeReply {
    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members
            .maybe(name::SERIAL_NO, self.serial_no.as_ref().map(digits))
            .text(name::ADVERTISEMENT, &self.advertisement);
    }

    pub(super) fn read(status: Status, object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            serial_no: serial_no(status, object)?,
            advertisement: object.text(name::ADVERTISEMENT)?,
        })
    }
}

/// What a refund gave and took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// `serialNo`.
    pub serial_no: SerialNo,
    /// The balances.
    pub balances: Balances,
    /// `returnPoint`: points given back.
    pub points: Amount,
    /// `returnPersentPoint`: earned points taken back.
    pub present_points: Amount,
    /// `returnCash`, in yuan: cash to be given back.
    pub cash: Amount,
    /// `supplyCash`, in yuan: cash the member owes for earned points that are spent already.
    pub supply_cash: Amount,
}

impl Returned {
    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            serial_no: object.get(name::SERIAL_NO, SerialNo::parse)?,
            balances: Balances::read(object)?,
            points: object.amount(name::RETURN_POINT)?,
            present_points: object.amount(name::RETURN_PRESENT_POINT)?,
            cash: object.amount(name::RETURN_CASH)?,
            supply_cash: object.amount(name::SUPPLY_CASH)?,
        })
    }
}

/// The reply to a refund (source: "消费退货"); it has nothing of its own on failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefundReply(pub Option<Returned>);

impl RefundReply {
    pub(super) fn push(self, members: &mut Members<'_>) {
        let Some(returned) = self.0 else {
            return;
        };
        members.node(name::SERIAL_NO, digits(&returned.serial_no));
        returned.balances.push(members);
        members
            .node(name::RETURN_POINT, number(returned.points))
            .node(name::RETURN_PRESENT_POINT, number(returned.present_points))
            .node(name::RETURN_CASH, number(returned.cash))
            .node(name::SUPPLY_CASH, number(returned.supply_cash));
    }

    pub(super) fn read(status: Status, object: Object<'_>) -> Result<Self, MemberError> {
        expected(status, name::SERIAL_NO, object, Returned::read).map(Self)
    }
}
