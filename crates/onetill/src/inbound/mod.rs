//! What the world may ask over HTTP.
//!
//! | module | serves |
//! |---|---|
//! | [`opengateway`] | dialect 1: wallet payments and data top-ups |
//! | [`sandbox_page`] | the payer's page of the sandbox |
//! | [`health`] | liveness, readiness, metrics |

pub mod health;
pub mod opengateway;
pub mod sandbox_page;

use crate::{app::Gateway, server::limits::FailureLimits};
use axum::Router;
use std::sync::Arc;

/// All routes of the gateway, on one address. The sandbox's page is there only when the sandbox
/// is on.
pub fn router(gateway: &Arc<Gateway>, failures: FailureLimits) -> Router {
    public_router(gateway, failures).merge(health::metrics(gateway))
}

/// What everybody is served when operators have an address of their own: all but the metrics.
/// The checks stay, because whoever balances the load asks for them where it sends requests.
pub fn public_router(gateway: &Arc<Gateway>, failures: FailureLimits) -> Router {
    let dialects = opengateway::router(Arc::clone(gateway), failures);
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
