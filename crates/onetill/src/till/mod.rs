//! A terminal of dialect 2 from its own side: what it remembers between two messages, without any
//! input or output. `onetill call` is one terminal with a file for a memory, `onetill simulate
//! till` is many.
//!
//! | module | holds |
//! |---|---|
//! | [`terminal`] | the terminal: keys, batch, numbers, and the message that is not answered yet |
//! | [`sale`] | what a terminal asks for, and how it is made a message |
//! | [`settlement`] | the batch's totals and journal as messages |
//! | [`journal`] | what it did in its batch, and what that adds up to |
//! | [`reply`] | how it takes an answer: done, refused, or not known |
//! | [`told`] | what it sent and was told, as the store's gate takes it |
//! | [`written`] | the dialect's numbers as texts in its file |

pub mod journal;
pub mod reply;
pub mod sale;
pub mod settlement;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod told;
mod written;

pub use journal::{Entry, Journal, Used};
pub use reply::Fate;
pub use sale::{Purchase, Swipe, TakeBackKind, Which};
pub use terminal::{Message, Till, TillError};
