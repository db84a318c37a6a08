//! Sending a verification code to a mobile phone, behind one contract.
//!
//! | module | holds |
//! |---|---|
//! | [`SmsProvider`] | the contract, and what it is asked with |
//! | [`SmsGuard`] | the deadline, circuit breaker and counter around each provider |
//! | [`sandbox`] | a provider that sends nothing and shows the operator what it would have sent |
//! | [`aliyun`] | Alibaba Cloud's SMS service |
//!
//! Whoever reads a code can bind a member card, so no type here shows one in its `Debug`, and of a
//! number only the last digits are shown.
//!
//! What is absent on purpose: whose code it is, how long it is good, and how often a number may
//! ask for one.

pub mod aliyun;
mod guard;
mod outcome;
pub mod sandbox;

#[cfg(test)]
mod tests;

pub use guard::SmsGuard;
pub use outcome::{Doubt, Refusal, ReplyText, SmsOutcome};

use crate::contract::BoxFuture;
use std::fmt;

/// The fewest digits of a number, with its country code where it has one.
const MOBILE_DIGITS_MIN: usize = 8;
/// The most digits of a number; no country has longer ones.
const MOBILE_DIGITS_MAX: usize = 15;
/// How many of a number's last digits may be shown to others than the operator.
const SHOWN_DIGITS: usize = 4;
/// How many digits a code has.
const CODE_DIGITS: usize = 6;

/// One provider that sends text messages.
pub trait SmsProvider: Send + Sync {
    /// The name operators know it by; labels metrics and logs.
    fn name(&self) -> &str;

    /// Sends a verification code. Every call is one more message: a call must not be repeated
    /// because its outcome is [`SmsOutcome::Unknown`].
    fn send_code(&self, message: CodeMessage) -> BoxFuture<'_, SmsOutcome>;
}

/// "Send this code to that phone."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMessage {
    /// The phone.
    pub mobile: Mobile,
    /// The code.
    pub code: VerifyCode,
}

/// A mobile phone's number: 8 to 15 digits, the country code first where there is one. Whether
/// it can receive messages only the provider knows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mobile(String);

impl Mobile {
    /// Reads a number; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (MOBILE_DIGITS_MIN..=MOBILE_DIGITS_MAX).contains(&text.len());
        (fits && is_digits(text)).then(|| Self(text.to_owned()))
    }

    /// All digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Mobile {
    /// Shows the last four digits only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().saturating_sub(SHOWN_DIGITS);
        write!(f, "Mobile(*{})", self.0.get(shown..).unwrap_or_default())
    }
}

/// A verification code: six digits.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyCode(String);

impl VerifyCode {
    /// Reads a code; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == CODE_DIGITS && is_digits(text)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for VerifyCode {
    /// Shows nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyCode(..)")
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
