//! A provider that sends nothing: the operator reads the codes instead of the phones.
//!
//! | last four digits of the number | what happens |
//! |---|---|
//! | `0001` | refused: too many messages |
//! | `0002` | refused: bad number |
//! | `0003` | refused: the operator's settings |
//! | `0004` | sent, but the answer times out |
//! | `0005` | not sent, and the answer times out |
//! | `0006` | no connection |
//! | all else | sent at once |
//!
//! What was sent is kept in memory, so many messages and no more, and is gone with the process.
//! Each gateway has a sandbox of its own.

use super::{CodeMessage, Doubt, Mobile, Refusal, ReplyText, SmsOutcome, SmsProvider};
use crate::contract::{BoxFuture, Clock};
use domain::{channel::NotSent, time::UnixMs};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const NAME: &str = "sandbox";

/// How the sandbox behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SandboxSmsConfig {
    /// How many messages are kept; one more takes the place of the oldest.
    pub messages_max: usize,
    /// After how long numbers `0004` and `0005` are given up, as a real provider would be.
    pub timeout: Duration,
}

impl Default for SandboxSmsConfig {
    /// Keeps 100 messages; timeouts take 300 ms.
    fn default() -> Self {
        Self {
            messages_max: 100,
            timeout: Duration::from_millis(300),
        }
    }
}

/// A message as the operator sees it, and nobody else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// The number, all digits.
    pub mobile: String,
    /// The code.
    pub code: String,
    /// When it was sent.
    pub sent_at: UnixMs,
}

impl fmt::Debug for SentMessage {
    /// Leaves out the number and the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentMessage")
            .field("sent_at", &self.sent_at)
            .finish_non_exhaustive()
    }
}

/// The pretended provider.
pub struct SandboxSms {
    clock: Clock,
    config: SandboxSmsConfig,
    outbox: Mutex<Outbox>,
}

/// What was sent.
#[derive(Default)]
struct Outbox {
    /// The last messages, oldest first.
    messages: VecDeque<SentMessage>,
    /// How many there ever were; numbers them.
    sent_count: u64,
}

impl SandboxSms {
    /// A sandbox that has sent nothing yet.
    #[must_use]
    pub fn new(clock: Clock, config: SandboxSmsConfig) -> Self {
        let outbox = Mutex::default();
        Self {
            clock,
            config,
            outbox,
        }
    }

    /// The last messages, newest first. For the operator: they hold codes.
    #[must_use]
    pub fn messages(&self) -> Vec<SentMessage> {
        self.outbox().messages.iter().rev().cloned().collect()
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `message`, and answers as a provider that has taken it.
    fn keep(&self, message: &CodeMessage) -> SmsOutcome {
        let sent_at = (self.clock)();
        let mut outbox = self.outbox();
        outbox.sent_count = outbox.sent_count.saturating_add(1);
        outbox.messages.push_back(SentMessage {
            mobile: message.mobile.as_str().to_owned(),
            code: message.code.as_str().to_owned(),
            sent_at,
        });
        while outbox.messages.len() > self.config.messages_max {
            outbox.messages.pop_front();
        }
        SmsOutcome::Accepted {
            provider_id: ReplyText::numbered("sandbox-", outbox.sent_count),
        }
    }

    async fn time_out(&self) -> SmsOutcome {
        tokio::time::sleep(self.config.timeout).await;
        SmsOutcome::Unknown(Doubt::Unanswered)
    }
}

impl SmsProvider for SandboxSms {
    fn name(&self) -> &str {
        NAME
    }

    fn send_code(&self, message: CodeMessage) -> BoxFuture<'_, SmsOutcome> {
        Box::pin(async move {
            match Trigger::of(&message.mobile) {
                Trigger::Sends => self.keep(&message),
                Trigger::Refuses(why) => refused(why),
                Trigger::TimesOutSent => {
                    self.keep(&message);
                    self.time_out().await
                }
                Trigger::TimesOutUnsent => self.time_out().await,
                Trigger::NoConnection => SmsOutcome::NotSent(NotSent::Connect),
            }
        })
    }
}

/// What a number makes the sandbox do.
enum Trigger {
    Sends,
    Refuses(Refusal),
    TimesOutSent,
    TimesOutUnsent,
    NoConnection,
}

impl Trigger {
    fn of(mobile: &Mobile) -> Self {
        let digits = mobile.as_str();
        match digits.get(digits.len().saturating_sub(4)..) {
            Some("0001") => Self::Refuses(Refusal::FlowControl),
            Some("0002") => Self::Refuses(Refusal::BadNumber),
            Some("0003") => Self::Refuses(Refusal::Configuration),
            Some("0004") => Self::TimesOutSent,
            Some("0005") => Self::TimesOutUnsent,
            Some("0006") => Self::NoConnection,
            Some(_) | None => Self::Sends,
        }
    }
}

fn refused(why: Refusal) -> SmsOutcome {
    let code = ReplyText::ours(match why {
        Refusal::FlowControl => "sandbox.0001",
        Refusal::BadNumber => "sandbox.0002",
        Refusal::Configuration => "sandbox.0003",
    });
    SmsOutcome::Refused { why, code }
}
