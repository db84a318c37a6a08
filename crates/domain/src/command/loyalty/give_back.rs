//! A purchase goes back, whole: within its batch (source: 消费撤销) or at any time later (消费退货);
//! and a refund is undone (消费退货撤销).

use super::{Answer, Message, Missing, desk::Desk};
use crate::{
    command::Command,
    ids::Serial,
    loyalty::{
        calendar::Zone,
        card::{Card, CardNo},
        document::{Document, DocumentKey},
        points::Points,
        program::{Clawback, Rules},
        spending::Stands,
        trans::{Effect, LotKey, Place, Refusal, Trans, TransKind, TransNo, TransState},
    },
    money::Fen,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};
use std::sync::Arc;

/// What goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveBackKind {
    /// A purchase of the open batch.
    Cancel,
    /// A purchase of any time.
    Refund,
    /// A refund of the open batch: the purchase stands again.
    RefundCancel,
}

impl GiveBackKind {
    /// What a message of this kind makes.
    #[must_use]
    pub const fn makes(self) -> TransKind {
        match self {
            Self::Cancel => TransKind::Cancel,
            Self::Refund => TransKind::Refund,
            Self::RefundCancel => TransKind::RefundCancel,
        }
    }

    const fn undoes(self) -> TransKind {
        match self {
            Self::Cancel | Self::Refund => TransKind::Consume,
            Self::RefundCancel => TransKind::Refund,
        }
    }
}

/// How a message names the transaction it is about. The number is looked for first; what else is
/// given must agree with what is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// By the host's number.
    pub number: Option<TransNo>,
    /// By the message that made it.
    pub place: Option<Place>,
    /// The day it was made, since 1970.
    pub day: Option<i64>,
    /// The till's receipt number.
    pub register_trace: Option<String>,
}

/// Something goes back.
#[derive(Clone, Debug)]
pub struct GiveBack {
    /// The message.
    pub message: Message,
    /// What goes back.
    pub kind: GiveBackKind,
    /// The card.
    pub card: CardNo,
    /// The transaction that goes back.
    pub original: Original,
    /// Events that an earlier try was told to bring along.
    pub needs: Vec<Serial>,
    /// The program's rules.
    pub rules: Arc<Rules>,
}

/// Why nothing goes back.
enum Failure {
    Refusal(Refusal),
    Missing(Serial),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Command for GiveBack {
    type Reply = Answer;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.message.plan(plan);
        let (tenant, loyalty) = (self.message.tenant, &mut plan.loyalty);
        loyalty
            .documents
            .push(DocumentKey::card(tenant, &self.card));
        loyalty
            .numbers
            .extend(self.original.number.map(|it| (tenant, it)));
        loyalty
            .places
            .extend(self.original.place.map(|it| (tenant, it)));
        loyalty
            .trans
            .extend(self.needs.iter().map(|it| (tenant, *it)));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Answer, Inconsistent> {
        let desk = match Desk::open(&self.message, self.kind.makes(), rows, now) {
            Ok(desk) => desk,
            Err(answer) => return Ok(answer),
        };
        let card = rows.loyalty.card(self.message.tenant, &self.card).cloned();
        let draft = Trans {
            card: Some(self.card.clone()),
            card_account: card.as_ref().map(|it| it.account),
            ..desk.trans()
        };
        Ok(match self.give_back(rows, &desk, card) {
            Ok(given) => given.record(rows, desk, draft),
            Err(Failure::Missing(serial)) => Answer::Again(Missing::Original(serial)),
            Err(Failure::Refusal(refusal)) => desk.decline(rows, draft, refusal),
        })
    }
}

/// What went back, before it is recorded.
struct Given {
    card: Card,
    effect: Effect,
    /// The event that goes back.
    original: Trans,
    /// The purchase that stands again.
    purchase: Option<Trans>,
}

impl Given {
    fn record(self, rows: &mut Rows, desk: Desk<'_>, draft: Trans) -> Answer {
        let by = draft.serial;
        let draft = Trans {
            original: Some(self.original.serial),
            effect: self.effect,
            balance: self.card.balance(desk.now),
            ..draft
        };
        rows.loyalty
            .put_document(Document::Card(Box::new(self.card)));
        rows.loyalty.put_trans(Trans {
            state: TransState::GivenBack(by),
            ..self.original
        });
        if let Some(purchase) = self.purchase {
            rows.loyalty.put_trans(Trans {
                state: TransState::Approved,
                ..purchase
            });
        }
        desk.approve(rows, draft)
    }
}

impl GiveBack {
    fn give_back(
        &self,
        rows: &Rows,
        desk: &Desk<'_>,
        card: Option<Card>,
    ) -> Result<Given, Failure> {
        desk.has_numbers_left()?;
        let mut card = card.ok_or(Refusal::UnknownCard)?;
        let original = self.find(rows, desk)?.clone();
        let (effect, purchase) = match self.kind {
            GiveBackKind::Cancel | GiveBackKind::Refund => {
                (self.undo_purchase(desk, &mut card, &original)?, None)
            }
            GiveBackKind::RefundCancel => {
                let purchase = purchase_of(&original, rows)?;
                let effect = self.redo_purchase(desk, &mut card, &original, &purchase)?;
                (effect, Some(purchase))
            }
        };
        Ok(Given {
            card,
            effect,
            original,
            purchase,
        })
    }

    /// The transaction that goes back, in the order in which the dialect names what is wrong.
    fn find<'r>(&self, rows: &'r Rows, desk: &Desk<'_>) -> Result<&'r Trans, Refusal> {
        let tenant = self.message.tenant;
        let by_number = |it| rows.loyalty.trans_by_number(tenant, it);
        let by_place = |it| rows.loyalty.trans_at(tenant, it);
        let found = match (self.original.number, self.original.place) {
            (Some(number), _) => by_number(number),
            (None, Some(place)) => by_place(place),
            (None, None) => None,
        };
        let found = found.filter(|it| is_there(it) && self.agrees(it, desk));
        let found = found.ok_or(Refusal::OriginalMissing)?;
        if found.card.as_ref() != Some(&self.card) {
            return Err(Refusal::UnknownCard);
        }
        if found.kind != self.kind.undoes() || !self.is_in_time(found, desk) {
            return Err(Refusal::NotAllowed);
        }
        match found.state {
            TransState::Approved => Ok(found),
            TransState::GivenBack(_) => Err(Refusal::InConflict),
            TransState::Declined(_) => Err(Refusal::NotAllowed),
            TransState::Reversed(_) | TransState::Tombstone => Err(Refusal::OriginalMissing),
        }
    }

    /// Whether it may be meant: it was made where this message may reach, and all that the
    /// message says of it is true.
    fn agrees(&self, found: &Trans, desk: &Desk<'_>) -> bool {
        let same_terminal = found.place.map(Place::terminal) == Some(self.message.terminal_index);
        let same_store = found.store.as_ref() == Some(&self.message.store);
        let is_in_reach = match self.kind {
            GiveBackKind::Cancel | GiveBackKind::RefundCancel => same_terminal,
            GiveBackKind::Refund => same_store || self.rules.refund_anywhere,
        };
        let Original {
            number,
            place,
            day,
            register_trace,
        } = &self.original;
        // With the number, batch and trace may be those of another terminal of the store.
        let names = |it: Place| {
            let within = |it: Place| (it.batch(), it.trace());
            found.place == Some(it)
                || number.is_some() && found.place.map(within) == Some(within(it))
        };
        let day_of = desk.message.zone.day(found.at);
        is_in_reach
            && place.is_none_or(names)
            && day.is_none_or(|it| day_of == it)
            && (register_trace.is_none() || *register_trace == found.register_trace)
    }

    /// Cancels and undone refunds belong to the open batch, which the desk has checked to be the
    /// message's.
    fn is_in_time(&self, found: &Trans, desk: &Desk<'_>) -> bool {
        match self.kind {
            GiveBackKind::Cancel | GiveBackKind::RefundCancel => {
                found.place.and_then(Place::batch) == Some(desk.message.batch)
            }
            GiveBackKind::Refund => true,
        }
    }

    /// Points and tickets return to the card, and what was earned is taken back.
    fn undo_purchase(
        &self,
        desk: &Desk<'_>,
        card: &mut Card,
        purchase: &Trans,
    ) -> Result<Effect, Refusal> {
        let bought = &purchase.effect;
        // First, so that points that come back may pay for those that were earned.
        restore(card, bought, desk.now, desk.message.zone);
        let short = card.claw(bought.earned_lot, bought.earned, desk.now);
        let (owed, supply_cash) = self.settle_shortfall(card, short, desk.now)?;
        self.recount(card, desk, purchase, Stands::NoMore);
        Ok(Effect {
            earned: bought.earned.minus(short).plus(owed),
            earned_owed: owed,
            supply_cash,
            ..bought.clone()
        })
    }

    /// What becomes of earned points that the card no longer has: points owed, and cash to be paid.
    fn settle_shortfall(
        &self,
        card: &mut Card,
        short: Points,
        now: UnixMs,
    ) -> Result<(Points, Fen), Refusal> {
        if !short.is_some() {
            return Ok((Points::ZERO, Fen::ZERO));
        }
        match self.rules.clawback {
            Clawback::Cash => Ok((Points::ZERO, self.rules.worth(short))),
            Clawback::Negative => {
                card.owe(short, now);
                Ok((short, Fen::ZERO))
            }
            Clawback::Refuse => Err(Refusal::TooFew),
        }
    }

    fn recount(&self, card: &mut Card, desk: &Desk<'_>, purchase: &Trans, stands: Stands) {
        let zone = desk.message.zone;
        card.recount(purchase, stands, zone, desk.now);
        card.regrade(zone.month(desk.now), &self.rules);
    }

    /// The purchase stands again: what the refund gave back is taken once more.
    fn redo_purchase(
        &self,
        desk: &Desk<'_>,
        card: &mut Card,
        refund: &Trans,
        purchase: &Trans,
    ) -> Result<Effect, Refusal> {
        let given = &refund.effect;
        let has = |it: &crate::loyalty::trans::TicketUse| {
            let held = card.holding(it.ticket());
            held.is_some_and(|held| held.is_usable(desk.now) && held.pieces >= it.pieces)
        };
        if !given.tickets.iter().all(has) {
            return Err(Refusal::TooFew);
        }
        // The other way round than the refund: there the points that came back paid for those
        // that had been earned.
        if let Some(lot) = given.earned_lot {
            card.put_points(lot, given.earned, desk.now);
        }
        let (points, short) = card.take_points(given.points_used(), desk.now);
        if short.is_some() {
            return Err(Refusal::TooFew);
        }
        given.tickets.iter().for_each(|it| card.take_tickets(it));
        self.recount(card, desk, purchase, Stands::Again);
        Ok(Effect {
            points,
            points_owed: Points::ZERO,
            earned_owed: Points::ZERO,
            ..given.clone()
        })
    }
}

/// Whether it ever stood: what a reversal undid or forestalled did not.
const fn is_there(trans: &Trans) -> bool {
    match trans.state {
        TransState::Approved | TransState::GivenBack(_) | TransState::Declined(_) => true,
        TransState::Reversed(_) | TransState::Tombstone => false,
    }
}

/// Points and tickets of an event return to the card.
pub(super) fn restore(card: &mut Card, effect: &Effect, now: UnixMs, zone: Zone) {
    card.give_back(&effect.points, now, zone);
    card.put_points(LotKey::short_lived(now, zone), effect.points_owed, now);
    effect.tickets.iter().for_each(|it| card.put_tickets(it));
}

/// The purchase that `refund` gave back.
fn purchase_of(refund: &Trans, rows: &Rows) -> Result<Trans, Failure> {
    let serial = refund.original.ok_or(Refusal::OriginalMissing)?;
    let purchase = rows.loyalty.trans(refund.tenant, serial).cloned();
    purchase.ok_or(Failure::Missing(serial))
}
