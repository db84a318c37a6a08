//! activeVoucher and reelActiveVoucher.

use super::error::{Demand, RequestError};
use super::extend_data::ExtendData;
use super::fields;
use super::qrcode::Items;
use crate::node::Members;
use crate::voucher::name;
use crate::voucher::object::Object;
use crate::voucher::reply::TreeShape;

/// Activates codes. No `Debug`: it may hold codes that pay.
#[derive(Clone, PartialEq, Eq)]
pub struct Activate {
    /// `traceNo`: the partner's own number, 1 to 64 visible ASCII characters.
    pub trace_no: String,
    /// `qrcode`: what to activate.
    pub items: Items,
    /// `totalAmount`: the price of all after discount, in fen, from 0 to
    /// [`FEN_MAX`](super::FEN_MAX).
    pub total_amount_fen: i64,
    /// `businessType`.
    pub business_type: Option<u32>,
    /// `extendData`.
    pub extend_data: ExtendData,
}

impl Activate {
    /// The shape that its `businessType` asks for.
    pub const fn shape(&self) -> TreeShape {
        super::shape(self.business_type)
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            trace_no: super::trace_no(object)?,
            items: Items::get(object)?,
            total_amount_fen: fields::get(object, name::TOTAL_AMOUNT, Demand::Fen, fields::fen)?,
            business_type: fields::business_type(object)?,
            extend_data: ExtendData::get(object)?,
        })
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members.text(name::TRACE_NO, &self.trace_no);
        self.items.push(members);
        members.node(name::TOTAL_AMOUNT, super::digits(&self.total_amount_fen));
        super::push_business_type(members, self.business_type);
        self.extend_data.push(members);
    }
}
