//! Neighbouring codes of one box to which the same happened. The spans of a box tile it: each of
//! its codes lies in exactly one.

use super::{change::ChangeId, code::CodeRange, ticket::Term};
use crate::{ids::TenantId, time::UnixMs};
use serde::{Deserialize, Serialize};

/// Codes to which the same happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Whose.
    pub tenant: TenantId,
    /// Which codes.
    pub range: CodeRange,
    /// How far they are.
    pub stage: Stage,
    /// Nothing may be done with them for the time being.
    pub frozen: bool,
}

/// How far codes are in their life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Issued, not sold.
    InStock,
    /// Sold: they may be used.
    Active(Activation),
    /// Never to be used again.
    Void(Voiding),
}

/// How codes became active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// By which change.
    pub by: ChangeId,
    /// When.
    pub at: UnixMs,
    /// When they are valid.
    pub term: Term,
    /// Their uses were written off, because their term is over.
    pub expired: bool,
}

/// How codes became void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voiding {
    /// By which change.
    pub by: ChangeId,
    /// When.
    pub at: UnixMs,
    /// How they had become active, if they had.
    pub was: Option<Activation>,
}

impl Span {
    /// How its codes became active, even if they are void by now.
    #[must_use]
    pub const fn activation(&self) -> Option<&Activation> {
        match &self.stage {
            Stage::InStock => None,
            Stage::Active(it) => Some(it),
            Stage::Void(it) => it.was.as_ref(),
        }
    }

    /// The change by which its codes are active, if they are.
    #[must_use]
    pub const fn active_by(&self) -> Option<&ChangeId> {
        match &self.stage {
            Stage::Active(it) => Some(&it.by),
            Stage::InStock | Stage::Void(_) => None,
        }
    }

    /// Whether the uses its codes had left were written off, because their term is over.
    #[must_use]
    pub fn is_written_off(&self) -> bool {
        self.activation().is_some_and(|it| it.expired)
    }

    /// When the uses its codes have left must be written off.
    #[must_use]
    pub const fn due_at(&self) -> Option<UnixMs> {
        match &self.stage {
            Stage::Active(it) if !it.expired => it.term.until,
            Stage::Active(_) | Stage::InStock | Stage::Void(_) => None,
        }
    }

    /// Its part within `range`, and what lies before and behind that. `None` where it has none.
    #[must_use]
    pub fn cut(&self, range: &CodeRange) -> Option<Cut> {
        let within = self.range.intersect(range)?;
        let part = |first, last| Self {
            range: CodeRange {
                first,
                last,
                ..self.range
            },
            ..self.clone()
        };
        let before = within.first.checked_sub(1);
        let before = before.filter(|it| *it >= self.range.first);
        let behind = within.last.checked_add(1);
        let behind = behind.filter(|it| *it <= self.range.last);
        Some(Cut {
            before: before.map(|last| part(self.range.first, last)),
            within: part(within.first, within.last),
            behind: behind.map(|first| part(first, self.range.last)),
        })
    }

    /// Whether the same happened to `next`, and its codes follow these.
    #[must_use]
    pub fn joins(&self, next: &Self) -> bool {
        let follows = self.range.carton == next.range.carton
            && self.range.last.checked_add(1) == Some(next.range.first);
        follows
            && self.tenant == next.tenant
            && self.frozen == next.frozen
            && self.stage == next.stage
    }
}

/// A span in up to three parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    /// Before the range.
    pub before: Option<Span>,
    /// Within it.
    pub within: Span,
    /// Behind it.
    pub behind: Option<Span>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Serial;

    fn span(first: u32, last: u32) -> Span {
        Span {
            tenant: TenantId(1),
            range: range(first, last),
            stage: Stage::InStock,
            frozen: false,
        }
    }

    const fn range(first: u32, last: u32) -> CodeRange {
        CodeRange {
            carton: Serial(7),
            first,
            last,
        }
    }

    #[test]
    fn a_span_is_cut_at_both_ends_of_a_range() {
        for (cut_by, before, within, behind) in [
            ((0, 9), None, (0, 9), None),
            ((0, 4), None, (0, 4), Some((5, 9))),
            ((5, 9), Some((0, 4)), (5, 9), None),
            ((3, 3), Some((0, 2)), (3, 3), Some((4, 9))),
            ((8, 40), Some((0, 7)), (8, 9), None),
        ] {
            let part = |it: (u32, u32)| span(it.0, it.1);
            let cut = Cut {
                before: before.map(part),
                within: part(within),
                behind: behind.map(part),
            };
            assert_eq!(
                span(0, 9).cut(&range(cut_by.0, cut_by.1)),
                Some(cut),
                "{cut_by:?}"
            );
        }
        assert_eq!(span(0, 9).cut(&range(10, 11)), None);
    }

    #[test]
    fn only_neighbours_with_the_same_fate_join() {
        assert!(span(0, 4).joins(&span(5, 9)));
        assert!(!span(0, 4).joins(&span(6, 9)));
        let frozen = Span {
            frozen: true,
            ..span(5, 9)
        };
        assert!(!span(0, 4).joins(&frozen));
    }
}
