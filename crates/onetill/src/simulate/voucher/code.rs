//! What may have become of one code, as those can tell who change it, look at it and pay with it: a
//! small set of states.
//!
//! A request takes effect at some time between its sending and its reply, a sale that holds the
//! code goes on by itself, and a term ends by the clock. The model keeps every state that some
//! order of all this leads to, and each reply narrows the set. What takes effect on several codes
//! at once is narrowed code by code.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use wire::voucher::CodeStatus;

/// How far a sale has come with the use of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// It is not recorded, as far as that goes.
    Asked,
    /// The use is held.
    Held,
    /// The use is gone.
    Used,
    /// The use was gone, and came back.
    Back,
    /// The sale is over without it.
    Free,
}

/// What is done to codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// In stock, to be active.
    Activate,
    /// To be void.
    Void,
    /// To be frozen.
    Freeze,
    /// To be frozen no longer.
    Unfreeze,
}

/// Something under way that concerns a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A change of it, which is decided once.
    Change(Act),
    /// A look at it.
    Look,
    /// A sale's request to pay with it.
    Pay(u64),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing yet.
    Sent,
    /// The code was changed.
    Done,
    /// The code was in the way.
    Blocked,
    /// The code was not in the way, perhaps another was.
    Passed,
    /// The code was seen so, with so many uses left.
    Saw(CodeStatus, u32),
    /// The code could not pay, and the sale was not recorded.
    Useless,
    /// The sale is recorded.
    Landed,
}

/// What the gateways' clock said of a term while something was under way.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// It was not over at some time.
    pub held: bool,
    /// It was over at some time.
    pub was_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    InStock,
    Active,
    Void,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    stage: Stage,
    frozen: bool,
    /// What was left is written off.
    expired: bool,
    sales: Few<u64, Stand>,
    flights: Few<u32, Phase>,
}

/// A map of few entries, by ascending key: there are many of them, and each is copied often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Few<K, V>(Vec<(K, V)>);

impl<K: Copy + Ord, V: Copy> Few<K, V> {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn place(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by_key(&key, |it| it.0)
    }

    fn get(&self, key: K) -> Option<V> {
        let (_, value) = self.0.get(self.place(key).ok()?)?;
        Some(*value)
    }

    fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    fn remove(&mut self, key: K) {
        self.0.retain(|it| it.0 != key);
    }

    fn values(&self) -> impl Iterator<Item = V> {
        self.0.iter().map(|it| it.1)
    }
}

/// More states than this, and so much is done at once that the code is not followed any more.
const STATES_MAX: usize = 3_000;

/// All that may have become of a code.
#[derive(Debug)]
pub struct Code {
    uses: u32,
    states: BTreeSet<State>,
    ops: BTreeMap<u32, Op>,
    /// Requests whose replies nobody waits for any more, and that may still take effect.
    unanswered: BTreeSet<u32>,
    /// Sales of which something was asked back.
    returning: BTreeSet<u64>,
    is_lost: bool,
}

/// A set that holds no state that explains what was told.
#[derive(Debug, PartialEq, Eq)]
pub struct Contradiction(pub String);

impl Code {
    /// A code in stock, good for so many uses.
    #[must_use]
    pub fn new(uses: u32) -> Self {
        let state = State {
            stage: Stage::InStock,
            frozen: false,
            expired: false,
            sales: Few::new(),
            flights: Few::new(),
        };
        Self {
            uses,
            states: BTreeSet::from([state]),
            ops: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            returning: BTreeSet::new(),
            is_lost: false,
        }
    }

    /// A sale is about to name it.
    pub fn named_by(&mut self, sale: u64) {
        self.alter(|state| {
            if state.sales.get(sale).is_none() {
                state.sales.insert(sale, Stand::Asked);
            }
        });
    }

    /// A sale that names it is about to be given back or cancelled.
    pub fn may_come_back(&mut self, sale: u64) {
        self.returning.insert(sale);
    }

    /// Something is about to be asked.
    pub fn sent(&mut self, id: u32, op: Op) {
        self.ops.insert(id, op);
        self.alter(|state| {
            state.flights.insert(id, Phase::Sent);
        });
    }

    /// Something is over, whatever came of it.
    pub fn over(&mut self, id: u32) {
        self.ops.remove(&id);
        self.alter(|state| {
            state.flights.remove(id);
        });
    }

    /// Nobody waits for the reply any more. A payment may still take effect.
    pub fn left(&mut self, id: u32) {
        let Some(Op::Pay(sale)) = self.ops.get(&id).copied() else {
            return self.over(id);
        };
        self.unanswered.insert(id);
        self.alter(|state| {
            let is_idle = state.sales.get(sale) != Some(Stand::Asked);
            if is_idle || state.flights.get(id) != Some(Phase::Sent) {
                state.flights.remove(id);
            }
        });
    }

    /// Adds every state that may have come of those there are, while the clock said so.
    pub fn spread(&mut self, term: Term) {
        let mut frontier: Vec<State> = self.states.iter().cloned().collect();
        while let Some(state) = frontier.pop() {
            if self.states.len() > STATES_MAX {
                self.is_lost = true;
                self.states.clear();
                return;
            }
            for next in self.successors(&state, term) {
                if self.states.insert(next.clone()) {
                    frontier.push(next);
                }
            }
        }
    }

    /// Whether `id` may have come to `phase`.
    #[must_use]
    pub fn may_be(&self, id: u32, phase: Phase) -> bool {
        let is = |it: &State| it.flights.get(id) == Some(phase);
        self.is_lost || self.states.iter().any(is)
    }

    /// Keeps the states in which `id` came to one of `phases`, which ends it.
    ///
    /// # Errors
    /// When there is none.
    pub fn ended(&mut self, id: u32, phases: &[Phase]) -> Result<(), Contradiction> {
        self.keep(|state| state.flights.get(id).is_some_and(|it| phases.contains(&it)))?;
        self.over(id);
        Ok(())
    }

    /// Keeps the states in which `id` has not come to anything yet.
    ///
    /// # Errors
    /// When there is none.
    pub fn not_yet(&mut self, id: u32) -> Result<(), Contradiction> {
        self.keep(|state| state.flights.get(id) == Some(Phase::Sent))
    }

    /// Keeps the states in which `sale` stands so.
    ///
    /// # Errors
    /// When there is none.
    pub fn narrow(&mut self, sale: u64, stands: &BTreeSet<Stand>) -> Result<(), Contradiction> {
        self.keep(|state| state.sales.get(sale).is_none_or(|it| stands.contains(&it)))
    }

    /// All has ended: what nobody knows the end of takes no effect any more, and what is left of a
    /// term that is over is written off.
    ///
    /// # Errors
    /// When no state is at rest.
    pub fn rest(&mut self, term: Term) -> Result<(), Contradiction> {
        self.ops.clear();
        self.unanswered.clear();
        self.alter(|state| {
            state.flights = Few::new();
        });
        self.keep(|state| {
            let holds = state.sales.values().any(|it| it == Stand::Held);
            let is_due = state.stage == Stage::Active && !term.held && !state.expired;
            !holds && !is_due
        })
    }

    /// How each sale stands with it, where that is certain.
    #[must_use]
    pub fn stands(&self) -> Option<BTreeMap<u64, Stand>> {
        let mut all = self.states.iter().map(|it| &it.sales);
        let first = all.next()?;
        let is_certain = all.all(|it| it == first);
        is_certain.then(|| first.0.iter().copied().collect())
    }

    /// Whether so much was done at once that it could not be followed to the end.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    fn keep(&mut self, explains: impl Fn(&State) -> bool) -> Result<(), Contradiction> {
        if self.is_lost {
            return Ok(());
        }
        let before = std::mem::take(&mut self.states);
        self.states = before.iter().filter(|it| explains(it)).cloned().collect();
        if self.states.is_empty() {
            let shown: Vec<String> = before.iter().take(4).map(|it| format!("{it:?}")).collect();
            return Err(Contradiction(shown.join("; ")));
        }
        Ok(())
    }

    fn alter(&mut self, change: impl Fn(&mut State)) {
        let states = std::mem::take(&mut self.states).into_iter();
        let altered = states.map(|mut state| {
            change(&mut state);
            state
        });
        self.states = altered.collect();
    }

    fn successors(&self, state: &State, term: Term) -> Vec<State> {
        let mut next = Vec::new();
        let is_due = state.stage == Stage::Active && !state.expired && term.was_over;
        if is_due {
            next.push(State {
                expired: true,
                ..state.clone()
            });
        }
        for (sale, stand) in &state.sales.0 {
            let after = self.after(*sale, *stand).iter();
            next.extend(after.map(|it| state.with_sale(*sale, *it)));
        }
        for (id, phase) in &state.flights.0 {
            if let (Phase::Sent, Some(op)) = (phase, self.ops.get(id)) {
                let begun = self.begin(state, *op, term).into_iter();
                next.extend(begun.map(|(after, phase)| self.landed(after, *id, phase)));
            }
        }
        next
    }

    /// The state with request `id` in `phase`; where nobody waits for it, it is over.
    fn landed(&self, mut state: State, id: u32, phase: Phase) -> State {
        if self.unanswered.contains(&id) {
            state.flights.remove(id);
        } else {
            state.flights.insert(id, phase);
        }
        state
    }

    /// How a sale that stands so may go on by itself.
    fn after(&self, sale: u64, stand: Stand) -> &'static [Stand] {
        match stand {
            Stand::Held => &[Stand::Used, Stand::Free],
            Stand::Used if self.returning.contains(&sale) => &[Stand::Back],
            Stand::Asked | Stand::Used | Stand::Back | Stand::Free => &[],
        }
    }

    /// What may come of a request now.
    fn begin(&self, state: &State, op: Op, term: Term) -> Vec<(State, Phase)> {
        let stays = |phase| (state.clone(), phase);
        match op {
            Op::Change(act) => state.change(act, term),
            Op::Look => {
                let seen = state.seen(self.uses, term).into_iter();
                seen.map(|(status, left)| stays(Phase::Saw(status, left)))
                    .collect()
            }
            Op::Pay(sale) if state.sales.get(sale) == Some(Stand::Asked) => {
                let begun = |stand| (state.with_sale(sale, stand), Phase::Landed);
                let pays = state.pays(self.uses, term).into_iter();
                pays.flat_map(|it| {
                    if it {
                        vec![begun(Stand::Held)]
                    } else {
                        // Whether it is recorded depends on when that was found out.
                        vec![stays(Phase::Useless), begun(Stand::Free)]
                    }
                })
                .collect()
            }
            // Its number was used before.
            Op::Pay(_) => vec![stays(Phase::Landed)],
        }
    }
}

impl State {
    fn with_sale(&self, sale: u64, stand: Stand) -> Self {
        let mut next = self.clone();
        next.sales.insert(sale, stand);
        next
    }

    fn count(&self, stand: Stand) -> u32 {
        let count = self.sales.values().filter(|it| *it == stand).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Whether its term was over, as far as the clock and the books can say.
    fn overs(&self, term: Term) -> Vec<bool> {
        let by_clock = [(false, term.held), (true, term.was_over)];
        let may = by_clock.into_iter().filter(|(_, may)| *may);
        may.map(|(over, _)| over || self.expired).collect()
    }

    /// Every way it may be seen.
    fn seen(&self, uses: u32, term: Term) -> Vec<(CodeStatus, u32)> {
        let left = uses.saturating_sub(self.count(Stand::Used));
        let free = left.saturating_sub(self.count(Stand::Held));
        let seen = self.overs(term).into_iter().map(|over| {
            let is_over = self.stage == Stage::Void || self.stage == Stage::Active && over;
            let status = match self.stage {
                Stage::Void => CodeStatus::Void,
                Stage::InStock | Stage::Active if self.frozen => CodeStatus::Frozen,
                Stage::InStock => CodeStatus::InStock,
                Stage::Active if left == 0 => CodeStatus::UsedUp,
                Stage::Active if over => CodeStatus::Expired,
                Stage::Active if free == 0 => CodeStatus::Reserved,
                Stage::Active => CodeStatus::Active,
            };
            (status, if is_over { 0 } else { free })
        });
        seen.collect()
    }

    /// Whether it may pay.
    fn pays(&self, uses: u32, term: Term) -> Vec<bool> {
        let seen = self.seen(uses, term).into_iter();
        seen.map(|(status, _)| status == CodeStatus::Active)
            .collect()
    }

    /// A change meets it.
    fn change(&self, act: Act, term: Term) -> Vec<(Self, Phase)> {
        let mut next = Vec::new();
        for over in self.overs(term) {
            if self.is_in_the_way(act, over) {
                next.push((self.clone(), Phase::Blocked));
            } else {
                next.push((self.changed(act), Phase::Done));
                next.push((self.clone(), Phase::Passed));
            }
        }
        next
    }

    fn is_in_the_way(&self, act: Act, over: bool) -> bool {
        let is_busy = || self.count(Stand::Held) + self.count(Stand::Used) > 0;
        match (act, self.stage) {
            (Act::Freeze | Act::Unfreeze, _) => false,
            (Act::Activate | Act::Void, Stage::Void) => true,
            (Act::Activate | Act::Void, _) if self.frozen => true,
            (Act::Activate, stage) => stage == Stage::Active,
            (Act::Void, stage) => stage == Stage::Active && over || is_busy(),
        }
    }

    fn changed(&self, act: Act) -> Self {
        let next = self.clone();
        match act {
            Act::Activate => Self {
                stage: Stage::Active,
                ..next
            },
            Act::Void => Self {
                stage: Stage::Void,
                ..next
            },
            Act::Freeze => Self {
                frozen: true,
                ..next
            },
            Act::Unfreeze => Self {
                frozen: false,
                ..next
            },
        }
    }
}
