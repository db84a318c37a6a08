//! Connecting to a server that may be away, without anybody waiting for long.

use crate::contract::StoreError;
use std::{future::Future, time::Duration};
use tokio::{task::JoinHandle, time::Instant};

/// How long a connection to a server that was there before is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one to a server that was not there is waited for: enough to see that it is back.
const PATIENCE_AWAY: Duration = Duration::from_secs(1);
/// How long nobody tries again who can do without.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes connections, one at a time, each in a task of its own. An attempt that takes long goes on
/// when its callers have given up: until it ends everybody is refused at once, and what it makes
/// is there for the next.
pub(super) struct Opening<T> {
    attempt: Option<(Instant, JoinHandle<Result<T, StoreError>>)>,
    /// When the last attempt failed, or was given up, unless one succeeded since.
    failed_at: Option<Instant>,
}

impl<T> Default for Opening<T> {
    fn default() -> Self {
        Self {
            attempt: None,
            failed_at: None,
        }
    }
}

impl<T: Send + 'static> Opening<T> {
    /// What the running attempt makes, or else what `open` makes. An attempt of earlier that has
    /// failed tells how the server was then, so it is followed by another.
    pub(super) async fn take<F>(&mut self, open: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let is_earlier = self.attempt.is_some();
        let mut made = self.wait(&open).await;
        if made.is_err() && is_earlier && self.attempt.is_none() {
            made = self.wait(&open).await;
        }
        self.failed_at = made.is_err().then(Instant::now);
        made
    }

    async fn wait<F>(&mut self, open: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let begin = || (Instant::now(), tokio::spawn(open()));
        let (since, attempt) = self.attempt.get_or_insert_with(begin);
        let patience = match self.failed_at {
            None => PATIENCE,
            Some(_) => PATIENCE_AWAY,
        };
        let made = tokio::time::timeout_at(*since + patience, attempt).await;
        let Ok(made) = made else {
            return Err(StoreError::Down("PostgreSQL does not answer".to_owned()));
        };
        self.attempt = None;
        made.unwrap_or_else(|error| Err(StoreError::Down(error.to_string())))
    }

    /// Whether an attempt failed just now.
    pub(super) fn failed_lately(&self) -> bool {
        self.failed_at.is_some_and(|at| at.elapsed() < PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::BoxFuture;
    use std::{
        future::{pending, ready},
        sync::Mutex,
    };
    use tokio::sync::oneshot;

    type Made = Result<u32, StoreError>;

    fn down() -> Made {
        Err(StoreError::Down("refused".to_owned()))
    }

    /// An attempt that ends with what is sent.
    fn slow() -> (oneshot::Sender<Made>, impl Fn() -> BoxFuture<'static, Made>) {
        let (answer, answered) = oneshot::channel();
        let answered = Mutex::new(Some(answered));
        let open = move || -> BoxFuture<'static, Made> {
            let answered = answered.lock().unwrap().take();
            Box::pin(async { answered.unwrap().await.unwrap() })
        };
        (answer, open)
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_waited_for_once_and_what_it_makes_late_is_used() {
        let mut opening = Opening::default();
        let (answer, slow) = slow();
        assert!(opening.take(slow).await.is_err());
        assert!(opening.failed_lately());
        let started = Instant::now();
        for _ in 0..100 {
            assert!(opening.take(pending).await.is_err());
        }
        assert!(
            started.elapsed() < PATIENCE,
            "the others are refused at once"
        );
        answer.send(Ok(7)).unwrap();
        while opening.take(pending).await != Ok(7) {
            tokio::task::yield_now().await;
        }
        assert!(!opening.failed_lately());
    }

    #[tokio::test]
    async fn a_failed_attempt_is_followed_by_another_at_once() {
        let mut opening = Opening::default();
        assert_eq!(opening.take(|| ready(down())).await, down());
        assert!(opening.failed_lately());
        let (answer, slow) = slow();
        assert!(opening.take(slow).await.is_err());
        answer.send(down()).unwrap();
        while !opening.attempt.as_ref().unwrap().1.is_finished() {
            tokio::task::yield_now().await;
        }
        assert_eq!(opening.take(|| ready(Ok(7))).await, Ok(7));
    }
}
