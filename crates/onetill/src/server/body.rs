//! Request bodies, bounded in size and time.

use std::time::Duration;

use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a client may take to send a body, unless an endpoint says otherwise.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// Bodies up to this many bytes are taken from everybody who has a connection.
const SMALL_BYTES_MAX: usize = 16 * 1024;
/// So many larger ones may be on their way at the same time. Nobody knows yet who sends them, so
/// all connections together must not fill the memory with half a body each.
const LARGE_MAX: usize = 128;

static LARGE: Semaphore = Semaphore::const_new(LARGE_MAX);

/// Why a request's body could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Longer than allowed: HTTP 413.
    #[error("the body is longer than allowed")]
    TooLarge,
    /// Not complete in time: HTTP 408, then the connection is closed.
    #[error("the body took too long to arrive")]
    Slow,
    /// The client went away, or its framing is wrong: HTTP 400, if anyone is left to read it.
    #[error("the body broke off")]
    Broken,
    /// Too many large bodies are on their way: HTTP 503. Nothing was done.
    #[error("too many large bodies at the same time")]
    Crowded,
}

impl BodyError {
    /// What the client is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The whole body, at most `limit_bytes` long, received within `timeout`.
///
/// A `Content-Length` over the limit is refused before anything is read, and before a client
/// that asked `Expect: 100-continue` is told to go on.
///
/// # Errors
/// [`BodyError`]; what was received so far is dropped.
pub async fn read_body<B>(
    body: B,
    limit_bytes: usize,
    timeout: Duration,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |bytes| bytes > limit_bytes) {
        return Err(BodyError::TooLarge);
    }
    let bytes_max = body.size_hint().exact();
    let bytes_max = bytes_max.and_then(|bytes| usize::try_from(bytes).ok());
    let bytes_max = bytes_max.unwrap_or(limit_bytes);
    let whole = gather(Limited::new(body, limit_bytes), bytes_max);
    tokio::time::timeout(timeout, whole)
        .await
        .unwrap_or(Err(BodyError::Slow))
}

/// Puts the frames together as they come. A frame that is kept holds all of the buffer that it was
/// read into (8 KiB), so a client that sends single bytes must not make us keep them.
async fn gather<B>(body: Limited<B>, bytes_max: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let mut whole = Gathered::new(&LARGE, bytes_max);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() {
                BodyError::TooLarge
            } else {
                BodyError::Broken
            }
        })?;
        // Trailers say nothing that we ask for.
        if let Ok(data) = frame.into_data() {
            whole.add(data)?;
        }
    }
    Ok(whole.into_bytes())
}

/// What has come of a body: in the usual case one frame, which is not copied.
struct Gathered<'a> {
    first: Bytes,
    rest: BytesMut,
    bytes_max: usize,
    places: &'a Semaphore,
    large: Option<SemaphorePermit<'a>>,
}

impl<'a> Gathered<'a> {
    fn new(places: &'a Semaphore, bytes_max: usize) -> Self {
        Self {
            first: Bytes::new(),
            rest: BytesMut::new(),
            bytes_max,
            places,
            large: None,
        }
    }

    fn add(&mut self, data: Bytes) -> Result<(), BodyError> {
        let bytes = self.first.len() + self.rest.len() + data.len();
        if bytes > SMALL_BYTES_MAX && self.large.is_none() {
            let place = self.places.try_acquire().map_err(|_| BodyError::Crowded)?;
            self.large = Some(place);
            // Growing by halves would take twice the room.
            self.rest
                .reserve(self.bytes_max.saturating_sub(self.rest.len()));
        }
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest
                .extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
        Ok(())
    }

    fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() {
            self.first
        } else {
            self.rest.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    async fn read(bytes: &'static [u8], limit_bytes: usize) -> Result<Bytes, BodyError> {
        read_body(
            Full::new(Bytes::from_static(bytes)),
            limit_bytes,
            BODY_TIMEOUT,
        )
        .await
    }

    #[tokio::test]
    async fn takes_a_body_up_to_the_limit() {
        assert_eq!(read(b"", 0).await, Ok(Bytes::new()));
        assert_eq!(read(b"12345", 5).await, Ok(Bytes::from_static(b"12345")));
        assert_eq!(read(b"123456", 5).await, Err(BodyError::TooLarge));
    }

    fn joined(frames: &[&'static [u8]]) -> Bytes {
        let places = Semaphore::new(0);
        let mut whole = Gathered::new(&places, 64 * 1024);
        for frame in frames {
            whole.add(Bytes::from_static(frame)).unwrap();
        }
        whole.into_bytes()
    }

    #[test]
    fn frames_are_put_together_in_their_order() {
        assert_eq!(joined(&[b"abc"]), "abc");
        assert_eq!(joined(&[b"", b"a", b"", b"bc"]), "abc");
        assert_eq!(joined(&[b"a", b"b", b"c"]), "abc");
        assert_eq!(joined(&[b"", b""]), "");
    }

    #[test]
    fn many_small_frames_hold_no_more_than_they_say() {
        let places = Semaphore::new(0);
        let mut whole = Gathered::new(&places, 64 * 1024);
        for _ in 0..1_000 {
            // As hyper hands out what it read: a slice of a whole buffer.
            let buffer = Bytes::from(vec![b'x'; 8 * 1024]);
            whole.add(buffer.slice(..1)).unwrap();
        }
        assert!(whole.first.is_empty() && whole.rest.capacity() < 8 * 1024);
        assert_eq!(whole.into_bytes().len(), 1_000);
    }

    #[test]
    fn only_so_many_large_bodies_are_taken_at_a_time() {
        let places = Semaphore::new(2);
        let half = Bytes::from(vec![b'x'; SMALL_BYTES_MAX]);
        let large = || {
            let mut body = Gathered::new(&places, 64 * 1024);
            body.add(half.clone()).unwrap();
            body.add(half.clone()).map(|()| body)
        };
        let (first, second) = (large().unwrap(), large().unwrap());
        assert_eq!(large().err(), Some(BodyError::Crowded));
        drop(first);
        assert!(large().is_ok());
        drop(second);
    }
}
