//! A store to tell a story on, and the few things every story does.

use crate::samples::{NOW, as_begun};
use domain::{
    command::Command,
    payment::Payment,
    rows::{Changes, Claim, Plan},
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
};
use store::{
    Clock, Engine, EngineError, Reader, StoreError, Writer,
    audit::{AuditReport, audit},
    memory::Memory,
    postgres::{PostgresStore, PostgresWriter},
    sqlite::{SqliteStore, SqliteWriter},
};

/// An empty store of one kind.
pub trait Fixture: Send + Sync + Sized + 'static {
    type Writer: Writer;

    fn create() -> impl Future<Output = Self> + Send;
    fn writer(&self) -> impl Future<Output = Self::Writer> + Send;
    fn reader(&self) -> Arc<dyn Reader>;
    /// The same rows through new connections.
    fn reopen(self) -> impl Future<Output = Self> + Send;
    /// What [`Reader::durability`] must report, in this order; `None` when nothing is kept.
    fn durable_settings() -> Option<&'static [&'static str]>;
}

#[derive(Clone)]
pub struct MemoryFixture(Memory);

impl Fixture for MemoryFixture {
    type Writer = Memory;

    async fn create() -> Self {
        Self(Memory::new())
    }

    async fn writer(&self) -> Memory {
        self.0.clone()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.0.clone())
    }

    async fn reopen(self) -> Self {
        self
    }

    fn durable_settings() -> Option<&'static [&'static str]> {
        None
    }
}

pub struct SqliteFixture {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl SqliteFixture {
    fn open(folder: tempfile::TempDir) -> Self {
        let store = SqliteStore::open(&folder.path().join("onetill.db")).unwrap();
        Self { folder, store }
    }
}

impl Fixture for SqliteFixture {
    type Writer = SqliteWriter;

    async fn create() -> Self {
        Self::open(tempfile::tempdir().unwrap())
    }

    async fn writer(&self) -> SqliteWriter {
        self.store.writer().unwrap()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.store.reader())
    }

    async fn reopen(self) -> Self {
        drop(self.store);
        Self::open(self.folder)
    }

    fn durable_settings() -> Option<&'static [&'static str]> {
        Some(&["journal_mode = wal", "synchronous = "])
    }
}

pub struct PostgresFixture {
    url: String,
    store: PostgresStore,
}

impl PostgresFixture {
    async fn open(url: String) -> Self {
        let store = PostgresStore::connect(&url, clock()).await.unwrap();
        store.migrate().await.unwrap();
        Self { url, store }
    }
}

impl Fixture for PostgresFixture {
    type Writer = PostgresWriter;

    async fn create() -> Self {
        Self::open(store::testing::database().unwrap()).await
    }

    async fn writer(&self) -> PostgresWriter {
        self.store.writer().await.unwrap()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.store.reader())
    }

    async fn reopen(self) -> Self {
        drop(self.store);
        Self::open(self.url).await
    }

    fn durable_settings() -> Option<&'static [&'static str]> {
        Some(&[
            "fsync = on",
            "full_page_writes = on",
            "synchronous_commit = on",
        ])
    }
}

/// Tells each story on each store; the test's name shows both.
macro_rules! on_each_store {
    ($($story:ident),+ $(,)?) => {
        mod on_memory { $crate::fixture::tests!(MemoryFixture: $($story),+); }
        mod on_sqlite { $crate::fixture::tests!(SqliteFixture: $($story),+); }
        mod on_postgres { $crate::fixture::tests!(PostgresFixture: $($story),+); }
    };
}

macro_rules! tests {
    ($fixture:ident: $($story:ident),+) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            use $crate::fixture::Fixture;
            super::$story($crate::fixture::$fixture::create().await).await;
        }
    )+ };
}

pub(crate) use {on_each_store, tests};

/// Decides and commits one command.
pub async fn run<W: Writer, C: Command>(writer: &mut W, command: C) -> C::Reply {
    let mut plan = Plan::default();
    command.plan(&mut plan);
    plan.normalise();
    let mut rows = writer.load(plan).await.unwrap();
    let reply = command.decide(&mut rows, NOW).unwrap();
    writer.commit(rows.into_changes()).await.unwrap();
    reply
}

/// Writes rows as they are. As always, a payment is loaded by the transaction that changes it.
pub async fn write<W: Writer>(writer: &mut W, changes: Changes) -> Result<(), StoreError> {
    let changed = changes.payments.iter();
    let mut plan = Plan {
        payments: changed.map(|it| (it.tenant, it.serial)).collect(),
        ..Plan::default()
    };
    plan.normalise();
    writer.load(plan).await?;
    writer.commit(changes).await
}

/// A new payment that names no code.
pub const fn claim(payment: &Payment) -> Claim<'_> {
    Claim {
        payment,
        code: None,
    }
}

/// Records new payments by their claims, in the states they have.
pub async fn record<W: Writer>(writer: &mut W, payments: &[Payment]) {
    let begun: Vec<Payment> = payments.iter().map(as_begun).collect();
    let mut plan = Plan {
        claims: begun.iter().map(claim).collect(),
        ..Plan::default()
    };
    plan.normalise();
    let rows = writer.load(plan).await.unwrap();
    for payment in payments {
        assert!(rows.was_claimed(payment.serial), "{payment:?}");
    }
    let changed = payments.iter().zip(&begun);
    let changed = changed.filter(|(payment, begun)| payment != begun);
    let changes = Changes {
        payments: changed.map(|(payment, _)| payment.clone()).collect(),
        ..Changes::default()
    };
    writer.commit(changes).await.unwrap();
}

pub async fn audited(reader: &dyn Reader) -> AuditReport {
    let mut snapshot = reader.snapshot().await.unwrap();
    audit(snapshot.as_mut(), &mut |_| {}).await.unwrap()
}

pub fn clock() -> Clock {
    Arc::new(|| NOW)
}

/// An engine with one writer.
pub async fn engine_on<F: Fixture>(store: &F) -> Engine {
    let (engine, queue) = Engine::new(clock());
    tokio::spawn(queue.serve(store.writer().await));
    engine
}

pub type Answering<R> = Pin<Box<dyn Future<Output = Result<R, EngineError>> + Send>>;

/// Queues `command` on `engine` when first polled.
pub fn queued<C: Command>(engine: &Engine, command: C) -> Answering<C::Reply> {
    let engine = engine.clone();
    Box::pin(async move { engine.run(command).await })
}

/// Polls all in their order until all are done.
pub async fn all_in_order<R>(mut waiting: Vec<Answering<R>>) -> Vec<Result<R, EngineError>> {
    let mut answers: Vec<_> = waiting.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, answer) in waiting.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *answer = Some(ready);
            }
        }
        match answers.iter().all(Option::is_some) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// Carries out `commands` in one batch, in their order.
pub async fn in_one_batch<F: Fixture, C: Command>(
    store: &F,
    commands: Vec<C>,
) -> Vec<Result<C::Reply, EngineError>> {
    let (engine, queue) = Engine::new(clock());
    let waiting = commands.into_iter().map(|it| queued(&engine, it)).collect();
    drop(engine);
    // All are queued before the writer looks for the first time.
    let writer = store.writer().await;
    // To its end: the next writer must not find this one closing the store.
    let serve = async { tokio::spawn(queue.serve(writer)).await.unwrap() };
    tokio::join!(biased; all_in_order(waiting), serve).0
}
