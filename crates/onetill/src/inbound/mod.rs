//! What the world may ask over HTTP.
//!
//! | module | serves |
//! |---|---|
//! | [`opengateway`] | dialect 1: wallet payments and data top-ups |
//! | [`jpos`] | dialect 2: member points, tickets, terminals and their batches |
//! | [`redemption`] | the gateway's own API: vouchers redeemed without a wallet |
//! | [`voucher`] | dialect 3: prepaid vouchers, activated and looked up by partners |
//! | [`sandbox_page`] | the payer's page of the sandbox |
//! | [`sandbox_api`] | the sandbox in a process of its own, as gateways ask it |
//! | [`health`] | liveness, readiness, metrics |

pub mod health;
pub mod jpos;
pub mod opengateway;
pub mod redemption;
pub mod sandbox_api;
pub mod sandbox_page;
pub mod voucher;

use crate::{app::Gateway, server::limits::FailureLimits};
use axum::{Router, routing::get};
use channels::sandbox::Sandbox;
use std::sync::Arc;
use store::Clock;
use tokio::sync::watch;

/// All routes of the gateway, on one address. The sandbox's page is there only when the sandbox
/// is on.
pub fn router(gateway: &Arc<Gateway>, failures: FailureLimits) -> Router {
    public_router(gateway, failures).merge(health::metrics(gateway))
}

/// What everybody is served when operators have an address of their own: all but the metrics.
/// The checks stay, because whoever balances the load asks for them where it sends requests.
pub fn public_router(gateway: &Arc<Gateway>, failures: FailureLimits) -> Router {
    let dialects = opengateway::router(Arc::clone(gateway), failures);
    let dialects = dialects.merge(jpos::router(Arc::clone(gateway), failures));
    let dialects = dialects.merge(redemption::router(Arc::clone(gateway), failures));
    let prefix = gateway.rules.voucher_prefix.clone();
    let dialects = dialects.merge(voucher::router(Arc::clone(gateway), &prefix, failures));
    let router = dialects.merge(health::router(Arc::clone(gateway)));
    match &gateway.sandbox {
        Some(sandbox) => router.merge(sandbox_page::router(
            Arc::clone(gateway),
            Arc::clone(sandbox),
        )),
        None => router,
    }
}

/// What operators are served on their own address: checks and metrics.
pub fn ops_router(gateway: &Arc<Gateway>) -> Router {
    health::router(Arc::clone(gateway)).merge(health::metrics(gateway))
}

/// All routes of a sandbox in a process of its own. Whoever listens to its news is let go when
/// `stopped` becomes true.
pub fn sandbox_router(
    sandbox: &Arc<Sandbox>,
    clock: Clock,
    stopped: watch::Receiver<bool>,
) -> Router {
    let page = sandbox_page::router_without_gateway(Arc::clone(sandbox), clock);
    page.merge(sandbox_api::router(Arc::clone(sandbox), stopped))
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(async || "ready\n"))
}
