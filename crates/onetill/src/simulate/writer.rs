//! A writer that delays, fails, loses its answer, and whose process may die at every step.

use super::{pulse::Pulse, world::World};
use domain::rows::{Changes, Plan, Rows};
use std::sync::Arc;
use store::{AdminOp, AdminReply, StoreError, Writer};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// One transaction at a time over all processes, as the real stores' locks have it.
pub type Turns = Arc<Mutex<()>>;

/// A writer with faults.
pub struct Faulty<W> {
    inner: W,
    way: Way,
    turns: Turns,
    /// Held while a transaction is open. Whoever drops the writer ends its transaction.
    turn: Option<OwnedMutexGuard<()>>,
}

impl<W: Writer> Faulty<W> {
    /// `inner` as the process of `pulse` finds it.
    pub const fn new(inner: W, world: Arc<World>, pulse: Arc<Pulse>, turns: Turns) -> Self {
        Self {
            inner,
            way: Way { world, pulse },
            turns,
            turn: None,
        }
    }
}

/// The way from a process to the store and back.
struct Way {
    world: Arc<World>,
    pulse: Arc<Pulse>,
}

impl Way {
    /// A touch of the store that may be slow, fatal or in vain; nothing is recorded when it fails.
    async fn reach(&self, what: &str) -> Result<(), StoreError> {
        self.pulse.touch(what).await;
        if self.world.strikes(self.world.mix.store_slow) {
            self.world.pass_ms(1..3_000).await;
            self.pulse.live().await;
        }
        if !self.world.strikes(self.world.mix.store_fails) {
            return Ok(());
        }
        let failure = match self.world.within(0..4) {
            0 => StoreError::Full(what.to_owned()),
            1 => StoreError::Down(what.to_owned()),
            _ => StoreError::Conflict(what.to_owned()),
        };
        self.world
            .log(self.pulse.name(), &format!("store: {failure}"));
        self.world.count(|it| it.store_failures += 1);
        Err(failure)
    }

    /// What was committed is there; its answer may get lost, or nobody live to hear it.
    async fn committed(&self, what: &str) -> Result<(), StoreError> {
        self.pulse.touch(&format!("after {what}")).await;
        if !self.world.strikes(self.world.mix.commit_unknown) {
            return Ok(());
        }
        let name = self.pulse.name();
        self.world
            .log(name, &format!("store: the answer to {what} is lost"));
        self.world.count(|it| it.lost_answers += 1);
        Err(StoreError::Unknown(what.to_owned()))
    }
}

impl<W: Writer> Writer for Faulty<W> {
    async fn load(&mut self, plan: Plan<'_>) -> Result<Rows, StoreError> {
        self.way.reach("before load").await?;
        let turn = Arc::clone(&self.turns).lock_owned().await;
        self.way.pulse.live().await;
        let rows = self.inner.load(plan).await?;
        self.turn = Some(turn);
        Ok(rows)
    }

    async fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        if let Err(failure) = self.way.reach("between load and commit").await {
            self.abandon().await;
            return Err(failure);
        }
        let done = self.inner.commit(changes).await;
        self.turn = None;
        done?;
        self.way.committed("a commit").await
    }

    async fn abandon(&mut self) {
        self.way.pulse.live().await;
        self.inner.abandon().await;
        self.turn = None;
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        self.way.reach("before a step of provisioning").await?;
        let turn = Arc::clone(&self.turns).lock_owned().await;
        self.way.pulse.live().await;
        let reply = self.inner.admin(op).await;
        drop(turn);
        let reply = reply?;
        self.way.committed("a step of provisioning").await?;
        Ok(reply)
    }
}
