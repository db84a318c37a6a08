//! A guard on guessing codes: whoever names too many that do not exist is not looked up for a
//! while. A caller with a list of real codes never meets it.

use domain::{ids::MerchantNo, time::UnixMs, voucher::partner::PartnerNo};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// So many misses at once are forgiven.
const BURST: i64 = 200;
/// A miss is forgotten after this time, in milliseconds.
const MISS_MS: i64 = 1_000;
/// So many callers are remembered; beyond that those who owe nothing are forgotten.
const CALLERS_MAX: usize = 100_000;

/// Who names codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guesser {
    /// A merchant, in a payment.
    Merchant(MerchantNo),
    /// A partner.
    Partner(PartnerNo),
}

/// When the misses of each caller are forgotten.
#[derive(Default)]
pub struct Guesses {
    clear_at: Mutex<HashMap<Guesser, UnixMs>>,
}

impl Guesses {
    /// Whether codes that this caller names may be looked up.
    #[must_use]
    pub fn may_look(&self, guesser: Guesser, now: UnixMs) -> bool {
        let clear_at = self.clear_at.lock().unwrap_or_else(PoisonError::into_inner);
        let owed_ms = clear_at.get(&guesser).map_or(0, |at| at.since_ms(now));
        owed_ms < BURST * MISS_MS
    }

    /// Counts codes that do not exist.
    pub fn missed(&self, guesser: Guesser, misses: usize, now: UnixMs) {
        let Ok(misses) = i64::try_from(misses) else {
            return;
        };
        if misses == 0 {
            return;
        }
        let mut clear_at = self.clear_at.lock().unwrap_or_else(PoisonError::into_inner);
        if clear_at.len() >= CALLERS_MAX {
            clear_at.retain(|_, at| *at > now);
        }
        let at = clear_at.entry(guesser).or_insert(now);
        *at = (*at).max(now).plus_ms(misses.saturating_mul(MISS_MS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_000_000);
    const ONE: Guesser = Guesser::Partner(PartnerNo(1504));

    #[test]
    fn who_misses_too_often_waits() {
        let guesses = Guesses::default();
        guesses.missed(ONE, 199, NOW);
        assert!(guesses.may_look(ONE, NOW));
        guesses.missed(ONE, 1_000, NOW);
        assert!(!guesses.may_look(ONE, NOW));
        assert!(!guesses.may_look(ONE, NOW.plus_s(999)));
        assert!(guesses.may_look(ONE, NOW.plus_s(1_000)));
        assert!(guesses.may_look(Guesser::Partner(PartnerNo(1505)), NOW));
        assert!(guesses.may_look(Guesser::Merchant(MerchantNo(1504)), NOW));
    }

    #[test]
    fn who_never_misses_is_not_remembered() {
        let guesses = Guesses::default();
        guesses.missed(ONE, 0, NOW);
        assert!(guesses.clear_at.lock().unwrap().is_empty());
    }
}
