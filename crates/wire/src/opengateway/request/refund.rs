//! refund (table 6.2).

use super::fields::{optional, required};
use super::{RequestError, rules};
use crate::opengateway::document::Document;
use crate::opengateway::node::Members;

/// A refund request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// `BUSI_ID`; the URL's `busiCode` comes first.
    pub busi_id: Option<String>,
    /// `OPER_ID`.
    pub oper_id: String,
    /// `DEV_ID`.
    pub dev_id: String,
    /// `CHARGE_REFUND_FEE`, in yuan, as sent.
    pub refund_yuan: String,
    /// `REFUND_SUBJECT`.
    pub refund_subject: String,
    /// `CHARGE_CODE`, the order's serial at the merchant. It or the next is always there.
    pub charge_code: Option<String>,
    /// `CHARGE_DOWN_CODE`, the order's serial at the gateway, which wins over the other.
    /// Any text up to 64 characters: one that is not 20 digits names no order.
    pub charge_down_code: Option<String>,
    /// `OUT_REFUND_NO`, the refund's serial at the merchant; clients may leave it out.
    pub out_refund_no: Option<String>,
}

impl Refund {
    /// Takes the message out of a document.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(document: &Document<'_>) -> Result<Self, RequestError> {
        let f = document.fields();
        let refund = Self {
            busi_id: optional(f, &rules::BUSI_ID)?,
            oper_id: required(f, &rules::OPER_ID)?,
            dev_id: required(f, &rules::DEV_ID)?,
            refund_yuan: required(f, &rules::CHARGE_REFUND_FEE)?,
            refund_subject: required(f, &rules::REFUND_SUBJECT)?,
            charge_code: optional(f, &rules::CHARGE_CODE)?,
            charge_down_code: optional(f, &rules::CHARGE_DOWN_CODE)?,
            out_refund_no: optional(f, &rules::OUT_REFUND_NO)?,
        };
        if refund.charge_code.is_none() && refund.charge_down_code.is_none() {
            let field = rules::CHARGE_CODE.name;
            return Err(RequestError::Missing { field });
        }
        Ok(refund)
    }

    /// The body a client sends.
    pub fn to_json(&self) -> String {
        let mut m = Members::with_capacity(8);
        m.maybe_text(rules::BUSI_ID.name, self.busi_id.as_deref())
            .maybe_text(rules::CHARGE_CODE.name, self.charge_code.as_deref())
            .maybe_text(
                rules::CHARGE_DOWN_CODE.name,
                self.charge_down_code.as_deref(),
            )
            .text(rules::DEV_ID.name, &self.dev_id)
            .text(rules::CHARGE_REFUND_FEE.name, &self.refund_yuan)
            .text(rules::REFUND_SUBJECT.name, &self.refund_subject)
            .maybe_text(rules::OUT_REFUND_NO.name, self.out_refund_no.as_deref())
            .text(rules::OPER_ID.name, &self.oper_id);
        m.into_node().to_json()
    }
}
