//! What a voucher pays of a payment.

use crate::{
    money::Fen,
    voucher::{
        code::CodeNo,
        ticket::{Terms, VoucherTicketNo},
    },
};
use serde::{Deserialize, Serialize, Serializer};

/// The voucher that pays a part of a payment: one use of one code. As text it is a sequence of its fields;
/// former versions named them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct VoucherPart {
    /// Which code.
    #[serde(rename = "c")]
    pub code: CodeNo,
    /// Its ticket type.
    #[serde(rename = "t")]
    pub ticket: VoucherTicketNo,
    /// How often a code of it may be used.
    #[serde(rename = "n")]
    pub uses: u32,
    /// What one use is worth, in fen.
    #[serde(rename = "f")]
    pub face: Fen,
    /// What it pays of this payment, in fen: its worth or the price, whichever is less.
    #[serde(rename = "p")]
    pub pays: Fen,
}

impl Serialize for VoucherPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            code: CodeNo { carton, index },
            ticket,
            uses,
            face,
            pays,
        } = *self;
        ((carton, index), ticket, uses, face, pays).serialize(serializer)
    }
}

impl VoucherPart {
    /// One use of `code` for a price.
    #[must_use]
    pub fn of(code: CodeNo, ticket: VoucherTicketNo, terms: &Terms, price: Fen) -> Self {
        Self {
            code,
            ticket,
            uses: terms.uses,
            face: terms.face_value,
            pays: terms.face_value.min(price),
        }
    }

    /// What the price does not need of its worth.
    #[must_use]
    pub fn rest(&self) -> Fen {
        self.face.checked_sub(self.pays).unwrap_or(Fen::ZERO)
    }
}
