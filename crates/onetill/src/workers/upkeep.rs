//! The node's lease, the directory, and the gauges.

use crate::{
    app::{Gateway, serials::LEASE_MS},
    telemetry,
};
use std::{sync::Arc, time::Duration};
use store::{AdminOp, AdminReply, contract::PaymentFilter};
use tokio::{sync::watch, time::MissedTickBehavior};

/// How often a pass runs.
const EVERY: Duration = Duration::from_secs(2);

/// Runs until told to stop, then gives the lease up.
pub async fn run(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => run_once(&gateway).await,
            _ = stopped.changed() => break,
        }
    }
}

async fn run_once(gateway: &Gateway) {
    renew(gateway).await;
    match gateway.reader.merchants().await {
        Ok(merchants) => gateway.directory.replace(merchants),
        Err(error) => tracing::warn!(%error, "the merchants cannot be read"),
    }
    match gateway.reader.figures().await {
        Ok(figures) => telemetry::store_figures(&figures, gateway.now()),
        Err(error) => tracing::warn!(%error, "the store's figures cannot be read"),
    }
    show_open_payments(gateway).await;
}

/// Open payments are counted up to this many; an operator needs no more than the order of it.
const OPEN_MAX: u32 = 1_000;

async fn show_open_payments(gateway: &Gateway) {
    let filter = PaymentFilter {
        undecided: true,
        ..PaymentFilter::default()
    };
    let Ok(open) = gateway.reader.payments(filter, OPEN_MAX).await else {
        return;
    };
    let now = gateway.now();
    let mut ages = [
        ("1m", 60, 0_u32),
        ("10m", 600, 0),
        ("2h", 7_200, 0),
        ("older", i64::MAX, 0),
    ];
    for payment in open {
        let age_s = now.since_ms(payment.created_at) / 1_000;
        if let Some((_, _, count)) = ages.iter_mut().find(|(_, below_s, _)| age_s < *below_s) {
            *count += 1;
        }
    }
    for (age, _, count) in ages {
        telemetry::open_payments(age, count);
    }
}

async fn renew(gateway: &Gateway) {
    let lease = gateway.serials.lease();
    let until = gateway.now().plus_ms(LEASE_MS);
    let renew = AdminOp::RenewNode {
        node: lease.node,
        owner: lease.owner,
        until,
    };
    match gateway.engine.admin(renew).await {
        Ok(AdminReply::Renewed(true)) => gateway.serials.renewed(until),
        Ok(_) => tracing::error!(
            node = lease.node,
            "another gateway took this node's number; restart this one"
        ),
        Err(error) => tracing::warn!(%error, "the node's lease was not renewed"),
    }
}
