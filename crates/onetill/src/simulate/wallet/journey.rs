//! The way of a call and of its answer. It goes on when the caller stops waiting or dies.

use super::{Line, Wallet};
use domain::ids::Serial;
use std::{future::pending, sync::Arc};
use tokio::sync::oneshot;

impl Line {
    /// Has `act` happen at the wallet, soon, late or never, and gives what it answered, unless the
    /// answer gets lost.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        serial: Serial,
        operation: &'static str,
        act: impl FnOnce(&Arc<Wallet>) -> T + Send + 'static,
    ) -> Option<T> {
        self.pulse
            .touch(&format!("before {operation} at the channel"))
            .await;
        let (answer, answered) = oneshot::channel();
        let (wallet, busy) = (Arc::clone(&self.wallet), self.wallet.world.busy());
        tokio::spawn(async move {
            if wallet.arrives(serial, operation).await {
                let done = act(&wallet);
                if wallet.returns(serial, operation).await {
                    // The caller may have stopped waiting.
                    let _ = answer.send(done);
                }
            }
            drop(busy);
        });
        let answered = answered.await.ok();
        self.pulse
            .touch(&format!("after {operation} at the channel"))
            .await;
        if answered.is_none() && self.wallet.world.chooses(500) {
            // Silence, until the caller's own deadline.
            pending::<()>().await;
        }
        answered
    }
}

impl Wallet {
    async fn arrives(&self, serial: Serial, operation: &str) -> bool {
        let world = &self.world;
        if world.strikes(world.mix.channel_slow) {
            world.pass_ms(0..30_000).await;
        } else {
            world.pass_ms(1..50).await;
        }
        let lost = world.strikes(world.mix.call_lost);
        if lost {
            self.note(serial, &format!("{operation} never arrives"));
        }
        !lost
    }

    async fn returns(&self, serial: Serial, operation: &str) -> bool {
        let world = &self.world;
        if world.strikes(world.mix.channel_slow) {
            world.pass_ms(0..30_000).await;
        } else {
            world.pass_ms(1..50).await;
        }
        let lost = world.strikes(world.mix.answer_lost);
        if lost {
            self.note(serial, &format!("the answer to {operation} is lost"));
            world.count(|it| it.lost_answers += 1);
        }
        !lost
    }
}
