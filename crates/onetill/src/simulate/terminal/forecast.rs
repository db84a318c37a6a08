//! What a message may be answered, by what its card may have held meanwhile.

use super::purse::Bounds;
use wire::jpos::{Body, Status};

/// A PIN that comes with a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinSent {
    /// None.
    No,
    /// The card's.
    Right,
    /// Another.
    Wrong,
}

/// Wrong PINs in a row that lock it, as the dialect has it.
const PIN_TRIES_MAX: u8 = 3;

/// What is known of a message before it is sent.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// What it changes about the card's points if it is carried out.
    pub change: Bounds,
    /// The points without which it is refused, where only they decide.
    pub needs: Needs,
    /// Its PIN.
    pub pin: PinSent,
    /// It is about a message of a batch that is closed, and must not be.
    pub is_too_late: bool,
}

/// What a card must have for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// So many points.
    Points(i64),
    /// So many points, and pieces that nobody here keeps count of.
    PointsAndPieces(i64),
}

impl Needs {
    /// Pieces only.
    pub const PIECES: Self = Self::PointsAndPieces(i64::MIN);
}

impl Forecast {
    /// A message that changes nothing about points and needs nothing.
    pub const PLAIN: Self = Self {
        change: Bounds::exactly(0),
        needs: Needs::Nothing,
        pin: PinSent::No,
        is_too_late: false,
    };

    /// The answers that what the card `held` explains, after so many wrong PINs in a row.
    #[must_use]
    pub fn explained(&self, held: Bounds, wrong_pins: u8) -> Vec<Status> {
        if self.is_too_late {
            return vec![Status::NotAllowed];
        }
        let (may_have, may_lack) = match self.needs {
            Needs::Nothing => (true, false),
            Needs::Points(points) => (held.high >= points, held.low < points),
            Needs::PointsAndPieces(points) => (held.high >= points, true),
        };
        let lacks = may_lack.then_some(Status::TooLittle);
        let has = may_have.then(|| self.with_enough(wrong_pins));
        lacks.into_iter().chain(has).collect()
    }

    fn with_enough(&self, wrong_pins: u8) -> Status {
        match self.pin {
            PinSent::No => Status::Approved,
            PinSent::Right | PinSent::Wrong if wrong_pins >= PIN_TRIES_MAX => Status::PinLocked,
            PinSent::Right => Status::Approved,
            PinSent::Wrong => Status::WrongPin,
        }
    }

    /// Whether figures of an approved answer are explained: what it says that it changed, and what
    /// it says that the card then had.
    #[must_use]
    pub fn explains(&self, held: Bounds, changed: i64, body: &Body) -> bool {
        let is_so = |total: i64| held.contains(total - changed);
        self.change.contains(changed) && total(body).is_none_or(is_so)
    }
}

/// What a card has after a message, as its answer says.
fn total(body: &Body) -> Option<i64> {
    let balances = match body {
        Body::Cards(card) => card.balances,
        Body::Consume(reply) => reply.points.map(|it| it.balances),
        Body::Cancel(points) => points.map(|it| it.balances),
        Body::Refund(reply) => reply.0.map(|it| it.balances),
        Body::Checkin(_)
        | Body::Tickets(_)
        | Body::TicketConsume(_)
        | Body::CardActive(_)
        | Body::Settle(_)
        | Body::SettleDetails(_)
        | Body::Plain => None,
    };
    balances.map(|it| it.total.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn bounds(low: i64, high: i64) -> Bounds {
        Bounds { low, high }
    }

    #[test]
    fn an_answer_is_explained_by_what_a_card_may_have_had() {
        use Status::{Approved, NotAllowed, PinLocked, TooLittle, WrongPin};
        let points = Needs::Points(50);
        let pieces = Needs::PointsAndPieces(50);
        // What it needs, with which PIN, what the card had, wrong PINs before, the answers.
        let table: [(Needs, PinSent, Bounds, u8, &[Status]); 9] = [
            (Needs::Nothing, PinSent::No, bounds(0, 0), 0, &[Approved]),
            (points, PinSent::No, bounds(50, 60), 0, &[Approved]),
            (points, PinSent::No, bounds(0, 49), 0, &[TooLittle]),
            (
                points,
                PinSent::No,
                bounds(49, 50),
                0,
                &[TooLittle, Approved],
            ),
            (
                pieces,
                PinSent::No,
                bounds(60, 60),
                0,
                &[TooLittle, Approved],
            ),
            (points, PinSent::Right, bounds(60, 60), 2, &[Approved]),
            (points, PinSent::Wrong, bounds(60, 60), 2, &[WrongPin]),
            (points, PinSent::Right, bounds(60, 60), 3, &[PinLocked]),
            (points, PinSent::Wrong, bounds(0, 0), 3, &[TooLittle]),
        ];
        for (needs, pin, held, wrong_pins, answers) in table {
            let forecast = Forecast {
                needs,
                pin,
                ..Forecast::PLAIN
            };
            let explained = forecast.explained(held, wrong_pins);
            assert_eq!(explained, answers, "{forecast:?} {held:?} {wrong_pins}");
        }
        let late = Forecast {
            is_too_late: true,
            ..Forecast::PLAIN
        };
        assert_eq!(late.explained(bounds(0, 9), 0), [NotAllowed]);
    }
}
