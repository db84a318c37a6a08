//! What may happen.

use super::bank::Luck;
use domain::command::CancelMode;

/// One thing that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Step {
    Begin {
        number: u8,
        fen: u16,
        by_code: bool,
    },
    Charge {
        payment: u8,
        luck: Luck,
    },
    PayerActs {
        payment: u8,
        pays: bool,
    },
    Ask {
        payment: u8,
        luck: Luck,
    },
    GiveUp {
        payment: u8,
    },
    Reverse {
        payment: u8,
        luck: Luck,
    },
    Cancel {
        payment: u8,
        mode: CancelMode,
    },
    Decide {
        payment: u8,
        approve: bool,
    },
    Refund {
        payment: u8,
        number: u8,
        percent: u8,
    },
    AskRefund {
        refund: u8,
        luck: Luck,
    },
    TopUp {
        number: u8,
    },
    AskTopUp {
        top_up: u8,
        luck: Luck,
    },
    Hear {
        answer: u8,
    },
    Work {
        luck: Luck,
    },
    Deliver {
        acknowledged: bool,
    },
    Renotify {
        payment: u8,
    },
    Pass {
        s: u8,
    },
}
