//! Over TLS: who is trusted, and that nothing is said to anybody else.

use super::{
    aliyun::{config, nonce},
    pretended::{Pretended, Says},
    *,
};
use crate::sms::aliyun::{Aliyun, AliyunConfig};
use domain::channel::NotSent;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server for `localhost` that `authority` vouches for.
fn acceptor(authority: &Authority) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn trusting(authority: &Authority, port: u16) -> Aliyun {
    let config = AliyunConfig {
        extra_authorities: Some(authority.pem().into_bytes()),
        ..config(&format!("https://localhost:{port}"))
    };
    Aliyun::new(config, clock(), nonce()).unwrap()
}

#[tokio::test]
async fn a_trusted_service_takes_messages() {
    let authority = authority();
    let mut service = Pretended::over_tls(Says::Ok, acceptor(&authority)).await;
    let told = trusting(&authority, service.port)
        .send_code(message())
        .await;
    assert_eq!(told.to_string(), "accepted as 9006197469364984400^0");
    assert!(service.was_asked());
}

#[tokio::test]
async fn an_untrusted_service_learns_nothing() {
    let mut service = Pretended::over_tls(Says::Ok, acceptor(&authority())).await;
    let told = trusting(&authority(), service.port)
        .send_code(message())
        .await;
    assert_eq!(told, SmsOutcome::NotSent(NotSent::Secure));
    assert!(!service.was_asked());
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let told = trusting(&authority(), port).send_code(message()).await;
    assert_eq!(told, SmsOutcome::NotSent(NotSent::Secure));
}
