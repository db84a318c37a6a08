//! A use case that panics is answered like any other failure: in the dialect's envelope, because
//! clients lose what they are told at an HTTP status from 400 up.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// What `work` comes to, or `None` when it panics. The panic hook has told what and where; what
/// was recorded is left to the workers.
pub(in crate::inbound) async fn survive<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| {
        // The work is never polled again after a panic, so nobody sees it half-done.
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |poll| poll.map(Some))
    })
    .await
}
