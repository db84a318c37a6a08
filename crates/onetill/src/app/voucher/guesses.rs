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

/// What a caller owes for its misses: the time in which they are forgotten.
#[derive(Clone, Copy, Debug)]
struct Debt {
    owed_ms: i64,
    at: UnixMs,
}

impl Debt {
    /// The debt as of `now`. A clock set back forgets nothing, and adds nothing.
    fn by(self, now: UnixMs) -> Self {
        let elapsed_ms = now.since_ms(self.at).max(0);
        Self {
            owed_ms: self.owed_ms.saturating_sub(elapsed_ms).max(0),
            at: now,
        }
    }
}

/// What each caller owes.
#[derive(Default)]
pub struct Guesses {
    debts: Mutex<HashMap<Guesser, Debt>>,
}

impl Guesses {
    /// Whether codes that this caller names may be looked up.
    #[must_use]
    pub fn may_look(&self, guesser: Guesser, now: UnixMs) -> bool {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        debts.get_mut(&guesser).is_none_or(|debt| {
            *debt = debt.by(now);
            debt.owed_ms < BURST * MISS_MS
        })
    }

    /// Counts codes that do not exist.
    pub fn missed(&self, guesser: Guesser, misses: usize, now: UnixMs) {
        let Ok(misses) = i64::try_from(misses) else {
            return;
        };
        if misses == 0 {
            return;
        }
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if debts.len() >= CALLERS_MAX {
            debts.retain(|_, debt| debt.by(now).owed_ms > 0);
        }
        let debt = debts.entry(guesser).or_insert(Debt {
            owed_ms: 0,
            at: now,
        });
        let Debt { owed_ms, at } = debt.by(now);
        let owed_ms = owed_ms.saturating_add(misses.saturating_mul(MISS_MS));
        *debt = Debt { owed_ms, at };
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
        assert!(guesses.debts.lock().unwrap().is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let guesses = Guesses::default();
        guesses.missed(ONE, 1, NOW);
        assert!(guesses.may_look(ONE, NOW.plus_s(-10_000)));
        guesses.missed(ONE, 199, NOW.plus_s(-10_000));
        assert!(!guesses.may_look(ONE, NOW.plus_s(-10_000)));
        assert!(guesses.may_look(ONE, NOW.plus_s(-9_999)));
    }
}
