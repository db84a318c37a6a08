//! A partner's middleware outside of the load: one message at a time, and as much of the reply as
//! it needs.

use std::time::Duration;

use reqwest::Response;
use wire::voucher::{Request, ReturnCode};

use super::wire_client::{JSON, content_type};
use super::{BenchArgs, BenchError, load};
use crate::cli::call::{Http, SendError, base_url};

/// How long all of a reply may take.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How much of a reply is searched for its code, in bytes: it stands before the tree.
const CODE_BYTES_MAX: usize = 64 * 1024;
const RETURN_CODE: &str = "\"returnCode\":\"";

/// The middleware. Has no `Debug`: its token lets it in.
pub(super) struct Partner {
    http: Http,
    url: String,
    token: String,
}

impl Partner {
    /// The middleware at the gateway of `args`. Its token is only taken to one that may be loaded.
    pub(super) async fn new(args: &BenchArgs) -> Result<Self, BenchError> {
        load::address(args).await?;
        let http = base_url(&args.url).and_then(|url| Http::new(&url, TIMEOUT, None));
        Ok(Self {
            http: http.map_err(|error| BenchError::Setting(error.to_string()))?,
            url: args.url.trim_end_matches('/').to_owned(),
            token: args.partner_token.clone(),
        })
    }

    /// Sends a message; its reply is still to be read.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, BenchError> {
        let url = format!("{}{}", self.url, request.action().path());
        let token = Some(self.token.as_str());
        let sent = self.http.open_json(&url, token, request.to_json()).await;
        sent.map_err(|error| match error {
            SendError::NotSent(why) | SendError::Lost(why) => BenchError::Partner(why),
        })
    }

    /// Sends a message and reads its reply up to its code, which must be this one.
    pub(super) async fn expect(
        &self,
        request: &Request,
        code: ReturnCode,
    ) -> Result<(), BenchError> {
        let mut reply = self.send(request).await?;
        let mut head = Vec::new();
        while head.len() < CODE_BYTES_MAX {
            let Some(piece) = reply.chunk().await.map_err(|error| broken(&error))? else {
                break;
            };
            head.extend_from_slice(&piece);
            if let Some(found) = quoted(&String::from_utf8_lossy(&head), RETURN_CODE) {
                return check(request, code, found);
            }
        }
        check(request, code, &format!("HTTP {}", reply.status().as_u16()))
    }

    /// Sends a message and reads all of its reply, whose code must be this one.
    pub(super) async fn ask(
        &self,
        request: &Request,
        code: ReturnCode,
    ) -> Result<String, BenchError> {
        let reply = self.send(request).await?;
        let status = reply.status().as_u16();
        let text = reply.text().await.map_err(|error| broken(&error))?;
        let found = quoted(&text, RETURN_CODE).map(str::to_owned);
        let found = found.unwrap_or_else(|| format!("HTTP {status}"));
        check(request, code, &found).map(|()| text)
    }
}

/// The header lines that let a partner's load in.
pub(super) fn headers(args: &BenchArgs) -> String {
    let token = &args.partner_token;
    format!("{}Authorization: Bearer {token}\r\n", content_type(JSON))
}

/// The text between `start` and the next quote.
pub(super) fn quoted<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once('"').map(|(value, _)| value)
}

pub(super) fn broken(error: &reqwest::Error) -> BenchError {
    BenchError::Partner(format!("a reply broke off: {error}"))
}

fn check(request: &Request, right: ReturnCode, found: &str) -> Result<(), BenchError> {
    if found == right.code() {
        return Ok(());
    }
    let (name, right) = (request.action().name(), right.code());
    let text = format!("{name} was answered {found} where {right} is right");
    Err(BenchError::Partner(text))
}
