//! Proves the ledger and every invariant from the raw rows.
//!
//! The audit trusts nothing that a row says about another: it reads all rows of one consistent
//! [`Snapshot`] in a single merge by number and checks each against the rows it must agree with.
//! What it proves is listed at [`Rule`]. Memory stays constant in payments and postings; only
//! payments that have refunds are remembered, and what `loyalty` says of cards and batches.
//!
//! That a claim names one payment would take a key per payment in memory: where no unique index
//! holds it, the store itself looks ([`Snapshot::claims_astray`]).

mod loyalty;
mod merge;
mod report;
mod rules;
#[cfg(test)]
pub(crate) mod tests;

pub use report::{AuditReport, Balance, Counts, Rule, VIOLATIONS_KEPT_MAX, Violation};

use crate::contract::{Snapshot, StoreError};
use domain::{
    ids::Serial,
    loyalty::document::{Document, DocumentKind},
    refund::Refund,
};
use merge::Merge;

pub(crate) use merge::Subject;
pub(crate) use rules::Rules;

/// How many payments are named at most that their claims do not lead to.
const CLAIMS_ASTRAY_MAX: u32 = 100;

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
    /// Hears of a payment that its claim does not lead to, or not to it alone.
    fn astray(&mut self, payment: Serial);
    /// Sees every document: work items before all numbers, the others after them.
    fn document(&mut self, document: &Document);
    /// Sees all rows of one number, numbers ascending.
    fn check(&mut self, subject: &Subject);
}

/// Two judges of the same pass.
impl<A: Judge, B: Judge> Judge for (A, B) {
    fn remember(&mut self, refund: &Refund) {
        self.0.remember(refund);
        self.1.remember(refund);
    }

    fn astray(&mut self, payment: Serial) {
        self.0.astray(payment);
        self.1.astray(payment);
    }

    fn document(&mut self, document: &Document) {
        self.0.document(document);
        self.1.document(document);
    }

    fn check(&mut self, subject: &Subject) {
        self.0.check(subject);
        self.1.check(subject);
    }
}

/// Shows all rows of `snapshot` to `judge`.
pub(crate) async fn pass(
    snapshot: &mut dyn Snapshot,
    progress: &mut (dyn FnMut(u64) + Send),
    judge: &mut impl Judge,
) -> Result<(), StoreError> {
    let astray = snapshot.claims_astray(CLAIMS_ASTRAY_MAX).await?;
    astray.into_iter().for_each(|payment| judge.astray(payment));
    let mut merge = Merge::new(snapshot, progress);
    merge.each_refund(|refund| judge.remember(refund)).await?;
    let items = DocumentKind::WorkItem;
    merge.each_document(items, |it| judge.document(it)).await?;
    while let Some(subject) = merge.next().await? {
        judge.check(&subject);
    }
    for kind in DocumentKind::ALL.into_iter().filter(|kind| *kind != items) {
        merge.each_document(kind, |it| judge.document(it)).await?;
    }
    Ok(())
}
