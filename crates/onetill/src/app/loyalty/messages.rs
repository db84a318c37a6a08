//! A terminal's message on its way to its answer: who sends it, and the rounds that it takes until
//! nothing is missing for the decision.

use super::{documents, estate::KnownStore};
use crate::app::{AppError, Gateway};
use domain::{
    command::{
        Command,
        loyalty::{Answer, Decline, Message, Missing, NoteMac, PinEvidence},
    },
    ids::Serial,
    loyalty::{
        calendar::Zone,
        card::{Card, CardNo},
        document::{Document, DocumentKey},
        terminal::{BatchNo, KeyGeneration, Terminal, TerminalNo},
        trans::{Place, Refusal, TraceNo, Trans, TransKind, TransState},
    },
    time::UnixMs,
};
use jiff::Timestamp;
use std::sync::Arc;
use wire::jpos::Pin;

/// How often a decision is tried again with what it lacked. Each round needs another message of
/// the same terminal, or a change of the same card, in between.
pub(super) const ROUNDS_MAX: u32 = 8;

/// The terminal that sent a message, and how it proved itself.
#[derive(Clone)]
pub struct Caller {
    /// Its store.
    pub store: Arc<KnownStore>,
    /// The terminal, as it was stored a moment ago.
    pub terminal: Arc<Terminal>,
    /// The keys under which its message came, if under any.
    pub under: Option<KeyGeneration>,
}

/// What a message says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    /// Its batch; `None` is the open one.
    pub batch: Option<BatchNo>,
    /// Its number in the batch.
    pub trace: TraceNo,
    /// A digest of its content.
    pub content: u128,
}

/// A PIN that came with a message. Has no `Debug`.
#[derive(Clone)]
pub struct GivenPin {
    /// The card it came with.
    pub card: CardNo,
    /// The PIN.
    pub pin: Pin,
}

/// How a message went: what it did, whether now or when it first came, or why it did not.
pub type Verdict = Result<Arc<Trans>, Rejection>;

/// A message that is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub refusal: Refusal,
    /// When that was recorded; `None` where it was not.
    pub recorded_at: Option<UnixMs>,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            recorded_at: None,
        }
    }
}

/// What is wrong with a message, found before its decision.
#[derive(Clone, Copy, Debug)]
pub struct Wrong<'a> {
    /// What the message would have made.
    pub kind: TransKind,
    /// The card it names, if that is a card's number.
    pub card: Option<&'a CardNo>,
    /// What is wrong.
    pub refusal: Refusal,
}

/// What a decision is given beside its message.
pub(super) struct Given {
    pub message: Message,
    pub needs: Vec<Serial>,
    pub pin: PinEvidence,
}

impl Caller {
    /// The batch a message belongs to: the one it names, else the newest; `None` when the terminal
    /// has never checked in.
    #[must_use]
    pub fn batch(&self, named: Option<BatchNo>) -> Option<BatchNo> {
        named.or(self.terminal.batch.map(|it| it.number))
    }

    /// Whether a message that names this batch, or none, belongs to the open one.
    #[must_use]
    pub fn is_in_open_batch(&self, named: Option<BatchNo>) -> bool {
        let open = self.terminal.open_batch().map(|it| it.number);
        open.is_some_and(|open| named.is_none_or(|named| named == open))
    }
}

impl Gateway {
    /// The terminal `number` of `store` as it is stored now.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn terminal(
        &self,
        store: &KnownStore,
        number: &TerminalNo,
    ) -> Result<Option<Arc<Terminal>>, AppError> {
        let key = DocumentKey::terminal(store.store.tenant, &store.store.number, number);
        let at = self.now();
        let found = self.reader.document(key.clone()).await?;
        Ok(self.noted(key, at, found))
    }

    /// The terminal `number` of `store` and a card of its retailer, as both are stored now.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn terminal_and_card(
        &self,
        store: &KnownStore,
        number: &TerminalNo,
        card: &CardNo,
    ) -> Result<(Option<Arc<Terminal>>, Option<Card>), AppError> {
        let tenant = store.store.tenant;
        let key = DocumentKey::terminal(tenant, &store.store.number, number);
        let keys = vec![key.clone(), DocumentKey::card(tenant, card)];
        let at = self.now();
        let (mut terminal, mut card) = (None, None);
        for document in self.reader.documents_by_key(keys).await? {
            if document.key() == key {
                terminal = Some(document);
            } else {
                card = Some(document);
            }
        }
        Ok((
            self.noted(key, at, terminal),
            card.and_then(documents::card),
        ))
    }

    /// A terminal that was looked up at `at`, remembered.
    fn noted(
        &self,
        key: DocumentKey,
        at: UnixMs,
        found: Option<Document>,
    ) -> Option<Arc<Terminal>> {
        let remembered = &self.loyalty.remembered;
        let Some(terminal) = found.and_then(documents::terminal) else {
            remembered.forget(&key);
            return None;
        };
        let terminal = Arc::new(terminal);
        remembered.note(key, at, &terminal);
        Some(terminal)
    }

    /// The terminal `number` of `store` if it sent something a moment ago, as it was then.
    #[must_use]
    pub fn remembered_terminal(
        &self,
        store: &KnownStore,
        number: &TerminalNo,
    ) -> Option<Arc<Terminal>> {
        let key = DocumentKey::terminal(store.store.tenant, &store.store.number, number);
        self.loyalty.remembered.recall(&key, self.now())
    }

    /// A card as it is stored now.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn card(&self, caller: &Caller, number: &CardNo) -> Result<Option<Card>, AppError> {
        let key = DocumentKey::card(caller.terminal.tenant, number);
        let found = self.reader.document(key).await?;
        Ok(found.and_then(documents::card))
    }

    /// The event that the message with this batch and number made, if it came before.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn recorded(
        &self,
        caller: &Caller,
        batch: Option<BatchNo>,
        trace: TraceNo,
    ) -> Result<Option<Trans>, AppError> {
        let Some(batch) = caller.batch(batch) else {
            return Ok(None);
        };
        let place = Place::new(caller.terminal.index, batch, trace);
        let found = self.reader.trans_at(caller.terminal.tenant, place).await?;
        Ok(found)
    }

    /// Notes a right MAC, or a wrong one (`None`), of a message that changes nothing itself.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn note_mac(
        &self,
        terminal: &Terminal,
        right: Option<KeyGeneration>,
    ) -> Result<(), AppError> {
        let note = NoteMac {
            tenant: terminal.tenant,
            store: terminal.store.clone(),
            terminal: terminal.number.clone(),
            right,
        };
        self.run(note).await
    }

    /// Has a message decided, round by round, until nothing is missing.
    pub(super) async fn decide<C: Command<Reply = Answer>>(
        &self,
        caller: &Caller,
        heading: &Heading,
        pin: Option<&GivenPin>,
        command: impl Fn(Given) -> C,
    ) -> Result<Verdict, AppError> {
        let mut caller = caller.clone();
        let mut needs = Vec::new();
        let mut evidence = self.look_at_pin(&caller, pin).await?;
        for _ in 0..ROUNDS_MAX {
            let Some(message) = self.message(&caller, heading)? else {
                return Ok(Err(Refusal::NotCheckedIn.into()));
            };
            let given = Given {
                message,
                needs: needs.clone(),
                pin: evidence.clone(),
            };
            match self.run(command(given)).await? {
                Answer::Done(trans) => return Ok(verdict(trans)),
                Answer::Refused(refusal) => return Ok(Err(refusal.into())),
                Answer::Again(Missing::Original(serial)) => needs.push(serial),
                Answer::Again(Missing::Pin) => evidence = self.look_at_pin(&caller, pin).await?,
                Answer::Again(Missing::Batch) => caller = self.afresh(&caller).await?,
            }
        }
        Err(went_round())
    }

    /// Refuses a message for what was found wrong with it before its decision. A repeated one gets
    /// what the first got.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn decline(
        &self,
        caller: &Caller,
        heading: &Heading,
        wrong: &Wrong<'_>,
    ) -> Result<Verdict, AppError> {
        let command = |given: Given| Decline {
            message: given.message,
            kind: wrong.kind,
            card: wrong.card.cloned(),
            refusal: wrong.refusal,
        };
        self.decide(caller, heading, None, command).await
    }

    /// The same caller, its terminal as it is stored now.
    pub(super) async fn afresh(&self, caller: &Caller) -> Result<Caller, AppError> {
        let terminal = self
            .terminal(&caller.store, &caller.terminal.number)
            .await?;
        Ok(Caller {
            terminal: terminal.unwrap_or_else(|| Arc::clone(&caller.terminal)),
            ..caller.clone()
        })
    }

    /// A message of `caller`'s; `None` when its terminal has never checked in.
    pub(super) fn message(
        &self,
        caller: &Caller,
        heading: &Heading,
    ) -> Result<Option<Message>, AppError> {
        let Some(batch) = caller.batch(heading.batch) else {
            return Ok(None);
        };
        let terminal = &caller.terminal;
        Ok(Some(Message {
            tenant: terminal.tenant,
            store: terminal.store.clone(),
            store_account: caller.store.store.account,
            terminal: terminal.number.clone(),
            terminal_index: terminal.index,
            batch,
            names_batch: heading.batch.is_some(),
            trace: heading.trace,
            content: heading.content,
            serial: self.next_serial()?,
            under: caller.under,
            zone: self.zone(),
        }))
    }

    /// The zone in which days and months are counted, as it stands now.
    #[must_use]
    pub fn zone(&self) -> Zone {
        let now = Timestamp::from_millisecond(self.now().0).unwrap_or(Timestamp::UNIX_EPOCH);
        Zone {
            offset_s: self.rules.zone.to_offset(now).seconds(),
        }
    }

    /// What a PIN is worth against the one that its card has now.
    async fn look_at_pin(
        &self,
        caller: &Caller,
        given: Option<&GivenPin>,
    ) -> Result<PinEvidence, AppError> {
        let Some(given) = given else {
            return Ok(PinEvidence::None);
        };
        let card = self.card(caller, &given.card).await?;
        let Some(known) = card.and_then(|it| it.pin) else {
            return Ok(PinEvidence::None);
        };
        let pins = &self.loyalty.pins;
        if pins.matches(given.pin.clone(), known.hash.clone()).await? {
            Ok(PinEvidence::Right(known.hash))
        } else {
            Ok(PinEvidence::Wrong(known.hash))
        }
    }
}

/// What a recorded message is answered, whatever has become of it since.
pub(super) fn verdict(trans: Arc<Trans>) -> Verdict {
    match trans.state {
        TransState::Approved | TransState::Reversed(_) | TransState::GivenBack(_) => Ok(trans),
        TransState::Declined(refusal) => Err(Rejection {
            refusal,
            recorded_at: Some(trans.at),
        }),
        TransState::Tombstone => Err(Refusal::NotAllowed.into()),
    }
}

pub(super) fn went_round() -> AppError {
    tracing::error!(
        rounds = ROUNDS_MAX,
        "a message found something else missing each time"
    );
    AppError::Unforeseen
}
