//! The life of one simulated process.
//!
//! A process acts on the world only by touching it: the store, the channels, receivers, its
//! clients. Killing it means that it never touches anything again: whatever it was about to do
//! stays undone for ever, wherever in its code it was.

use super::world::World;
use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// Whether a process lives.
pub struct Pulse {
    world: Arc<World>,
    name: String,
    dead: AtomicBool,
    ended: Notify,
}

impl Pulse {
    /// A living process.
    #[must_use]
    pub fn new(world: &Arc<World>, name: String) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            name,
            dead: AtomicBool::new(false),
            ended: Notify::new(),
        })
    }

    /// The process is about to touch the world, and may die of it. Never returns in a dead one.
    pub async fn touch(&self, what: &str) {
        if !self.is_dead() && self.world.strikes(self.world.mix.kill) {
            self.kill(what);
        }
        self.live().await;
    }

    /// Never returns in a dead process.
    pub async fn live(&self) {
        if self.is_dead() {
            pending::<()>().await;
        }
    }

    /// What `work` comes to, or `None` if the process dies before.
    pub async fn through<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.ended() => None,
            done = work => Some(done),
        }
    }

    /// Completes when the process is dead.
    pub async fn ended(&self) {
        let ended = self.ended.notified();
        if !self.is_dead() {
            ended.await;
        }
    }

    /// Whether it is dead.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Its name in the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn kill(&self, what: &str) {
        self.world.log(&self.name, &format!("killed: {what}"));
        self.world.count(|it| it.kills += 1);
        self.dead.store(true, Ordering::Relaxed);
        self.ended.notify_waiters();
    }
}
