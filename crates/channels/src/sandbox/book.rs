//! All payments and top-ups of the pretended channel, in shards with a short lock each.

use super::{
    account::Account,
    memory::{Living, Memory, Record},
    top_up::TopUp,
};
use domain::ids::Serial;
use std::{
    collections::{BTreeMap, VecDeque},
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
    pages: Arc<Pages>,
    memory: Arc<dyn Memory>,
}

/// What is written in the books; the memory reads them from its own thread.
struct Pages {
    shards: [Mutex<Shard>; SHARDS],
    top_ups: Mutex<BTreeMap<Serial, TopUp>>,
    per_shard: Limits,
}

/// The most that one shard holds.
#[derive(Clone, Copy)]
struct Limits {
    finished: usize,
    open: usize,
}

/// Invariant: `finished` names each finished account once, and no others.
#[derive(Default)]
struct Shard {
    /// By serial, and so by age: new ones lie beside each other.
    accounts: BTreeMap<Serial, Account>,
    /// The finished ones, oldest first.
    finished: VecDeque<Serial>,
}

impl Book {
    /// The books as `memory` recalls them.
    pub(super) fn open(memory: Arc<dyn Memory>) -> io::Result<Self> {
        let pages = Arc::new(Pages {
            shards: std::array::from_fn(|_| Mutex::default()),
            top_ups: Mutex::default(),
            per_shard: Limits {
                finished: FINISHED_MAX / SHARDS,
                open: OPEN_MAX / SHARDS,
            },
        });
        memory.recall(&mut |record| pages.restore(record))?;
        memory.begin(Arc::clone(&pages) as Arc<dyn Living>)?;
        Ok(Self { pages, memory })
    }

    /// Reads and changes one payment. A change is remembered before anybody else can see it, so
    /// the memory has each payment's changes in their order.
    pub(super) fn edit<T>(
        &self,
        serial: Serial,
        change: impl FnOnce(&mut Option<Account>) -> T,
    ) -> T {
        let mut shard = self.pages.shard(serial);
        let before = shard.accounts.get(&serial).cloned();
        let mut after = before.clone();
        let reply = change(&mut after);
        if after != before
            && let Some(account) = after
        {
            self.memory
                .remember(Record::Payment(serial, account.clone()));
            shard.put(serial, account, self.pages.per_shard);
        }
        reply
    }

    /// Whether there is no room for another open payment next to `serial`.
    pub(super) fn is_full(&self, serial: Serial) -> bool {
        let shard = self.pages.shard(serial);
        let open = shard.accounts.len().saturating_sub(shard.finished.len());
        open >= self.pages.per_shard.open
    }

    /// The top-up `serial`; made by `order` when it is new.
    pub(super) fn top_up(&self, serial: Serial, order: impl FnOnce() -> TopUp) -> TopUp {
        let mut top_ups = self.pages.top_ups();
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
        self.pages.top_ups().get(&serial).copied()
    }
}

impl Pages {
    fn restore(&self, record: Record) {
        match record {
            Record::Payment(serial, account) => {
                let mut shard = self.shard(serial);
                shard.put(serial, account, self.per_shard);
            }
            Record::TopUp(serial, top_up) => put_top_up(&mut self.top_ups(), serial, top_up),
        }
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
        let was_finished = self.accounts.get(&serial).is_some_and(Account::is_finished);
        match (was_finished, account.is_finished()) {
            // Nothing finished opens again: a journal that was just compacted repeats the past.
            (true, false) => return,
            (false, true) => self.finished.push_back(serial),
            (true, true) | (false, false) => {}
        }
        self.accounts.insert(serial, account);
        self.forget_oldest(limits.finished);
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

impl Living for Pages {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{account::State, memory::InMemory};
    use domain::{channel::ChannelNo, money::Fen, time::UnixMs};

    const T: UnixMs = UnixMs(1_795_276_800_000);

    fn open() -> Book {
        Book::open(Arc::new(InMemory::default())).unwrap()
    }

    fn put(book: &Book, serial: i64, state: State) {
        let account = Account::new(ChannelNo(2), Fen::new(1), state);
        book.edit(Serial(serial), |slot| *slot = Some(account));
    }

    fn count(book: &Book) -> usize {
        let mut count = 0;
        book.pages.each(&mut |_| count += 1);
        count
    }

    #[test]
    fn serials_of_any_shape_spread_over_the_shards() {
        for step in [1, 100, 10_000, 1_000_000] {
            let book = open();
            (0..64_000).for_each(|n| put(&book, T.0 * 10_000 + n * step, State::Silent));
            let sizes = book.pages.shards.iter();
            let largest = sizes.map(|shard| lock(shard).accounts.len()).max().unwrap();
            assert!(
                largest < 2_000,
                "{largest} of 64000 in one shard, step {step}"
            );
        }
    }

    #[test]
    fn the_oldest_finished_payments_are_forgotten_first() {
        let book = open();
        let last = 400_000;
        put(&book, 0, State::Silent);
        (1..=last).for_each(|n| put(&book, n, State::Paid(T)));
        assert!(count(&book) <= FINISHED_MAX + 1);
        let known = |n| book.edit(Serial(n), |slot| slot.is_some());
        assert!(known(0), "an open payment is never forgotten");
        assert!(!known(1));
        assert!(known(last));
    }

    #[test]
    fn a_repeated_past_does_not_reopen_what_is_finished() {
        let book = open();
        put(&book, 1, State::Paid(T));
        put(&book, 1, State::Silent);
        put(&book, 1, State::Paid(T));
        assert_eq!(count(&book), 1);
        assert!(!book.is_full(Serial(1)));
    }
}
