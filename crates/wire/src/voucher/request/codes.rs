//! delVoucher, reelDelVoucher, queryVerifyInfo and queryVoucher.

use super::error::RequestError;
use super::fields;
use super::qrcode::Items;
use crate::node::Members;
use crate::voucher::name;
use crate::voucher::object::Object;
use crate::voucher::reply::TreeShape;

/// Names codes and nothing else: those to void, or to look up. No `Debug`: they may pay.
#[derive(Clone, PartialEq, Eq)]
pub struct Codes {
    /// `traceNo`: the partner's own number, 1 to 64 visible ASCII characters.
    pub trace_no: String,
    /// `qrcode`.
    pub items: Items,
    /// `businessType`.
    pub business_type: Option<u32>,
}

impl Codes {
    /// The shape that its `businessType` asks for.
    pub const fn shape(&self) -> TreeShape {
        super::shape(self.business_type)
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            trace_no: super::trace_no(object)?,
            items: Items::get(object)?,
            business_type: fields::business_type(object)?,
        })
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members.text(name::TRACE_NO, &self.trace_no);
        self.items.push(members);
        super::push_business_type(members, self.business_type);
    }
}
