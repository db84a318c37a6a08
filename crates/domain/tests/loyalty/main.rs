//! The rules of member cards at the till, as one binary: tables of refusals, orders of messages,
//! and arbitrary sequences, each step of them audited.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod ask;
mod audit;
mod batches;
mod clawback;
mod earning;
mod fixture;
mod limits;
mod orders;
mod properties;
mod refusals;
mod replays;
mod settling;
mod upkeep;
mod world;
