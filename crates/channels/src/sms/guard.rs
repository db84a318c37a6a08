//! The guard around a provider of messages; [`Guard`](crate::Guard) says how it behaves.

use super::{CodeMessage, Doubt, Refusal, SmsOutcome, SmsProvider};
use crate::{
    contract::{BoxFuture, Clock},
    guard::{Answer, FromNotSent, GuardConfig, Observer, Watch},
};
use domain::channel::NotSent;
use std::sync::Arc;

/// A provider behind a deadline, a circuit breaker and a counter. While the circuit is open, it
/// answers `NotSent(Unavailable)` at once.
pub struct SmsGuard {
    inner: Arc<dyn SmsProvider>,
    watch: Watch,
}

impl SmsGuard {
    /// Guards `inner`.
    #[must_use]
    pub fn new(
        inner: Arc<dyn SmsProvider>,
        config: GuardConfig,
        clock: Clock,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let watch = Watch::new(config, clock, observer);
        Self { inner, watch }
    }
}

impl SmsProvider for SmsGuard {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn send_code(&self, message: CodeMessage) -> BoxFuture<'_, SmsOutcome> {
        let call = move || self.inner.send_code(message);
        Box::pin(self.watch.send(self.name(), "send_code", call))
    }
}

impl Answer for SmsOutcome {
    const UNKNOWN: Self = Self::Unknown(Doubt::Unanswered);

    fn label(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { why, .. } => match why {
                Refusal::FlowControl => "flow_control",
                Refusal::BadNumber => "bad_number",
                Refusal::Configuration => "configuration",
            },
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        !matches!(self, Self::NotSent(_))
    }
}

impl FromNotSent for SmsOutcome {
    fn from_not_sent(why: NotSent) -> Self {
        Self::NotSent(why)
    }
}
