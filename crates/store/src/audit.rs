//! Proves the ledger and every invariant from the raw rows.
//!
//! The audit trusts nothing that a row says about another: it reads all rows of one consistent
//! [`Snapshot`] in a single merge by number and checks each against the rows it must agree with.
//! What it proves is listed at [`Rule`]. Memory stays constant in payments and postings; only
//! payments that have refunds are remembered, what `loyalty` says of cards and batches, and what
//! `voucher` says of boxes and codes.
//!
//! That a claim names one payment would take a key per payment in memory: where no unique index
//! holds it, the store itself looks ([`Snapshot::keys_astray`]).

mod broken;
mod codes;
mod loyalty;
mod merge;
mod report;
mod rules;
#[cfg(test)]
pub(crate) mod tests;
mod voucher;

pub use report::{AuditReport, Balance, Counts, Rule, VIOLATIONS_KEPT_MAX, Violation, VoucherUses};

use crate::contract::{Snapshot, StoreError, StoredCounts};
use domain::{
    ids::Serial,
    loyalty::document::{Document, DocumentKind},
    refund::Refund,
    voucher::{code_use::CodeUse, span::Span},
};
use merge::Merge;

pub(crate) use merge::Subject;
pub(crate) use rules::Rules;

/// Documents that are read before all numbers, which are checked with what they say.
const FIRST: [DocumentKind; 3] = [
    DocumentKind::WorkItem,
    DocumentKind::Carton,
    DocumentKind::Change,
];
/// How many payments, and how many events, are named at most that their keys do not lead to.
const KEYS_ASTRAY_MAX: u32 = 100;

/// Reads all rows of `snapshot` and checks every [`Rule`]. `progress` hears, now and then, how
/// many rows have been read.
///
/// # Errors
/// When rows cannot be read. A broken rule is not an error: it is in the report.
pub async fn audit(
    snapshot: &mut dyn Snapshot,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<AuditReport, StoreError> {
    let mut rules = Rules::default();
    pass(snapshot, progress, &mut rules).await?;
    Ok(rules.finish())
}

/// Looks at all rows of one pass.
pub(crate) trait Judge: Send {
    /// Sees every refund, before anything is checked.
    fn remember(&mut self, refund: &Refund);
    /// Hears of a payment or an event that its key does not lead to, or not to it alone.
    fn astray(&mut self, subject: Serial);
    /// Sees every document: work items, boxes and changes of codes before all numbers, the others
    /// after them.
    fn document(&mut self, document: &Document);
    /// Sees all rows of one number, numbers ascending.
    fn check(&mut self, subject: &Subject);
    /// Sees every span of voucher codes after all that, by box and index.
    fn span(&mut self, span: &Span) {
        let _ = span;
    }
    /// Sees every code that a till has touched, behind its span.
    fn code(&mut self, code_use: &CodeUse) {
        let _ = code_use;
    }
    /// Hears last how much is stored of each box.
    fn stored(&mut self, carton: Serial, counts: StoredCounts) {
        let _ = (carton, counts);
    }
}

/// Two judges of the same pass.
impl<A: Judge, B: Judge> Judge for (A, B) {
    fn remember(&mut self, refund: &Refund) {
        self.0.remember(refund);
        self.1.remember(refund);
    }

    fn astray(&mut self, subject: Serial) {
        self.0.astray(subject);
        self.1.astray(subject);
    }

    fn document(&mut self, document: &Document) {
        self.0.document(document);
        self.1.document(document);
    }

    fn check(&mut self, subject: &Subject) {
        self.0.check(subject);
        self.1.check(subject);
    }

    fn span(&mut self, span: &Span) {
        self.0.span(span);
        self.1.span(span);
    }

    fn code(&mut self, code_use: &CodeUse) {
        self.0.code(code_use);
        self.1.code(code_use);
    }

    fn stored(&mut self, carton: Serial, counts: StoredCounts) {
        self.0.stored(carton, counts);
        self.1.stored(carton, counts);
    }
}

/// Shows all rows of `snapshot` to `judge`.
pub(crate) async fn pass(
    snapshot: &mut dyn Snapshot,
    progress: &mut (dyn FnMut(u64) + Send),
    judge: &mut impl Judge,
) -> Result<(), StoreError> {
    let astray = snapshot.keys_astray(KEYS_ASTRAY_MAX).await?;
    astray.into_iter().for_each(|subject| judge.astray(subject));
    let mut merge = Merge::new(snapshot, progress);
    merge.each_refund(|refund| judge.remember(refund)).await?;
    let mut cartons = Vec::new();
    for kind in FIRST {
        let look = |it: &Document| {
            if let Document::Carton(carton) = it {
                cartons.push(carton.serial);
            }
            judge.document(it);
        };
        merge.each_document(kind, look).await?;
    }
    while let Some(subject) = merge.next().await? {
        judge.check(&subject);
    }
    for kind in DocumentKind::ALL {
        if !FIRST.contains(&kind) {
            merge.each_document(kind, |it| judge.document(it)).await?;
        }
    }
    merge.each_code(&cartons, judge).await
}
