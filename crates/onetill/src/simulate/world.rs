//! What all parts of a run share: the seed's chance, the clock, the log, and the first failure.

use super::{dice::Dice, mix::Mix};
use domain::time::UnixMs;
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::Clock;
use tokio::time::Instant;

/// When every run begins by the gateways' clocks: 2026-11-22 07:50:00 in Shanghai.
const START: UnixMs = UnixMs(1_795_305_000_000);

/// How often things happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent to a gateway.
    pub requests: u64,
    /// Requests that were sent again while the first was under way, or later.
    pub duplicates: u64,
    /// Requests that got no reply.
    pub unanswered: u64,
    /// Processes killed.
    pub kills: u64,
    /// Answers of stores and channels that were lost.
    pub lost_answers: u64,
    /// Batches that the store did not take.
    pub store_failures: u64,
    /// Charges that came after the channel had said that none would.
    pub late_successes: u64,
    /// Jumps of the clock.
    pub clock_jumps: u64,
    /// Notifications taken by their receivers.
    pub notified: u64,
    /// Sales that were asked too much at once for a model to follow.
    pub unfollowed: u64,
    /// Messages of terminals that were carried out.
    pub messages: u64,
    /// Messages of terminals that were reversed.
    pub reversals: u64,
    /// Batches of terminals that were settled.
    pub settlements: u64,
    /// Changes of vouchers that were carried out.
    pub changes: u64,
    /// Uses of vouchers that paid.
    pub uses: u64,
    /// Time that passed in the run, in milliseconds.
    pub virtual_ms: u64,
}

/// What went wrong first.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The sale concerned, as the log tags it, if it is one sale's.
    pub sale: Option<String>,
    /// How many events had happened.
    pub step: usize,
    /// What was expected and what came.
    pub text: String,
}

/// A run's world.
pub struct World {
    /// What the seed makes likely.
    pub mix: Mix,
    started: Instant,
    offset_ms: AtomicI64,
    quiet: AtomicBool,
    busy: AtomicUsize,
    inner: Mutex<Inner>,
}

struct Inner {
    dice: Dice,
    /// What the gateways' clock showed before and after each jump.
    jumps: Vec<(UnixMs, UnixMs)>,
    digest: Sha256,
    lines: Vec<String>,
    counts: Counts,
    failure: Option<Failure>,
}

/// A point in a run, from which on the gateways' clock is of interest.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    at: UnixMs,
    jumps: usize,
}

/// Something of the world's own that is still to happen.
pub struct Busy(Arc<World>);

impl World {
    /// The world of `seed`, from here on.
    #[must_use]
    pub fn new(seed: u64) -> Arc<Self> {
        let mut dice = Dice::new(seed);
        let mix = Mix::draw(&mut dice);
        let world = Self {
            started: Instant::now(),
            offset_ms: AtomicI64::new(0),
            quiet: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                dice,
                jumps: Vec::new(),
                digest: Sha256::new(),
                lines: Vec::new(),
                counts: Counts::default(),
                failure: None,
            }),
            mix,
        };
        world.log("world", &format!("{:?}", world.mix));
        Arc::new(world)
    }

    /// Whether this happens, now that it may, so many times in a thousand. Nothing bad happens
    /// once faults have stopped.
    pub fn strikes(&self, per_mille: u64) -> bool {
        per_mille > 0 && !self.is_quiet() && self.inner().dice.per_mille(per_mille)
    }

    /// A choice that is no fault.
    pub fn chooses(&self, per_mille: u64) -> bool {
        self.inner().dice.per_mille(per_mille)
    }

    /// A number of `range`.
    pub fn within(&self, range: Range<u64>) -> u64 {
        self.inner().dice.within(range)
    }

    /// Lets a time of `range`, in milliseconds, pass.
    pub async fn pass_ms(&self, range: Range<u64>) {
        let ms = self.within(range);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    /// The gateways' present: the time that passed, and the jumps of their clock.
    pub fn now(&self) -> UnixMs {
        let passed = i64::try_from(self.passed_ms()).unwrap_or(i64::MAX);
        START.plus_ms(passed.saturating_add(self.offset_ms.load(Ordering::Relaxed)))
    }

    /// The gateways' clock.
    #[must_use]
    pub fn clock(self: &Arc<Self>) -> Clock {
        let world = Arc::clone(self);
        Arc::new(move || world.now())
    }

    /// Sets the gateways' clock forward or back.
    pub fn jump(&self, ms: i64) {
        let before = self.now();
        self.offset_ms.fetch_add(ms, Ordering::Relaxed);
        self.inner().jumps.push((before, self.now()));
        self.log("clock", &format!("jumps by {ms} ms"));
    }

    /// This point of the run.
    pub fn mark(&self) -> Mark {
        Mark {
            at: self.now(),
            jumps: self.inner().jumps.len(),
        }
    }

    /// The earliest and the latest that the gateways' clock showed since `mark`.
    pub fn clock_since(&self, mark: Mark) -> (UnixMs, UnixMs) {
        let (mut low, mut high) = (mark.at, self.now());
        for (before, after) in self.inner().jumps.iter().skip(mark.jumps) {
            low = low.min(*after);
            high = high.max(*before);
        }
        (low.min(high), high)
    }

    /// The time that passed, in milliseconds.
    pub fn passed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Stops all faults.
    pub fn be_quiet(&self) {
        self.log("world", "faults stop");
        self.quiet.store(true, Ordering::Relaxed);
    }

    /// Whether faults have stopped.
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Says that something of the world's own is still to happen, until dropped.
    #[must_use]
    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Whether something of the world's own is still to happen.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// Adds an event to the log and to its digest.
    pub fn log(&self, who: &str, what: &str) {
        let ms = self.passed_ms();
        let line = format!("{:>6}.{:03} {who} {what}", ms / 1000, ms % 1000);
        let mut inner = self.inner();
        inner.digest.update(line.as_bytes());
        inner.digest.update(b"\n");
        inner.lines.push(line);
    }

    /// Counts something.
    pub fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.inner().counts);
    }

    /// Notes the failure, if it is the first.
    pub fn fail(&self, sale: Option<&str>, text: &str) {
        self.log(sale.unwrap_or("world"), &format!("FAILED: {text}"));
        let mut inner = self.inner();
        let step = inner.lines.len();
        inner.failure.get_or_insert_with(|| Failure {
            sale: sale.map(str::to_owned),
            step,
            text: text.to_owned(),
        });
    }

    /// Whether something went wrong.
    pub fn has_failed(&self) -> bool {
        self.inner().failure.is_some()
    }

    /// What the run came to: counts, the digest of the log in hex, the log, the first failure.
    pub fn take(&self) -> (Counts, String, Vec<String>, Option<Failure>) {
        let virtual_ms = self.passed_ms();
        let mut inner = self.inner();
        let digest = std::mem::take(&mut inner.digest).finalize();
        let mut hex = String::with_capacity(64);
        for byte in digest {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        let counts = Counts {
            virtual_ms,
            ..inner.counts
        };
        let lines = std::mem::take(&mut inner.lines);
        (counts, hex, lines, inner.failure.take())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic in between leaves a whole log.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
