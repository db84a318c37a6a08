//! The use cases. A dialect decodes a request, calls one of these, and encodes what it says; the
//! command line and the workers call the same ones.
//!
//! | module | holds |
//! |---|---|
//! | [`gateway`] | what every use case works with |
//! | [`directory`] | the merchants, kept in memory |
//! | [`serials`] | gateway serials under a node lease |
//! | [`settlements`] | waiting for a payment to settle |
//! | [`pay`] | charging a payer's code, and orders that the payer pays |
//! | [`refund`], [`cancel`] | money that goes back |
//! | [`recharge`] | data top-ups |
//! | [`loyalty`] | member cards: points, tickets, terminals and their batches |
//! | [`voucher`] | prepaid codes: partners, activation, trees, redemption |
//! | [`contradictions`] | what channels say against the books |
//! | [`chase`] | one step of finishing what a crash, a lost answer or a late success left open |

pub mod cancel;
pub mod chase;
pub mod compose;
pub mod contradictions;
pub mod directory;
pub mod gateway;
pub mod loyalty;
pub mod pay;
pub mod payer_code;
pub mod recharge;
pub mod refund;
pub mod serials;
pub mod settlements;
pub mod voucher;

pub use gateway::{AppError, Gateway, Rules};
