//! A partner's middleware: it activates and voids, asks what became of that, sends it again, looks
//! at codes, and holds the gateways to what they said.

use super::{
    book::{CodeId, Flight},
    code::{Contradiction, Op},
    market::Market,
    messages::{
        NOBODYS, Told, Wanted, look, message, result_query, segment, told, trace_query, tree,
    },
    stock::{SHOWN, Stock, token},
};
use crate::simulate::{
    counter::{Counter, Exchange},
    dice::Dice,
};
use domain::ids::TenantId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::{
    opengateway::call::Call,
    voucher::{
        Action, ReturnCode, TraceKind,
        reply::{Reply, Tree},
    },
};

/// How often a message without an answer is sent again before other things are done.
const TRIES: u32 = 3;
/// How often it is sent again in the end.
const TRIES_MAX: u32 = 2_000;

/// A partner's middleware.
pub struct Desk {
    counter: Arc<Counter>,
    market: Arc<Market>,
    tenant: TenantId,
    /// Its number in the run.
    number: usize,
    /// The log's name for it.
    tag: String,
    changes: Mutex<Vec<Arc<Change>>>,
}

/// A change that it asked for.
struct Change {
    wanted: Wanted,
    number: String,
    codes: Vec<CodeId>,
    call: Call,
    known: Mutex<Known>,
}

/// What is known of a change.
struct Known {
    /// `None` where its names tell already that it is refused.
    flight: Option<Flight>,
    told: Option<Told>,
    /// Requests that may still take effect.
    loose: u32,
}

/// What a reply says.
enum Said {
    /// The HTTP status says that nothing was done.
    NotDone,
    /// Nobody knows, or nobody answered.
    Nothing,
    Reply(Box<Reply>),
}

impl Desk {
    /// Desk `number`, of a tenant's partner.
    #[must_use]
    pub fn new(
        number: usize,
        counter: &Arc<Counter>,
        market: &Arc<Market>,
        tenant: TenantId,
    ) -> Arc<Self> {
        Arc::new(Self {
            counter: Arc::clone(counter),
            market: Arc::clone(market),
            tenant,
            number,
            tag: format!("[D{number}]"),
            changes: Mutex::default(),
        })
    }

    /// All it does while sales go on.
    pub async fn work(self: Arc<Self>) {
        let world = &self.counter.world;
        let mut dice = Dice::new(world.within(0..u64::MAX));
        let gap_ms = 1 + world.mix.span_ms / world.mix.changes;
        for stock in self.market.boxes_of(self.tenant) {
            // What most sales name, so that there is something to use.
            if dice.per_mille(900) {
                let codes = (0..SHOWN).map(|it| stock.id(it)).collect();
                let names = vec![stock.package(0)];
                self.change(&mut dice, Wanted::Activation, (names, codes))
                    .await;
            }
        }
        for _ in 0..world.mix.changes {
            self.step(&mut dice).await;
            world.pass_ms(0..2 * gap_ms).await;
        }
    }

    async fn step(self: &Arc<Self>, dice: &mut Dice) {
        let Some(stock) = self.market.draw(dice, self.tenant) else {
            return;
        };
        match dice.within(0..20) {
            0..6 => self.change_some(dice, &stock, Wanted::Activation).await,
            6..8 if stock.until().is_none() => self.activate_segment(dice, &stock).await,
            6..10 => self.change_some(dice, &stock, Wanted::Voiding).await,
            10..13 => self.again(dice).await,
            13..15 => self.ask_result(dice).await,
            _ => self.look(dice, &stock).await,
        }
    }

    /// Asks for a change of one or two names, now and then of what is nobody's or is named twice.
    async fn change_some(self: &Arc<Self>, dice: &mut Dice, stock: &Stock, wanted: Wanted) {
        let (name, codes) = stock.draw(dice);
        let (mut names, mut codes) = (vec![name], codes.collect::<Vec<_>>());
        let mut is_refused = false;
        if dice.per_mille(200) {
            let (name, more) = stock.draw(dice);
            is_refused |= more.clone().any(|it| codes.contains(&it));
            names.push(name);
            codes.extend(more);
        }
        if dice.per_mille(50) {
            is_refused = true;
            names.push(NOBODYS.to_owned());
        }
        if is_refused {
            codes.clear();
        }
        self.change(dice, wanted, (names, codes)).await;
    }

    /// Asks for a change of what is listed, a few times where nobody answers. No codes: its names
    /// tell that it is refused.
    async fn change(
        self: &Arc<Self>,
        dice: &mut Dice,
        wanted: Wanted,
        (names, codes): (Vec<String>, Vec<CodeId>),
    ) {
        let number = self.next_number();
        self.log(&format!("#{number} {wanted:?} {names:?}"));
        let Some(call) = message(wanted, &number, &names) else {
            return self.fail("names of another shape");
        };
        let change = self.made(wanted, number, call, codes);
        if self
            .counter
            .world
            .strikes(self.counter.world.mix.duplicates)
        {
            self.counter.world.count(|it| it.duplicates += 1);
            for _ in 0..dice.within(1..3) {
                self.send_later(&change);
            }
        }
        self.see_through(&change).await;
    }

    /// Activates neighbouring card numbers. Of two tries at the same time nobody could say which
    /// was refused, so there are none.
    async fn activate_segment(&self, dice: &mut Dice, stock: &Stock) {
        let (first, last) = (dice.within(0..8), dice.within(0..8));
        let (first, last) = (first.min(last), first.max(last));
        let number = self.next_number();
        let Some(call) = segment(stock, &number, (first, last)) else {
            return self.fail("an order that cannot be written");
        };
        let index = |it| usize::try_from(it).unwrap_or(0);
        let codes = (index(first)..=index(last))
            .map(|it| stock.id(it))
            .collect();
        let name = stock.name();
        self.log(&format!("#{number} cards {first} to {last} of {name}"));
        let change = self.made(Wanted::Segment, number, call, codes);
        self.see_through(&change).await;
    }

    /// Sends it a few times, until it is answered.
    async fn see_through(&self, change: &Change) {
        for _ in 0..TRIES {
            self.send(change).await;
            if change.known().told.is_some() {
                return;
            }
            self.counter.world.pass_ms(0..3_000).await;
        }
    }

    fn next_number(&self) -> String {
        format!("{}-{}", self.number, self.changes().len())
    }

    fn made(&self, wanted: Wanted, number: String, call: Call, codes: Vec<CodeId>) -> Arc<Change> {
        let op = Op::Change(wanted.act());
        let flight = (!codes.is_empty()).then(|| self.market.book.sent(&codes, op));
        let change = Arc::new(Change {
            wanted,
            number,
            codes,
            call,
            known: Mutex::new(Known {
                flight,
                told: None,
                loose: 0,
            }),
        });
        self.changes().push(Arc::clone(&change));
        change
    }

    async fn send(&self, change: &Change) {
        change.known().loose += 1;
        let said = self.exchange(change.call.clone(), change.action()).await;
        self.hear(change, said);
    }

    /// Another copy arrives by itself, later.
    fn send_later(self: &Arc<Self>, change: &Arc<Change>) {
        change.known().loose += 1;
        let (desk, change) = (Arc::clone(self), Arc::clone(change));
        let busy = self.counter.world.busy();
        tokio::spawn(async move {
            desk.counter.world.pass_ms(0..20_000).await;
            let said = desk.exchange(change.call.clone(), change.action()).await;
            desk.hear(&change, said);
            drop(busy);
        });
    }

    async fn exchange(&self, call: Call, action: Action) -> Said {
        let token = token(self.tenant);
        match self.counter.send_as(call, Some(&token)).await {
            Exchange::Unsent | Exchange::Reply(503, _) => Said::NotDone,
            Exchange::Unanswered | Exchange::Reply(500, _) => Said::Nothing,
            Exchange::Reply(200, body) => match Reply::decode(action, &body) {
                Ok(reply) => Said::Reply(Box::new(reply)),
                Err(error) => {
                    self.fail(&format!("{}: {error}", action.name()));
                    Said::Nothing
                }
            },
            Exchange::Reply(status, _) => {
                self.fail(&format!("{}: HTTP {status}", action.name()));
                Said::Nothing
            }
        }
    }

    /// Holds what is said of a change against what was said before.
    fn hear(&self, change: &Change, said: Said) {
        let explained = {
            let mut known = change.known();
            match said {
                // It may take effect when nobody waits any more.
                Said::Nothing => Ok(()),
                Said::NotDone => {
                    known.loose -= 1;
                    self.not_done(change, &known)
                }
                Said::Reply(reply) => {
                    known.loose -= 1;
                    match told(change.wanted, &reply) {
                        // An earlier try may be under way still: it is none of this one's.
                        Some(Told::Conflict) if change.is_unsettled(&known) => Ok(()),
                        Some(told) => self.learn(change, &mut known, told),
                        None => Err(Contradiction("no reply to this".to_owned())),
                    }
                }
            }
        };
        if let Err(Contradiction(why)) = explained {
            self.fail(&format!("#{} {:?}: {why}", change.number, change.wanted));
        }
    }

    fn not_done(&self, change: &Change, known: &Known) -> Result<(), Contradiction> {
        match known.flight {
            Some(flight) if known.told.is_none() && known.loose == 0 => {
                self.market.book.not_yet(&change.codes, flight)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn learn(&self, change: &Change, known: &mut Known, told: Told) -> Result<(), Contradiction> {
        self.log(&format!("#{} is told {told:?}", change.number));
        if let Some(earlier) = known.told {
            let same = earlier == told;
            let why = || Contradiction(format!("told {earlier:?}, and now {told:?}"));
            return same.then_some(()).ok_or_else(why);
        }
        known.told = Some(told);
        let book = &self.market.book;
        match (known.flight, told) {
            (Some(flight), Told::Done) => {
                self.counter.world.count(|it| it.changes += 1);
                book.done(&change.codes, flight)
            }
            (Some(flight), Told::Conflict) => book.refused(&change.codes, flight),
            (None, Told::Error) => Ok(()),
            (Some(_), Told::Error) | (None, Told::Done | Told::Conflict) => {
                Err(Contradiction(format!("told {told:?}")))
            }
        }
    }

    /// An earlier message comes again: the same, or another under its number.
    async fn again(&self, dice: &mut Dice) {
        let Some(change) = self.draw(dice) else {
            return;
        };
        self.counter.world.count(|it| it.duplicates += 1);
        let told_first = change.known().told;
        if change.wanted == Wanted::Segment && told_first == Some(Told::Conflict) {
            return;
        }
        let is_listed = change.wanted != Wanted::Segment;
        if is_listed
            && told_first.is_some()
            && dice.per_mille(300)
            && let Some(call) = message(change.wanted, &change.number, &[NOBODYS.to_owned()])
        {
            if let Said::Reply(reply) = self.exchange(call, change.action()).await
                && told(change.wanted, &reply) != Some(Told::Error)
            {
                self.fail(&format!("#{}: its number is free again", change.number));
            }
            return;
        }
        self.send(&change).await;
    }

    /// What became of an activation?
    async fn ask_result(&self, dice: &mut Dice) {
        if let Some(change) = self.draw(dice)
            && change.wanted == Wanted::Activation
        {
            self.ask_result_of(&change).await;
        }
    }

    async fn ask_result_of(&self, change: &Change) -> Option<()> {
        let action = Action::ActiveResultQuery;
        let was_told = change.known().told.is_some();
        let said = self.exchange(result_query(&change.number), action).await;
        let Said::Reply(reply) = said else {
            return None;
        };
        let Reply::Codes { reply, .. } = *reply else {
            return None;
        };
        let mut known = change.known();
        let failed = if known.flight.is_some() {
            Told::Conflict
        } else {
            Told::Error
        };
        let explained = if reply.code == ReturnCode::AllActive {
            self.learn(change, &mut known, Told::Done)
        } else if reply.code == ReturnCode::ActivationFailed {
            self.learn(change, &mut known, failed)
        } else if reply.code == ReturnCode::UnknownActivation && !was_told {
            Ok(())
        } else {
            let code = reply.code.code();
            Err(Contradiction(format!("asked about, told {code}")))
        };
        drop(known);
        if let Err(Contradiction(why)) = explained {
            self.fail(&format!("#{}: {why}", change.number));
        }
        Some(())
    }

    /// Codes as they stand are explained.
    async fn look(&self, dice: &mut Dice, stock: &Stock) {
        let (name, codes) = stock.draw(dice);
        self.look_at(&name, &codes.collect::<Vec<_>>()).await;
    }

    /// The codes of what `name` leads to are shown as they may stand; `None` without an answer.
    pub(super) async fn look_at(&self, name: &str, codes: &[CodeId]) -> Option<()> {
        let action = Action::QueryVerifyInfo;
        let flight = self.market.book.sent(codes, Op::Look);
        let said = match look(name) {
            Some(look) => self.exchange(look, action).await,
            None => Said::NotDone,
        };
        let shown = match &said {
            Said::NotDone | Said::Nothing => None,
            Said::Reply(reply) => Some(tree(reply)),
        };
        let Some(shown) = shown else {
            self.market.book.left(codes, flight);
            return None;
        };
        let shown = shown.map(Tree::codes).unwrap_or_default();
        if shown.len() != codes.len() {
            self.fail(&format!("{name} shows {} codes", shown.len()));
        }
        for ((_, it), code) in shown.iter().zip(codes) {
            let seen = (it.status, it.remain_times);
            if let Err(Contradiction(why)) = self.market.book.saw(*code, flight, seen) {
                self.fail(&format!("{} shows {seen:?}: {why}", it.code));
            }
        }
        Some(())
    }

    /// What a code's history tells, entry by entry, with the till's number of the sale.
    pub(super) async fn history(&self, text: &str) -> Option<Vec<(TraceKind, String)>> {
        let query = trace_query(text)?;
        let said = self.exchange(query, Action::QueryCodeTrace).await;
        let Said::Reply(reply) = said else {
            return None;
        };
        match *reply {
            Reply::Trace(reply) => {
                let entries = reply.entries.into_iter();
                Some(entries.map(|it| (it.kind, it.swift)).collect())
            }
            Reply::Codes { .. } | Reply::PartNo(_) => None,
        }
    }

    /// Every change comes to its end, and whoever asks about an activation that was open is told the
    /// same.
    pub async fn close(&self) {
        let changes = self.changes().clone();
        for change in changes {
            if change.known().told.is_some() {
                continue;
            }
            let told = async || {
                if change.known().told.is_none() {
                    self.send(&change).await;
                }
                change.known().told
            };
            // At rest nothing is under way.
            change.known().loose = 0;
            self.until(told).await;
            if change.wanted == Wanted::Activation {
                self.until(async || self.ask_result_of(&change).await).await;
            }
        }
    }

    /// Asks until there is an answer.
    pub(super) async fn until<T>(&self, ask: impl AsyncFn() -> Option<T>) -> Option<T> {
        for _ in 0..TRIES_MAX {
            if let Some(answer) = ask().await {
                return Some(answer);
            }
            self.counter.world.pass_ms(100..1_000).await;
        }
        self.fail("a partner finds no end");
        None
    }

    /// One of its earlier changes.
    fn draw(&self, dice: &mut Dice) -> Option<Arc<Change>> {
        let changes = self.changes();
        let len = u64::try_from(changes.len()).unwrap_or(0);
        let index = usize::try_from(dice.within(0..len)).ok()?;
        changes.get(index).cloned()
    }

    /// Whose it is.
    pub(super) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn changes(&self) -> MutexGuard<'_, Vec<Arc<Change>>> {
        // Nothing panics while it is held.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, what: &str) {
        self.counter.world.log(&self.tag, what);
    }

    pub(super) fn fail(&self, what: &str) {
        self.counter.world.fail(Some(&self.tag), what);
    }
}

impl Change {
    const fn action(&self) -> Action {
        match self.wanted {
            Wanted::Activation => Action::ActiveVoucher,
            Wanted::Voiding => Action::DelVoucher,
            Wanted::Segment => Action::ActiveByPartNo,
        }
    }

    /// Whether a refusal may be followed by the end of an earlier try.
    fn is_unsettled(&self, known: &Known) -> bool {
        self.wanted == Wanted::Segment && known.loose > 0 && known.told.is_none()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing panics while it is held.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
