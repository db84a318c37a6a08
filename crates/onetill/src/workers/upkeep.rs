//! The node's lease, the directory, and the gauges.

use crate::{
    app::{Gateway, compose::take_lease},
    telemetry,
};
use domain::ids::Serial;
use std::{sync::Arc, time::Duration};
use store::{AdminOp, AdminReply, StoreError};
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
pub(super) async fn is_due(ticks: &mut Interval, stopped: &mut watch::Receiver<bool>) -> bool {
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
    let estate = &gateway.loyalty.estate;
    if let Err(error) = estate.refresh(gateway.reader.as_ref()).await {
        tracing::warn!(%error, "the stores and programs cannot be read");
    }
    let partners = &gateway.vouchers.partners;
    if let Err(error) = partners.refresh(gateway.reader.as_ref()).await {
        tracing::warn!(%error, "the partners cannot be read");
    }
    match gateway.reader.figures().await {
        Ok(figures) => telemetry::store_figures(&figures, gateway.now()),
        Err(error) => tracing::warn!(%error, "the store's figures cannot be read"),
    }
    show_open_payments(gateway).await;
}

/// Where the ages end that open payments are counted by.
const AGES_S: [i64; 3] = [60, 600, 7_200];

async fn show_open_payments(gateway: &Gateway) {
    match open_payments_by_age(gateway).await {
        Ok(counts) => {
            for (age, count) in counts {
                telemetry::open_payments(age, count);
            }
        }
        Err(error) => tracing::warn!(%error, "open payments cannot be counted"),
    }
}

/// How many payments of each age are open or ending. All of them are counted, by their serials,
/// which begin with the time; so not even their rows are read.
///
/// # Errors
/// When the store failed.
pub async fn open_payments_by_age(
    gateway: &Gateway,
) -> Result<[(&'static str, u64); 4], StoreError> {
    let now = gateway.now();
    let mut younger = 0;
    let mut counts = [("1m", 0), ("10m", 0), ("2h", 0), ("older", 0)];
    let ages = AGES_S.map(|age_s| gateway.serials.floor(now.plus_s(-age_s)));
    let since = ages.into_iter().chain([Serial(i64::MIN)]);
    for ((_, count), since) in counts.iter_mut().zip(since) {
        let so_far = gateway.reader.open_payments(since).await?;
        // Payments settle between two looks.
        *count = so_far.saturating_sub(younger);
        younger = so_far;
    }
    Ok(counts)
}

/// Renews the lease on this node's number once, for work that runs without a gateway's workers.
pub async fn renew(gateway: &Gateway) {
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
