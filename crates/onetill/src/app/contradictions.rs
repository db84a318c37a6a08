//! What channels say against the books: "never charged" of a payment that is booked as paid, a
//! second number for it, another amount than was asked for, money after an end that the channel
//! had confirmed, a refund done that was refused.
//!
//! The books follow the first word, or give the money back; what they hold then stays, because a
//! channel that says two things cannot be believed by taking the later one. A receipt of another
//! amount is not booked at all: it is no answer to what was asked. A person has to look:
//! so each contradiction is logged, counted, and noted in the store for `onetill doctor` and
//! `onetill order show`. A note is a setting of its own and no part of the payment: it costs
//! nothing where nothing is contradicted, and no index.

use super::Gateway;
use crate::telemetry;
use domain::{
    channel::{ChannelNo, PayOutcome, Receipt, RechargeOutcome, RefundOutcome, ReverseOutcome},
    command::{Learned, QueryOutcome},
    ids::Serial,
    money::Fen,
    payment::Payment,
    recharge::{Recharge, RechargeState},
    refund::{Refund, RefundState},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use store::{AdminOp, Reader, StoreError};

/// The names of the notes begin with this.
const PREFIX: &str = "contradiction/";
/// How many notes are remembered as written. A channel that says the same again costs no commit.
const REMEMBERED_MAX: usize = 1_024;

/// The notes this process has written lately.
#[derive(Default)]
pub struct Contradictions {
    /// Held while one is written, so that a channel gone mad has one commit at a time.
    noted: tokio::sync::Mutex<HashSet<String>>,
}

/// A contradiction as it is noted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The payment or top-up, 20 digits.
    #[serde(skip)]
    pub serial: String,
    /// When the channel said it, in milliseconds since 1970.
    pub at_ms: i64,
    /// The channel; none for the provider of top-ups.
    pub channel: Option<ChannelNo>,
    /// What it said, and against what.
    pub said: String,
}

/// What a channel's answer about a payment comes down to.
pub(super) enum Word {
    Paid {
        channel_serial: String,
    },
    NotCharged,
    /// It had been charged, and a reversal gave it back.
    GivenBack,
    /// Nothing that could contradict anything.
    Other,
}

impl Word {
    pub(super) fn of_pay(outcome: &PayOutcome) -> Self {
        match outcome {
            PayOutcome::Paid(receipt) => Self::paid(receipt),
            PayOutcome::Declined(_) => Self::NotCharged,
            // That this call was not sent says nothing about another.
            PayOutcome::Waiting | PayOutcome::NotSent(_) | PayOutcome::Unknown => Self::Other,
        }
    }

    pub(super) fn of_query(outcome: &QueryOutcome) -> Self {
        match outcome {
            QueryOutcome::Paid(receipt) => Self::paid(receipt),
            QueryOutcome::Declined(_) | QueryOutcome::NotFound => Self::NotCharged,
            QueryOutcome::Waiting | QueryOutcome::Unknown => Self::Other,
        }
    }

    pub(super) fn of_reverse(outcome: &ReverseOutcome) -> Self {
        match outcome {
            ReverseOutcome::Paid(receipt) => Self::paid(receipt),
            ReverseOutcome::Reversed(Some(_)) => Self::GivenBack,
            ReverseOutcome::Reversed(None) => Self::NotCharged,
            ReverseOutcome::Unknown => Self::Other,
        }
    }

    fn paid(receipt: &Receipt) -> Self {
        Self::Paid {
            channel_serial: receipt.channel_serial.clone(),
        }
    }

    /// What this says against the books as they are after it was recorded.
    fn against(&self, learned: &Learned) -> Option<&'static str> {
        let payment = &*learned.payment;
        let paid = payment.paid()?;
        match self {
            Self::Paid { .. } if learned.late_refund.is_some() => {
                Some("paid, after it had confirmed that nothing was charged; the money goes back")
            }
            Self::Paid { channel_serial } if *channel_serial != paid.receipt.channel_serial => {
                Some("paid under another number of its own; was the payer charged twice?")
            }
            Self::NotCharged if paid.refundable(payment.amount) > Fen::ZERO => {
                Some("never charged, of a payment that it had reported as paid")
            }
            Self::GivenBack if paid.refunding > Fen::ZERO => Some(
                "given back by a reversal, while the same money goes back as a refund; did the \
                 payer get it twice?",
            ),
            Self::Paid { .. } | Self::NotCharged | Self::GivenBack | Self::Other => None,
        }
    }
}

const fn against_refund(refund: &Refund, outcome: RefundOutcome) -> Option<&'static str> {
    match (refund.state, outcome) {
        (RefundState::Done(_), RefundOutcome::Declined) => {
            Some("a refund refused that it had reported as done")
        }
        (RefundState::Failed(..), RefundOutcome::Done) => {
            Some("a refund done that is booked as failed; the payer has the money")
        }
        (
            RefundState::InProgress | RefundState::Done(_) | RefundState::Failed(..),
            RefundOutcome::Done
            | RefundOutcome::Declined
            | RefundOutcome::Waiting
            | RefundOutcome::NotSent(_)
            | RefundOutcome::Unknown,
        ) => None,
    }
}

const fn against_recharge(recharge: &Recharge, outcome: &RechargeOutcome) -> Option<&'static str> {
    match (&recharge.state, outcome) {
        (RechargeState::Done(..), RechargeOutcome::Failed) => {
            Some("a top-up failed that it had reported as done")
        }
        (RechargeState::Failed(..), RechargeOutcome::Done(_)) => {
            Some("a top-up done that is booked as failed")
        }
        (
            RechargeState::Created
            | RechargeState::AtProvider(_)
            | RechargeState::Done(..)
            | RechargeState::Failed(..),
            RechargeOutcome::Accepted(_)
            | RechargeOutcome::Done(_)
            | RechargeOutcome::Failed
            | RechargeOutcome::NotSent(_)
            | RechargeOutcome::Unknown,
        ) => None,
    }
}

/// Whether `receipt` is of the amount that was asked for.
fn adds_up(payment: &Payment, receipt: &Receipt) -> bool {
    let mut parts = receipt.bills.iter().map(|bill| bill.amount);
    parts.try_fold(Fen::ZERO, Fen::checked_add) == Some(payment.amount)
}

impl Gateway {
    /// The answer to a charge as it can be believed.
    pub(super) async fn believed_pay(&self, payment: &Payment, outcome: PayOutcome) -> PayOutcome {
        match outcome {
            PayOutcome::Paid(receipt) if !adds_up(payment, &receipt) => {
                self.wrong_amount(payment).await;
                PayOutcome::Unknown
            }
            outcome @ (PayOutcome::Paid(_)
            | PayOutcome::Declined(_)
            | PayOutcome::Waiting
            | PayOutcome::NotSent(_)
            | PayOutcome::Unknown) => outcome,
        }
    }

    /// The answer to a question as it can be believed.
    pub(super) async fn believed_query(
        &self,
        payment: &Payment,
        outcome: QueryOutcome,
    ) -> QueryOutcome {
        match outcome {
            QueryOutcome::Paid(receipt) if !adds_up(payment, &receipt) => {
                self.wrong_amount(payment).await;
                QueryOutcome::Unknown
            }
            outcome @ (QueryOutcome::Paid(_)
            | QueryOutcome::Declined(_)
            | QueryOutcome::Waiting
            | QueryOutcome::NotFound
            | QueryOutcome::Unknown) => outcome,
        }
    }

    /// The answer to a reversal as it can be believed.
    pub(super) async fn believed_reverse(
        &self,
        payment: &Payment,
        outcome: ReverseOutcome,
    ) -> ReverseOutcome {
        match outcome {
            // Whatever it was, it went back.
            ReverseOutcome::Reversed(Some(receipt)) if !adds_up(payment, &receipt) => {
                self.wrong_amount(payment).await;
                ReverseOutcome::Reversed(None)
            }
            ReverseOutcome::Paid(receipt) if !adds_up(payment, &receipt) => {
                self.wrong_amount(payment).await;
                ReverseOutcome::Unknown
            }
            outcome @ (ReverseOutcome::Reversed(_)
            | ReverseOutcome::Paid(_)
            | ReverseOutcome::Unknown) => outcome,
        }
    }

    async fn wrong_amount(&self, payment: &Payment) {
        let said = "paid, but another amount than was asked for; it is not booked";
        let (serial, channel) = (payment.serial, payment.channel);
        self.contradicted(serial, Some(channel), said).await;
    }

    /// Notes what a channel said of a payment against the books.
    pub(super) async fn compare(&self, learned: &Learned, word: Word) {
        if let Some(said) = word.against(learned) {
            let Payment {
                serial, channel, ..
            } = *learned.payment;
            self.contradicted(serial, Some(channel), said).await;
        }
    }

    /// The same of a refund.
    pub(super) async fn compare_refund(
        &self,
        payment: &Payment,
        refund: &Refund,
        outcome: RefundOutcome,
    ) {
        if let Some(said) = against_refund(refund, outcome) {
            self.contradicted(payment.serial, Some(payment.channel), said)
                .await;
        }
    }

    /// The same of a top-up.
    pub(super) async fn compare_recharge(&self, recharge: &Recharge, outcome: &RechargeOutcome) {
        if let Some(said) = against_recharge(recharge, outcome) {
            self.contradicted(recharge.serial, None, said).await;
        }
    }

    async fn contradicted(&self, serial: Serial, channel: Option<ChannelNo>, said: &str) {
        let number = channel.map(|it| it.0);
        tracing::warn!(
            %serial,
            channel = number,
            said,
            "a channel contradicts the books, which stay as they are; ask it, and see \
             `onetill order show`"
        );
        telemetry::channel_contradiction(channel);
        let note = Note {
            serial: serial.to_string(),
            at_ms: self.now().0,
            channel,
            said: said.to_owned(),
        };
        if let Err(error) = self.note(note).await {
            tracing::warn!(%serial, %error, "a contradiction could not be noted; this line is all");
        }
    }

    /// Writes a note unless there is one that says the same.
    async fn note(&self, note: Note) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let name = format!("{PREFIX}{}/{}", note.serial, note.said);
        let mut noted = self.contradictions.noted.lock().await;
        if noted.contains(&name) {
            return Ok(());
        }
        let put = AdminOp::PutIfAbsent {
            name: name.clone(),
            value: serde_json::to_vec(&note)?,
        };
        self.engine.admin(put).await?;
        if noted.len() >= REMEMBERED_MAX {
            noted.clear();
        }
        noted.insert(name);
        Ok(())
    }
}

/// The notes about one payment or top-up, or about all: those of the newest first, at most
/// `limit`.
///
/// # Errors
/// When the store failed.
pub async fn notes(
    reader: &dyn Reader,
    of: Option<Serial>,
    limit: u32,
) -> Result<Vec<Note>, StoreError> {
    let prefix = of.map_or(PREFIX.to_owned(), |serial| format!("{PREFIX}{serial}/"));
    let found = reader.values(prefix, limit).await?;
    Ok(found.iter().filter_map(|it| read(&it.0, &it.1)).collect())
}

/// The newest time of `notes`.
#[must_use]
pub fn newest(notes: &[Note]) -> Option<UnixMs> {
    notes.iter().map(|note| UnixMs(note.at_ms)).max()
}

fn read(name: &str, value: &[u8]) -> Option<Note> {
    let (serial, _) = name.strip_prefix(PREFIX)?.split_once('/')?;
    let note: Note = serde_json::from_slice(value).ok()?;
    let serial = serial.to_owned();
    Some(Note { serial, ..note })
}
