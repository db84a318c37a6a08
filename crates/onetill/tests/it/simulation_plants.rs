//! Stores that break their word now and then, to see that the simulation notices.

use domain::{
    ids::ClaimKey,
    ledger::{Posting, Unit},
    loyalty::{
        document::Document,
        trans::{Place, Trans, TransState},
    },
    payment::PaymentState,
    rows::{Changes, Claim, Plan, Rows as Loaded},
    voucher::{
        code_use::CodeAct,
        span::{Span, Stage},
    },
};
use onetill::simulate::rows::Rows;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use store::{AdminOp, AdminReply, Reader, StoreError, Writer, memory::Memory};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// Says that a batch is committed, and forgets it.
    NeverCommits,
    /// Commits a batch without one of its postings.
    DropsAPosting,
    /// Commits a batch once more, after others have changed its rows, as a writer would that does
    /// not know whether its commit went through and does not ask.
    ReplaysABatch,
    /// Forgets that a merchant's number was used.
    ForgetsAClaim,
    /// Commits a batch and says that nothing was recorded.
    SaysDownAfterCommitting,
    /// Commits a batch without the work that must follow.
    LosesAJob,
    /// Commits what a terminal's message did without one of its postings.
    DropsAPostingOfACard,
    /// Commits a reversal that came first without its tombstone.
    LosesATombstone,
    /// Commits a reversal, and leaves the message standing that it undid.
    ForgetsThatAMessageIsReversed,
    /// Carries a terminal's message out once more when it comes again.
    CarriesAMessageOutTwice,
    /// Forgets that a wrong PIN was tried.
    ForgetsAWrongPin,
    /// Commits a payment without the use of its voucher's code.
    DropsAUse,
    /// Commits the end of a payment, and leaves the use held that it gives up.
    KeepsAUseHeld,
    /// Commits a refund, and leaves the use gone that comes back with it.
    ForgetsAGiveBack,
    /// Activates a range of codes but for the last.
    ActivatesInPart,
    /// Commits a freezing that freezes nothing.
    ForgetsAFreezing,
    /// Changes codes, and forgets under which number.
    ForgetsAChange,
}

/// A batch in so many is spoiled, from the first that can be.
const ONE_IN: u64 = 25;
/// Occasions of these are rare: one in so many is taken.
const ONE_IN_RARE: u64 = 3;

impl Plant {
    const fn one_in(self) -> u64 {
        match self {
            Self::NeverCommits
            | Self::DropsAPosting
            | Self::ReplaysABatch
            | Self::ForgetsAClaim
            | Self::SaysDownAfterCommitting
            | Self::LosesAJob
            | Self::DropsAPostingOfACard
            | Self::CarriesAMessageOutTwice => ONE_IN,
            Self::LosesATombstone
            | Self::ForgetsThatAMessageIsReversed
            | Self::ForgetsAWrongPin
            | Self::DropsAUse
            | Self::KeepsAUseHeld
            | Self::ForgetsAGiveBack
            | Self::ActivatesInPart
            | Self::ForgetsAFreezing
            | Self::ForgetsAChange => ONE_IN_RARE,
        }
    }
}

/// Rows in memory behind a writer with a bug.
pub struct Planted {
    plant: Plant,
    rows: Memory,
    occasions: Arc<AtomicU64>,
}

impl Planted {
    /// No rows yet.
    pub fn new(plant: Plant) -> Self {
        Self {
            plant,
            rows: Memory::new(),
            occasions: Arc::default(),
        }
    }
}

impl Rows for Planted {
    type Writer = PlantedWriter;
    const PROCESSES_MAX: u64 = u64::MAX;

    fn writer(&self) -> Result<PlantedWriter, StoreError> {
        Ok(PlantedWriter {
            plant: self.plant,
            rows: self.rows.clone(),
            occasions: Arc::clone(&self.occasions),
            earlier: None,
            repeated: Vec::new(),
        })
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.rows.clone())
    }
}

/// The writer.
pub struct PlantedWriter {
    plant: Plant,
    rows: Memory,
    occasions: Arc<AtomicU64>,
    /// A batch that will come again.
    earlier: Option<Changes>,
    /// The places of messages that are carried out once more.
    repeated: Vec<Place>,
}

impl PlantedWriter {
    /// Whether this occasion for `plant` is taken.
    fn strikes(&self, plant: Plant, is_occasion: bool) -> bool {
        let one_in = plant.one_in();
        is_occasion
            && self.plant == plant
            && self.occasions.fetch_add(1, Ordering::Relaxed) % one_in == one_in - 1
    }
}

impl PlantedWriter {
    /// The places of messages that came before.
    async fn repeated(&self, plan: &Plan<'_>) -> Vec<Place> {
        let mut repeated = Vec::new();
        for (tenant, place) in &plan.loyalty.places {
            let earlier = self.rows.trans_at(*tenant, *place).await;
            if earlier.is_ok_and(|it| it.is_some()) {
                repeated.push(*place);
            }
        }
        repeated
    }

    /// Breaks what a batch does to cards.
    fn spoil_messages(&mut self, changes: &mut Changes) {
        let is_of_card = |it: &Posting| it.unit != Unit::Fen;
        let of_card = changes.postings.iter().position(is_of_card);
        if let Some(index) = of_card
            && self.strikes(Plant::DropsAPostingOfACard, true)
        {
            changes.postings.remove(index);
        }
        let loyalty = &mut changes.loyalty;
        for trans in &mut loyalty.trans_added {
            // Where the first one stands there is no room for another.
            let trans = Arc::make_mut(trans);
            trans.place = trans.place.filter(|it| !self.repeated.contains(it));
        }
        self.repeated.clear();
        let is_tombstone = |it: &Trans| it.state == TransState::Tombstone;
        let has_tombstone = loyalty.trans_added.iter().any(|it| is_tombstone(it));
        if self.strikes(Plant::LosesATombstone, has_tombstone) {
            loyalty.trans_added.retain(|it| !is_tombstone(it));
        }
        let is_reversed = |it: &Trans| matches!(it.state, TransState::Reversed(_));
        let has_reversed = loyalty.trans.iter().any(|it| is_reversed(it));
        if self.strikes(Plant::ForgetsThatAMessageIsReversed, has_reversed) {
            loyalty.trans.retain(|it| !is_reversed(it));
        }
        let tried = loyalty.documents.iter_mut().find_map(wrong_pin);
        if let Some(wrong) = tried
            && self.strikes(Plant::ForgetsAWrongPin, true)
        {
            *wrong = 0;
        }
    }
}

impl PlantedWriter {
    /// Breaks what a batch does to codes.
    fn spoil_vouchers(&self, changes: &mut Changes) {
        for (plant, act) in [
            (Plant::DropsAUse, CodeAct::Used),
            (Plant::ForgetsAGiveBack, CodeAct::GivenBack),
        ] {
            let voucher = &mut changes.voucher;
            let event = voucher.events.iter().position(|it| it.act == act);
            if let Some(index) = event
                && self.strikes(plant, true)
            {
                let event = voucher.events.remove(index);
                voucher.uses.retain(|it| it.code != event.code);
            }
        }
        let ended = changes.payments.iter().find_map(|payment| {
            let is_ended = matches!(payment.state, PaymentState::Ended { paid: None, .. });
            let part = payment.details.voucher.filter(|_| is_ended)?;
            Some(part.code)
        });
        let voucher = &mut changes.voucher;
        let is_let_go = voucher.uses.iter().any(|it| Some(it.code) == ended);
        if self.strikes(Plant::KeepsAUseHeld, is_let_go) {
            voucher.uses.retain(|it| Some(it.code) != ended);
        }
        let sold =
            |it: &&mut Span| matches!(it.stage, Stage::Active(_)) && it.range.first < it.range.last;
        if let Some(span) = voucher.spans.iter_mut().find(sold)
            && self.strikes(Plant::ActivatesInPart, true)
        {
            let last = span.range.last;
            span.range.last -= 1;
            let mut rest = span.clone();
            (rest.range.first, rest.range.last, rest.stage) = (last, last, Stage::InStock);
            voucher.spans.push(rest);
        }
        let is_change = |it: &Document| matches!(it, Document::Change(_));
        let documents = &mut changes.loyalty.documents_added;
        let has_change = !voucher.spans.is_empty() && documents.iter().any(is_change);
        if self.strikes(Plant::ForgetsAChange, has_change) {
            documents.retain(|it| !is_change(it));
        }
        let is_frozen = voucher.spans.iter().any(|it| it.frozen);
        if self.strikes(Plant::ForgetsAFreezing, is_frozen) {
            voucher.spans.iter_mut().for_each(|it| it.frozen = false);
        }
    }
}

/// How often a card's PIN was entered wrong, if it was.
fn wrong_pin(document: &mut Document) -> Option<&mut u8> {
    match document {
        Document::Card(card) => {
            let pin = card.pin.as_mut()?;
            (pin.wrong > 0).then_some(&mut pin.wrong)
        }
        Document::Store(_)
        | Document::Terminal(_)
        | Document::VerifyCodes(_)
        | Document::WorkItem(_)
        | Document::Partner(_)
        | Document::VoucherTicket(_)
        | Document::Activity(_)
        | Document::Carton(_)
        | Document::Change(_) => None,
    }
}

/// The rows of a batch, without its postings: those the store would refuse twice.
fn rows_of(changes: &Changes) -> Changes {
    Changes {
        payments: changes.payments.clone(),
        refunds: changes.refunds.clone(),
        recharges: changes.recharges.clone(),
        jobs: changes.jobs.clone(),
        jobs_removed: changes.jobs_removed.clone(),
        notifications: changes.notifications.clone(),
        ..Changes::default()
    }
}

impl Writer for PlantedWriter {
    async fn load(&mut self, plan: Plan<'_>) -> Result<Loaded, StoreError> {
        let repeated = self.repeated(&plan).await;
        if self.strikes(Plant::CarriesAMessageOutTwice, !repeated.is_empty()) {
            self.repeated = repeated;
            let mut plan = plan;
            plan.loyalty.places.clear();
            return self.rows.load(plan).await;
        }
        let claims = &plan.claims;
        let forgotten = claims
            .iter()
            .any(|_| self.strikes(Plant::ForgetsAClaim, true));
        if !forgotten {
            return self.rows.load(plan).await;
        }
        // Under another key each number is free.
        let mut renamed: Vec<_> = claims.iter().map(|it| it.payment.clone()).collect();
        for payment in &mut renamed {
            payment.key = ClaimKey::digest(&[&payment.serial.0.to_be_bytes()]);
        }
        let claims = renamed.iter().zip(claims);
        let claims = claims
            .map(|(payment, it)| Claim { payment, ..*it })
            .collect();
        self.rows.load(Plan { claims, ..plan }).await
    }

    async fn commit(&mut self, mut changes: Changes) -> Result<(), StoreError> {
        if self.strikes(Plant::NeverCommits, true) {
            self.rows.abandon().await;
            return Ok(());
        }
        if self.strikes(Plant::DropsAPosting, !changes.postings.is_empty()) {
            changes.postings.pop();
        }
        self.spoil_messages(&mut changes);
        self.spoil_vouchers(&mut changes);
        if self.strikes(Plant::LosesAJob, !changes.jobs.is_empty()) {
            changes.jobs.pop();
        }
        if self.strikes(Plant::ReplaysABatch, !changes.payments.is_empty()) {
            self.earlier = Some(rows_of(&changes));
            return self.rows.commit(changes).await;
        }
        self.rows.commit(changes).await?;
        if let Some(earlier) = self.earlier.take() {
            self.rows.commit(earlier).await?;
        }
        if self.strikes(Plant::SaysDownAfterCommitting, true) {
            return Err(StoreError::Down("on purpose".to_owned()));
        }
        Ok(())
    }

    async fn abandon(&mut self) {
        self.rows.abandon().await;
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        self.rows.admin(op).await
    }
}
