//! Requests that outlive their client.
//!
//! Every request runs in a task of its own. A client that hangs up must not stop a payment
//! half-way, and a panic in one handler ends that task alone and is answered with HTTP 500.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::pace::Pulse;
use super::{Fingerprint, TrustedProxies};

/// One connection's requests, each handed to the router in a task of its own.
pub(super) struct Detached {
    pub(super) router: TowerToHyperService<axum::Router>,
    pub(super) peer: SocketAddr,
    pub(super) proxies: Arc<TrustedProxies>,
    /// Which certificate the peer showed.
    pub(super) certificate: Option<Fingerprint>,
    pub(super) pulse: Arc<Pulse>,
    /// Held by every task, so that draining waits for handlers whose client is gone.
    pub(super) alive: mpsc::Sender<Infallible>,
}

impl Service<Request<Incoming>> for Detached {
    type Response = Response<PacedBody>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: Request<Incoming>) -> Answer {
        let turn = self.pulse.busy(!request.body().is_end_stream());
        let client = self.proxies.client(self.peer, request.headers());
        request.extensions_mut().insert(ConnectInfo(client));
        if let Some(certificate) = self.certificate {
            request.extensions_mut().insert(certificate);
        }
        let pulse = Arc::clone(&self.pulse);
        let answer = self
            .router
            .call(request.map(|body| PacedUpload { body, pulse }));
        let alive = self.alive.clone();
        let task = tokio::spawn(async move {
            let _alive = alive;
            answer.await
        });
        Answer {
            task,
            turn,
            pulse: Arc::clone(&self.pulse),
        }
    }
}

/// The reply to come from a request's task.
pub(super) struct Answer {
    task: JoinHandle<Result<Response<Body>, Infallible>>,
    turn: u32,
    pulse: Arc<Pulse>,
}

impl Future for Answer {
    type Output = Result<Response<PacedBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match ready!(Pin::new(&mut self.task).poll(cx)) {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(error) => {
                // The panic hook has already told what and where.
                tracing::error!(panicked = error.is_panic(), "a request's handler broke off");
                broken()
            }
        };
        let (turn, pulse) = (self.turn, Arc::clone(&self.pulse));
        Poll::Ready(Ok(response.map(|body| PacedBody { body, turn, pulse })))
    }
}

/// The answer of last resort: it says what a cashier's software may do next.
fn broken() -> Response<Body> {
    let text = "internal error: the outcome is unknown, query before trying again\n";
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain;charset=UTF-8"),
    );
    response
}

/// A request's body; its end makes it our turn.
pub(super) struct PacedUpload {
    body: Incoming,
    pulse: Arc<Pulse>,
}

impl HttpBody for PacedUpload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.pulse.body_done();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A reply's body; its end lets the connection count as idle.
pub(super) struct PacedBody {
    body: Body,
    turn: u32,
    pulse: Arc<Pulse>,
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for PacedBody {
    fn drop(&mut self) {
        self.pulse.idle(self.turn);
    }
}
