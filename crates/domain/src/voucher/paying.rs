//! The codes that new payments name: what one pays of its payment, or why it pays nothing.

use super::{
    code::{CodeDigest, CodeNo},
    rows::VoucherRows,
    status::{CodeStatus, standing},
    stock::Carton,
};
use crate::{
    ids::{Serial, TenantId},
    payment::{Flow, Payment, VoucherPart},
    rows::{Claim, Inconsistent},
};
use std::{borrow::Cow, collections::HashMap};

/// Why a code pays nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// It is no code of this retailer's.
    Unknown,
    /// It stands so that it cannot be used.
    Status(CodeStatus),
    /// It pays all of an order, which then has nothing for its payer to do.
    PaysAll,
}

/// The codes that the new payments of a batch name, as a store found them.
#[derive(Debug, Default)]
pub struct PayingCodes {
    codes: HashMap<CodeDigest, CodeNo>,
    cartons: HashMap<Serial, Carton>,
    /// Their spans, and what tills did with them.
    pub rows: VoucherRows,
}

impl PayingCodes {
    /// Adds where a digest leads.
    pub fn add_code(&mut self, digest: CodeDigest, code: CodeNo) {
        self.codes.insert(digest, code);
    }

    /// Adds the box of a code.
    pub fn add_carton(&mut self, carton: Carton) {
        self.cartons.insert(carton.serial, carton);
    }

    /// Whether a box was added: codes that pay at the same time lie in few.
    #[must_use]
    pub fn has_carton(&self, carton: Serial) -> bool {
        self.cartons.contains_key(&carton)
    }

    /// A new payment as it is to be recorded: with the part that the code it names pays of it, if it
    /// names one. Whoever decides on it looks at the code again, under its lock.
    ///
    /// # Errors
    /// When the code's box has no span for it.
    pub fn admit<'a>(
        &self,
        claim: Claim<'a>,
    ) -> Result<Result<Cow<'a, Payment>, CodeRefusal>, Inconsistent> {
        let Claim { payment, code } = claim;
        let Some(digest) = code else {
            return Ok(Ok(Cow::Borrowed(payment)));
        };
        let Some((code, carton)) = self.find(payment.tenant, digest) else {
            return Ok(Err(CodeRefusal::Unknown));
        };
        let price = if payment.is_redemption() {
            carton.terms.face_value
        } else {
            payment.amount
        };
        let part = VoucherPart::of(code, carton.ticket, &carton.terms, price);
        if part.pays == price && payment.flow != Flow::PayerCode {
            return Ok(Err(CodeRefusal::PaysAll));
        }
        let span = self.rows.span_of(payment.tenant, code)?;
        let code_use = self.rows.code_use(payment.tenant, code);
        let stands = standing(span, Some(&code_use), part.uses, payment.created_at);
        if stands.status != CodeStatus::Active {
            return Ok(Err(CodeRefusal::Status(stands.status)));
        }
        let mut payment = payment.clone();
        payment.amount = price;
        payment.set_voucher(part);
        Ok(Ok(Cow::Owned(payment)))
    }

    /// The code of a tenant in a box that is ready.
    fn find(&self, tenant: TenantId, digest: CodeDigest) -> Option<(CodeNo, &Carton)> {
        let code = *self.codes.get(&digest)?;
        let carton = self.cartons.get(&code.carton)?;
        (carton.tenant == tenant && carton.ready).then_some((code, carton))
    }
}
