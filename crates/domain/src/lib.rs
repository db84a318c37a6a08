//! The rules of Onetill: what a payment, a refund and a top-up are, how they move between
//! states, and which ledger postings each movement makes.
//!
//! | module | holds |
//! |---|---|
//! | [`money`] | amounts in fen, parsed exactly |
//! | [`ids`] | tenants, merchants, gateway serials, idempotency keys |
//! | [`merchant`] | who may ask for payments |
//! | [`time`] | points in time as the program passes them in |
//! | [`channel`] | what a payment channel can answer |
//! | [`payment`] | a payment and its states |
//! | [`refund`] | a refund and its states |
//! | [`recharge`] | a data top-up and its states |
//! | [`loyalty`] | member cards, points, tickets, terminals and their batches |
//! | [`voucher`] | prepaid codes in boxes, partners, what tills do with a code |
//! | [`notification`] | a message owed to a merchant |
//! | [`job`] | work that outlives the request that caused it |
//! | [`ledger`] | accounts and balanced postings |
//! | [`rows`] | the rows a batch of commands loads and changes |
//! | [`command`] | the decisions themselves |
//!
//! What is absent on purpose: input and output, clocks, randomness, floating point, SQL, HTTP
//! and every word that belongs to one wire dialect. Everything here runs the same on each store.

#![deny(clippy::float_arithmetic)]

pub mod channel;
pub mod command;
pub mod ids;
pub mod job;
pub mod ledger;
pub mod loyalty;
pub mod merchant;
pub mod money;
pub mod notification;
pub mod payment;
pub mod recharge;
pub mod refund;
pub mod rows;
pub mod time;
pub mod voucher;
