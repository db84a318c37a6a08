//! `extendData`: what a shop notes beside a change, kept and shown in the code's history.

use super::error::{Demand, RequestError};
use super::fields;
use crate::node::Members;
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};

/// The shop's own words; empty ones are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtendData {
    /// `shopNo`, at most [`TEXT_CHARS_MAX`](super::TEXT_CHARS_MAX) characters, as all of them.
    pub shop_no: Option<String>,
    /// `voucherNo`.
    pub voucher_no: Option<String>,
    /// `posSerialNo`.
    pub pos_serial_no: Option<String>,
    /// `oms`.
    pub oms: Option<String>,
}

impl ExtendData {
    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.shop_no.is_none()
            && self.voucher_no.is_none()
            && self.pos_serial_no.is_none()
            && self.oms.is_none()
    }

    /// `extendData` of a message; empty when it is absent.
    pub(super) fn get(object: &Object<'_>) -> Result<Self, RequestError> {
        let field = name::EXTEND_DATA;
        let inside = object.object(field);
        let inside = inside.map_err(|error| fields::refusal(error, field, Demand::Object))?;
        let Some(inside) = inside else {
            return Ok(Self::default());
        };
        Self::read(&inside).map_err(|error| {
            let field = full_name(error.member());
            fields::refusal(error, field, Demand::Text)
        })
    }

    /// The members of the object itself.
    pub(in crate::voucher) fn read(inside: &Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            shop_no: inside.maybe(name::SHOP_NO, fields::plain_text)?,
            voucher_no: inside.maybe(name::VOUCHER_NO, fields::plain_text)?,
            pos_serial_no: inside.maybe(name::POS_SERIAL_NO, fields::plain_text)?,
            oms: inside.maybe(name::OMS, fields::plain_text)?,
        })
    }

    /// `extendData`, unless it is empty.
    pub(in crate::voucher) fn push<'a>(&'a self, members: &mut Members<'a>) {
        if self.is_empty() {
            return;
        }
        let mut inside = Members::with_capacity(4);
        inside
            .maybe_text(name::SHOP_NO, self.shop_no.as_deref())
            .maybe_text(name::VOUCHER_NO, self.voucher_no.as_deref())
            .maybe_text(name::POS_SERIAL_NO, self.pos_serial_no.as_deref())
            .maybe_text(name::OMS, self.oms.as_deref());
        members.node(name::EXTEND_DATA, inside.into_node());
    }
}

/// A member's name with the object's before it.
fn full_name(member: &'static str) -> &'static str {
    match member {
        name::SHOP_NO => "extendData.shopNo",
        name::VOUCHER_NO => "extendData.voucherNo",
        name::POS_SERIAL_NO => "extendData.posSerialNo",
        name::OMS => "extendData.oms",
        _ => name::EXTEND_DATA,
    }
}
