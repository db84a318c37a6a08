//! Dialect 3, "voucher": partners activate, void and look up prepaid codes, one by one, by reel,
//! package and box, or by a segment of card numbers.
//!
//! A request goes `bytes → `[`Document`]` → `[`Request`]; a reply goes [`reply`]` → text`, in pieces
//! where it holds a tree. Every type is written as well as read, for clients. In reading order:
//!
//! - [`action`]: the actions and their paths;
//! - [`readings`]: the codes and words whose meaning the sources have lost, as they are read here;
//! - [`name`], [`time`], [`yuan`]: spellings of names, times and face values;
//! - [`document`]: a body as its top-level members;
//! - [`request`]: the typed messages a partner sends, and what makes two of them the same;
//! - [`reply`]: what the gateway answers, the tree piece by piece;
//! - [`key`], [`generate`], [`sign`]: the RSA keys and the signature of activeByPartNo.

pub mod action;
mod der;
pub mod document;
pub mod generate;
pub mod key;
pub mod name;
mod object;
pub mod readings;
pub mod reply;
pub mod request;
pub mod sign;
pub mod time;
pub mod yuan;

pub use action::{Action, Change, PathError};
pub use document::{Document, DocumentError};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use object::MemberError;
pub use readings::{CodeStatus, ReturnCode, StatusCode, TraceKind};
pub use reply::{CodesReply, PartNoReply, ReplyError, ReplyWriter, TraceReply, TreeShape};
pub use request::{Request, RequestError};
pub use sign::{Sign, SignError, Signer};
pub use time::CivilTime;
