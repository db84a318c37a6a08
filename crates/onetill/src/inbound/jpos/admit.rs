//! From a form to a message of a known, admitted terminal.

use super::{
    Dialect, present,
    refused::{Refused, Sender},
};
use crate::{
    app::loyalty::{Caller, estate::KnownStore},
    server::Fingerprint,
};
use domain::loyalty::{
    card::{Card, CardNo},
    store::StoreNo,
    terminal::{KeyGeneration, Terminal, TerminalNo, WorkingKeys},
};
use std::net::IpAddr;
use wire::jpos::{
    BatchNo, Form, Layout, Mac, Operation, Pin, PinBlock, Status, TimeUnit, TraceNo, mac::MacError,
    name, pin::PinError, request,
};

/// Where a message comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// The certificate it showed, which proves that it has the key.
    pub certificate: Option<Fingerprint>,
}

/// How a terminal is spoken to; the usual way until it is known which one it is.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    /// What its times count.
    pub unit: TimeUnit,
    /// How its working keys are laid out.
    pub layout: Layout,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            unit: TimeUnit::Seconds,
            layout: Layout::Short,
        }
    }
}

/// A message that may be carried out.
pub(super) struct Admitted {
    /// Who sends it.
    pub caller: Caller,
    /// The PIN, opened.
    pub pin: Option<Pin>,
    /// The card it asks about, if it only asks and there is one.
    pub card: Option<Card>,
}

/// How a message's MAC was found.
enum MacFound {
    /// Right, under these keys.
    Right(KeyGeneration),
    /// There is none, or it is wrong.
    Wrong,
}

impl MacFound {
    /// The keys that the MAC proves.
    const fn proven(&self) -> Option<KeyGeneration> {
        match self {
            Self::Right(generation) => Some(*generation),
            Self::Wrong => None,
        }
    }
}

impl Dialect {
    /// Admits a message or says, in the dialect's order, why not. `manner` is set as soon as it is
    /// known who sends it.
    pub(super) async fn admit(
        &self,
        operation: Operation,
        form: &Form<'_>,
        origin: Origin,
        manner: &mut Manner,
    ) -> Result<Admitted, Refused> {
        let (mut caller, card) = self.find(operation, form, origin).await?;
        *manner = present::manner(&caller.terminal.profile);
        // First, so that a stranger's failure counts whatever the terminal's state.
        let mac = self.admit_from(&caller, form, origin)?;
        if caller.terminal.blocked {
            return Err(Refused::new(Status::TerminalBlocked));
        }
        if operation == Operation::Checkin {
            caller.under = mac.proven();
            return Ok(Admitted {
                caller,
                pin: None,
                card: None,
            });
        }
        self.check_batch(operation, &caller, form).await?;
        caller.under = self.demand_mac(&caller, &mac).await?;
        let pin = self.open_pin(operation, &mut caller, form).await?;
        Ok(Admitted { caller, pin, card })
    }

    /// Admits the next message of a terminal that sent one a moment ago, as far as that one tells:
    /// only what is decided on the stored terminal again, and only if there is nothing to be said
    /// against the message and nothing to be noted about it. Whoever gets `None` is not refused.
    pub(super) fn admit_at_once(
        &self,
        operation: Operation,
        form: &Form<'_>,
        origin: Origin,
        manner: &mut Manner,
    ) -> Option<Admitted> {
        if !operation.is_keyed() {
            return None;
        }
        let sender = request::Terminal::decode(form).ok()?;
        let store = StoreNo::parse(&sender.store_no)?;
        let store = self.gateway.loyalty.estate.store(&store)?;
        if !self.is_at_home(&store, origin) {
            return None;
        }
        let number = TerminalNo::parse(&sender.terminal_no)?;
        let terminal = self.gateway.remembered_terminal(&store, &number)?;
        let mut caller = Caller {
            store,
            terminal,
            under: None,
        };
        let terminal = &*caller.terminal;
        let is_unremarkable = !terminal.blocked
            && terminal.keys.is_some()
            && terminal.keys_before.is_none()
            && terminal.mac_failures == 0
            && caller.is_in_open_batch(named_batch(form));
        if !is_unremarkable {
            return None;
        }
        caller.under = match self.check_mac(terminal, form).ok()? {
            MacFound::Right(generation) => Some(generation),
            MacFound::Wrong if terminal.profile.mac_required => return None,
            MacFound::Wrong => None,
        };
        let block = form.get(name::PASSWORD);
        let pin = match block.filter(|_| operation == Operation::Consume) {
            Some(block) => {
                let card = form.get(name::CARD_NO).unwrap_or_default();
                let (pin, generation) = self.try_pin(&caller, block, card).ok()?.ok()?;
                caller.under = caller.under.or(Some(generation));
                Some(pin)
            }
            None => None,
        };
        let span = tracing::Span::current();
        span.record("store", &sender.store_no);
        span.record("terminal", &sender.terminal_no);
        *manner = present::manner(&caller.terminal.profile);
        Some(Admitted {
            caller,
            pin,
            card: None,
        })
    }

    /// The store and the terminal that the form names, and the card that it asks about.
    async fn find(
        &self,
        operation: Operation,
        form: &Form<'_>,
        origin: Origin,
    ) -> Result<(Caller, Option<Card>), Refused> {
        let sender = request::Terminal::decode(form).map_err(|error| Refused {
            sender: Sender::Stranger,
            ..error.into()
        })?;
        let span = tracing::Span::current();
        span.record("store", &sender.store_no);
        span.record("terminal", &sender.terminal_no);
        let store = StoreNo::parse(&sender.store_no);
        let store = store.and_then(|it| self.gateway.loyalty.estate.store(&it));
        let store = store.ok_or(Refused::stranger(Status::UnknownStore))?;
        let is_at_home = self.is_at_home(&store, origin);
        let unknown = || {
            if is_at_home {
                Refused::new(Status::UnknownTerminal)
            } else {
                Refused::stranger(Status::UnknownTerminal)
            }
        };
        // For an address that has failed too often nothing is even looked up.
        if !is_at_home && !self.failures.check(origin.address, self.gateway.now()) {
            return Err(Refused::turned_away());
        }
        let number = TerminalNo::parse(&sender.terminal_no).ok_or_else(unknown)?;
        let asks_about_card = matches!(operation, Operation::Cards | Operation::Tickets);
        let card = form.get(name::CARD_NO).filter(|_| asks_about_card);
        let (terminal, card) = match card.and_then(CardNo::parse) {
            Some(card) => {
                let found = self.gateway.terminal_and_card(&store, &number, &card);
                found.await?
            }
            None => (self.gateway.terminal(&store, &number).await?, None),
        };
        let caller = Caller {
            store,
            terminal: terminal.ok_or_else(unknown)?,
            under: None,
        };
        Ok((caller, card))
    }

    /// Whether any store's terminals speak from here.
    pub(super) fn is_home(&self, origin: Origin) -> bool {
        let estate = &self.gateway.loyalty.estate;
        estate.has_store(|store| self.is_at_home(store, origin))
    }

    /// Whether the store's terminals speak from here, or it is they who show this certificate.
    fn is_at_home(&self, store: &KnownStore, origin: Origin) -> bool {
        let Origin {
            address,
            certificate,
        } = origin;
        let is_demo = self.gateway.loyalty.admits_loopback;
        store.admits(address)
            || certificate.is_some_and(|it| store.admits_certificate(it))
            || (is_demo && address.to_canonical().is_loopback())
    }

    /// How a message's MAC is found. A terminal elsewhere is admitted by it alone: a failure is
    /// counted before the MAC is looked at, or many guesses at once would pass as one.
    fn admit_from(
        &self,
        caller: &Caller,
        form: &Form<'_>,
        origin: Origin,
    ) -> Result<MacFound, Refused> {
        if self.is_at_home(&caller.store, origin) {
            return self.check_mac(&caller.terminal, form);
        }
        let now = self.gateway.now();
        if !self.failures.take(origin.address, now) {
            return Err(Refused::turned_away());
        }
        let mac = self.check_mac(&caller.terminal, form);
        match mac {
            Ok(MacFound::Wrong) => Err(Refused {
                sender: Sender::Counted,
                ..Refused::new(Status::TerminalBlocked)
            }),
            Ok(MacFound::Right(_)) | Err(_) => {
                self.failures.give_back(origin.address, now);
                mac
            }
        }
    }

    /// Whether the MAC is right under the terminal's keys, or those before them.
    fn check_mac(&self, terminal: &Terminal, form: &Form<'_>) -> Result<MacFound, Refused> {
        for keys in sets(terminal) {
            let working = self.gateway.loyalty.keys.working(terminal, keys);
            let working = working.map_err(crate::app::AppError::from)?;
            match Mac::verify(&working.mac, form) {
                Ok(()) => return Ok(MacFound::Right(keys.generation)),
                Err(MacError::Missing | MacError::Malformed) => return Ok(MacFound::Wrong),
                Err(MacError::Mismatch) => {}
            }
        }
        Ok(MacFound::Wrong)
    }

    /// Refuses a message of another batch than the open one, unless it was answered before. A
    /// reversal is never refused for its batch.
    async fn check_batch(
        &self,
        operation: Operation,
        caller: &Caller,
        form: &Form<'_>,
    ) -> Result<(), Refused> {
        if operation.reverses().is_some() {
            return Ok(());
        }
        let has_keys = caller.terminal.keys.is_some();
        if has_keys && caller.is_in_open_batch(named_batch(form)) {
            return Ok(());
        }
        if self.was_answered(operation, caller, form).await? {
            return Ok(());
        }
        Err(Refused::new(Status::CheckinNeeded))
    }

    /// Whether the store has this message's answer.
    async fn was_answered(
        &self,
        operation: Operation,
        caller: &Caller,
        form: &Form<'_>,
    ) -> Result<bool, Refused> {
        let trace = form.get(name::TRACE_NO).and_then(TraceNo::parse);
        let Some(trace) = trace.filter(|_| operation.is_keyed()) else {
            return Ok(false);
        };
        let trace = present::trace(trace)?;
        let recorded = self.gateway.recorded(caller, named_batch(form), trace);
        Ok(recorded.await?.is_some())
    }

    /// The keys under which the MAC is right. A terminal whose profile demands none may do without.
    async fn demand_mac(
        &self,
        caller: &Caller,
        mac: &MacFound,
    ) -> Result<Option<KeyGeneration>, Refused> {
        let terminal = &caller.terminal;
        let is_demanded = terminal.profile.mac_required;
        match mac {
            MacFound::Wrong if !is_demanded => Ok(None),
            MacFound::Wrong => {
                if terminal.keys.is_some() {
                    self.gateway.note_mac(terminal, None).await?;
                }
                Err(Refused::new(Status::MacFailed))
            }
            MacFound::Right(generation) => {
                let matters = terminal.mac_failures > 0 || terminal.keys_before.is_some();
                // Not every message that changes something comes that far, so it is noted here.
                if matters {
                    self.gateway.note_mac(terminal, Some(*generation)).await?;
                }
                Ok(Some(*generation))
            }
        }
    }

    /// The PIN that came with a purchase. A repeated message gets its answer even if the keys of
    /// its PIN block are no longer valid.
    async fn open_pin(
        &self,
        operation: Operation,
        caller: &mut Caller,
        form: &Form<'_>,
    ) -> Result<Option<Pin>, Refused> {
        let block = form.get(name::PASSWORD);
        let (Operation::Consume, Some(block)) = (operation, block) else {
            return Ok(None);
        };
        let card = form.get(name::CARD_NO).unwrap_or_default();
        match self.try_pin(caller, block, card)? {
            Ok((pin, generation)) => {
                caller.under = caller.under.or(Some(generation));
                Ok(Some(pin))
            }
            // The card's number is looked at with the other fields.
            Err(PinError::CardNo) => Ok(None),
            Err(
                PinError::NotABlock
                | PinError::Control
                | PinError::Length
                | PinError::Digit
                | PinError::Padding,
            ) => {
                if self.was_answered(operation, caller, form).await? {
                    Ok(None)
                } else {
                    Err(Refused::new(Status::PinFormat))
                }
            }
        }
    }

    /// The PIN under the terminal's keys, else under those before them, and which they were.
    fn try_pin(
        &self,
        caller: &Caller,
        block: &str,
        card: &str,
    ) -> Result<Result<(Pin, KeyGeneration), PinError>, Refused> {
        let block = match PinBlock::parse(block) {
            Ok(block) => block,
            Err(error) => return Ok(Err(error)),
        };
        let mut first_error = PinError::Control;
        for (tried, keys) in sets(&caller.terminal).enumerate() {
            let working = self.gateway.loyalty.keys.working(&caller.terminal, keys);
            let working = working.map_err(crate::app::AppError::from)?;
            match block.open(&working.pin, card) {
                Ok(pin) => return Ok(Ok((pin, keys.generation))),
                Err(error) if tried == 0 => first_error = error,
                Err(_) => {}
            }
        }
        Ok(Err(first_error))
    }
}

/// The valid sets of working keys, the newest first.
fn sets(terminal: &Terminal) -> impl Iterator<Item = &WorkingKeys> {
    [terminal.keys.as_ref(), terminal.keys_before.as_ref()]
        .into_iter()
        .flatten()
}

fn named_batch(form: &Form<'_>) -> Option<domain::loyalty::terminal::BatchNo> {
    let named = form.get(name::BATCH_NO).and_then(BatchNo::parse)?;
    domain::loyalty::terminal::BatchNo::new(named.get())
}
