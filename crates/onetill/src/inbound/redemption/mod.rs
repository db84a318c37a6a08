//! The gateway's own API: vouchers redeemed without a wallet, as at a museum's gate.
//!
//! `POST /api/v1/redemptions` with a JSON body ([`message`]), signed with the merchant's key as in
//! dialect 1; what was done is HTTP 200, what was not has a status of 400 and up.

pub mod message;

use crate::{
    app::{
        AppError, Gateway,
        directory::Account,
        voucher::{
            redeem::VoucherRefusal,
            redemption::{Redeemed, Redemption, Undone, Use},
        },
    },
    inbound::opengateway::survive::survive,
    server::{
        BODY_TIMEOUT,
        limits::{FailureLimiter, FailureLimits, RateLimiter},
        read_body,
    },
    telemetry,
};
use axum::{
    Router,
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use domain::{
    payment::Payment,
    voucher::{paying::CodeRefusal, status::CodeStatus},
};
use message::{Done, Failed, Failure, MERCHANT, Outcome, PATH, Redeem, Request, SIGN, Voucher};
use serde::Serialize;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use tracing::Instrument;
use wire::opengateway::sign;
use zeroize::Zeroizing;

/// The most a request body may be, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// The most characters of a serial, a shop or a terminal.
const NAME_CHARS_MAX: usize = 64;

struct Api {
    gateway: Arc<Gateway>,
    failures: FailureLimiter,
    rates: RateLimiter,
}

/// The API's routes. `failures` is how many failed requests one address may make.
pub fn router(gateway: Arc<Gateway>, failures: FailureLimits) -> Router {
    let api = Api {
        gateway,
        failures: FailureLimiter::new(failures),
        rates: RateLimiter::new(),
    };
    Router::new()
        .route(PATH, post(serve))
        .with_state(Arc::new(api))
}

async fn serve(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let body = match read_body(body, BODY_BYTES_MAX, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(error) => {
            let failed = Failed {
                error: Failure::BadRequest,
                message: format!("the body is longer than {BODY_BYTES_MAX} bytes, or did not come"),
            };
            return json(error.status(), &failed);
        }
    };
    let id = telemetry::request_id();
    let span = tracing::info_span!("request", %id, operation = "redemption", peer = %peer.ip());
    let answering = api.answer(&parts.headers, &body, peer.ip());
    let answered = answering.instrument(span.clone()).await;
    let (code, took) = (code(&answered), started.elapsed());
    telemetry::request("redemption", "redemption", code, took);
    span.in_scope(|| tracing::debug!(code, ?took, "answered"));
    write(answered)
}

/// Why nothing was done, for programs and for people.
struct Refused(Failure, String);

/// How the metrics call an answer.
const fn code(answered: &Result<Done, Refused>) -> &'static str {
    match answered {
        Ok(_) => "done",
        Err(refused) => refused.0.name(),
    }
}

fn write(answered: Result<Done, Refused>) -> Response {
    match answered {
        Ok(done) => json(StatusCode::OK, &done),
        Err(Refused(error, message)) => json(error.status(), &Failed { error, message }),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json;charset=UTF-8")];
    match serde_json::to_string(body) {
        Ok(body) => (status, content_type, body).into_response(),
        Err(error) => {
            tracing::error!(%error, "a reply cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Failure {
    const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::NotAdmitted => "not_admitted",
            Self::UnknownCode => "unknown_code",
            Self::UnknownSerial => "unknown_serial",
            Self::Undone => "undone",
            Self::SerialTaken => "serial_taken",
            Self::NotActive => "not_active",
            Self::UsedUp => "used_up",
            Self::Void => "void",
            Self::Expired => "expired",
            Self::Reserved => "reserved",
            Self::Frozen => "frozen",
            Self::TooMany => "too_many",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotAdmitted => StatusCode::UNAUTHORIZED,
            Self::UnknownCode | Self::UnknownSerial => StatusCode::NOT_FOUND,
            Self::Undone
            | Self::SerialTaken
            | Self::NotActive
            | Self::UsedUp
            | Self::Void
            | Self::Expired
            | Self::Reserved
            | Self::Frozen => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::OutcomeUnknown => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<(Failure, &str)> for Refused {
    fn from((failure, message): (Failure, &str)) -> Self {
        Self(failure, message.to_owned())
    }
}

impl From<AppError> for Refused {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Overloaded => (Failure::Unavailable, "nothing was done; try again"),
            AppError::StoreDown => (Failure::Unavailable, "the store is down; nothing was done"),
            AppError::NoContract
            | AppError::Unavailable
            | AppError::OutcomeUnknown
            | AppError::Unforeseen => (
                Failure::OutcomeUnknown,
                "the outcome is not known; send the same again",
            ),
        }
        .into()
    }
}

impl From<VoucherRefusal> for Refused {
    fn from(why: VoucherRefusal) -> Self {
        match why {
            VoucherRefusal::TooManyMisses => {
                (Failure::TooMany, "too many unknown codes; wait a while")
            }
            VoucherRefusal::Code(CodeRefusal::Unknown | CodeRefusal::PaysAll) => {
                (Failure::UnknownCode, "there is no such code")
            }
            VoucherRefusal::Code(CodeRefusal::Status(status)) => stands(status),
        }
        .into()
    }
}

const fn stands(status: CodeStatus) -> (Failure, &'static str) {
    match status {
        CodeStatus::InStock => (Failure::NotActive, "the code is not active yet"),
        // It was free again by the time it was looked at.
        CodeStatus::Active => (Failure::Reserved, "the code was in use; use a new serial"),
        CodeStatus::UsedUp => (Failure::UsedUp, "the code is used up"),
        CodeStatus::Void => (Failure::Void, "the code is void"),
        CodeStatus::Expired => (Failure::Expired, "the code is not valid now"),
        CodeStatus::Reserved => (Failure::Reserved, "an open payment holds the code"),
        CodeStatus::Frozen => (Failure::Frozen, "the code is frozen"),
    }
}

impl Api {
    async fn answer(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        peer: IpAddr,
    ) -> Result<Done, Refused> {
        let now = self.gateway.now();
        let Some(account) = self.admit(headers, body) else {
            if !self.failures.take(peer, now) {
                return Err((Failure::TooMany, "too many failures; wait a while").into());
            }
            let text = "the merchant is not known, or the signature is not of this body";
            return Err((Failure::NotAdmitted, text).into());
        };
        let merchant = &account.merchant;
        let per_s = merchant.settings.requests_per_s.unwrap_or(0);
        if !self.rates.allow(merchant.no.0, per_s, now) {
            return Err((Failure::TooMany, "too many requests; wait a while").into());
        }
        let request = serde_json::from_slice::<Request>(body);
        let request = request.map_err(|error| without_values(&error))?;
        let work = self.carry_out(&account, request);
        // Nobody knows how far a use case came that panicked.
        let done = survive(work).await;
        done.unwrap_or_else(|| Err(AppError::OutcomeUnknown.into()))
    }

    /// The merchant, if the body is signed with its key, and not too long ago.
    fn admit(&self, headers: &HeaderMap, body: &[u8]) -> Option<Arc<Account>> {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        let account = self.gateway.directory.find(header(MERCHANT)?)?;
        let given = header(SIGN)?;
        sign::verify(&account.key, given, body).ok()?;
        let Some(age_s_max) = account.merchant.settings.signature_max_age_s else {
            return Some(account);
        };
        let age_ms = self.gateway.now().0.abs_diff(sign::signed_at_ms(given)?);
        (age_ms <= u64::from(age_s_max) * 1000).then_some(account)
    }

    async fn carry_out(&self, account: &Account, request: Request) -> Result<Done, Refused> {
        match request {
            Request::Redeem(redeem) => self.redeem(account, redeem).await,
            Request::Undo(undo) => {
                check_name("serial", &undo.serial)?;
                self.undo(account, &undo.serial).await
            }
        }
    }

    async fn redeem(&self, account: &Account, asked: Redeem) -> Result<Done, Refused> {
        let redemption = read(asked)?;
        match self.gateway.redeem(account, &redemption).await? {
            Redeemed::Done(used) => Ok(self.redeemed(&used)),
            Redeemed::Undone(payment) => Ok(self.done(Outcome::Undone, &payment)),
            Redeemed::Refused(why) => Err(why.into()),
            Redeemed::Barred => Err((
                Failure::Undone,
                "it was undone before it came, nothing was used; use a new serial",
            )
                .into()),
            Redeemed::SerialTaken => Err((
                Failure::SerialTaken,
                "the serial is that of another redemption or payment; use a new one",
            )
                .into()),
        }
    }

    async fn undo(&self, account: &Account, serial: &str) -> Result<Done, Refused> {
        match self.gateway.undo_redemption(account, serial).await? {
            Undone::Done(payment) => Ok(self.done(Outcome::Undone, &payment)),
            Undone::Waiting(payment) => Ok(self.done(Outcome::Waiting, &payment)),
            Undone::Nothing => {
                let text = "nothing was redeemed under this serial, and nothing will be";
                Err((Failure::UnknownSerial, text).into())
            }
        }
    }

    fn redeemed(&self, used: &Use) -> Done {
        let carton = &used.carton;
        Done {
            voucher: Some(Voucher {
                ticket: carton.ticket.0,
                name: carton.ticket_name.clone(),
                face_value: carton.terms.face_value.to_string(),
                uses: carton.terms.uses,
                uses_left: used.uses_left,
            }),
            ..self.done(Outcome::Redeemed, &used.payment)
        }
    }

    fn done(&self, result: Outcome, payment: &Payment) -> Done {
        let at = payment.settled_at().unwrap_or(payment.created_at);
        Done {
            result,
            serial: payment.merchant_serial.clone(),
            gateway_serial: payment.serial.to_string(),
            at: self.gateway.wire_time(at),
            voucher: None,
        }
    }
}

/// Where a body is wrong, without what it says there: that may be a code.
fn without_values(error: &serde_json::Error) -> Refused {
    let (line, column) = (error.line(), error.column());
    let text = format!("the body is not a request of this API, see line {line}, column {column}");
    Refused(Failure::BadRequest, text)
}

fn read(asked: Redeem) -> Result<Redemption, Refused> {
    check_name("serial", &asked.serial)?;
    check_name("code", &asked.code)?;
    check_name("terminal", &asked.terminal)?;
    if let Some(shop) = &asked.shop {
        check_name("shop", shop)?;
    }
    Ok(Redemption {
        serial: asked.serial,
        code: Zeroizing::new(asked.code),
        shop: asked.shop,
        terminal: asked.terminal,
    })
}

/// White space is not signed, so no name may have any.
fn check_name(field: &str, name: &str) -> Result<(), Refused> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    let is_plain = !name.chars().any(|it| it.is_whitespace() || it.is_control());
    if fits && is_plain {
        return Ok(());
    }
    let text = format!("{field}: 1 to {NAME_CHARS_MAX} characters without white space");
    Err(Refused(Failure::BadRequest, text))
}
