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

use crate::{app::Gateway, outbound::Sender};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How often a pass looks for work when it found none.
const IDLE: Duration = Duration::from_millis(200);

/// The running workers.
pub struct Workers {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Workers {
    /// Starts all workers.
    #[must_use]
    pub fn start(gateway: &Arc<Gateway>, sender: Sender) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        let chaser = Arc::new(chase::Chaser::new(Arc::clone(gateway)));
        running.spawn(repeat(stopped.clone(), move || {
            let chaser = Arc::clone(&chaser);
            async move { chaser.run_once().await }
        }));
        let deliverer = Arc::new(deliver::Deliverer::new(Arc::clone(gateway), sender));
        running.spawn(repeat(stopped.clone(), move || {
            let deliverer = Arc::clone(&deliverer);
            async move { deliverer.run_once().await }
        }));
        running.spawn(events::listen(Arc::clone(gateway), stopped.clone()));
        running.spawn(upkeep::run(Arc::clone(gateway), stopped));
        Self { stop, running }
    }

    /// Lets each worker finish its pass and end.
    pub async fn stop(mut self) {
        // Nobody listening means that all have ended.
        let _ = self.stop.send(true);
        while self.running.join_next().await.is_some() {}
    }
}

/// Runs `pass` until told to stop: at once again while it finds work, after a pause when not.
async fn repeat<F: Future<Output = usize>>(
    mut stopped: watch::Receiver<bool>,
    mut pass: impl FnMut() -> F,
) {
    while !*stopped.borrow() {
        if pass().await == 0 {
            // Woken early or not, the loop looks again.
            let _ = tokio::time::timeout(IDLE, stopped.changed()).await;
        }
    }
}
