//! What is asked and answered: JSON both ways. The command line speaks it too.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The path of this API.
pub const PATH: &str = "/api/v1/redemptions";
/// The header that names the merchant.
pub const MERCHANT: &str = "onetill-merchant";
/// The header with the signature of the body, made as dialect 1 makes it.
pub const SIGN: &str = "onetill-sign";

/// What is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Request {
    /// Uses a code once.
    Redeem(Redeem),
    /// Gives the use back.
    Undo(Undo),
}

/// A use of a code.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The merchant's own number of it, 1 to 64 characters, used for nothing else ever: repeated
    /// with the same words it is answered as the first time.
    pub serial: String,
    /// The code.
    pub code: String,
    /// The shop, up to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<String>,
    /// The terminal, 1 to 64 characters.
    pub terminal: String,
}

impl fmt::Debug for Redeem {
    /// Without the code: it pays.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redeem")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// The undoing of a use. Where none is known under the number, one that comes later is refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// The number under which the code was redeemed.
    pub serial: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What became of the redemption.
    pub result: Outcome,
    /// The merchant's number of it.
    pub serial: String,
    /// The gateway's number of it, 20 digits.
    pub gateway_serial: String,
    /// When the use was gone, or came back: `yyyy-MM-dd HH:mm:ss` in the gateway's zone.
    pub at: String,
    /// What the code is good for; where a use is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Voucher>,
}

/// What became of a redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The use is gone.
    Redeemed,
    /// The use is back.
    Undone,
    /// An operator decides whether it comes back.
    Waiting,
}

/// What a code is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// The ticket type.
    pub ticket: u32,
    /// Its name.
    pub name: String,
    /// What one use pays, in yuan with two decimals; `0.00` for goods.
    pub face_value: String,
    /// How often a code of it may be used.
    pub uses: u32,
    /// How often this one may still be used, after this redemption.
    pub uses_left: u32,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Why, for programs.
    pub error: Failure,
    /// Why, for people, and what to do.
    pub message: String,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The request is not understood.
    BadRequest,
    /// The merchant is not known, or the signature is wrong.
    NotAdmitted,
    /// No such code.
    UnknownCode,
    /// Nothing was redeemed under the serial, and nothing ever will be.
    UnknownSerial,
    /// It was undone before it came: nothing was used.
    Undone,
    /// The serial is that of something else.
    SerialTaken,
    /// The code is not active yet.
    NotActive,
    /// The code is used up.
    UsedUp,
    /// The code is void.
    Void,
    /// The code's term is over, or has not begun.
    Expired,
    /// All uses that are left are held by open payments.
    Reserved,
    /// The code is frozen.
    Frozen,
    /// Too many failures, requests or unknown codes.
    TooMany,
    /// The gateway takes no more, or its store is down: nothing was done.
    Unavailable,
    /// Nobody knows whether it was done: the same request again tells.
    OutcomeUnknown,
}
