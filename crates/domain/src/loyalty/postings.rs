//! The postings that an event makes. They follow from the event alone, so the audit works them
//! out again and compares.

use super::trans::{Direction, Effect, Trans, TransState};
use crate::{
    ids::Serial,
    ledger::{Account, Movement, Posting, Unit},
};

/// The postings of `trans`; none where it was refused. An event that was undone keeps its own:
/// what undid it has the opposite ones.
#[must_use]
pub fn postings(trans: &Trans) -> Vec<Posting> {
    match trans.state {
        TransState::Approved | TransState::Reversed(_) | TransState::GivenBack(_) => {}
        TransState::Declined(_) | TransState::Tombstone => return Vec::new(),
    }
    let card = trans.card_account.map(Account::PointsHeld);
    let mut book = Book {
        trans,
        postings: Vec::new(),
    };
    match (trans.kind.direction(trans.undoes), card) {
        (Direction::Spend, Some(card)) => book.spend(card, Way::Forth),
        (Direction::GiveBack, Some(card)) => book.spend(card, Way::Back),
        (Direction::Expire, Some(card)) => book.expire(card),
        (Direction::Grant, Some(card)) => book.grant(card),
        (Direction::None, _) | (_, None) => {}
    }
    book.postings
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forth,
    Back,
}

struct Book<'a> {
    trans: &'a Trans,
    postings: Vec<Posting>,
}

impl Book<'_> {
    fn spend(&mut self, card: Account, way: Way) {
        let effect = &self.trans.effect;
        let store = self.trans.store_account;
        let (spent, earned) = (effect.points_used().get(), effect.earned.get());
        let redeemed = Account::PointsRedeemed(store);
        self.post(
            way,
            Movement::PointsSpent,
            card,
            redeemed,
            spent,
            Unit::Point,
        );
        let granted = Account::PointsGranted;
        self.post(
            way,
            Movement::PointsEarned,
            granted,
            card,
            earned,
            Unit::Point,
        );
        let (till, sales) = (Account::CashTakings(store), Account::CashSales(store));
        self.post(
            way,
            Movement::Cash,
            till,
            sales,
            effect.cash.get(),
            Unit::Fen,
        );
        // Cash for points flows against the purchase: it is paid when that is given back.
        let supplied = Account::PointsSupplied(store);
        let supply = effect.supply_cash.get();
        self.post(way, Movement::CashSupply, supplied, till, supply, Unit::Fen);
        self.tickets(way, Account::TicketsHeld, Account::TicketsUsed);
        self.codes(way);
    }

    fn expire(&mut self, card: Account) {
        let points = self.trans.effect.points_used().get();
        let expired = Account::PointsExpired;
        self.post(
            Way::Forth,
            Movement::PointsSpent,
            card,
            expired,
            points,
            Unit::Point,
        );
        self.tickets(Way::Forth, Account::TicketsHeld, Account::TicketsExpired);
    }

    fn grant(&mut self, card: Account) {
        let points = self.trans.effect.earned.get();
        let granted = Account::PointsGranted;
        self.post(
            Way::Forth,
            Movement::PointsEarned,
            granted,
            card,
            points,
            Unit::Point,
        );
        self.tickets(Way::Forth, Account::TicketsGranted, Account::TicketsHeld);
    }

    fn tickets(
        &mut self,
        way: Way,
        debit: fn(super::card::TicketId) -> Account,
        credit: fn(super::card::TicketId) -> Account,
    ) {
        let Effect { tickets, .. } = &self.trans.effect;
        for (line, used) in (0..Movement::TICKET_LINES_MAX).zip(tickets) {
            if used.code.is_some() {
                continue;
            }
            let (movement, ticket) = (Movement::Tickets(line), used.ticket());
            let (debit, credit) = (debit(ticket), credit(ticket));
            self.post(way, movement, debit, credit, used.pieces, Unit::Piece);
        }
    }

    /// Uses of codes are spent, and the store is owed what they pay; or the same backwards. What
    /// comes back after its term goes where the uses went that nobody used.
    fn codes(&mut self, way: Way) {
        let Effect { tickets, .. } = &self.trans.effect;
        let lines = (0..Movement::TICKET_LINES_MAX).zip(tickets);
        let of_codes = lines.filter_map(|(line, used)| Some((line, used, used.code?)));
        for (face, (line, used, code)) in (0..Movement::CODE_LINES_MAX).zip(of_codes) {
            let ticket = code.ticket;
            let (left, owed) = if used.written_off {
                let rest = Account::VoucherBreakage(ticket);
                (Account::UsesExpired(ticket), rest)
            } else {
                let liability = Account::VoucherLiability(ticket);
                (Account::UsesActive(ticket), liability)
            };
            let (spent, taken) = (Account::UsesSpent(ticket), self.trans.store_account);
            let taken = Account::VoucherTakings(taken);
            let (uses, value) = (Movement::Tickets(line), used.value().get());
            self.post(way, uses, spent, left, used.pieces, Unit::Use);
            self.post(way, Movement::CodeFace(face), owed, taken, value, Unit::Fen);
        }
    }

    fn post(
        &mut self,
        way: Way,
        movement: Movement,
        debit: Account,
        credit: Account,
        amount: i64,
        unit: Unit,
    ) {
        let (debit, credit) = match way {
            Way::Forth => (debit, credit),
            Way::Back => (credit, debit),
        };
        if amount > 0 {
            self.postings.push(Posting {
                tenant: self.trans.tenant,
                subject: self.subject(),
                movement,
                debit,
                credit,
                amount,
                unit,
                at: self.trans.at,
            });
        }
    }

    const fn subject(&self) -> Serial {
        self.trans.serial
    }
}
