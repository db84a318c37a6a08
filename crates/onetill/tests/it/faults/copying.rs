//! A gateway is killed while its embedded store's log is copied into the file, at random moments
//! of it and with payments going on beside. Both what the kill leaves and what a power cut at that
//! moment would leave hold all that was acknowledged.
//!
//! `ONETILL_KILL_ROUNDS` sets how many kills in the middle, `ONETILL_SEED` repeats the choices of a
//! run.

use super::{
    bad_disk::{BadDisk, Call, LOG, STORE},
    dice::Dice,
    fleet::{Look, Rows},
    sale,
};
use crate::support::process::{Client, Merchant, Process, Recipe};
use domain::money::Fen;
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use store::gate::{Acknowledged, Answer, Fact, Moment};
use tokio::task::JoinSet;
use wire::opengateway::Operation;

/// How many kills in the middle of a copying.
const HITS: u32 = 10;
const SELLERS: u32 = 8;
const AMOUNT: i64 = 500;
/// Most copyings take longer than this: each page takes a millisecond.
const COPYING_MS: u64 = 100;
const POLL: Duration = Duration::from_millis(1);
/// Where the log's index has how many pages there are, how many of them were copied, and how many
/// are to be.
const PAGES: usize = 16;
const COPIED: usize = 96;
const TO_COPY: usize = 128;
/// How long payments may take to fill the log.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was asked for, and its answer.
type Sale = (String, Answer);

struct Run {
    disk: BadDisk,
    gateway: Process,
    sales: Vec<Sale>,
    dice: Dice,
    /// How many kills came before a copying that was under way had ended.
    hits: u32,
    /// How many payments were acknowledged while the log was being copied.
    beside: u32,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_the_log_is_copied_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let disk = BadDisk::new(dir.path());
    // Only the copying of the log writes to the file itself.
    disk.slow(Call::Write, STORE);
    let recipe = disk.under(Recipe::demo(dir.path(), "gateway"));
    let mut run = Run {
        disk,
        gateway: Process::start(recipe).await,
        sales: Vec::new(),
        dice: Dice::new(Dice::seed("kills while copying")),
        hits: 0,
        beside: 0,
    };
    let wanted = std::env::var("ONETILL_KILL_ROUNDS").ok();
    let wanted = wanted.and_then(|it| it.parse().ok()).unwrap_or(HITS);
    let mut rounds = 0;
    while run.hits < wanted {
        assert!(rounds < 3 * wanted, "{} of {rounds}", run.hits);
        run.load_and_kill(rounds).await;
        for name in ["killed", "cut"] {
            let left = dir.path().join(format!("{name}-{rounds}"));
            run.leave(name, &left);
            run.holds_everything(&left).await;
        }
        rounds += 1;
        run.gateway.restart().await;
    }
    println!(
        "{} of {rounds} kills in the middle of copying, {} payments beside, {} in all",
        run.hits,
        run.beside,
        run.sales.len()
    );
    assert!(run.beside > rounds, "{}", run.beside);
}

impl Run {
    /// Lets everybody sell, and kills the gateway some time after it began to copy.
    async fn load_and_kill(&mut self, round: u32) {
        let data = self.gateway.recipe.data.clone();
        let store = data.join(STORE);
        let before = written_at(&store);
        let done = Arc::new(AtomicU32::new(0));
        let mut selling = JoinSet::new();
        for seller in 0..SELLERS {
            let name = format!("C{round}-{seller}");
            let address = self.gateway.recipe.address;
            selling.spawn(sell(address, name, Arc::clone(&done)));
        }
        if round % 2 == 1 {
            self.log_begins_anew(&data).await;
        }
        let started = Instant::now();
        // An index that was made anew says nothing until the first copying.
        while written_at(&store) == before {
            assert!(started.elapsed() < PATIENCE, "{}", self.gateway.log_tail());
            tokio::time::sleep(POLL).await;
        }
        let done_before = self.some_of_it_is_copied(&data, &done).await;
        self.gateway.kill9();
        self.beside += done.load(Ordering::Relaxed) - done_before;
        self.hits += u32::from(is_copying(&data));
        for sales in selling.join_all().await {
            self.sales.extend(sales);
        }
    }

    /// Waits for a random moment of a copying; says how much was sold when it began.
    async fn some_of_it_is_copied(&mut self, data: &Path, done: &AtomicU32) -> u32 {
        let started = Instant::now();
        loop {
            while !is_copying(data) {
                assert!(started.elapsed() < PATIENCE, "{}", self.gateway.log_tail());
                tokio::time::sleep(POLL).await;
            }
            let done_before = done.load(Ordering::Relaxed);
            let moment = Duration::from_millis(self.dice.below(COPYING_MS));
            let begun = Instant::now();
            while is_copying(data) {
                if begun.elapsed() >= moment {
                    return done_before;
                }
                tokio::time::sleep(POLL).await;
            }
        }
    }

    /// All of the log is copied, so that what comes next is written over it: from then on the file
    /// alone holds what was copied.
    async fn log_begins_anew(&self, data: &Path) {
        self.disk.work_again();
        let (started, mut pages) = (Instant::now(), 0);
        while index(data, PAGES) >= pages {
            assert!(started.elapsed() < PATIENCE, "{}", self.gateway.log_tail());
            pages = index(data, PAGES);
            tokio::time::sleep(POLL).await;
        }
        self.disk.slow(Call::Write, STORE);
    }

    /// Lays down in `to` what the killed gateway left: in memory, or on the platter alone.
    fn leave(&self, name: &str, to: &Path) {
        fs::create_dir(to).unwrap();
        if name == "cut" {
            return self.disk.cut_power(to);
        }
        for file in [STORE, LOG] {
            fs::copy(self.gateway.recipe.data.join(file), to.join(file)).unwrap();
        }
    }

    /// All that was acknowledged is in the store in `dir`, the books are right, and so is each page.
    async fn holds_everything(&self, dir: &Path) {
        let path = dir.join(STORE);
        let look = Look::open(&Rows::Sqlite(path.clone())).await;
        let mut told = Acknowledged::new();
        for (number, answer) in &self.sales {
            let fact = Fact::Pay {
                amount: Fen::new(AMOUNT),
                answer: *answer,
                serial: None,
            };
            told.note(look.owner(), number, fact);
        }
        look.gate(&told, Moment::Running).await;
        drop(look);
        assert_eq!(store::testing::integrity(&path).as_deref(), Ok("ok"));
    }
}

/// Sells one thing after the other until there is no answer.
async fn sell(address: SocketAddr, name: String, done: Arc<AtomicU32>) -> Vec<Sale> {
    let mut client = Client::new(address);
    let mut sales = Vec::new();
    loop {
        let number = format!("{name}-{}", sales.len());
        let body = sale::pre_order(&number, AMOUNT, "284214903060794755");
        let call = Merchant::demo().post(Operation::PreOrder, &body);
        let Ok(reply) = client.call(&call).await else {
            sales.push((number, Answer::Nothing));
            return sales;
        };
        assert_eq!(reply.code(), "SUCCESS", "{}", reply.text());
        sales.push((number, Answer::Done));
        done.fetch_add(1, Ordering::Relaxed);
    }
}

fn written_at(store: &Path) -> SystemTime {
    fs::metadata(store).unwrap().modified().unwrap()
}

/// Whether the store in `data` is in the middle of a copying, or was left there.
fn is_copying(data: &Path) -> bool {
    index(data, COPIED) < index(data, TO_COPY)
}

/// What the log's index in `data` has at this place.
fn index(data: &Path, at: usize) -> u32 {
    let index = fs::read(data.join(format!("{STORE}-shm"))).unwrap();
    u32::from_ne_bytes(index[at..at + 4].try_into().unwrap())
}
