//! Where rows live, and the engine that changes them.
//!
//! | module | holds |
//! |---|---|
//! | [`contract`] | what every store offers |
//! | [`engine`] | takes queued commands, decides them in batches, commits once per batch |
//! | [`memory`] | the oracle: the contract over plain maps |
//! | [`sqlite`] | the embedded store |
//! | [`postgres`] | the shared store of several gateway nodes |
//! | [`audit`] | proves the ledger and every invariant from the raw rows |
//! | [`gate`] | the audit, and whether every promise made to clients was kept |
//!
//! This is the only crate that knows SQL. It holds no business rule: decisions are
//! [`domain::command`]s, run unchanged on each store.

pub mod audit;
pub mod contract;
pub mod engine;
mod file;
mod flat;
pub mod gate;
pub mod memory;
pub mod postgres;
pub mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use contract::{AdminOp, AdminReply, Reader, StoreError, Writer};
pub use engine::{Clock, Engine, EngineError};
