//! Boxes of vouchers that were never finished are removed an hour later. Nobody can use them, so
//! nobody waits for this.

use super::upkeep::is_due;
use crate::app::Gateway;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::MissedTickBehavior};

/// How often is looked: all boxes are read.
const EVERY: Duration = Duration::from_mins(10);

/// Looks until told to stop.
pub async fn keep(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while is_due(&mut ticks, &mut stopped).await {
        run_once(&gateway).await;
    }
}

/// One pass. May be done any number of times, by any number of gateways.
pub async fn run_once(gateway: &Gateway) {
    if let Err(error) = gateway.discard_left_cartons().await {
        tracing::warn!(%error, "unfinished boxes are looked for again later");
    }
}
