//! Which status says what: the dialect's words for what the use cases refuse.

use crate::app::AppError;
use domain::loyalty::trans::Refusal;
use wire::jpos::{Outcome, RequestError, Status, form::FormError, name};

/// Why a message is not carried out.
pub(super) struct Refused {
    /// What is answered.
    pub outcome: Outcome,
    /// It is counted against its address: nobody knows who sends it.
    pub is_stranger: bool,
}

impl Refused {
    /// A refusal to a terminal that is known.
    pub fn new(status: Status) -> Self {
        Self {
            outcome: Outcome::new(status),
            is_stranger: false,
        }
    }

    /// A refusal to somebody who is not.
    pub fn stranger(status: Status) -> Self {
        Self {
            is_stranger: true,
            ..Self::new(status)
        }
    }

    /// A field that is missing or bad.
    pub fn field(field: &str) -> Self {
        Self {
            outcome: Outcome::naming(Status::BadField, field),
            is_stranger: false,
        }
    }

    /// A form that cannot be read: it does not even say who sends it.
    pub fn form(error: FormError) -> Self {
        Self {
            outcome: RequestError::Form(error).outcome(),
            is_stranger: true,
        }
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self {
            outcome: error.outcome(),
            is_stranger: false,
        }
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

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::PinMissing => return Self::field(name::PASSWORD),
            Refusal::AmountInvalid => {
                return Self {
                    outcome: Outcome::naming(Status::BadAmount, name::POINT_AMOUNT),
                    is_stranger: false,
                };
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
