//! What stands between the gateway and every channel: a deadline, a circuit breaker, a net under
//! panics and a counter. Each channel has a guard of its own, so a dead one never delays another.

use crate::{
    breaker::Breaker,
    contract::{
        BoxFuture, Channel, Clock, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest,
        RechargeProvider, RechargeRequest, RefundRequest,
    },
};
use domain::{
    channel::{NotSent, PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    ids::Serial,
};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// Is told of every call, for metrics.
pub trait Observer: Send + Sync {
    /// `channel` answered `outcome` to `operation` and took this long. Outcomes are the names of
    /// the answers in snake case, plus `timeout`, `panicked` and `circuit_open`.
    fn call(&self, channel: &str, operation: &'static str, outcome: &'static str, took: Duration);
}

/// An observer that does not look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn call(&self, _: &str, _: &'static str, _: &'static str, _: Duration) {}
}

/// How patient a guard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardConfig {
    /// A call that takes longer than this is `Unknown`.
    pub call_timeout: Duration,
    /// So many calls in a row that could not be sent, timed out or panicked open the circuit. An
    /// `Unknown` that the channel itself gave is an answer and does not count.
    pub failures_max: u32,
    /// How long the circuit stays open.
    pub open_for: Duration,
}

impl Default for GuardConfig {
    /// 10 s for a call; 20 failures open the circuit for 5 s.
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(10),
            failures_max: 20,
            open_for: Duration::from_secs(5),
        }
    }
}

/// A channel behind a deadline, a circuit breaker and a counter.
///
/// While the circuit is open, `pay` and `prepare` answer `NotSent(Unavailable)` at once; `query`,
/// `reverse` and `refund` still go through, because they find out about money that may have moved.
pub struct Guard {
    inner: Arc<dyn Channel>,
    watch: Watch,
}

/// A top-up provider behind the same guard. While the circuit is open, `recharge` answers
/// `NotSent(Unavailable)` at once.
pub struct RechargeGuard {
    inner: Arc<dyn RechargeProvider>,
    watch: Watch,
}

impl Guard {
    /// Guards `inner`.
    #[must_use]
    pub fn new(
        inner: Arc<dyn Channel>,
        config: GuardConfig,
        clock: Clock,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let watch = Watch::new(config, clock, observer);
        Self { inner, watch }
    }
}

impl RechargeGuard {
    /// Guards `inner`.
    #[must_use]
    pub fn new(
        inner: Arc<dyn RechargeProvider>,
        config: GuardConfig,
        clock: Clock,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let watch = Watch::new(config, clock, observer);
        Self { inner, watch }
    }
}

/// The parts of a guard that do not depend on what is guarded.
pub(crate) struct Watch {
    call_timeout: Duration,
    breaker: Breaker,
    clock: Clock,
    observer: Arc<dyn Observer>,
}

impl Watch {
    pub(crate) fn new(config: GuardConfig, clock: Clock, observer: Arc<dyn Observer>) -> Self {
        Self {
            call_timeout: config.call_timeout,
            breaker: Breaker::new(config.failures_max, config.open_for),
            clock,
            observer,
        }
    }

    /// Sends something that moves new money, unless the circuit is open.
    /// The call is only made, not just awaited, once the circuit allows it.
    pub(crate) async fn send<T: Answer + FromNotSent, F: Future<Output = T> + Send>(
        &self,
        channel: &str,
        operation: &'static str,
        call: impl FnOnce() -> F + Send,
    ) -> T {
        if !self.breaker.allows((self.clock)()) {
            let outcome = "circuit_open";
            self.observer
                .call(channel, operation, outcome, Duration::ZERO);
            return T::from_not_sent(NotSent::Unavailable);
        }
        self.ask(channel, operation, call).await
    }

    /// Waits for the answer to a call, but not for ever. A call that panics may have moved money
    /// before: nobody knows.
    async fn ask<T: Answer, F: Future<Output = T> + Send>(
        &self,
        channel: &str,
        operation: &'static str,
        call: impl FnOnce() -> F + Send,
    ) -> T {
        let started = Instant::now();
        let (answer, outcome) = match timeout(self.call_timeout, caught(call)).await {
            Ok(Some(answer)) => {
                if answer.was_sent() {
                    self.breaker.answered();
                } else {
                    self.breaker.failed((self.clock)());
                }
                let outcome = answer.label();
                (answer, outcome)
            }
            Ok(None) => {
                self.breaker.failed((self.clock)());
                (T::UNKNOWN, "panicked")
            }
            Err(_) => {
                self.breaker.failed((self.clock)());
                (T::UNKNOWN, "timeout")
            }
        };
        self.observer
            .call(channel, operation, outcome, started.elapsed());
        answer
    }
}

/// The answer to a call, or `None` when it panicked on its way; the panic itself is reported by
/// the process's hook.
async fn caught<T, F: Future<Output = T>>(call: impl FnOnce() -> F) -> Option<T> {
    let mut call = pin!(async move { call().await });
    // What a panic leaves behind is dropped with the call and never looked at again.
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

/// What a guard must know of an answer.
pub(crate) trait Answer: Send {
    /// "Nobody knows".
    const UNKNOWN: Self;
    /// The answer's name in metrics.
    fn label(&self) -> &'static str;
    /// Whether the call may have reached the channel.
    fn was_sent(&self) -> bool;
}

/// An answer that can say that the call did not reach the channel.
pub(crate) trait FromNotSent {
    /// The call did not reach the channel.
    fn from_not_sent(why: NotSent) -> Self;
}

impl Answer for PayOutcome {
    const UNKNOWN: Self = Self::Unknown;

    fn label(&self) -> &'static str {
        match self {
            Self::Paid(_) => "paid",
            Self::Declined(_) => "declined",
            Self::Waiting => "waiting",
            Self::NotSent(_) => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        !matches!(self, Self::NotSent(_))
    }
}

impl Answer for PrepareOutcome {
    const UNKNOWN: Self = Self::Unknown;

    fn label(&self) -> &'static str {
        match self {
            Self::Prepared(_) => "prepared",
            Self::Declined(_) => "declined",
            Self::NotSent(_) => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        !matches!(self, Self::NotSent(_))
    }
}

impl Answer for QueryOutcome {
    const UNKNOWN: Self = Self::Unknown;

    fn label(&self) -> &'static str {
        match self {
            Self::Paid(_) => "paid",
            Self::Declined(_) => "declined",
            Self::Waiting => "waiting",
            Self::NotFound => "not_found",
            Self::Unknown => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        true
    }
}

impl Answer for ReverseOutcome {
    const UNKNOWN: Self = Self::Unknown;

    fn label(&self) -> &'static str {
        match self {
            Self::Reversed(_) => "reversed",
            Self::Paid(_) => "paid",
            Self::Unknown => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        true
    }
}

impl Answer for RefundOutcome {
    const UNKNOWN: Self = Self::Unknown;

    fn label(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Waiting => "waiting",
            Self::NotSent(_) => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        !matches!(self, Self::NotSent(_))
    }
}

impl Answer for RechargeOutcome {
    const UNKNOWN: Self = Self::Unknown;

    fn label(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Done(_) => "done",
            Self::Failed => "failed",
            Self::NotSent(_) => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    fn was_sent(&self) -> bool {
        !matches!(self, Self::NotSent(_))
    }
}

impl FromNotSent for PayOutcome {
    fn from_not_sent(why: NotSent) -> Self {
        Self::NotSent(why)
    }
}

impl FromNotSent for PrepareOutcome {
    fn from_not_sent(why: NotSent) -> Self {
        Self::NotSent(why)
    }
}

impl FromNotSent for RechargeOutcome {
    fn from_not_sent(why: NotSent) -> Self {
        Self::NotSent(why)
    }
}

impl Channel for Guard {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn is_silent(&self) -> bool {
        self.watch.breaker.is_suspect()
    }

    fn pay(&self, request: PayRequest) -> BoxFuture<'_, PayOutcome> {
        let call = move || self.inner.pay(request);
        Box::pin(self.watch.send(self.name(), "pay", call))
    }

    fn prepare(&self, request: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        let call = move || self.inner.prepare(request);
        Box::pin(self.watch.send(self.name(), "prepare", call))
    }

    fn query(&self, payment: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        let call = move || self.inner.query(payment);
        Box::pin(self.watch.ask(self.name(), "query", call))
    }

    fn reverse(&self, payment: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        let call = move || self.inner.reverse(payment);
        Box::pin(self.watch.ask(self.name(), "reverse", call))
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        let call = move || self.inner.refund(request);
        Box::pin(self.watch.ask(self.name(), "refund", call))
    }
}

impl RechargeProvider for RechargeGuard {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn recharge(&self, request: RechargeRequest) -> BoxFuture<'_, RechargeOutcome> {
        let call = move || self.inner.recharge(request);
        Box::pin(self.watch.send(self.name(), "recharge", call))
    }

    fn query(&self, serial: Serial) -> BoxFuture<'_, RechargeOutcome> {
        let call = move || self.inner.query(serial);
        Box::pin(self.watch.ask(self.name(), "query_recharge", call))
    }
}

#[cfg(test)]
mod tests;
