//! Liveness, readiness and metrics.

use crate::{app::Gateway, telemetry};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{sync::Arc, time::Duration};

/// How long the store may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(3);

/// The routes.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(gateway)
}

/// Ready when the store answers, took what it was last given to write, and this node may issue
/// serials. The lease is renewed every few seconds, so there is always something that was written
/// lately, and a store that takes writes again is found out without a payment to try it on.
async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let figures = tokio::time::timeout(PATIENCE, gateway.reader.figures()).await;
    let not_ready = |why: &'static str| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    match figures {
        Err(_) => not_ready("not ready: the store does not answer\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            not_ready("not ready: the store is down\n")
        }
        Ok(Ok(_)) if !gateway.engine.takes_writes() || gateway.next_serial().is_err() => {
            not_ready("not ready: the store takes no writes\n")
        }
        Ok(Ok(_)) => "ready\n".into_response(),
    }
}

async fn render(State(gateway): State<Arc<Gateway>>) -> Response {
    telemetry::queue_len(gateway.engine.queue_len());
    let content_type = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (content_type, telemetry::render()).into_response()
}
