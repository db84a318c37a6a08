//! What gateways and the sandbox's own process say to each other.
//!
//! Each operation of the contract has a path. The request is posted as JSON and the answer comes
//! back as JSON with HTTP 200; any other status says nothing about the money. The news is one
//! reply that does not end: a line of JSON for each [`ChannelEvent`](super::ChannelEvent), and an
//! empty line every [`HEARTBEAT`].
//!
//! This is private: both sides are the same program, and neither promises anything to others.

use std::time::Duration;

/// Posts a [`PayRequest`](crate::PayRequest); answers a `PayOutcome`.
pub const PAY: &str = "/sandbox/api/pay";
/// Posts a [`PrepareRequest`](crate::PrepareRequest); answers a
/// [`PrepareOutcome`](crate::PrepareOutcome).
pub const PREPARE: &str = "/sandbox/api/prepare";
/// Posts a [`PaymentAt`](crate::PaymentAt); answers a `QueryOutcome`.
pub const QUERY: &str = "/sandbox/api/query";
/// Posts a [`PaymentAt`](crate::PaymentAt); answers a `ReverseOutcome`.
pub const REVERSE: &str = "/sandbox/api/reverse";
/// Posts a [`RefundRequest`](crate::RefundRequest); answers a `RefundOutcome`.
pub const REFUND: &str = "/sandbox/api/refund";
/// Posts a [`RechargeRequest`](crate::RechargeRequest); answers a `RechargeOutcome`.
pub const RECHARGE: &str = "/sandbox/api/recharge";
/// Posts a `Serial`; answers a `RechargeOutcome`.
pub const QUERY_RECHARGE: &str = "/sandbox/api/query-recharge";
/// Gets the news from now on.
pub const NEWS: &str = "/sandbox/api/news";

/// The most that one request, one answer or one line of news may be, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// How often the news says that there is none.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
