//! Points in time. The program takes them from its clock and passes them in.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// The point `ms` milliseconds later; stays at the end of time instead of wrapping.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The point `s` seconds later.
    #[must_use]
    pub const fn plus_s(self, s: i64) -> Self {
        self.plus_ms(s.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to here; negative when `earlier` lies later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
