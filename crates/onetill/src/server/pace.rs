//! The clock that cuts slow connections.
//!
//! hyper's own header timeout also runs while a connection is idle between two requests, so it
//! can't tell a till that waits for the next customer (75 s) from a client that dribbles its
//! head (10 s). Here the socket and the service report what the connection is doing to a shared
//! [`Pulse`], and a [`Watchdog`] polled in the same task turns that into one deadline.
//! In the usual case, a whole request in one read, no timer is touched.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;

use super::Limits;

/// After so long a silence between two requests, a connection counts as quiet.
const QUIET_AFTER: Duration = Duration::from_secs(5);

/// A request's head is being received.
const HEAD: u8 = 0;
/// A handler is at work, or its reply is being sent.
const BUSY: u8 = 1;
/// Between two requests.
const IDLE: u8 = 2;
/// A request's body is being received; how long it may take is the handler's to say.
const BODY: u8 = 3;

/// What one connection is doing. Written by its task and, when a body ends, by its handler's;
/// each change stands for itself, so no ordering is needed.
pub(super) struct Pulse {
    opened: Instant,
    /// When the present state began, in milliseconds since it was opened.
    since_ms: AtomicU64,
    phase: AtomicU8,
    /// Which request is being served, counted from one.
    turn: AtomicU32,
    write_stuck: AtomicBool,
    peer_done: AtomicBool,
    /// Goes up with every change above, so the watchdog sees that there was one.
    changes: AtomicU32,
}

impl Pulse {
    /// A connection that has just been opened.
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            since_ms: AtomicU64::new(0),
            phase: AtomicU8::new(HEAD),
            turn: AtomicU32::new(0),
            write_stuck: AtomicBool::new(false),
            peer_done: AtomicBool::new(false),
            changes: AtomicU32::new(0),
        }
    }

    #[cfg(test)]
    pub(super) fn opened_ago(ago: Duration) -> Self {
        let opened = Instant::now().checked_sub(ago).unwrap();
        Self {
            opened,
            ..Self::new()
        }
    }

    /// A whole head was received; the answer is this request's turn.
    pub(super) fn busy(&self, has_body: bool) -> u32 {
        self.enter(if has_body { BODY } else { BUSY });
        self.turn.fetch_add(1, Relaxed).wrapping_add(1)
    }

    /// The request's body was received, if it still is this one that matters.
    pub(super) fn body_done(&self) {
        let _ = self.phase.compare_exchange(BODY, BUSY, Relaxed, Relaxed);
    }

    /// For how long the client has kept us waiting; `None` while it is our turn.
    pub(super) fn waited_for(&self) -> Option<Duration> {
        let is_ours = self.phase.load(Relaxed) == BUSY && !self.write_stuck.load(Relaxed);
        let since = Duration::from_millis(self.since_ms.load(Relaxed));
        (!is_ours).then(|| self.opened.elapsed().saturating_sub(since))
    }

    /// The reply of this turn was handed to the socket. Said of an earlier turn it means nothing:
    /// a body dropped late must not put the idle timeout on the request that came after it.
    pub(super) fn idle(&self, turn: u32) {
        if self.turn.load(Relaxed) == turn {
            self.enter(IDLE);
        }
    }

    /// The client will send no more.
    pub(super) fn peer_done(&self) -> bool {
        self.peer_done.load(Relaxed)
    }

    fn enter(&self, phase: u8) {
        self.phase.store(phase, Relaxed);
        self.changes.fetch_add(1, Relaxed);
    }

    fn received(&self, bytes: usize) {
        if bytes == 0 {
            self.peer_done.store(true, Relaxed);
        } else if self.phase.load(Relaxed) == IDLE {
            self.enter(HEAD);
        }
    }

    fn wrote<T>(&self, outcome: Poll<T>) -> Poll<T> {
        let stuck = outcome.is_pending();
        if self.write_stuck.swap(stuck, Relaxed) != stuck {
            self.changes.fetch_add(1, Relaxed);
        }
        outcome
    }

    /// How long the present state may last; `None` leaves it to the handler.
    fn patience(&self, limits: &Limits) -> Option<Duration> {
        if self.write_stuck.load(Relaxed) {
            return Some(limits.write_timeout);
        }
        match self.phase.load(Relaxed) {
            HEAD => Some(limits.head_timeout),
            IDLE => Some(limits.idle_timeout),
            _busy => None,
        }
    }

    fn is_idle(&self) -> bool {
        self.phase.load(Relaxed) == IDLE && !self.write_stuck.load(Relaxed)
    }

    fn began(&self, now: Instant) {
        let since = now.saturating_duration_since(self.opened).as_millis();
        self.since_ms
            .store(u64::try_from(since).unwrap_or(u64::MAX), Relaxed);
    }
}

/// What a [`Watchdog`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was said since the last request was answered; told once.
    Quiet,
    /// The present state has lasted for too long.
    Overdue,
}

/// Becomes ready when a connection has stayed in one state for long.
pub(super) struct Watchdog {
    pulse: Arc<Pulse>,
    changes_seen: u32,
    due: Option<Instant>,
    quiet_due: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

impl Watchdog {
    pub(super) fn new(pulse: Arc<Pulse>, limits: &Limits) -> Self {
        let due = Instant::now().checked_add(limits.head_timeout);
        Self {
            changes_seen: pulse.changes.load(Relaxed),
            pulse,
            due,
            quiet_due: None,
            sleep: Box::pin(tokio::time::sleep_until(due.unwrap_or_else(Instant::now))),
        }
    }

    /// To be called after everything that may change the pulse in this turn.
    pub(super) fn poll(&mut self, limits: &Limits, cx: &mut Context<'_>) -> Poll<Verdict> {
        self.look(limits);
        let Some(next) = self.quiet_due.into_iter().chain(self.due).min() else {
            return Poll::Pending;
        };
        // A timer set too early is left alone: re-arming it when it fires is rarer than
        // re-arming it for every request.
        if self.sleep.deadline() > next {
            self.sleep.as_mut().reset(next);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= next {
                break;
            }
            self.sleep.as_mut().reset(next);
        }
        if self.quiet_due.take_if(|at| *at == next).is_some() {
            Poll::Ready(Verdict::Quiet)
        } else {
            Poll::Ready(Verdict::Overdue)
        }
    }

    fn look(&mut self, limits: &Limits) {
        let changes = self.pulse.changes.load(Relaxed);
        if changes != self.changes_seen {
            self.changes_seen = changes;
            let now = Instant::now();
            self.pulse.began(now);
            // A time too far away to be written down never comes.
            let patience = self.pulse.patience(limits);
            self.due = patience.and_then(|patience| now.checked_add(patience));
            self.quiet_due = now
                .checked_add(QUIET_AFTER)
                .filter(|_| self.pulse.is_idle());
        }
    }
}

/// A stream that can be waited for without a buffer, when all that came was read before.
pub(super) trait Quiet {
    /// Ready when there is something to read, or the end.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()>;
}

impl Quiet for Paced {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Asking the socket itself: a new one counts as ready until it was read in vain. What
        // fails here fails again when it is read.
        let mut byte = [0];
        let peeked = self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte));
        peeked.map(drop)
    }
}

impl Quiet for TlsStream<Paced> {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.get_ref().0.poll_readable(cx)
    }
}

/// A TCP stream that reports to a [`Pulse`]. It sits below TLS, so half a record counts too.
pub(super) struct Paced {
    stream: TcpStream,
    pulse: Arc<Pulse>,
}

impl Paced {
    pub(super) fn new(stream: TcpStream, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse }
    }

    /// What it reports to.
    pub(super) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.pulse.received(buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.pulse.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.pulse.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
