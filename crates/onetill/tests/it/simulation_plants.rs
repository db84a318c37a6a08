//! Stores that break their word now and then, to see that the simulation notices.

use domain::{
    ids::ClaimKey,
    rows::{Changes, Plan, Rows as Loaded},
};
use onetill::simulate::rows::Rows;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use store::{AdminOp, AdminReply, Reader, StoreError, Writer, memory::Memory};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// Says that a batch is committed, and forgets it.
    NeverCommits,
    /// Commits a batch without one of its postings.
    DropsAPosting,
    /// Commits a batch once more, after others have changed its rows, as a writer would that does
    /// not know whether its commit went through and does not ask.
    ReplaysABatch,
    /// Forgets that a merchant's number was used.
    ForgetsAClaim,
    /// Commits a batch and says that nothing was recorded.
    SaysDownAfterCommitting,
    /// Commits a batch without the work that must follow.
    LosesAJob,
}

/// A batch in so many is spoiled, from the first that can be.
const ONE_IN: u64 = 25;

/// Rows in memory behind a writer with a bug.
pub struct Planted {
    plant: Plant,
    rows: Memory,
    occasions: Arc<AtomicU64>,
}

impl Planted {
    /// No rows yet.
    pub fn new(plant: Plant) -> Self {
        Self {
            plant,
            rows: Memory::new(),
            occasions: Arc::default(),
        }
    }
}

impl Rows for Planted {
    type Writer = PlantedWriter;
    const PROCESSES_MAX: u64 = u64::MAX;

    fn writer(&self) -> Result<PlantedWriter, StoreError> {
        Ok(PlantedWriter {
            plant: self.plant,
            rows: self.rows.clone(),
            occasions: Arc::clone(&self.occasions),
            earlier: None,
        })
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.rows.clone())
    }
}

/// The writer.
pub struct PlantedWriter {
    plant: Plant,
    rows: Memory,
    occasions: Arc<AtomicU64>,
    /// A batch that will come again.
    earlier: Option<Changes>,
}

impl PlantedWriter {
    /// Whether this occasion for `plant` is taken.
    fn strikes(&self, plant: Plant, is_occasion: bool) -> bool {
        is_occasion
            && self.plant == plant
            && self.occasions.fetch_add(1, Ordering::Relaxed) % ONE_IN == ONE_IN - 1
    }
}

/// The rows of a batch, without its postings: those the store would refuse twice.
fn rows_of(changes: &Changes) -> Changes {
    Changes {
        payments: changes.payments.clone(),
        refunds: changes.refunds.clone(),
        recharges: changes.recharges.clone(),
        jobs: changes.jobs.clone(),
        jobs_removed: changes.jobs_removed.clone(),
        notifications: changes.notifications.clone(),
        ..Changes::default()
    }
}

impl Writer for PlantedWriter {
    async fn load(&mut self, plan: Plan<'_>) -> Result<Loaded, StoreError> {
        let claims = &plan.claims;
        let forgotten = claims
            .iter()
            .any(|_| self.strikes(Plant::ForgetsAClaim, true));
        if !forgotten {
            return self.rows.load(plan).await;
        }
        // Under another key each number is free.
        let mut renamed: Vec<_> = claims.iter().map(|it| (**it).clone()).collect();
        for payment in &mut renamed {
            payment.key = ClaimKey::digest(&[&payment.serial.0.to_be_bytes()]);
        }
        let claims = renamed.iter().collect();
        self.rows.load(Plan { claims, ..plan }).await
    }

    async fn commit(&mut self, mut changes: Changes) -> Result<(), StoreError> {
        if self.strikes(Plant::NeverCommits, true) {
            self.rows.abandon().await;
            return Ok(());
        }
        if self.strikes(Plant::DropsAPosting, !changes.postings.is_empty()) {
            changes.postings.pop();
        }
        if self.strikes(Plant::LosesAJob, !changes.jobs.is_empty()) {
            changes.jobs.pop();
        }
        if self.strikes(Plant::ReplaysABatch, !changes.payments.is_empty()) {
            self.earlier = Some(rows_of(&changes));
            return self.rows.commit(changes).await;
        }
        self.rows.commit(changes).await?;
        if let Some(earlier) = self.earlier.take() {
            self.rows.commit(earlier).await?;
        }
        if self.strikes(Plant::SaysDownAfterCommitting, true) {
            return Err(StoreError::Down("on purpose".to_owned()));
        }
        Ok(())
    }

    async fn abandon(&mut self) {
        self.rows.abandon().await;
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        self.rows.admin(op).await
    }
}
