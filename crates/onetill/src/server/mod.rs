//! The sockets: whom they let in, how long each step may take, and how they close.
//!
//! | file | holds |
//! |---|---|
//! | this one | [`Server`]: bind, accept, drain |
//! | `admission` | how many connections there may be, and who makes room |
//! | `connection` | one connection from its first byte to its last |
//! | `detached` | requests that outlive their client, and their panics |
//! | `pace` | the clock that cuts slow connections |
//! | [`tls`] | certificate and key, and their renewal |
//! | [`fingerprint`] | which certificate a client showed |
//! | [`proxies`] | whose request it is that a proxy passes on |
//! | [`body`] | request bodies, bounded in size and time |
//! | [`limits`] | limits on failures by address and on calls by merchant |
//! | [`open_files`] | the system's limit on connections |
//!
//! Two steps, so that the addresses are known (port 0 included) before the first request:
//! [`Server::bind`], then [`Server::run`].
//!
//! Absent on purpose: routes, and anything that knows a dialect. Nothing here logs a body, a
//! header or a query string.

mod admission;
pub mod body;
mod connection;
mod detached;
pub mod fingerprint;
pub mod limits;
pub mod open_files;
mod pace;
pub mod proxies;
#[cfg(test)]
mod tests;
pub mod tls;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use self::admission::Admission;
pub use self::body::{BODY_TIMEOUT, BodyError, read_body};
use self::connection::Host;
pub use self::fingerprint::Fingerprint;
use self::pace::{Paced, Pulse};
pub use self::proxies::TrustedProxies;
use self::tls::Identity;
pub use self::tls::{TlsError, TlsFiles};

/// How long the accept loop rests when the process is out of file descriptors or memory: the
/// pending connection stays pending, so trying again at once would only burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Connections at a time of operators and of what asks for metrics.
const OPS_CONNECTIONS_MAX: usize = 64;

/// Where the server listens and what it puts up with.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Plain HTTP. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// HTTPS beside it, served by the same router.
    pub tls: Option<TlsConfig>,
    /// Plain HTTP for operators, with a router and places of its own: it answers also when the
    /// others are full.
    pub ops: Option<SocketAddr>,
    /// Whose word about their clients is taken.
    pub proxies: TrustedProxies,
    /// Bounds on connections and on each step of a request.
    pub limits: Limits,
}

impl ServerConfig {
    /// Plain HTTP on one address, with the default limits.
    pub fn http(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            ops: None,
            proxies: TrustedProxies::default(),
            limits: Limits::default(),
        }
    }
}

/// The HTTPS listener. TLS 1.2 and 1.3, HTTP/1.1.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// Where HTTPS listens. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Certificate chain and private key.
    pub files: TlsFiles,
    /// How often the files are looked at; SIGHUP has them looked at, too. When they have changed
    /// and can be used, newcomers are shown the new certificate.
    pub renew_every: Duration,
}

impl TlsConfig {
    /// HTTPS on one address, with the files looked at once a minute.
    pub fn new(listen: SocketAddr, files: TlsFiles) -> Self {
        Self {
            listen,
            files,
            renew_every: Duration::from_secs(60),
        }
    }
}

/// Bounds on connections and on each step of a request. The body's own bounds are given to
/// [`read_body`] by the handler.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From a connection's first byte (or from its opening, for the first request) to the end of
    /// a request's head. Default 10 s.
    pub head_timeout: Duration,
    /// Between two requests on one connection. Default 75 s.
    pub idle_timeout: Duration,
    /// A reply of which the client takes nothing for this long is given up. Default 30 s.
    pub write_timeout: Duration,
    /// The TLS handshake as a whole. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long requests in flight may take to end once the server was told to stop. Default
    /// 90 s, because a payment may be waited for up to 80 s.
    pub drain_timeout: Duration,
    /// A request's line and headers together, bytes; more is answered 431. Default 16 KiB, at
    /// least 8 KiB. Every connection may hold as much before anybody knows who it is.
    pub head_bytes_max: usize,
    /// Headers a request; more is answered 431. Default 100: the parser keeps that many on the
    /// stack, any other number costs an allocation for every request.
    pub headers_max: usize,
    /// Connections at a time, HTTP and HTTPS together. One more takes the place of the longest
    /// silent one, or is closed at once when all are busy. Default 10,000.
    pub connections_max: usize,
    /// Connections at a time from one client address (IPv6: one /64). Default: no bound, because
    /// a whole shop may sit behind one address.
    pub connections_per_address_max: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(90),
            head_bytes_max: 16 * 1024,
            headers_max: connection::HEADERS_ON_STACK,
            connections_max: 10_000,
            connections_per_address_max: None,
        }
    }
}

/// The addresses the server really listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Plain HTTP.
    pub http: SocketAddr,
    /// HTTPS, when it is on.
    pub https: Option<SocketAddr>,
    /// HTTP for operators, when it is on.
    pub ops: Option<SocketAddr>,
}

/// Why the server can't start. The text is for the operator and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address can't be taken.
    #[error("cannot listen on {address}: {source}; {}", listen_hint(source))]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not tell which address was taken.
    #[error("the address taken is not known: {0}; try another one")]
    Address(io::Error),
    /// The certificate or the key is unusable.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn listen_hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::AddrInUse {
        "another program uses this port: stop it or choose another address"
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "ports below 1024 need a privilege: choose a higher one or grant CAP_NET_BIND_SERVICE"
    } else {
        "check that the address belongs to this machine"
    }
}

/// How a run of the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request in flight was answered.
    Clean,
    /// Time ran out; the connections left were cut. Requests still at work are dropped with the
    /// runtime, and the next start finishes what they left open.
    Cut,
}

/// What connections are told. It only ever moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    Draining,
    Cut,
}

/// A server that holds its addresses and serves nobody yet.
pub struct Server {
    http: TcpListener,
    https: Option<Https>,
    ops: Option<(TcpListener, axum::Router)>,
    bound: Bound,
    proxies: TrustedProxies,
    limits: Limits,
}

/// The HTTPS listener, and what it shows.
struct Https {
    listener: TcpListener,
    identity: Arc<Identity>,
    renew_every: Duration,
}

impl Server {
    /// Reads certificate and key and takes the addresses. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`], with a text that names the file or address and what to do.
    pub async fn bind(config: ServerConfig) -> Result<Self, ServerError> {
        let https = match &config.tls {
            Some(tls) => Some(bind_tls(tls).await?),
            None => None,
        };
        let http = listen(config.listen).await?;
        let ops = match config.ops {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let bound = Bound {
            http: address_of(&http)?,
            https: https
                .as_ref()
                .map(|https| address_of(&https.listener))
                .transpose()?,
            ops: ops.as_ref().map(address_of).transpose()?,
        };
        Ok(Self {
            http,
            https,
            ops: ops.map(|listener| (listener, axum::Router::new())),
            bound,
            proxies: config.proxies,
            limits: config.limits,
        })
    }

    /// What operators are served, if they have an address of their own; otherwise nothing changes.
    #[must_use]
    pub fn with_ops(mut self, router: axum::Router) -> Self {
        self.ops = self.ops.map(|(listener, _)| (listener, router));
        self
    }

    /// The addresses taken, with the real port where 0 was asked for.
    pub fn addresses(&self) -> Bound {
        self.bound
    }

    /// Serves `router` until `shutdown` completes, then stops accepting, lets requests in flight
    /// end for up to [`Limits::drain_timeout`] and cuts what is left.
    ///
    /// Handlers find the client's address as `ConnectInfo<SocketAddr>`, and the certificate it
    /// showed, if any, as an extension of type [`Fingerprint`]. They run to their end
    /// even if the client goes away; one that panics is answered with HTTP 500.
    pub async fn run(self, router: axum::Router, shutdown: impl Future<Output = ()>) -> Drained {
        let (stage, stages) = watch::channel(Stage::Running);
        let (alive, mut all_gone) = mpsc::channel(1);
        let drain_timeout = self.limits.drain_timeout;
        let renewal = self.https.as_ref().map(Https::renew);
        for door in self.doors(router, &stages, &alive) {
            tokio::spawn(door.accept_all());
        }
        drop((stages, alive));
        shutdown.await;
        tracing::info!("no new connections; requests in flight are being finished");
        stage.send_replace(Stage::Draining);
        renewal.inspect(JoinHandle::abort);
        drain(&mut all_gone, &stage, drain_timeout).await
    }

    fn doors(
        self,
        router: axum::Router,
        stages: &watch::Receiver<Stage>,
        alive: &mpsc::Sender<Infallible>,
    ) -> Vec<Door> {
        let admission = Admission::new(&self.limits);
        let host = Host::new(router, self.limits.clone(), self.proxies);
        let host = Arc::new(host);
        let operators = Limits {
            connections_max: OPS_CONNECTIONS_MAX,
            connections_per_address_max: None,
            ..self.limits
        };
        let door = |listener, tls, host: &Arc<Host>, admission: &Arc<Admission>| Door {
            listener,
            tls,
            host: Arc::clone(host),
            admission: Arc::clone(admission),
            stages: stages.clone(),
            alive: alive.clone(),
        };
        let mut doors = vec![door(self.http, None, &host, &admission)];
        if let Some(https) = self.https {
            let tls = Some(https.identity);
            doors.push(door(https.listener, tls, &host, &admission));
        }
        if let Some((listener, router)) = self.ops {
            let admission = Admission::new(&operators);
            let host = Arc::new(Host::new(router, operators, TrustedProxies::default()));
            doors.push(door(listener, None, &host, &admission));
        }
        doors
    }
}

impl Https {
    fn renew(&self) -> JoinHandle<()> {
        tokio::spawn(Arc::clone(&self.identity).renew(self.renew_every))
    }
}

/// Waits until nobody holds the other end of `all_gone`: neither a connection nor a handler.
async fn drain(
    all_gone: &mut mpsc::Receiver<Infallible>,
    stage: &watch::Sender<Stage>,
    patience: Duration,
) -> Drained {
    if tokio::time::timeout(patience, all_gone.recv())
        .await
        .is_ok()
    {
        return Drained::Clean;
    }
    tracing::warn!(
        patience_s = patience.as_secs(),
        "requests were still in flight; connections are cut"
    );
    stage.send_replace(Stage::Cut);
    Drained::Cut
}

async fn bind_tls(config: &TlsConfig) -> Result<Https, ServerError> {
    let identity = Arc::new(Identity::open(&config.files)?);
    Ok(Https {
        listener: listen(config.listen).await?,
        identity,
        renew_every: config.renew_every,
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServerError::Listen { address, source })
}

fn address_of(listener: &TcpListener) -> Result<SocketAddr, ServerError> {
    listener.local_addr().map_err(ServerError::Address)
}

/// One listening socket and all that its connections need.
struct Door {
    listener: TcpListener,
    tls: Option<Arc<Identity>>,
    host: Arc<Host>,
    admission: Arc<Admission>,
    stages: watch::Receiver<Stage>,
    alive: mpsc::Sender<Infallible>,
}

impl Door {
    /// Accepts until the server drains; dropping the listener then refuses newcomers.
    async fn accept_all(self) {
        let mut stages = self.stages.clone();
        let draining = async {
            // An error means that the server itself is gone: a reason to stop as well.
            let _ = stages.wait_for(|stage| *stage != Stage::Running).await;
        };
        tokio::select! {
            () = draining => {}
            () = self.accept_forever() => {}
        }
    }

    async fn accept_forever(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => self.welcome(stream, peer),
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept; raise the limit on open files");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Starts a task for a connection that may stay; one too many is closed by dropping it.
    fn welcome(&self, stream: TcpStream, peer: SocketAddr) {
        let pulse = Arc::new(Pulse::new());
        let Some(permit) = self.admission.admit(peer.ip(), Arc::clone(&pulse)) else {
            return;
        };
        // Replies are written in one piece: waiting for more to send would only add delay.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let (host, stream) = (Arc::clone(&self.host), Paced::new(stream, pulse));
        let tls = self.tls.as_ref().map(|identity| identity.acceptor());
        let (stages, alive) = (self.stages.clone(), self.alive.clone());
        let place = permit.place();
        let task = tokio::spawn(async move {
            let _permit = permit;
            host.serve(stream, peer, tls, stages, alive).await;
        });
        self.admission.serves(place, task.abort_handle());
    }
}

/// Errors that `accept` reports about the connection it was about to hand out.
fn concerns_one_client(error: &io::Error) -> bool {
    [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::Interrupted,
    ]
    .contains(&error.kind())
}
