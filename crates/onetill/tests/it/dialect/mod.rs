//! Dialect 1 over HTTP.
//!
//! | module | proves |
//! |---|---|
//! | [`vectors`] | what independent clients send, byte for byte |
//! | [`fields`], [`parameters`] | every row of the source's request tables |
//! | [`dictionaries`], [`codes`] | every row of its appendices 2 to 5 |
//! | [`refusals`] | which of two faults is told |
//! | [`documents`], [`white_space`] | bodies that must not pass |
//! | [`envelope`], [`transport`] | how replies are written and what requests may look like |
//! | [`triggers`], [`hangups`] | preOrder to its end, whatever the channel and the client do |
//! | [`silence`] | channels that do not answer |
//! | [`uniqueness`] | one serial, one charge |
//! | [`orders`] | orders that the payer pays, in every flow |
//! | [`notifications`], [`deliveries`], [`targets`] | what merchants are told, how often, and where |
//! | [`refunds`], [`refund_races`] | money that goes back |
//! | [`cancels`], [`cancel_races`] | undoing a payment in every state |
//! | [`queries`] | what a query shows, and to whom |
//! | [`recharges`] | data top-ups |

/// Tells each story on both stores: a story takes [`Rows`](crate::support::house::Rows).
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

mod cancel_races;
mod cancels;
mod codes;
mod deliveries;
mod dictionaries;
mod documents;
mod envelope;
mod fields;
mod hangups;
mod notifications;
mod orders;
mod parameters;
mod queries;
mod recharges;
mod refund_races;
mod refunds;
mod refusals;
mod silence;
mod targets;
mod transport;
mod triggers;
mod uniqueness;
mod vectors;
mod white_space;

#[test]
fn no_file_of_this_folder_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/dialect");
    let declared = include_str!("mod.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let line = format!("\nmod {module};\n");
        assert!(module == "mod" || declared.contains(&line), "{name}");
    }
}
