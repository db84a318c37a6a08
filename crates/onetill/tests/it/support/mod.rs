//! What the tests stand on.
//!
//! | module | holds |
//! |---|---|
//! | [`house`] | a gateway in this process, with a clock to set and teeth at its end |
//! | [`http`] | the smallest HTTP client, which sends exactly the bytes it is given |
//! | [`till`] | a merchant's till: signs, seals, sends, reads |
//! | [`bodies`] | request bodies that are right, to be made wrong |
//! | [`process`] | a gateway in a process of its own, to be killed and started again |
//! | [`shop`] | a demo gateway in a process of its own, and the program's commands beside it |
//! | [`receiver`] | a merchant's server that is notified |
//! | [`stub`] | channels that fail in one way |
//! | [`late_reader`] | a reader whose look at the merchants takes as long as a test wants |
//! | [`wallet`] | a channel that does what it is told, call by call |

pub mod bodies;
pub mod house;
pub mod http;
pub mod late_reader;
pub mod process;
pub mod receiver;
pub mod shop;
pub mod stub;
pub mod till;
pub mod wallet;

use std::{future::poll_fn, task::Poll, time::Duration};

/// What `look` finds, as soon as it finds anything; panics after five seconds.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

/// Does all of `work` at the same time.
pub async fn together<F: Future>(work: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut open: Vec<_> = work.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = open.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, slot) in open.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
