//! Dialect 1, "openGateway": wallet payments and data top-up over HTTP.
//!
//! A request goes `bytes → `[`Document`]` → `[`request`]; a reply goes [`reply`]` → bytes`.
//! In reading order:
//!
//! - [`operation`]: the six operations, their paths and the roots of their replies;
//! - [`query`]: the parameters of a URL;
//! - [`key`], [`sign`], [`explain`]: the merchant's key, the signature, and why one fails;
//! - [`seal`]: the 3DES envelope;
//! - [`document`]: a body of JSON or XML as flat, named fields;
//! - [`request`]: the typed messages a client sends;
//! - [`code`], [`channel`]: the dictionaries of the source's appendices 2 to 5;
//! - [`node`], [`reply`], [`notification`]: what the gateway answers and announces;
//! - [`call`], [`received`]: the client's side of the same.

pub mod call;
pub mod channel;
pub mod code;
pub mod document;
pub mod explain;
pub mod key;
pub mod node;
pub mod notification;
pub mod operation;
pub mod query;
pub mod received;
pub mod reply;
pub mod request;
pub mod seal;
pub mod sign;
mod xml;

use crate::{json, text};

pub use channel::{ChannelType, FundChannel};
pub use code::{Locale, ReturnCode, State};
pub use document::Document;
pub use key::MerchantKey;
pub use node::Node;
pub use operation::Operation;
pub use query::{Encryption, Format, QueryString, SerialType};
pub use request::{FlowRecharge, Order, PreOrder, Refund, RequestError};
