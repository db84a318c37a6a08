//! Sends a call. What matters about a failure is whether the gateway can have got the request.

use crate::cli::CommandError;
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, Url, redirect};
use std::{error::Error, fs, path::Path, time::Duration};
use wire::{jpos::form::CONTENT_TYPE, opengateway::call::Call};

/// Longest reply that is read, in bytes; only a compared journal comes near it.
const REPLY_BYTES_MAX: usize = wire::jpos::reply::REPLY_BYTES_MAX;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP client for one gateway.
pub struct Http {
    client: Client,
    timeout: Duration,
}

/// A reply.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug)]
pub enum SendError {
    /// The gateway got nothing.
    NotSent(String),
    /// The gateway may have got the request.
    Lost(String),
}

impl Http {
    /// A client that waits up to `timeout` for a reply and trusts the authorities in `ca` (PEM)
    /// as well as the system's.
    ///
    /// # Errors
    /// When the authorities cannot be read.
    pub fn new(url: &Url, timeout: Duration, ca: Option<&Path>) -> Result<Self, CommandError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // An error means that somebody else chose first, which does as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let authorities = ca.map_or_else(|| Ok(Vec::new()), read_authorities)?;
        let is_local = super::is_loopback(url);
        let settings = || settings(timeout, is_local);
        let client = settings().tls_certs_merge(authorities.clone()).build();
        // A machine without any authorities still reaches what --ca vouches for, and plain HTTP.
        let client = client.or_else(|_| settings().tls_certs_only(authorities).build())?;
        Ok(Self { client, timeout })
    }

    /// Sends `call` to `url`.
    ///
    /// # Errors
    /// [`SendError`]: whether the gateway can have got it.
    pub async fn send(&self, url: &str, call: &Call) -> Result<Answer, SendError> {
        let request = match call.method {
            "POST" => self.client.post(url).body(call.body.clone()),
            _ => self.client.get(url),
        };
        let request = request.header("Content-Type", "application/json;charset=UTF-8");
        self.exchange(request).await
    }

    /// Posts a form of dialect 2 to `url`.
    ///
    /// # Errors
    /// [`SendError`]: whether the gateway can have got it.
    pub async fn post_form(&self, url: &str, body: String) -> Result<Answer, SendError> {
        let request = self.client.post(url).body(body);
        self.exchange(request.header("Content-Type", CONTENT_TYPE))
            .await
    }

    /// Posts a message of dialect 3 to `url`, with the partner's token.
    ///
    /// # Errors
    /// [`SendError`]: whether the gateway can have got it.
    pub async fn post_json(
        &self,
        url: &str,
        token: Option<&str>,
        body: &str,
    ) -> Result<Answer, SendError> {
        let request = self.json(url, token, body.to_owned());
        self.exchange(request).await
    }

    /// The same; its reply is still to be read, piece by piece.
    ///
    /// # Errors
    /// [`SendError`]: whether the gateway can have got it.
    pub async fn open_json(
        &self,
        url: &str,
        token: Option<&str>,
        body: String,
    ) -> Result<Response, SendError> {
        let sent = self.json(url, token, body).send().await;
        sent.map_err(|error| self.failure(&error))
    }

    fn json(&self, url: &str, token: Option<&str>, body: String) -> RequestBuilder {
        let request = self.client.post(url).body(body);
        let request = request.header("Content-Type", "application/json;charset=UTF-8");
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Posts a message of the gateway's own API to `url`, with these headers.
    ///
    /// # Errors
    /// [`SendError`]: whether the gateway can have got it.
    pub async fn post_signed(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, SendError> {
        let request = self.client.post(url).body(body.to_owned());
        let request = request.header("Content-Type", "application/json;charset=UTF-8");
        let headers = headers.iter();
        let request = headers.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.exchange(request).await
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Answer, SendError> {
        let mut reply = request.send().await.map_err(|error| self.failure(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| self.failure(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > REPLY_BYTES_MAX {
                return Err(SendError::Lost("the reply is too long".to_owned()));
            }
        }
        Ok(Answer {
            status: reply.status().as_u16(),
            body,
        })
    }

    fn failure(&self, error: &reqwest::Error) -> SendError {
        let cause = cause(error);
        if error.is_connect() || error.is_builder() {
            let hint = if cause.contains("certificate") {
                "name the authority that made its certificate with --ca FILE"
            } else {
                "start it there, or correct --url"
            };
            SendError::NotSent(format!("no connection to the gateway ({cause}); {hint}"))
        } else if error.is_timeout() {
            let waited_s = self.timeout.as_secs();
            SendError::Lost(format!("no reply within {waited_s} seconds"))
        } else {
            SendError::Lost(format!("the connection broke off ({cause})"))
        }
    }
}

fn settings(timeout: Duration, is_local: bool) -> ClientBuilder {
    let settings = Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        // A payment is sent once. Whether to send it again is the person's decision.
        .retry(reqwest::retry::never())
        .http1_only()
        .user_agent(concat!("Onetill/", env!("CARGO_PKG_VERSION")));
    if is_local {
        settings.no_proxy()
    } else {
        settings
    }
}

fn read_authorities(path: &Path) -> Result<Vec<Certificate>, CommandError> {
    let name = path.display();
    let pem = fs::read(path).map_err(|error| format!("the CA file {name}: {error}"))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        Ok(_) | Err(_) => Err(format!("the CA file {name} holds no PEM certificate").into()),
    }
}

/// The innermost cause, which says more than the outer ones; never the URL, which is signed.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
