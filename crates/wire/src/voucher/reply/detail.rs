//! An entry of `codeDetail`: one code.

use std::borrow::Cow;

use crate::locale::Locale;
use crate::node::{Members, Node};
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};
use crate::voucher::readings::CodeStatus;
use crate::voucher::time::CivilTime;
use crate::voucher::yuan;

/// A time that is not set. Some of the samples have sixteen zeros, which are read too.
const NOT_SET: &str = "00000000000000";

/// One code with what it is worth. No `Debug`: the code may pay.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeDetail<'a> {
    /// `createTime`, and its day again as `createDate`.
    pub create_time: CivilTime,
    /// `saleChannelOrderId`: one a reel.
    pub sale_channel_order_id: Cow<'a, str>,
    /// `remainTimes`: the uses left.
    pub remain_times: u32,
    /// `status`.
    pub status: CodeStatus,
    /// `statusDesc`.
    pub status_desc: Cow<'a, str>,
    /// `code`.
    pub code: Cow<'a, str>,
    /// `activityId`.
    pub activity_id: i64,
    /// `activityName`.
    pub activity_name: Cow<'a, str>,
    /// `saleChannelName`.
    pub sale_channel_name: Cow<'a, str>,
    /// `sendChannelName`.
    pub send_channel_name: Cow<'a, str>,
    /// `ticketId`.
    pub ticket_id: i64,
    /// `ticketName`.
    pub ticket_name: Cow<'a, str>,
    /// `faceValue`, in yuan on the wire.
    pub face_value_fen: i64,
    /// `validStart`.
    pub valid_start: Option<CivilTime>,
    /// `validEnd`.
    pub valid_end: Option<CivilTime>,
}

impl CodeDetail<'_> {
    /// The words of a status.
    pub const fn status_desc(status: CodeStatus, locale: Locale) -> Cow<'static, str> {
        Cow::Borrowed(status.name(locale))
    }

    pub(super) fn write(&self, out: &mut String) {
        let mut members = Members::with_capacity(16);
        members
            .node(name::CREATE_TIME, owned(self.create_time.digits()))
            .text(name::SALE_CHANNEL_ORDER_ID, &self.sale_channel_order_id)
            .int(name::REMAIN_TIMES, self.remain_times)
            .text(name::STATUS, self.status.code())
            .text(name::TICKET_NAME, &self.ticket_name)
            .text(name::CODE, &self.code)
            .int(name::ACTIVITY_ID, self.activity_id)
            .node(name::CODE_VALID_END, time(self.valid_end))
            .text(name::SEND_CHANNEL_NAME, &self.send_channel_name)
            .int(name::TICKET_ID, self.ticket_id)
            .text(name::SALE_CHANNEL_NAME, &self.sale_channel_name)
            .node(name::VALID_START, time(self.valid_start))
            .node(name::FACE_VALUE, owned(yuan::write(self.face_value_fen)))
            .node(name::CREATE_DATE, owned(self.create_time.date_digits()))
            .text(name::ACTIVITY_NAME, &self.activity_name)
            .text(name::STATUS_DESC, &self.status_desc);
        members.write(out);
    }
}

impl CodeDetail<'static> {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        let text = |name| object.text(name).map(Cow::Owned);
        Ok(Self {
            create_time: object.get(name::CREATE_TIME, CivilTime::parse_digits)?,
            sale_channel_order_id: text(name::SALE_CHANNEL_ORDER_ID)?,
            remain_times: object.get(name::REMAIN_TIMES, |text| text.parse().ok())?,
            status: object.get(name::STATUS, CodeStatus::from_code)?,
            status_desc: text(name::STATUS_DESC)?,
            code: Cow::Owned(object.get(name::CODE, |text| Some(text.to_owned()))?),
            activity_id: object.get(name::ACTIVITY_ID, |text| text.parse().ok())?,
            activity_name: text(name::ACTIVITY_NAME)?,
            sale_channel_name: text(name::SALE_CHANNEL_NAME)?,
            send_channel_name: text(name::SEND_CHANNEL_NAME)?,
            ticket_id: object.get(name::TICKET_ID, |text| text.parse().ok())?,
            ticket_name: text(name::TICKET_NAME)?,
            face_value_fen: object.get(name::FACE_VALUE, yuan::read)?,
            valid_start: object.get(name::VALID_START, read_time)?,
            valid_end: object.get(name::CODE_VALID_END, read_time)?,
        })
    }
}

fn owned(text: String) -> Node<'static> {
    Node::Text(Cow::Owned(text))
}

fn time(time: Option<CivilTime>) -> Node<'static> {
    time.map_or(Node::Text(Cow::Borrowed(NOT_SET)), |time| {
        owned(time.digits())
    })
}

fn read_time(text: &str) -> Option<Option<CivilTime>> {
    if text.starts_with(NOT_SET) && text.bytes().all(|b| b == b'0') {
        Some(None)
    } else {
        CivilTime::parse_digits(text).map(Some)
    }
}
