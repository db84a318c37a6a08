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

/// All routes of the gateway. The sandbox's page is there only when the sandbox is on.
pub fn router(gateway: &Arc<Gateway>, failures: FailureLimits) -> Router {
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
