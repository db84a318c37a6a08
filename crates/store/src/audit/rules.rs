//! The rules, checked number by number.

use super::{
    Judge,
    broken::{Broken, Wanted},
    loyalty::Loyalty,
    merge::Subject,
    report::{AuditReport, Rule},
    voucher::{BackSums, Vouchers},
};
use crate::contract::StoredCounts;
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, Serial, TenantId},
    job::JobKind,
    ledger::{Account, Movement, Posting},
    loyalty::document::Document,
    money::Fen,
    notification::Topic,
    payment::{Flow, Payment, PaymentState},
    recharge::{Recharge, RechargeState},
    refund::{Origin, Refund, RefundState},
    voucher::{code_use::CodeUse, span::Span},
};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Rules {
    report: AuditReport,
    /// By payment, for those that have refunds.
    refunds: BTreeMap<Serial, RefundsOf>,
    loyalty: Loyalty,
    vouchers: Vouchers,
}

/// What the refunds of one payment say together.
struct RefundsOf {
    tenant: TenantId,
    merchant: MerchantNo,
    /// The newest of them, to name one in a report.
    refund: Serial,
    done: i128,
    in_progress: i128,
    voucher: BackSums,
    /// A cancellation took all of the money back.
    cancelled: bool,
    /// Where the money came in, as the payment or the first posted refund says.
    channel: Option<ChannelNo>,
    payment_found: bool,
}

impl RefundsOf {
    fn new(refund: &Refund) -> Self {
        Self {
            tenant: refund.tenant,
            merchant: refund.merchant,
            refund: refund.serial,
            done: 0,
            in_progress: 0,
            voucher: BackSums::default(),
            cancelled: false,
            channel: None,
            payment_found: false,
        }
    }

    fn is_owned_by(&self, tenant: TenantId, merchant: MerchantNo) -> bool {
        self.tenant == tenant && self.merchant == merchant
    }

    /// Notes where money moved; false when it is known to be elsewhere.
    fn moved_at(&mut self, channel: ChannelNo) -> bool {
        *self.channel.get_or_insert(channel) == channel
    }
}

impl Judge for Rules {
    /// Adds a refund to what is known of its payment.
    fn remember(&mut self, refund: &Refund) {
        let of = self.refunds.entry(refund.payment);
        let of = of.or_insert_with(|| RefundsOf::new(refund));
        of.refund = refund.serial;
        let amount = i128::from(refund.amount.get());
        match refund.state {
            RefundState::Done(_) => {
                of.done += amount;
                of.voucher.done += u32::from(refund.voucher_back);
                of.cancelled |= refund.origin == Origin::Cancellation;
            }
            RefundState::InProgress => {
                of.in_progress += amount;
                of.voucher.under_way += u32::from(refund.voucher_back);
            }
            RefundState::Failed(..) => {}
        }
        if !of.is_owned_by(refund.tenant, refund.merchant) {
            let found = format!("payment {} has refunds of two owners", refund.payment);
            let subject = format!("refund {}", refund.serial);
            self.report.add(Rule::RefundSubject, subject, found);
        }
    }

    fn astray(&mut self, subject: Serial) {
        let found = "what it is found by does not lead to it alone".to_owned();
        let subject = format!("payment or event {subject}");
        self.report.add(Rule::Claim, subject, found);
    }

    fn document(&mut self, document: &Document) {
        match document {
            Document::Carton(it) => self.vouchers.add_carton(it, &mut self.report),
            Document::Change(it) => self.vouchers.add_change(it, &mut self.report),
            Document::Card(card) => {
                self.loyalty.check_document(document, &mut self.report);
                self.vouchers.check_card(card, &mut self.report);
            }
            Document::Store(_)
            | Document::Terminal(_)
            | Document::VerifyCodes(_)
            | Document::WorkItem(_)
            | Document::Partner(_)
            | Document::VoucherTicket(_)
            | Document::Activity(_) => self.loyalty.check_document(document, &mut self.report),
        }
    }

    fn check(&mut self, subject: &Subject) {
        self.count(subject);
        if let Some(payment) = &subject.payment {
            self.check_payment(payment, subject);
        }
        if let Some(refund) = &subject.refund {
            self.check_refund(refund, subject);
        }
        if let Some(recharge) = &subject.recharge {
            self.check_recharge(recharge, subject);
        }
        if let Some(trans) = &subject.trans {
            self.loyalty.check_trans(trans, subject, &mut self.report);
            let mut broken = Broken::at(&mut self.report, "event", trans.serial);
            self.vouchers.check_trans(trans, &mut broken);
        }
        self.check_postings(subject);
        self.vouchers.check_stock(subject, &mut self.report);
        self.vouchers.check_events(subject, &mut self.report);
        self.check_job(subject);
        self.check_notification(subject);
    }

    fn span(&mut self, span: &Span) {
        self.vouchers.check_span(span, &mut self.report);
    }

    fn code(&mut self, code_use: &CodeUse) {
        self.vouchers.check_code(code_use, &mut self.report);
    }

    fn stored(&mut self, carton: Serial, counts: StoredCounts) {
        self.vouchers.check_stored(carton, counts, &mut self.report);
    }
}

impl Rules {
    /// Checks what only the whole shows.
    pub fn finish(mut self) -> AuditReport {
        for (payment, of) in &self.refunds {
            if !of.payment_found {
                let subject = format!("refund {}", of.refund);
                let found = format!("there is no payment {payment}");
                self.report.add(Rule::RefundSubject, subject, found);
            }
        }
        self.loyalty.finish(&mut self.report);
        self.vouchers.finish(&mut self.report);
        self.report.check_totals();
        self.report
    }

    fn count(&mut self, subject: &Subject) {
        let counts = &mut self.report.counts;
        counts.payments += u64::from(subject.payment.is_some());
        counts.refunds += u64::from(subject.refund.is_some());
        counts.recharges += u64::from(subject.recharge.is_some());
        counts.trans += u64::from(subject.trans.is_some());
        counts.jobs += u64::from(subject.job.is_some());
        counts.notifications += u64::from(subject.notification.is_some());
        let owners = [
            subject.payment.is_some(),
            subject.refund.is_some(),
            subject.recharge.is_some(),
            subject.trans.is_some(),
            self.vouchers.owner(subject.serial).is_some(),
        ];
        if owners.into_iter().filter(|is_there| *is_there).count() > 1 {
            let found = "shared by two of payment, refund, top-up, event, box, change".to_owned();
            let subject = format!("number {}", subject.serial);
            self.report.add(Rule::OneSubject, subject, found);
        }
    }

    fn check_payment(&mut self, payment: &Payment, subject: &Subject) {
        let reversed = subject.posting(Movement::Reversal).is_some();
        let refunds = self.refunds_of(payment);
        let mut broken = Broken::at(&mut self.report, "payment", payment.serial);
        let charged = payment.paid().filter(|_| payment.amount > Fen::ZERO);
        let expected = charged.map(|_| Posting::payment(payment, payment.created_at));
        broken.unless_posted(Rule::PaymentPosting, subject, Movement::Payment, expected);
        if reversed {
            let returned = match &payment.state {
                PaymentState::Ended { paid, .. } => paid.is_some(),
                PaymentState::Open { .. } | PaymentState::Ending(_) | PaymentState::Paid(_) => {
                    false
                }
            };
            let expected = returned.then(|| Posting::reversal(payment, payment.created_at));
            broken.unless_posted(Rule::ReversalPosting, subject, Movement::Reversal, expected);
        }
        broken.unless_refunds_agree(payment, &refunds, reversed);
        broken.unless_it_ends_without_money(payment, refunds.cancelled);
        broken.unless_parts_add_up(payment);
        broken.unless_job(
            Rule::PaymentJob,
            subject,
            match payment.state {
                PaymentState::Open { .. } => Wanted::One(JobKind::SettlePayment),
                PaymentState::Ending(_) => Wanted::One(JobKind::ReversePayment),
                PaymentState::Ended { paid: None, .. } => Wanted::Maybe(JobKind::ConfirmReversal),
                PaymentState::Paid(_) | PaymentState::Ended { paid: Some(_), .. } => Wanted::No,
            },
        );
        let wanted = wants_notification(payment, refunds.cancelled);
        broken.unless_notified(Rule::PaymentNotification, subject, wanted);
        self.vouchers
            .check_payment(payment, refunds.voucher, subject, &mut broken);
    }

    /// What the refunds of `payment` say, and that they have the same owner.
    fn refunds_of(&mut self, payment: &Payment) -> RefundSums {
        let Some(of) = self.refunds.get_mut(&payment.serial) else {
            return RefundSums::default();
        };
        of.payment_found = true;
        let is_same_channel = of.moved_at(payment.channel);
        if !of.is_owned_by(payment.tenant, payment.merchant) {
            let found = format!("payment {} has another owner", payment.serial);
            let subject = format!("refund {}", of.refund);
            self.report.add(Rule::RefundSubject, subject, found);
        }
        if !is_same_channel {
            let found = format!("payment {} came through another channel", payment.serial);
            let subject = format!("refund {}", of.refund);
            self.report.add(Rule::RefundPosting, subject, found);
        }
        RefundSums {
            done: of.done,
            in_progress: of.in_progress,
            voucher: of.voucher,
            cancelled: of.cancelled,
        }
    }

    fn check_refund(&mut self, refund: &Refund, subject: &Subject) {
        let posted = subject.posting(Movement::Refund);
        let expected = match refund.state {
            RefundState::Done(_) if refund.amount > Fen::ZERO => {
                Some(self.refund_posting(refund, posted))
            }
            RefundState::Done(_) | RefundState::InProgress | RefundState::Failed(..) => None,
        };
        let mut broken = Broken::at(&mut self.report, "refund", refund.serial);
        broken.unless_posted(Rule::RefundPosting, subject, Movement::Refund, expected);
        broken.unless_job(
            Rule::RefundJob,
            subject,
            match refund.state {
                RefundState::InProgress => Wanted::One(JobKind::FinishRefund),
                RefundState::Done(_) | RefundState::Failed(..) => Wanted::No,
            },
        );
    }

    /// The posting that `refund` must have. The channel is the payment's; when the payment comes
    /// later in the merge, the posting's own is taken and compared there.
    fn refund_posting(&mut self, refund: &Refund, posted: Option<&Posting>) -> Posting {
        let posted_at = posted.and_then(|posting| {
            let Account::Channel(channel) = posting.credit else {
                return None;
            };
            Some(channel)
        });
        let of = self.refunds.get_mut(&refund.payment);
        let channel = of.and_then(|of| {
            posted_at.map(|channel| of.moved_at(channel));
            of.channel
        });
        Posting {
            tenant: refund.tenant,
            subject: refund.serial,
            movement: Movement::Refund,
            debit: Account::Merchant(refund.merchant),
            credit: Account::Channel(channel.unwrap_or(ChannelNo(0))),
            amount: refund.amount.get(),
            unit: domain::ledger::Unit::Fen,
            at: refund.created_at,
        }
    }

    fn check_recharge(&mut self, recharge: &Recharge, subject: &Subject) {
        let mut broken = Broken::at(&mut self.report, "top-up", recharge.serial);
        let expected = match recharge.state {
            RechargeState::Done(..) => Some(Posting::recharge(recharge, recharge.created_at)),
            RechargeState::Created | RechargeState::AtProvider(_) | RechargeState::Failed(..) => {
                None
            }
        };
        broken.unless_posted(Rule::RechargePosting, subject, Movement::Recharge, expected);
        let job = if recharge.is_over() {
            Wanted::No
        } else {
            Wanted::One(JobKind::FinishRecharge)
        };
        broken.unless_job(Rule::RechargeJob, subject, job);
        let wanted = recharge.is_over() && recharge.notify_url.is_some();
        broken.unless_notified(Rule::RechargeNotification, subject, wanted);
    }

    fn check_postings(&mut self, subject: &Subject) {
        for posting in &subject.postings {
            self.report.book(posting);
            let what = format!("{:?} posting", posting.movement);
            let mut broken = Broken::at(&mut self.report, &what, posting.subject);
            let owner = match posting.movement {
                Movement::Payment | Movement::Reversal => {
                    subject.payment.as_ref().map(|it| it.tenant)
                }
                Movement::Refund => subject.refund.as_ref().map(|it| it.tenant),
                Movement::Recharge => subject.recharge.as_ref().map(|it| it.tenant),
                Movement::PointsSpent
                | Movement::PointsEarned
                | Movement::Cash
                | Movement::CashSupply
                | Movement::CodeFace(_)
                | Movement::Tickets(_) => subject.trans.as_ref().map(|it| it.tenant),
                Movement::UsesFromStock
                | Movement::UsesFromActive
                | Movement::UsesBack
                | Movement::VoucherFace
                | Movement::VoucherFaceBack
                | Movement::VoucherBreakage
                | Movement::VoucherBreakageBack => {
                    let payment = subject.payment.as_ref().map(|it| it.tenant);
                    payment.or_else(|| self.vouchers.owner(posting.subject))
                }
            };
            broken.unless(owner == Some(posting.tenant), Rule::PostingSubject, || {
                format!("tenant {}, its subject's {owner:?}", posting.tenant.0)
            });
            broken.unless(posting.amount > 0, Rule::PostingAmount, || {
                format!("amount {}", posting.amount)
            });
            broken.unless(
                posting.debit != posting.credit,
                Rule::PostingAccounts,
                || format!("from and to {:?}", posting.debit),
            );
        }
    }

    fn check_job(&mut self, subject: &Subject) {
        let Some(job) = &subject.job else { return };
        let owner = match job.kind {
            JobKind::SettlePayment | JobKind::ReversePayment | JobKind::ConfirmReversal => {
                subject.payment.as_ref().map(|it| it.tenant)
            }
            JobKind::FinishRefund => subject.refund.as_ref().map(|it| it.tenant),
            JobKind::FinishRecharge => subject.recharge.as_ref().map(|it| it.tenant),
        };
        let mut broken = Broken::at(&mut self.report, "job", job.subject);
        broken.unless(owner == Some(job.tenant), Rule::JobSubject, || {
            format!(
                "{:?} of tenant {}, its subject's {owner:?}",
                job.kind, job.tenant.0
            )
        });
    }

    fn check_notification(&mut self, subject: &Subject) {
        let Some(notification) = &subject.notification else {
            return;
        };
        let owner = match notification.topic {
            Topic::PaymentPaid => subject.payment.as_ref().map(|it| (it.tenant, it.merchant)),
            Topic::RechargeEnded => subject.recharge.as_ref().map(|it| (it.tenant, it.merchant)),
        };
        let told = (notification.tenant, notification.merchant);
        let mut broken = Broken::at(&mut self.report, "notification", notification.subject);
        broken.unless(owner == Some(told), Rule::NotificationSubject, || {
            format!(
                "{:?} to {told:?}, its subject's {owner:?}",
                notification.topic
            )
        });
    }
}

/// What the refunds of a payment say.
#[derive(Default)]
pub(super) struct RefundSums {
    pub done: i128,
    pub in_progress: i128,
    pub voucher: BackSums,
    pub cancelled: bool,
}

/// The merchant is told of money that came while the payment was open. Once it ended, only a
/// cancellation that gave the money back shows that it had come before.
fn wants_notification(payment: &Payment, cancelled: bool) -> bool {
    let came_in_time = match payment.state {
        PaymentState::Paid(_) => true,
        PaymentState::Ended { paid: Some(_), .. } => cancelled,
        PaymentState::Open { .. }
        | PaymentState::Ending(_)
        | PaymentState::Ended { paid: None, .. } => false,
    };
    came_in_time && payment.flow != Flow::PayerCode && payment.details.notify_url.is_some()
}
