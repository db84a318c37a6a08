//! Whether promises were kept: the one question after any run of faults.
//!
//! Whoever plays the clients notes in [`Acknowledged`] what each was told, and [`gate`] holds the
//! rows against it, beside the whole [audit](crate::audit), in one pass:
//!
//! - what was acknowledged is recorded, with its amount and under the number that was told;
//! - what is recorded was asked for, and by no request that was refused;
//! - a number handed out is one thing's, and a merchant's number names one payment or refund;
//! - a till's message that was answered is recorded as it was told, and one whose reversal is
//!   through does not stand;
//! - paid stays paid unless it was refunded or cancelled; no more goes back than was paid;
//! - at rest nothing is open, no work is left and no message waits.

mod facts;
mod messages;
mod promises;
#[cfg(test)]
mod tests;

pub use facts::{Acknowledged, Answer, Fact, Owner, TopUp};
pub use messages::{Heard, Message, Moves};
pub use promises::{Broken, Promise};

use crate::{
    audit::{AuditReport, Rules, pass},
    contract::{Snapshot, StoreError},
};
use promises::Promises;
use std::fmt;

/// Whether the run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Requests and work may be under way.
    Running,
    /// All has been given time to end.
    AtRest,
}

/// What the gate found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateReport {
    /// What the rows say about each other.
    pub audit: AuditReport,
    /// Promises that were not kept.
    pub broken: Vec<Broken>,
}

impl GateReport {
    /// Whether every rule holds and every promise was kept.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.audit.is_clean() && self.broken.is_empty()
    }
}

impl fmt::Display for GateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for it in &self.audit.violations {
            writeln!(f, "{:?}: {}: {}", it.rule, it.subject, it.found)?;
        }
        self.broken.iter().try_for_each(|it| writeln!(f, "{it}"))
    }
}

/// Holds all rows of `snapshot` against each other and against what clients were told. The
/// snapshot must be younger than every fact.
///
/// # Errors
/// When rows cannot be read. A broken promise is not an error: it is in the report.
pub async fn gate(
    snapshot: &mut dyn Snapshot,
    acknowledged: &Acknowledged,
    moment: Moment,
) -> Result<GateReport, StoreError> {
    let mut judges = (Rules::default(), Promises::new(acknowledged, moment));
    pass(snapshot, &mut |_| {}, &mut judges).await?;
    Ok(GateReport {
        audit: judges.0.finish(),
        broken: judges.1.finish(),
    })
}
