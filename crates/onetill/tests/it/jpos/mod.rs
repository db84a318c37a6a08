//! Dialect 2, jpos, over HTTP.
//!
//! | module | proves |
//! |---|---|
//! | [`flow`] | a day at a terminal, from check-in to settlement |
//! | [`precedence`] | which of two faults is told |
//! | [`repeats`] | one message, one effect |
//! | [`reversals`] | whatever comes first and however often, a reversed message ends undone |
//! | [`returns`] | cancels, refunds, refunds undone |
//! | [`secrets`] | MACs and PINs, right, wrong and too often |
//! | [`races`] | two terminals and the last points |
//! | [`settlements`] | a batch that does not balance |
//! | [`looks`] | what a card shows |
//! | [`members`] | codes, activation |
//! | [`transport`] | paths, methods, sizes, members that are never missing |
//! | [`admission`] | from where a terminal may speak |
//! | [`certificates`] | client certificates that admit a terminal |
//! | [`codes`] | voucher codes that a card holds: tickets of a terminal, and payment at a till |
//! | [`demo`] | the demo data, loaded by a gateway that is killed on the way |
//! | [`strangers`] | who may not speak changes no row |
//! | [`edges`] | batch numbers that begin again, clocks that are set back |
//! | [`programs`] | what a program's rules do at the till |
//! | [`provisioning`] | stores, terminals and cards as an operator sets them up |
//! | [`expiry`] | points and tickets whose time is over |
//! | [`pos`] | the terminal that all of them use |

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

mod admission;
mod certificates;
mod codes;
mod demo;
mod edges;
mod expiry;
mod flow;
mod looks;
mod members;
mod pos;
mod precedence;
mod programs;
mod provisioning;
mod races;
mod repeats;
mod returns;
mod reversals;
mod secrets;
mod settlements;
mod strangers;
mod transport;

#[test]
fn no_file_of_this_folder_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/jpos");
    let declared = include_str!("mod.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let line = format!("\nmod {module};\n");
        assert!(module == "mod" || declared.contains(&line), "{name}");
    }
}
