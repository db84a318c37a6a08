//! The rules of prepaid vouchers, as one binary: tables of refusals and refunds, ranges at their
//! ends, orders of commands in one batch, and arbitrary histories, each step of them audited.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod audit;
mod crowds;
mod expiry;
mod extremes;
mod fixture;
mod histories;
mod member;
mod orders;
mod payments;
mod ranges;
mod refunds;
mod refusals;
mod requests;
mod stock;
mod tickets;
mod world;
