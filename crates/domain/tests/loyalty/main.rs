//! The rules of member cards at the till, as one binary: tables of refusals, orders of messages,
//! and arbitrary sequences, each step of them audited.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

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
