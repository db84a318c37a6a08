//! The decisions about member cards, terminals and batches.
//!
//! | command | decides |
//! |---|---|
//! | [`CheckIn`], [`NoteMac`] | the batch a terminal works in and its keys; right and wrong MACs |
//! | [`Consume`], [`TicketsConsume`] | what a message spends of a card |
//! | [`Decline`] | what was found wrong with a message before |
//! | [`GiveBack`] | cancels, refunds, and the undoing of refunds |
//! | [`Reverse`] | the undoing of a message whose answer was lost |
//! | [`SendCode`], [`Activate`] | cards given to members |
//! | [`Settle`], [`SettleDetails`] | the end of a batch |
//! | [`AddStore`], [`AddTerminal`], [`AddCards`], [`SetStore`], [`SetTerminal`], [`SetCard`] | provisioning |
//! | [`HoldCode`], [`LetGoOfCode`] | voucher codes that a card holds |
//! | [`FinishWork`] | what an operator has looked at |
//! | [`Expire`], [`ForgetCodes`] | the workers |

mod activate;
mod check_in;
mod codes;
mod consume;
mod decline;
mod desk;
mod finish_work;
mod give_back;
mod hold_code;
mod message;
mod provision;
mod reverse;
mod settle;
mod upkeep;

pub use activate::{Activate, SendCode};
pub use check_in::{CheckIn, CheckedInto, NewKeys, NoteMac};
pub use consume::{Consume, TicketsConsume};
pub use decline::Decline;
pub use finish_work::FinishWork;
pub use give_back::{GiveBack, GiveBackKind, Original};
pub use hold_code::{HoldCode, HoldReply, LetGoOfCode};
pub use message::{Answer, Message, Missing, PinEvidence, Wanted};
pub use provision::{
    AddCards, AddStore, AddTerminal, CardChange, NewCard, SetCard, SetStore, SetTerminal,
    TerminalChange,
};
pub use reverse::Reverse;
pub use settle::{Settle, SettleDetails};
pub use upkeep::{Expire, ForgetCodes};
