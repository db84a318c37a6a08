//! A disk under an embedded store that fails in one way, then works again, then loses its power.
//!
//! Whatever was acknowledged must be found on what the platter holds in the end: see `bad_disk`.

use super::{
    bad_disk::{BadDisk, Call, EIO, EROFS, LOG, STORE},
    fleet::{Look, Rows},
    sale,
};
use crate::support::process::{Client, HttpReply, Merchant, Process, Recipe, onetill};
use std::time::{Duration, Instant};
use store::{Reader, sqlite::SqliteStore};
use wire::opengateway::Operation;

/// A busy machine may be slow; nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway on a bad disk, and what its merchant was told.
struct Bench {
    _dir: tempfile::TempDir,
    disk: BadDisk,
    recipe: Recipe,
    gateway: Process,
    client: Client,
    /// The numbers that were answered SUCCESS.
    acknowledged: Vec<String>,
    /// The numbers whose last answer was that nothing was recorded.
    refused: Vec<String>,
    /// The numbers whose outcome was said to be unknown.
    unknown: Vec<String>,
    count: u32,
}

impl Bench {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk = BadDisk::new(dir.path());
        let recipe = Recipe::demo(dir.path(), "gateway").with(&["--window-s", "8"]);
        let gateway = Process::start(disk.under(recipe.clone())).await;
        let client = gateway.client();
        let mut bench = Self {
            _dir: dir,
            disk,
            recipe,
            gateway,
            client,
            acknowledged: Vec::new(),
            refused: Vec::new(),
            unknown: Vec::new(),
            count: 0,
        };
        assert_eq!(bench.sell().await, "SUCCESS");
        bench
    }

    /// Sells something new; the answer's code.
    async fn sell(&mut self) -> String {
        self.count += 1;
        let number = format!("F-{}", self.count);
        self.ask_to_pay(number).await
    }

    async fn ask_to_pay(&mut self, number: String) -> String {
        let body = sale::pre_order(&number, 500, "284214903060794755");
        let call = Merchant::demo().post(Operation::PreOrder, &body);
        let reply = self.client.call(&call).await.unwrap();
        let told = match reply.code().as_str() {
            "SUCCESS" => &mut self.acknowledged,
            "DATABASE_ERROR" => &mut self.refused,
            "EXCEPTION" => &mut self.unknown,
            code => panic!("{code} is no answer of a broken store: {}", reply.text()),
        };
        told.push(number);
        reply.code()
    }

    /// What a query for `number` says: the code, and STATE.
    async fn query(&mut self, number: &str) -> (String, String) {
        let call = Merchant::demo().query(number);
        let reply: HttpReply = self.client.call(&call).await.unwrap();
        (reply.code(), reply.field("STATE"))
    }

    async fn becomes(&self, status: u16) {
        let started = Instant::now();
        while self.gateway.health("ready").await != Some(status) {
            let log = || self.gateway.log_tail();
            assert!(started.elapsed() < PATIENCE, "never {status}:\n{}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The fault ends, and the gateway finds that out by itself.
    async fn recovers(&mut self) {
        self.disk.work_again();
        self.becomes(200).await;
        // What was refused was not recorded, so it can be asked for again.
        for number in std::mem::take(&mut self.refused) {
            let (code, _) = self.query(&number).await;
            assert_eq!(code, "CHARGE_NONEXISTENT", "{number} was refused");
            assert_eq!(self.ask_to_pay(number).await, "SUCCESS");
        }
        for number in std::mem::take(&mut self.unknown) {
            self.becomes_known(number).await;
        }
        assert_eq!(self.sell().await, "SUCCESS");
    }

    /// What was unknown is known once the store works: it is not there, or it ends.
    async fn becomes_known(&mut self, number: String) {
        let started = Instant::now();
        loop {
            let (code, state) = self.query(&number).await;
            match (code.as_str(), state.as_str()) {
                ("CHARGE_NONEXISTENT", _) => {
                    assert_eq!(self.ask_to_pay(number).await, "SUCCESS");
                    return;
                }
                ("SUCCESS", "1") => return self.acknowledged.push(number),
                ("SUCCESS", "2" | "6") => return,
                ("SUCCESS" | "EXCEPTION" | "DATABASE_ERROR", _) => {}
                (code, state) => panic!("{number} is {code} {state}"),
            }
            assert!(started.elapsed() < PATIENCE, "{number}: {code} {state}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Kills the gateway and starts it again on what a power cut leaves.
    async fn cut_power(&mut self) {
        self.gateway.kill9();
        self.disk.cut_power(&self.recipe.data);
        self.start_again().await;
    }

    async fn start_again(&mut self) {
        self.gateway.kill9();
        self.gateway = Process::start(self.disk.under(self.recipe.clone())).await;
        self.client = self.gateway.client();
    }

    /// All that was acknowledged is there, and the ledger is clean.
    async fn is_sound(&mut self) {
        for number in self.acknowledged.clone() {
            let found = self.query(&number).await;
            assert_eq!(found, ("SUCCESS".to_owned(), "1".to_owned()), "{number}");
        }
        let look = Look::open(&Rows::Sqlite(self.recipe.data.join(STORE))).await;
        look.finished(PATIENCE).await;
        look.audit().await;
    }
}

/// What an operator is told while payments are refused.
fn doctor(bench: &Bench) -> String {
    let (data, listen) = (&bench.recipe.data, bench.recipe.address.to_string());
    let data = data.to_str().unwrap();
    let output = onetill(&["doctor", "--demo", "--data", data, "--listen", &listen]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

/// Payments are answered `wanted`, queries go on, health and doctor say so, and all comes back.
async fn writing_fails(faults: &[(Call, &str, i32)], wanted: &str) {
    let mut bench = Bench::new().await;
    for (call, file, errno) in faults {
        bench.disk.fail(*call, file, *errno);
    }
    for _ in 0..5 {
        assert_eq!(bench.sell().await, wanted);
    }
    bench.becomes(503).await;
    assert_eq!(bench.gateway.health("live").await, Some(200));
    let told = doctor(&bench);
    assert!(told.contains("takes no writes"), "{told}");
    let first = bench.acknowledged[0].clone();
    assert_eq!(bench.query(&first).await.1, "1");
    let answer = match wanted {
        "DATABASE_ERROR" => "CHARGE_NONEXISTENT",
        _ => wanted,
    };
    let last = format!("F-{}", bench.count);
    assert_eq!(bench.query(&last).await.0, answer, "{last}");
    bench.recovers().await;
    bench.is_sound().await;
    bench.cut_power().await;
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_synced_leaves_outcomes_unknown_until_it_can() {
    writing_fails(&[(Call::Sync, LOG, EIO)], "EXCEPTION").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_records_nothing() {
    writing_fails(&[(Call::Write, LOG, EIO)], "DATABASE_ERROR").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_system_that_became_read_only_records_nothing() {
    let calls = [Call::Open, Call::Write, Call::Sync];
    let faults = [STORE, LOG].map(|file| calls.map(|call| (call, file, EROFS)));
    writing_fails(faults.as_flattened(), "DATABASE_ERROR").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_cannot_be_read_is_told_and_comes_back() {
    let mut bench = Bench::new().await;
    for file in [STORE, LOG] {
        bench.disk.fail(Call::Read, file, EIO);
    }
    // What is in memory still serves; what is not is said to be out of reach.
    bench.becomes(503).await;
    for _ in 0..5 {
        bench.sell().await;
    }
    assert_eq!(bench.query("F-1").await.0, "DATABASE_ERROR");
    assert!(doctor(&bench).contains("not ready"));
    bench.recovers().await;
    bench.is_sound().await;
    bench.cut_power().await;
    bench.is_sound().await;
}

/// The commit after it takes its place at once, so that it can be said what became of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_failed_sync_is_told_as_not_recorded_and_stays_so_after_a_power_cut() {
    let mut bench = Bench::new().await;
    let started = Instant::now();
    // Another commit than the payment's may meet the failure.
    while bench.refused.is_empty() {
        assert!(started.elapsed() < PATIENCE);
        bench.disk.fail_once(Call::Sync, LOG, EIO);
        bench.sell().await;
    }
    let refused = bench.refused[0].clone();
    assert_eq!(bench.query(&refused).await.0, "CHARGE_NONEXISTENT");
    bench.disk.work_again();
    bench.cut_power().await;
    assert_eq!(bench.query(&refused).await.0, "CHARGE_NONEXISTENT");
    for number in std::mem::take(&mut bench.unknown) {
        bench.becomes_known(number).await;
    }
    bench.is_sound().await;
}

/// A recovery reads from memory what is not on disk; what is appended must not rest on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_on_a_log_that_was_not_synced_rests_nothing_on_it() {
    let mut bench = Bench::new().await;
    bench.disk.fail(Call::Sync, LOG, EIO);
    for _ in 0..3 {
        assert_eq!(bench.sell().await, "EXCEPTION");
    }
    bench.gateway.kill9();
    bench.disk.work_again();
    bench.start_again().await;
    for _ in 0..3 {
        assert_eq!(bench.sell().await, "SUCCESS");
    }
    bench.cut_power().await;
    for number in std::mem::take(&mut bench.unknown) {
        bench.becomes_known(number).await;
    }
    bench.is_sound().await;
}

/// While somebody reads an old state, a checkpoint copies only a part, and SQLite does not sync
/// it. A sync that fails later may be about that part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_cannot_be_synced_is_done_again_from_the_beginning() {
    const ENOUGH_TO_FILL_THE_LOG: usize = 200;
    let mut bench = Bench::new().await;
    for _ in 0..40 {
        assert_eq!(bench.sell().await, "SUCCESS");
    }
    let store = SqliteStore::open_existing(&bench.recipe.data.join(STORE)).unwrap();
    let old_state = store.reader().snapshot().await.unwrap();
    for _ in 0..ENOUGH_TO_FILL_THE_LOG {
        assert_eq!(bench.sell().await, "SUCCESS");
    }
    assert!(log_pages(&bench) > 1000, "the log was to be copied");
    drop(old_state);
    drop(store);
    bench.disk.fail_once(Call::Sync, STORE, EIO);
    while !bench.disk.has_failed(Call::Sync, STORE) {
        bench.sell().await;
    }
    for _ in 0..20 {
        bench.sell().await;
    }
    bench.recovers().await;
    let log = bench.gateway.log();
    assert!(log.contains("copied into the file again"), "{log}");
    bench.is_sound().await;
    bench.cut_power().await;
    bench.is_sound().await;
}

fn log_pages(bench: &Bench) -> u64 {
    let log = std::fs::metadata(bench.recipe.data.join(LOG)).unwrap();
    log.len() / 4120
}
