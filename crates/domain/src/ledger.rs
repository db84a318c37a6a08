//! The double-entry ledger: accounts, and the posting each movement makes.
//!
//! A posting moves one amount from one account to another, so it is balanced by its shape. Its
//! number is made from what it records, so the same movement cannot be posted twice.

use crate::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    time::UnixMs,
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
            _ => None,
        }
    }
}

/// What amounts are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Fen of Chinese yuan.
    Fen,
    /// Megabytes of mobile data.
    Megabyte,
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
        self.subject.0 * 8 + self.movement as i64
    }

    /// The inverse of [`Posting::number`]; `None` when no movement has it.
    #[must_use]
    pub const fn read_number(number: i64) -> Option<(Serial, Movement)> {
        let movement = match number.rem_euclid(8) {
            0 => Movement::Payment,
            1 => Movement::Refund,
            2 => Movement::Reversal,
            3 => Movement::Recharge,
            _ => return None,
        };
        Some((Serial(number.div_euclid(8)), movement))
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

    #[test]
    fn accounts_survive_their_code() {
        for account in [
            Account::Channel(ChannelNo(34)),
            Account::Merchant(MerchantNo(17)),
            Account::DataProvider,
            Account::DataDelivered(MerchantNo(17)),
            Account::Merchant(MerchantNo(LAST_SERIAL)),
            Account::DataDelivered(MerchantNo(LAST_SERIAL)),
        ] {
            assert_eq!(Account::from_code(account.code()), Some(account));
        }
        assert_eq!(Account::from_code(9 * KIND), None);
        assert_eq!(Account::from_code(-1), None);
    }
}
