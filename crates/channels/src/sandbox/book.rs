//! All payments and top-ups of the pretended channel, in shards with a short lock each.

use super::{
    account::Account,
    memory::{Living, Memory, Record},
    top_up::TopUp,
};
use domain::ids::Serial;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const SHARDS: usize = 64;
/// How many finished payments are kept over all shards; the oldest are forgotten first.
const FINISHED_MAX: usize = 200_000;
/// How many payments may be open at the same time over all shards.
const OPEN_MAX: usize = 200_000;
/// How many top-ups are kept.
const TOP_UPS_MAX: usize = 10_000;

/// The books of the pretended channel.
pub(super) struct Book {
    shards: [Mutex<Shard>; SHARDS],
    top_ups: Mutex<BTreeMap<Serial, TopUp>>,
    memory: Arc<dyn Memory>,
    per_shard: Limits,
}

/// The most that one shard holds.
#[derive(Clone, Copy)]
struct Limits {
    finished: usize,
    open: usize,
}

#[derive(Default)]
struct Shard {
    accounts: HashMap<Serial, Account>,
    /// The finished ones, oldest first.
    finished: VecDeque<Serial>,
}

impl Book {
    /// The books as `memory` recalls them.
    pub(super) fn open(memory: Arc<dyn Memory>) -> io::Result<Arc<Self>> {
        let per_shard = Limits {
            finished: FINISHED_MAX / SHARDS,
            open: OPEN_MAX / SHARDS,
        };
        let book = Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            top_ups: Mutex::default(),
            memory: Arc::clone(&memory),
            per_shard,
        });
        memory.recall(&mut |record| book.restore(record))?;
        let living: Arc<dyn Living> = Arc::clone(&book) as Arc<dyn Living>;
        memory.begin(Arc::downgrade(&living))?;
        Ok(book)
    }

    fn restore(&self, record: Record) {
        match record {
            Record::Payment(serial, account) => {
                let mut shard = self.shard(serial);
                shard.put(serial, account, self.per_shard);
            }
            Record::TopUp(serial, top_up) => put_top_up(&mut self.top_ups(), serial, top_up),
        }
    }

    /// Reads and changes one payment. A change is remembered before anybody else can see it, so
    /// the memory has each payment's changes in their order.
    pub(super) fn edit<T>(
        &self,
        serial: Serial,
        change: impl FnOnce(&mut Option<Account>) -> T,
    ) -> T {
        let mut shard = self.shard(serial);
        let before = shard.accounts.get(&serial).cloned();
        let mut after = before.clone();
        let reply = change(&mut after);
        if after != before
            && let Some(account) = after
        {
            self.memory
                .remember(Record::Payment(serial, account.clone()));
            shard.put(serial, account, self.per_shard);
        }
        reply
    }

    /// Whether there is no room for another open payment next to `serial`.
    pub(super) fn is_full(&self, serial: Serial) -> bool {
        let shard = self.shard(serial);
        let open = shard.accounts.len().saturating_sub(shard.finished.len());
        open >= self.per_shard.open
    }

    /// The top-up `serial`; made by `order` when it is new.
    pub(super) fn top_up(&self, serial: Serial, order: impl FnOnce() -> TopUp) -> TopUp {
        let mut top_ups = self.top_ups();
        if let Some(known) = top_ups.get(&serial) {
            return *known;
        }
        let top_up = order();
        self.memory.remember(Record::TopUp(serial, top_up));
        put_top_up(&mut top_ups, serial, top_up);
        top_up
    }

    /// The top-up `serial`, if it is known.
    pub(super) fn known_top_up(&self, serial: Serial) -> Option<TopUp> {
        self.top_ups().get(&serial).copied()
    }

    fn shard(&self, serial: Serial) -> MutexGuard<'_, Shard> {
        // Serials of one node end in 00 to 99 and start with the millisecond: mix both.
        let mixed = (serial.0 ^ (serial.0 >> 16)).wrapping_mul(0x9E37_79B9) >> 8;
        let at = usize::try_from(mixed & 0x3F).unwrap_or(0);
        let [first, ..] = &self.shards;
        lock(self.shards.get(at).unwrap_or(first))
    }

    fn top_ups(&self) -> MutexGuard<'_, BTreeMap<Serial, TopUp>> {
        lock(&self.top_ups)
    }
}

/// A poisoned lock only means that another call panicked; each change is made in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put_top_up(top_ups: &mut BTreeMap<Serial, TopUp>, serial: Serial, top_up: TopUp) {
    top_ups.insert(serial, top_up);
    while top_ups.len() > TOP_UPS_MAX {
        top_ups.pop_first();
    }
}

impl Shard {
    fn put(&mut self, serial: Serial, account: Account, limits: Limits) {
        let finished = account.is_finished();
        let before = self.accounts.insert(serial, account);
        if finished && !before.is_some_and(|before| before.is_finished()) {
            self.finished.push_back(serial);
            self.forget_oldest(limits.finished);
        }
    }

    fn forget_oldest(&mut self, finished_max: usize) {
        while self.finished.len() > finished_max {
            if let Some(oldest) = self.finished.pop_front() {
                self.accounts.remove(&oldest);
            }
        }
    }

    /// The finished payments, oldest first, then the open ones.
    fn records(&self) -> Vec<Record> {
        let finished = self.finished.iter();
        let finished = finished.filter_map(|serial| Some((serial, self.accounts.get(serial)?)));
        let open = self.accounts.iter().filter(|(_, a)| !a.is_finished());
        finished
            .chain(open)
            .map(|(serial, account)| Record::Payment(*serial, account.clone()))
            .collect()
    }
}

impl Living for Book {
    fn each(&self, visit: &mut dyn FnMut(&Record)) {
        for shard in &self.shards {
            // Collected first: a slow visitor must not hold the lock.
            let records = lock(shard).records();
            records.iter().for_each(&mut *visit);
        }
        let top_ups = self.top_ups().clone();
        for (serial, top_up) in top_ups {
            visit(&Record::TopUp(serial, top_up));
        }
    }
}
