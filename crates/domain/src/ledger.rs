//! The double-entry ledger: accounts, and the posting each movement makes.
//!
//! A posting moves one amount from one account to another, so it is balanced by its shape. Its
//! number is made from what it records, so the same movement cannot be posted twice.

use crate::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    loyalty::card::TicketId,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    time::UnixMs,
    voucher::{partner::PartnerNo, ticket::VoucherTicketNo},
};

/// An account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What a channel owes the house: payments it took, less what it gave back.
    Channel(ChannelNo),
    /// What the house owes a merchant: sales less refunds.
    Merchant(MerchantNo),
    /// Mobile data bought from the top-up provider.
    DataProvider,
    /// Mobile data delivered for a merchant.
    DataDelivered(MerchantNo),
    /// The points a member holds, by the card's account.
    PointsHeld(Serial),
    /// Points given to members.
    PointsGranted,
    /// Points that members paid with at a store.
    PointsRedeemed(i64),
    /// Points written off when they expired.
    PointsExpired,
    /// Cash in a store's tills.
    CashTakings(i64),
    /// What a store sold for that cash.
    CashSales(i64),
    /// Cash that members paid a store for earned points which they had spent already.
    PointsSupplied(i64),
    /// Pieces of a ticket that members hold.
    TicketsHeld(TicketId),
    /// Pieces of a ticket given to members.
    TicketsGranted(TicketId),
    /// Pieces of a ticket that members used.
    TicketsUsed(TicketId),
    /// Pieces of a ticket written off when they expired.
    TicketsExpired(TicketId),
    /// Uses of voucher codes that were ever issued.
    UsesIssued(VoucherTicketNo),
    /// Uses of codes that are not sold.
    UsesInStock(VoucherTicketNo),
    /// Uses that holders of codes have left.
    UsesActive(VoucherTicketNo),
    /// Uses that were redeemed.
    UsesSpent(VoucherTicketNo),
    /// Uses of codes that were voided.
    UsesVoid(VoucherTicketNo),
    /// Uses written off when their term ended.
    UsesExpired(VoucherTicketNo),
    /// What the house owes for uses that holders of codes have left.
    VoucherLiability(VoucherTicketNo),
    /// What a partner owes the house for codes it sold.
    VoucherSales(PartnerNo),
    /// Face value that nobody will ask for any more.
    VoucherBreakage(VoucherTicketNo),
    /// What the house owes a store for voucher codes that members used there as tickets.
    VoucherTakings(i64),
}

/// Accounts are stored as kind × 10¹⁷ + number, readable in decimal. Numbers are serials, which
/// stay below 10¹⁷ until the year 2243; there is room for 92 kinds.
const KIND: i64 = 100_000_000_000_000_000;

impl Account {
    /// The account as one stored integer.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Channel(channel) => KIND + channel.0 as i64,
            Self::Merchant(merchant) => 2 * KIND + merchant.0,
            Self::DataProvider => 3 * KIND,
            Self::DataDelivered(merchant) => 4 * KIND + merchant.0,
            Self::PointsHeld(card) => 5 * KIND + card.0,
            Self::PointsGranted => 6 * KIND,
            Self::PointsRedeemed(store) => 7 * KIND + store,
            Self::PointsExpired => 8 * KIND,
            Self::CashTakings(store) => 9 * KIND + store,
            Self::CashSales(store) => 10 * KIND + store,
            Self::PointsSupplied(store) => 11 * KIND + store,
            Self::TicketsHeld(ticket) => 12 * KIND + ticket_code(ticket),
            Self::TicketsGranted(ticket) => 13 * KIND + ticket_code(ticket),
            Self::TicketsUsed(ticket) => 14 * KIND + ticket_code(ticket),
            Self::TicketsExpired(ticket) => 15 * KIND + ticket_code(ticket),
            Self::UsesIssued(ticket) => 16 * KIND + ticket.0 as i64,
            Self::UsesInStock(ticket) => 17 * KIND + ticket.0 as i64,
            Self::UsesActive(ticket) => 18 * KIND + ticket.0 as i64,
            Self::UsesSpent(ticket) => 19 * KIND + ticket.0 as i64,
            Self::UsesVoid(ticket) => 20 * KIND + ticket.0 as i64,
            Self::UsesExpired(ticket) => 21 * KIND + ticket.0 as i64,
            Self::VoucherLiability(ticket) => 22 * KIND + ticket.0 as i64,
            Self::VoucherSales(partner) => 23 * KIND + partner.0 as i64,
            Self::VoucherBreakage(ticket) => 24 * KIND + ticket.0 as i64,
            Self::VoucherTakings(store) => 25 * KIND + store,
        }
    }

    /// Reads a stored integer; `None` when no account has it.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        let number = code.rem_euclid(KIND);
        match code.div_euclid(KIND) {
            1 => Some(Self::Channel(ChannelNo(u8::try_from(number).ok()?))),
            2 => Some(Self::Merchant(MerchantNo(number))),
            3 if number == 0 => Some(Self::DataProvider),
            4 => Some(Self::DataDelivered(MerchantNo(number))),
            5 => Some(Self::PointsHeld(Serial(number))),
            6 if number == 0 => Some(Self::PointsGranted),
            7 => Some(Self::PointsRedeemed(number)),
            8 if number == 0 => Some(Self::PointsExpired),
            9 => Some(Self::CashTakings(number)),
            10 => Some(Self::CashSales(number)),
            11 => Some(Self::PointsSupplied(number)),
            12 => Some(Self::TicketsHeld(read_ticket(number))),
            13 => Some(Self::TicketsGranted(read_ticket(number))),
            14 => Some(Self::TicketsUsed(read_ticket(number))),
            15 => Some(Self::TicketsExpired(read_ticket(number))),
            25 => Some(Self::VoucherTakings(number)),
            kind => Self::of_vouchers(kind, u32::try_from(number).ok()?),
        }
    }

    const fn of_vouchers(kind: i64, number: u32) -> Option<Self> {
        let ticket = VoucherTicketNo(number);
        match kind {
            16 => Some(Self::UsesIssued(ticket)),
            17 => Some(Self::UsesInStock(ticket)),
            18 => Some(Self::UsesActive(ticket)),
            19 => Some(Self::UsesSpent(ticket)),
            20 => Some(Self::UsesVoid(ticket)),
            21 => Some(Self::UsesExpired(ticket)),
            22 => Some(Self::VoucherLiability(ticket)),
            23 => Some(Self::VoucherSales(PartnerNo(number))),
            24 => Some(Self::VoucherBreakage(ticket)),
            _ => None,
        }
    }
}

/// Vouchers have the odd numbers, so that they and tickets stay apart.
const fn ticket_code(ticket: TicketId) -> i64 {
    ticket.id * 2 + ticket.voucher as i64
}

const fn read_ticket(code: i64) -> TicketId {
    TicketId {
        voucher: code % 2 == 1,
        id: code / 2,
    }
}

/// What amounts are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Fen of Chinese yuan.
    Fen,
    /// Megabytes of mobile data.
    Megabyte,
    /// Hundredths of a point.
    Point,
    /// Pieces of tickets.
    Piece,
    /// Uses of voucher codes.
    Use,
}

/// What kind of movement a posting records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Movement {
    /// A payment was made.
    Payment,
    /// A refund was made.
    Refund,
    /// A channel took a payment and gave it back in one reversal.
    Reversal,
    /// A top-up was delivered.
    Recharge,
    /// Points left a card, or came back to it.
    PointsSpent,
    /// Points were earned, or taken back.
    PointsEarned,
    /// Cash was taken, or given back.
    Cash,
    /// Cash was paid for earned points that were spent already, or given back.
    CashSupply,
    /// Uses of voucher codes came into stock, or left it.
    UsesFromStock,
    /// Uses of active codes were redeemed, voided or written off.
    UsesFromActive,
    /// Uses came back.
    UsesBack,
    /// The face value of uses moved.
    VoucherFace,
    /// It moved back.
    VoucherFaceBack,
    /// Face value was written off.
    VoucherBreakage,
    /// It came back.
    VoucherBreakageBack,
    /// The face value moved of the uses in this line of the event, counted among those of codes.
    CodeFace(u8),
    /// Pieces of the ticket in this line of the event were used, given back, granted or written
    /// off.
    Tickets(u8),
}

/// Each subject has this many posting numbers.
const SLOTS: i64 = 64;
/// The first slot of the face values of codes.
const CODE_FACES: i64 = 16;
/// The first slot of ticket lines.
const TICKETS: i64 = 32;

impl Movement {
    /// How many lines of tickets one event may have.
    pub const TICKET_LINES_MAX: u8 = 32;
    /// How many of them may be uses of voucher codes.
    pub const CODE_LINES_MAX: u8 = 16;

    const fn slot(self) -> i64 {
        match self {
            Self::Payment => 0,
            Self::Refund => 1,
            Self::Reversal => 2,
            Self::Recharge => 3,
            Self::PointsSpent => 4,
            Self::PointsEarned => 5,
            Self::Cash => 6,
            Self::CashSupply => 7,
            Self::UsesFromStock => 8,
            Self::UsesFromActive => 9,
            Self::UsesBack => 10,
            Self::VoucherFace => 11,
            Self::VoucherFaceBack => 12,
            Self::VoucherBreakage => 13,
            Self::VoucherBreakageBack => 14,
            Self::CodeFace(line) => CODE_FACES + line as i64,
            Self::Tickets(line) => TICKETS + line as i64,
        }
    }
}

/// One balanced movement of `amount` from `credit` to `debit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Whose ledger.
    pub tenant: TenantId,
    /// The payment, refund or top-up that moved.
    pub subject: Serial,
    /// How it moved.
    pub movement: Movement,
    /// The account that receives.
    pub debit: Account,
    /// The account that gives.
    pub credit: Account,
    /// How much, in `unit`; always above zero.
    pub amount: i64,
    /// What the amount is counted in.
    pub unit: Unit,
    /// When it was recorded.
    pub at: UnixMs,
}

impl Posting {
    /// The posting's own number: the subject's with the movement behind it.
    #[must_use]
    pub const fn number(&self) -> i64 {
        self.subject.0 * SLOTS + self.movement.slot()
    }

    /// The inverse of [`Posting::number`]; `None` when no movement has it.
    #[must_use]
    pub fn read_number(number: i64) -> Option<(Serial, Movement)> {
        let movement = match number.rem_euclid(SLOTS) {
            0 => Movement::Payment,
            1 => Movement::Refund,
            2 => Movement::Reversal,
            3 => Movement::Recharge,
            4 => Movement::PointsSpent,
            5 => Movement::PointsEarned,
            6 => Movement::Cash,
            7 => Movement::CashSupply,
            8 => Movement::UsesFromStock,
            9 => Movement::UsesFromActive,
            10 => Movement::UsesBack,
            11 => Movement::VoucherFace,
            12 => Movement::VoucherFaceBack,
            13 => Movement::VoucherBreakage,
            14 => Movement::VoucherBreakageBack,
            slot @ CODE_FACES..TICKETS => Movement::CodeFace(u8::try_from(slot - CODE_FACES).ok()?),
            slot => Movement::Tickets(u8::try_from(slot.checked_sub(TICKETS)?).ok()?),
        };
        Some((Serial(number.div_euclid(SLOTS)), movement))
    }

    /// The channel now owes what the payer paid; the house owes it to the merchant.
    #[must_use]
    pub const fn payment(payment: &Payment, at: UnixMs) -> Self {
        Self {
            tenant: payment.tenant,
            subject: payment.serial,
            movement: Movement::Payment,
            debit: Account::Channel(payment.channel),
            credit: Account::Merchant(payment.merchant),
            amount: payment.amount.get(),
            unit: Unit::Fen,
            at,
        }
    }

    /// The channel reversed what it took: the mirror image of [`Posting::payment`].
    #[must_use]
    pub const fn reversal(payment: &Payment, at: UnixMs) -> Self {
        Self {
            movement: Movement::Reversal,
            debit: Account::Merchant(payment.merchant),
            credit: Account::Channel(payment.channel),
            ..Self::payment(payment, at)
        }
    }

    /// The merchant gives back a part of a payment through the channel that took it.
    #[must_use]
    pub const fn refund(payment: &Payment, refund: &Refund, at: UnixMs) -> Self {
        Self {
            subject: refund.serial,
            movement: Movement::Refund,
            amount: refund.amount.get(),
            ..Self::reversal(payment, at)
        }
    }

    /// Data bought from the provider was delivered for the merchant.
    #[must_use]
    pub const fn recharge(recharge: &Recharge, at: UnixMs) -> Self {
        Self {
            tenant: recharge.tenant,
            subject: recharge.serial,
            movement: Movement::Recharge,
            debit: Account::DataDelivered(recharge.merchant),
            credit: Account::DataProvider,
            amount: recharge.data_mb,
            unit: Unit::Megabyte,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest serial there is room for: merchants are numbered by serials.
    const LAST_SERIAL: i64 = 99_999_999_999_999_999;
    const TICKET: TicketId = TicketId {
        voucher: false,
        id: TicketId::MAX,
    };
    const VOUCHER: TicketId = TicketId {
        voucher: true,
        id: 1,
    };

    #[test]
    fn movements_survive_their_number() {
        let lines = (0..Movement::TICKET_LINES_MAX).map(Movement::Tickets);
        let faces = (0..Movement::CODE_LINES_MAX).map(Movement::CodeFace);
        let named = [
            Movement::Payment,
            Movement::Refund,
            Movement::Reversal,
            Movement::Recharge,
            Movement::PointsSpent,
            Movement::PointsEarned,
            Movement::Cash,
            Movement::CashSupply,
            Movement::UsesFromStock,
            Movement::UsesFromActive,
            Movement::UsesBack,
            Movement::VoucherFace,
            Movement::VoucherFaceBack,
            Movement::VoucherBreakage,
            Movement::VoucherBreakageBack,
        ];
        for movement in named.into_iter().chain(faces).chain(lines) {
            let subject = Serial(LAST_SERIAL);
            let number = subject.0 * SLOTS + movement.slot();
            assert_eq!(Posting::read_number(number), Some((subject, movement)));
        }
        assert_eq!(Posting::read_number(15), None, "slots between are nobody's");
    }

    #[test]
    fn accounts_survive_their_code() {
        for account in [
            Account::Channel(ChannelNo(34)),
            Account::Merchant(MerchantNo(17)),
            Account::DataProvider,
            Account::DataDelivered(MerchantNo(17)),
            Account::Merchant(MerchantNo(LAST_SERIAL)),
            Account::DataDelivered(MerchantNo(LAST_SERIAL)),
            Account::PointsHeld(Serial(LAST_SERIAL)),
            Account::PointsGranted,
            Account::PointsRedeemed(LAST_SERIAL),
            Account::PointsExpired,
            Account::CashTakings(1),
            Account::CashSales(LAST_SERIAL),
            Account::PointsSupplied(1),
            Account::TicketsHeld(TICKET),
            Account::TicketsGranted(VOUCHER),
            Account::TicketsUsed(TICKET),
            Account::TicketsExpired(VOUCHER),
            Account::UsesIssued(VoucherTicketNo(1)),
            Account::UsesInStock(VoucherTicketNo(u32::MAX)),
            Account::UsesActive(VoucherTicketNo(500_811)),
            Account::UsesSpent(VoucherTicketNo(500_811)),
            Account::UsesVoid(VoucherTicketNo(500_811)),
            Account::UsesExpired(VoucherTicketNo(500_811)),
            Account::VoucherLiability(VoucherTicketNo(500_812)),
            Account::VoucherSales(PartnerNo(1504)),
            Account::VoucherBreakage(VoucherTicketNo(500_812)),
            Account::VoucherTakings(LAST_SERIAL),
        ] {
            assert_eq!(Account::from_code(account.code()), Some(account));
        }
        assert_eq!(Account::from_code(26 * KIND), None);
        assert_eq!(Account::from_code(-1), None);
    }
}
