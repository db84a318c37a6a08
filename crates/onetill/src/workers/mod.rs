//! Passes over stored work. Each takes no input but the time, is bounded in rows, and may run
//! twice or die half-way: what it claimed is due again when its lease ends.
//!
//! | module | pass |
//! |---|---|
//! | [`chase`] | finishes payments, refunds and top-ups that were left open |
//! | [`deliver`] | notifications to merchants |
//! | [`places`] | how many of them run at the same time, and for whom |
//! | [`events`] | what channels tell by themselves |
//! | [`expiry`] | points, tickets and codes whose time is over |
//! | [`settled`] | payments that requests wait for and another gateway settled |
//! | [`stocking`] | boxes of vouchers that were never finished |
//! | [`upkeep`] | the node's lease, the directory, the gauges |

pub mod chase;
pub mod deliver;
pub mod events;
pub mod expiry;
pub mod places;
pub mod settled;
pub mod stocking;
pub mod upkeep;

use crate::{app::Gateway, outbound::Post};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How often a pass looks for work when it found none and nobody woke it.
const IDLE: Duration = Duration::from_millis(200);
/// How long running work may take to end when all stops: longer than one call to a channel or one
/// delivery (10 s).
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// A worker that claims stored work pass by pass.
pub trait Pass: Send + Sync + 'static {
    /// One pass; says how much it took on.
    fn pass(self: Arc<Self>) -> impl Future<Output = usize> + Send;

    /// Completes when there may be work before the next look by the clock.
    fn woken(&self) -> impl Future<Output = ()> + Send;
}

/// The running workers.
pub struct Workers {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
    chaser: Arc<chase::Chaser>,
    deliverer: Arc<deliver::Deliverer>,
}

impl Workers {
    /// Starts all workers.
    #[must_use]
    pub fn start(gateway: &Arc<Gateway>, sender: impl Post) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        let chaser = Arc::new(chase::Chaser::new(Arc::clone(gateway)));
        running.spawn(repeat(stopped.clone(), Arc::clone(&chaser)));
        let deliverer = Arc::new(deliver::Deliverer::new(Arc::clone(gateway), sender));
        running.spawn(repeat(stopped.clone(), Arc::clone(&deliverer)));
        running.spawn(events::listen(Arc::clone(gateway), stopped.clone()));
        running.spawn(settled::look(Arc::clone(gateway), stopped.clone()));
        running.spawn(expiry::keep(Arc::clone(gateway), stopped.clone()));
        running.spawn(stocking::keep(Arc::clone(gateway), stopped.clone()));
        running.spawn(upkeep::keep_lease(Arc::clone(gateway), stopped.clone()));
        running.spawn(upkeep::refresh(Arc::clone(gateway), stopped));
        Self {
            stop,
            running,
            chaser,
            deliverer,
        }
    }

    /// Lets each worker finish its pass and what it started, and end.
    pub async fn stop(mut self) {
        // Nobody listening means that all have ended.
        let _ = self.stop.send(true);
        while self.running.join_next().await.is_some() {}
        // A delivery or an answer cut off here would not be recorded, and be repeated.
        let idle = async { tokio::join!(self.chaser.idle(), self.deliverer.idle()) };
        if tokio::time::timeout(STOP_TIMEOUT, idle).await.is_err() {
            tracing::warn!("some work was still running; it is due again when its claim ends");
        }
    }
}

/// Runs passes until told to stop: at once again while they find work, on a nudge or after a
/// pause when not. A pass that panics is logged and followed by the next, since all it claimed is
/// due again.
async fn repeat<W: Pass>(mut stopped: watch::Receiver<bool>, worker: Arc<W>) {
    while !*stopped.borrow() {
        let pass = tokio::spawn(Arc::clone(&worker).pass());
        let found = pass.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a worker's pass ended early");
            0
        });
        if found > 0 {
            continue;
        }
        tokio::select! {
            // Always in this order: a simulated run follows from its seed alone.
            biased;
            () = worker.woken() => {}
            () = tokio::time::sleep(IDLE) => {}
            // Told or not, the loop looks.
            _ = stopped.changed() => {}
        }
    }
}
