//! The gateways over one store, the wallet they share, and looks at that store from outside.

use super::{acknowledged::acknowledged, till::Till};
use crate::support::process::{Process, Recipe};
use domain::{
    ids::{ClaimKey, ClaimSpace},
    merchant::Merchant,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    rows::PaymentRef,
};
use onetill::app::compose::system_clock;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use store::{
    Reader,
    audit::{AuditReport, audit},
    contract::Snapshot,
    gate::{Acknowledged, Moment, Owner, gate},
    postgres::PostgresStore,
    sqlite::SqliteStore,
};

/// Where the rows live.
#[derive(Clone)]
pub enum Rows {
    /// In an SQLite file.
    Sqlite(PathBuf),
    /// In a PostgreSQL database.
    Postgres(String),
}

/// The gateways of one store.
pub struct Fleet {
    /// Where the rows live.
    pub rows: Rows,
    /// The gateways, running.
    pub gateways: Vec<Process>,
    /// The wallet that all of them ask: somebody else's computer, so it is never killed.
    pub wallet: Process,
}

/// What a store holds, by the gateway's serials.
#[derive(Default)]
pub struct Ledger {
    /// The payments.
    pub payments: Vec<Payment>,
    /// The refunds.
    pub refunds: Vec<Refund>,
    /// The top-ups.
    pub recharges: Vec<Recharge>,
}

/// Rows that are read at a time.
const PAGE_ROWS: u32 = 1_000;
/// Windows short enough that what was left open ends within a test.
const SHORT_WINDOWS: [&str; 4] = ["--window-s", "8", "--order-window-s", "8"];

impl Fleet {
    /// One gateway over an embedded store.
    pub async fn embedded(dir: &Path) -> Self {
        let wallet = Process::start(Recipe::sandbox(dir, "wallet")).await;
        let recipe = gateway(dir, "only", &wallet);
        let rows = Rows::Sqlite(recipe.data.join("onetill.db"));
        let gateways = vec![Process::start(recipe).await];
        Self {
            rows,
            gateways,
            wallet,
        }
    }

    /// Two gateways over one database, with the same master key.
    pub async fn shared(dir: &Path, url: &str) -> Self {
        let wallet = Process::start(Recipe::sandbox(dir, "wallet")).await;
        let store = ["--store", url];
        let first = gateway(dir, "first", &wallet).with(&store);
        let second = gateway(dir, "second", &wallet).with(&store);
        let key = "master.key";
        let first = Process::start(first).await;
        fs::create_dir(&second.data).expect("a directory");
        // A copy keeps the mode that lets nobody else read it.
        fs::copy(first.recipe.data.join(key), second.data.join(key)).expect("a copy");
        let gateways = vec![first, Process::start(second).await];
        let rows = Rows::Postgres(url.to_owned());
        Self {
            rows,
            gateways,
            wallet,
        }
    }

    /// A look at the rows, opened now.
    pub async fn look(&self) -> Look {
        Look::open(&self.rows).await
    }
}

/// A demo gateway that asks `wallet`.
fn gateway(dir: &Path, name: &str, wallet: &Process) -> Recipe {
    let url = format!("http://{}", wallet.recipe.address);
    let recipe = Recipe::demo(dir, name).with(&SHORT_WINDOWS);
    recipe.with(&["--sandbox-url", &url])
}

/// A look at a store's rows, beside the gateways that write them. It is opened anew for each
/// check, so that nothing holds the store open across a kill.
pub struct Look {
    reader: Box<dyn Reader>,
    merchant: Merchant,
}

impl Look {
    /// Opens a look.
    pub async fn open(rows: &Rows) -> Self {
        let reader: Box<dyn Reader> = match rows {
            Rows::Sqlite(path) => {
                let store = SqliteStore::open_existing(path).expect("a store");
                Box::new(store.reader())
            }
            Rows::Postgres(url) => {
                let store = PostgresStore::connect(url, system_clock()).await;
                Box::new(store.expect("a database").reader())
            }
        };
        let merchants = reader.merchants().await.expect("merchants");
        let merchant = merchants.into_iter().find(|it| it.code == "0010000001");
        Self {
            reader,
            merchant: merchant.expect("the demo merchant"),
        }
    }

    /// The rows themselves.
    pub fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    /// The demo merchant.
    pub const fn owner(&self) -> Owner {
        (self.merchant.tenant, self.merchant.no)
    }

    /// The demo merchant's payment `number`.
    pub async fn payment(&self, number: &str) -> Option<Payment> {
        let (tenant, no) = (self.merchant.tenant, self.merchant.no);
        let key = ClaimKey::of(tenant, no, ClaimSpace::Payment, number);
        let by = PaymentRef::Key(tenant, key);
        self.reader.payment(by).await.expect("a readable store")
    }

    /// Proves the ledger.
    pub async fn audit(&self) -> AuditReport {
        let mut snapshot = self.reader.snapshot().await.expect("a snapshot");
        let report = audit(&mut *snapshot, &mut |_| {}).await;
        let report = report.expect("readable rows");
        assert!(report.is_clean(), "{:#?}", report.violations);
        report
    }

    /// What the demo merchant's `tills` were told.
    pub fn acknowledged(&self, tills: &[Till]) -> Acknowledged {
        acknowledged(tills, self.owner())
    }

    /// Proves the ledger, and that every promise was kept.
    pub async fn gate(&self, told: &Acknowledged, moment: Moment) {
        let mut snapshot = self.reader.snapshot().await.expect("a snapshot");
        let report = gate(&mut *snapshot, told, moment).await;
        let report = report.expect("readable rows");
        assert!(report.is_clean(), "{report}");
    }

    /// All payments, refunds and top-ups as they are now.
    pub async fn ledger(&self) -> Ledger {
        let mut snapshot = self.reader.snapshot().await.expect("a snapshot");
        let mut ledger = Ledger {
            recharges: recharges(&mut *snapshot).await,
            ..Ledger::default()
        };
        loop {
            let after = ledger.payments.last().map(|it| it.serial);
            let page = snapshot.payments(after, PAGE_ROWS).await.expect("payments");
            if page.is_empty() {
                break;
            }
            ledger.payments.extend(page);
        }
        loop {
            let after = ledger.refunds.last().map(|it| it.serial);
            let page = snapshot.refunds(after, PAGE_ROWS).await.expect("refunds");
            if page.is_empty() {
                return ledger;
            }
            ledger.refunds.extend(page);
        }
    }

    /// All top-ups as they are now.
    pub async fn recharges(&self) -> Vec<Recharge> {
        let mut snapshot = self.reader.snapshot().await.expect("a snapshot");
        recharges(&mut *snapshot).await
    }

    /// Waits until no work and no notification is left to do.
    pub async fn finished(&self, patience: Duration) -> Duration {
        let started = Instant::now();
        loop {
            let figures = self.reader.figures().await.expect("figures");
            if figures.jobs == 0 && figures.notifications_due == 0 {
                assert_eq!(figures.notifications_dead, 0, "no notification is given up");
                return started.elapsed();
            }
            if started.elapsed() > patience {
                let left = self.left().await;
                panic!("left after {patience:?}: {figures:?}\n{left}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The work that is left, and what it is about.
    async fn left(&self) -> String {
        let mut snapshot = self.reader.snapshot().await.expect("a snapshot");
        let jobs = snapshot.jobs(None, 20).await.expect("jobs");
        let mut left = String::new();
        for job in jobs {
            let payment = self.reader.payment_of_any(job.subject).await;
            let refund = self.reader.refund(job.tenant, job.subject).await;
            left.push_str(&format!("{job:?} {payment:?} {refund:?}\n"));
        }
        left
    }
}

async fn recharges(snapshot: &mut dyn Snapshot) -> Vec<Recharge> {
    let mut all: Vec<Recharge> = Vec::new();
    loop {
        let after = all.last().map(|it| it.serial);
        let page = snapshot.recharges(after, PAGE_ROWS).await.expect("top-ups");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}
