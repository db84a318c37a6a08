//! A disk under an embedded store that fails in one way, then works again, then loses its power.
//!
//! Whatever was acknowledged must be found on what the platter holds in the end: see `bad_disk`.

use super::{
    bad_disk::{BadDisk, Call, EIO, EROFS, LOG, STORE},
    fleet::{Look, Rows},
    shop::{PATIENCE, Shop, becomes, doctor},
};
use crate::support::process::{Process, Recipe};
use std::time::Instant;
use store::{Reader, sqlite::SqliteStore};

/// A gateway on a bad disk, and its merchant.
struct Bench {
    _dir: tempfile::TempDir,
    disk: BadDisk,
    recipe: Recipe,
    gateway: Process,
    shop: Shop,
}

impl Bench {
    async fn new() -> Self {
        Self::with_window("8").await
    }

    async fn with_window(window_s: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk = BadDisk::new(dir.path());
        let recipe = Recipe::demo(dir.path(), "gateway").with(&["--window-s", window_s]);
        let recipe = disk.under(recipe);
        let gateway = Process::start(recipe.clone()).await;
        let mut shop = Shop::new(&gateway, "F");
        assert_eq!(shop.sell().await, "SUCCESS");
        Self {
            _dir: dir,
            disk,
            recipe,
            gateway,
            shop,
        }
    }

    /// The fault ends, and the gateway finds that out by itself.
    async fn recovers(&mut self) {
        self.disk.work_again();
        becomes(&self.gateway, 200).await;
        self.shop.settles().await;
        assert_eq!(self.shop.sell().await, "SUCCESS");
    }

    /// Kills the gateway and starts it again on what a power cut leaves.
    async fn cut_power(&mut self) {
        self.gateway.kill9();
        self.disk.cut_power(&self.recipe.data);
        self.start_again().await;
    }

    async fn start_again(&mut self) {
        self.gateway.kill9();
        self.gateway = Process::start(self.recipe.clone()).await;
        self.shop.moves_to(&self.gateway);
    }

    /// All that was acknowledged is there, and the ledger is clean.
    async fn is_sound(&mut self) {
        self.shop.finds_all_again().await;
        let look = Look::open(&Rows::Sqlite(self.recipe.data.join(STORE))).await;
        look.finished(PATIENCE).await;
        look.audit().await;
    }

    fn log_pages(&self) -> u64 {
        let log = std::fs::metadata(self.recipe.data.join(LOG)).unwrap();
        log.len() / 4120
    }
}

const NOTHING_RECORDED: [&str; 1] = ["DATABASE_ERROR"];
const ABSENT: &str = "CHARGE_NONEXISTENT";

/// Payments are answered one of `wanted`, queries go on and say `absent` of what was not recorded,
/// health and doctor say so, and all comes back.
async fn writing_fails(faults: &[(Call, &str, i32)], wanted: &[&str], absent: &str) {
    let mut bench = Bench::new().await;
    for (call, file, errno) in faults {
        bench.disk.fail(*call, file, *errno);
    }
    for _ in 0..5 {
        let code = bench.shop.sell().await;
        assert!(wanted.contains(&&*code), "{code}");
    }
    becomes(&bench.gateway, 503).await;
    assert_eq!(bench.gateway.health("live").await, Some(200));
    let told = doctor(&bench.recipe);
    assert!(told.contains("takes no writes"), "{told}");
    let first = bench.shop.acknowledged[0].clone();
    assert_eq!(bench.shop.query(&first).await.1, "1");
    let last = bench.shop.last();
    assert_eq!(bench.shop.query(&last).await.0, absent, "{last}");
    bench.recovers().await;
    bench.is_sound().await;
    bench.cut_power().await;
    bench.is_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_synced_leaves_outcomes_unknown_until_it_can() {
    // The first commit that fails is in doubt, and then nothing is begun.
    let wanted = ["EXCEPTION", "DATABASE_ERROR"];
    writing_fails(&[(Call::Sync, LOG, EIO)], &wanted, "EXCEPTION").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_records_nothing() {
    writing_fails(&[(Call::Write, LOG, EIO)], &NOTHING_RECORDED, ABSENT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_system_that_became_read_only_records_nothing() {
    let calls = [Call::Open, Call::Write, Call::Sync];
    let faults = [STORE, LOG].map(|file| calls.map(|call| (call, file, EROFS)));
    writing_fails(faults.as_flattened(), &NOTHING_RECORDED, ABSENT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_cannot_be_read_is_told_and_comes_back() {
    let mut bench = Bench::new().await;
    for file in [STORE, LOG] {
        bench.disk.fail(Call::Read, file, EIO);
    }
    // What is in memory still serves; what is not is said to be out of reach. (The writer's mapped pages are
    // read by no call that could fail here.)
    becomes(&bench.gateway, 503).await;
    for _ in 0..5 {
        bench.shop.sell().await;
    }
    let (code, _) = bench.shop.query("F-1").await;
    assert!(["DATABASE_ERROR", "EXCEPTION"].contains(&&*code), "{code}");
    assert!(doctor(&bench.recipe).contains("not ready"));
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
    while bench.shop.refused.is_empty() {
        assert!(started.elapsed() < PATIENCE);
        bench.disk.fail_once(Call::Sync, LOG, EIO);
        bench.shop.sell().await;
    }
    let refused = bench.shop.refused[0].clone();
    assert_eq!(bench.shop.query(&refused).await.0, "CHARGE_NONEXISTENT");
    bench.disk.work_again();
    bench.cut_power().await;
    assert_eq!(bench.shop.query(&refused).await.0, "CHARGE_NONEXISTENT");
    bench.shop.settles().await;
    bench.is_sound().await;
}

/// A recovery reads from memory what is not on disk; what is appended must not rest on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_on_a_log_that_was_not_synced_rests_nothing_on_it() {
    let mut bench = Bench::new().await;
    bench.disk.fail(Call::Sync, LOG, EIO);
    for _ in 0..3 {
        assert_ne!(bench.shop.sell().await, "SUCCESS");
    }
    bench.gateway.kill9();
    bench.disk.work_again();
    bench.start_again().await;
    for _ in 0..3 {
        assert_eq!(bench.shop.sell().await, "SUCCESS");
    }
    bench.cut_power().await;
    bench.shop.settles().await;
    bench.is_sound().await;
}

/// While somebody reads an old state, a checkpoint copies only a part, and SQLite does not sync
/// it. A sync that fails later may be about that part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_cannot_be_synced_is_done_again_from_the_beginning() {
    const ENOUGH_TO_FILL_THE_LOG: usize = 200;
    let mut bench = Bench::new().await;
    for _ in 0..40 {
        assert_eq!(bench.shop.sell().await, "SUCCESS");
    }
    let store = SqliteStore::open_existing(&bench.recipe.data.join(STORE)).unwrap();
    let old_state = store.reader().snapshot().await.unwrap();
    for _ in 0..ENOUGH_TO_FILL_THE_LOG {
        assert_eq!(bench.shop.sell().await, "SUCCESS");
    }
    assert!(bench.log_pages() > 1000, "the log was to be copied");
    drop(old_state);
    drop(store);
    bench.disk.fail_once(Call::Sync, STORE, EIO);
    while !bench.disk.has_failed(Call::Sync, STORE) {
        bench.shop.sell().await;
    }
    for _ in 0..20 {
        bench.shop.sell().await;
    }
    bench.recovers().await;
    let log = bench.gateway.log();
    assert!(log.contains("copied into the file again"), "{log}");
    bench.is_sound().await;
    bench.cut_power().await;
    bench.is_sound().await;
}

/// The lease cannot be renewed either, so nobody waits for longer than it lasts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_holds_up_what_it_has_and_nothing_new() {
    let mut bench = Bench::with_window("80").await;
    bench.disk.hang(Call::Sync, LOG);
    let mut held = Shop::new(&bench.gateway, "H");
    let held = tokio::spawn(async move {
        held.sell().await;
        held
    });
    becomes(&bench.gateway, 503).await;
    assert!(!held.is_finished(), "its commit has not returned");
    assert_eq!(bench.shop.sell().await, "DATABASE_ERROR");
    assert_eq!(bench.shop.query("F-1").await.1, "1");
    bench.recovers().await;
    // It was recorded in the end, and is finished by the workers if not by its own request.
    let mut held = held.await.unwrap();
    assert!(held.refused.is_empty(), "its commit did not fail");
    held.settles().await;
    held.finds_all_again().await;
    bench.is_sound().await;
    bench.cut_power().await;
    bench.is_sound().await;
}

/// Also where no gateway runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_told_what_is_wrong_with_the_disk() {
    let mut bench = Bench::new().await;
    assert!(bench.gateway.terminate().await.success());
    let wrong = [
        (Call::Read, EIO, "disk I/O error"),
        (Call::Open, EROFS, "may only be read"),
    ];
    for (call, errno, words) in wrong {
        bench.disk.fail(call, STORE, errno);
        let told = doctor(&bench.recipe);
        assert!(told.contains(words), "{told}");
        bench.disk.work_again();
    }
}
