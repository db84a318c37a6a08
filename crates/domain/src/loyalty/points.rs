//! Amounts of points: whole hundredths of a point, never a float.

use serde::{Deserialize, Serialize};

/// An amount of points in hundredths of a point. Below zero where a member owes some.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Points(i64);

impl Points {
    /// None.
    pub const ZERO: Self = Self(0);
    /// The most points one event moves: 10¹¹ points.
    pub const MAX: Self = Self(10_000_000_000_000);

    /// `hundredths` of a point.
    #[must_use]
    pub const fn new(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// The amount in hundredths of a point.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// `self + other`; stays at the ends of the range instead of wrapping. No stored amount comes
    /// near them: each event moves at most [`Points::MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`; see [`Points::plus`].
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether it is above zero.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 > 0
    }
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Self::plus)
    }
}

impl std::fmt::Display for Points {
    /// Points with two decimals, for people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", hundredths / 100, hundredths % 100)
    }
}
