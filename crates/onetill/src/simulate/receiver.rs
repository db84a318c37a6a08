//! The merchants' receivers of notifications.

use super::{pulse::Pulse, wallet::Wallet, world::World};
use crate::outbound::{Attempt, Outcome, Post};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::contract::BoxFuture;
use tokio::time::Instant;
use wire::opengateway::received::Received;

/// All receivers. They outlive every process.
pub struct Receiver {
    world: Arc<World>,
    wallet: Arc<Wallet>,
    /// Serials that were acknowledged.
    taken: Mutex<BTreeSet<String>>,
}

/// The receivers as one process reaches them.
pub struct Postman {
    receiver: Arc<Receiver>,
    pulse: Arc<Pulse>,
}

impl Receiver {
    /// Receivers that know what `wallet` charged.
    #[must_use]
    pub fn new(world: &Arc<World>, wallet: &Arc<Wallet>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            wallet: Arc::clone(wallet),
            taken: Mutex::default(),
        })
    }

    /// How the process of `pulse` reaches them.
    #[must_use]
    pub fn reached_by(self: &Arc<Self>, pulse: &Arc<Pulse>) -> Postman {
        Postman {
            receiver: Arc::clone(self),
            pulse: Arc::clone(pulse),
        }
    }

    /// Whether the message about `serial` was ever acknowledged.
    pub fn has_taken(&self, serial: &str) -> bool {
        self.taken().contains(serial)
    }

    /// A message arrives at the address of `sale`.
    fn takes(&self, sale: &str, body: &[u8]) -> Outcome {
        let world = &self.world;
        let serial = Received::decode(body).ok().and_then(|message| {
            let paid = message.field("CHARGE_DOWN_CODE");
            paid.or_else(|| message.field("flow.id"))
        });
        let Some(serial) = serial else {
            world.fail(Some(sale), "a notification cannot be read");
            return Outcome::Status(400);
        };
        if sale.starts_with("[S") && !self.wallet.has_charged(sale) {
            world.fail(Some(sale), "notified of a payment that nobody made");
        }
        if world.strikes(world.mix.receiver_fails) {
            world.log("receiver", &format!("{sale} {serial}: not acknowledged"));
            return Outcome::Status(500);
        }
        world.log("receiver", &format!("{sale} {serial}: acknowledged"));
        world.count(|it| it.notified += 1);
        self.taken().insert(serial);
        Outcome::Status(200)
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Postman {
    async fn carry(&self, url: &str, body: &[u8]) -> Outcome {
        let world = &self.receiver.world;
        self.pulse.touch("before a notification").await;
        if world.strikes(world.mix.receiver_fails / 3) {
            world.pass_ms(9_999..10_000).await;
            self.pulse.live().await;
            return Outcome::Timeout;
        }
        world.pass_ms(1..200).await;
        self.pulse.live().await;
        let outcome = self.receiver.takes(&sale_of(url), body);
        self.pulse.touch("after a notification").await;
        if world.strikes(world.mix.receiver_fails / 3) {
            return Outcome::Broken;
        }
        outcome
    }
}

/// The sale that an address belongs to: its path, as the log tags it.
fn sale_of(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    format!("[{name}]")
}

impl Post for Postman {
    fn post<'a>(
        &'a self,
        url: &'a str,
        _content_type: &'static str,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Attempt> {
        Box::pin(async move {
            let started = Instant::now();
            let summary = self.carry(url, &body).await;
            Attempt {
                acknowledged: summary == Outcome::Status(200),
                summary,
                took: started.elapsed(),
            }
        })
    }
}
