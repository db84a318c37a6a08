//! A merchant's server for measuring: it takes notifications as fast as one thread can, or holds
//! its answers back until it is told to give them.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What real receivers answer: a few bytes that nobody reads.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK";
/// Messages are small; a larger one is a fault.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// What stands before a message's number in its URL.
const PATH: &str = "/n/";

/// When each message was first acknowledged, by its number, and how many came again.
struct Log {
    arrived: Vec<Option<Instant>>,
    distinct: usize,
    repeated: u64,
}

/// The receiver.
pub(super) struct Receiver {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    is_open: watch::Sender<bool>,
}

impl Receiver {
    /// A receiver of messages numbered from 0 to `count`, on a thread of its own.
    pub(super) fn start(count: usize) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let log = Arc::new(Mutex::new(Log {
            arrived: vec![None; count],
            distinct: 0,
            repeated: 0,
        }));
        let (is_open, gate) = watch::channel(true);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let kept = Arc::clone(&log);
        let accepting = move || runtime.block_on(accept(listener, &kept, &gate));
        let name = "bench-receiver".to_owned();
        // It ends with the process.
        drop(thread::Builder::new().name(name).spawn(accepting)?);
        Ok(Self {
            address,
            log,
            is_open,
        })
    }

    /// Where message `number` is to go.
    pub(super) fn url(&self, number: usize) -> String {
        format!("http://{}{PATH}{number}", self.address)
    }

    /// Gives answers, or holds them back from now on.
    pub(super) fn set_open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }

    /// How many different messages were acknowledged.
    pub(super) fn distinct(&self) -> usize {
        self.log().distinct
    }

    /// How many came again after they were acknowledged.
    pub(super) fn repeated(&self) -> u64 {
        self.log().repeated
    }

    /// When message `number` was first acknowledged.
    pub(super) fn arrived(&self, number: usize) -> Option<Instant> {
        self.log().arrived.get(number).copied().flatten()
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(
    listener: std::net::TcpListener,
    log: &Arc<Mutex<Log>>,
    gate: &watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (log, gate) = (Arc::clone(log), gate.clone());
        tokio::spawn(async move {
            // A connection that breaks off is the caller's loss; the message comes again.
            drop(serve(stream, &log, gate).await);
        });
    }
}

/// Takes the messages of one connection, one after the other.
async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Log>,
    mut gate: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let Some((length, number)) = parse(&bytes) else {
            if bytes.len() > MESSAGE_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
            continue;
        };
        bytes.drain(..length);
        gate.wait_for(|is_open| *is_open)
            .await
            .map_err(io::Error::other)?;
        stream.write_all(ANSWER).await?;
        note(log, number);
    }
}

fn note(log: &Mutex<Log>, number: Option<usize>) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(slot) = number.and_then(|number| log.arrived.get_mut(number)) else {
        return;
    };
    if slot.is_none() {
        *slot = Some(Instant::now());
        log.distinct += 1;
    } else {
        log.repeated += 1;
    }
}

/// The length in bytes and the number of the message at the front of `bytes`; `None` while some
/// of it is missing.
fn parse(bytes: &[u8]) -> Option<(usize, Option<usize>)> {
    let head_length = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..head_length)?).ok()?;
    let body_length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let length = head_length + 4 + body_length.unwrap_or(0);
    (bytes.len() >= length).then(|| (length, number(head)))
}

/// The message's number: the digits that follow [`PATH`] in the request line.
fn number(head: &str) -> Option<usize> {
    let (_, rest) = head.lines().next()?.split_once(PATH)?;
    rest.split(|it: char| !it.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        b"POST /n/42?sign=1 HTTP/1.1\r\nHost: x\r\ncontent-length: 4\r\n\r\nbody";

    #[test]
    fn a_message_is_whole_or_waited_for() {
        for end in 0..MESSAGE.len() {
            assert_eq!(parse(&MESSAGE[..end]), None);
        }
        let two = [MESSAGE, MESSAGE].concat();
        assert_eq!(parse(&two), Some((MESSAGE.len(), Some(42))));
    }

    #[test]
    fn what_has_no_number_is_taken_and_not_counted() {
        let other = b"POST /else HTTP/1.1\r\n\r\n";
        assert_eq!(parse(other), Some((other.len(), None)));
    }
}
