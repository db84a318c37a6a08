//! Which code: the box it lies in and its place there.

use crate::ids::Serial;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A code by its box and its index there. The index follows the order of packages, reels and
/// codes, never the printed serials, so a reel, a package and a box are ranges.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct CodeNo {
    /// The box.
    #[serde(rename = "b")]
    pub carton: Serial,
    /// Its index in the box, from 0.
    #[serde(rename = "i")]
    pub index: u32,
}

/// Neighbouring codes of one box, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CodeRange {
    /// The box.
    #[serde(rename = "b")]
    pub carton: Serial,
    /// The index of the first code.
    #[serde(rename = "f")]
    pub first: u32,
    /// The index of the last code; not below `first`.
    #[serde(rename = "l")]
    pub last: u32,
}

impl CodeNo {
    /// The range of this code alone.
    #[must_use]
    pub const fn range(self) -> CodeRange {
        CodeRange {
            carton: self.carton,
            first: self.index,
            last: self.index,
        }
    }
}

impl CodeRange {
    /// How many codes.
    #[must_use]
    pub const fn len(&self) -> i64 {
        self.last as i64 - self.first as i64 + 1
    }

    /// Never: a range holds its first code at least.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() <= 0
    }

    /// With the code before it and the code behind it, where there may be such.
    #[must_use]
    pub const fn with_neighbours(&self) -> Self {
        Self {
            carton: self.carton,
            first: self.first.saturating_sub(1),
            last: self.last.saturating_add(1),
        }
    }

    /// The codes from the first to the last.
    #[must_use]
    pub fn codes(&self) -> RangeInclusive<CodeNo> {
        let code = |index| CodeNo {
            carton: self.carton,
            index,
        };
        code(self.first)..=code(self.last)
    }

    /// Whether `code` is one of them.
    #[must_use]
    pub fn contains(&self, code: CodeNo) -> bool {
        self.carton == code.carton && (self.first..=self.last).contains(&code.index)
    }

    /// What two ranges share.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        let shares = self.carton == other.carton && first <= last;
        shares.then_some(Self {
            carton: self.carton,
            first,
            last,
        })
    }
}

/// A keyed digest of a code's text, by which it is found. The key is the gateway's, so a leaked
/// database tells nobody which texts are codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeDigest(pub [u8; 16]);

impl std::fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeDigest")
    }
}

/// Whether `text` may be a code, or the name of a box, package or reel: 8 to 64 of
/// `[0-9A-Za-z=-]`.
#[must_use]
pub fn may_be_code(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'=' || b == b'-';
    (8..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn range(carton: i64, first: u32, last: u32) -> CodeRange {
        CodeRange {
            carton: Serial(carton),
            first,
            last,
        }
    }

    #[test]
    fn ranges_share_what_lies_in_both() {
        let reel = range(1, 10, 19);
        for (other, shared) in [
            (range(1, 0, 9), None),
            (range(1, 20, 20), None),
            (range(2, 10, 19), None),
            (range(1, 0, 10), Some(range(1, 10, 10))),
            (range(1, 19, 40), Some(range(1, 19, 19))),
            (range(1, 12, 13), Some(range(1, 12, 13))),
            (range(1, 0, u32::MAX), Some(reel)),
        ] {
            assert_eq!(reel.intersect(&other), shared, "{other:?}");
            assert_eq!(other.intersect(&reel), shared, "{other:?}");
        }
    }

    #[test]
    fn a_range_has_neighbours_where_there_are_indices() {
        assert_eq!(range(1, 3, 5).with_neighbours(), range(1, 2, 6));
        let all = range(1, 0, u32::MAX);
        assert_eq!(all.with_neighbours(), all);
    }

    #[test]
    fn the_largest_range_has_a_length() {
        assert_eq!(range(1, 0, u32::MAX).len(), 1 << 32);
    }

    #[test]
    fn codes_of_the_samples_may_be_codes() {
        for text in [
            "1001901070000000258-M4DEDSfV",
            "1006250730320020870=gHN3981K",
            "10014030013500006013",
        ] {
            assert!(may_be_code(text), "{text}");
        }
        for text in ["", "1234567", "1234567 ", "1234567é", &"1".repeat(65)] {
            assert!(!may_be_code(text), "{text}");
        }
    }
}
