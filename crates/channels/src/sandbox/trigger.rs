//! What a payer's code makes the sandbox do: its last two digits decide.

use super::account::State;
use domain::{channel::Decline, time::UnixMs};

/// After how long the customer of code `01` confirms, in milliseconds.
pub(super) const CONFIRM_MS: i64 = 6_000;

/// What a code asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// `01`: the customer confirms after 6 s.
    ConfirmsLater,
    /// `02`: declined, insufficient funds.
    InsufficientFunds,
    /// `03`: the customer never confirms.
    NeverConfirms,
    /// `04`: charged, but the answer times out.
    TimesOutCharged,
    /// `05`: lost on the way, and the answer times out.
    TimesOutUncharged,
    /// `06`: declined, expired code.
    CodeExpired,
    /// `07`: answers HTTP 500 twice, then pays.
    FailsTwice,
    /// `08`: paid only after a cancel reached the channel.
    PaysOnCancel,
    /// All else: paid at once.
    PaysAtOnce,
}

impl Trigger {
    /// The trigger of `payer_code`.
    pub(super) fn of(payer_code: &str) -> Self {
        let start = payer_code.len().saturating_sub(2);
        match payer_code.get(start..) {
            Some("01") => Self::ConfirmsLater,
            Some("02") => Self::InsufficientFunds,
            Some("03") => Self::NeverConfirms,
            Some("04") => Self::TimesOutCharged,
            Some("05") => Self::TimesOutUncharged,
            Some("06") => Self::CodeExpired,
            Some("07") => Self::FailsTwice,
            Some("08") => Self::PaysOnCancel,
            Some(_) | None => Self::PaysAtOnce,
        }
    }

    /// Where the charge leaves the payment; `None` when the channel never hears of it.
    pub(super) const fn state(self, now: UnixMs) -> Option<State> {
        Some(match self {
            Self::ConfirmsLater => State::Confirms(now.plus_ms(CONFIRM_MS)),
            Self::InsufficientFunds => State::Declined(Decline::InsufficientFunds),
            Self::NeverConfirms => State::Silent,
            Self::TimesOutCharged | Self::PaysAtOnce => State::Paid(now),
            Self::TimesOutUncharged => return None,
            Self::CodeExpired => State::Declined(Decline::CodeExpired),
            // The charge itself is the first of the two failures.
            Self::FailsTwice => State::Failing(1),
            Self::PaysOnCancel => State::PaysOnCancel,
        })
    }

    /// Whether the caller waits for an answer in vain.
    pub(super) const fn times_out(self) -> bool {
        matches!(self, Self::TimesOutCharged | Self::TimesOutUncharged)
    }

    /// Whether the charge itself gets no answer that says anything.
    pub(super) const fn is_unanswered(self) -> bool {
        matches!(self, Self::FailsTwice) || self.times_out()
    }
}
