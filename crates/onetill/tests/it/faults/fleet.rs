//! The gateways over one store, and looks at that store from outside.

use crate::support::process::{Process, Recipe};
use domain::{
    ids::{ClaimKey, ClaimSpace},
    merchant::Merchant,
    payment::Payment,
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
}

/// Windows short enough that what was left open ends within a test.
const SHORT_WINDOWS: [&str; 4] = ["--window-s", "8", "--order-window-s", "8"];

impl Fleet {
    /// One gateway over an embedded store.
    pub async fn embedded(dir: &Path) -> Self {
        let recipe = Recipe::demo(dir, "only").with(&SHORT_WINDOWS);
        let rows = Rows::Sqlite(recipe.data.join("onetill.db"));
        let gateways = vec![Process::start(recipe).await];
        Self { rows, gateways }
    }

    /// Two gateways over one database, with the same master key.
    pub async fn shared(dir: &Path, url: &str) -> Self {
        let store = ["--store", url];
        let first = Recipe::demo(dir, "first").with(&SHORT_WINDOWS).with(&store);
        let second = Recipe::demo(dir, "second")
            .with(&SHORT_WINDOWS)
            .with(&store);
        let key = "master.key";
        let first = Process::start(first).await;
        fs::create_dir(&second.data).expect("a directory");
        // A copy keeps the mode that lets nobody else read it.
        fs::copy(first.recipe.data.join(key), second.data.join(key)).expect("a copy");
        let gateways = vec![first, Process::start(second).await];
        let rows = Rows::Postgres(url.to_owned());
        Self { rows, gateways }
    }

    /// A look at the rows, opened now.
    pub async fn look(&self) -> Look {
        Look::open(&self.rows).await
    }
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
