//! activeResultQuery and queryCodeTrace.

use super::error::RequestError;
use super::fields;
use super::qrcode::Item;
use crate::node::Members;
use crate::voucher::name;
use crate::voucher::object::Object;
use crate::voucher::reply::TreeShape;

/// Asks what became of an activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultQuery {
    /// `traceNo`: the question's own number.
    pub trace_no: String,
    /// `originalTraceNo`: the activation's.
    pub original_trace_no: String,
    /// `businessType`.
    pub business_type: Option<u32>,
}

impl ResultQuery {
    /// The shape that its `businessType` asks for.
    pub const fn shape(&self) -> TreeShape {
        super::shape(self.business_type)
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            trace_no: super::trace_no(object)?,
            original_trace_no: fields::trace_no(object, name::ORIGINAL_TRACE_NO)?,
            business_type: fields::business_type(object)?,
        })
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members
            .text(name::TRACE_NO, &self.trace_no)
            .text(name::ORIGINAL_TRACE_NO, &self.original_trace_no);
        super::push_business_type(members, self.business_type);
    }
}

/// Asks for a code's history. No `Debug`: the code may pay.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceQuery {
    /// `requestId`: the question's own number.
    pub request_id: String,
    /// `qrcode`: one code.
    pub item: Item,
}

impl TraceQuery {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            request_id: fields::trace_no(object, name::REQUEST_ID)?,
            item: Item::get(object)?,
        })
    }

    pub(super) fn push<'a>(&'a self, members: &mut Members<'a>) {
        members
            .text(name::REQUEST_ID, &self.request_id)
            .text(name::QRCODE, self.item.as_str());
    }
}
