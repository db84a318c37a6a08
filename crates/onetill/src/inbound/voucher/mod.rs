//! Dialect 3, the voucher platform: decode, use case, encode.
//!
//! | module | holds |
//! |---|---|
//! | [`admit`] | which partner asks: by token, by network, or by signature |
//! | [`change`] | activeVoucher, delVoucher and their reel twins |
//! | [`look`] | activeResultQuery, queryVerifyInfo, queryVoucher, queryCodeTrace |
//! | [`part_no`] | activeByPartNo |
//! | [`present`] | domain values in the dialect's words |
//! | [`tree`] | a tree of codes, sent piece by piece |
//!
//! What is wrong is named in this order: the caller (HTTP 401), the body, then what the decision
//! finds. activeByPartNo names its partner in its body, and all it answers has HTTP 200.

mod admit;
mod change;
mod look;
mod part_no;
mod present;
mod tree;

use super::opengateway::survive::survive;
use crate::{
    app::{AppError, Gateway, voucher::partners::KnownPartner},
    server::{
        BODY_TIMEOUT,
        body::BodyError,
        limits::{FailureLimiter, FailureLimits, RateLimiter},
        read_body,
    },
    telemetry,
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use tracing::Instrument;
use wire::{
    Locale,
    voucher::{
        Action, CivilTime, Document, PathError, Request, RequestError, ReturnCode,
        StatusCode as OrderStatus,
        document::BODY_BYTES_MAX,
        reply::{self, CONTENT_TYPE, CodesReply},
        request,
    },
};

/// Under this name a reply tells its request's id, as the log knows it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How the log and the metrics call what was turned away for asking too often.
const TOO_MANY: &str = "HTTP_429";
/// How they call what names no action.
const NO_ACTION: &str = "unknown";
/// How they call what nobody was let in with.
const NOT_ADMITTED: &str = "HTTP_401";

/// The dialect's own state.
struct Dialect {
    gateway: Arc<Gateway>,
    prefix: String,
    failures: FailureLimiter,
    rates: RateLimiter,
}

/// The dialect's routes, below `prefix`. `failures` is how many failed requests one address may
/// make.
pub fn router(gateway: Arc<Gateway>, prefix: &str, failures: FailureLimits) -> Router {
    let dialect = Arc::new(Dialect {
        gateway,
        prefix: prefix.to_owned(),
        failures: FailureLimiter::new(failures),
        rates: RateLimiter::new(),
    });
    Router::new()
        .route(&format!("{prefix}/ebuyweb-posp/api/{{*rest}}"), any(serve))
        .route(&format!("{prefix}/b2b/code/{{*rest}}"), any(serve))
        .with_state(dialect)
}

/// A reply before it is sent.
struct Answered {
    http: StatusCode,
    code: &'static str,
    body: Body,
}

/// Why a request is refused.
enum Refusal {
    /// In the dialect's words.
    Text(&'static str, String),
    /// Nobody knows who asks.
    NotAdmitted,
    /// Too many requests, or too many codes that do not exist.
    TooMany,
    /// The gateway takes no more, or cannot reach its store.
    Down(AppError),
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        Self::Down(error)
    }
}

/// A message of an admitted partner.
struct Asked<'a> {
    gateway: &'a Arc<Gateway>,
    action: Action,
    partner: Arc<KnownPartner>,
    locale: Locale,
}

async fn serve(
    State(dialect): State<Arc<Dialect>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> Response {
    let started = Instant::now();
    let id = telemetry::request_id();
    let path = request.uri().path();
    let path = path.strip_prefix(dialect.prefix.as_str()).unwrap_or(path);
    let action = Action::parse_path(path);
    let name = action.map_or(NO_ACTION, Action::name);
    // Whatever is logged on the way carries the request's id, and so does the reply.
    let span = tracing::info_span!(
        "request",
        %id,
        operation = name,
        peer = %peer.ip(),
        partner = tracing::field::Empty,
    );
    let answering = dialect.answer(action, request, peer.ip());
    let answered = answering.instrument(span.clone()).await;
    let took = started.elapsed();
    telemetry::request("voucher", name, answered.code, took);
    span.in_scope(|| tracing::debug!(code = answered.code, ?took, "answered"));
    let content_type = [(header::CONTENT_TYPE, CONTENT_TYPE)];
    let mut response = (answered.http, content_type, answered.body).into_response();
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

impl Dialect {
    async fn answer(
        &self,
        action: Result<Action, PathError>,
        request: HttpRequest,
        peer: IpAddr,
    ) -> Answered {
        let (parts, body) = request.into_parts();
        let Ok(action) = action else {
            return Answered::empty(StatusCode::NOT_FOUND, NO_ACTION);
        };
        if parts.method != Method::POST {
            return Answered::empty(StatusCode::METHOD_NOT_ALLOWED, NO_ACTION);
        }
        match read_body(body, BODY_BYTES_MAX, BODY_TIMEOUT).await {
            Ok(body) => self.answer_body(action, &parts.headers, &body, peer).await,
            Err(error) => self.no_body(action, error),
        }
    }

    fn no_body(&self, action: Action, error: BodyError) -> Answered {
        let desc = error.to_string();
        let answered = self.refused_for(action, None, OrderStatus::BadField, &desc);
        Answered {
            http: error.status(),
            ..answered
        }
    }

    async fn answer_body(
        &self,
        action: Action,
        headers: &HeaderMap,
        body: &[u8],
        peer: IpAddr,
    ) -> Answered {
        let work = self.carry_out(action, headers, body, peer);
        // Nobody knows how far a use case came that panicked.
        let done = survive(work)
            .await
            .unwrap_or(Err(Refusal::Down(AppError::OutcomeUnknown)));
        let document = Document::decode(body).ok();
        let echo = document.and_then(|it| request::echo(action, &it));
        match done {
            Ok(answered) => answered,
            Err(Refusal::Text(code, text)) => Answered {
                http: StatusCode::OK,
                code,
                body: Body::from(text),
            },
            Err(Refusal::NotAdmitted) => self.not_admitted(action, echo, peer),
            Err(Refusal::TooMany) => self.too_many(action, echo),
            // Not a business outcome: a client that looks at the status alone asks again, or queries.
            Err(Refusal::Down(error)) => Answered {
                http: present::http(&error),
                ..self.refused_for(
                    action,
                    echo,
                    OrderStatus::Unavailable,
                    present::down(&error),
                )
            },
        }
    }

    /// Counts a stranger's failure against its address; too many are answered HTTP 429.
    fn not_admitted(&self, action: Action, echo: Option<String>, peer: IpAddr) -> Answered {
        let now = self.gateway.now();
        if !self.failures.take(peer, now) {
            return self.too_many(action, echo);
        }
        let answered = self.refused(action, echo, reply::not_admitted(Locale::default()));
        if action == Action::ActiveByPartNo {
            return answered;
        }
        Answered {
            http: StatusCode::UNAUTHORIZED,
            code: NOT_ADMITTED,
            ..answered
        }
    }

    fn too_many(&self, action: Action, echo: Option<String>) -> Answered {
        Answered {
            http: StatusCode::TOO_MANY_REQUESTS,
            code: TOO_MANY,
            ..self.refused_for(action, echo, OrderStatus::Unavailable, present::TOO_MANY)
        }
    }

    /// The action's "other error" with these words.
    fn refused(&self, action: Action, echo: Option<String>, desc: &str) -> Answered {
        self.refused_for(action, echo, OrderStatus::NotAdmitted, desc)
    }

    /// The same; activeByPartNo has no such error, and a status for each reason.
    fn refused_for(
        &self,
        action: Action,
        echo: Option<String>,
        status: OrderStatus,
        desc: &str,
    ) -> Answered {
        let now = self.gateway.now();
        let at = present::civil(&self.gateway, now);
        if action == Action::ActiveResultQuery && status == OrderStatus::Unavailable {
            return still_in_progress(echo, desc, at);
        }
        let text = reply::refusal(action, desc, echo, at, now.0);
        let text = text.unwrap_or_else(|| part_no::unsigned(status, desc));
        Answered {
            http: StatusCode::OK,
            code: ReturnCode::other_error(action).map_or(part_no::name(status), ReturnCode::code),
            body: Body::from(text),
        }
    }

    async fn carry_out(
        &self,
        action: Action,
        headers: &HeaderMap,
        body: &[u8],
        peer: IpAddr,
    ) -> Result<Answered, Refusal> {
        let gateway = &self.gateway;
        if action == Action::ActiveByPartNo {
            let document = Document::decode(body);
            return part_no::serve(self, headers, document, peer).await;
        }
        let partner = admit::caller(gateway, headers, peer).ok_or(Refusal::NotAdmitted)?;
        self.allow(&partner)?;
        let asked = Asked {
            gateway,
            action,
            locale: present::locale(&partner),
            partner,
        };
        let document =
            Document::decode(body).map_err(|error| asked.illegal(&error.into(), None))?;
        let echo = request::echo(action, &document);
        let request = Request::decode(action, &document);
        let request = request.map_err(|error| asked.illegal(&error, echo))?;
        asked.dispatch(request).await
    }

    /// Counts a request against what its partner may ask for.
    fn allow(&self, partner: &KnownPartner) -> Result<(), Refusal> {
        let partner = &partner.partner;
        tracing::Span::current().record("partner", partner.number.0);
        let per_s = partner.settings.requests_per_s.unwrap_or(0);
        let number = i64::from(partner.number.0);
        let may = self.rates.allow(number, per_s, self.gateway.now());
        may.then_some(()).ok_or(Refusal::TooMany)
    }
}

/// The answer to who asks for an activation that cannot be looked up now: the action's own "other
/// error" says that there is no such activation, and whoever reads that might sell the codes again.
fn still_in_progress(echo: Option<String>, desc: &str, at: CivilTime) -> Answered {
    let code = ReturnCode::InProgress;
    let reply = CodesReply {
        trace_no: echo,
        ..CodesReply::new(code, desc.to_owned(), at)
    };
    (code, reply.encode(None)).into()
}

impl Asked<'_> {
    async fn dispatch(&self, request: Request) -> Result<Answered, Refusal> {
        let content = present::digest(&request);
        match &request {
            Request::ActiveVoucher(it) | Request::ReelActiveVoucher(it) => {
                change::activate(self, it, content).await
            }
            Request::DelVoucher(it) | Request::ReelDelVoucher(it) => {
                change::void(self, it, content).await
            }
            Request::ActiveResultQuery(it) => look::result(self, it).await,
            Request::QueryVerifyInfo(it) | Request::QueryVoucher(it) => look::codes(self, it).await,
            Request::QueryCodeTrace(it) => look::trace(self, it).await,
            // Signed, and so admitted in another way.
            Request::ActiveByPartNo(_) => Err(Refusal::NotAdmitted),
        }
    }

    /// A refusal for what is wrong with the message itself.
    fn illegal(&self, error: &RequestError, echo: Option<String>) -> Refusal {
        let now = self.gateway.now();
        let at = present::civil(self.gateway, now);
        let desc = error.desc(self.locale);
        let code = ReturnCode::other_error(self.action).map_or("400", ReturnCode::code);
        let text = reply::refusal(self.action, &desc, echo, at, now.0);
        Refusal::Text(code, text.unwrap_or_default())
    }
}

impl Answered {
    fn empty(http: StatusCode, code: &'static str) -> Self {
        Self {
            http,
            code,
            body: Body::empty(),
        }
    }
}

impl From<(ReturnCode, String)> for Answered {
    fn from((code, text): (ReturnCode, String)) -> Self {
        Self {
            http: StatusCode::OK,
            code: code.code(),
            body: Body::from(text),
        }
    }
}
