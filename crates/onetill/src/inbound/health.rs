//! Liveness, readiness and metrics.

use crate::{app::Gateway, telemetry};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How long the store may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an answer is good for. Anybody may ask, and each look costs the store a read.
const GOOD_FOR: Duration = Duration::from_millis(500);

struct Checks {
    gateway: Arc<Gateway>,
    /// The last look, and when it was had. Held while looking, so that many look once.
    last: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

/// The checks.
pub fn router(gateway: Arc<Gateway>) -> Router {
    let checks = Checks {
        gateway,
        last: Mutex::default(),
    };
    Router::new()
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(ready))
        .with_state(Arc::new(checks))
}

/// The metrics.
pub fn metrics(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .with_state(Arc::clone(gateway))
}

async fn ready(State(checks): State<Arc<Checks>>) -> Response {
    match checks.look().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

impl Checks {
    async fn look(&self) -> Result<(), &'static str> {
        let mut last = self.last.lock().await;
        if let Some((at, result)) = *last
            && at.elapsed() < GOOD_FOR
        {
            return result;
        }
        let result = is_ready(&self.gateway).await;
        *last = Some((Instant::now(), result));
        result
    }
}

/// Ready when the store answers, took what it was last given to write, and this node may issue
/// serials. The lease is renewed every few seconds, so there is always something that was written
/// lately, and a store that takes writes again is found out without a payment to try it on.
async fn is_ready(gateway: &Gateway) -> Result<(), &'static str> {
    match tokio::time::timeout(PATIENCE, gateway.reader.figures()).await {
        Err(_) => Err("not ready: the store does not answer\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err("not ready: the store is down\n")
        }
        Ok(Ok(_)) if !gateway.engine.takes_writes() || gateway.next_serial().is_err() => {
            Err("not ready: the store takes no writes\n")
        }
        Ok(Ok(_)) => Ok(()),
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
