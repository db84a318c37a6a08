//! Prepaid vouchers: codes that partners sell and tills redeem.
//!
//! A box of codes is stored as what happened to ranges of it ([`span`]), not as a state a code:
//! activating a million codes changes one row. Only a code that a till touched has a row of its
//! own ([`code_use`]). What a code is worth now follows from both ([`status`]).
//!
//! | module | holds |
//! |---|---|
//! | [`code`] | which code: its box and its place in it; ranges of codes |
//! | [`stock`] | boxes, packages and reels, and who held them |
//! | [`ticket`] | what a code is good for |
//! | [`partner`] | who sells codes and may change them |
//! | [`span`] | neighbouring codes to which the same happened |
//! | [`code_use`] | what tills did with one code |
//! | [`status`] | where a code stands |
//! | [`paying`] | the codes that new payments name |
//! | [`change`] | a recorded change of ranges: activation, voiding, freezing, expiry |
//! | [`postings`] | the ledger postings of all that |
//! | [`rows`] | the rows a batch of commands loads and changes |

pub mod change;
pub mod code;
pub mod code_use;
pub mod partner;
pub mod paying;
pub mod postings;
pub mod rows;
pub mod span;
pub mod status;
pub mod stock;
pub mod ticket;
