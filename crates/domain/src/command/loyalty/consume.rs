//! Purchases: points, vouchers and cash move together or not at all (source: 消费), and tickets
//! are used (source: 券消费).

use super::{
    Answer, Message, Missing, PinEvidence, Wanted,
    codes::{self, Free, Till},
    desk::Desk,
};
use crate::{
    command::Command,
    ledger::Movement,
    loyalty::{
        card::{Card, CardNo, CardStatus, TicketId},
        document::{Document, DocumentKey},
        points::Points,
        program::Rules,
        trans::{Effect, LotKey, Refusal, TicketUse, Trans, TransKind},
    },
    money::Fen,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};
use std::sync::Arc;

/// A purchase with a member's card.
#[derive(Clone, Debug)]
pub struct Consume {
    /// The message.
    pub message: Message,
    /// The card.
    pub card: CardNo,
    /// What is known of the PIN.
    pub pin: PinEvidence,
    /// What is paid in points, at their value.
    pub point_amount: Fen,
    /// What is paid in cash.
    pub cash: Fen,
    /// The vouchers that are used.
    pub vouchers: Vec<Wanted>,
    /// The till's own receipt number.
    pub register_trace: Option<String>,
    /// How the card was read.
    pub entry_mode: String,
    /// The program's rules.
    pub rules: Arc<Rules>,
}

/// Tickets used with a member's card.
#[derive(Clone, Debug)]
pub struct TicketsConsume {
    /// The message.
    pub message: Message,
    /// The card.
    pub card: CardNo,
    /// The tickets that are used.
    pub tickets: Vec<Wanted>,
    /// The program's rules.
    pub rules: Arc<Rules>,
}

/// Why a purchase is not made.
enum Failure {
    /// It is declined.
    Refusal(Refusal),
    /// The PIN is wrong: that counts.
    PinWrong,
    /// It cannot be decided, or nothing of it is recorded.
    Unrecorded(Answer),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Command for Consume {
    type Reply = Answer;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
        let card = DocumentKey::card(self.message.tenant, &self.card);
        plan.loyalty.documents.push(card);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let desk = match Desk::open(&self.message, TransKind::Consume, rows, now) {
            Ok(desk) => desk,
            Err(answer) => return Ok(answer),
        };
        let spending = Spending {
            points: self.rules.points_for(self.point_amount),
            is_paid: self.point_amount > Fen::ZERO || self.cash > Fen::ZERO,
            is_carried: self.is_carried(),
            wanted: &self.vouchers,
            vouchers: true,
            pin: Some(&self.pin),
            rules: &self.rules,
        };
        let draft = Trans {
            register_trace: self.register_trace.clone(),
            entry_mode: Some(self.entry_mode.clone()),
            ..desk.trans()
        };
        spending.carry_out(desk, rows, draft, &self.card, |card, desk, effect| {
            effect.point_amount = self.point_amount;
            effect.cash = self.cash;
            self.earn(card, desk, effect);
        })
    }
}

impl Consume {
    /// Whether the amounts lie in the range of one transaction, and points pay for what is to be
    /// paid in points: nothing is free where the program prices them at nothing.
    fn is_carried(&self) -> bool {
        let has_range = |it: Fen| it >= Fen::ZERO && it <= Fen::MAX_CHARGE;
        let points = self.rules.points_for(self.point_amount);
        let is_priced = self.point_amount == Fen::ZERO || points.is_some();
        has_range(self.cash) && has_range(self.point_amount) && is_priced
    }

    /// Adds what the cash part earns, by the rules and the grade that the twelve months before
    /// this purchase give.
    fn earn(&self, card: &mut Card, desk: &Desk<'_>, effect: &mut Effect) {
        let month = desk.message.zone.month(desk.now);
        card.regrade(month, &self.rules);
        let store = &desk.message.store;
        let earned = self.rules.earned(self.cash, card.grade, store, desk.now);
        if earned.is_some() {
            let lot = self.rules.lot(desk.message.zone, desk.now);
            card.put_points(lot, earned, desk.now);
            effect.earned = earned;
            effect.earned_lot = Some(lot);
        }
        let spent = self.cash.get().saturating_add(self.point_amount.get());
        card.count_spent(month, spent, month);
        card.regrade(month, &self.rules);
    }
}

impl Rules {
    /// The lot that points earned at `now` are put into.
    pub(super) fn lot(&self, zone: crate::loyalty::calendar::Zone, now: UnixMs) -> LotKey {
        let available_at = match self.pending_days {
            0 => UnixMs(0),
            days => zone.start_of_day(zone.day(now) + i64::from(days)),
        };
        LotKey {
            available_at,
            expires_at: self.expiry_months.map(|it| zone.end_of_month(now, it)),
        }
    }
}

impl Command for TicketsConsume {
    type Reply = Answer;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
        let card = DocumentKey::card(self.message.tenant, &self.card);
        plan.voucher.cards.push(card.clone());
        plan.loyalty.documents.push(card);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let desk = match Desk::open(&self.message, TransKind::TicketsConsume, rows, now) {
            Ok(desk) => desk,
            Err(answer) => return Ok(answer),
        };
        let spending = Spending {
            points: Points::ZERO,
            is_paid: false,
            is_carried: true,
            wanted: &self.tickets,
            vouchers: false,
            pin: None,
            rules: &self.rules,
        };
        let draft = desk
            .message
            .trans(desk.kind, crate::loyalty::trans::TransState::Approved, now);
        spending.carry_out(desk, rows, draft, &self.card, |_, _, _| {})
    }
}

/// What a message spends of a card.
struct Spending<'a> {
    points: Points,
    /// Something is paid beside the tickets.
    is_paid: bool,
    /// The amounts are such as can be paid.
    is_carried: bool,
    wanted: &'a [Wanted],
    /// Vouchers are wanted, not tickets.
    vouchers: bool,
    /// What is known of the PIN; `None` where a message carries none.
    pin: Option<&'a PinEvidence>,
    rules: &'a Rules,
}

impl Spending<'_> {
    /// Spends, and records how it went; `more` adds what else the purchase does to the card.
    fn carry_out(
        &self,
        mut desk: Desk<'_>,
        rows: &mut Rows,
        draft: Trans,
        number: &CardNo,
        more: impl FnOnce(&mut Card, &Desk<'_>, &mut Effect),
    ) -> Result<Answer, Inconsistent> {
        let card = rows.loyalty.card(desk.message.tenant, number);
        let card = card.map(|it| Box::new(it.clone()));
        let free = self.free_codes(rows, card.as_deref(), desk.now)?;
        let (checked, card) = self.check(&desk, card, free);
        let draft = Trans {
            card: Some(number.clone()),
            card_account: card.as_ref().map(|it| it.account),
            balance: card
                .as_ref()
                .map(|it| it.balance(desk.now))
                .unwrap_or_default(),
            ..draft
        };
        let (tickets, mut card) = match (checked, card) {
            (Ok(tickets), Some(card)) => (tickets, card),
            (Err(Failure::Unrecorded(answer)), _) => return Ok(answer),
            (Err(Failure::PinWrong), Some(card)) => {
                note_wrong_pin(rows, card);
                return Ok(desk.decline(rows, draft, Refusal::PinWrong));
            }
            (Err(Failure::Refusal(refusal)), _) => return Ok(desk.decline(rows, draft, refusal)),
            (Ok(_) | Err(Failure::PinWrong), None) => {
                return Ok(desk.decline(rows, draft, Refusal::UnknownCard));
            }
        };
        let mut effect = self.spend(&mut card, &mut desk, tickets);
        more(&mut card, &desk, &mut effect);
        let store = &desk.message.store;
        let trans = Trans {
            effect,
            balance: card.balance(desk.now),
            advertisement: self.rules.advertisement(store, desk.now).to_owned(),
            ..draft
        };
        rows.loyalty.put_document(Document::Card(card));
        Till::new(desk.message, trans.place).spend(rows, &trans)?;
        Ok(desk.approve(rows, trans))
    }

    /// What the card's codes have left; purchases spend none.
    fn free_codes(
        &self,
        rows: &Rows,
        card: Option<&Card>,
        now: UnixMs,
    ) -> Result<Vec<Free>, Inconsistent> {
        match card.filter(|_| !self.vouchers) {
            Some(card) => codes::free(rows, card, now),
            None => Ok(Vec::new()),
        }
    }

    /// Whether it may be spent, in the order in which the dialect names what is wrong; the tickets
    /// that it takes.
    fn check(
        &self,
        desk: &Desk<'_>,
        card: Option<Box<Card>>,
        free: Vec<Free>,
    ) -> (Result<Vec<TicketUse>, Failure>, Option<Box<Card>>) {
        let checked = self.check_pin_is_there(card.as_deref());
        let checked = checked.and_then(|()| Ok(self.check_amount()?));
        let checked = checked.and_then(|()| Ok(self.check_limits(desk, card.as_deref())?));
        let checked = checked.and_then(|()| match &card {
            Some(card) => self.check_card(desk, card, free),
            None => Err(Refusal::UnknownCard.into()),
        });
        (checked, card)
    }

    /// A card without a PIN asks for none. One with a PIN asks for it when points are spent.
    fn check_pin_is_there(&self, card: Option<&Card>) -> Result<(), Failure> {
        let has_pin = card.is_some_and(|it| it.pin.is_some());
        if has_pin && self.points.is_some() && self.pin == Some(&PinEvidence::None) {
            return Err(Failure::Unrecorded(Answer::Refused(Refusal::PinMissing)));
        }
        Ok(())
    }

    const fn check_amount(&self) -> Result<(), Refusal> {
        let too_many_lines = self.wanted.len() > Movement::TICKET_LINES_MAX as usize;
        let is_nothing = !self.is_paid && self.wanted.is_empty();
        let is_too_much = self.points.get() > Points::MAX.get();
        if is_nothing || too_many_lines || !self.is_carried || is_too_much {
            return Err(Refusal::AmountInvalid);
        }
        Ok(())
    }

    /// What is too much is named before what is too often, whether for the terminal or the card.
    fn check_limits(&self, desk: &Desk<'_>, card: Option<&Card>) -> Result<(), Refusal> {
        if self.is_limited() {
            let day = desk.day();
            let terminal = (&self.rules.terminal_limits, desk.terminal.today.of(day));
            let card = card.map(|it| (&self.rules.card_limits, it.today.of(day)));
            let all = || [Some(terminal), card].into_iter().flatten();
            all().try_for_each(|(limits, today)| limits.check_points(today, self.points))?;
            all().try_for_each(|(limits, today)| limits.check_count(today))?;
        }
        desk.has_numbers_left()
    }

    const fn is_limited(&self) -> bool {
        self.points.is_some() || !self.wanted.is_empty()
    }

    fn check_card(
        &self,
        desk: &Desk<'_>,
        card: &Card,
        mut free: Vec<Free>,
    ) -> Result<Vec<TicketUse>, Failure> {
        may_be_used(card, desk.now)?;
        if self.points.is_some() && card.balance(desk.now).available < self.points {
            return Err(Refusal::TooFew.into());
        }
        let lines = self.wanted.iter();
        let lines = lines.map(|it| self.lines(card, &mut free, it, desk.now));
        let lines: Option<Vec<Vec<TicketUse>>> = lines.collect();
        let tickets = lines.ok_or(Refusal::TooFew)?.concat();
        unless_too_many(&tickets)?;
        if let Some(pin) = self.pin {
            check_pin(card, pin)?;
        }
        Ok(tickets)
    }

    /// What one wanted line takes: pieces of the card's own, else uses of codes it holds; `None`
    /// where there are too few.
    fn lines(
        &self,
        card: &Card,
        free: &mut [Free],
        wanted: &Wanted,
        now: UnixMs,
    ) -> Option<Vec<TicketUse>> {
        if wanted.pieces <= 0 {
            return None;
        }
        let ticket = self.ticket(wanted);
        let Some(holding) = card.holding(ticket).filter(|it| it.is_usable(now)) else {
            return codes::take(free, wanted).filter(|it| !it.is_empty());
        };
        // The same ticket may stand in two lines.
        let same = self.wanted.iter().filter(|other| other.id == wanted.id);
        let pieces = same.fold(0_i64, |sum, it| sum.saturating_add(it.pieces));
        (holding.pieces >= pieces).then(|| vec![holding.used(wanted.pieces)])
    }

    const fn ticket(&self, wanted: &Wanted) -> TicketId {
        TicketId {
            voucher: self.vouchers,
            id: wanted.id,
        }
    }

    /// Takes what was checked to be there.
    fn spend(&self, card: &mut Card, desk: &mut Desk<'_>, tickets: Vec<TicketUse>) -> Effect {
        if let (Some(PinEvidence::Right(_)), Some(pin)) = (self.pin, &mut card.pin) {
            pin.wrong = 0;
        }
        let (points, _) = card.take_points(self.points, desk.now);
        tickets.iter().for_each(|it| card.take_tickets(it));
        if self.is_limited() {
            let day = desk.day();
            card.today = card.today.with(day, self.points);
            desk.terminal.today = desk.terminal.today.with(day, self.points);
        }
        Effect {
            points,
            tickets,
            ..Effect::default()
        }
    }
}

/// One event names only so many lines, and codes among them.
fn unless_too_many(tickets: &[TicketUse]) -> Result<(), Refusal> {
    let codes = tickets.iter().filter(|it| it.code.is_some()).count();
    let fits = tickets.len() <= usize::from(Movement::TICKET_LINES_MAX)
        && codes <= usize::from(Movement::CODE_LINES_MAX);
    if fits {
        Ok(())
    } else {
        Err(Refusal::AmountInvalid)
    }
}

/// Whether a card may be used for anything, in the order in which the dialect names it.
pub(super) fn may_be_used(card: &Card, now: UnixMs) -> Result<(), Refusal> {
    let is_over = card.expires_at.is_some_and(|end| end <= now);
    if is_over && card.status != CardStatus::Stocked {
        return Err(Refusal::CardExpired);
    }
    match card.status {
        CardStatus::Stocked => Err(Refusal::NotActive),
        CardStatus::Lost | CardStatus::Blocked => Err(Refusal::CardBlocked),
        CardStatus::Restricted => Err(Refusal::Restricted),
        CardStatus::Active => Ok(()),
    }
}

/// A PIN is looked at whenever it is sent.
fn check_pin(card: &Card, evidence: &PinEvidence) -> Result<(), Failure> {
    let Some(pin) = &card.pin else { return Ok(()) };
    let compared_with = match evidence {
        PinEvidence::None => return Ok(()),
        PinEvidence::Right(hash) | PinEvidence::Wrong(hash) => hash,
    };
    if *compared_with != pin.hash {
        return Err(Failure::Unrecorded(Answer::Again(Missing::Pin)));
    }
    match evidence {
        PinEvidence::None => Ok(()),
        PinEvidence::Right(_) | PinEvidence::Wrong(_) if pin.is_locked() => {
            Err(Refusal::PinLocked.into())
        }
        PinEvidence::Right(_) => Ok(()),
        PinEvidence::Wrong(_) => Err(Failure::PinWrong),
    }
}

fn note_wrong_pin(rows: &mut Rows, mut card: Box<Card>) {
    if let Some(pin) = &mut card.pin {
        pin.wrong = pin.wrong.saturating_add(1);
    }
    rows.loyalty.put_document(Document::Card(card));
}
