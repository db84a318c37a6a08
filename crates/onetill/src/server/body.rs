//! Request bodies, bounded in size and time.

use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;

/// How long a client may take to send a body, unless an endpoint says otherwise.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);

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
}

impl BodyError {
    /// What the client is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
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
    match tokio::time::timeout(timeout, Limited::new(body, limit_bytes).collect()).await {
        Err(_elapsed) => Err(BodyError::Slow),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Broken),
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
}
