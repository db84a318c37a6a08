//! What the gateway answers, written and read.
//!
//! Members come in the order of the sources' samples; nothing is ever null; what a reply has no
//! value for is absent. A tree of codes may have millions: [`ReplyWriter`] takes one code after
//! the other and hands out what is written so far, and the encoder of whole replies is made of it.

mod codes;
mod detail;
mod part_no;
mod trace;
mod tree;
mod writer;

pub use codes::{Bill, CodesReply};
pub use detail::CodeDetail;
pub use part_no::PartNoReply;
pub use trace::{TraceEntry, TraceReply};
pub use tree::{Place, Tree, TreeShape, VoucherBox, VoucherPkg, VoucherReel};
pub use writer::ReplyWriter;

use super::action::Action;
use super::object::{self, MemberError, Object};
use super::readings::ReturnCode;
use super::time::CivilTime;
use crate::locale::Locale;
use crate::text::trim;

/// The value of a reply's `Content-Type` header.
pub const CONTENT_TYPE: &str = "application/json;charset=UTF-8";
/// Most bytes of a reply that a client reads.
pub const REPLY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Why a reply cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// More than [`REPLY_BYTES_MAX`] bytes.
    #[error("the reply is too large")]
    TooLarge,
    /// Not UTF-8, no JSON object, or nested too deeply.
    #[error("the reply is no JSON object")]
    NotJson,
    /// A member is missing or no value of its kind.
    #[error("the reply's member {0}")]
    Member(#[from] MemberError),
}

/// A reply as a client reads it. No `Debug`: it may hold codes that pay.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// To all actions but the two below.
    Codes {
        /// What stands around the tree.
        reply: CodesReply,
        /// The tree, if there is one.
        tree: Option<Tree>,
    },
    /// To queryCodeTrace.
    Trace(TraceReply),
    /// To activeByPartNo. Its signature is another matter: [`Sign`](super::Sign).
    PartNo(PartNoReply),
}

impl Reply {
    /// Reads an action's reply.
    ///
    /// # Errors
    ///
    /// [`ReplyError`] when it is no reply to this action.
    pub fn decode(action: Action, bytes: &[u8]) -> Result<Self, ReplyError> {
        if bytes.len() > REPLY_BYTES_MAX {
            return Err(ReplyError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ReplyError::NotJson)?;
        let text = Some(trim(text)).filter(|text| object::is_within_depth(text));
        let object = text.and_then(Object::read).ok_or(ReplyError::NotJson)?;
        Ok(match action {
            Action::QueryCodeTrace => Self::Trace(TraceReply::read(&object)?),
            Action::ActiveByPartNo => Self::PartNo(PartNoReply::read(&object)?),
            Action::ActiveVoucher
            | Action::ActiveResultQuery
            | Action::DelVoucher
            | Action::QueryVerifyInfo
            | Action::ReelActiveVoucher
            | Action::ReelDelVoucher
            | Action::QueryVoucher => Self::Codes {
                reply: CodesReply::read(action, &object)?,
                tree: Tree::read(&object)?,
            },
        })
    }
}

/// The words for a caller who is not admitted, for `returnDesc`.
pub const fn not_admitted(locale: Locale) -> &'static str {
    locale.pick("调用方未获授权", "the caller is not admitted")
}

/// The answer to a message that was not carried out: the action's "other error" with these words.
/// `echo` is what the message named itself, if that could be read; `at` and `at_ms` are now.
/// `None` for activeByPartNo, whose answers are [`PartNoReply`]s.
pub fn refusal(
    action: Action,
    desc: &str,
    echo: Option<String>,
    at: CivilTime,
    at_ms: i64,
) -> Option<String> {
    let code = ReturnCode::other_error(action)?;
    let desc = desc.to_owned();
    let text = if matches!(action, Action::QueryCodeTrace) {
        let reply = TraceReply {
            code,
            desc,
            trans_time_ms: at_ms,
            request_id: echo,
            entries: Vec::new(),
        };
        reply.encode()
    } else {
        let mut reply = CodesReply::new(code, desc, at);
        reply.trace_no = echo;
        reply.encode(None)
    };
    Some(text)
}
