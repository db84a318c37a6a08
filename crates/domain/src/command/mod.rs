//! The decisions. A command names the rows it needs and, given them, decides what changes and
//! what is answered. It may be decided more than once (when a store has to try again), so it
//! changes nothing but the rows.
//!
//! | command | decides |
//! |---|---|
//! | [`BeginPayment`] | is this payment new? |
//! | [`RecordPay`] | what the answer to the charge makes of it |
//! | [`RecordQuery`] | what the channel's later word makes of it |
//! | [`GiveUp`], [`RecordReverse`] | its end when nobody paid in time |
//! | [`Cancel`], [`DecideCancel`] | its undoing by the merchant and the operator |
//! | [`BarRedemption`] | the undoing of a redemption that has not come |
//! | [`BeginRefund`], [`RecordRefund`] | money that goes back |
//! | [`BeginRecharge`], [`RecordRecharge`] | data top-ups |
//! | [`loyalty`] | what terminals ask for members' cards |
//! | [`voucher`] | what happens to ranges of voucher codes |
//! | [`ClaimJobs`], [`ClaimNotifications`], [`RecordDelivery`], [`Renotify`] | the workers |

mod bar_redemption;
mod begin_payment;
mod cancel;
pub mod loyalty;
mod recharge;
mod record_pay;
mod refund;
mod reverse;
pub mod voucher;
mod work;

pub use bar_redemption::{BarRedemption, Barred};
pub use begin_payment::{Began, BeginPayment};
pub use cancel::{Cancel, CancelMode, CancelReply, DecideCancel, DecideReply};
pub use recharge::{BeginRecharge, RechargeBegan, RecordRecharge};
pub use record_pay::{Learned, QueryOutcome, RecordPay, RecordQuery};
pub use refund::{BeginRefund, RecordRefund, RefundReply};
pub use reverse::{GiveUp, RecordReverse};
pub use work::{ClaimJobs, ClaimNotifications, RecordDelivery, Renotify};

use crate::{
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// One decision over stored rows.
pub trait Command: Send + 'static {
    /// What is answered once the change is durable.
    type Reply: Send + 'static;

    /// Whether it begins something new. Under overload only such commands are refused: what has
    /// happened already must be recorded.
    const BEGINS: bool = false;

    /// Names the rows this decision needs.
    fn plan<'a>(&'a self, plan: &mut Plan<'a>);

    /// Decides.
    ///
    /// # Errors
    /// When the stored rows contradict each other; then nothing of the batch is written.
    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Self::Reply, Inconsistent>;
}
