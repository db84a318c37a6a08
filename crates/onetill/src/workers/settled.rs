//! Payments that requests of this gateway wait for and that another gateway settled. What this
//! one settles is told at once; the others' is found by looking, once a second for all of them.

use super::upkeep::is_due;
use crate::app::Gateway;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::MissedTickBehavior};

/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);
/// How many payments one question to the store names at most.
const LOOK_MAX: usize = 500;

/// Looks until told to stop.
pub async fn look(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while is_due(&mut ticks, &mut stopped).await {
        let waited_for = gateway.settlements.waited_for();
        for some in waited_for.chunks(LOOK_MAX) {
            match gateway.reader.payments_by_serial(some.to_vec()).await {
                Ok(payments) => payments.iter().for_each(|it| gateway.announce(it)),
                Err(error) => tracing::warn!(%error, "waiting requests wait a second longer"),
            }
        }
    }
}
