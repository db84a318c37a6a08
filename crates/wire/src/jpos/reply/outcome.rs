//! `status` and `message`: how a request went.

use crate::jpos::name;
use crate::jpos::object::{MemberError, Object};
use crate::jpos::status::Status;

/// A status with its message. The message is the appendix's; only a reply that was received may
/// have another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    status: Status,
    message: String,
}

impl Outcome {
    /// A status with its text.
    pub fn new(status: Status) -> Self {
        let message = status.text().to_owned();
        Self { status, message }
    }

    /// A status about a field. Where the status is of fields (30, 13), the message names it.
    pub fn naming(status: Status, field: &str) -> Self {
        let mut outcome = Self::new(status);
        if status.names_field() {
            outcome.message.push('：');
            outcome.message.push_str(field);
        }
        outcome
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The message, for the cashier.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn read(object: Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            status: object.get(name::STATUS, Status::from_code)?,
            message: object.text(name::MESSAGE)?,
        })
    }
}
