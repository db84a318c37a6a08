//! Dialect 2 from the command line, against a demo gateway in a process of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`calls`] | `onetill call` as a terminal |
//! | [`day`] | `onetill simulate till` |
//! | [`provisioning`] | stores, terminals, cards, programs, beside a gateway and without one |

mod calls;
mod day;
mod provisioning;

use crate::support::shop::Shop;
