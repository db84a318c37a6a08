//! The postings of vouchers. They follow from a box, a change or a payment alone, so the audit
//! works them out again and compares.

use super::{
    change::{Change, ChangeKind, Part, Verdict},
    stock::Carton,
    ticket::{Terms, VoucherTicketNo},
};
use crate::{
    ids::{Serial, TenantId},
    ledger::{Account, Movement, Posting, Unit},
    money::Fen,
    payment::{Payment, VoucherPart},
    time::UnixMs,
};

/// What `uses` uses pay; `None` when no amount can be that large.
#[must_use]
pub fn face_of(terms: &Terms, uses: i64) -> Option<Fen> {
    terms.face_value.get().checked_mul(uses).map(Fen::new)
}

/// The codes of a box come into stock.
#[must_use]
pub fn issue(carton: &Carton) -> Posting {
    Posting {
        tenant: carton.tenant,
        subject: carton.serial,
        movement: Movement::UsesFromStock,
        debit: Account::UsesInStock(carton.ticket),
        credit: Account::UsesIssued(carton.ticket),
        amount: i64::from(carton.codes) * i64::from(carton.terms.uses),
        unit: Unit::Use,
        at: carton.issued_at,
    }
}

/// The postings of a change; none where it was refused.
#[must_use]
pub fn of_change(change: &Change) -> Vec<Posting> {
    let parts: &[Part] = match &change.verdict {
        Verdict::Done(parts) => parts,
        Verdict::Conflict(_) | Verdict::Unknown(_) | Verdict::Duplicate(..) | Verdict::TooMany => {
            &[]
        }
    };
    parts.iter().flat_map(|it| of_part(change, it)).collect()
}

fn of_part(change: &Change, part: &Part) -> Vec<Posting> {
    let ticket = part.ticket;
    let book = Book {
        tenant: change.tenant,
        subject: part.serial,
        at: change.at,
    };
    let liability = Account::VoucherLiability(ticket);
    let sold = |it| Account::VoucherSales(it);
    let (to, face) = match (change.kind, change.partner) {
        (ChangeKind::Activate | ChangeKind::ActivateSegment, Some(partner)) => {
            (Account::UsesActive(ticket), (sold(partner), liability))
        }
        (ChangeKind::Void, Some(partner)) => {
            (Account::UsesVoid(ticket), (liability, sold(partner)))
        }
        (ChangeKind::Expire, _) => {
            let written_off = Account::VoucherBreakage(ticket);
            (Account::UsesExpired(ticket), (liability, written_off))
        }
        (ChangeKind::Freeze | ChangeKind::Unfreeze, _)
        | (ChangeKind::Activate | ChangeKind::ActivateSegment | ChangeKind::Void, None) => {
            return Vec::new();
        }
    };
    let (stock, active) = (Account::UsesInStock(ticket), Account::UsesActive(ticket));
    let (from_stock, from_active) = (part.uses_from_stock, part.uses_from_active);
    [
        book.uses(Movement::UsesFromStock, to, stock, from_stock),
        book.uses(Movement::UsesFromActive, to, active, from_active),
        book.fen(Movement::VoucherFace, face.0, face.1, part.face),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The use of a code in a payment: its face value pays the merchant, what the price does not need
/// of it is nobody's.
#[must_use]
pub fn of_use(payment: &Payment, part: &VoucherPart, at: UnixMs) -> Vec<Posting> {
    let ticket = part.ticket;
    let book = Book::of(payment, at);
    let (active, spent) = (Account::UsesActive(ticket), Account::UsesSpent(ticket));
    let liability = Account::VoucherLiability(ticket);
    let (merchant, rest) = (
        Account::Merchant(payment.merchant),
        Account::VoucherBreakage(ticket),
    );
    [
        book.uses(Movement::UsesFromActive, spent, active, 1),
        book.fen(Movement::VoucherFace, liability, merchant, part.pays),
        book.fen(Movement::VoucherBreakage, liability, rest, part.rest()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The use comes back: the opposite of [`of_use`]. Where the code's term is over it is written off
/// at once: `expired`.
#[must_use]
pub fn of_give_back(
    payment: &Payment,
    part: &VoucherPart,
    expired: bool,
    at: UnixMs,
) -> Vec<Posting> {
    let ticket = part.ticket;
    let book = Book::of(payment, at);
    let spent = Account::UsesSpent(ticket);
    let rest = Account::VoucherBreakage(ticket);
    let merchant = Account::Merchant(payment.merchant);
    let (uses, money) = if expired {
        (Account::UsesExpired(ticket), rest)
    } else {
        (
            Account::UsesActive(ticket),
            Account::VoucherLiability(ticket),
        )
    };
    let unused = if expired { Fen::ZERO } else { part.rest() };
    [
        book.uses(Movement::UsesBack, uses, spent, 1),
        book.fen(Movement::VoucherFaceBack, merchant, money, part.pays),
        book.fen(Movement::VoucherBreakageBack, rest, money, unused),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A use that an open payment held when its code's term ended, and that it does not need: written
/// off now.
#[must_use]
pub fn of_late_expiry(payment: &Payment, part: &VoucherPart, at: UnixMs) -> Vec<Posting> {
    let ticket = part.ticket;
    let book = Book::of(payment, at);
    let (active, expired) = (Account::UsesActive(ticket), Account::UsesExpired(ticket));
    let liability = Account::VoucherLiability(ticket);
    let rest = Account::VoucherBreakage(ticket);
    [
        book.uses(Movement::UsesFromActive, expired, active, 1),
        book.fen(Movement::VoucherBreakage, liability, rest, part.face),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Book {
    tenant: TenantId,
    subject: Serial,
    at: UnixMs,
}

impl Book {
    const fn of(payment: &Payment, at: UnixMs) -> Self {
        Self {
            tenant: payment.tenant,
            subject: payment.serial,
            at,
        }
    }

    fn uses(&self, movement: Movement, to: Account, from: Account, uses: i64) -> Option<Posting> {
        self.post(movement, to, from, uses, Unit::Use)
    }

    fn fen(
        &self,
        movement: Movement,
        debit: Account,
        credit: Account,
        fen: Fen,
    ) -> Option<Posting> {
        self.post(movement, debit, credit, fen.get(), Unit::Fen)
    }

    fn post(
        &self,
        movement: Movement,
        debit: Account,
        credit: Account,
        amount: i64,
        unit: Unit,
    ) -> Option<Posting> {
        (amount > 0).then_some(Posting {
            tenant: self.tenant,
            subject: self.subject,
            movement,
            debit,
            credit,
            amount,
            unit,
            at: self.at,
        })
    }
}

/// The ticket type of a voucher account.
#[must_use]
pub const fn ticket_of(account: Account) -> Option<VoucherTicketNo> {
    match account {
        Account::UsesIssued(it)
        | Account::UsesInStock(it)
        | Account::UsesActive(it)
        | Account::UsesSpent(it)
        | Account::UsesVoid(it)
        | Account::UsesExpired(it)
        | Account::VoucherLiability(it)
        | Account::VoucherBreakage(it) => Some(it),
        Account::Channel(_)
        | Account::Merchant(_)
        | Account::DataProvider
        | Account::DataDelivered(_)
        | Account::PointsHeld(_)
        | Account::PointsGranted
        | Account::PointsRedeemed(_)
        | Account::PointsExpired
        | Account::CashTakings(_)
        | Account::CashSales(_)
        | Account::PointsSupplied(_)
        | Account::TicketsHeld(_)
        | Account::TicketsGranted(_)
        | Account::TicketsUsed(_)
        | Account::TicketsExpired(_)
        | Account::VoucherSales(_)
        | Account::VoucherTakings(_) => None,
    }
}
