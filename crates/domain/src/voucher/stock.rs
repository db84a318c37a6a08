//! Stock: a box holds packages, a package reels, a reel codes.

use super::{
    code::CodeRange,
    partner::PartnerNo,
    postings::face_of,
    ticket::{ActivityNo, Terms, USES_MAX, VoucherTicketNo},
};
use crate::{
    ids::{Serial, TenantId},
    money::Fen,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// The most codes of one box.
pub const CODES_MAX: u32 = 10_000_000;
/// The most that the uses of one box may pay in all: ten trillion yuan. The ledger counts thousands
/// of such boxes.
pub const FACE_MAX: Fen = Fen::new(1_000_000_000_000_000);

/// What a printed name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// A box.
    Carton,
    /// A package.
    Package,
    /// A reel.
    Reel,
}

impl Level {
    /// All levels, from the outside in.
    pub const ALL: [Self; 3] = [Self::Carton, Self::Package, Self::Reel];
}

/// A box, a package or a reel under its printed name. Never changes once it is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Whose.
    pub tenant: TenantId,
    /// Its printed name, unique in the tenant.
    pub id: String,
    /// Which of the three it is.
    pub level: Level,
    /// Its codes.
    pub range: CodeRange,
    /// A reel's number at the sale channel, 32 hexadecimal digits.
    pub sale_channel_order_id: Option<String>,
}

/// How many of each lie in the one above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Packages in the box.
    pub packages: u32,
    /// Reels in a package.
    pub reels: u32,
    /// Codes in a reel.
    pub codes: u32,
}

impl Shape {
    /// How many codes the box holds; `None` where it would be none, or more than [`CODES_MAX`].
    #[must_use]
    pub fn codes_in_carton(self) -> Option<u32> {
        let reels = self.packages.checked_mul(self.reels)?;
        let codes = reels.checked_mul(self.codes)?;
        (1..=CODES_MAX).contains(&codes).then_some(codes)
    }
}

/// A box of codes: what all of them have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carton {
    /// Whose.
    pub tenant: TenantId,
    /// Its number here.
    pub serial: Serial,
    /// Its printed name.
    pub id: String,
    /// The partner it is for.
    pub partner: PartnerNo,
    /// How many codes it holds.
    pub codes: u32,
    /// How it is packed; `None` for imported stock, which may be packed unevenly.
    pub shape: Option<Shape>,
    /// The activity it was issued under, and its name then.
    pub activity: ActivityNo,
    /// The activity's name.
    pub activity_name: String,
    /// Through whom the codes are sold.
    pub sale_channel: String,
    /// Through whom the codes are sent.
    pub send_channel: String,
    /// The ticket type of its codes.
    pub ticket: VoucherTicketNo,
    /// The ticket type's name.
    pub ticket_name: String,
    /// What each code is good for.
    pub terms: Terms,
    /// The card numbers of its codes, where they have some.
    pub cards: Option<Cards>,
    /// Whether all of its codes are stored: before that nobody can use it.
    pub ready: bool,
    /// When it was issued.
    pub issued_at: UnixMs,
    /// Who had it in hand, the newest last; at most [`CUSTODY_MAX`].
    pub custody: Vec<Custody>,
}

/// The most entries of a box's custody log.
pub const CUSTODY_MAX: usize = 100;

/// Card numbers that follow each other as the codes do: a bin and a 7-digit segment number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cards {
    /// 6 digits of cards, 4 of vouchers.
    pub bin: String,
    /// The segment number of the box's first code.
    pub first: u32,
}

/// The largest segment number.
pub const SEGMENT_MAX: u32 = 9_999_999;

/// One entry of a box's custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// When.
    pub at: UnixMs,
    /// Who.
    pub by: String,
    /// What was done with it.
    pub act: CustodyAct,
}

/// What was done with a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustodyAct {
    /// Its codes were made.
    Issued,
    /// Its codes were brought in from elsewhere.
    Imported,
    /// Its codes were written to a file for the printer.
    Exported,
    /// The partner has it.
    Received,
    /// It was never finished, and is being removed.
    Discarded,
}

impl Cards {
    /// Whether the bin is of cards or vouchers, and there are segment numbers for so many codes.
    fn reach(&self, codes: u32) -> bool {
        let is_bin =
            matches!(self.bin.len(), 4 | 6) && self.bin.bytes().all(|b| b.is_ascii_digit());
        let behind = self.first.checked_add(codes);
        is_bin && behind.is_some_and(|it| it <= SEGMENT_MAX + 1)
    }
}

impl Carton {
    /// Whether it may be issued: its codes, their uses, what those pay and the card numbers are all
    /// such as there may be.
    #[must_use]
    pub fn may_be_issued(&self) -> bool {
        let (codes, uses) = (self.codes, self.terms.uses);
        let in_bounds = (1..=CODES_MAX).contains(&codes) && (1..=USES_MAX).contains(&uses);
        let all = i64::from(codes).checked_mul(i64::from(uses));
        let face = all.and_then(|all| face_of(&self.terms, all));
        let is_counted = face.is_some_and(|it| (Fen::ZERO..=FACE_MAX).contains(&it));
        in_bounds && is_counted && self.cards.as_ref().is_none_or(|it| it.reach(codes))
    }

    /// Whether its codes are still being stored: not ready, and not given up.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.ready && !self.was(CustodyAct::Discarded)
    }

    /// Whether this was done with it.
    #[must_use]
    pub fn was(&self, act: CustodyAct) -> bool {
        self.custody.iter().any(|it| it.act == act)
    }

    /// All of its codes.
    #[must_use]
    pub const fn range(&self) -> CodeRange {
        CodeRange {
            carton: self.serial,
            first: 0,
            last: self.codes.saturating_sub(1),
        }
    }

    /// Its codes whose segment numbers lie within `first..=last` of `bin`.
    #[must_use]
    pub fn segment(&self, bin: &str, first: u32, last: u32) -> Option<CodeRange> {
        let cards = self.cards.as_ref().filter(|it| it.bin == bin)?;
        let index = |segment: u32| segment.checked_sub(cards.first);
        let wanted = CodeRange {
            carton: self.serial,
            first: index(first.max(cards.first))?,
            last: index(last)?,
        };
        wanted.intersect(&self.range())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_holds_at_least_one_code_and_at_most_ten_million() {
        let codes = |packages, reels, codes| {
            Shape {
                packages,
                reels,
                codes,
            }
            .codes_in_carton()
        };
        assert_eq!(codes(10, 20, 50), Some(10_000));
        assert_eq!(codes(1, 1, CODES_MAX), Some(CODES_MAX));
        assert_eq!(codes(1, 0, 50), None);
        assert_eq!(codes(2, 1, CODES_MAX), None);
        assert_eq!(codes(u32::MAX, u32::MAX, 2), None);
    }
}
