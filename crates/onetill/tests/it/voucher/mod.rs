//! Dialect 3 over HTTP, and codes that pay.
//!
//! | module | holds |
//! |---|---|
//! | [`desk`] | partners with stock, and a partner's middleware |
//! | [`actions`] | every action, the shapes of its samples, repetitions, refusals |
//! | [`admission`] | who is let in |
//! | [`looks`] | how often the store is asked |
//! | [`part_no`] | activeByPartNo |
//! | [`redeem`] | codes in payments: parts, wholes, refunds, cancels |
//! | [`redemption`] | the gateway's own API: codes redeemed without a wallet |
//! | [`races`] | two tills and one use, activation against void |
//! | [`samples`] | every sample request of the sources, and its reply member by member |
//! | [`stocking`] | a box that one gateway fills and another discards |
//! | [`trees`] | trees of more codes than one page |

/// Makes each story two tests, one on each store.
macro_rules! on_both_stores {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    super::$story(crate::support::house::Rows::Sqlite).await;
                }
            )+
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    super::$story(crate::support::house::Rows::Postgres).await;
                }
            )+
        }
    };
}

mod actions;
mod admission;
pub mod desk;
mod looks;
mod part_no;
mod races;
mod redeem;
mod redemption;
mod samples;
mod stocking;
mod trees;
