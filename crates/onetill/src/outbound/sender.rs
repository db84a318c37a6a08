//! One attempt to deliver a message.

use std::{
    error::Error as StdError,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Certificate, Client, ClientBuilder, Response, StatusCode, Url, dns::Resolve,
    header::CONTENT_TYPE, redirect,
};
use store::contract::BoxFuture;
use tokio::time::Instant;

use super::{
    guard::{TargetError, TargetPolicy, check_before_call},
    resolver::{GuardedResolver, SystemResolver},
};

/// How long an attempt may take in all, from resolving the name to the reply's status.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: longer than the wait between two attempts.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// As many as run for one merchant at the same time: a connection is much dearer than a message.
const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 64;
/// A reply up to this length is read, so that its connection can be used again.
const REPLY_BYTES_MAX: usize = 4 * 1024;
/// How long the rest of a reply may take, once its status is there.
const REPLY_TIMEOUT: Duration = Duration::from_millis(250);
const AGENT: &str = concat!("Onetill/", env!("CARGO_PKG_VERSION"));

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whether the receiver has taken the message: it answered 200, no other status.
    pub acknowledged: bool,
    /// How the attempt ended.
    pub summary: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with this HTTP status.
    Status(u16),
    /// Not called, for this reason.
    Refused(&'static str),
    /// Its name is unknown, or nobody answers there.
    Connect,
    /// No status within the time limit.
    Timeout,
    /// No trust: its certificate is not accepted, or it does not speak TLS.
    Tls,
    /// The exchange broke off before a status came.
    Broken,
}

impl Outcome {
    const fn is_acknowledgement(self) -> bool {
        match self {
            Self::Status(status) => status == StatusCode::OK.as_u16(),
            Self::Refused(_) | Self::Connect | Self::Timeout | Self::Tls | Self::Broken => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP {status}"),
            Self::Refused(reason) => write!(f, "not called: {reason}"),
            Self::Connect => f.write_str("no connection"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Tls => f.write_str("TLS failed"),
            Self::Broken => f.write_str("connection broke off"),
        }
    }
}

/// Why no [`Sender`] could be made.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The file of extra certificate authorities cannot be read.
    #[error("cannot read the CA file {path}")]
    ReadCa {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds no certificate in PEM form.
    #[error("the CA file {path} holds no PEM certificate")]
    NoCa {
        /// The file.
        path: PathBuf,
    },
    /// The HTTP client refused its settings, such as a CA certificate that is not one.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Who carries messages to merchants; the simulation stands in for the network.
pub trait Post: Send + Sync + 'static {
    /// Posts `body` to `url` once.
    fn post<'a>(
        &'a self,
        url: &'a str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Attempt>;
}

impl Post for Sender {
    fn post<'a>(
        &'a self,
        url: &'a str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Attempt> {
        Box::pin(self.post(url, content_type, body))
    }
}

/// Posts messages to URLs that merchants chose, under the operator's policy.
///
/// Follows no redirect, uses no proxy, speaks HTTP/1.1 and looks at no reply's body. Clones share
/// one pool of connections.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    policy: Arc<TargetPolicy>,
}

impl Sender {
    /// A sender that gives up an attempt after `timeout` (see [`ATTEMPT_TIMEOUT`]).
    ///
    /// HTTPS receivers need a certificate from an authority that the system trusts or that
    /// `extra_ca_file` (PEM) holds. Reads that file, so call it at start, not from a handler.
    ///
    /// # Errors
    /// The file of extra authorities cannot be used.
    pub fn new(
        policy: TargetPolicy,
        timeout: Duration,
        extra_ca_file: Option<&Path>,
    ) -> Result<Self, SenderError> {
        Self::with_resolver(
            policy,
            timeout,
            extra_ca_file,
            Arc::new(SystemResolver::new()),
        )
    }

    fn with_resolver(
        policy: TargetPolicy,
        timeout: Duration,
        extra_ca_file: Option<&Path>,
        inner: Arc<dyn Resolve>,
    ) -> Result<Self, SenderError> {
        install_crypto();
        let policy = Arc::new(policy);
        let resolver = Arc::new(GuardedResolver {
            inner,
            policy: Arc::clone(&policy),
        });
        let authorities = extra_ca_file.map_or_else(|| Ok(Vec::new()), read_authorities)?;
        let client = build_client(|| settings(timeout, Arc::clone(&resolver)), &authorities)?;
        Ok(Self { client, policy })
    }

    /// Posts `body` to `url` once.
    ///
    /// The URL is judged again first: the client connects to a literal address without asking the
    /// resolver, and the policy may have become stricter since intake.
    pub async fn post(&self, url: &str, content_type: &str, body: Vec<u8>) -> Attempt {
        let started_at = Instant::now();
        let summary = match check_before_call(url, &self.policy) {
            Ok(target) => self.call(target.into_url(), content_type, body).await,
            Err(refusal) => Outcome::Refused(refusal.reason()),
        };
        Attempt {
            acknowledged: summary.is_acknowledgement(),
            summary,
            took: started_at.elapsed(),
        }
    }

    async fn call(&self, url: Url, content_type: &str, body: Vec<u8>) -> Outcome {
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, content_type)
            .body(body);
        match request.send().await {
            Ok(reply) => {
                let status = reply.status().as_u16();
                // A receiver cannot make us swallow a long or a slow one: its connection ends.
                let _ = tokio::time::timeout(REPLY_TIMEOUT, drain(reply)).await;
                Outcome::Status(status)
            }
            Err(error) => outcome_of(&error),
        }
    }
}

/// Reads what is left of a short reply, so that its connection can be used again.
async fn drain(mut reply: Response) {
    let mut length = 0;
    while let Ok(Some(part)) = reply.chunk().await {
        length += part.len();
        if length > REPLY_BYTES_MAX {
            return;
        }
    }
}

/// Chooses ring for all of rustls, unless somebody has chosen before.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, with the same choice.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn read_authorities(path: &Path) -> Result<Vec<Certificate>, SenderError> {
    let pem = fs::read(path).map_err(|source| SenderError::ReadCa {
        path: path.to_owned(),
        source,
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(authorities) if !authorities.is_empty() => Ok(authorities),
        Ok(_) | Err(_) => Err(SenderError::NoCa {
            path: path.to_owned(),
        }),
    }
}

fn settings(timeout: Duration, resolver: Arc<GuardedResolver>) -> ClientBuilder {
    Client::builder()
        .dns_resolver(resolver)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        // Whether to try again is the delivery's decision, with its count and its wait.
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
        .user_agent(AGENT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
}

/// Builds the client on the system's authorities and the extra ones. A machine without any (a bare
/// container) still serves receivers over plain HTTP and those that the extra ones vouch for.
fn build_client(
    settings: impl Fn() -> ClientBuilder,
    authorities: &[Certificate],
) -> Result<Client, SenderError> {
    let extra = || authorities.iter().cloned();
    match settings().tls_certs_merge(extra()).build() {
        Ok(client) => Ok(client),
        Err(error) => {
            let client = settings()
                .tls_certs_only(extra())
                .build()
                .map_err(SenderError::Client)?;
            tracing::warn!(
                %error,
                "no system certificate authorities: https receivers outside the CA file will fail"
            );
            Ok(client)
        }
    }
}

fn outcome_of(error: &reqwest::Error) -> Outcome {
    if let Some(refusal) = causes(error).find_map(|e| e.downcast_ref::<TargetError>()) {
        return Outcome::Refused(refusal.reason());
    }
    if error.is_timeout() {
        Outcome::Timeout
    } else if causes(error).any(is_tls) {
        Outcome::Tls
    } else if error.is_connect() {
        Outcome::Connect
    } else {
        Outcome::Broken
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// TLS errors travel inside I/O errors, several deep, which leave them out of their chain of
/// sources.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let mut wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    while let Some(inner) = wrapped {
        if inner.is::<rustls::Error>() {
            return true;
        }
        wrapped = inner
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
    }
    false
}

#[cfg(test)]
mod tests;
