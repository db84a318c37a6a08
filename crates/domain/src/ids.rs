//! Identities: who is charged for whom, and by which number each side knows a transaction.

use crate::time::UnixMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The retailer. Every stored row belongs to exactly one tenant, and a transaction touches one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct TenantId(pub i64);

/// The gateway's own number of a merchant account (the wire knows merchants by a code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MerchantNo(pub i64);

/// A gateway serial: time-ordered, unique over all nodes and for ever.
///
/// People and wires see 20 digits: the date (8) in the gateway's zone, then 12 digits made of the
/// millisecond of that day (8), the node (2) and a count (2). Stored as one integer, with the
/// date as its day number since 1970.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Serial(pub i64);

/// 12 digits stand after the date.
const PER_DAY: i64 = 1_000_000_000_000;
/// 2 digits of node and 2 of count stand after the millisecond.
const PER_MS: i64 = 10_000;
/// How many nodes may issue serials at the same time.
pub const NODES_MAX: i64 = 100;
/// How many serials one node issues in one millisecond.
pub const PER_NODE_MS: i64 = PER_MS / NODES_MAX;
const DAY_MS: i64 = 86_400_000;

impl Serial {
    /// The serial of `node` numbered `count` in the millisecond `at`, in a zone that is
    /// `zone_offset_s` seconds east of UTC.
    #[must_use]
    pub const fn compose(at: UnixMs, zone_offset_s: i32, node: i64, count: i64) -> Self {
        let local_ms = at.0 + zone_offset_s as i64 * 1000;
        let day = local_ms.div_euclid(DAY_MS);
        let ms_of_day = local_ms.rem_euclid(DAY_MS);
        Self(day * PER_DAY + ms_of_day * PER_MS + node * PER_NODE_MS + count)
    }

    /// The smallest serial of the millisecond `at`.
    #[must_use]
    pub const fn floor(at: UnixMs, zone_offset_s: i32) -> Self {
        Self::compose(at, zone_offset_s, 0, 0)
    }

    /// Reads the 20-digit form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
        let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
        let days = days_from_civil(year, month, day);
        let serial = Self(days * PER_DAY + number(8..20)?);
        (civil_from_days(days) == (year, month, day)).then_some(serial)
    }
}

impl std::fmt::Display for Serial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(PER_DAY));
        write!(
            f,
            "{year:04}{month:02}{day:02}{:012}",
            self.0.rem_euclid(PER_DAY)
        )
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
pub(crate) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years start in March here, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
pub(crate) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}

/// What makes a request the same request: a digest over tenant, merchant, kind and the caller's
/// own number. 128 bits of SHA-256, so that one narrow index finds it and nobody can forge a
/// collision with another merchant's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimKey(pub [u8; 16]);

impl std::fmt::Debug for ClaimKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The spaces of callers' numbers; the same text in two spaces is two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimSpace {
    /// A merchant's own serial of a payment.
    Payment,
    /// A merchant's own serial of a refund.
    Refund,
    /// The signature of a refund request that carries no serial.
    RefundSignature,
    /// The signature of a top-up request, which never carries a serial.
    RechargeSignature,
}

impl ClaimKey {
    /// The key of `number` as `merchant` uses it in `space`.
    #[must_use]
    pub fn of(tenant: TenantId, merchant: MerchantNo, space: ClaimSpace, number: &str) -> Self {
        let space = match space {
            ClaimSpace::Payment => 1_u8,
            ClaimSpace::Refund => 2,
            ClaimSpace::RefundSignature => 3,
            ClaimSpace::RechargeSignature => 4,
        };
        Self::digest(&[
            &tenant.0.to_be_bytes(),
            &merchant.0.to_be_bytes(),
            &[space],
            number.as_bytes(),
        ])
    }

    /// 128 bits of digest over `parts`; only the last part may vary in length.
    #[must_use]
    pub fn digest(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        let mut key = [0; 16];
        key.iter_mut()
            .zip(hash.finalize())
            .for_each(|(to, from)| *to = from);
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI_S: i32 = 8 * 3600;

    #[test]
    fn a_serial_starts_with_the_local_date() {
        // 2026-11-21T16:00:00Z is midnight of the 22nd in Shanghai.
        let serial = Serial::compose(UnixMs(1_795_276_800_000), SHANGHAI_S, 7, 42);
        assert_eq!(serial.to_string(), "20261122000000000742");
        assert_eq!(Serial::parse("20261122000000000742"), Some(serial));
    }

    #[test]
    fn only_twenty_digits_with_a_real_date_are_a_serial() {
        for text in [
            "",
            "2026112200000000074",
            "20261322000000000742",
            "20260230000000000001",
            "2026112２0000000074",
            "-0261122000000000742",
        ] {
            assert_eq!(Serial::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_number_in_two_spaces_is_two_claims() {
        let key = |merchant, space| ClaimKey::of(TenantId(1), MerchantNo(merchant), space, "A");
        assert_ne!(key(1, ClaimSpace::Payment), key(1, ClaimSpace::Refund));
        assert_ne!(key(1, ClaimSpace::Payment), key(2, ClaimSpace::Payment));
    }

    proptest::proptest! {
        #[test]
        fn serials_survive_their_text(ms in 0_i64..7_000_000_000_000, node in 0..100_i64, n in 0..100_i64) {
            let serial = Serial::compose(UnixMs(ms), SHANGHAI_S, node, n);
            assert_eq!(Serial::parse(&serial.to_string()), Some(serial));
        }

        #[test]
        fn serials_are_ordered_by_time(ms in 0_i64..7_000_000_000_000, later in 1_i64..100_000_000) {
            let first = Serial::compose(UnixMs(ms), SHANGHAI_S, 99, 99);
            assert!(first < Serial::compose(UnixMs(ms + later), SHANGHAI_S, 0, 0));
        }
    }
}
