//! Verify codes sent to a mobile phone, and their limits.

use crate::{ids::TenantId, time::UnixMs};
use serde::{Deserialize, Serialize};

/// How long a code is valid, in seconds.
pub const CODE_LIFE_S: i64 = 300;
/// How often a code may be tried.
pub const CODE_TRIES_MAX: u8 = 5;
/// At most one code to a number within this time, in seconds.
pub const CODE_PAUSE_S: i64 = 60;
/// At most this many codes to a number within an hour.
pub const CODES_PER_HOUR_MAX: usize = 5;
/// At most this many codes from a terminal within an hour.
pub const TERMINAL_CODES_PER_HOUR_MAX: usize = 60;

/// The codes of one mobile number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyCodes {
    /// Whose.
    pub tenant: TenantId,
    /// The mobile number.
    pub mobile: String,
    /// The code that may be used, if there is one.
    pub current: Option<VerifyCode>,
    /// When codes were sent within the last hour; at most [`CODES_PER_HOUR_MAX`].
    pub sent_at: Vec<UnixMs>,
}

impl VerifyCodes {
    /// When neither its code nor its limits count any more.
    #[must_use]
    pub fn useless_at(&self) -> UnixMs {
        let hour = |at: &UnixMs| at.plus_s(3600);
        let sent = self.sent_at.iter().map(hour).max();
        let code = self.current.as_ref().map(|it| it.expires_at);
        sent.max(code).unwrap_or_default()
    }
}

/// One code, hashed: six digits are guessed within a moment from a plain digest, so it is keyed
/// with the gateway's master key by the program.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyCode {
    /// The keyed digest, in hex.
    pub digest: String,
    /// When it stops being valid.
    pub expires_at: UnixMs,
    /// How often it was tried.
    pub tries: u8,
}

impl std::fmt::Debug for VerifyCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyCode {{ tries: {} }}", self.tries)
    }
}
