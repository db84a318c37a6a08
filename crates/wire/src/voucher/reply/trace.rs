//! The reply to queryCodeTrace: a code's history.

use crate::locale::Locale;
use crate::node::{Members, Node};
use crate::voucher::action::Action;
use crate::voucher::name;
use crate::voucher::object::{MemberError, Object};
use crate::voucher::readings::{ReturnCode, TraceKind};
use crate::voucher::request::ExtendData;
use crate::voucher::time::CivilTime;

/// `returnCode` of an entry: there are only changes that were carried out.
const DONE: &str = "00";

/// The reply. No `Debug`: the code may pay.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceReply {
    /// `returnCode`.
    pub code: ReturnCode,
    /// `returnDesc`.
    pub desc: String,
    /// `transTime`, in milliseconds since 1970.
    pub trans_time_ms: i64,
    /// `requestId`, of the message.
    pub request_id: Option<String>,
    /// `returnData`: the history, the oldest first.
    pub entries: Vec<TraceEntry>,
}

/// One change of a code. No `Debug`: see [`TraceReply`].
#[derive(Clone, PartialEq, Eq)]
pub struct TraceEntry {
    /// `dateTime`.
    pub at: CivilTime,
    /// `type`.
    pub kind: TraceKind,
    /// `returnMsg`.
    pub message: String,
    /// `code`.
    pub code: String,
    /// `mid`: the merchant; empty where there is none, as are the next four.
    pub mid: String,
    /// `shopName`.
    pub shop_name: String,
    /// `shopNo`.
    pub shop_no: String,
    /// `tid`: the terminal.
    pub tid: String,
    /// `swift`: the terminal's serial.
    pub swift: String,
    /// `extendData`.
    pub extend_data: ExtendData,
}

impl TraceReply {
    /// Writes the reply.
    pub fn encode(&self) -> String {
        let entries = self.entries.iter().map(TraceEntry::node).collect();
        let mut members = Members::with_capacity(5);
        members
            .text(name::RETURN_CODE, self.code.code())
            .int(name::TRANS_TIME, self.trans_time_ms)
            .maybe_text(name::REQUEST_ID, self.request_id.as_deref())
            .node(name::RETURN_DATA, Node::List(entries))
            .text(name::RETURN_DESC, &self.desc);
        members.to_json()
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        let code = |text: &str| ReturnCode::decode(Action::QueryCodeTrace, text);
        Ok(Self {
            code: object.get(name::RETURN_CODE, code)?,
            desc: object.text(name::RETURN_DESC)?,
            trans_time_ms: object.get(name::TRANS_TIME, |text| text.parse().ok())?,
            request_id: object.maybe(name::REQUEST_ID, |text| Some(text.to_owned()))?,
            entries: object.list(name::RETURN_DATA, TraceEntry::read)?,
        })
    }
}

impl TraceEntry {
    /// A change of a code at no shop's terminal, with the words of its kind.
    pub fn new(at: CivilTime, kind: TraceKind, code: &str, locale: Locale) -> Self {
        Self {
            at,
            kind,
            message: kind.name(locale).to_owned(),
            code: code.to_owned(),
            mid: String::new(),
            shop_name: String::new(),
            shop_no: String::new(),
            tid: String::new(),
            swift: String::new(),
            extend_data: ExtendData::default(),
        }
    }

    fn node(&self) -> Node<'_> {
        let mut members = Members::with_capacity(11);
        members
            .node(name::DATE_TIME, Node::Text(self.at.digits().into()))
            .text(name::RETURN_CODE, DONE)
            .text(name::RETURN_MSG, &self.message)
            .text(name::CODE, &self.code)
            .text(name::MID, &self.mid)
            .text(name::SHOP_NAME, &self.shop_name)
            .text(name::TYPE, self.kind.code())
            .text(name::SHOP_NO, &self.shop_no)
            .text(name::TID, &self.tid)
            .text(name::SWIFT, &self.swift);
        self.extend_data.push(&mut members);
        members.into_node()
    }

    fn read(object: &Object<'_>) -> Result<Self, MemberError> {
        object.get(name::RETURN_CODE, |code| (code == DONE).then_some(()))?;
        let extend_data = object.object(name::EXTEND_DATA)?;
        Ok(Self {
            at: object.get(name::DATE_TIME, CivilTime::parse_digits)?,
            kind: object.get(name::TYPE, TraceKind::from_code)?,
            message: object.text(name::RETURN_MSG)?,
            code: object.get(name::CODE, |text| Some(text.to_owned()))?,
            mid: object.text(name::MID)?,
            shop_name: object.text(name::SHOP_NAME)?,
            shop_no: object.text(name::SHOP_NO)?,
            tid: object.text(name::TID)?,
            swift: object.text(name::SWIFT)?,
            extend_data: extend_data.map_or(Ok(ExtendData::default()), |inside| {
                ExtendData::read(&inside)
            })?,
        })
    }
}
