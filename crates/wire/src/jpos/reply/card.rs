//! Replies to terminal/checkin, cards and tickets.

use super::points::Balances;
use super::{digits, number};
use crate::jpos::amount::Amount;
use crate::jpos::name;
use crate::jpos::number::{BatchNo, SerialNo};
use crate::jpos::object::{MemberError, Object};
use crate::jpos::person::{Gender, Grade, IdType, TicketKind};
use crate::jpos::status::Status;
use crate::jpos::working_keys::Layout;
use crate::node::{Members, Node};

/// `batchNo` when there is no batch.
const NO_BATCH: &str = "000000";

/// The reply to a check-in (source: "签到"). All of it is there on failure too. No `Debug`: it
/// holds keys, if under another.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckinReply {
    /// `batchNo`; `None`, on failure, is written as 000000.
    pub batch_no: Option<BatchNo>,
    /// `storeName`.
    pub store_name: String,
    /// `workingKey`, in hexadecimal; see [`crate::jpos::working_keys`].
    pub working_key: String,
}

impl CheckinReply {
    pub(super) fn empty(layout: Layout) -> Self {
        Self {
            batch_no: None,
            store_name: String::new(),
            working_key: layout.zero_keys(),
        }
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        let batch_no = self.batch_no.as_ref().map(digits);
        let no_batch = || Node::Text(NO_BATCH.into());
        members
            .node(name::BATCH_NO, batch_no.unwrap_or_else(no_batch))
            .text(name::STORE_NAME, &self.store_name)
            .text(name::WORKING_KEY, &self.working_key);
    }

    pub(super) fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            batch_no: object.get(name::BATCH_NO, batch_no)?,
            store_name: object.text(name::STORE_NAME)?,
            working_key: object.text(name::WORKING_KEY)?,
        })
    }
}

fn batch_no(text: &str) -> Option<Option<BatchNo>> {
    if text == NO_BATCH {
        return Some(None);
    }
    BatchNo::parse(text).map(Some)
}

/// Vouchers of one kind on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoucherLine {
    /// `id`.
    pub id: i64,
    /// `amount`, the face value of one.
    pub amount: Amount,
    /// `num`.
    pub num: u32,
    /// `name`.
    pub name: String,
}

impl VoucherLine {
    fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(4);
        members
            .int(name::ID, self.id)
            .node(name::AMOUNT, number(self.amount))
            .int(name::NUM, self.num)
            .text(name::NAME, &self.name);
        members.into_node()
    }

    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            id: object.get(name::ID, |text| text.parse().ok())?,
            amount: object.amount(name::AMOUNT)?,
            num: object.get(name::NUM, |text| text.parse().ok())?,
            name: object.text(name::NAME)?,
        })
    }
}

/// Who holds a card. What is not known is empty.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// `idType`.
    pub id_type: Option<IdType>,
    /// `idNo`.
    pub id_no: String,
    /// `name`.
    pub name: String,
    /// `gender`.
    pub gender: Option<Gender>,
    /// `mobileNo`.
    pub mobile_no: String,
    /// `grade`.
    pub grade: Option<Grade>,
    /// `address`.
    pub address: String,
    /// `email`.
    pub email: String,
}

impl Holder {
    fn push<'a>(&'a self, members: &mut Members<'a>) {
        members
            .text(name::ID_TYPE, self.id_type.map_or("", IdType::code))
            .text(name::ID_NO, &self.id_no)
            .text(name::NAME, &self.name)
            .text(name::GENDER, self.gender.map_or("", Gender::code))
            .text(name::MOBILE_NO, &self.mobile_no)
            .text(name::GRADE, self.grade.map_or("", Grade::code))
            .text(name::ADDRESS, &self.address)
            .text(name::EMAIL, &self.email);
    }

    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            id_type: object.maybe(name::ID_TYPE, IdType::from_code)?,
            id_no: object.text(name::ID_NO)?,
            name: object.text(name::NAME)?,
            gender: object.maybe(name::GENDER, Gender::from_code)?,
            mobile_no: object.text(name::MOBILE_NO)?,
            grade: object.maybe(name::GRADE, Grade::from_code)?,
            address: object.text(name::ADDRESS)?,
            email: object.text(name::EMAIL)?,
        })
    }
}

/// The reply to cards (source: "卡查询"). Only the balances are absent on failure.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CardsReply {
    /// The balances.
    pub balances: Option<Balances>,
    /// `vaucher`.
    pub vouchers: Vec<VoucherLine>,
    /// The holder.
    pub holder: Holder,
}

impl CardsReply {
    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        if let Some(balances) = self.balances {
            balances.push(members);
        }
        let vouchers = self.vouchers.iter().map(VoucherLine::node).collect();
        members.node(name::VAUCHER, Node::List(vouchers));
        self.holder.push(members);
    }

    pub(super) fn read(status: Status, object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            balances: Balances::maybe(status, object)?,
            vouchers: object.list(name::VAUCHER, VoucherLine::read)?,
            holder: Holder::read(object)?,
        })
    }
}

/// Tickets of one kind on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketLine {
    /// `id`.
    pub id: i64,
    /// `type`.
    pub kind: TicketKind,
    /// `amount`, the face value of one.
    pub amount: Amount,
    /// `name`.
    pub name: String,
    /// `num`.
    pub num: u32,
}

impl TicketLine {
    fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(5);
        members
            .int(name::ID, self.id)
            .text(name::TYPE, self.kind.code())
            .node(name::AMOUNT, number(self.amount))
            .text(name::NAME, &self.name)
            .int(name::NUM, self.num);
        members.into_node()
    }

    fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            id: object.get(name::ID, |text| text.parse().ok())?,
            kind: object.get(name::TYPE, TicketKind::from_code)?,
            amount: object.amount(name::AMOUNT)?,
            name: object.text(name::NAME)?,
            num: object.get(name::NUM, |text| text.parse().ok())?,
        })
    }
}

/// The reply to tickets (source: "券查询"). The sample has a serial number and points used and
/// given, which the table has not: a question uses and gives none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketsReply {
    /// `serialNo`, if the question has one.
    pub serial_no: Option<SerialNo>,
    /// The balances.
    pub balances: Option<Balances>,
    /// `ticket`; there on failure too.
    pub tickets: Vec<TicketLine>,
}

impl TicketsReply {
    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members.maybe(name::SERIAL_NO, self.serial_no.as_ref().map(digits));
        if let Some(balances) = self.balances {
            balances.push(members);
            members
                .node(name::USE_POINT, number(Amount::ZERO))
                .node(name::PRESENT_POINT, number(Amount::ZERO));
        }
        let tickets = self.tickets.iter().map(TicketLine::node).collect();
        members.node(name::TICKET, Node::List(tickets));
    }

    pub(super) fn read(status: Status, object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            serial_no: object.maybe(name::SERIAL_NO, SerialNo::parse)?,
            balances: Balances::maybe(status, object)?,
            tickets: object.list(name::TICKET, TicketLine::read)?,
        })
    }
}
