//! HTTPS beside HTTP, and a certificate that is renewed while it runs.

use super::*;
use crate::server::{TlsConfig, TlsFiles};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_rustls::{TlsConnector, client::TlsStream};

fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Trusts everybody: the tests look at the certificate themselves.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring().signature_verification_algorithms.supported_schemes()
    }
}

async fn shake_hands(address: SocketAddr) -> TlsStream<TcpStream> {
    let config = ClientConfig::builder_with_provider(ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.unwrap()
}

/// The certificate that the server at `address` shows, whoever signed it.
async fn shown(address: SocketAddr) -> CertificateDer<'static> {
    let stream = shake_hands(address).await;
    let (_, session) = stream.get_ref();
    session.peer_certificates().unwrap()[0].clone().into_owned()
}

/// A certificate with its key, both PEM, and the certificate as it is shown.
struct Issue {
    cert: String,
    key: String,
    shown: CertificateDer<'static>,
}

fn issue() -> Issue {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    Issue {
        cert: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
        shown: made.cert.der().clone(),
    }
}

fn files(dir: &tempfile::TempDir, issue: &Issue) -> TlsFiles {
    let files = TlsFiles {
        cert: dir.path().join("server.crt"),
        key: dir.path().join("server.key"),
        client_ca: None,
    };
    std::fs::write(&files.cert, &issue.cert).unwrap();
    std::fs::write(&files.key, &issue.key).unwrap();
    files
}

#[tokio::test]
async fn https_beside_http() {
    let dir = tempfile::tempdir().unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig {
        tls: Some(TlsConfig::new(loopback, files(&dir, &issue()))),
        limits: short(),
        ..ServerConfig::http(loopback)
    };
    let server = start_with(config, &Arc::default()).await;
    let https = server.bound.https.unwrap();
    let stream = shake_hands(https).await;
    let reply = ask_on(stream, &get_request("/hello")).await;
    assert!(reply.ends_with("hello"));
    assert!(server.get("/hello").await.ends_with("hello"));
    // Neither silence nor plain HTTP gets past the handshake.
    let mut silent = TcpStream::connect(https).await.unwrap();
    assert_eq!(rest_of(&mut silent).await, "");
    assert_eq!(server.stop().await, Drained::Clean);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (issue(), issue());
    let files = files(&dir, &first);
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig {
        tls: Some(TlsConfig {
            renew_every: Duration::from_millis(20),
            ..TlsConfig::new(loopback, files.clone())
        }),
        ..ServerConfig::http(loopback)
    };
    let server = start_with(config, &Arc::default()).await;
    let https = server.bound.https.unwrap();
    assert_eq!(shown(https).await, first.shown);
    // Half of a renewal: the key is still the old one's. Then the certificate is cut short.
    std::fs::write(&files.cert, &second.cert).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(shown(https).await, first.shown);
    std::fs::write(&files.cert, &second.cert[..100]).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(shown(https).await, first.shown);
    std::fs::write(&files.key, &second.key).unwrap();
    std::fs::write(&files.cert, &second.cert).unwrap();
    let since = Instant::now();
    while shown(https).await != second.shown {
        assert!(since.elapsed() < Duration::from_secs(20), "never renewed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.stop().await, Drained::Clean);
}
