//! What channels tell by themselves: recorded like an answer, so that nobody waits for the next
//! question.

use crate::app::{AppError, Gateway};
use channels::sandbox::ChannelEvent;
use domain::{command::QueryOutcome, ids::Serial};
use std::sync::Arc;
use tokio::sync::{broadcast::error::RecvError, watch};

/// Listens until told to stop.
pub async fn listen(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let Some(mut events) = gateway.sandbox.as_ref().map(|sandbox| sandbox.events()) else {
        return;
    };
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            _ = stopped.changed() => return,
        };
        match event {
            Ok(event) => record(&gateway, event).await,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "channel news was missed; the channel will be asked");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn record(gateway: &Gateway, event: ChannelEvent) {
    let (serial, outcome) = match event {
        ChannelEvent::Paid { serial, receipt } => (serial, QueryOutcome::Paid(receipt)),
        ChannelEvent::Declined { serial, why } => (serial, QueryOutcome::Declined(why)),
    };
    if let Err(error) = record_outcome(gateway, serial, outcome).await {
        tracing::warn!(%serial, %error, "channel news was not recorded; the channel will be asked");
    }
}

/// Records the channel's own word on the payment `serial`.
///
/// # Errors
/// When the store failed; the channel has to tell it again.
pub async fn record_outcome(
    gateway: &Gateway,
    serial: Serial,
    outcome: QueryOutcome,
) -> Result<(), AppError> {
    match gateway.reader.payment_of_any(serial).await? {
        Some(payment) => gateway.record_query(&payment, outcome).await,
        None => Ok(()),
    }
}
