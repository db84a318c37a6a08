//! Passes over stored work. Each takes no input but the time, is bounded in rows, and may run
//! twice or die half-way: what it claimed is due again when its lease ends.
//!
//! | module | pass |
//! |---|---|
//! | [`chase`] | finishes payments, refunds and top-ups that were left open |
//! | [`deliver`] | notifications to merchants |
//! | [`events`] | what channels tell by themselves |
//! | [`upkeep`] | the node's lease, the directory, the gauges |

pub mod chase;
pub mod deliver;
pub mod events;
pub mod upkeep;

use crate::{app::Gateway, outbound::Post};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How often a pass looks for work when it found none.
const IDLE: Duration = Duration::from_millis(200);
/// How long running work may take to end when all stops: longer than one call to a channel or one
/// delivery (10 s).
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

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
        let chasing = Arc::clone(&chaser);
        running.spawn(repeat(stopped.clone(), move || {
            let chaser = Arc::clone(&chasing);
            async move { chaser.run_once().await }
        }));
        let deliverer = Arc::new(deliver::Deliverer::new(Arc::clone(gateway), sender));
        let delivering = Arc::clone(&deliverer);
        running.spawn(repeat(stopped.clone(), move || {
            let deliverer = Arc::clone(&delivering);
            async move { deliverer.run_once().await }
        }));
        running.spawn(events::listen(Arc::clone(gateway), stopped.clone()));
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

/// Runs `pass` until told to stop: at once again while it finds work, after a pause when not. A
/// pass that panics is logged and followed by the next, since all it claimed is due again.
async fn repeat<F: Future<Output = usize> + Send + 'static>(
    mut stopped: watch::Receiver<bool>,
    mut pass: impl FnMut() -> F,
) {
    while !*stopped.borrow() {
        let found = tokio::spawn(pass()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a worker's pass ended early");
            0
        });
        if found == 0 {
            // Woken early or not, the loop looks again.
            let _ = tokio::time::timeout(IDLE, stopped.changed()).await;
        }
    }
}
