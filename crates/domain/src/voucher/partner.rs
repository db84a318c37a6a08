//! A partner: who sells codes, and may activate and void its own.

use super::ticket::NUMBER_MAX;
use crate::{ids::TenantId, loyalty::sealed::Sealed, time::UnixMs};
use serde::{Deserialize, Serialize};

/// A partner's number on the wire, 1 to 999,999,999, unique over all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartnerNo(pub u32);

impl PartnerNo {
    /// Reads a partner's number; `None` unless it is 1 to 999,999,999 in decimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten()?;
        (1..=NUMBER_MAX).contains(&number).then_some(Self(number))
    }
}

impl std::fmt::Display for PartnerNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Whose.
    pub tenant: TenantId,
    /// Its number on the wire.
    pub number: PartnerNo,
    /// The account it names beside its number.
    pub merchant_id: String,
    /// Its name, for people.
    pub name: String,
    /// Nothing is answered to it for the time being.
    pub blocked: bool,
    /// What it shows to be let in; at most [`TOKENS_MAX`], the newest last.
    pub tokens: Vec<Token>,
    /// Networks that are this partner's, as `address` or `address/bits`.
    pub networks: Vec<String>,
    /// The keys its signatures are checked with, the newest last; at most [`KEYS_MAX`].
    pub keys: Vec<PartnerKey>,
    /// The key that replies to it are signed with, if it has one of its own.
    pub reply_key: Option<Sealed>,
    /// Its rules.
    pub settings: PartnerSettings,
    /// Who changed what, the newest last; at most [`HISTORY_MAX`].
    pub history: Vec<PartnerEntry>,
    /// How many codes it activated in a day, where that is limited.
    pub activated: DayCount,
    /// When it was last changed.
    pub updated_at: UnixMs,
}

/// A count that starts again each day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// The day it counts, since 1970-01-01.
    pub day: i64,
    /// How many.
    pub count: i64,
}

impl DayCount {
    /// The count with `more` of `day`. A day that lies before the counted one, by a clock that was
    /// set back, is counted with it.
    #[must_use]
    pub const fn plus(self, day: i64, more: i64) -> Self {
        if day > self.day {
            return Self { day, count: more };
        }
        Self {
            day: self.day,
            count: self.count.saturating_add(more),
        }
    }
}

impl Partner {
    /// Whether it activated more codes in a day than it may.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        let limit = self.settings.codes_per_day;
        limit.is_some_and(|it| self.activated.count > it)
    }
}

/// The most tokens of a partner that are good at the same time.
pub const TOKENS_MAX: usize = 4;
/// The most keys of a partner that are good at the same time.
pub const KEYS_MAX: usize = 4;
/// The most entries of a partner's history that are kept.
pub const HISTORY_MAX: usize = 100;

/// A token, hashed. 256 random bits need no slow hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its keyed digest, in hex.
    pub digest: String,
    /// When it stops being good; `None` until it is removed.
    pub until: Option<UnixMs>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token {{ until: {:?} }}", self.until)
    }
}

/// A public key of a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerKey {
    /// The key as DER SubjectPublicKeyInfo, in hex.
    pub spki: String,
    /// When it stops being good; `None` until it is removed.
    pub until: Option<UnixMs>,
}

/// How a partner is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnerSettings {
    /// Answers are in English instead of Chinese.
    pub english: bool,
    /// A signed request may carry `skip` for a signature, with the token or from the network.
    pub skip_signature: bool,
    /// Trace numbers must start with the day's date.
    pub dated_trace_no: bool,
    /// The number of cards in a request over a segment must be the segment's.
    pub check_number: bool,
    /// At most this many codes may be activated in a day; `None` for any number.
    pub codes_per_day: Option<i64>,
    /// At most this many requests a second; `None` for any number.
    pub requests_per_s: Option<u32>,
}

/// One change of a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerEntry {
    /// When.
    pub at: UnixMs,
    /// Who.
    pub by: String,
    /// What, in words; never a secret.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_to_nine_digits_and_is_not_zero() {
        assert_eq!(PartnerNo::parse("1504"), Some(PartnerNo(1504)));
        for text in ["", "0", "+1", "1 ", "1000000000", "１"] {
            assert_eq!(PartnerNo::parse(text), None, "{text}");
        }
    }
}
