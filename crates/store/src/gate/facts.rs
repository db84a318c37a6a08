//! What clients asked for and were told.

use super::messages::{Message, Messages};
use domain::{
    ids::{ClaimKey, ClaimSpace, MerchantNo, Serial, TenantId},
    loyalty::trans::{Place, TransNo},
    money::Fen,
};
use std::collections::{BTreeMap, BTreeSet};

/// The account that asks.
pub type Owner = (TenantId, MerchantNo);

/// What a request was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No reply came, or one that says that nobody knows: it may have happened or not.
    Nothing,
    /// It is recorded and will be carried out, unless a channel refuses.
    Accepted,
    /// It has happened.
    Done,
    /// It was refused, before or after it was recorded: no money moved, or none stayed moved.
    Refused,
    /// Nothing was recorded.
    NotRecorded,
    /// The number was used before, by another request.
    Repeat,
}

/// One request about a payment, with its answer, or something seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The payment itself was asked for.
    Pay {
        /// How much.
        amount: Fen,
        /// What was answered; `Done` means charged.
        answer: Answer,
        /// The gateway's number, if the reply told it.
        serial: Option<Serial>,
    },
    /// A reply showed that the money came.
    Paid,
    /// A cancellation was asked for.
    Cancel(Answer),
    /// A refund was asked for.
    Refund {
        /// The merchant's number of it.
        number: String,
        /// How much.
        amount: Fen,
        /// What was answered.
        answer: Answer,
    },
}

/// One request for a top-up, with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// How much, in megabytes.
    pub data_mb: i64,
    /// What was answered.
    pub answer: Answer,
    /// The gateway's number, if the reply told it.
    pub serial: Option<Serial>,
}

/// All that the clients of a run asked for and were told, in the order it was told. Requests
/// without an answer belong in it as well: what is recorded must have been asked for.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    pub(super) payments: BTreeMap<ClaimKey, Told<Fact>>,
    pub(super) top_ups: BTreeMap<ClaimKey, Told<TopUp>>,
    pub(super) trans: BTreeSet<(TenantId, TransNo)>,
    pub(super) messages: Messages,
}

/// What was told of one thing.
#[derive(Clone, Debug)]
pub(super) struct Told<T> {
    pub owner: Owner,
    /// The client's number of it.
    pub number: String,
    pub facts: Vec<T>,
}

impl Acknowledged {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes something about the payment that `owner` knows as `merchant_serial`.
    pub fn note(&mut self, owner: Owner, merchant_serial: &str, fact: Fact) {
        let key = ClaimKey::of(owner.0, owner.1, ClaimSpace::Payment, merchant_serial);
        let told = self.payments.entry(key);
        let told = told.or_insert_with(|| Told::new(owner, merchant_serial));
        told.facts.push(fact);
    }

    /// Notes a request of `owner` for a top-up, which is known by its signature alone.
    pub fn note_top_up(&mut self, owner: Owner, signature: &str, fact: TopUp) {
        let key = ClaimKey::of(owner.0, owner.1, ClaimSpace::RechargeSignature, signature);
        let told = self.top_ups.entry(key);
        let told = told.or_insert_with(|| Told::new(owner, signature));
        told.facts.push(fact);
    }

    /// Notes that a till was told that transaction `number` on a card is approved.
    pub fn note_trans(&mut self, tenant: TenantId, number: TransNo) {
        self.trans.insert((tenant, number));
    }

    /// Notes the message in `place`, with what its terminal knows of it by now. All messages of a
    /// terminal belong in here: what is recorded of it must have been sent.
    pub fn note_message(&mut self, tenant: TenantId, place: Place, message: Message) {
        self.messages.insert((tenant, place), message);
    }
}

impl<T> Told<T> {
    fn new(owner: Owner, number: &str) -> Self {
        Self {
            owner,
            number: number.to_owned(),
            facts: Vec::new(),
        }
    }
}

impl Answer {
    /// Whether something that is recorded may come from a request that was answered so;
    /// `refused` says that what is recorded did not move money, or not for good.
    pub(super) const fn explains(self, refused: bool) -> bool {
        match self {
            Self::Nothing | Self::Accepted | Self::Done => true,
            Self::Refused => refused,
            Self::NotRecorded | Self::Repeat => false,
        }
    }

    /// Whether the client may rely on it that something is recorded.
    pub(super) const fn promises(self) -> bool {
        match self {
            Self::Accepted | Self::Done => true,
            Self::Nothing | Self::Refused | Self::NotRecorded | Self::Repeat => false,
        }
    }
}

impl Told<Fact> {
    pub(super) fn pays(&self) -> impl Iterator<Item = (Fen, Answer, Option<Serial>)> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Pay {
                amount,
                answer,
                serial,
            } => Some((*amount, *answer, *serial)),
            Fact::Paid | Fact::Cancel(_) | Fact::Refund { .. } => None,
        })
    }

    pub(super) fn cancels(&self) -> impl Iterator<Item = Answer> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Cancel(answer) => Some(*answer),
            Fact::Pay { .. } | Fact::Paid | Fact::Refund { .. } => None,
        })
    }

    pub(super) fn refunds(&self) -> impl Iterator<Item = (&str, Fen, Answer)> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Refund {
                number,
                amount,
                answer,
            } => Some((number.as_str(), *amount, *answer)),
            Fact::Pay { .. } | Fact::Paid | Fact::Cancel(_) => None,
        })
    }

    /// Whether the client knows that the money came.
    pub(super) fn is_known_paid(&self) -> bool {
        let seen = self.facts.contains(&Fact::Paid);
        seen || self.pays().any(|(_, answer, _)| answer == Answer::Done)
    }
}
