//! HTTPS: handshakes that never end, plain HTTP where TLS is spoken, and a renewed certificate.

use super::{Honest, crowd, crowd::Crowd, serves_on, until};
use crate::support::{
    http,
    process::{Process, Recipe, free_address},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A new certificate for `localhost` in `dir`, and what a client must trust.
fn issue(dir: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

fn recipe(dir: &Path, https: SocketAddr) -> Recipe {
    let recipe = Recipe::demo(dir, "tls");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let https = https.to_string();
    recipe
        .with(&["--tls-listen", &https, "--connections-max", "100"])
        .with(&[
            "--tls-cert",
            &path("cert.pem"),
            "--tls-key",
            &path("key.pem"),
        ])
}

/// Sends `bytes` over TLS and reads the whole reply.
async fn exchange(
    https: SocketAddr,
    trusted: &CertificateDer<'static>,
    bytes: &[u8],
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(https).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(bytes).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_never_end_hinder_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let trusted = issue(dir.path());
    let https = free_address();
    let gateway = Process::start(recipe(dir.path(), https)).await;
    let mut honest = Honest::new(&gateway);
    honest.sells(3).await;
    let silent = Crowd::saying(https, 50, b"").await;
    let half = Crowd::saying(https, 50, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    for _ in 0..10 {
        let bytes = http::request(&honest.next_sale(), "");
        let reply = exchange(https, &trusted, &bytes).await.unwrap();
        assert!(reply.contains("SUCCESS"), "{reply}");
    }
    honest.sells(5).await;
    let plain = crowd::exchange(https, b"GET /health/live HTTP/1.1\r\nhost: t\r\n\r\n").await;
    assert!(!plain.contains("live"), "{plain}");
    drop((silent, half));
    serves_on(&gateway, &mut honest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_taken_over_at_sighup() {
    let dir = tempfile::tempdir().unwrap();
    let first = issue(dir.path());
    let https = free_address();
    let gateway = Process::start(recipe(dir.path(), https)).await;
    let ask = b"GET /health/live HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    assert!(exchange(https, &first, ask).await.unwrap().contains("live"));

    fs::write(dir.path().join("cert.pem"), "broken").unwrap();
    hang_up(&gateway);
    until("told", async || {
        gateway.log().contains("The certificate in use stays")
    })
    .await;
    assert!(exchange(https, &first, ask).await.unwrap().contains("live"));

    let second = issue(dir.path());
    hang_up(&gateway);
    until("renewed", async || {
        exchange(https, &second, ask).await.is_ok()
    })
    .await;
    assert!(exchange(https, &first, ask).await.is_err());
    assert!(gateway.log().contains("the certificate was renewed"));
}

fn hang_up(gateway: &Process) {
    let pid = gateway.pid().to_string();
    let status = Command::new("sh")
        .args(["-c", "kill -HUP \"$0\"", &pid])
        .status();
    assert!(status.unwrap().success());
}
