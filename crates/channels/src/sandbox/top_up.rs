//! The pretended provider of data top-ups.

use super::Sandbox;
use crate::contract::{BoxFuture, RechargeProvider, RechargeRequest};
use domain::{channel::RechargeOutcome, ids::Serial, time::UnixMs};
use serde::{Deserialize, Serialize};

/// How long a top-up takes, in milliseconds.
const TOP_UP_MS: i64 = 1_000;
/// Phone numbers that end so cannot be topped up.
const DEAD_NUMBERS: &str = "0000";

/// A top-up at the pretended provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUp {
    /// When it was ordered.
    #[serde(rename = "t")]
    ordered_at: UnixMs,
    /// Whether the phone number can be topped up.
    #[serde(rename = "g")]
    good: bool,
}

impl TopUp {
    fn order(phone: &str, now: UnixMs) -> Self {
        Self {
            ordered_at: now,
            good: !phone.ends_with(DEAD_NUMBERS),
        }
    }

    fn outcome(self, serial: Serial, now: UnixMs) -> RechargeOutcome {
        if !self.good {
            return RechargeOutcome::Failed;
        }
        let provider_serial = format!("CT_{serial}");
        if now.since_ms(self.ordered_at) < TOP_UP_MS {
            return RechargeOutcome::Accepted(provider_serial);
        }
        RechargeOutcome::Done(provider_serial)
    }
}

impl RechargeProvider for Sandbox {
    fn name(&self) -> &str {
        super::NAME
    }

    fn recharge(&self, request: RechargeRequest) -> BoxFuture<'_, RechargeOutcome> {
        Box::pin(async move {
            self.take_time().await;
            let now = self.now();
            let order = || TopUp::order(&request.phone, now);
            let top_up = self.book.top_up(request.serial, order);
            top_up.outcome(request.serial, now)
        })
    }

    fn query(&self, serial: Serial) -> BoxFuture<'_, RechargeOutcome> {
        Box::pin(async move {
            self.take_time().await;
            let known = self.book.known_top_up(serial);
            known.map_or(RechargeOutcome::Unknown, |top_up| {
                top_up.outcome(serial, self.now())
            })
        })
    }
}
