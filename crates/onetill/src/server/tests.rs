//! The server over real loopback sockets, with short timeouts.

mod tls;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::body::read_body;
use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

/// More than the kernel buffers for one connection, bytes.
const BIG: usize = 32 * 1024 * 1024;

struct Running {
    bound: Bound,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
    release: Arc<Notify>,
}

/// Short enough for tests, long enough for a busy machine.
fn short() -> Limits {
    Limits {
        head_timeout: Duration::from_millis(200),
        idle_timeout: Duration::from_millis(600),
        drain_timeout: Duration::from_millis(400),
        handshake_timeout: Duration::from_millis(200),
        write_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

async fn upload(body: Body) -> (StatusCode, String) {
    match read_body(body, 1_000, Duration::from_millis(150)).await {
        Ok(bytes) => (StatusCode::OK, bytes.len().to_string()),
        Err(error) => (error.status(), String::new()),
    }
}

fn router(release: &Arc<Notify>, done: &Arc<Notify>) -> Router {
    let (release, done) = (Arc::clone(release), Arc::clone(done));
    let slow = || async move {
        release.notified().await;
        done.notify_one();
        "slow"
    };
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route(
            "/peer",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
        .route("/upload", post(upload))
        .route(
            "/panic",
            get(|| async { panic!("on purpose") as &'static str }),
        )
        .route("/slow", get(slow))
        .route("/big", get(|| async { vec![b'x'; BIG] }))
}

async fn start_with(config: ServerConfig, done: &Arc<Notify>) -> Running {
    let server = Server::bind(config).await.unwrap();
    let bound = server.addresses();
    let (stop, stopped) = oneshot::channel::<()>();
    let release = Arc::new(Notify::new());
    let router = router(&release, done);
    let ended = tokio::spawn(server.run(router, async {
        let _ = stopped.await;
    }));
    Running {
        bound,
        stop,
        ended,
        release,
    }
}

async fn start(limits: Limits) -> Running {
    let config = ServerConfig {
        limits,
        ..ServerConfig::http(SocketAddr::from(([127, 0, 0, 1], 0)))
    };
    start_with(config, &Arc::default()).await
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.bound.http).await.unwrap()
    }

    /// One request on a connection of its own.
    async fn ask(&self, request: &str) -> String {
        ask_on(self.connect().await, request).await
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&get_request(path)).await
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.ended)
            .await
            .unwrap()
            .unwrap()
    }
}

fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n")
}

async fn ask_on<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    rest_of(&mut stream).await
}

/// All that comes until the other side closes; a reset counts as closing.
async fn rest_of<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the connection stayed open");
    String::from_utf8(bytes).unwrap()
}

/// One reply from a connection that stays open.
async fn reply_on(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut buffer = [0; 1024];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer));
        let bytes = read.await.expect("no reply").unwrap();
        assert!(bytes > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..bytes]).unwrap());
    }
    text
}

#[tokio::test]
async fn answers_and_knows_the_peer() {
    let server = start(Limits::default()).await;
    assert!(server.get("/hello").await.ends_with("\r\n\r\nhello"));
    assert!(server.get("/peer").await.contains("127.0.0.1:"));
    assert_eq!(server.stop().await, Drained::Clean);
}

#[tokio::test]
async fn slow_heads_are_cut() {
    let server = start(short()).await;
    let since = Instant::now();
    let (mut silent, mut dribbling) = (server.connect().await, server.connect().await);
    dribbling.write_all(b"GET /hello HT").await.unwrap();
    assert_eq!(rest_of(&mut silent).await, "");
    assert_eq!(rest_of(&mut dribbling).await, "");
    assert!(since.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn dribbling_does_not_extend_the_time_for_a_head() {
    let server = start(short()).await;
    let (mut reader, mut writer) = server.connect().await.into_split();
    let dribble = tokio::spawn(async move {
        for byte in get_request("/hello").bytes().cycle() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(rest_of(&mut reader).await, "");
    dribble.abort();
}

#[tokio::test]
async fn idle_connections_outlast_the_head_timeout() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    let request = b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n";
    stream.write_all(request).await.unwrap();
    reply_on(&mut stream, "hello").await;
    tokio::time::sleep(Duration::from_millis(350)).await;
    stream.write_all(request).await.unwrap();
    reply_on(&mut stream, "hello").await;
    let since = Instant::now();
    assert_eq!(rest_of(&mut stream).await, "");
    assert!(
        since.elapsed() >= Duration::from_millis(450),
        "{:?}",
        since.elapsed()
    );
    let mut second_head = server.connect().await;
    second_head.write_all(request).await.unwrap();
    reply_on(&mut second_head, "hello").await;
    second_head.write_all(b"GET /he").await.unwrap();
    let since = Instant::now();
    assert_eq!(rest_of(&mut second_head).await, "");
    assert!(
        since.elapsed() < Duration::from_millis(500),
        "{:?}",
        since.elapsed()
    );
}

#[tokio::test]
async fn slow_and_oversize_bodies_are_refused() {
    let server = start(Limits::default()).await;
    let post = "POST /upload HTTP/1.1\r\nhost: t\r\n";
    let slow = format!("{post}content-length: 10\r\n\r\nabc");
    assert!(server.ask(&slow).await.starts_with("HTTP/1.1 408"));
    let chunked = format!(
        "{post}transfer-encoding: chunked\r\n\r\n7d0\r\n{}",
        "x".repeat(2_000)
    );
    assert!(server.ask(&chunked).await.starts_with("HTTP/1.1 413"));
    // The client writes all of it before it reads: the answer must survive that.
    let announced = format!(
        "{post}content-length: 500000\r\n\r\n{}",
        "x".repeat(500_000)
    );
    assert!(server.ask(&announced).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn clients_that_take_no_reply_are_cut() {
    let server = start(short()).await;
    assert!(server.get("/big").await.len() > BIG);
    let mut stream = server.connect().await;
    let request = get_request("/big");
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(rest_of(&mut stream).await.len() < BIG);
}

#[tokio::test]
async fn handlers_may_take_longer_than_any_timeout() {
    let server = start(short()).await;
    let mut stream = server.connect().await;
    let request = b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n";
    stream.write_all(request).await.unwrap();
    reply_on(&mut stream, "hello").await;
    let request = get_request("/slow");
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    server.release.notify_one();
    assert!(rest_of(&mut stream).await.ends_with("slow"));
}

#[tokio::test]
async fn expect_continue_is_told_to_go_on_only_when_wanted() {
    let server = start(Limits::default()).await;
    let head = |bytes: usize| {
        format!(
            "POST /upload HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: {bytes}\r\n\r\n"
        )
    };
    let mut stream = server.connect().await;
    stream.write_all(head(3).as_bytes()).await.unwrap();
    assert_eq!(
        reply_on(&mut stream, "\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    stream.write_all(b"abc").await.unwrap();
    assert!(
        reply_on(&mut stream, "\r\n\r\n3")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(server.ask(&head(5_000)).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn oversize_heads_get_431() {
    let server = start(Limits::default()).await;
    let long = format!(
        "GET /hello HTTP/1.1\r\nhost: t\r\nx: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    assert!(server.ask(&long).await.starts_with("HTTP/1.1 431"));
    let many = format!(
        "GET /hello HTTP/1.1\r\nhost: t\r\n{}\r\n",
        "x: y\r\n".repeat(101)
    );
    assert!(server.ask(&many).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn one_connection_too_many_is_closed() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let server = start(limits).await;
    let mut first = server.connect().await;
    first
        .write_all(b"GET /slow HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .unwrap();
    // Who waits for an answer keeps the place: the newcomer is closed.
    while try_hello(&server).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!try_hello(&server).await);
    server.release.notify_one();
    reply_on(&mut first, "slow").await;
    drop(first);
    // The place comes back as soon as the server has seen the first one go.
    while !try_hello(&server).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a connection of its own gets an answer; being refused may show on writing too.
async fn try_hello(server: &Running) -> bool {
    let mut stream = server.connect().await;
    let _ = stream.write_all(get_request("/hello").as_bytes()).await;
    rest_of(&mut stream).await.ends_with("hello")
}

#[tokio::test]
async fn who_talks_is_served_whoever_holds_the_places() {
    let limits = Limits {
        connections_max: 3,
        ..Limits::default()
    };
    let server = start(limits).await;
    let (mut silent, mut dribbling) = (server.connect().await, server.connect().await);
    dribbling.write_all(b"GET /hello HT").await.unwrap();
    let mut bodiless = server.connect().await;
    let head = b"POST /upload HTTP/1.1\r\nhost: t\r\ncontent-length: 9\r\n\r\n";
    bodiless.write_all(head).await.unwrap();
    // Nobody is sent away before a second has passed.
    let mut attempts = 0;
    while !try_hello(&server).await {
        attempts += 1;
        assert!(attempts < 200, "never served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..5 {
        assert!(try_hello(&server).await);
    }
    let _ = (silent.shutdown().await, dribbling.shutdown().await);
    let _ = rest_of(&mut silent).await;
}

#[tokio::test]
async fn operators_are_served_when_everybody_else_is_not() {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig {
        ops: Some(loopback),
        limits: Limits {
            connections_max: 0,
            ..Limits::default()
        },
        ..ServerConfig::http(loopback)
    };
    let server = Server::bind(config).await.unwrap();
    let server = server.with_ops(Router::new().route("/metrics", get(|| async { "figures" })));
    let (public, ops) = (server.addresses().http, server.addresses().ops.unwrap());
    tokio::spawn(server.run(Router::new(), std::future::pending()));
    let ask = async |address, path| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(get_request(path).as_bytes()).await;
        rest_of(&mut stream).await
    };
    assert_eq!(ask(public, "/metrics").await, "");
    assert!(ask(ops, "/metrics").await.ends_with("figures"));
    assert!(ask(ops, "/hello").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn panic_is_500_and_the_connection_lives_on() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /panic HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .unwrap();
    let reply = reply_on(&mut stream, "again\n").await;
    assert!(
        reply.starts_with("HTTP/1.1 500") && !reply.contains("on purpose"),
        "{reply}"
    );
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .unwrap();
    reply_on(&mut stream, "hello").await;
}

#[tokio::test]
async fn half_closed_clients_get_their_answer() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(get_request("/slow").as_bytes())
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.release.notify_one();
    assert!(rest_of(&mut stream).await.ends_with("slow"));
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight_and_refuses_newcomers() {
    let server = start(Limits::default()).await;
    let mut in_flight = server.connect().await;
    in_flight
        .write_all(b"GET /slow HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .unwrap();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .unwrap();
    reply_on(&mut idle, "hello").await;
    server.stop.send(()).unwrap();
    assert_eq!(rest_of(&mut idle).await, "");
    while TcpStream::connect(server.bound.http).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!server.ended.is_finished());
    server.release.notify_one();
    let reply = rest_of(&mut in_flight).await;
    assert!(
        reply.contains("connection: close") && reply.ends_with("slow"),
        "{reply}"
    );
    assert_eq!(server.ended.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn stopping_cuts_what_does_not_end() {
    let server = start(short()).await;
    let mut in_flight = server.connect().await;
    in_flight
        .write_all(get_request("/slow").as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.stop().await, Drained::Cut);
    assert_eq!(rest_of(&mut in_flight).await, "");
}

#[tokio::test]
async fn handler_outlives_its_client_and_draining_waits_for_it() {
    let done = Arc::new(Notify::new());
    let config = ServerConfig::http(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = start_with(config, &done).await;
    let mut client = server.connect().await;
    client
        .write_all(get_request("/slow").as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!server.ended.is_finished());
    server.release.notify_one();
    tokio::time::timeout(PATIENCE, done.notified())
        .await
        .unwrap();
    assert_eq!(server.ended.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn taken_port_is_explained() {
    let server = start(Limits::default()).await;
    let error = Server::bind(ServerConfig::http(server.bound.http))
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("another program uses this port"),
        "{error}"
    );
}
