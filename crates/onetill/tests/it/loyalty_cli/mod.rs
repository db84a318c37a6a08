//! Dialect 2 from the command line, against a demo gateway in a process of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`bench`] | `onetill simulate roster`, and `onetill bench` at its terminals |
//! | [`calls`] | `onetill call` as a terminal |
//! | [`day`] | `onetill simulate till` |
//! | [`provisioning`] | stores, terminals, cards, programs, beside a gateway and without one |

mod bench;
mod calls;
mod day;
mod provisioning;

use crate::support::shop::Shop;
