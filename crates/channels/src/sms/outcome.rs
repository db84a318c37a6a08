//! What a provider can say about a message it was asked to send.

use domain::channel::NotSent;
use std::{borrow::Cow, fmt};

/// The longest text of a provider that is kept.
const REPLY_TEXT_BYTES_MAX: usize = 64;

/// The answer to "send this code to that phone".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsOutcome {
    /// The provider has taken the message. Whether it reaches the phone is the network's affair.
    Accepted {
        /// The provider's own number of the message.
        provider_id: ReplyText,
    },
    /// The provider refused; nothing is sent.
    Refused {
        /// Why, as far as it matters here.
        why: Refusal,
        /// Why, in the provider's words.
        code: ReplyText,
    },
    /// The call certainly did not reach the provider.
    NotSent(NotSent),
    /// Nobody knows whether the message was sent: the code must stay good.
    Unknown(Doubt),
}

/// Why a provider refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many messages: to this number, or in all. Later it may take one.
    FlowControl,
    /// It sends nothing to such a number.
    BadNumber,
    /// Not this message's fault: the operator's settings, account, permissions or balance.
    Configuration,
}

/// Why nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No answer came, or none in time.
    Unanswered,
    /// What came, with this HTTP status, is no answer.
    Unreadable {
        /// The status.
        status: u16,
    },
    /// The provider does not know itself, or its answer has no meaning here.
    Provider {
        /// The answer, in the provider's words.
        code: ReplyText,
    },
}

/// A short text of a provider: a code or a number. It is printable ASCII without spaces and at
/// most 64 bytes long, so it can neither break a log line nor fill a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyText(Cow<'static, str>);

impl ReplyText {
    /// Takes over a text; `None` when it is empty, too long or holds other characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=REPLY_TEXT_BYTES_MAX).contains(&text.len());
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && is_plain).then(|| Self(Cow::Owned(text.to_owned())))
    }

    /// A text of our own, for a provider in this process.
    pub(super) const fn ours(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A number of our own behind `prefix`, for a provider in this process.
    pub(super) fn numbered(prefix: &'static str, number: u64) -> Self {
        Self(Cow::Owned(format!("{prefix}{number}")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReplyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SmsOutcome {
    /// For the operator's log: holds neither number nor code, and says what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { provider_id } => write!(f, "accepted as {provider_id}"),
            Self::Refused { why, code } => write!(f, "refused ({code}): {why}"),
            Self::NotSent(why) => write!(f, "not sent: {}", not_sent_text(*why)),
            Self::Unknown(doubt) => write!(f, "it is not known whether it was sent: {doubt}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FlowControl => "too many messages for the provider's limits; try again later",
            Self::BadNumber => "the provider sends nothing to this number",
            Self::Configuration => {
                "check the SMS settings, and account and balance at the provider"
            }
        })
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered => f.write_str("no answer came"),
            Self::Unreadable { status } => {
                write!(
                    f,
                    "HTTP {status} with no readable answer; check the endpoint"
                )
            }
            Self::Provider { code } => write!(f, "the provider says {code}"),
        }
    }
}

const fn not_sent_text(why: NotSent) -> &'static str {
    match why {
        NotSent::Unavailable => "the provider has failed too often and is left alone for a while",
        NotSent::Connect => "no connection; check the endpoint, the network and its firewall",
        NotSent::Secure => "no TLS connection; check the certificate authorities and the clock",
        NotSent::Write => "the request could not be written; check the clock",
    }
}
