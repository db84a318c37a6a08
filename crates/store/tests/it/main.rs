//! One suite for all stores: each story is told on memory, SQLite and PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod claims;
mod engine;
mod fixture;
mod loyalty;
mod properties;
mod provisioning;
mod reading;
mod round_trip;
mod samples;
mod transactions;
mod voucher;
