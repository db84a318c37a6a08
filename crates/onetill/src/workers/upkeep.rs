//! The node's lease, the directory, and the gauges.

use crate::{
    app::{Gateway, compose::take_lease},
    telemetry,
};
use std::{sync::Arc, time::Duration};
use store::{AdminOp, AdminReply, contract::PaymentFilter};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior},
};

/// How often a pass runs.
const EVERY: Duration = Duration::from_secs(2);

/// Keeps the node's lease until told to stop. Nothing else runs here: a slow look at the store
/// must not let the lease run out.
pub async fn keep_lease(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = ticks();
    while is_due(&mut ticks, &mut stopped).await {
        renew(&gateway).await;
    }
}

/// Refreshes what is kept in memory and shown to operators, until told to stop.
pub async fn refresh(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = ticks();
    while is_due(&mut ticks, &mut stopped).await {
        look(&gateway).await;
    }
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next pass; false when told to stop.
async fn is_due(ticks: &mut Interval, stopped: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        _ = ticks.tick() => true,
        _ = stopped.changed() => false,
    }
}

async fn look(gateway: &Gateway) {
    if let Err(error) = gateway.directory.refresh(gateway.reader.as_ref()).await {
        tracing::warn!(%error, "the merchants cannot be read");
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
    let until = gateway.serials.renewal(gateway.now());
    let renew = AdminOp::RenewNode {
        node: lease.node,
        owner: lease.owner,
        until,
    };
    match gateway.engine.admin(renew).await {
        Ok(AdminReply::Renewed(true)) => gateway.serials.renewed(until),
        Ok(_) => lease_anew(gateway).await,
        Err(error) => tracing::warn!(%error, "the node's lease was not renewed"),
    }
}

/// The lease ran out, and another gateway took this node's number: any free one does as well.
async fn lease_anew(gateway: &Gateway) {
    match take_lease(&gateway.engine, gateway.now()).await {
        Ok((lease, issued_until, until)) => {
            gateway.serials.replaced(lease, issued_until, until);
            tracing::warn!(
                node = lease.node,
                "the node's number was lost; another was taken"
            );
        }
        Err(error) => tracing::warn!(%error, "no node number could be taken"),
    }
}
