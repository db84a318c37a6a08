//! A message is undone because its answer was lost (source: 冲正交易). The terminal repeats a
//! reversal until it hears that the message does not stand: so whatever comes first, the message
//! or its reversal, and however often, it ends undone.

use super::{
    Answer, Message, Missing,
    desk::{book, places},
    give_back::restore,
};
use crate::{
    command::Command,
    ids::Serial,
    loyalty::{
        card::{Card, CardNo},
        document::{Document, DocumentKey},
        terminal::Terminal,
        trans::{Direction, Effect, Place, Refusal, Trans, TransKind, TransState},
        work_item::{Matter, WorkItem},
    },
    money::Fen,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

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
    /// Events that an earlier try was told to bring along.
    pub needs: Vec<Serial>,
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
        Ok(self.reverse(rows, now).unwrap_or_else(|answer| answer))
    }
}

impl Reverse {
    fn reverse(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Answer> {
        let terminal = self.admit(rows)?;
        let Some(found) = self.find(rows) else {
            self.put_tombstone(rows, &terminal, now);
            return Err(Answer::Refused(Refusal::OriginalMissing));
        };
        let found = found.clone();
        self.agrees(&found).map_err(Answer::Refused)?;
        match found.state {
            TransState::Approved => self.undo(rows, terminal, found, now),
            TransState::Reversed(_) => Ok(Answer::Done(Box::new(found))),
            TransState::GivenBack(_) => Err(Answer::Refused(Refusal::InConflict)),
            TransState::Declined(_) => Err(Answer::Refused(Refusal::NotAllowed)),
            TransState::Tombstone => Err(Answer::Refused(Refusal::OriginalMissing)),
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

    fn find<'r>(&self, rows: &'r Rows) -> Option<&'r Trans> {
        let tenant = self.message.tenant;
        let mut places = places(&self.message).into_iter();
        places.find_map(|place| rows.loyalty.trans_at(tenant, place))
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
        if found.state == TransState::Tombstone {
            return Ok(());
        }
        if found.card.as_ref() != Some(&self.card) {
            return Err(Refusal::UnknownCard);
        }
        let paid = (found.effect.point_amount, found.effect.cash);
        let is_declined = matches!(found.state, TransState::Declined(_));
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
    ) -> Result<Answer, Answer> {
        let card = rows.loyalty.card(self.message.tenant, &self.card);
        let mut card = card.cloned().ok_or(Answer::Refused(Refusal::UnknownCard))?;
        let stand_again = self.originals(rows, &found)?;
        let effect = self.move_back(&mut card, &found, now);
        let reversal = Trans {
            place: None,
            card: found.card.clone(),
            card_account: found.card_account,
            original: Some(found.serial),
            undoes: Some(found.kind),
            effect,
            balance: card.balance(now),
            ..self
                .message
                .trans(TransKind::Reversal, TransState::Approved, now)
        };
        let undone = Trans {
            state: TransState::Reversed(reversal.serial),
            ..found
        };
        stand_again
            .into_iter()
            .for_each(|it| rows.loyalty.put_trans(it));
        self.settle_batch(rows, &mut terminal, &undone, now);
        rows.loyalty.put_document(Document::Card(Box::new(card)));
        rows.loyalty
            .put_document(Document::Terminal(Box::new(terminal)));
        book(rows, reversal);
        rows.loyalty.put_trans(undone.clone());
        Ok(Answer::Done(Box::new(undone)))
    }

    /// The events that `found` had given back, in the state they had before.
    fn originals(&self, rows: &Rows, found: &Trans) -> Result<Vec<Trans>, Answer> {
        let load = |serial| {
            let trans = rows.loyalty.trans(self.message.tenant, serial).cloned();
            trans.ok_or(Answer::Again(Missing::Original(serial)))
        };
        let Some(original) = found.original.map(load).transpose()? else {
            return Ok(Vec::new());
        };
        let purchase = match found.kind {
            TransKind::RefundCancel => original.original.map(load).transpose()?,
            TransKind::Consume
            | TransKind::Cancel
            | TransKind::Refund
            | TransKind::TicketsConsume
            | TransKind::Activate
            | TransKind::Reversal
            | TransKind::Settle
            | TransKind::SettleDetails
            | TransKind::Expiry
            | TransKind::Opening
            | TransKind::Adjustment => None,
        };
        let purchase = purchase.map(|it| Trans {
            state: TransState::GivenBack(original.serial),
            ..it
        });
        let original = Trans {
            state: TransState::Approved,
            ..original
        };
        Ok(purchase.into_iter().chain([original]).collect())
    }

    /// Moves what `found` moved the other way. What the card no longer has it owes: a reversal
    /// cannot be refused for that, the terminal would repeat it for ever.
    fn move_back(&self, card: &mut Card, found: &Trans, now: UnixMs) -> Effect {
        let moved = &found.effect;
        let day = self.message.zone.day(now);
        match found.kind.direction(found.undoes) {
            Direction::Spend => {
                restore(card, moved, now, self.message.zone);
                let short = card.claw(moved.earned_lot, moved.earned, now);
                card.owed = card.owed.plus(short);
                if self.message.zone.day(found.at) == day && moved.spends() {
                    card.today = card.today.without(day, moved.points_used());
                }
                Effect {
                    earned_owed: short,
                    ..moved.clone()
                }
            }
            Direction::GiveBack => {
                let (points, short) = card.take_points(moved.points_used(), now);
                card.owed = card.owed.plus(short);
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
            };
            rows.loyalty
                .put_document(Document::WorkItem(Box::new(item)));
        }
    }
}
