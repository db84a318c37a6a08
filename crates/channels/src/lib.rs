//! Payment channels and top-up providers behind one contract.
//!
//! | module | holds |
//! |---|---|
//! | [`Channel`], [`RechargeProvider`] | the contract, and the requests it is asked with |
//! | [`Guard`] | a deadline, a circuit breaker and a counter around each channel |
//! | [`Channels`] | which channel serves which number |
//! | [`sandbox`] | a channel that stands in for all of them, without moving money |
//! | [`sms`] | providers that send verification codes, behind a contract of their own |
//!
//! What is absent on purpose: merchants, tenants, orders, stores and every word of a wire
//! dialect. This is the only crate that asks a provider for money.

mod breaker;
mod contract;
mod guard;
mod registry;
pub mod sandbox;
pub mod sms;

pub use contract::{
    BoxFuture, Channel, Clock, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest,
    RechargeProvider, RechargeRequest, RefundRequest,
};
pub use guard::{Guard, GuardConfig, Observer, RechargeGuard, Unobserved};
pub use registry::Channels;
