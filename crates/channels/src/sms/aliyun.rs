//! Alibaba Cloud's SMS service: `SendSms` of Dysmsapi 2017-05-25, signed with ACS3-HMAC-SHA256.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | where the service is, and who we are to it |
//! | [`acs3`] | the signature |
//! | [`https`] | the client, and what its failures teach |
//! | [`reply`] | answers, and what their codes mean here |
//!
//! The number and the code travel in the query, as the service wants it; so the endpoint must be
//! HTTPS, except on this machine.

mod acs3;
mod config;
mod https;
mod reply;

pub use config::{AccessKeySecret, AliyunConfig, Endpoint, EndpointError};

use super::{CodeMessage, SmsOutcome, SmsProvider};
use crate::contract::{BoxFuture, Clock};
use acs3::{Call, canonical_query, hex};
use bytes::Bytes;
use domain::{channel::NotSent, time::UnixMs};
use http_body_util::Empty;
use https::HttpsClient;
use hyper::{
    Request,
    header::{ACCEPT, AUTHORIZATION, HeaderValue},
};
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "aliyun";
const ACTION: &str = "SendSms";
const VERSION: &str = "2017-05-25";

/// Where 16 random bytes come from that make a request unlike any before it; `None` when the
/// system has none. Tests pass their own.
pub type Nonce = Arc<dyn Fn() -> Option<[u8; 16]> + Send + Sync>;

/// Why no [`Aliyun`] could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AliyunError {
    /// A setting is empty.
    #[error("the SMS setting `{0}` is empty; the provider's console shows what belongs there")]
    Empty(&'static str),
    /// The access key's name cannot stand in a header.
    #[error("the SMS access key id must be letters and digits, as in the provider's console")]
    AccessKeyId,
    /// The extra certificate authorities are not PEM certificates.
    #[error("the extra certificate authorities for SMS are no PEM certificates")]
    Authorities,
    /// Nobody can vouch for the provider.
    #[error("this system has no certificate authorities; install ca-certificates")]
    NoAuthorities,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls,
}

/// The service, for one account, signature name and template. Only making a TCP connection has a
/// time limit here; the deadline for a whole call is [`SmsGuard`](crate::sms::SmsGuard)'s.
pub struct Aliyun {
    config: AliyunConfig,
    clock: Clock,
    nonce: Nonce,
    http: HttpsClient,
}

impl Aliyun {
    /// A client of the service, which makes a connection for each message. Reads the system's
    /// certificate authorities, so call it at start.
    ///
    /// # Errors
    /// When a setting cannot be right, or there is nobody to vouch for the endpoint.
    pub fn new(config: AliyunConfig, clock: Clock, nonce: Nonce) -> Result<Self, AliyunError> {
        config.check()?;
        let http = https::client(&config)?;
        Ok(Self {
            config,
            clock,
            nonce,
            http,
        })
    }

    async fn send(&self, message: &CodeMessage) -> SmsOutcome {
        let Some(request) = self.request(message) else {
            return SmsOutcome::NotSent(NotSent::Write);
        };
        match self.http.request(request).await {
            Ok(reply) => https::read(reply).await,
            Err(error) => https::unanswered(&error),
        }
    }

    /// The signed request; `None` without a time or a nonce.
    fn request(&self, message: &CodeMessage) -> Option<Request<Empty<Bytes>>> {
        let query = self.query(message);
        let nonce = hex(&(self.nonce)()?);
        let date = date((self.clock)())?;
        let call = Call {
            host: self.config.endpoint.authority(),
            action: ACTION,
            version: VERSION,
            query: &query,
            date: &date,
            nonce: &nonce,
        };
        let secret = &self.config.access_key_secret;
        let signed = call.authorization(&self.config.access_key_id, secret.as_bytes())?;
        let mut signed = HeaderValue::try_from(signed).ok()?;
        signed.set_sensitive(true);
        let mut request = Request::post(format!("{}/?{query}", self.config.endpoint))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, signed);
        for (name, value) in call.headers() {
            request = request.header(name, value);
        }
        request.body(Empty::new()).ok()
    }

    fn query(&self, message: &CodeMessage) -> String {
        let field = self.config.template_field.as_str();
        let filled = json!({ field: message.code.as_str() }).to_string();
        canonical_query(&[
            ("PhoneNumbers", message.mobile.as_str()),
            ("SignName", &self.config.sign_name),
            ("TemplateCode", &self.config.template_code),
            ("TemplateParam", &filled),
        ])
    }
}

impl SmsProvider for Aliyun {
    fn name(&self) -> &str {
        NAME
    }

    fn send_code(&self, message: CodeMessage) -> BoxFuture<'_, SmsOutcome> {
        Box::pin(async move { self.send(&message).await })
    }
}

/// `now` as the service writes it, in whole seconds; `None` when no calendar has it.
fn date(now: UnixMs) -> Option<String> {
    let second = now.0.div_euclid(1000);
    let time = jiff::Timestamp::from_second(second).ok()?;
    Some(time.to_string())
}
