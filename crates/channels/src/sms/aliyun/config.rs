//! Where the service is, and who we are to it.

use super::AliyunError;
use hyper::Uri;
use std::{fmt, net::IpAddr};
use zeroize::Zeroizing;

const ENDPOINT: &str = "dysmsapi.aliyuncs.com";
/// The field of a template that takes the code, unless it is named otherwise.
const TEMPLATE_FIELD: &str = "code";

/// The settings of one account. Has no `Debug`, because it holds the access key.
#[derive(Clone)]
pub struct AliyunConfig {
    /// Where the service is.
    pub endpoint: Endpoint,
    /// The access key's name.
    pub access_key_id: String,
    /// The access key itself.
    pub access_key_secret: AccessKeySecret,
    /// The signature name that messages begin with, as the provider has approved it.
    pub sign_name: String,
    /// The template's code, as the provider has approved it: `SMS_123456789`.
    pub template_code: String,
    /// The field of the template that takes the code.
    pub template_field: String,
    /// Certificate authorities (PEM) besides the system's, for an endpoint behind a proxy.
    pub extra_authorities: Option<Vec<u8>>,
}

impl AliyunConfig {
    /// These settings at the service's own endpoint, for a template with a field named `code`.
    #[must_use]
    pub fn new(
        access_key_id: String,
        access_key_secret: AccessKeySecret,
        sign_name: String,
        template_code: String,
    ) -> Self {
        Self {
            endpoint: Endpoint::default(),
            access_key_id,
            access_key_secret,
            sign_name,
            template_code,
            template_field: TEMPLATE_FIELD.to_owned(),
            extra_authorities: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), AliyunError> {
        let secret = self.access_key_secret.0.as_str();
        for (name, value) in [
            ("access_key_id", self.access_key_id.as_str()),
            ("access_key_secret", secret),
            ("sign_name", &self.sign_name),
            ("template_code", &self.template_code),
            ("template_field", &self.template_field),
        ] {
            if value.trim().is_empty() {
                return Err(AliyunError::Empty(name));
            }
        }
        // It stands in a header between commas.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if self.access_key_id.bytes().all(is_plain) {
            Ok(())
        } else {
            Err(AliyunError::AccessKeyId)
        }
    }
}

/// The secret of an access key, wiped from memory when it is dropped. Has no `Debug`.
#[derive(Clone)]
pub struct AccessKeySecret(Zeroizing<String>);

impl AccessKeySecret {
    /// Takes over a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Where the service is: `https://HOST`, with a port if it is not 443. Plain `http` is for this
/// machine only, because the code stands in the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    is_tls: bool,
    authority: String,
}

/// Why a text is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL of scheme, host and port alone.
    #[error("the SMS endpoint must be https://HOST or https://HOST:PORT, and nothing behind it")]
    Url,
    /// Plain HTTP to another machine.
    #[error("the SMS endpoint must be https; http would show the codes to the network")]
    Plain,
}

impl Endpoint {
    /// Reads an endpoint.
    ///
    /// # Errors
    /// When it is none, or one that would send codes in the clear.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| EndpointError::Url)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(EndpointError::Url),
        };
        let host = uri.host().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if host.is_empty() || !is_bare || authority.contains('@') {
            return Err(EndpointError::Url);
        }
        if !is_tls && !is_this_machine(host) {
            return Err(EndpointError::Plain);
        }
        let authority = authority.to_owned();
        Ok(Self { is_tls, authority })
    }

    /// Whether it is spoken to over TLS.
    pub(super) const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The host, and the port where one was given: as it stands in the `Host` header.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.is_loopback();
    host == "localhost" || address.parse().is_ok_and(is_loopback)
}

impl Default for Endpoint {
    /// The service's own.
    fn default() -> Self {
        Self {
            is_tls: true,
            authority: ENDPOINT.to_owned(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn endpoints_are_https_except_on_this_machine() {
        use EndpointError::{Plain, Url};
        for (text, read) in [
            (
                "https://dysmsapi.aliyuncs.com",
                Ok("https://dysmsapi.aliyuncs.com"),
            ),
            ("https://sms.example:8443/", Ok("https://sms.example:8443")),
            ("http://127.0.0.1:9000", Ok("http://127.0.0.1:9000")),
            ("http://[::1]:9000", Ok("http://[::1]:9000")),
            ("http://localhost:9000/", Ok("http://localhost:9000")),
            ("http://dysmsapi.aliyuncs.com", Err(Plain)),
            ("http://10.0.0.1", Err(Plain)),
            ("http://localhost.example", Err(Plain)),
            ("https://user:pass@sms.example", Err(Url)),
            ("https://sms.example/path", Err(Url)),
            ("https://sms.example/?a=b", Err(Url)),
            ("https:///", Err(Url)),
            ("ftp://sms.example", Err(Url)),
            ("sms.example", Err(Url)),
            ("", Err(Url)),
        ] {
            let endpoint = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref().map_err(|why| *why), read, "{text}");
        }
    }

    #[test]
    fn the_default_is_the_services_own() {
        let spelled = Endpoint::parse("https://dysmsapi.aliyuncs.com");
        assert_eq!(spelled, Ok(Endpoint::default()));
    }

    proptest! {
        #[test]
        fn what_was_read_reads_again(text in any::<String>(), rest in "[a-z0-9.:/@?#-]{0,20}") {
            for text in [text, format!("https://{rest}"), format!("http://{rest}")] {
                if let Ok(endpoint) = Endpoint::parse(&text) {
                    prop_assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint));
                }
            }
        }
    }
}
