//! All codes of a run, each with what may have become of it, and what is under way about them.

use super::code::{Code, Contradiction, Op, Phase, Stand, Term};
use crate::simulate::world::{Mark, World};
use domain::time::UnixMs;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use wire::voucher::CodeStatus;

/// A code, by its number in the run.
pub type CodeId = usize;

/// Something under way, by its number in the run.
pub type Flight = u32;

/// All codes of a run.
pub struct Book {
    world: Arc<World>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    codes: Vec<Followed>,
    flights: Flight,
}

struct Followed {
    code: Code,
    /// When its term is over.
    until: Option<UnixMs>,
    /// When it was looked at last.
    mark: Mark,
}

impl Followed {
    /// Adds all that may have happened since it was looked at last.
    fn catch_up(&mut self, world: &World) -> &mut Code {
        let term = self.term(world.clock_since(self.mark));
        self.mark = world.mark();
        self.code.spread(term);
        &mut self.code
    }

    fn term(&self, (low, high): (UnixMs, UnixMs)) -> Term {
        Term {
            held: self.until.is_none_or(|until| low < until),
            was_over: self.until.is_some_and(|until| high >= until),
        }
    }
}

impl Book {
    /// No codes yet.
    #[must_use]
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            inner: Mutex::default(),
        }
    }

    /// Adds so many codes in stock; the number of the first.
    pub fn add(&self, codes: usize, uses: u32, until: Option<UnixMs>) -> CodeId {
        let mark = self.world.mark();
        let mut inner = self.inner();
        let first = inner.codes.len();
        inner.codes.extend((0..codes).map(|_| Followed {
            code: Code::new(uses),
            until,
            mark,
        }));
        first
    }

    /// Something is about to be asked about `codes`.
    pub fn sent(&self, codes: &[CodeId], op: Op) -> Flight {
        let mut inner = self.inner();
        inner.flights += 1;
        let flight = inner.flights;
        drop(inner);
        self.tell(codes, |code| code.sent(flight, op));
        flight
    }

    /// A change was carried out.
    ///
    /// # Errors
    /// When nothing explains that, as with all of these.
    pub fn done(&self, codes: &[CodeId], flight: Flight) -> Result<(), Contradiction> {
        self.each(codes, |code| code.ended(flight, &[Phase::Done]))
    }

    /// A change was refused, because codes were in the way.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn refused(&self, codes: &[CodeId], flight: Flight) -> Result<(), Contradiction> {
        let mut is_blocked = false;
        self.tell(codes, |code| {
            is_blocked |= code.may_be(flight, Phase::Blocked);
        });
        if !is_blocked {
            return Err(Contradiction("no code was in the way".to_owned()));
        }
        let phases = [Phase::Blocked, Phase::Passed];
        self.each(codes, |code| code.ended(flight, &phases))
    }

    /// Nothing was done about a change, of which every other request that was sent said the same.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn not_yet(&self, codes: &[CodeId], flight: Flight) -> Result<(), Contradiction> {
        self.each(codes, |code| code.not_yet(flight))
    }

    /// A change that takes no effect any more, if it had none.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn over(&self, codes: &[CodeId], flight: Flight) -> Result<(), Contradiction> {
        let phases = [Phase::Sent, Phase::Done, Phase::Passed, Phase::Blocked];
        self.each(codes, |code| code.ended(flight, &phases))
    }

    /// A look showed a code so.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn saw(
        &self,
        code: CodeId,
        flight: Flight,
        (status, uses_left): (CodeStatus, u32),
    ) -> Result<(), Contradiction> {
        let phase = Phase::Saw(status, uses_left);
        self.each(&[code], |code| code.ended(flight, &[phase]))
    }

    /// Nobody waits any more; a payment may still take effect.
    pub fn left(&self, codes: &[CodeId], flight: Flight) {
        self.tell(codes, |code| code.left(flight));
    }

    /// `sale` is about to ask for its payment with a code.
    pub fn pays(&self, code: CodeId, sale: u64) -> Flight {
        self.tell(&[code], |code| code.named_by(sale));
        self.sent(&[code], Op::Pay(sale))
    }

    /// A sale's request for its payment is over, and came to one of `phases`.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn paid(
        &self,
        code: CodeId,
        flight: Flight,
        phases: &[Phase],
    ) -> Result<(), Contradiction> {
        self.each(&[code], |code| code.ended(flight, phases))
    }

    /// `sale` is about to be given back or cancelled.
    pub fn may_come_back(&self, code: CodeId, sale: u64) {
        self.tell(&[code], |code| code.may_come_back(sale));
    }

    /// `sale` stands so with its code.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn narrow(
        &self,
        code: CodeId,
        sale: u64,
        stands: &BTreeSet<Stand>,
    ) -> Result<(), Contradiction> {
        self.each(&[code], |code| code.narrow(sale, stands))
    }

    /// All has ended.
    ///
    /// # Errors
    /// As [`Book::done`].
    pub fn rest(&self) -> Result<(), Contradiction> {
        let mut inner = self.inner();
        inner.codes.iter_mut().try_for_each(|it| {
            it.catch_up(&self.world);
            let now = self.world.now();
            let term = it.term((now, now));
            it.code.rest(term)
        })
    }

    /// How each sale that named a code stands with it, once all has ended; `None` where that was not
    /// followed.
    #[must_use]
    pub fn stands(&self, code: CodeId) -> Option<BTreeMap<u64, Stand>> {
        let inner = self.inner();
        inner.codes.get(code).and_then(|it| it.code.stands())
    }

    /// How many codes were asked too much at once to be followed.
    #[must_use]
    pub fn lost(&self) -> usize {
        let inner = self.inner();
        inner.codes.iter().filter(|it| it.code.is_lost()).count()
    }

    fn tell(&self, codes: &[CodeId], mut tell: impl FnMut(&mut Code)) {
        let mut inner = self.inner();
        for id in codes {
            if let Some(it) = inner.codes.get_mut(*id) {
                tell(it.catch_up(&self.world));
            }
        }
    }

    fn each(
        &self,
        codes: &[CodeId],
        narrow: impl Fn(&mut Code) -> Result<(), Contradiction>,
    ) -> Result<(), Contradiction> {
        let mut all = Ok(());
        self.tell(codes, |code| {
            let narrowed = narrow(code);
            if all.is_ok() {
                all = narrowed;
            }
        });
        all
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic in between leaves whole states.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
