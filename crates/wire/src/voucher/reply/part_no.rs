//! The reply to activeByPartNo, signed with the gateway's key.

use crate::locale::Locale;
use crate::node::{Members, Node};
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};
use crate::voucher::readings::{StatusCode, VERSION};
use crate::voucher::sign::{self, SignError, Signer};
use crate::voucher::time::CivilTime;

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartNoReply {
    /// `statusCode`.
    pub status: StatusCode,
    /// `message`.
    pub message: String,
    /// `createTime` of the order; absent when there is none.
    pub create_time: Option<CivilTime>,
}

impl PartNoReply {
    /// How an order stands.
    pub fn standing(status: StatusCode, create_time: CivilTime, locale: Locale) -> Self {
        Self {
            create_time: Some(create_time),
            ..Self::refused(status, status.name(locale))
        }
    }

    /// Why there is no order.
    pub fn refused(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            create_time: None,
        }
    }

    /// Writes the reply with its signature, which comes last.
    ///
    /// # Errors
    ///
    /// [`SignError::Unsignable`] when the key does not sign.
    pub fn encode(&self, signer: Signer<'_>) -> Result<String, SignError> {
        let created = self
            .create_time
            .map(|time| Node::Text(time.digits().into()));
        let mut members = Members::with_capacity(5);
        members
            .maybe(name::CREATE_TIME, created)
            .text(name::MESSAGE, &self.message)
            .int(name::STATUS_CODE, self.status.code())
            .int(name::VER, VERSION);
        sign::sealed(members, signer)
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        let status = |text: &str| StatusCode::from_code(text.parse().ok()?);
        let version = |text: &str| (text.parse() == Ok(VERSION)).then_some(());
        object.get(name::VER, version)?;
        Ok(Self {
            status: object.get(name::STATUS_CODE, status)?,
            message: object.text(name::MESSAGE)?,
            create_time: object.maybe(name::CREATE_TIME, CivilTime::parse_digits)?,
        })
    }
}
