//! Messages to merchants, and whom they may reach.
//!
//! | module | holds |
//! |---|---|
//! | [`guard`] | which addresses and URLs the operator lets us call, as pure functions |
//! | [`sender`] | one attempt: post, and read nothing but the status |
//!
//! A merchant chooses the URL, the server makes the call: without the guard a merchant could reach
//! whatever the server can. So a URL is judged at intake, and again at every attempt, where its
//! name is resolved, judged, and connected to in one go.
//!
//! What is absent on purpose: when to try again, what the message says, and the store.

pub mod guard;
mod resolver;
pub mod sender;

pub use guard::{Target, TargetError, TargetPolicy, check_url, is_public};
pub use sender::{ATTEMPT_TIMEOUT, Attempt, Outcome, Post, Sender, SenderError};
