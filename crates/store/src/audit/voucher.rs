//! The rules of voucher codes.
//!
//! Boxes and changes are read before all numbers, spans and codes after them. In memory stay the
//! boxes, a number for each change that moved uses and whose postings were not seen yet, and what
//! payments, events on cards and events of codes say of the codes they name.

mod events;
mod holds;
mod stock;
mod uses;

use super::{
    broken::Broken,
    merge::Subject,
    report::{AuditReport, Rule},
};
use crate::contract::StoredCounts;
use domain::{
    ids::{Serial, TenantId},
    ledger::{Movement, Posting},
    loyalty::{card::Card, trans::Trans},
    payment::Payment,
    voucher::{change::Change, code_use::CodeUse, span::Span, stock::Carton},
};
pub(super) use holds::BackSums;
use holds::Holds;
use stock::Stock;
use uses::Uses;

/// What is known of boxes, changes and codes so far.
#[derive(Default)]
pub(super) struct Vouchers {
    stock: Stock,
    holds: Holds,
    uses: Uses,
}

/// Whether voucher codes make this movement.
pub(super) const fn is_of_vouchers(movement: Movement) -> bool {
    match movement {
        Movement::UsesFromStock
        | Movement::UsesFromActive
        | Movement::UsesBack
        | Movement::VoucherFace
        | Movement::VoucherFaceBack
        | Movement::VoucherBreakage
        | Movement::VoucherBreakageBack => true,
        Movement::Payment
        | Movement::Refund
        | Movement::Reversal
        | Movement::Recharge
        | Movement::PointsSpent
        | Movement::PointsEarned
        | Movement::Cash
        | Movement::CashSupply
        | Movement::CodeFace(_)
        | Movement::Tickets(_) => false,
    }
}

impl Vouchers {
    pub fn add_carton(&mut self, carton: &Carton, report: &mut AuditReport) {
        report.counts.cartons += 1;
        self.stock.add_carton(carton, report);
    }

    pub fn add_change(&mut self, change: &Change, report: &mut AuditReport) {
        self.stock.add_change(change, report);
    }

    /// Whose box or change has this number.
    pub fn owner(&self, serial: Serial) -> Option<TenantId> {
        self.stock.owner(serial)
    }

    /// Checks the postings of a box or a change.
    pub fn check_stock(&mut self, subject: &Subject, report: &mut AuditReport) {
        self.stock.check(subject, report);
    }

    /// Checks what a payment says of its voucher, and the postings of that. `back` is what its
    /// refunds say.
    pub fn check_payment(
        &mut self,
        payment: &Payment,
        back: BackSums,
        subject: &Subject,
        broken: &mut Broken<'_>,
    ) {
        self.holds
            .check(payment, back, &self.stock, subject, broken);
    }

    /// Checks what an event on a card says of the codes it used or gave back. Its postings are
    /// checked with all of its others.
    pub fn check_trans(&mut self, trans: &Trans, broken: &mut Broken<'_>) {
        self.holds.check_trans(trans, &self.stock, broken);
    }

    /// Checks that the codes which a card holds are as their boxes say.
    pub fn check_card(&self, card: &Card, report: &mut AuditReport) {
        for held in &card.codes {
            let agrees = self.stock.agrees(card.tenant, &held.backing, held.face);
            if !agrees {
                let subject = format!("card {} of tenant {}", card.number.as_str(), card.tenant.0);
                let found = format!("holds {:?}, which is not as its box says", held.backing);
                report.add(Rule::VoucherUse, subject, found);
            }
        }
    }

    pub fn check_span(&mut self, span: &Span, report: &mut AuditReport) {
        report.counts.spans += 1;
        self.uses.check_span(span, &self.stock, report);
    }

    /// Checks that the events of codes that have this number are what its payment or event on a card
    /// says it did, which was checked before.
    pub fn check_events(&mut self, subject: &Subject, report: &mut AuditReport) {
        self.holds.check_events(subject, report);
    }

    pub fn check_code(&mut self, code_use: &CodeUse, report: &mut AuditReport) {
        report.counts.codes += 1;
        let held = self.holds.take(code_use.code);
        self.uses.check_code(code_use, held, &self.stock, report);
    }

    pub fn check_stored(&self, carton: Serial, counts: StoredCounts, report: &mut AuditReport) {
        self.stock.check_stored(carton, counts, report);
    }

    /// Checks what only the whole shows.
    pub fn finish(self, report: &mut AuditReport) {
        self.holds.finish(report);
        self.uses.finish(&self.stock, report);
        self.stock.finish(report);
    }
}

/// The postings of vouchers among those of `subject`, whenever they were recorded.
fn posted(subject: &Subject) -> impl Iterator<Item = Posting> + '_ {
    let postings = subject.postings.iter().copied();
    let postings = postings.filter(|it| is_of_vouchers(it.movement));
    postings.map(timeless)
}

/// When a posting was recorded does not matter.
fn timeless(posting: Posting) -> Posting {
    Posting {
        at: domain::time::UnixMs(0),
        ..posting
    }
}

/// Whether `posted` are exactly `expected`, in the order of movements.
fn are(posted: &[Posting], expected: Vec<Posting>) -> bool {
    let mut expected: Vec<Posting> = expected.into_iter().map(timeless).collect();
    expected.sort_unstable_by_key(Posting::number);
    posted == expected
}
