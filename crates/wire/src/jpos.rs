//! Dialect 2, "jpos": the access layer of POS terminals for member points, tickets and batches.
//!
//! A request goes `bytes → `[`Form`]` → `[`Request`]; a reply goes [`Reply`]` → text`. Every type is
//! written as well as read, for clients. In reading order:
//!
//! - [`operation`]: the operations, their paths, and the table of versions;
//! - [`status`]: the status codes of the source's appendix;
//! - [`name`], [`amount`], [`number`], [`person`], [`time`]: the source's dictionary of names;
//! - [`form`]: a body as named texts;
//! - [`request`]: the typed messages a terminal sends, and what makes two of them the same;
//! - [`reply`]: what the gateway answers;
//! - [`key`], [`working_keys`]: a terminal's keys, under its master key;
//! - [`pin`], [`mac`], [`track`]: the PIN, the MAC and the stripe of a card.

pub mod amount;
pub mod form;
mod hex;
pub mod key;
pub mod mac;
pub mod name;
pub mod number;
mod object;
pub mod operation;
pub mod person;
pub mod pin;
pub mod reply;
pub mod request;
pub mod status;
pub mod time;
pub mod track;
pub mod working_keys;

pub use amount::Amount;
pub use form::Form;
pub use key::Key;
pub use mac::Mac;
pub use number::{BatchNo, SerialNo, TraceNo};
pub use object::MemberError;
pub use operation::{Operation, PathError, Version};
pub use pin::{Pin, PinBlock};
pub use reply::{Body, Outcome, Reply};
pub use request::{Request, RequestError};
pub use status::Status;
pub use time::TimeUnit;
pub use track::Track2;
pub use working_keys::{Layout, WorkingKeys};
