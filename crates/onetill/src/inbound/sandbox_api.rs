//! The sandbox in a process of its own, as gateways ask it: the paths of
//! [`channels::sandbox::interface`], and the news.
//!
//! It has no keys and no admission: it pretends, and listens on the loopback unless forced.

use crate::server::{BODY_TIMEOUT, read_body};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use channels::{
    Channel, RechargeProvider,
    sandbox::{ChannelEvent, Sandbox, interface},
};
use http_body_util::channel::{Channel as OpenBody, Sender};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    watch,
};

/// Lines of news that wait for a listener to take them.
const LINES_WAITING_MAX: usize = 64;

#[derive(Clone)]
struct Api {
    sandbox: Arc<Sandbox>,
    stopped: watch::Receiver<bool>,
}

/// The routes. The news ends when `stopped` becomes true.
pub fn router(sandbox: Arc<Sandbox>, stopped: watch::Receiver<bool>) -> Router {
    Router::new()
        .route(interface::PAY, post(pay))
        .route(interface::PREPARE, post(prepare))
        .route(interface::QUERY, post(query))
        .route(interface::REVERSE, post(reverse))
        .route(interface::REFUND, post(refund))
        .route(interface::RECHARGE, post(recharge))
        .route(interface::QUERY_RECHARGE, post(query_recharge))
        .route(interface::NEWS, get(news))
        .with_state(Api { sandbox, stopped })
}

async fn pay(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(request) => answer(&api.sandbox.pay(request).await),
        Err(refused) => refused.into_response(),
    }
}

async fn prepare(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(request) => answer(&api.sandbox.prepare(request).await),
        Err(refused) => refused.into_response(),
    }
}

async fn query(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(payment) => answer(&Channel::query(&*api.sandbox, payment).await),
        Err(refused) => refused.into_response(),
    }
}

async fn reverse(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(payment) => answer(&api.sandbox.reverse(payment).await),
        Err(refused) => refused.into_response(),
    }
}

async fn refund(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(request) => answer(&api.sandbox.refund(request).await),
        Err(refused) => refused.into_response(),
    }
}

async fn recharge(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(request) => answer(&api.sandbox.recharge(request).await),
        Err(refused) => refused.into_response(),
    }
}

async fn query_recharge(State(api): State<Api>, body: Body) -> Response {
    match read(body).await {
        Ok(serial) => answer(&RechargeProvider::query(&*api.sandbox, serial).await),
        Err(refused) => refused.into_response(),
    }
}

async fn news(State(api): State<Api>) -> Response {
    let (sender, body) = OpenBody::<Bytes>::new(LINES_WAITING_MAX);
    // Subscribed before the reply's head is sent: whoever has read that misses nothing after it.
    let events = api.sandbox.events();
    tokio::spawn(tell(events, sender, api.stopped));
    Body::new(body).into_response()
}

/// Tells the news until the listener is gone or all stops.
async fn tell(
    mut events: Receiver<ChannelEvent>,
    mut listener: Sender<Bytes>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let line = tokio::select! {
            line = next_line(&mut events) => line,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let Some(line) = line else { return };
        if listener.send_data(line).await.is_err() {
            return;
        }
    }
}

/// The next event as a line; an empty one when there is none for a while; `None` at the end.
async fn next_line(events: &mut Receiver<ChannelEvent>) -> Option<Bytes> {
    let event = tokio::select! {
        event = events.recv() => event,
        () = tokio::time::sleep(interface::HEARTBEAT) => return Some(Bytes::from_static(b"\n")),
    };
    match event {
        Ok(event) => {
            let mut line = serde_json::to_vec(&event).ok()?;
            line.push(b'\n');
            Some(line.into())
        }
        // Whoever is slow asks about what it missed.
        Err(RecvError::Lagged(_)) => Some(Bytes::from_static(b"\n")),
        Err(RecvError::Closed) => None,
    }
}

async fn read<Q: DeserializeOwned>(body: Body) -> Result<Q, StatusCode> {
    let body = read_body(body, interface::MESSAGE_BYTES_MAX, BODY_TIMEOUT).await;
    let body = body.map_err(|error| error.status())?;
    serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)
}

fn answer<A: Serialize>(answer: &A) -> Response {
    match serde_json::to_vec(answer) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        // Plain enums always have a JSON form; were it otherwise, the gateway asks again.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
