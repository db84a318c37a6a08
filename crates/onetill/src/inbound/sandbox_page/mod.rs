//! The payer's page of a sandbox order: what a wallet would show after scanning the till's code.
//!
//! | route | does |
//! |---|---|
//! | `GET /sandbox/pay/{serial}` | the page, in Chinese or English |
//! | `GET /sandbox/pay/{serial}/state` | where the order stands, as JSON |
//! | `POST /sandbox/pay/{serial}` | `action=pay` or `action=decline` |
//!
//! | module | holds |
//! |---|---|
//! | `language`, `texts` | which language, and every text in both |
//! | `view` | an order as HTML and as JSON |
//! | `html` | escaping, and filling templates |
//! | `qr` | the page's own address as a QR code |
//! | `security` | the headers that keep foreign content out |
//!
//! The page works without scripts: its buttons are a form, and it reloads itself while the order
//! waits. It links nothing outside itself. Addresses in it are relative, so it also works below a
//! path prefix of a reverse proxy.

mod html;
mod language;
mod qr;
mod security;
#[cfg(test)]
mod tests;
mod texts;
mod view;

use crate::{
    app::{Gateway, gateway::wire_time},
    server::body::read_body,
};
use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use channels::sandbox::{ActResult, PayerAction, Sandbox, SandboxOrder};
use domain::{
    ids::Serial,
    payment::{Credential, Payment},
    time::UnixMs,
};
use jiff::tz::{TimeZone, offset};
use language::Language;
use std::{sync::Arc, time::Duration};
use store::Clock;
use view::{OrderView, Told};

/// The most a posted form may be, in bytes.
const FORM_BYTES_MAX: usize = 1024;
/// How long a form may take to arrive.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// Hosts that a server listens on but nobody can visit: they end up in links when the operator has
/// set no public address.
const NOWHERE: [&str; 2] = ["://0.0.0.0", "://[::]"];

/// Wallets show Beijing's time, which has no summer time.
const BEIJING_H: i8 = 8;

/// Where the page's facts come from.
struct Page {
    sandbox: Arc<Sandbox>,
    clock: Clock,
    zone: TimeZone,
    /// Knows the merchant, when the sandbox is a part of it.
    gateway: Option<Arc<Gateway>>,
}

/// The routes of the payer's page of a gateway's own sandbox.
pub fn router(gateway: Arc<Gateway>, sandbox: Arc<Sandbox>) -> Router {
    routes(Page {
        sandbox,
        clock: Arc::clone(&gateway.clock),
        zone: gateway.rules.zone.clone(),
        gateway: Some(gateway),
    })
}

/// The routes of the payer's page of a sandbox in a process of its own, which knows no merchant's
/// name or number.
pub fn router_without_gateway(sandbox: Arc<Sandbox>, clock: Clock) -> Router {
    routes(Page {
        sandbox,
        clock,
        zone: TimeZone::fixed(offset(BEIJING_H)),
        gateway: None,
    })
}

/// Every reply forbids caching, framing and foreign content.
fn routes(page: Page) -> Router {
    Router::new()
        .route("/sandbox/pay/{serial}", get(show).post(act))
        .route("/sandbox/pay/{serial}/state", get(state))
        .layer(middleware::map_response(security::add_headers))
        .with_state(Arc::new(page))
}

async fn show(
    State(page): State<Arc<Page>>,
    Path(serial): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(order) = page.order(&serial) else {
        return missing();
    };
    let language = Language::choose(query.as_deref(), &headers);
    let view = page.view(order, &headers).await;
    let vary = [(header::VARY, "accept-language")];
    (vary, Html(view.page(language))).into_response()
}

async fn state(State(page): State<Arc<Page>>, Path(serial): Path<String>) -> Response {
    match page.order(&serial) {
        Some(order) => page.told(StatusCode::OK, &order),
        None => unknown(),
    }
}

async fn act(
    State(page): State<Arc<Page>>,
    Path(serial): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match read_body(body, FORM_BYTES_MAX, FORM_TIMEOUT).await {
        Ok(form) => form,
        Err(error) => return error.status().into_response(),
    };
    let Some(action) = read_action(&form) else {
        return (StatusCode::BAD_REQUEST, texts::BAD_ACTION).into_response();
    };
    let browser = is_browser(&headers);
    let answer = Serial::parse(&serial).and_then(|serial| page.act(serial, action));
    match answer {
        None if browser => missing(),
        None => unknown(),
        Some((_, order)) if browser => back(order.serial, query.as_deref()),
        Some((status, order)) => page.told(status, &order),
    }
}

impl Page {
    fn now(&self) -> UnixMs {
        (self.clock)()
    }

    fn order(&self, serial: &str) -> Option<SandboxOrder> {
        self.sandbox.order(Serial::parse(serial)?)
    }

    /// Acts for the payer; what scripts are answered. `None` when there is no such order.
    fn act(&self, serial: Serial, action: PayerAction) -> Option<(StatusCode, SandboxOrder)> {
        match self.sandbox.act(serial, action) {
            ActResult::Done(order) | ActResult::Already(order) => Some((StatusCode::OK, order)),
            ActResult::Closed => Some((StatusCode::CONFLICT, self.sandbox.order(serial)?)),
            ActResult::Unknown => None,
        }
    }

    fn told(&self, status: StatusCode, order: &SandboxOrder) -> Response {
        let told = Told::new(order, self.now());
        let content_type = [(header::CONTENT_TYPE, "application/json")];
        (status, content_type, told.to_json()).into_response()
    }

    async fn view(&self, order: SandboxOrder, headers: &HeaderMap) -> OrderView {
        let payment = self.payment(order.serial).await;
        let link = match &self.gateway {
            Some(_) => payment.as_ref().and_then(link_of),
            None => Some(self.sandbox.page(order.serial)),
        };
        OrderView {
            merchant: payment.as_ref().and_then(|it| self.merchant_of(it)),
            address: address(link, order.serial, headers),
            merchant_serial: payment.map(|it| it.merchant_serial),
            expires: wire_time(order.expires_at, &self.zone),
            now: self.now(),
            order,
        }
    }

    fn merchant_of(&self, payment: &Payment) -> Option<String> {
        let directory = &self.gateway.as_ref()?.directory;
        let account = directory.find_by_no(payment.tenant, payment.merchant)?;
        Some(account.merchant.name.clone())
    }

    /// What the gateway knows about the order. The page can do without it when the store is down.
    async fn payment(&self, serial: Serial) -> Option<Payment> {
        let gateway = self.gateway.as_ref()?;
        match gateway.reader.payment_of_any(serial).await {
            Ok(payment) => payment,
            Err(error) => {
                tracing::warn!(%serial, %error, "a payer's page lacks its merchant");
                None
            }
        }
    }
}

fn link_of(payment: &Payment) -> Option<String> {
    match payment.credential.as_ref()? {
        Credential::Link(link) => Some(link.clone()),
        Credential::Wallet(_) => None,
    }
}

/// The page's own address: what the merchant was given as the order's code. What the browser asked
/// for, when the order opens inside a wallet or the code names no reachable host.
fn address(link: Option<String>, serial: Serial, headers: &HeaderMap) -> Option<String> {
    if let Some(link) = link
        && !NOWHERE.iter().any(|host| link.contains(host))
    {
        return Some(link);
    }
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("http://{host}/sandbox/pay/{serial}"))
}

/// The action of a form. Neither word has a character that forms escape.
fn read_action(form: &[u8]) -> Option<PayerAction> {
    let fields = std::str::from_utf8(form).ok()?.trim_end();
    match fields
        .split('&')
        .find_map(|field| field.strip_prefix("action="))?
    {
        "pay" => Some(PayerAction::Pay),
        "decline" => Some(PayerAction::Decline),
        _ => None,
    }
}

/// Whether a person is looking. Scripts such as curl accept anything and name nothing.
fn is_browser(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    accepted.any(|accept| accept.to_str().is_ok_and(|it| it.contains("text/html")))
}

/// Sends a browser back to the page, so that reloading does not post again.
fn back(serial: Serial, query: Option<&str>) -> Response {
    let location = match Language::asked(query) {
        Some(language) => format!("{serial}?lang={}", language.code()),
        None => serial.to_string(),
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, Html(view::missing_page())).into_response()
}

fn unknown() -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::NOT_FOUND, content_type, texts::UNKNOWN_JSON).into_response()
}
