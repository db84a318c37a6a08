//! The sandbox in a process of its own, as a gateway meets it.
//!
//! The answer decides what the gateway believes about money, so each failure is told apart by one
//! question: may the request have arrived? Only when no connection could be made did it certainly
//! not, and the answer is `NotSent`. A reply with another status, one that is too long, breaks off
//! or cannot be read says nothing: `Unknown`.

mod news;

pub use news::{News, NewsError};

use super::{NAME, interface};
use crate::contract::{
    BoxFuture, Channel, PayRequest, PaymentAt, PrepareOutcome, PrepareRequest, RechargeProvider,
    RechargeRequest, RefundRequest,
};
use bytes::Bytes;
use domain::{
    channel::{NotSent, PayOutcome, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::QueryOutcome,
    ids::Serial,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, Uri, body::Incoming, header::CONTENT_TYPE};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, time::Duration};

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection is kept that nobody uses: shorter than the other side keeps it, so that
/// few requests meet one that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the sandbox's own process is reached: `http://HOST:PORT`, with a path before the
/// interface's own if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxUrl(String);

impl SandboxUrl {
    /// Reads an address; `None` when it is not one that can be called.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_plain = uri.scheme_str() == Some("http") && uri.query().is_none();
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        (is_plain && has_host).then(|| Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for SandboxUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sandbox in another process.
pub struct RemoteSandbox {
    url: SandboxUrl,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// Why there is no answer.
enum NoAnswer {
    /// The request certainly did not arrive.
    NotSent(NotSent),
    /// It may have arrived.
    Lost,
}

impl RemoteSandbox {
    /// The sandbox at `url`. Connections are made when they are needed, and kept.
    #[must_use]
    pub fn new(url: SandboxUrl) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self { url, http }
    }

    /// Where it is.
    #[must_use]
    pub const fn url(&self) -> &SandboxUrl {
        &self.url
    }

    /// What payers do from now on. What they did before, or while nobody listened, is found out by
    /// asking.
    ///
    /// # Errors
    /// When the sandbox does not answer as it should.
    pub async fn news(&self) -> Result<News, NewsError> {
        let request = Request::get(format!("{}{}", self.url, interface::NEWS));
        let request = request.body(Full::default());
        let request = request.map_err(|_| NewsError::Unreachable)?;
        News::open(self.http.request(request)).await
    }

    /// Posts `question` and reads the answer. What stands in for one that does not come is made
    /// from `not_sent` or `unknown`.
    async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
        not_sent: impl FnOnce(NotSent) -> A,
        unknown: A,
    ) -> A {
        match self.exchange(path, question).await {
            Ok(answer) => answer,
            Err(NoAnswer::NotSent(why)) => not_sent(why),
            Err(NoAnswer::Lost) => unknown,
        }
    }

    async fn exchange<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> Result<A, NoAnswer> {
        let unwritten = NoAnswer::NotSent(NotSent::Write);
        let request = self.post(path, question).ok_or(unwritten)?;
        let reply = self.http.request(request).await.map_err(|error| {
            if error.is_connect() {
                NoAnswer::NotSent(NotSent::Connect)
            } else {
                NoAnswer::Lost
            }
        })?;
        if reply.status() != StatusCode::OK {
            return Err(NoAnswer::Lost);
        }
        read(reply.into_body()).await.ok_or(NoAnswer::Lost)
    }

    fn post<Q: Serialize>(&self, path: &str, question: &Q) -> Option<Request<Full<Bytes>>> {
        let body = serde_json::to_vec(question).ok()?;
        Request::post(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .ok()
    }
}

async fn read<A: DeserializeOwned>(body: Incoming) -> Option<A> {
    let body = Limited::new(body, interface::MESSAGE_BYTES_MAX);
    let bytes = body.collect().await.ok()?.to_bytes();
    serde_json::from_slice(&bytes).ok()
}

impl Channel for RemoteSandbox {
    fn name(&self) -> &str {
        NAME
    }

    fn pay(&self, request: PayRequest) -> BoxFuture<'_, PayOutcome> {
        Box::pin(async move {
            let (not_sent, unknown) = (PayOutcome::NotSent, PayOutcome::Unknown);
            self.ask(interface::PAY, &request, not_sent, unknown).await
        })
    }

    fn prepare(&self, request: PrepareRequest) -> BoxFuture<'_, PrepareOutcome> {
        Box::pin(async move {
            let (not_sent, unknown) = (PrepareOutcome::NotSent, PrepareOutcome::Unknown);
            self.ask(interface::PREPARE, &request, not_sent, unknown)
                .await
        })
    }

    fn query(&self, payment: PaymentAt) -> BoxFuture<'_, QueryOutcome> {
        Box::pin(async move {
            // An unasked question and a lost answer teach the same: nothing.
            let unknown = QueryOutcome::Unknown;
            let not_sent = |_| QueryOutcome::Unknown;
            self.ask(interface::QUERY, &payment, not_sent, unknown)
                .await
        })
    }

    fn reverse(&self, payment: PaymentAt) -> BoxFuture<'_, ReverseOutcome> {
        Box::pin(async move {
            let unknown = ReverseOutcome::Unknown;
            let not_sent = |_| ReverseOutcome::Unknown;
            self.ask(interface::REVERSE, &payment, not_sent, unknown)
                .await
        })
    }

    fn refund(&self, request: RefundRequest) -> BoxFuture<'_, RefundOutcome> {
        Box::pin(async move {
            let (not_sent, unknown) = (RefundOutcome::NotSent, RefundOutcome::Unknown);
            self.ask(interface::REFUND, &request, not_sent, unknown)
                .await
        })
    }
}

impl RechargeProvider for RemoteSandbox {
    fn name(&self) -> &str {
        NAME
    }

    fn recharge(&self, request: RechargeRequest) -> BoxFuture<'_, RechargeOutcome> {
        Box::pin(async move {
            let (not_sent, unknown) = (RechargeOutcome::NotSent, RechargeOutcome::Unknown);
            self.ask(interface::RECHARGE, &request, not_sent, unknown)
                .await
        })
    }

    fn query(&self, serial: Serial) -> BoxFuture<'_, RechargeOutcome> {
        Box::pin(async move {
            let (not_sent, unknown) = (RechargeOutcome::NotSent, RechargeOutcome::Unknown);
            self.ask(interface::QUERY_RECHARGE, &serial, not_sent, unknown)
                .await
        })
    }
}
