//! Dialect 2, jpos: decode, use case, encode.
//!
//! | module | holds |
//! |---|---|
//! | [`admit`] | from a form to a message of a known, admitted terminal |
//! | [`check_in`], [`look`], [`spend`], [`take_back`], [`reverse`], [`give_card`], [`settle`] | the functions |
//! | [`present`] | domain values in the dialect's words, and back |
//! | [`refused`] | which status says what |
//! | [`decline`] | messages that are wrong in themselves |
//!
//! What is wrong is named in this order: the form (30), the store (03), the terminal (97), whether
//! it may speak (58), its batch (77, unless the message was answered before), its MAC (A0), its
//! PIN block (99), the fields (30), the amounts (13), and then what the decision finds. From the
//! amounts on, a refusal of a message that is known by its number is on record, like its approval:
//! repeated, it gets the same answer with the same time.

mod admit;
mod check_in;
mod decline;
mod give_card;
mod look;
mod present;
mod refused;
mod reverse;
mod settle;
mod spend;
mod take_back;

pub(crate) use present::kind;

use super::opengateway::survive::survive;
use crate::{
    app::{AppError, Gateway},
    server::{
        BODY_TIMEOUT, Fingerprint,
        body::BodyError,
        limits::{FailureLimiter, FailureLimits},
        read_body,
    },
    telemetry,
};
use admit::{Admitted, Manner, Origin};
use axum::{
    Extension, Router,
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use domain::time::UnixMs;
use refused::{Refused, Sender};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument;
use wire::jpos::{
    Body, Form, Operation, Outcome, PathError, Reply, Request, Status, TimeUnit, form::FormError,
    name, reply,
};

/// Under this name a reply tells its request's id, as the log knows it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How the log and the metrics call what was turned away for failing too often.
const TOO_MANY: &str = "HTTP_429";
/// Most bytes of a body from an address that has failed too often: as many as most messages may
/// have, for a terminal may send it after all; but no journal of a batch.
const STRANGER_BYTES_MAX: usize = 256 * 1024;
/// How they call what names no function.
const NO_FUNCTION: &str = "unknown";

/// The dialect's own state.
pub(super) struct Dialect {
    gateway: Arc<Gateway>,
    failures: FailureLimiter,
}

/// The dialect's routes. `failures` is how many failed requests one address may make.
pub fn router(gateway: Arc<Gateway>, failures: FailureLimits) -> Router {
    let dialect = Arc::new(Dialect {
        gateway,
        failures: FailureLimiter::new(failures),
    });
    Router::new()
        .route("/{version}/jpos", any(serve))
        .route("/{version}/jpos/", any(serve))
        .route("/{version}/jpos/{*rest}", any(serve))
        .with_state(dialect)
}

/// A message that was carried out: what is answered, and when it was first.
pub(super) struct Done {
    body: Body,
    at: UnixMs,
}

/// A reply before it is sent.
struct Answered {
    http: StatusCode,
    code: &'static str,
    text: String,
}

async fn serve(
    State(dialect): State<Arc<Dialect>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    certificate: Option<Extension<Fingerprint>>,
    request: HttpRequest,
) -> Response {
    let started = Instant::now();
    let origin = Origin {
        address: peer.ip(),
        certificate: certificate.map(|Extension(it)| it),
    };
    let id = telemetry::request_id();
    let path = Operation::parse_path(request.uri().path());
    let function = path.as_ref().map_or(NO_FUNCTION, |(_, it)| it.function());
    // Whatever is logged on the way carries the request's id, and so does the reply.
    let span = tracing::info_span!(
        "request",
        %id,
        operation = function,
        peer = %origin.address,
        store = tracing::field::Empty,
        terminal = tracing::field::Empty,
        card = tracing::field::Empty,
    );
    let answering = dialect.answer(path.map(|(_, it)| it), request, origin);
    let answered = answering.instrument(span.clone()).await;
    let took = started.elapsed();
    telemetry::request("jpos", function, answered.code, took);
    span.in_scope(|| log(&answered, took));
    answered.into_response(&id.to_string())
}

/// What went well is only worth a line to those who look for it. So is what was turned away for
/// failing too often, or named no function: it would be for a stranger to say how fast the log grows.
fn log(answered: &Answered, took: Duration) {
    let code = answered.code;
    let never_arrived = answered.http != StatusCode::OK || code == Status::UnknownFunction.code();
    if code == Status::Approved.code() || never_arrived {
        tracing::debug!(code, ?took, "answered");
    } else {
        tracing::info!(code, ?took, "answered");
    }
}

impl Answered {
    fn into_response(self, id: &str) -> Response {
        let content_type = [(header::CONTENT_TYPE, reply::CONTENT_TYPE)];
        let mut response = (self.http, content_type, self.text).into_response();
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}

impl Dialect {
    async fn answer(
        &self,
        path: Result<Operation, PathError>,
        request: HttpRequest,
        origin: Origin,
    ) -> Answered {
        let (parts, body) = request.into_parts();
        let operation = match path {
            Ok(operation) if parts.method == Method::POST => operation,
            Ok(_) => return self.no_function(StatusCode::METHOD_NOT_ALLOWED),
            Err(PathError::Foreign | PathError::UnknownVersion) => {
                return self.no_function(StatusCode::NOT_FOUND);
            }
            Err(PathError::UnknownFunction) if parts.method == Method::POST => {
                return self.no_function(StatusCode::OK);
            }
            Err(PathError::UnknownFunction) => {
                return self.no_function(StatusCode::METHOD_NOT_ALLOWED);
            }
        };
        let bytes_max = self.body_bytes_max(operation, origin);
        match read_body(body, bytes_max, BODY_TIMEOUT).await {
            Ok(body) => self.answer_form(operation, &body, origin).await,
            Err(BodyError::TooLarge) if bytes_max < operation.body_bytes_max() => {
                self.turn_away(operation)
            }
            Err(error) => self.no_body(operation, error),
        }
    }

    fn no_function(&self, http: StatusCode) -> Answered {
        Answered {
            http,
            code: Status::UnknownFunction.code(),
            text: reply::unknown_function(TimeUnit::default(), self.gateway.now().0),
        }
    }

    fn no_body(&self, operation: Operation, error: BodyError) -> Answered {
        let outcome = match error {
            BodyError::TooLarge => Outcome::naming(Status::BadField, FormError::TooLarge.field()),
            BodyError::Slow | BodyError::Broken => Outcome::naming(Status::BadField, "body"),
            BodyError::Crowded => Outcome::new(Status::IssuerDown),
        };
        let answered = self.refuse(operation, Manner::default(), Refused::told(outcome));
        Answered {
            http: error.status(),
            ..answered
        }
    }

    async fn answer_form(&self, operation: Operation, body: &[u8], origin: Origin) -> Answered {
        let mut manner = Manner::default();
        let work = self.carry_out(operation, body, origin, &mut manner);
        let done = survive(work).await;
        // Nobody knows how far a use case came that panicked.
        let done = done.unwrap_or_else(|| Err(AppError::OutcomeUnknown.into()));
        match done {
            Ok(done) => Answered {
                http: StatusCode::OK,
                code: Status::Approved.code(),
                text: Reply::approved(done.body, done.at.0).encode(manner.unit),
            },
            Err(refused) => match refused.sender {
                Sender::Known | Sender::Counted => self.refuse(operation, manner, refused),
                Sender::Stranger if self.failures.take(origin.address, self.gateway.now()) => {
                    self.refuse(operation, manner, refused)
                }
                Sender::Stranger | Sender::TurnedAway => self.turn_away(operation),
            },
        }
    }

    /// What an address is answered that has failed too often. A store's own terminal is never held
    /// up by others.
    fn turn_away(&self, operation: Operation) -> Answered {
        Answered {
            http: StatusCode::TOO_MANY_REQUESTS,
            code: TOO_MANY,
            ..self.refuse(operation, Manner::default(), Refused::turned_away())
        }
    }

    /// How long a body from `origin` may be. One whose address has failed too often, and is no
    /// store's, is not listened to for long.
    fn body_bytes_max(&self, operation: Operation, origin: Origin) -> usize {
        let bytes_max = operation.body_bytes_max();
        let is_trusted = || {
            let may_fail = self.failures.check(origin.address, self.gateway.now());
            may_fail || self.is_home(origin)
        };
        if bytes_max <= STRANGER_BYTES_MAX || is_trusted() {
            bytes_max
        } else {
            STRANGER_BYTES_MAX
        }
    }

    fn refuse(&self, operation: Operation, manner: Manner, refused: Refused) -> Answered {
        let code = refused.outcome.status().code();
        let at = refused.at.unwrap_or_else(|| self.gateway.now());
        let reply = Reply::refused(operation, manner.layout, refused.outcome, at.0);
        Answered {
            http: StatusCode::OK,
            code,
            text: reply.encode(manner.unit),
        }
    }

    async fn carry_out(
        &self,
        operation: Operation,
        body: &[u8],
        origin: Origin,
        manner: &mut Manner,
    ) -> Result<Done, Refused> {
        let form = Form::decode(body, operation.body_bytes_max()).map_err(Refused::form)?;
        note_card(&form);
        if let Some(admitted) = self.admit_at_once(operation, &form, origin, manner) {
            match self.carry_on(admitted, operation, &form).await {
                Err(refused) if refused.is_about_terminal() => {}
                done => return done,
            }
        }
        let admitted = self.admit(operation, &form, origin, manner).await?;
        self.carry_on(admitted, operation, &form).await
    }

    /// What is done with a message once it is admitted.
    async fn carry_on(
        &self,
        admitted: Admitted,
        operation: Operation,
        form: &Form<'_>,
    ) -> Result<Done, Refused> {
        match Request::decode(operation, form) {
            Ok(request) => self.dispatch(&admitted, &request).await,
            Err(error) => {
                let gateway = &*self.gateway;
                Err(decline::unreadable(gateway, &admitted, operation, form, error).await?)
            }
        }
    }

    async fn dispatch(&self, admitted: &Admitted, request: &Request) -> Result<Done, Refused> {
        let gateway = &*self.gateway;
        let content = present::digest(&request.content());
        match request {
            Request::Checkin(it) => check_in::serve(gateway, admitted, it).await,
            Request::Cards(it) => look::cards(gateway, admitted, it).await,
            Request::Tickets(it) => look::tickets(gateway, admitted, it).await,
            Request::Consume(it) => spend::consume(gateway, admitted, it, content).await,
            Request::TicketConsume(it) => spend::tickets(gateway, admitted, it, content).await,
            Request::Cancel(it) => take_back::cancel(gateway, admitted, it, content).await,
            Request::Refund(it) => take_back::refund(gateway, admitted, it, content).await,
            Request::RefundCancel(it) => {
                take_back::refund_cancel(gateway, admitted, it, content).await
            }
            Request::SendVerifyCode(it) => give_card::send_code(gateway, admitted, it).await,
            Request::CardActive(it) => give_card::activate(gateway, admitted, it, content).await,
            Request::Settle(it) => settle::totals(gateway, admitted, it, content).await,
            Request::SettleDetails(it) => settle::details(gateway, admitted, it, content).await,
            Request::ConsumeReversal(it)
            | Request::CancelReversal(it)
            | Request::RefundReversal(it)
            | Request::RefundCancelReversal(it)
            | Request::TicketConsumeReversal(it) => {
                let reverses = request.operation().reverses().and_then(present::kind);
                reverse::serve(gateway, admitted, it, reverses, content).await
            }
        }
    }
}

/// The log knows which card it was, and nobody can use what the log knows.
fn note_card(form: &Form<'_>) {
    if let Some(card) = form.get(name::CARD_NO) {
        tracing::Span::current().record("card", telemetry::masked_card(card));
    }
}
