//! The wire dialects of Onetill: bytes to messages and back, with their signatures, ciphers
//! and code tables. Server, command line client and tests use the same code.
//!
//! What is absent: business rules, sockets, the clock, randomness, floating point numbers,
//! and anything that can panic on input. Every decoder is total and bounded.
//!
//! In reading order:
//!
//! - [`opengateway`]: dialect 1, wallet payments and data top-up;
//! - [`jpos`]: dialect 2, member points, tickets and POS batches;
//! - [`voucher`]: dialect 3, prepaid vouchers from the printer's reel to the till.

mod dictionary;
pub mod jpos;
mod json;
mod locale;
mod node;
pub mod opengateway;
mod text;
pub mod voucher;

pub use locale::Locale;
