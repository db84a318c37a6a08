//! What happens to voucher codes.
//!
//! | command | decides |
//! |---|---|
//! | [`ChangeStock`] | activation and voiding as partners ask for them, freezing as operators do |
//! | [`ExpireSpan`] | the end of a term |
//! | [`OpenCarton`], [`FinishCarton`], [`NoteCustody`] | new stock |
//! | [`DiscardCarton`], [`ForgetCarton`] | stock that was never finished |
//! | [`PutPartner`], [`PutVoucherTicket`], [`PutActivity`] | what an operator sets up |
//!
//! A use that pays a part of a payment is held, spent and given back by the payment's own commands.

mod change_stock;
mod expire;
pub(super) mod hold;
mod provision;
mod stock;

pub use change_stock::{ChangeReply, ChangeStock, Request, Target};
pub use expire::ExpireSpan;
pub use provision::{PutActivity, PutPartner, PutVoucherTicket};
pub use stock::{DiscardCarton, FinishCarton, ForgetCarton, NoteCustody, OpenCarton};
