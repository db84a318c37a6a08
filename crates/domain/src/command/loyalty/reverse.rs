//! A message is undone because its answer was lost (source: 冲正交易). The terminal repeats a
//! reversal until it hears that the message does not stand: so whatever comes first, the message
//! or its reversal, and however often, it ends undone.

use super::{
    Answer, Message, Missing,
    codes::Till,
    desk::{book, places},
    give_back::restore,
};
use crate::{
    command::Command,
    ids::Serial,
    loyalty::{
        card::{Card, CardNo},
        document::{Document, DocumentKey},
        program::Rules,
        spending::Stands,
        terminal::Terminal,
        trans::{Direction, Effect, Place, Refusal, Trans, TransKind, TransState},
        work_item::{Matter, WorkItem},
    },
    money::Fen,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};
use std::sync::Arc;

/// A reversal. Answers [`Answer::Done`] with the undone message, whether it was undone now or
/// before. [`Refusal::OriginalMissing`] says that the message was never seen; then a tombstone is
/// recorded in its place, which keeps it from being carried out when it comes late.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The message that is undone, as the reversal repeats it; its serial is the reversal's.
    pub message: Message,
    /// What it was.
    pub reverses: TransKind,
    /// The card.
    pub card: CardNo,
    /// What was paid in points, at their value, and in cash, as the reversal repeats it.
    pub amounts: Option<(Fen, Fen)>,
    /// Card and amounts are the reversal's own words, not taken from what was found: only then may
    /// it mean a message of the batch before.
    pub is_explicit: bool,
    /// Events that an earlier try was told to bring along.
    pub needs: Vec<Serial>,
    /// The program's rules.
    pub rules: Arc<Rules>,
}

/// The events behind the message that is undone.
struct Behind {
    /// The purchase that it made, gave back, or made stand again.
    purchase: Trans,
    /// The refund that it undid.
    refund: Option<Trans>,
}

impl Behind {
    /// Puts them into the state they had before the message that is undone.
    fn record(self, rows: &mut Rows, undone: &Trans) {
        let purchase_state = match &self.refund {
            Some(refund) => TransState::GivenBack(refund.serial),
            None => TransState::Approved,
        };
        if self.purchase.serial != undone.serial {
            rows.loyalty.put_trans(Trans {
                state: purchase_state,
                ..self.purchase
            });
        }
        if let Some(refund) = self.refund {
            rows.loyalty.put_trans(Trans {
                state: TransState::Approved,
                ..refund
            });
        }
    }
}

const fn once_stood(trans: &Trans) -> bool {
    match trans.state {
        TransState::Approved | TransState::GivenBack(_) | TransState::Reversed(_) => true,
        TransState::Declined(_) | TransState::Tombstone => false,
    }
}

impl Command for Reverse {
    type Reply = Answer;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
        let (tenant, loyalty) = (self.message.tenant, &mut plan.loyalty);
        loyalty
            .documents
            .push(DocumentKey::card(tenant, &self.card));
        let places = places(&self.message).into_iter();
        loyalty.places.extend(places.map(|it| (tenant, it)));
        let needs = self.needs.iter();
        loyalty.trans.extend(needs.map(|it| (tenant, *it)));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        match self.reverse(rows, now) {
            Ok(answer) | Err(Failure::Answer(answer)) => Ok(answer),
            Err(Failure::Rows(error)) => Err(error),
        }
    }
}

/// Why nothing is undone.
enum Failure {
    /// The terminal hears why.
    Answer(Answer),
    /// The stored rows are wrong.
    Rows(Inconsistent),
}

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

impl From<Inconsistent> for Failure {
    fn from(error: Inconsistent) -> Self {
        Self::Rows(error)
    }
}

impl Reverse {
    fn reverse(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Failure> {
        let terminal = self.admit(rows)?;
        let Some(found) = self.find(rows) else {
            self.put_tombstone(rows, &terminal, now);
            return Ok(Answer::Refused(Refusal::OriginalMissing));
        };
        let found = found.clone();
        self.agrees(&found).map_err(Answer::Refused)?;
        match found.state {
            TransState::Approved => self.undo(rows, terminal, found, now),
            TransState::Reversed(_) => Ok(Answer::Done(Arc::new(found))),
            TransState::GivenBack(_) => Ok(Answer::Refused(Refusal::InConflict)),
            TransState::Declined(_) => Ok(Answer::Refused(Refusal::NotAllowed)),
            TransState::Tombstone => Ok(Answer::Refused(Refusal::OriginalMissing)),
        }
    }

    /// The terminal, if it may send this. Never refused for the batch: that may have been closed.
    fn admit(&self, rows: &Rows) -> Result<Terminal, Answer> {
        let terminal = self.message.terminal(rows)?;
        let newest = terminal.batch.map(|it| it.number);
        if !self.message.names_batch && newest.is_some_and(|it| it != self.message.batch) {
            return Err(Answer::Again(Missing::Batch));
        }
        let is_valid = |under| terminal.keys_of(under).is_some();
        if !self.message.under.is_none_or(is_valid) {
            return Err(Answer::Refused(Refusal::MacWrong));
        }
        let mut terminal = terminal.clone();
        terminal.heard_under(self.message.under);
        Ok(terminal)
    }

    /// The message that is meant. Without a batch's number that may be one of the batch before,
    /// although the open batch has used its trace number for another; but only one that agrees in
    /// all and once stood. Otherwise the message was never seen: to answer for another one would
    /// leave this one without its tombstone.
    fn find<'r>(&self, rows: &'r Rows) -> Option<&'r Trans> {
        let at = |place| rows.loyalty.trans_at(self.message.tenant, place);
        let mut places = places(&self.message).into_iter();
        let own = places.next().and_then(at);
        if own.is_some_and(|it| self.agrees(it).is_ok()) {
            return own;
        }
        let before = places.next().and_then(at);
        let before = before.filter(|it| self.is_explicit && once_stood(it));
        before.filter(|it| self.agrees(it).is_ok()).or(own)
    }

    /// Only the open batch needs one: messages of others are refused anyway.
    fn put_tombstone(&self, rows: &mut Rows, terminal: &Terminal, now: UnixMs) {
        let message = &self.message;
        let open = terminal.open_batch().map(|it| it.number);
        if open == Some(message.batch) {
            let tombstone = message.trans(self.reverses, TransState::Tombstone, now);
            rows.loyalty.put_trans(tombstone);
        }
    }

    /// Whether it is the message that the reversal repeats.
    fn agrees(&self, found: &Trans) -> Result<(), Refusal> {
        if found.kind != self.reverses {
            return Err(Refusal::OriginalMissing);
        }
        let is_declined = matches!(found.state, TransState::Declined(_));
        // A message declined for what is no card's number has no card.
        if found.state == TransState::Tombstone || (is_declined && found.card.is_none()) {
            return Ok(());
        }
        if found.card.as_ref() != Some(&self.card) {
            return Err(Refusal::UnknownCard);
        }
        let paid = (found.effect.point_amount, found.effect.cash);
        match self.amounts {
            Some(amounts) if amounts != paid && !is_declined => Err(Refusal::AmountDiffers),
            Some(_) | None => Ok(()),
        }
    }

    fn undo(
        &self,
        rows: &mut Rows,
        mut terminal: Terminal,
        found: Trans,
        now: UnixMs,
    ) -> Result<Answer, Failure> {
        let card = rows.loyalty.card(self.message.tenant, &self.card);
        let mut card = card.cloned().ok_or(Answer::Refused(Refusal::UnknownCard))?;
        let behind = self.behind(rows, &found)?;
        let mut effect = self.move_back(&mut card, &found, now);
        self.recount(&mut card, &mut terminal, &behind.purchase, &found, now);
        let (kind, state) = (TransKind::Reversal, TransState::Approved);
        let draft = self.message.trans(kind, state, now);
        let till = Till::new(&self.message, found.place);
        effect.tickets = till.give_back(rows, &found, &draft)?;
        let reversal = Trans {
            place: None,
            card: found.card.clone(),
            card_account: found.card_account,
            original: Some(found.serial),
            undoes: Some(found.kind),
            effect,
            balance: card.balance(now),
            ..draft
        };
        let undone = Arc::new(Trans {
            state: TransState::Reversed(reversal.serial),
            ..found
        });
        behind.record(rows, &undone);
        self.settle_batch(rows, &mut terminal, &undone, now);
        rows.loyalty.put_document(Document::Card(Box::new(card)));
        rows.loyalty
            .put_document(Document::Terminal(Box::new(terminal)));
        book(rows, reversal);
        rows.loyalty.put_trans(Arc::clone(&undone));
        Ok(Answer::Done(undone))
    }

    fn behind(&self, rows: &Rows, found: &Trans) -> Result<Behind, Answer> {
        let load = |serial: Option<Serial>| {
            let serial = serial.ok_or(Answer::Refused(Refusal::OriginalMissing))?;
            let trans = rows.loyalty.trans(self.message.tenant, serial).cloned();
            trans.ok_or(Answer::Again(Missing::Original(serial)))
        };
        match found.kind {
            TransKind::Consume | TransKind::TicketsConsume => Ok(Behind {
                purchase: found.clone(),
                refund: None,
            }),
            TransKind::Cancel | TransKind::Refund => Ok(Behind {
                purchase: load(found.original)?,
                refund: None,
            }),
            TransKind::RefundCancel => {
                let refund = load(found.original)?;
                let purchase = load(refund.original)?;
                // It may have gone back once more since; it cannot go back twice.
                if purchase.state != TransState::Approved {
                    return Err(Answer::Refused(Refusal::InConflict));
                }
                Ok(Behind {
                    purchase,
                    refund: Some(refund),
                })
            }
            TransKind::Activate
            | TransKind::Reversal
            | TransKind::Settle
            | TransKind::SettleDetails
            | TransKind::Expiry
            | TransKind::Opening => Err(Answer::Refused(Refusal::NotAllowed)),
        }
    }

    /// The purchase counts no more, or again. The terminal counts what was spent at it even where
    /// it went back later, but not what never happened.
    fn recount(
        &self,
        card: &mut Card,
        terminal: &mut Terminal,
        purchase: &Trans,
        found: &Trans,
        now: UnixMs,
    ) {
        let zone = self.message.zone;
        let stands = match found.kind.direction(found.undoes) {
            Direction::Spend => Stands::NoMore,
            Direction::GiveBack => Stands::Again,
            Direction::Expire | Direction::Grant | Direction::None => return,
        };
        card.recount(purchase, stands, zone, now);
        card.regrade(zone.month(now), &self.rules);
        let day = zone.day(now);
        let is_purchase = purchase.serial == found.serial;
        if is_purchase && zone.day(found.at) == day && found.effect.spends() {
            terminal.today = terminal.today.without(day, found.effect.points_used());
        }
    }

    /// Moves what `found` moved the other way. What the card no longer has it owes: a reversal
    /// cannot be refused for that, the terminal would repeat it for ever.
    fn move_back(&self, card: &mut Card, found: &Trans, now: UnixMs) -> Effect {
        let moved = &found.effect;
        match found.kind.direction(found.undoes) {
            Direction::Spend => {
                restore(card, moved, now, self.message.zone);
                let short = card.claw(moved.earned_lot, moved.earned, now);
                card.owe(short, now);
                Effect {
                    earned_owed: short,
                    ..moved.clone()
                }
            }
            Direction::GiveBack => {
                let (points, short) = card.take_points(moved.points_used(), now);
                card.owe(short, now);
                moved.tickets.iter().for_each(|it| card.take_tickets(it));
                if let Some(lot) = moved.earned_lot {
                    card.put_points(lot, moved.earned, now);
                }
                Effect {
                    points,
                    points_owed: short,
                    ..moved.clone()
                }
            }
            Direction::Expire | Direction::Grant | Direction::None => Effect::default(),
        }
    }

    /// A message of the open batch is counted out again; of a closed one an operator hears.
    fn settle_batch(&self, rows: &mut Rows, terminal: &mut Terminal, undone: &Trans, now: UnixMs) {
        let Some(number) = undone.place.and_then(Place::batch) else {
            return;
        };
        let open = terminal.batch.as_mut();
        let open = open.filter(|it| it.closed_at.is_none() && it.number == number);
        if let Some(batch) = open {
            batch.count(undone.kind, &undone.effect, -1);
        } else if let Some(trans) = undone.number {
            let item = WorkItem {
                tenant: undone.tenant,
                subject: undone.serial,
                at: now,
                terminal: terminal.index,
                matter: Matter::ReversedAfterSettlement {
                    batch: number,
                    number: trans,
                },
                done: None,
            };
            rows.loyalty
                .put_document(Document::WorkItem(Box::new(item)));
        }
    }
}
