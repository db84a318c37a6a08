//! Finishes payments, refunds and top-ups that a crash, a lost answer or a late success left
//! open, by asking the channel. A channel that hangs holds its own places only, and few of them.

use super::{
    Pass,
    places::{Place, Places},
};
use crate::app::Gateway;
use domain::{
    channel::ChannelNo,
    command::ClaimJobs,
    ids::{Serial, TenantId},
    job::Job,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::contract::DueJob;

/// Whom a job asks: the channel, or the provider of top-ups.
type Asks = Option<ChannelNo>;

/// How many jobs are worked on at the same time. Each holds one question to a channel.
const AT_ONCE_MAX: usize = 1024;
/// How many of them may ask the same channel.
const AT_ONCE_MAX_PER_CHANNEL: usize = 128;
/// How many may ask a channel that has answered nobody for a while: enough to notice its return.
const AT_ONCE_MAX_SILENT: usize = 16;
/// How many jobs one look at the store finds at most.
const LOOK_MAX: usize = 128;
/// How long is waited at least between two looks while more is due than there are places: each
/// look passes over all that is due.
const BREATH: Duration = Duration::from_millis(20);

/// The worker.
pub struct Chaser {
    gateway: Arc<Gateway>,
    places: Arc<Places<Asks>>,
    /// The last pass left work that is due, for want of places.
    is_short: AtomicBool,
}

impl Chaser {
    /// A worker for `gateway`.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self {
            gateway,
            places: Places::new(AT_ONCE_MAX),
            is_short: AtomicBool::new(false),
        }
    }

    /// Claims what is due and starts on it; says how many it started. What asks a channel that
    /// has no place left is passed over, unclaimed, so that it stays due and others come first.
    pub async fn run_once(&self) -> usize {
        let mut full = self.places.full(|asks| self.places_of(asks));
        let mut started = 0;
        loop {
            let due = self.due(&full).await;
            let before = full.len();
            let mut entered = self.enter(&due, &mut full);
            for job in self.claim(&entered).await {
                if let Some(place) = entered.remove(&(job.tenant, job.subject)) {
                    self.start(job, place);
                    started += 1;
                }
            }
            // Each round leaves out more channels, so it ends.
            let none_free = self.places.free() == 0;
            if full.len() == before || none_free {
                let is_short = none_free || !full.is_empty();
                self.is_short.store(is_short, Ordering::Relaxed);
                return started;
            }
        }
    }

    /// Completes once nothing that was started runs any more; the caller starts nothing new.
    pub async fn idle(&self) {
        self.places.idle().await;
    }

    /// How many jobs may ask `asks` at the same time.
    fn places_of(&self, asks: Asks) -> usize {
        let channel = asks.and_then(|number| self.gateway.channels.get(number));
        let is_silent = channel.is_some_and(|channel| channel.is_silent());
        if is_silent {
            AT_ONCE_MAX_SILENT
        } else {
            AT_ONCE_MAX_PER_CHANNEL
        }
    }

    async fn due(&self, except: &[Asks]) -> Vec<DueJob> {
        let limit = self.places.free().min(LOOK_MAX);
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let reader = &self.gateway.reader;
        let due = reader.due_jobs(self.gateway.now(), limit, except.to_vec());
        due.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "open work cannot be looked for");
            Vec::new()
        })
    }

    /// Takes places for what is due. Whom there is none for is added to `full`.
    fn enter(&self, due: &[DueJob], full: &mut Vec<Asks>) -> BTreeMap<Entered, Place<Asks>> {
        let mut entered = BTreeMap::new();
        for job in due {
            match self.places.enter(job.asks, self.places_of(job.asks)) {
                Some(place) => drop(entered.insert((job.tenant, job.subject), place)),
                None if full.contains(&job.asks) => {}
                None => full.push(job.asks),
            }
        }
        entered
    }

    async fn claim(&self, entered: &BTreeMap<Entered, Place<Asks>>) -> Vec<Job> {
        if entered.is_empty() {
            return Vec::new();
        }
        let subjects = entered.keys().copied().collect();
        let claimed = self.gateway.run(ClaimJobs { subjects }).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "open work cannot be claimed");
            Vec::new()
        })
    }

    fn start(&self, job: Job, place: Place<Asks>) {
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

/// A job that has a place.
type Entered = (TenantId, Serial);

impl Pass for Chaser {
    async fn pass(self: Arc<Self>) -> usize {
        let started = self.run_once().await;
        if started > 0 && self.is_short.load(Ordering::Relaxed) {
            tokio::time::sleep(BREATH).await;
        }
        started
    }

    async fn woken(&self) {
        if !self.is_short.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        self.places.freed().await;
        tokio::time::sleep(BREATH).await;
    }
}
