//! What must hold for any bytes whatever: one function a decoder, and one for sequences of
//! commands. Each takes bytes, panics when something is not as it must be, and returns nothing.
//!
//! cargo-fuzz calls them from `fuzz/fuzz_targets`; `cargo test` replays the kept inputs
//! (`fuzz/corpus`) and every input that ever failed (`fuzz/crashes`) through the same functions.
//!
//! | module | probes |
//! |---|---|
//! | [`documents`] | bodies of JSON and XML |
//! | [`requests`] | a whole request: URL, seal, signature, message |
//! | [`replies`] | what clients read: replies and notifications |
//! | [`texts`] | the small parsers: amounts, serials, URLs, signatures, sealed texts |
//! | [`jpos`] | dialect 2: a request, a reply, and its small parsers |
//! | [`voucher`] | dialect 3: a message, a reply, its small parsers and its keys |
//! | [`rows`] | stored rows |
//! | [`decisions`] | any commands in any order over the memory store, audited after each |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a probe stops at the first thing that is not as it should be"
)]

mod bytes;
pub mod decisions;
pub mod documents;
pub mod jpos;
pub mod replies;
pub mod requests;
pub mod rows;
pub mod texts;
pub mod voucher;

/// One probe: it panics when the bytes break something.
pub type Probe = fn(&[u8]);

/// Every probe by the name of its fuzz target.
pub const PROBES: [(&str, Probe); 15] = [
    ("json_document", documents::json),
    ("xml_document", documents::xml),
    ("request", requests::probe),
    ("reply", replies::probe),
    ("seal", texts::seal),
    ("numbers", texts::numbers),
    ("url", texts::url),
    ("jpos_request", jpos::request),
    ("jpos_reply", jpos::reply),
    ("jpos_texts", jpos::texts),
    ("voucher_request", voucher::request),
    ("voucher_reply", voucher::reply),
    ("voucher_texts", voucher::texts),
    ("rows", rows::probe),
    ("decisions", decisions::probe),
];
