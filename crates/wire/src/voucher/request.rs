//! The typed messages a partner sends, and what the dialect itself demands of their members.
//!
//! Only shape is checked here: presence, length, closed lists, bounds. Scalars may be strings or
//! numbers; null and empty are absent; a member that a message does not know is ignored, one that
//! is there twice is refused.

mod activate;
mod codes;
mod error;
mod extend_data;
mod fields;
pub(super) mod part_no;
mod qrcode;
mod query;

pub use activate::Activate;
pub use codes::Codes;
pub use error::{Demand, RequestError};
pub use extend_data::ExtendData;
pub use fields::{FEN_MAX, TEXT_CHARS_MAX};
pub use part_no::{ActiveByPartNo, SegmentKind};
pub use qrcode::{ITEMS_MAX, Item, Items};
pub use query::{ResultQuery, TraceQuery};

use zeroize::Zeroizing;

use super::action::Action;
use super::document::Document;
use super::name;
use super::object::Object;
use super::readings::BUSINESS_TYPE_BOX;
use super::reply::TreeShape;
use crate::node::{Members, Node};

/// Any message. No `Debug`: it may hold codes that pay.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    /// activeVoucher.
    ActiveVoucher(Activate),
    /// activeResultQuery.
    ActiveResultQuery(ResultQuery),
    /// delVoucher.
    DelVoucher(Codes),
    /// queryVerifyInfo.
    QueryVerifyInfo(Codes),
    /// reelActiveVoucher.
    ReelActiveVoucher(Activate),
    /// reelDelVoucher.
    ReelDelVoucher(Codes),
    /// queryVoucher.
    QueryVoucher(Codes),
    /// queryCodeTrace.
    QueryCodeTrace(TraceQuery),
    /// activeByPartNo, without its signature: see [`Sign`](super::Sign).
    ActiveByPartNo(ActiveByPartNo),
}

impl Request {
    /// Takes an action's message out of a body.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first member that misses its rule.
    pub fn decode(action: Action, document: &Document<'_>) -> Result<Self, RequestError> {
        let object = document.object();
        Ok(match action {
            Action::ActiveVoucher => Self::ActiveVoucher(Activate::read(object)?),
            Action::ActiveResultQuery => Self::ActiveResultQuery(ResultQuery::read(object)?),
            Action::DelVoucher => Self::DelVoucher(Codes::read(object)?),
            Action::QueryVerifyInfo => Self::QueryVerifyInfo(Codes::read(object)?),
            Action::ReelActiveVoucher => Self::ReelActiveVoucher(Activate::read(object)?),
            Action::ReelDelVoucher => Self::ReelDelVoucher(Codes::read(object)?),
            Action::QueryVoucher => Self::QueryVoucher(Codes::read(object)?),
            Action::QueryCodeTrace => Self::QueryCodeTrace(TraceQuery::read(object)?),
            Action::ActiveByPartNo => Self::ActiveByPartNo(ActiveByPartNo::decode(document)?),
        })
    }

    /// The action it asks for.
    pub const fn action(&self) -> Action {
        match self {
            Self::ActiveVoucher(_) => Action::ActiveVoucher,
            Self::ActiveResultQuery(_) => Action::ActiveResultQuery,
            Self::DelVoucher(_) => Action::DelVoucher,
            Self::QueryVerifyInfo(_) => Action::QueryVerifyInfo,
            Self::ReelActiveVoucher(_) => Action::ReelActiveVoucher,
            Self::ReelDelVoucher(_) => Action::ReelDelVoucher,
            Self::QueryVoucher(_) => Action::QueryVoucher,
            Self::QueryCodeTrace(_) => Action::QueryCodeTrace,
            Self::ActiveByPartNo(_) => Action::ActiveByPartNo,
        }
    }

    /// The body a client sends. An activeByPartNo says nothing without its signature, see
    /// [`ActiveByPartNo::to_json`].
    pub fn to_json(&self) -> String {
        let mut members = Members::with_capacity(16);
        match self {
            Self::ActiveVoucher(message) | Self::ReelActiveVoucher(message) => {
                message.push(&mut members);
            }
            Self::ActiveResultQuery(message) => message.push(&mut members),
            Self::DelVoucher(message)
            | Self::QueryVerifyInfo(message)
            | Self::ReelDelVoucher(message)
            | Self::QueryVoucher(message) => message.push(&mut members),
            Self::QueryCodeTrace(message) => message.push(&mut members),
            Self::ActiveByPartNo(message) => message.push(&mut members),
        }
        members.to_json()
    }

    /// What the message says, for telling a repetition from another message with its number: to
    /// be hashed, not kept. The action, and every member the message knows, in one spelling.
    pub fn content(&self) -> Zeroizing<String> {
        let members = Zeroizing::new(self.to_json());
        let name = self.action().name();
        let mut content = Zeroizing::new(String::with_capacity(name.len() + 1 + members.len()));
        content.push_str(name);
        content.push('?');
        content.push_str(&members);
        content
    }
}

/// What a refusal may repeat of a message that could not be read: its `traceNo`, or `requestId`
/// of queryCodeTrace, where that one is sound.
pub fn echo(action: Action, document: &Document<'_>) -> Option<String> {
    let field = match action {
        Action::QueryCodeTrace => name::REQUEST_ID,
        Action::ActiveVoucher
        | Action::ActiveResultQuery
        | Action::DelVoucher
        | Action::QueryVerifyInfo
        | Action::ReelActiveVoucher
        | Action::ReelDelVoucher
        | Action::QueryVoucher => name::TRACE_NO,
        Action::ActiveByPartNo => return None,
    };
    fields::trace_no(document.object(), field).ok()
}

/// The shape that `businessType` asks for.
const fn shape(business_type: Option<u32>) -> TreeShape {
    match business_type {
        Some(BUSINESS_TYPE_BOX) => TreeShape::Boxes,
        Some(_) | None => TreeShape::Packages,
    }
}

fn push_business_type(members: &mut Members<'_>, business_type: Option<u32>) {
    members.maybe_int(name::BUSINESS_TYPE, business_type);
}

/// A number as the text it is in the samples.
fn digits(number: &impl ToString) -> Node<'static> {
    Node::Text(number.to_string().into())
}

fn trace_no(object: &Object<'_>) -> Result<String, RequestError> {
    fields::trace_no(object, name::TRACE_NO)
}
