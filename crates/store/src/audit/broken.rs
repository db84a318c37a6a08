//! What is broken about one row.

use super::{
    merge::Subject,
    report::{AuditReport, Rule},
    rules::RefundSums,
};
use domain::{
    ids::Serial,
    job::JobKind,
    ledger::{Movement, Posting},
    money::Fen,
    payment::{Payment, PaymentState},
};

/// Which job a state needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    No,
    Maybe(JobKind),
    One(JobKind),
}

impl Subject {
    pub(super) fn posting(&self, movement: Movement) -> Option<&Posting> {
        self.postings.iter().find(|it| it.movement == movement)
    }
}

/// Collects what is broken about one row.
pub(super) struct Broken<'a> {
    report: &'a mut AuditReport,
    what: &'a str,
    serial: Serial,
}

impl<'a> Broken<'a> {
    pub(super) const fn at(report: &'a mut AuditReport, what: &'a str, serial: Serial) -> Self {
        Self {
            report,
            what,
            serial,
        }
    }

    pub(super) fn unless(&mut self, holds: bool, rule: Rule, found: impl FnOnce() -> String) {
        if !holds {
            let subject = format!("{} {}", self.what, self.serial);
            self.report.add(rule, subject, found());
        }
    }

    /// The posting of this kind is the expected one; when it was recorded does not matter.
    pub(super) fn unless_posted(
        &mut self,
        rule: Rule,
        subject: &Subject,
        movement: Movement,
        expected: Option<Posting>,
    ) {
        let posted = subject.posting(movement).copied();
        let same_time = |it: Posting| Posting {
            at: posted.map_or(it.at, |posted| posted.at),
            ..it
        };
        let expected = expected.map(same_time);
        self.unless(posted == expected, rule, || {
            format!("posted {posted:?}, expected {expected:?}")
        });
    }

    pub(super) fn unless_refunds_agree(
        &mut self,
        payment: &Payment,
        sums: &RefundSums,
        reversed: bool,
    ) {
        let wide = |fen: Fen| i128::from(fen.get());
        let amount = wide(payment.amount);
        let given_back = sums.done + if reversed { amount } else { 0 };
        let (refunded, refunding) = payment
            .paid()
            .map_or((0, 0), |paid| (wide(paid.refunded), wide(paid.refunding)));
        self.unless(refunded == given_back, Rule::Refunded, || {
            format!("says {refunded} fen, its refunds {given_back}")
        });
        let in_progress = sums.in_progress;
        self.unless(refunding == in_progress, Rule::Refunding, || {
            format!("says {refunding} fen, its refunds {in_progress}")
        });
        self.unless(refunded + refunding <= amount, Rule::OverRefunded, || {
            format!("{refunded} + {refunding} of {amount} fen")
        });
    }

    pub(super) fn unless_it_ends_without_money(&mut self, payment: &Payment, cancelled: bool) {
        let left = payment.paid().map(|paid| paid.refundable(payment.amount));
        let holds = match payment.state {
            PaymentState::Open { .. } | PaymentState::Ending(_) => true,
            PaymentState::Paid(_) => !cancelled,
            PaymentState::Ended { .. } => left.is_none_or(|left| left == Fen::ZERO),
        };
        self.unless(holds, Rule::Ended, || {
            let ended = matches!(payment.state, PaymentState::Ended { .. });
            format!("ended: {ended}, cancellation done: {cancelled}, {left:?} not on its way back")
        });
    }

    pub(super) fn unless_parts_add_up(&mut self, payment: &Payment) {
        let Some(paid) = payment.paid() else { return };
        let parts = paid.receipt.bills.iter();
        let sum: i128 = parts.map(|part| i128::from(part.amount.get())).sum();
        let amount = payment.amount.get();
        self.unless(sum == i128::from(amount), Rule::ReceiptParts, || {
            format!("the parts make {sum} of {amount} fen")
        });
    }

    pub(super) fn unless_job(&mut self, rule: Rule, subject: &Subject, wanted: Wanted) {
        let kind = subject.job.map(|job| job.kind);
        let holds = match wanted {
            Wanted::No => kind.is_none(),
            Wanted::Maybe(wanted) => kind.is_none_or(|kind| kind == wanted),
            Wanted::One(wanted) => kind == Some(wanted),
        };
        self.unless(holds, rule, || format!("job {kind:?}, wanted {wanted:?}"));
    }

    pub(super) fn unless_notified(&mut self, rule: Rule, subject: &Subject, wanted: bool) {
        let is_there = subject.notification.is_some();
        self.unless(is_there == wanted, rule, || {
            format!("notification there: {is_there}, wanted: {wanted}")
        });
    }
}
