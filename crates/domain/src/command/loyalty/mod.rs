//! The decisions about member cards, terminals and batches.
//!
//! | command | decides |
//! |---|---|

mod message;

pub use message::{Answer, Message, Missing, PinEvidence, Wanted};
