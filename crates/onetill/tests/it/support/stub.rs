//! Channels that fail in one way.

use channels::{
    BoxFuture, Channel, Channels, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest,
    RefundRequest,
};
use domain::{
    channel::{ChannelNo, NotSent, PayOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
};
use onetill::app::Gateway;
use std::{future::ready, sync::Arc};

/// A channel that no new call reaches.
pub struct Unreachable {
    why: NotSent,
    /// Who serves all but refunds.
    behind: Option<Arc<dyn Channel>>,
}

fn replace(gateway: &mut Gateway, number: u8, channel: impl Channel + 'static) {
    let channels = std::mem::replace(&mut gateway.channels, Channels::new());
    gateway.channels = channels.with(ChannelNo(number), Arc::new(channel));
}

impl Unreachable {
    /// Puts it in the place of one of the gateway's channels.
    pub fn serve(gateway: &mut Gateway, number: u8, why: NotSent) {
        let behind = None;
        replace(gateway, number, Self { why, behind });
    }

    /// Only refunds do not reach the channel.
    pub fn refuse_refunds(gateway: &mut Gateway, number: u8, why: NotSent) {
        let behind = gateway.channels.get(ChannelNo(number));
        replace(gateway, number, Self { why, behind });
    }
}

impl Channel for Unreachable {
    fn name(&self) -> &'static str {
        "unreachable"
    }

    fn pay(&self, request: PayRequest) -> BoxFuture<'_, PayOutcome> {
        match &self.behind {
            Some(channel) => channel.pay(request),
            None => Box::pin(ready(PayOutcome::NotSent(self.why))),
        }
    }

    fn prepare(&self, request: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        match &self.behind {
            Some(channel) => channel.prepare(request),
            None => Box::pin(ready(PrepareOutcome::NotSent(self.why))),
        }
    }

    fn query(&self, _: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        Box::pin(ready(QueryOutcome::Unknown))
    }

    fn reverse(&self, _: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        Box::pin(ready(ReverseOutcome::Unknown))
    }

    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        Box::pin(ready(RefundOutcome::NotSent(self.why)))
    }
}

/// A channel whose charge panics before it is sent.
pub struct Panicking;

impl Panicking {
    /// Puts it in the place of one of the gateway's channels.
    pub fn serve(gateway: &mut Gateway, number: u8) {
        replace(gateway, number, Self);
    }
}

impl Channel for Panicking {
    fn name(&self) -> &'static str {
        "panicking"
    }

    fn pay(&self, _: PayRequest) -> BoxFuture<'_, PayOutcome> {
        panic!("a channel's own mistake")
    }

    fn prepare(&self, _: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        panic!("a channel's own mistake")
    }

    fn query(&self, _: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        Box::pin(ready(QueryOutcome::NotFound))
    }

    fn reverse(&self, _: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        Box::pin(ready(ReverseOutcome::Reversed(None)))
    }

    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        Box::pin(ready(RefundOutcome::Unknown))
    }
}

/// A channel that never says anything about an order until it is told to undo it, and then says
/// one thing.
pub struct Mute(pub ReverseOutcome);

impl Mute {
    /// Puts it in the place of one of the gateway's channels.
    pub fn serve(gateway: &mut Gateway, number: u8, undone: ReverseOutcome) {
        replace(gateway, number, Self(undone));
    }
}

impl Channel for Mute {
    fn name(&self) -> &'static str {
        "mute"
    }

    fn pay(&self, _: PayRequest) -> BoxFuture<'_, PayOutcome> {
        Box::pin(ready(PayOutcome::Unknown))
    }

    fn prepare(&self, _: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        Box::pin(ready(PrepareOutcome::Unknown))
    }

    fn query(&self, _: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        Box::pin(ready(QueryOutcome::Unknown))
    }

    fn reverse(&self, _: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        Box::pin(ready(self.0.clone()))
    }

    fn refund(&self, _: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        Box::pin(ready(RefundOutcome::Done))
    }
}
