//! Where a code stands: what happened to its range, and what tills did with it.

use super::{
    code_use::CodeUse,
    span::{Span, Stage},
};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// Where a code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CodeStatus {
    /// Issued, not sold.
    InStock,
    /// It may be used.
    Active,
    /// All of its uses are gone.
    UsedUp,
    /// Never to be used again.
    Void,
    /// Its term is over, or has not begun.
    Expired,
    /// All uses it has left are held by open payments.
    Reserved,
    /// Nothing may be done with it for the time being.
    Frozen,
}

/// What a code is good for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub status: CodeStatus,
    /// Uses left, without those that are held.
    pub uses_left: u32,
}

/// Where a code of `span` stands that may be used `uses` times. `code_use` is `None` where no till
/// has touched it.
#[must_use]
pub fn standing(span: &Span, code_use: Option<&CodeUse>, uses: u32, now: UnixMs) -> Standing {
    let (used, reserved) = code_use.map_or((0, 0), |it| (it.used, it.reserved));
    let left = uses.saturating_sub(used);
    let free = left.saturating_sub(reserved);
    let status = match &span.stage {
        Stage::Void(_) => CodeStatus::Void,
        Stage::InStock | Stage::Active(_) if span.frozen => CodeStatus::Frozen,
        Stage::InStock => CodeStatus::InStock,
        Stage::Active(_) if left == 0 => CodeStatus::UsedUp,
        Stage::Active(it) if it.expired || !it.term.holds(now) => CodeStatus::Expired,
        Stage::Active(_) if free == 0 => CodeStatus::Reserved,
        Stage::Active(_) => CodeStatus::Active,
    };
    let uses_left = if is_over(span, now) { 0 } else { free };
    Standing { status, uses_left }
}

/// Whether nothing is left of its codes, frozen or not.
fn is_over(span: &Span, now: UnixMs) -> bool {
    match &span.stage {
        Stage::InStock => false,
        Stage::Active(it) => it.expired || it.term.is_over(now),
        Stage::Void(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{Serial, TenantId},
        voucher::{
            change::ChangeId,
            code::{CodeNo, CodeRange},
            span::{Activation, Voiding},
            ticket::Term,
        },
    };

    const NOW: UnixMs = UnixMs(1_000);

    fn activation(term: Term) -> Activation {
        Activation {
            by: ChangeId::from_stored("1504/A/1".to_owned()),
            at: UnixMs(500),
            term,
            expired: false,
        }
    }

    const fn term(from: i64, until: i64) -> Term {
        Term {
            from: Some(UnixMs(from)),
            until: Some(UnixMs(until)),
        }
    }

    #[test]
    fn the_status_follows_from_range_and_uses() {
        use CodeStatus::{Active, Expired, Frozen, InStock, Reserved, UsedUp, Void};
        let open = || Stage::Active(activation(term(0, 2_000)));
        let past = || Stage::Active(activation(term(0, 1_000)));
        let coming = || Stage::Active(activation(term(1_001, 2_000)));
        let voided = || {
            Stage::Void(Voiding {
                by: ChangeId::from_stored("1504/V/1".to_owned()),
                at: NOW,
                was: Some(activation(Term::default())),
            })
        };
        for (stage, frozen, used, reserved, status, uses_left) in [
            (Stage::InStock, false, 0, 0, InStock, 2),
            (Stage::InStock, true, 0, 0, Frozen, 2),
            (open(), false, 0, 0, Active, 2),
            (open(), false, 1, 0, Active, 1),
            (open(), false, 1, 1, Reserved, 0),
            (open(), false, 0, 2, Reserved, 0),
            (open(), false, 2, 0, UsedUp, 0),
            (open(), true, 1, 0, Frozen, 1),
            (past(), false, 1, 0, Expired, 0),
            (past(), false, 2, 0, UsedUp, 0),
            (past(), true, 1, 0, Frozen, 0),
            (coming(), false, 0, 0, Expired, 2),
            (voided(), true, 0, 0, Void, 0),
        ] {
            let carton = Serial(7);
            let span = Span {
                tenant: TenantId(1),
                range: CodeRange {
                    carton,
                    first: 0,
                    last: 9,
                },
                stage,
                frozen,
            };
            let code = CodeNo { carton, index: 3 };
            let code_use = CodeUse {
                used,
                reserved,
                ..CodeUse::untouched(TenantId(1), code)
            };
            let found = standing(&span, Some(&code_use), 2, NOW);
            assert_eq!(
                found,
                Standing { status, uses_left },
                "{span:?} {code_use:?}"
            );
        }
    }
}
