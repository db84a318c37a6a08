//! The sandbox's news, as it comes in over one connection.

use crate::sandbox::{ChannelEvent, interface};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Response, StatusCode, body::Incoming};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// How long the other side may say nothing at all before it counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(3 * interface::HEARTBEAT.as_secs());

/// Why there is no more news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewsError {
    /// Nobody answers there.
    #[error("nobody answers")]
    Unreachable,
    /// What answers is no sandbox of this kind.
    #[error("it answers HTTP {0}; is this the address of `onetill sandbox`?")]
    Status(u16),
    /// The other side ended it, or the connection broke.
    #[error("it broke off")]
    Ended,
    /// Nothing came for too long.
    #[error("it fell silent")]
    Silent,
    /// A line is no news, or too long to be any.
    #[error("a line cannot be read")]
    Unreadable,
}

/// News to be read one by one. After an error there is no more.
pub struct News {
    body: Incoming,
    /// What came after the last whole line.
    rest: Vec<u8>,
}

impl News {
    pub(super) async fn open<E>(
        asked: impl Future<Output = Result<Response<Incoming>, E>>,
    ) -> Result<Self, NewsError> {
        let reply = timeout(SILENCE_MAX, asked).await;
        let reply = reply.map_err(|_| NewsError::Silent)?;
        let reply = reply.map_err(|_| NewsError::Unreachable)?;
        if reply.status() != StatusCode::OK {
            return Err(NewsError::Status(reply.status().as_u16()));
        }
        Ok(Self {
            body: reply.into_body(),
            rest: Vec::new(),
        })
    }

    /// The next event, when it comes.
    ///
    /// # Errors
    /// When there will be none: listen anew.
    pub async fn next(&mut self) -> Result<ChannelEvent, NewsError> {
        loop {
            match self.take_line() {
                Some(line) if line.is_empty() => {}
                Some(line) => {
                    return serde_json::from_slice(&line).map_err(|_| NewsError::Unreadable);
                }
                None => {
                    let more = self.receive().await?;
                    self.keep(&more)?;
                }
            }
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = self.rest.drain(..=end).collect();
        line.pop();
        Some(line)
    }

    fn keep(&mut self, more: &[u8]) -> Result<(), NewsError> {
        if self.rest.len().saturating_add(more.len()) > interface::MESSAGE_BYTES_MAX {
            return Err(NewsError::Unreadable);
        }
        self.rest.extend_from_slice(more);
        Ok(())
    }

    async fn receive(&mut self) -> Result<Bytes, NewsError> {
        let frame = timeout(SILENCE_MAX, self.body.frame()).await;
        match frame.map_err(|_| NewsError::Silent)? {
            // Trailers hold no news.
            Some(Ok(frame)) => Ok(frame.into_data().unwrap_or_default()),
            Some(Err(_)) | None => Err(NewsError::Ended),
        }
    }
}
