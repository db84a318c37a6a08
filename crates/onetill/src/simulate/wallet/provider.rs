//! Top-ups.

use super::Line;
use channels::{BoxFuture, RechargeProvider, RechargeRequest};
use domain::{
    channel::{NotSent, RechargeOutcome},
    ids::Serial,
};
use std::sync::Arc;

/// The top-up provider as one process reaches it.
pub struct Provider(pub Arc<Line>);

impl super::Wallet {
    fn top_up_arrives(&self, serial: Serial) -> RechargeOutcome {
        let world = &self.world;
        let fails = world.strikes(world.mix.declines);
        let waits = world.strikes(world.mix.payer_waits);
        let mut book = self.book();
        let number = format!("P{serial}");
        let said = match book.top_ups.get(&serial) {
            Some(RechargeOutcome::Accepted(_)) | None if fails => RechargeOutcome::Failed,
            Some(RechargeOutcome::Accepted(_)) | None if waits => RechargeOutcome::Accepted(number),
            Some(RechargeOutcome::Accepted(_)) | None => RechargeOutcome::Done(number),
            Some(over) => over.clone(),
        };
        book.top_ups.insert(serial, said.clone());
        drop(book);
        self.world.log("provider", &format!("{serial}: {said:?}"));
        said
    }

    fn top_up_asked(&self, serial: Serial) -> RechargeOutcome {
        if self.book().top_ups.contains_key(&serial) {
            self.top_up_arrives(serial)
        } else {
            RechargeOutcome::Unknown
        }
    }
}

impl RechargeProvider for Provider {
    fn name(&self) -> &str {
        "simulated"
    }

    fn recharge(&self, request: RechargeRequest) -> BoxFuture<'_, RechargeOutcome> {
        Box::pin(async move {
            let serial = request.serial;
            if self.0.cannot_send(serial) {
                return RechargeOutcome::NotSent(NotSent::Connect);
            }
            let act = move |wallet: &Arc<super::Wallet>| wallet.top_up_arrives(serial);
            let answer = self.0.call(serial, "recharge", act).await;
            answer.unwrap_or(RechargeOutcome::Unknown)
        })
    }

    fn query(&self, serial: Serial) -> BoxFuture<'_, RechargeOutcome> {
        Box::pin(async move {
            let act = move |wallet: &Arc<super::Wallet>| wallet.top_up_asked(serial);
            let answer = self.0.call(serial, "query of a top-up", act).await;
            answer.unwrap_or(RechargeOutcome::Unknown)
        })
    }
}
