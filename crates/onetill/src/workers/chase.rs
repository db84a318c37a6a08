//! Finishes payments, refunds and top-ups that a crash, a lost answer or a late success left
//! open, by asking the channel.

use crate::app::Gateway;
use domain::{command::ClaimJobs, job::Job};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many jobs are worked on at the same time. A channel that hangs holds a place for ten
/// seconds at most.
const AT_ONCE_MAX: u32 = 512;
/// How many jobs one pass takes at most.
const PASS_MAX: usize = 128;

/// The worker.
pub struct Chaser {
    gateway: Arc<Gateway>,
    places: Arc<Semaphore>,
}

impl Chaser {
    /// A worker for `gateway`.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self {
            gateway,
            places: Arc::new(Semaphore::new(AT_ONCE_MAX as usize)),
        }
    }

    /// Claims what is due and starts on it; says how many it started.
    pub async fn run_once(&self) -> usize {
        let places = self.places.available_permits().min(PASS_MAX);
        let jobs = self.claim(places).await;
        let started = jobs.len();
        for job in jobs {
            self.start(job).await;
        }
        started
    }

    /// Completes once nothing that was started runs any more; the caller starts nothing new.
    pub async fn idle(&self) {
        // Refused only when closed, which nobody does.
        let _ = self.places.acquire_many(AT_ONCE_MAX).await;
    }

    async fn claim(&self, places: usize) -> Vec<Job> {
        let limit = u32::try_from(places).unwrap_or(u32::MAX);
        let due = match self
            .gateway
            .reader
            .due_jobs(self.gateway.now(), limit, Vec::new())
            .await
        {
            Ok(due) if !due.is_empty() => due,
            Ok(_) => return Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "open work cannot be looked for");
                return Vec::new();
            }
        };
        self.gateway
            .run(ClaimJobs {
                subjects: due.iter().map(|it| (it.tenant, it.subject)).collect(),
            })
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "open work cannot be claimed");
                Vec::new()
            })
    }

    async fn start(&self, job: Job) {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return;
        };
        let gateway = Arc::clone(&self.gateway);
        tokio::spawn(async move {
            if let Err(error) = gateway.chase(job).await {
                let (subject, attempts) = (job.subject, job.attempts);
                tracing::warn!(%subject, attempts, %error, "open work is left for later");
            }
            drop(place);
        });
    }
}
