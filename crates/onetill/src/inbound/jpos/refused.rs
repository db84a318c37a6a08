//! Which status says what: the dialect's words for what the use cases refuse.

use crate::app::{AppError, loyalty::Rejection};
use domain::{loyalty::trans::Refusal, time::UnixMs};
use wire::jpos::{Outcome, RequestError, Status, form::FormError, name};

/// How well the sender of a refused message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// It is a known terminal.
    Known,
    /// Nobody knows who it is: the failure is to be counted against its address.
    Stranger,
    /// It was counted against its address already.
    Counted,
    /// Its address has failed too often.
    TurnedAway,
}

/// Why a message is not carried out.
pub(super) struct Refused {
    /// What is answered.
    pub outcome: Outcome,
    /// How well its sender is known.
    pub sender: Sender,
    /// When it was first refused, where that is recorded.
    pub at: Option<UnixMs>,
}

impl Refused {
    /// A refusal to a terminal that is known.
    pub fn new(status: Status) -> Self {
        Self::told(Outcome::new(status))
    }

    /// A refusal to a terminal that is known, in these words.
    pub const fn told(outcome: Outcome) -> Self {
        Self {
            outcome,
            sender: Sender::Known,
            at: None,
        }
    }

    /// A refusal to somebody who is not.
    pub fn stranger(status: Status) -> Self {
        Self {
            sender: Sender::Stranger,
            ..Self::new(status)
        }
    }

    /// A refusal to somebody whose address has failed too often.
    pub fn turned_away() -> Self {
        Self {
            sender: Sender::TurnedAway,
            ..Self::new(Status::NoRoute)
        }
    }

    /// A field that is missing or bad.
    pub fn field(field: &str) -> Self {
        Self::told(Outcome::naming(Status::BadField, field))
    }

    /// Whether it may be its terminal's fault, and nothing was recorded: a terminal that was only
    /// remembered has to be looked up then.
    pub fn is_about_terminal(&self) -> bool {
        let of_terminal = [
            Status::UnknownTerminal,
            Status::TerminalBlocked,
            Status::CheckinNeeded,
            Status::MacFailed,
        ];
        self.at.is_none() && of_terminal.contains(&self.outcome.status())
    }

    /// A form that cannot be read: it does not even say who sends it.
    pub fn form(error: FormError) -> Self {
        Self {
            sender: Sender::Stranger,
            ..Self::told(RequestError::Form(error).outcome())
        }
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self::told(error.outcome())
    }
}

impl From<AppError> for Refused {
    /// What is not known to be undone, the terminal has to reverse; the rest it may send again.
    fn from(error: AppError) -> Self {
        Self::new(match error {
            AppError::Overloaded | AppError::StoreDown | AppError::Unavailable => {
                Status::IssuerDown
            }
            AppError::OutcomeUnknown => Status::NoAnswer,
            AppError::NoContract | AppError::Unforeseen => Status::Internal,
        })
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self {
            at: rejection.recorded_at,
            ..Self::from(rejection.refusal)
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::PinMissing => return Self::field(name::PASSWORD),
            Refusal::AmountInvalid => {
                return Self::told(Outcome::naming(Status::BadAmount, name::POINT_AMOUNT));
            }
            Refusal::UnknownTerminal => Status::UnknownTerminal,
            Refusal::TerminalInvalid => Status::TerminalBlocked,
            Refusal::NotCheckedIn => Status::CheckinNeeded,
            Refusal::MacWrong => Status::MacFailed,
            Refusal::OverLimit => Status::OverLimit,
            Refusal::TooMany => Status::TooMany,
            Refusal::UnknownCard => Status::UnknownCard,
            Refusal::NotActive => Status::CardNotActive,
            Refusal::CardExpired => Status::CardExpired,
            Refusal::CardBlocked => Status::CardBlocked,
            Refusal::Restricted => Status::CardRestricted,
            Refusal::TooFew => Status::TooLittle,
            Refusal::PinWrong => Status::WrongPin,
            Refusal::PinLocked => Status::PinLocked,
            Refusal::CodeWrong => Status::WrongIdentity,
            Refusal::OriginalMissing => Status::OriginalMissing,
            Refusal::NotAllowed => Status::NotAllowed,
            Refusal::InConflict => Status::Conflict,
            Refusal::AmountDiffers => Status::AmountDiffers,
            Refusal::DuplicateTrace => Status::DuplicateTrace,
        };
        Self::new(status)
    }
}
