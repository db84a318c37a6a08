//! Dialect 1, openGateway: decode, use case, encode.
//!
//! | module | holds |
//! |---|---|
//! | [`route`] | which operation a path names |
//! | [`admit`] | from bytes to a signed, decrypted request of a known merchant |
//! | [`pre_order`], [`order`], [`refund`], [`query`], [`cancel`], [`recharge`] | one operation each |
//! | [`present`] | domain values in the dialect's words |
//! | [`info`] | what INFO says |
//! | [`notify`] | the documents merchants are notified with |
//! | [`mod@survive`] | a use case that panics is answered, too |

mod admit;
mod cancel;
mod info;
pub mod notify;
mod order;
mod pre_order;
mod present;
mod query;
mod recharge;
mod refund;
mod route;
pub(super) mod survive;

use crate::{
    app::{AppError, Gateway},
    server::{
        BODY_TIMEOUT,
        limits::{FailureLimiter, FailureLimits, RateLimiter},
        read_body,
    },
    telemetry,
};
use admit::Admitted;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use info::Info;
use route::Route;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use survive::survive;
use tracing::Instrument;
use wire::opengateway::{
    Encryption, Format, Locale, Operation, ReturnCode, reply::ErrorReply, seal,
};

/// Under this name a reply tells its request's id, as the log knows it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How the log and the metrics call what was turned away for asking too much.
const TOO_MANY: &str = "HTTP_429";
/// The most a request body may be, in bytes.
const BODY_BYTES_MAX: usize = wire::opengateway::document::BODY_BYTES_MAX;

/// The dialect's own state.
pub(super) struct Dialect {
    gateway: Arc<Gateway>,
    failures: FailureLimiter,
    rates: RateLimiter,
}

/// The dialect's routes. `failures` is how many failed requests one address may make.
pub fn router(gateway: Arc<Gateway>, failures: FailureLimits) -> Router {
    let dialect = Dialect {
        gateway,
        failures: FailureLimiter::new(failures),
        rates: RateLimiter::new(),
    };
    Router::new()
        .route("/openGateway/{*rest}", any(serve))
        .with_state(Arc::new(dialect))
}

/// Why a request is refused.
pub(super) enum Refusal {
    /// In the dialect's envelope, with HTTP 200.
    Dialect(ReturnCode, String),
    /// It never reached the dialect.
    Http(StatusCode),
}

impl Refusal {
    fn new(code: ReturnCode, info: Info<'_>, locale: Locale) -> Self {
        Self::Dialect(code, info.text(locale))
    }

    /// `ILLEGAL_PARAMETER` for `field`, with what is wrong with it.
    fn illegal(text: &str, locale: Locale) -> Self {
        Self::new(ReturnCode::IllegalParameter, Info::Illegal(text), locale)
    }

    fn from_app(error: &AppError, admitted: &Admitted<'_>) -> Self {
        let (code, info) = match error {
            AppError::Overloaded => return Self::Http(StatusCode::SERVICE_UNAVAILABLE),
            AppError::NoContract => (ReturnCode::InvalidContract, Info::NoContract),
            AppError::StoreDown => (ReturnCode::DatabaseError, store_down(admitted.operation)),
            AppError::OutcomeUnknown => (ReturnCode::Exception, Info::OutcomeUnknown),
            AppError::Unavailable => (ReturnCode::ServiceUnavailable, Info::Unavailable),
            AppError::Unforeseen => (ReturnCode::Exception, Info::OutcomeUnknown),
        };
        Self::new(code, info, admitted.locale)
    }
}

/// Only of a request to charge can it be said that nothing was charged: the payment that another
/// operation is about may long have been.
const fn store_down(operation: Operation) -> Info<'static> {
    match operation {
        Operation::PreOrder | Operation::Order => Info::StoreDown,
        Operation::Refund | Operation::Query | Operation::CancelTrade | Operation::FlowRecharge => {
            Info::NothingDone
        }
    }
}

/// A reply before it is sealed: its bytes and its code for the metrics.
pub(super) struct Encoded {
    code: ReturnCode,
    bytes: Vec<u8>,
}

/// How a reply is to be written: known as soon as the URL is read.
#[derive(Clone)]
struct Envelope {
    operation: Operation,
    format: Format,
    encryption: Encryption,
}

async fn serve(
    State(dialect): State<Arc<Dialect>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let route = match Route::find(&parts.method, parts.uri.path()) {
        Ok(route) => route,
        Err(status) => return status.into_response(),
    };
    let body = match read_body(body, BODY_BYTES_MAX, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(error) => return error.status().into_response(),
    };
    let operation = route.operation();
    let query = parts.uri.query().unwrap_or("");
    // Whatever is logged on the way carries the request's id, and so does the reply.
    let id = telemetry::request_id();
    let span = tracing::info_span!(
        "request",
        %id,
        operation = operation.segment(),
        peer = %peer.ip(),
    );
    let answering = dialect.answer(&route, query, &body, peer.ip());
    let answered = answering.instrument(span.clone()).await;
    let (code, took) = (answered.code, started.elapsed());
    telemetry::request("opengateway", operation.segment(), code, took);
    span.in_scope(|| log(code, took));
    let mut response = answered.response;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// What went well is only worth a line to those who look for it. So is what was turned away for
/// asking too much: it would be for a stranger to say how fast the log grows.
fn log(code: &'static str, took: Duration) {
    if code == ReturnCode::Success.as_str() || code == TOO_MANY {
        tracing::debug!(code, ?took, "answered");
    } else {
        tracing::info!(code, ?took, "answered");
    }
}

struct Answered {
    code: &'static str,
    response: Response,
}

impl Dialect {
    async fn answer(&self, route: &Route, query: &str, body: &[u8], peer: IpAddr) -> Answered {
        let (mut envelope, admitted) = admit::admit(self, route, query, body);
        match admitted {
            Ok(admitted) if !self.within_rate(&admitted) => {
                refuse_http(StatusCode::TOO_MANY_REQUESTS)
            }
            Ok(admitted) => {
                let work = self.carry_out(route, &admitted, peer);
                let result = survive(work)
                    .await
                    .unwrap_or_else(|| Err(Refusal::from_app(&AppError::Unforeseen, &admitted)));
                write(&envelope, Some(&admitted.account.key), result)
            }
            Err(refused) => {
                if refused.account.is_none() {
                    // Nobody knows a key to seal it with.
                    envelope.encryption = Encryption::None;
                }
                let key = refused.account.as_ref().map(|account| &account.key);
                write(&envelope, key, Err(self.limited(peer, refused.refusal)))
            }
        }
    }

    async fn carry_out(
        &self,
        route: &Route,
        admitted: &Admitted<'_>,
        peer: IpAddr,
    ) -> Result<Encoded, Refusal> {
        let gateway = &self.gateway;
        match route {
            Route::PreOrder => pre_order::serve(gateway, admitted).await,
            Route::Order => order::serve(gateway, admitted).await,
            Route::Refund => refund::serve(gateway, admitted).await,
            Route::Query { code, .. } if admitted.signature.is_none() => {
                self.query_unsigned(admitted, code, peer).await
            }
            Route::Query { code, .. } => query::serve(gateway, admitted, code).await,
            Route::CancelTrade { code, .. } => cancel::serve(gateway, admitted, code).await,
            Route::FlowRecharge { .. } => recharge::serve(gateway, admitted).await,
        }
    }

    /// A query that nobody signed. For an address that has missed too often nothing is even
    /// looked up: it would go on telling hits from misses.
    async fn query_unsigned(
        &self,
        admitted: &Admitted<'_>,
        code: &str,
        peer: IpAddr,
    ) -> Result<Encoded, Refusal> {
        if !self.failures.check(peer, self.gateway.now()) {
            return Err(Refusal::Http(StatusCode::TOO_MANY_REQUESTS));
        }
        let result = query::serve(&self.gateway, admitted, code).await;
        result.map_err(|miss| self.limited(peer, miss))
    }

    /// Counts an unsigned caller's failure against its address; too many are answered
    /// HTTP 429. Only failures come here, so a correctly signed caller is never held up by
    /// others behind the same address.
    fn limited(&self, peer: IpAddr, refusal: Refusal) -> Refusal {
        let counts = match refusal {
            Refusal::Dialect(code, _) => matches!(
                code,
                ReturnCode::UnregisteredBusi
                    | ReturnCode::InvalidSign
                    | ReturnCode::IllegalParameter
                    | ReturnCode::ChargeNonexistent
            ),
            Refusal::Http(_) => false,
        };
        let now = self.gateway.now();
        if counts && !self.failures.check(peer, now) {
            return Refusal::Http(StatusCode::TOO_MANY_REQUESTS);
        }
        if counts {
            self.failures.charge(peer, now);
        }
        refusal
    }

    fn within_rate(&self, admitted: &Admitted<'_>) -> bool {
        let merchant = &admitted.account.merchant;
        let Some(per_s) = merchant.settings.requests_per_s else {
            return true;
        };
        self.rates.allow(merchant.no.0, per_s, self.gateway.now())
    }
}

fn write(
    envelope: &Envelope,
    key: Option<&wire::opengateway::MerchantKey>,
    result: Result<Encoded, Refusal>,
) -> Answered {
    let Encoded { code, bytes } = match result {
        Ok(encoded) => encoded,
        Err(Refusal::Http(status)) => return refuse_http(status),
        Err(Refusal::Dialect(code, info)) => {
            let reply = ErrorReply::new(envelope.operation, code, info);
            Encoded {
                code,
                bytes: reply.encode(envelope.format),
            }
        }
    };
    let bytes = match (envelope.encryption, key) {
        (Encryption::TripleDes, Some(key)) => seal::seal(key, &bytes).into_bytes(),
        (Encryption::TripleDes, None) | (Encryption::None, _) => bytes,
    };
    let content_type = [(header::CONTENT_TYPE, envelope.format.content_type())];
    let response = (content_type, Body::from(bytes)).into_response();
    Answered {
        code: code.as_str(),
        response,
    }
}

fn refuse_http(status: StatusCode) -> Answered {
    let code = if status == StatusCode::TOO_MANY_REQUESTS {
        TOO_MANY
    } else {
        "HTTP_503"
    };
    Answered {
        code,
        response: status.into_response(),
    }
}
