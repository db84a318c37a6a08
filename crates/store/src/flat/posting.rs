//! The ledger's postings as columns.

use super::corrupt;
use crate::contract::StoreError;
use domain::{
    ids::TenantId,
    ledger::{Account, Posting, Unit},
    time::UnixMs,
};

codes!(unit_code, unit_from, Unit, {
    Unit::Fen => 1 => Unit::Fen,
    Unit::Megabyte => 2 => Unit::Megabyte,
    Unit::Point => 3 => Unit::Point,
    Unit::Piece => 4 => Unit::Piece,
    Unit::Use => 5 => Unit::Use,
});

/// A posting as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatPosting {
    pub tenant: i64,
    /// [`Posting::number`]: the subject × 64 + the movement.
    pub number: i64,
    pub debit: i64,
    pub credit: i64,
    pub amount: i64,
    pub unit: i16,
    pub at: i64,
}

impl FlatPosting {
    pub(crate) const fn of(posting: &Posting) -> Self {
        Self {
            tenant: posting.tenant.0,
            number: posting.number(),
            debit: posting.debit.code(),
            credit: posting.credit.code(),
            amount: posting.amount,
            unit: unit_code(posting.unit),
            at: posting.at.0,
        }
    }

    pub(crate) fn read(self) -> Result<Posting, StoreError> {
        let account = |code: i64| Account::from_code(code).ok_or_else(|| corrupt("Account", &code));
        let (subject, movement) =
            Posting::read_number(self.number).ok_or_else(|| corrupt("Movement", &self.number))?;
        Ok(Posting {
            tenant: TenantId(self.tenant),
            subject,
            movement,
            debit: account(self.debit)?,
            credit: account(self.credit)?,
            amount: self.amount,
            unit: unit_from(self.unit)?,
            at: UnixMs(self.at),
        })
    }
}
