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
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::Limits;

/// A request's head is being received.
const HEAD: u8 = 0;
/// A handler is at work, or its reply is being sent.
const BUSY: u8 = 1;
/// Between two requests.
const IDLE: u8 = 2;

/// What one connection is doing. Written and read by one task, so no ordering is needed.
#[derive(Default)]
pub(super) struct Pulse {
    phase: AtomicU8,
    /// Which request is being served, counted from one.
    turn: AtomicU32,
    write_stuck: AtomicBool,
    peer_done: AtomicBool,
    /// Goes up with every change above, so the watchdog sees that there was one.
    changes: AtomicU32,
}

impl Pulse {
    /// A whole head was received; the answer is this request's turn.
    pub(super) fn busy(&self) -> u32 {
        self.enter(BUSY);
        self.turn.fetch_add(1, Relaxed).wrapping_add(1)
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
}

/// Becomes ready when a connection has stayed in one state for too long.
pub(super) struct Watchdog {
    pulse: Arc<Pulse>,
    changes_seen: u32,
    due: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

impl Watchdog {
    pub(super) fn new(pulse: Arc<Pulse>, limits: &Limits) -> Self {
        let due = deadline(limits.head_timeout);
        Self {
            changes_seen: pulse.changes.load(Relaxed),
            pulse,
            due,
            sleep: Box::pin(tokio::time::sleep_until(due.unwrap_or_else(Instant::now))),
        }
    }

    /// To be called after everything that may change the pulse in this turn.
    pub(super) fn poll_overdue(&mut self, limits: &Limits, cx: &mut Context<'_>) -> Poll<()> {
        self.look(limits);
        let Some(due) = self.due else {
            return Poll::Pending;
        };
        // A timer set too early is left alone: re-arming it when it fires is rarer than
        // re-arming it for every request.
        if self.sleep.deadline() > due {
            self.sleep.as_mut().reset(due);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
    }

    fn look(&mut self, limits: &Limits) {
        let changes = self.pulse.changes.load(Relaxed);
        if changes != self.changes_seen {
            self.changes_seen = changes;
            self.due = self.pulse.patience(limits).and_then(deadline);
        }
    }
}

/// A time too far away to be written down never comes.
fn deadline(patience: Duration) -> Option<Instant> {
    Instant::now().checked_add(patience)
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
