//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::detached::Detached;
use super::pace::{Paced, Quiet, Verdict, Watchdog};
use super::{Fingerprint, Limits, Stage, TrustedProxies};

/// As many headers as the parser keeps on the stack.
pub(super) const HEADERS_ON_STACK: usize = 100;

/// The smallest buffer hyper accepts, bytes; it panics below.
const HEAD_BYTES_MIN: usize = 8 * 1024;

/// How long, and for how many bytes, a client that still talks is listened to after our last
/// word. Closing earlier makes the system answer its bytes with a reset, and a reset can destroy
/// the reply (413, 431) before the client has read it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// What all connections share.
pub(super) struct Host {
    router: TowerToHyperService<axum::Router>,
    http: http1::Builder,
    limits: Limits,
    proxies: Arc<TrustedProxies>,
}

type Conn<S> = http1::Connection<TokioIo<S>, Detached>;

/// How a spell of HTTP ended.
enum End {
    /// Both sides are done, or what the client sent is not HTTP and it was told so.
    Spoken,
    /// The connection broke.
    Broken,
    /// The client was too slow.
    Overdue,
    /// Everything asked for was answered, and nothing more was said for a while.
    Quiet,
    /// The server stops.
    Cut,
}

impl Host {
    pub(super) fn new(router: axum::Router, limits: Limits, proxies: TrustedProxies) -> Self {
        // `with_state` makes the router ready once, rather than for every request.
        let router = TowerToHyperService::new(router.with_state(()));
        let http = builder(&limits);
        Self {
            router,
            http,
            limits,
            proxies: Arc::new(proxies),
        }
    }

    /// Serves one accepted stream until it ends.
    pub(super) async fn serve(
        &self,
        stream: Paced,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        stages: watch::Receiver<Stage>,
        alive: mpsc::Sender<Infallible>,
    ) {
        let pulse = stream.pulse();
        let service = Detached {
            router: self.router.clone(),
            peer,
            proxies: Arc::clone(&self.proxies),
            certificate: None,
            pulse,
            alive,
        };
        match tls {
            None => self.speak(stream, service, stages, true).await,
            // On the heap, so that connections without TLS do not carry its room about.
            Some(tls) => Box::pin(self.shake_hands(stream, tls, service, stages)).await,
        }
    }

    async fn shake_hands(
        &self,
        stream: Paced,
        tls: TlsAcceptor,
        mut service: Detached,
        stages: watch::Receiver<Stage>,
    ) {
        let peer = service.peer;
        let handshake = tokio::time::timeout(self.limits.handshake_timeout, tls.accept(stream));
        match handshake.await {
            // What came with the handshake's end is in the stream already: no socket tells of it.
            Ok(Ok(stream)) => {
                let (_, session) = stream.get_ref();
                let shown = session.peer_certificates().and_then(<[_]>::first);
                service.certificate = shown.map(Fingerprint::of);
                self.speak(stream, service, stages, false).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_elapsed) => tracing::debug!(%peer, "TLS handshake took too long"),
        }
    }

    /// Speaks HTTP until the connection ends, the client is too slow or the server stops. While the
    /// client says nothing for long, nothing is held for HTTP, whose buffers are most of what a
    /// connection costs: a thousand tills that wait for customers cost next to nothing.
    async fn speak<S>(
        &self,
        mut io: S,
        mut service: Detached,
        mut stages: watch::Receiver<Stage>,
        mut is_quiet: bool,
    ) where
        S: AsyncRead + AsyncWrite + Quiet + Unpin,
    {
        let (peer, pulse) = (service.peer, Arc::clone(&service.pulse));
        let mut watchdog = Watchdog::new(Arc::clone(&pulse), &self.limits);
        let end = loop {
            if is_quiet && !self.hears(&io, &mut watchdog, &mut stages).await {
                break End::Overdue;
            }
            // On the heap: what is quiet again must not keep room for it.
            let conn = self.http.serve_connection(TokioIo::new(io), service);
            let mut conn = Box::new(conn);
            let end = self.converse(&mut conn, &mut watchdog, &mut stages).await;
            let parts = conn.into_parts();
            (io, service) = (parts.io.into_inner(), parts.service);
            // Line ends after a body are a habit of old clients. Anything else is a request begun
            // behind the last one, and then dropped.
            match end {
                End::Quiet if parts.read_buf.iter().all(|b| b"\r\n".contains(b)) => is_quiet = true,
                End::Quiet => break End::Overdue,
                // While draining, nobody waits for a pooled connection's other end to notice.
                End::Spoken if *stages.borrow() == Stage::Running && !pulse.peer_done() => {
                    // On the heap, for the few that need it: the buffer would be part of each task.
                    return Box::pin(linger(io)).await;
                }
                End::Spoken | End::Broken | End::Overdue | End::Cut => break end,
            }
        };
        if matches!(end, End::Overdue) {
            tracing::debug!(%peer, "connection closed: silent or too slow");
        }
    }

    /// HTTP, until one side ends it or the client falls quiet.
    async fn converse<S>(
        &self,
        conn: &mut Conn<S>,
        watchdog: &mut Watchdog,
        stages: &mut watch::Receiver<Stage>,
    ) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let turn = std::future::poll_fn(|cx| self.poll_turn(conn, watchdog, cx));
            tokio::select! {
                biased;
                end = turn => return end,
                stage = next_stage(stages) => match stage {
                    Stage::Running => {}
                    Stage::Draining => Pin::new(&mut *conn).graceful_shutdown(),
                    Stage::Cut => return End::Cut,
                },
            }
        }
    }

    /// Waits for the client to say something; false when it is time to close instead.
    async fn hears<S: Quiet>(
        &self,
        io: &S,
        watchdog: &mut Watchdog,
        stages: &mut watch::Receiver<Stage>,
    ) -> bool {
        if *stages.borrow_and_update() != Stage::Running {
            return false;
        }
        let heard = std::future::poll_fn(|cx| {
            if io.poll_readable(cx).is_ready() {
                return Poll::Ready(true);
            }
            loop {
                match ready!(watchdog.poll(&self.limits, cx)) {
                    Verdict::Quiet => {}
                    Verdict::Overdue => return Poll::Ready(false),
                }
            }
        });
        tokio::select! {
            biased;
            heard = heard => heard,
            _ = next_stage(stages) => false,
        }
    }

    /// One turn: first HTTP, which may change the pulse, then the watchdog that reads it.
    fn poll_turn<S>(
        &self,
        conn: &mut Conn<S>,
        watchdog: &mut Watchdog,
        cx: &mut Context<'_>,
    ) -> Poll<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match conn.poll_without_shutdown(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(End::Spoken),
            Poll::Ready(Err(error)) if error.is_parse() => Poll::Ready(End::Spoken),
            Poll::Ready(Err(_)) => Poll::Ready(End::Broken),
            Poll::Pending => watchdog
                .poll(&self.limits, cx)
                .map(|verdict| match verdict {
                    Verdict::Quiet => End::Quiet,
                    Verdict::Overdue => End::Overdue,
                }),
        }
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_buf_size(limits.head_bytes_max.max(HEAD_BYTES_MIN))
        .max_header_size(limits.head_bytes_max)
        // Some clients close their sending side as soon as the request is out, and still want
        // the answer.
        .half_close(true);
    if limits.headers_max != HEADERS_ON_STACK {
        http.max_headers(limits.headers_max);
    }
    http
}

/// The next stage; a server that is gone counts as cut.
async fn next_stage(stages: &mut watch::Receiver<Stage>) -> Stage {
    match stages.changed().await {
        Ok(()) => *stages.borrow_and_update(),
        Err(_) => Stage::Cut,
    }
}

/// Closes our side, then reads what the client still sends.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut io: S) {
    let discard = async {
        io.shutdown().await?;
        let mut buffer = [0; 4096];
        let mut total = 0;
        while total < LINGER_BYTES_MAX {
            match io.read(&mut buffer).await? {
                0 => break,
                bytes => total += bytes,
            }
        }
        Ok::<(), std::io::Error>(())
    };
    // Whatever goes wrong here, the connection is closed next.
    let _ = tokio::time::timeout(LINGER, discard).await;
}
