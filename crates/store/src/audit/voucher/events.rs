//! Events of codes: whether each was made by its subject, and whether those of a code lead to each
//! other, all of them, from the newest that its row names.

use crate::audit::merge::Subject;
use domain::{
    ids::Serial,
    voucher::{
        code::CodeNo,
        code_use::{CodeAct, CodeEvent, CodeUse, EventLink},
    },
};
use std::collections::BTreeMap;

/// How often a code was used, and how many uses came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Acts {
    pub used: u32,
    pub given_back: u32,
}

impl Acts {
    pub const fn used(used: u32) -> Self {
        Self {
            used,
            given_back: 0,
        }
    }

    pub const fn given_back(given_back: u32) -> Self {
        Self {
            used: 0,
            given_back,
        }
    }

    pub fn add(&mut self, other: Self) {
        self.used = self.used.saturating_add(other.used);
        self.given_back = self.given_back.saturating_add(other.given_back);
    }

    /// The one thing that is missing of these to be `all`, if it is one.
    pub fn lack(self, all: Self) -> Option<CodeAct> {
        [CodeAct::Used, CodeAct::GivenBack].into_iter().find(|act| {
            let mut with_it = self;
            with_it.add(Self::of(*act));
            with_it == all
        })
    }

    const fn of(act: CodeAct) -> Self {
        match act {
            CodeAct::Used => Self::used(1),
            CodeAct::GivenBack => Self::given_back(1),
        }
    }
}

/// What the events of `subject` come to, code by code.
pub(super) fn acts_of(subject: &Subject) -> BTreeMap<CodeNo, Acts> {
    let mut acts: BTreeMap<CodeNo, Acts> = BTreeMap::new();
    for event in &subject.code_events {
        acts.entry(event.code).or_default().add(Acts::of(event.act));
    }
    acts
}

/// What payments did to a code that no recorded event tells: the code's row is to keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Untold {
    #[default]
    Nothing,
    /// What this payment did.
    One(Serial, CodeAct),
    /// More than a row keeps.
    More,
}

impl Untold {
    /// Adds what `subject` did.
    pub const fn add(&mut self, subject: Serial, act: CodeAct) {
        *self = match self {
            Self::Nothing => Self::One(subject, act),
            Self::One(..) | Self::More => Self::More,
        };
    }

    /// Whether `code_use` keeps just that.
    pub fn is_kept_by(self, code_use: &CodeUse) -> bool {
        match (self, code_use.kept_event()) {
            (Self::Nothing, None) => true,
            (Self::One(subject, act), Some(kept)) => (subject, act) == (kept.subject, kept.act),
            (Self::Nothing | Self::One(..) | Self::More, _) => false,
        }
    }
}

/// The events of one code, in whatever order they were seen.
///
/// Each has a place, its link, and leads to the place before its own; the code's row leads to the last.
/// Where the places are those that are led to, each as often, the events are one chain without a gap
/// and nothing beside it. Their order is their subjects', not their own, so the two are compared by
/// sums: those of equal sets are equal, those of others practically never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    len: u32,
    /// Of all places, less those that events lead to.
    loose: u64,
}

impl Chain {
    pub fn add(&mut self, event: &CodeEvent) {
        self.len = self.len.saturating_add(1);
        let number = event.number.wrapping_sub(1);
        let earlier = event.before.map(|subject| EventLink { subject, number });
        let step = weight(event.link()).wrapping_sub(earlier.map_or(0, weight));
        self.loose = self.loose.wrapping_add(step);
    }

    /// Whether it is all of a chain that begins where `code_use` says, with the event that this keeps.
    pub fn hangs_on(mut self, code_use: &CodeUse) -> bool {
        code_use.kept_event().iter().for_each(|it| self.add(it));
        let newest = code_use.newest_event().map_or(0, weight);
        (self.len, self.loose) == (code_use.events, newest)
    }
}

/// What a place counts in a sum: a number that looks like chance.
const fn weight(place: EventLink) -> u64 {
    let EventLink { subject, number } = place;
    scatter(scatter(subject.0.cast_unsigned()).wrapping_add(number as u64))
}

/// The finaliser of SplitMix64.
const fn scatter(it: u64) -> u64 {
    let it = it.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    it ^ (it >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ids::TenantId, time::UnixMs, voucher::code_use::KeptEvent};

    const CODE: CodeNo = CodeNo {
        carton: Serial(1),
        index: 7,
    };

    /// A code that these subjects used one after the other.
    fn used_by(subjects: &[i64]) -> (CodeUse, Vec<CodeEvent>) {
        let mut code_use = CodeUse::untouched(TenantId(1), CODE);
        let keep = |it| code_use.keep(CodeAct::Used, UnixMs(it), Serial(it));
        let mut events: Vec<_> = subjects.iter().copied().filter_map(keep).collect();
        // As if something else than a payment had made the newest.
        events.extend(code_use.kept_event());
        code_use.kept = None;
        (code_use, events)
    }

    fn is_whole(code_use: &CodeUse, events: &[CodeEvent]) -> bool {
        let mut chain = Chain::default();
        events.iter().for_each(|it| chain.add(it));
        chain.hangs_on(code_use)
    }

    #[test]
    fn a_chain_is_whole_in_whatever_order_it_is_seen() {
        for subjects in [&[][..], &[5], &[5, 9], &[5, 9, 5, 5, 8, 7]] {
            let (code_use, mut events) = used_by(subjects);
            assert!(is_whole(&code_use, &events));
            events.sort_by_key(|it| (it.subject, it.number));
            assert!(is_whole(&code_use, &events));
            events.reverse();
            assert!(is_whole(&code_use, &events));
        }
    }

    #[test]
    fn the_end_of_a_chain_may_be_kept() {
        let (mut code_use, events) = used_by(&[5, 9, 5]);
        let (before, act, at) = (Some(Serial(9)), CodeAct::Used, UnixMs(5));
        code_use.kept = Some(KeptEvent { act, at, before });
        assert!(is_whole(&code_use, &events[..2]));
        assert!(!is_whole(&code_use, &events), "it is there twice");
        let before = Some(Serial(5));
        code_use.kept = Some(KeptEvent { act, at, before });
        assert!(!is_whole(&code_use, &events[..2]));
    }

    #[test]
    fn what_is_told_nowhere_is_kept_by_the_code() {
        let subject = Serial(5);
        let used = Acts::used(1);
        let mut both = used;
        both.add(Acts::given_back(1));
        assert_eq!(Acts::default().lack(used), Some(CodeAct::Used));
        assert_eq!(used.lack(both), Some(CodeAct::GivenBack));
        for (told, said) in [(used, used), (Acts::default(), both), (both, used)] {
            assert_eq!(told.lack(said), None);
        }
        let untouched = CodeUse::untouched(TenantId(1), CODE);
        let mut keeps = untouched.clone();
        assert_eq!(keeps.keep(CodeAct::Used, UnixMs(5), subject), None);
        let mut untold = Untold::default();
        assert!(untold.is_kept_by(&untouched) && !untold.is_kept_by(&keeps));
        untold.add(subject, CodeAct::Used);
        assert!(untold.is_kept_by(&keeps) && !untold.is_kept_by(&untouched));
        for other in [
            Untold::One(subject, CodeAct::GivenBack),
            Untold::One(Serial(6), CodeAct::Used),
        ] {
            assert!(!other.is_kept_by(&keeps));
        }
        untold.add(subject, CodeAct::Used);
        assert!(!untold.is_kept_by(&keeps));
    }

    #[test]
    fn whatever_is_wrong_with_a_chain_is_noticed() {
        let (code_use, events) = used_by(&[5, 9, 5, 5, 8, 7]);
        let doctors: [fn(&mut Vec<CodeEvent>); 7] = [
            |it| drop(it.remove(2)),
            |it| drop(it.pop()),
            |it| it[3].before = Some(Serial(9)),
            |it| it[3].before = None,
            |it| it[0].before = Some(Serial(5)),
            |it| it[2].subject = Serial(9),
            |it| it[4].number = 3,
        ];
        for doctor in doctors {
            let mut events = events.clone();
            doctor(&mut events);
            assert!(!is_whole(&code_use, &events), "{events:?}");
        }
        let doctors: [fn(&mut CodeUse); 3] = [
            |it| it.events -= 1,
            |it| it.last = Some(Serial(8)),
            |it| it.last = None,
        ];
        for doctor in doctors {
            let mut code_use = code_use.clone();
            doctor(&mut code_use);
            assert!(!is_whole(&code_use, &events), "{code_use:?}");
        }
    }
}
