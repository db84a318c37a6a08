//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::detached::Detached;
use super::pace::{Paced, Pulse, Watchdog};
use super::{Limits, Stage};

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
}

type Conn<S> = http1::Connection<TokioIo<S>, Detached>;

/// How serving a connection ended.
enum End {
    /// Both sides are done, or what the client sent is not HTTP and it was told so.
    Spoken,
    /// The connection broke.
    Broken,
    /// The client was too slow.
    Overdue,
    /// The server stops.
    Cut,
}

impl Host {
    pub(super) fn new(router: axum::Router, limits: Limits) -> Self {
        // `with_state` makes the router ready once, rather than for every request.
        let router = TowerToHyperService::new(router.with_state(()));
        let http = builder(&limits);
        Self {
            router,
            http,
            limits,
        }
    }

    /// Serves one accepted stream until it ends.
    pub(super) async fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        stages: watch::Receiver<Stage>,
        alive: mpsc::Sender<Infallible>,
    ) {
        let pulse = Arc::new(Pulse::default());
        let stream = Paced::new(stream, Arc::clone(&pulse));
        let service = Detached {
            router: self.router.clone(),
            peer,
            pulse,
            alive,
        };
        match tls {
            None => self.speak(stream, service, stages).await,
            Some(tls) => {
                let handshake =
                    tokio::time::timeout(self.limits.handshake_timeout, tls.accept(stream));
                match handshake.await {
                    Ok(Ok(stream)) => self.speak(stream, service, stages).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
                    Err(_elapsed) => tracing::debug!(%peer, "TLS handshake took too long"),
                }
            }
        }
    }

    /// Speaks HTTP until the connection ends, the client is too slow or the server stops.
    async fn speak<S>(&self, io: S, service: Detached, mut stages: watch::Receiver<Stage>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (peer, pulse) = (service.peer, Arc::clone(&service.pulse));
        let mut watchdog = Watchdog::new(Arc::clone(&pulse), &self.limits);
        let mut conn = self.http.serve_connection(TokioIo::new(io), service);
        let mut draining = false;
        let end = loop {
            let turn = std::future::poll_fn(|cx| self.poll_turn(&mut conn, &mut watchdog, cx));
            tokio::select! {
                biased;
                end = turn => break end,
                stage = next_stage(&mut stages) => match stage {
                    Stage::Running => {}
                    Stage::Draining => {
                        draining = true;
                        Pin::new(&mut conn).graceful_shutdown();
                    }
                    Stage::Cut => break End::Cut,
                },
            }
        };
        match end {
            // While draining, nobody waits for a pooled connection's other end to notice.
            End::Spoken if !draining && !pulse.peer_done() => {
                linger(conn.into_parts().io.into_inner()).await;
            }
            End::Overdue => tracing::debug!(%peer, "connection closed: too slow"),
            End::Spoken | End::Broken | End::Cut => {}
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
                .poll_overdue(&self.limits, cx)
                .map(|()| End::Overdue),
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
