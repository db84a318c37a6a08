//! The program: it reads requests in each dialect, carries them out through the use cases, and
//! chases what they leave open.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | every setting, from file, environment and flags |
//! | [`vault`] | the master key, and secrets sealed under it |
//! | [`app`] | the use cases: pay, order, refund, query, cancel, recharge |
//! | [`inbound`] | one folder a dialect: decode, use case, encode |
//! | [`outbound`] | messages to merchants, and whom they may reach |
//! | [`workers`] | passes over stored work |
//! | [`simulate`] | a seeded world of faults around the real program, and what must hold in it |
//! | [`till`] | a terminal of dialect 2 from its own side |
//! | [`mod@simulate_till`] | a shop's day of such terminals, at a real gateway |
//! | [`server`] | sockets, TLS, limits, shutdown |
//! | [`admin`] | the local socket that provisioning goes through |
//! | [`telemetry`] | logs and metrics |
//! | [`cli`] | the command line |
//!
//! What is absent on purpose: rules that belong to `domain`, SQL, and providers' protocols.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod inbound;
pub mod outbound;
pub mod server;
pub mod simulate;
pub mod simulate_till;
pub mod telemetry;
pub mod till;
pub mod vault;
pub mod workers;
