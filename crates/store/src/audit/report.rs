//! What an audit found.

use domain::{
    ids::TenantId,
    ledger::{Account, Posting, Unit},
    voucher::ticket::VoucherTicketNo,
};
use std::collections::BTreeMap;

/// How many violations a report keeps; the rest are only counted.
pub const VIOLATIONS_KEPT_MAX: usize = 1_000;

/// What the rows must obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A number belongs to one payment, refund, top-up, event on a card, box or change of codes.
    OneSubject,
    /// A merchant's own number leads to one payment; a terminal's message, and the number it was
    /// given, to one event.
    Claim,
    /// A payment that was paid has its posting, from its merchant to its channel over its whole
    /// amount; one that was not, or through no channel, has none.
    PaymentPosting,
    /// A reversal is posted only for a payment that ended with its money given back, as the
    /// mirror image of the payment's posting.
    ReversalPosting,
    /// What a payment says was given back is the sum of its refunds that are done, and of its
    /// reversal.
    Refunded,
    /// What a payment says is on its way back is the sum of its refunds in progress.
    Refunding,
    /// No more goes back than was paid.
    OverRefunded,
    /// All the money of a payment that ended went back or is on its way; a payment whose
    /// cancellation went through has ended.
    Ended,
    /// The parts of a receipt add up to the amount of its payment.
    ReceiptParts,
    /// An open payment has the job of settling it, a payment given up the job of undoing it, and
    /// one that was paid has no job.
    PaymentJob,
    /// A payment that its payer made by himself and whose merchant wants to know has a
    /// notification; every other has none.
    PaymentNotification,
    /// A refund gives back a payment of the same tenant and merchant.
    RefundSubject,
    /// A refund of money that is done has its posting, from the channel that took it to the
    /// merchant; every other has none.
    RefundPosting,
    /// A refund in progress has the job of finishing it; one that is over has none.
    RefundJob,
    /// A top-up that is done has its posting; every other has none.
    RechargePosting,
    /// A top-up that is not over has the job of finishing it; one that is over has none.
    RechargeJob,
    /// A top-up that is over and whose merchant wants to know has a notification; every other
    /// has none.
    RechargeNotification,
    /// An event on a card has exactly the postings that follow from it.
    TransPosting,
    /// The amounts of an event on a card are not below zero and can be added; one that was refused
    /// has none.
    TransAmounts,
    /// An event that was undone names the one that did it, which is on the same card and names it
    /// back.
    TransLink,
    /// A card's points less what it owes are what its account in the ledger has; no lot is below
    /// zero.
    CardPoints,
    /// An account of points is one card's.
    CardAccount,
    /// The pieces of a ticket that all cards hold are what its account in the ledger has.
    TicketPieces,
    /// The totals of an open batch are those of its approved and unreversed transactions; no
    /// other batch has any that its settlement did not count.
    BatchTotals,
    /// A batch was closed with the totals of its transactions, those reversed later included.
    Settlement,
    /// The spans of a box of voucher codes tile it; one that was never finished has none.
    CartonSpans,
    /// A box has as many codes, digests and reels stored as it says.
    CartonStock,
    /// A box and a change of ranges of codes have exactly the postings that follow from them.
    StockPosting,
    /// A payment has exactly the postings that follow from what became of its voucher.
    VoucherPosting,
    /// A payment names a code of its tenant on the terms of the code's box, and says of its use
    /// what its refunds say; a ticket that used a code, and a card that holds one, name it so too.
    VoucherUse,
    /// The uses of a code that are gone and held are those of the payments and tickets that name
    /// it; no more than it has, and none of a code that is not active. Each of these has the events
    /// that tell of it and no other, and a code's events lead to each other without a gap.
    CodeUses,
    /// All uses of a ticket type that were issued are in stock, active, spent, void or expired, as
    /// its accounts in the ledger say.
    TicketUses,
    /// What the house owes for a ticket type is the face value of its active uses.
    VoucherLiability,
    /// A posting records a movement of a payment, refund, top-up, event, box or change of its
    /// tenant.
    PostingSubject,
    /// A posting moves more than nothing.
    PostingAmount,
    /// A posting moves between two different accounts.
    PostingAccounts,
    /// A job is about a payment, refund or top-up of its tenant that needs it.
    JobSubject,
    /// A notification tells of a payment or top-up of its tenant, to its merchant.
    NotificationSubject,
    /// All debits of a tenant and unit are all its credits.
    Balance,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// The row that breaks it, such as `payment 20261122000000000742`.
    pub subject: String,
    /// What the rows say instead.
    pub found: String,
}

/// How many rows were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Payments.
    pub payments: u64,
    /// Refunds.
    pub refunds: u64,
    /// Top-ups.
    pub recharges: u64,
    /// Events on cards.
    pub trans: u64,
    /// Members' cards.
    pub cards: u64,
    /// Boxes of voucher codes.
    pub cartons: u64,
    /// Ranges of codes to which the same happened.
    pub spans: u64,
    /// Codes that a till has touched.
    pub codes: u64,
    /// Postings.
    pub postings: u64,
    /// Stored work not finished.
    pub jobs: u64,
    /// Notifications, delivered or not.
    pub notifications: u64,
}

/// What became of the uses of a ticket type, as boxes, spans and codes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VoucherUses {
    /// Of all codes.
    pub issued: i128,
    /// Of codes that are not sold.
    pub in_stock: i128,
    /// Left to holders of codes.
    pub active: i128,
    /// Redeemed.
    pub spent: i128,
    /// Of codes that were voided.
    pub void: i128,
    /// Written off when their term ended.
    pub expired: i128,
    /// What the house owes for those that are active, in fen.
    pub owed: i128,
}

/// What moved through an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Received.
    pub debit: i128,
    /// Given.
    pub credit: i128,
}

impl Balance {
    /// Received less given.
    #[must_use]
    pub const fn net(self) -> i128 {
        self.debit - self.credit
    }
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// How many rows were read.
    pub counts: Counts,
    /// What moved through each account.
    pub balances: BTreeMap<(TenantId, Unit, Account), Balance>,
    /// What became of the uses of each ticket type.
    pub vouchers: BTreeMap<(TenantId, VoucherTicketNo), VoucherUses>,
    /// Broken rules, by ascending number, at most [`VIOLATIONS_KEPT_MAX`].
    pub violations: Vec<Violation>,
    /// Broken rules in all.
    pub violations_len: u64,
}

impl AuditReport {
    /// Whether no rule is broken.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.violations_len == 0
    }

    /// What moved in all, by tenant and unit: debits and credits are equal.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<(TenantId, Unit), Balance> {
        let mut totals: BTreeMap<_, Balance> = BTreeMap::new();
        for ((tenant, unit, _), balance) in &self.balances {
            let total = totals.entry((*tenant, *unit)).or_default();
            total.debit += balance.debit;
            total.credit += balance.credit;
        }
        totals
    }

    /// Adds a posting to the balances of its two accounts.
    pub(super) fn book(&mut self, posting: &Posting) {
        let amount = i128::from(posting.amount);
        let key = |account| (posting.tenant, posting.unit, account);
        self.balances.entry(key(posting.debit)).or_default().debit += amount;
        self.balances.entry(key(posting.credit)).or_default().credit += amount;
        self.counts.postings += 1;
    }

    /// Checks [`Rule::Balance`]: a posting is balanced by its shape, the sums are made apart.
    pub(super) fn check_totals(&mut self) {
        for ((tenant, unit), total) in self.totals() {
            if total.net() != 0 {
                let found = format!("debits {}, credits {}", total.debit, total.credit);
                self.add(
                    Rule::Balance,
                    format!("tenant {} {unit:?}", tenant.0),
                    found,
                );
            }
        }
    }

    pub(super) fn add(&mut self, rule: Rule, subject: String, found: String) {
        self.violations_len += 1;
        if self.violations.len() < VIOLATIONS_KEPT_MAX {
            self.violations.push(Violation {
                rule,
                subject,
                found,
            });
        }
    }
}
