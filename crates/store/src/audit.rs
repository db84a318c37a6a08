//! Proves the ledger and every invariant from the raw rows.
//!
//! The audit trusts nothing that a row says about another: it reads all rows of one consistent
//! [`Snapshot`] in a single merge by number and checks each against the rows it must agree with.
//! What it proves is listed at [`Rule`]. Memory stays constant in payments and postings; only
//! payments that have refunds are remembered.
//!
//! That a claim names one payment would take a key per payment in memory: where no unique index
//! holds it, the store itself looks ([`Snapshot::claims_astray`]).

mod merge;
mod report;
mod rules;
#[cfg(test)]
mod tests;

pub use report::{AuditReport, Balance, Counts, Rule, VIOLATIONS_KEPT_MAX, Violation};

use crate::contract::{Snapshot, StoreError};
use merge::Merge;
use rules::Rules;

/// How many claims that lead elsewhere are named at most.
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
    let astray = snapshot.claims_astray(CLAIMS_ASTRAY_MAX).await?;
    astray.into_iter().for_each(|serial| rules.astray(serial));
    let mut merge = Merge::new(snapshot, progress);
    merge.each_refund(|refund| rules.remember(refund)).await?;
    while let Some(subject) = merge.next().await? {
        rules.check(&subject);
    }
    Ok(rules.finish())
}
