//! A terminal's line to the gateway. On a bad day messages are lost, on the way there or back;
//! what really happened is known here, and only to judge what comes after.

use super::report::Tally;
use crate::{
    cli::call::{Http, SendError},
    simulate::dice::Dice,
    till::{Message, reply::read},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use wire::jpos::{Reply, operation::Version};

/// How long a gateway may be away altogether.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What a terminal hears after it has sent something.
pub(super) enum Heard {
    /// The answer.
    Answer(Box<Reply>),
    /// Nothing. The answer was this, and got lost.
    AnswerLost(Box<Reply>),
    /// Nothing. The message never arrived.
    RequestLost,
    /// Nothing, and nobody knows why.
    Broken(String),
}

/// A line.
pub struct Line {
    http: Arc<Http>,
    base: String,
    slots: Arc<Semaphore>,
    jams_per_mille: u64,
    dice: Dice,
    pub(super) tally: Tally,
}

impl Line {
    /// A line without jams.
    #[must_use]
    pub fn new(http: Arc<Http>, base: &str, slots: Arc<Semaphore>) -> Self {
        Self {
            http,
            base: base.to_owned(),
            slots,
            jams_per_mille: 0,
            dice: Dice::new(0),
            tally: Tally::default(),
        }
    }

    /// The line with so many lost messages in a thousand.
    #[must_use]
    pub fn jammed(self, jams_per_mille: u64, dice: Dice) -> Self {
        Self {
            jams_per_mille,
            dice,
            ..self
        }
    }

    /// Sends a message over the line as it is.
    ///
    /// # Errors
    /// When the gateway stays away.
    pub(super) async fn say(&mut self, message: &Message) -> Result<Heard, String> {
        let is_jammed = self.dice.per_mille(self.jams_per_mille);
        if is_jammed && self.dice.per_mille(300) {
            self.tally.requests_lost += 1;
            return Ok(Heard::RequestLost);
        }
        let heard = self.send(message).await?;
        Ok(match heard {
            Ok(reply) if is_jammed => {
                self.tally.answers_lost += 1;
                Heard::AnswerLost(reply)
            }
            Ok(reply) => Heard::Answer(reply),
            Err(why) => {
                self.tally.broken += 1;
                Heard::Broken(why)
            }
        })
    }

    /// Sends a message that may be sent as often as one likes, until it is answered.
    ///
    /// # Errors
    /// When the gateway stays away.
    pub(super) async fn ask(&mut self, message: &Message) -> Result<Reply, String> {
        let mut patience = Patience::new();
        loop {
            match self.send(message).await? {
                Ok(reply) => return Ok(*reply),
                Err(why) => patience.wait(&why).await?,
            }
        }
    }

    /// Sends a message once; where it cannot have arrived, until it can. The inner error says why
    /// there is no answer.
    async fn send(&mut self, message: &Message) -> Result<Result<Box<Reply>, String>, String> {
        let target = format!("{}{}", self.base, message.operation.path(Version::V1));
        let mut patience = Patience::new();
        loop {
            let Ok(slot) = self.slots.acquire().await else {
                return Err("the day was broken off".to_owned());
            };
            let started = Instant::now();
            let answer = self.http.post_form(&target, message.body.clone()).await;
            drop(slot);
            match answer {
                Err(SendError::NotSent(why)) => patience.wait(&why).await?,
                Err(SendError::Lost(why)) => return Ok(Err(why)),
                // A gateway that is overloaded or stopping has done nothing.
                Ok(answer) if answer.status == 503 => patience.wait("HTTP 503").await?,
                Ok(answer) => {
                    let reply = read(message.operation, &answer.body);
                    let reply = reply.map_err(|error| format!("HTTP {}: {error}", answer.status));
                    if let Ok(reply) = &reply {
                        let status = reply.outcome.status();
                        self.tally
                            .timed(message.operation, status, started.elapsed());
                    }
                    return Ok(reply.map(Box::new));
                }
            }
        }
    }
}

/// Pauses that grow, up to the end of patience.
pub(super) struct Patience {
    since: Instant,
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            pause: PAUSE_MIN,
        }
    }

    /// Waits a little.
    ///
    /// # Errors
    /// When it has been long enough; `why` is what was waited for.
    pub(super) async fn wait(&mut self, why: &str) -> Result<(), String> {
        if self.since.elapsed() > PATIENCE {
            return Err(format!("{why}; gave up after {} s", PATIENCE.as_secs()));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = PAUSE_MAX.min(self.pause * 2);
        Ok(())
    }
}
