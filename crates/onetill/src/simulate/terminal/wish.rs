//! What the customers at a terminal want.

use super::{
    Away, Line, Terminal,
    forecast::{Forecast, Needs, PinSent},
    purse::Bounds,
};
use crate::{
    simulate_till::roster::Member,
    till::{Message, Purchase, Swipe, TakeBackKind, Till, TillError, Which, told},
};
use domain::loyalty::trans::Place;
use store::gate::Heard;
use wire::jpos::{Amount, Body, Pin, Status};

/// The voucher and the ticket that cards hold.
pub const VOUCHER: i64 = 1;
/// See [`VOUCHER`].
pub const TICKET: i64 = 2;
/// Most of a sale, in fen.
const FEN_MAX: u64 = 400;
/// Hundredths of a point that pay one fen.
const POINTS_PER_FEN: i64 = 100;

/// What a customer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Look,
    Points,
    OwnPoints,
    Voucher,
    Tickets,
    TakeBack(TakeBackKind),
    Settle,
    Cash,
}

/// Of a thousand customers; the others pay cash.
const WISHES: [(u64, Wish); 9] = [
    (60, Wish::Look),
    (250, Wish::Points),
    (100, Wish::OwnPoints),
    (80, Wish::Voucher),
    (80, Wish::Tickets),
    (110, Wish::TakeBack(TakeBackKind::Void)),
    (80, Wish::TakeBack(TakeBackKind::Return)),
    (50, Wish::TakeBack(TakeBackKind::ReturnVoid)),
    (30, Wish::Settle),
];

impl<L: Line> Terminal<L> {
    pub(super) async fn serve(&mut self) -> Result<(), Away> {
        match self.wish() {
            Wish::Look => self.look().await,
            Wish::Cash => self.cash().await,
            Wish::Points => self.points().await,
            Wish::OwnPoints => self.own_points().await,
            Wish::Voucher => self.voucher().await,
            Wish::Tickets => self.tickets().await,
            Wish::TakeBack(kind) => self.take_back(kind).await,
            Wish::Settle => self.settle().await,
        }
    }

    fn wish(&mut self) -> Wish {
        let mut rest = self.dice.within(0..1000);
        for (share, wish) in WISHES {
            match rest.checked_sub(share) {
                None => return wish,
                Some(left) => rest = left,
            }
        }
        Wish::Cash
    }

    async fn cash(&mut self) -> Result<(), Away> {
        let sale = Purchase {
            cash_amount: self.fen(),
            ..self.sale()
        };
        self.buy(sale, PinSent::No).await
    }

    /// Points of a card that others spend from too; now and then more than it has.
    async fn points(&mut self) -> Result<(), Away> {
        let sale = Purchase {
            point_amount: self.fen(),
            cash_amount: self.fen(),
            ..self.sale()
        };
        self.buy(sale, PinSent::No).await
    }

    /// Points of a card with a PIN, which is wrong now and then.
    async fn own_points(&mut self) -> Result<(), Away> {
        let is_wrong = self.dice.per_mille(300);
        let wrong = Pin::parse("000000").ok();
        let right = self.own.pin.clone();
        let sale = Purchase {
            pin: if is_wrong { wrong } else { right },
            point_amount: self.fen(),
            ..Purchase::new(Swipe::typed(self.own.card_no.as_str()))
        };
        let pin = if is_wrong {
            PinSent::Wrong
        } else {
            PinSent::Right
        };
        self.buy(sale, pin).await
    }

    async fn voucher(&mut self) -> Result<(), Away> {
        let sale = self.sale();
        if self.till.face(true, VOUCHER).is_none() {
            let card = sale.card.clone();
            return self.ask(|till| till.ask_card(&card)).await.map(drop);
        }
        let sale = Purchase {
            vouchers: vec![(VOUCHER, 1)],
            cash_amount: self.fen(),
            ..sale
        };
        self.buy(sale, PinSent::No).await
    }

    async fn buy(&mut self, sale: Purchase, pin: PinSent) -> Result<(), Away> {
        let points = sale.point_amount.get() * POINTS_PER_FEN;
        let needs = match (points, sale.vouchers.is_empty()) {
            (0, true) => Needs::Nothing,
            (0, false) => Needs::PIECES,
            (points, true) => Needs::Points(points),
            (points, false) => Needs::PointsAndPieces(points),
        };
        let forecast = Forecast {
            // One point for each yuan of cash.
            change: Bounds::exactly(sale.cash_amount.get() - points),
            needs,
            pin,
            ..Forecast::PLAIN
        };
        self.made(|till| till.sell(&sale))?;
        self.begin(&sale.card.card_no, forecast).await
    }

    async fn tickets(&mut self) -> Result<(), Away> {
        let card = self.sale().card;
        if self.till.face(false, TICKET).is_none() {
            return self.ask(|till| till.ask_tickets(&card)).await.map(drop);
        }
        self.made(|till| till.redeem(&card, &[(TICKET, None, 1)]))?;
        let forecast = Forecast {
            needs: Needs::PIECES,
            ..Forecast::PLAIN
        };
        self.begin(&card.card_no, forecast).await
    }

    async fn take_back(&mut self, kind: TakeBackKind) -> Result<(), Away> {
        let made = self.till.take_back(kind, &Which::Newest, None);
        if let Err(TillError::NoOriginal) = made {
            // Nothing stands that could be taken back.
            return self.cash().await;
        }
        self.made(|_| made)?;
        let Some((_, _, Some(entry))) = self.till.last() else {
            return Ok(());
        };
        let entry = entry.clone();
        let Some(original) = entry.takes_back else {
            return Ok(());
        };
        let is_of_batch = Some(original.batch_no) == self.till.batch_no();
        let place = told::place(self.index, original.batch_no, original.trace_no);
        let moved = place.and_then(|it| self.moved_by(it)).unwrap_or_default();
        let pieces = !entry.vouchers.is_empty();
        let forecast = Forecast {
            is_too_late: kind != TakeBackKind::Return && !is_of_batch,
            ..taking_back(kind, moved, pieces)
        };
        self.begin(&entry.card_no, forecast).await
    }

    /// Points used and earned by a message, or those that went back with it.
    fn moved_by(&self, place: Place) -> Option<(i64, i64)> {
        match self.messages.get(&place)?.heard {
            Heard::Approved { points, .. } => {
                points.map(|(used, earned)| (used.get(), earned.get()))
            }
            Heard::Nothing | Heard::Refused | Heard::Undone => None,
        }
    }

    pub(super) async fn settle(&mut self) -> Result<(), Away> {
        // A journal may close a batch that balances as well.
        if self.dice.per_mille(300) {
            self.made(Till::send_journal)?;
        } else {
            self.made(Till::settle)?;
        }
        let card = self.own.card_no.clone();
        self.begin(&card, Forecast::PLAIN).await
    }

    /// What a card shows lies between its bounds.
    async fn look(&mut self) -> Result<(), Away> {
        let card = self.sale().card;
        self.count += 1;
        let id = (self.index, self.count);
        let model = std::sync::Arc::clone(&self.model);
        model.purses.begin(&card.card_no, id, Bounds::exactly(0));
        let body = self.ask(|till| till.ask_card(&card)).await;
        let held = model.purses.held(&card.card_no, id);
        model.purses.end(&card.card_no, id, 0);
        if let Body::Cards(shown) = &body?
            && let Some(total) = shown.balances.map(|it| it.total.get())
            && !held.contains(total)
        {
            let text = format!("a card shows {total}, and held {held:?}");
            self.line.fail(&text);
        }
        Ok(())
    }

    /// Asks what changes nothing.
    async fn ask(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Body, Away> {
        let message = self.made(make)?;
        let reply = self.line.send(None, &message).await.reply.ok_or(Away)?;
        let status = reply.outcome.status();
        self.must_check_in |= matches!(status, Status::CheckinNeeded | Status::MacFailed);
        if status != Status::Approved {
            return Err(Away);
        }
        self.till.learn(&reply.body);
        Ok(reply.body)
    }

    /// A sale with one of the cards that others show too.
    fn sale(&mut self) -> Purchase {
        let index = self.dice.within(0..self.shared.len() as u64);
        let card = usize::try_from(index)
            .ok()
            .and_then(|it| self.shared.get(it));
        let Member { card_no, .. } = card.unwrap_or(&self.own);
        Purchase::new(Swipe::typed(card_no.as_str()))
    }

    fn fen(&mut self) -> Amount {
        Amount::new(i64::try_from(self.dice.within(1..FEN_MAX)).unwrap_or(1))
    }
}

/// What taking back a message that used and earned so many points does.
fn taking_back(kind: TakeBackKind, (used, earned): (i64, i64), pieces: bool) -> Forecast {
    match kind {
        // Of the earned points only those are taken that the card still has.
        TakeBackKind::Void | TakeBackKind::Return => Forecast {
            change: Bounds {
                low: used - earned,
                high: used,
            },
            ..Forecast::PLAIN
        },
        TakeBackKind::ReturnVoid => Forecast {
            change: Bounds::exactly(earned - used),
            needs: match (used, pieces) {
                (0, false) => Needs::Nothing,
                (0, true) => Needs::PIECES,
                // What was earned comes back first.
                (_, false) => Needs::Points(used - earned),
                (_, true) => Needs::PointsAndPieces(used - earned),
            },
            ..Forecast::PLAIN
        },
    }
}
