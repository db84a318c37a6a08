//! What a code is good for: its ticket type, and the activity it was issued under.

use crate::{ids::TenantId, loyalty::calendar::Zone, money::Fen, time::UnixMs};
use serde::{Deserialize, Serialize};

/// A ticket type's number, 1 to 999,999,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VoucherTicketNo(pub u32);

/// An activity's number, 1 to 999,999,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActivityNo(pub u32);

/// The largest number of a ticket type or an activity.
pub const NUMBER_MAX: u32 = 999_999_999;
/// The most uses a code may have.
pub const USES_MAX: u32 = 999;

/// A ticket type. Codes keep the terms they were issued under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherTicket {
    /// Whose.
    pub tenant: TenantId,
    /// Its number.
    pub number: VoucherTicketNo,
    /// Its name, for people.
    pub name: String,
    /// What a code of it is good for.
    pub terms: Terms,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How often it may be used, 1 to [`USES_MAX`].
    pub uses: u32,
    /// What one use pays, in fen; nothing for a voucher for goods.
    pub face_value: Fen,
    /// How long it is valid.
    pub validity: Validity,
}

/// How long a code is valid once it is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validity {
    /// For ever.
    Forever,
    /// This many days, the day of its activation included, to the end of the last.
    Days(u32),
    /// From one point in time, included, until another, excluded.
    Between(UnixMs, UnixMs),
}

/// When an active code is valid: from the first, included, until the second, excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// From when; `None` since ever.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UnixMs>,
    /// Until when; `None` for ever.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMs>,
}

impl Term {
    /// Whether it has begun and is not over.
    #[must_use]
    pub fn holds(&self, now: UnixMs) -> bool {
        self.from.is_none_or(|from| from <= now) && !self.is_over(now)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, now: UnixMs) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Validity {
    /// The term of a code that becomes active now.
    #[must_use]
    pub fn term(self, zone: Zone, now: UnixMs) -> Term {
        match self {
            Self::Forever => Term::default(),
            Self::Days(days) => Term {
                from: Some(now),
                until: Some(zone.start_of_day(zone.day(now).saturating_add(i64::from(days)))),
            },
            Self::Between(from, until) => Term {
                from: Some(from),
                until: Some(until),
            },
        }
    }
}

/// What codes are sold under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Whose.
    pub tenant: TenantId,
    /// Its number.
    pub number: ActivityNo,
    /// Its name.
    pub name: String,
    /// Through whom the codes are sold.
    pub sale_channel: String,
    /// Through whom the codes are sent.
    pub send_channel: String,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_of_days_ends_with_a_local_day() {
        let zone = Zone { offset_s: 8 * 3600 };
        // 2026-11-22T09:30 in Shanghai.
        let now = UnixMs(1_795_276_800_000).plus_s(9 * 3600 + 1800);
        let term = Validity::Days(1).term(zone, now);
        assert_eq!(term.from, Some(now));
        assert_eq!(term.until, Some(UnixMs(1_795_276_800_000).plus_s(86_400)));
        assert_eq!(Validity::Forever.term(zone, now), Term::default());
    }
}
