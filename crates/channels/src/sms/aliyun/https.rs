//! The client, and what its failures teach: only when no connection could be made did the
//! request certainly not arrive.

use super::{AliyunConfig, AliyunError, reply};
use crate::sms::{Doubt, SmsOutcome};
use bytes::Bytes;
use domain::channel::NotSent;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Response, body::Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{error::Error as _, io, sync::Arc, time::Duration};

/// How long making a connection may take, before TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The most that an answer may be, in bytes. The longest explains a wrong signature.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// A client that speaks HTTP/1.1, follows no redirect and uses no proxy.
pub(super) type HttpsClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// The client for the endpoint of `config`.
pub(super) fn client(config: &AliyunConfig) -> Result<HttpsClient, AliyunError> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls(config)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    // Messages are few, and none may be repeated: one that met a kept connection which the service
    // was just closing would be in doubt for nothing. So each has a connection of its own.
    Ok(Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(connector))
}

fn tls(config: &AliyunConfig) -> Result<ClientConfig, AliyunError> {
    let roots = authorities(config)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| AliyunError::Tls)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The system's certificate authorities and the extra ones.
fn authorities(config: &AliyunConfig) -> Result<RootCertStore, AliyunError> {
    let mut roots = RootCertStore::empty();
    // What the system has and rustls cannot read vouches for nobody; others remain.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = &config.extra_authorities {
        let extra: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let extra = extra.map_err(|_| AliyunError::Authorities)?;
        if extra.is_empty() {
            return Err(AliyunError::Authorities);
        }
        for authority in extra {
            roots.add(authority).map_err(|_| AliyunError::Authorities)?;
        }
    }
    if roots.is_empty() && config.endpoint.is_tls() {
        return Err(AliyunError::NoAuthorities);
    }
    Ok(roots)
}

/// What a reply says.
pub(super) async fn read(reply: Response<Incoming>) -> SmsOutcome {
    let status = reply.status().as_u16();
    let body = Limited::new(reply.into_body(), REPLY_BYTES_MAX);
    match body.collect().await {
        Ok(body) => reply::outcome(status, &body.to_bytes()),
        Err(_) => SmsOutcome::Unknown(Doubt::Unreadable { status }),
    }
}

/// What it means that there is no reply.
pub(super) fn unanswered(error: &Error) -> SmsOutcome {
    if !error.is_connect() {
        return SmsOutcome::Unknown(Doubt::Unanswered);
    }
    // The TCP connector has an error of its own; TLS fails with an I/O error.
    let is_tls = error.source().is_some_and(|cause| cause.is::<io::Error>());
    SmsOutcome::NotSent(if is_tls {
        NotSent::Secure
    } else {
        NotSent::Connect
    })
}
