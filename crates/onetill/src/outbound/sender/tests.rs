use std::{
    io::Write,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
};

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use super::*;

const LONG: Duration = Duration::from_secs(5);
const XML: &str = "application/xml;charset=UTF-8";

/// A merchant's server: answers every connection with the same bytes and passes on what it read.
struct Receiver {
    port: u16,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Receiver {
    async fn answering(answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, requests) = mpsc::unbounded_channel();
        let answer = answer.into();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (answer, seen) = (answer.clone(), seen.clone());
                tokio::spawn(async move { serve(&mut socket, &answer, &seen).await });
            }
        });
        Self { port, requests }
    }

    async fn with_status(status: &str) -> Self {
        Self::answering(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/paid?pid=7", self.port)
    }

    fn was_called(&mut self) -> bool {
        self.requests.try_recv().is_ok()
    }
}

/// Reads requests whose body is `body` and answers each; an empty answer means silence.
async fn serve(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &str,
    seen: &mpsc::UnboundedSender<String>,
) {
    let (mut request, mut chunk) = (String::new(), [0; 4096]);
    while let Ok(read @ 1..) = socket.read(&mut chunk).await {
        request.push_str(&String::from_utf8_lossy(&chunk[..read]));
        if request.ends_with("body") {
            let _ = seen.send(std::mem::take(&mut request));
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    }
}

/// A resolver that knows every name, and counts how often it is asked.
struct FixedResolver {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl FixedResolver {
    fn to(addresses: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Resolve for FixedResolver {
    fn resolve(&self, _: Name) -> Resolving {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let found: Vec<_> = self
            .addresses
            .iter()
            .map(|a| SocketAddr::new(*a, 0))
            .collect();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

fn demo_policy() -> TargetPolicy {
    TargetPolicy {
        allow_loopback: true,
        ..TargetPolicy::default()
    }
}

fn demo_sender(timeout: Duration) -> Sender {
    Sender::new(demo_policy(), timeout, None).unwrap()
}

fn sender_resolving(policy: TargetPolicy, addresses: &[&str]) -> Sender {
    Sender::with_resolver(policy, LONG, None, FixedResolver::to(addresses)).unwrap()
}

async fn post(sender: &Sender, url: &str) -> Attempt {
    sender.post(url, XML, b"body".to_vec()).await
}

const REFUSED: Outcome = Outcome::Refused("address is not allowed");

#[tokio::test]
async fn only_200_acknowledges() {
    let rows = [
        ("200 OK", 200, true),
        ("201 Created", 201, false),
        ("204 No Content", 204, false),
        ("301 Moved Permanently", 301, false),
        ("404 Not Found", 404, false),
        ("500 Internal Server Error", 500, false),
    ];
    let sender = demo_sender(LONG);
    for (line, status, acknowledged) in rows {
        let receiver = Receiver::with_status(line).await;
        let attempt = post(&sender, &receiver.url()).await;
        assert_eq!(attempt.summary, Outcome::Status(status), "{line}");
        assert_eq!(attempt.acknowledged, acknowledged, "{line}");
    }
}

#[tokio::test]
async fn request_carries_what_the_receiver_needs_and_no_more() {
    let mut receiver = Receiver::with_status("200 OK").await;
    post(&demo_sender(LONG), &receiver.url()).await;
    let request = receiver.requests.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines.remove(0), "POST /paid?pid=7 HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: 127.0.0.1:{}", receiver.port);
    let agent = format!("user-agent: {AGENT}");
    let expected = [
        "accept: */*",
        "content-length: 4",
        "content-type: application/xml;charset=UTF-8",
        &host,
        &agent,
    ];
    assert_eq!(lines, expected);
    assert_eq!(body, "body");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    for code in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let mut second = Receiver::with_status("200 OK").await;
        let first = Receiver::answering(format!(
            "HTTP/1.1 {code}\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            second.url()
        ))
        .await;
        let attempt = post(&demo_sender(LONG), &first.url()).await;
        assert!(!attempt.acknowledged, "{code}");
        assert!(!second.was_called(), "{code}");
    }
}

#[tokio::test]
async fn silent_receiver_is_cut_at_the_time_limit() {
    let limit = Duration::from_millis(200);
    let mut receiver = Receiver::answering("").await;
    let attempt = post(&demo_sender(limit), &receiver.url()).await;
    assert_eq!(attempt.summary, Outcome::Timeout);
    assert!(!attempt.acknowledged);
    assert!(attempt.took >= limit && attempt.took < LONG);
    assert!(receiver.was_called());
}

#[tokio::test]
async fn slow_resolver_counts_towards_the_time_limit() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(std::future::pending())
        }
    }
    let limit = Duration::from_millis(200);
    let sender = Sender::with_resolver(demo_policy(), limit, None, Arc::new(Silent)).unwrap();
    let attempt = post(&sender, "http://shop.example/").await;
    assert_eq!(attempt.summary, Outcome::Timeout);
}

#[tokio::test]
async fn endless_reply_body_is_not_read() {
    let receiver = Receiver::answering(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n{}",
        "x".repeat(100_000)
    ))
    .await;
    let attempt = post(&demo_sender(LONG), &receiver.url()).await;
    assert!(attempt.acknowledged);
    assert!(attempt.took < LONG);
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_short_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let (seen, _) = mpsc::unbounded_channel();
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsuccess";
                serve(&mut socket, answer, &seen).await;
            });
        }
    });
    let sender = demo_sender(LONG);
    for _ in 0..5 {
        let attempt = post(&sender, &format!("http://127.0.0.1:{port}/")).await;
        assert!(attempt.acknowledged);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_reply_that_never_ends_is_an_acknowledgement_all_the_same() {
    let started = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow";
    let receiver = Receiver::answering(started).await;
    let attempt = post(&demo_sender(LONG), &receiver.url()).await;
    assert!(attempt.acknowledged && attempt.took < LONG);
}

#[tokio::test]
async fn name_that_leads_inside_is_refused_without_a_connection() {
    let mut receiver = Receiver::with_status("200 OK").await;
    let urls = ["http", "https"].map(|s| format!("{s}://shop.example:{}/", receiver.port));
    for inside in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1"] {
        let sender = sender_resolving(TargetPolicy::default(), &[inside]);
        for url in &urls {
            assert_eq!(post(&sender, url).await.summary, REFUSED, "{inside} {url}");
        }
    }
    assert!(!receiver.was_called());
}

#[tokio::test]
async fn system_resolver_finds_localhost() {
    let receiver = Receiver::with_status("200 OK").await;
    let url = format!("http://localhost:{}/", receiver.port);
    assert!(post(&demo_sender(LONG), &url).await.acknowledged);
}

#[tokio::test]
async fn permitted_address_is_used_when_another_is_refused() {
    let receiver = Receiver::with_status("200 OK").await;
    let url = format!("http://shop.example:{}/", receiver.port);
    let sender = sender_resolving(demo_policy(), &["10.0.0.1", "127.0.0.1"]);
    assert!(post(&sender, &url).await.acknowledged);
}

#[tokio::test]
async fn literal_address_is_judged_at_every_attempt() {
    let mut receiver = Receiver::with_status("200 OK").await;
    let resolver = FixedResolver::to(&["8.8.8.8"]);
    let closed = Sender::with_resolver(
        TargetPolicy::default(),
        LONG,
        None,
        Arc::clone(&resolver) as Arc<dyn Resolve>,
    )
    .unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let url = format!("http://{host}:{}/", receiver.port);
        assert_eq!(post(&closed, &url).await.summary, REFUSED, "{host}");
    }
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 0);
    assert!(!receiver.was_called());
}

#[tokio::test]
async fn mapped_literal_is_refused_even_where_loopback_is_allowed() {
    let mut receiver = Receiver::with_status("200 OK").await;
    let url = format!("http://[::ffff:127.0.0.1]:{}/", receiver.port);
    assert_eq!(post(&demo_sender(LONG), &url).await.summary, REFUSED);
    assert!(!receiver.was_called());
}

#[tokio::test]
async fn failures_are_told_apart() {
    let sender = demo_sender(LONG);
    let closed_port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("http://127.0.0.1:{closed_port}/");
    assert_eq!(post(&sender, &url).await.summary, Outcome::Connect);

    let nameless = sender_resolving(demo_policy(), &[]);
    let attempt = post(&nameless, "http://shop.example/").await;
    assert_eq!(attempt.summary, Outcome::Connect);

    let garbled = Receiver::answering("220 mail.example ESMTP\r\n").await;
    let attempt = post(&sender, &garbled.url()).await;
    assert_eq!(attempt.summary, Outcome::Broken);

    let attempt = sender.post("ftp://shop.example/", XML, Vec::new()).await;
    assert_eq!(
        attempt.summary,
        Outcome::Refused("only http and https are called")
    );
}

/// Serves one name over TLS; returns its port and the file with its certificate.
async fn tls_receiver(name: &str) -> (u16, tempfile::NamedTempFile) {
    install_crypto();
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let mut ca_file = tempfile::NamedTempFile::new().unwrap();
    ca_file.write_all(made.cert.pem().as_bytes()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (seen, _) = mpsc::unbounded_channel();
        while let Ok((socket, _)) = listener.accept().await {
            if let Ok(mut socket) = acceptor.accept(socket).await {
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = tokio::time::timeout(LONG, serve(&mut socket, answer, &seen)).await;
            }
        }
    });
    (port, ca_file)
}

#[tokio::test]
async fn https_needs_a_trusted_certificate_for_the_name() {
    let (port, ca_file) = tls_receiver("shop.example").await;
    let trusting = |ca: Option<&Path>| {
        Sender::with_resolver(demo_policy(), LONG, ca, FixedResolver::to(&["127.0.0.1"])).unwrap()
    };
    let url = format!("https://shop.example:{port}/");
    let stranger = post(&trusting(None), &url).await;
    assert_eq!(stranger.summary, Outcome::Tls);
    let friend = trusting(Some(ca_file.path()));
    assert_eq!(post(&friend, &url).await.summary, Outcome::Status(200));
    let other_name = format!("https://other.example:{port}/");
    assert_eq!(post(&friend, &other_name).await.summary, Outcome::Tls);
}

#[tokio::test]
async fn https_to_a_plain_port_is_a_tls_failure() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = plain.accept().await.unwrap();
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = socket.read(&mut [0; 1024]).await;
    });
    let attempt = post(&demo_sender(LONG), &format!("https://127.0.0.1:{port}/")).await;
    assert_eq!(attempt.summary, Outcome::Tls);
}

#[test]
fn ca_file_must_hold_certificates() {
    let make = |path: &Path| Sender::new(demo_policy(), LONG, Some(path)).unwrap_err();
    let missing = Path::new("no-such-directory/ca.pem");
    assert!(matches!(make(missing), SenderError::ReadCa { .. }));
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(make(empty.path()), SenderError::NoCa { .. }));
    let mut wrong = tempfile::NamedTempFile::new().unwrap();
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    wrong.write_all(pem.as_bytes()).unwrap();
    assert!(matches!(make(wrong.path()), SenderError::Client(_)));
}
