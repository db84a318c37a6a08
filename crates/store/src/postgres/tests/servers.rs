//! Servers that hang, stand by, have no connection left, or refuse a batch: everybody is answered
//! in a few seconds, and all goes on by itself when the server does.

use super::fixture::{
    BACK, TENANT, claiming, clock, paid, payment, read_again, record, record_again, settling,
    store_at,
};
use crate::{
    contract::{Reader, StoreError, Writer},
    engine::Engine,
    postgres::{PostgresReader, PostgresStore},
    testing::{self, TestCluster, send},
};
use domain::{
    command::{Began, BeginPayment},
    payment::Payment,
    rows::{Changes, Plan},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

/// "A few seconds" on a machine that is busy.
const SOON: Duration = Duration::from_secs(25);

/// A session beside the store's.
async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn all_are_refused_soon(reader: &Arc<PostgresReader>, of: &Payment) {
    let started = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..50 {
        let (reader, serial) = (Arc::clone(reader), of.serial);
        reading.spawn(async move { reader.payment_of_any(serial).await });
    }
    for read in reading.join_all().await {
        assert!(matches!(read, Err(StoreError::Down(_))), "{read:?}");
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_server_holds_nobody_up() {
    let cluster = TestCluster::start().unwrap();
    let store = store_at(&cluster.url).await;
    let (mut writer, reader) = (store.writer().await.unwrap(), store.reader());
    let reader = Arc::new(reader);
    let (before, after) = (payment(10, "A"), payment(11, "B"));
    record(&mut writer, &before).await.unwrap();
    read_again(&reader, &before).await.unwrap();
    cluster.freeze().unwrap();
    // First on connections that hang, then with none.
    for _ in 0..3 {
        all_are_refused_soon(&reader, &before).await;
        let started = Instant::now();
        let down = writer.load(claiming([&after])).await;
        assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    }
    cluster.thaw().unwrap();
    assert_eq!(read_again(&reader, &before).await, Some(before));
    record_again(&mut writer, &after).await;
    assert_eq!(read_again(&reader, &after).await, Some(after));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_hangs_is_unknown_and_what_became_of_it_is_read_later() {
    let cluster = TestCluster::start().unwrap();
    let store = store_at(&cluster.url).await;
    let (mut writer, reader) = (store.writer().await.unwrap(), store.reader());
    let of = payment(10, "A");
    writer.load(claiming([&of])).await.unwrap();
    cluster.freeze().unwrap();
    let started = Instant::now();
    let unknown = writer.commit(settling(&of)).await;
    assert!(
        matches!(unknown, Err(StoreError::Unknown(_))),
        "{unknown:?}"
    );
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    cluster.thaw().unwrap();
    // Claiming the same number waits for the end of whoever holds it.
    let twin = payment(11, "A");
    let started = Instant::now();
    let rows = loop {
        match writer.load(claiming([&twin])).await {
            Ok(rows) => break rows,
            Err(error) => assert!(started.elapsed() < BACK, "{error}"),
        }
    };
    let is_recorded = !rows.was_claimed(twin.serial);
    writer.abandon().await;
    let found = read_again(&reader, &of).await;
    assert_eq!(found.is_some(), is_recorded, "what was read stays true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_leaves_connections_behind_that_hang() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let of = payment(10, "A");
    let mut writer = store.writer().await.unwrap();
    record(&mut writer, &of).await.unwrap();
    drop(writer);
    let reader = store.reader();
    read_again(&reader, &of).await.unwrap();
    let pids = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid()";
    let rows = session(&url).await.query(pids, &[]).await.unwrap();
    let pids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(!pids.is_empty());
    send("-STOP", &pids).unwrap();
    let started = Instant::now();
    let found = read_again(&reader, &of).await;
    send("-CONT", &pids).unwrap();
    assert_eq!(found, Some(of));
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_reader_finds_another_connection_when_its_own_is_ended() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let of = payment(10, "A");
    record(&mut store.writer().await.unwrap(), &of)
        .await
        .unwrap();
    let (reader, killer) = (store.reader(), session(&url).await);
    for _ in 0..20 {
        assert_eq!(reader.payment_of_any(of.serial).await, Ok(Some(of.clone())));
        let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        killer.query(kill, &[]).await.unwrap();
    }
}

/// Whether a failure is told as it must be.
type IsRight = fn(&StoreError) -> bool;

/// What the server says, and what that must be told as.
const REFUSALS: [(&str, IsRight); 8] = [
    ("53100", |it| matches!(it, StoreError::Full(_))),
    ("40001", |it| matches!(it, StoreError::Conflict(_))),
    ("40P01", |it| matches!(it, StoreError::Conflict(_))),
    ("57014", |it| matches!(it, StoreError::Down(_))),
    ("53200", |it| matches!(it, StoreError::Down(_))),
    ("25006", |it| matches!(it, StoreError::Down(_))),
    ("XX001", |it| matches!(it, StoreError::Corrupt(_))),
    ("23514", |it| matches!(it, StoreError::Refused(_))),
];

/// A trigger that fails with `code` on every insertion into `table`, at once or at the commit.
fn failing(code: &str, table: &str, deferred: bool) -> String {
    let when = if deferred {
        "DEFERRABLE INITIALLY DEFERRED"
    } else {
        ""
    };
    format!(
        "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{code}'; END $$;
        CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON {table} {when}
            FOR EACH ROW EXECUTE FUNCTION fail()"
    )
}

#[tokio::test]
async fn whatever_a_server_refuses_with_nothing_of_the_batch_is_recorded() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let (mut writer, reader, other) = (
        store.writer().await.unwrap(),
        store.reader(),
        session(&url).await,
    );
    let of = payment(10, "A");
    for (code, is_right) in REFUSALS {
        for (table, deferred) in [("payments", false), ("jobs", false), ("jobs", true)] {
            let trigger = failing(code, table, deferred);
            other.batch_execute(&trigger).await.unwrap();
            let refused = record(&mut writer, &of).await.unwrap_err();
            assert!(is_right(&refused), "{code} on {table}: {refused:?}");
            let drop = format!("DROP TRIGGER failing ON {table}");
            other.batch_execute(&drop).await.unwrap();
            let found = reader.payment_of_any(of.serial).await;
            assert_eq!(found, Ok(None), "{code} on {table}");
        }
    }
    record(&mut writer, &of).await.unwrap();
}

/// The other session waits for us, and we for it: it never looks for a deadlock, so we lose.
#[tokio::test]
async fn whoever_loses_a_deadlock_may_try_again() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let mut writer = store.writer().await.unwrap();
    let (ours, theirs) = (payment(10, "A"), payment(11, "B"));
    for of in [&ours, &theirs] {
        record(&mut writer, of).await.unwrap();
    }
    let other = session(&url).await;
    let lock_theirs = "SET deadlock_timeout = '1h'; BEGIN;
        SELECT 1 FROM payments WHERE serial = 11 FOR UPDATE";
    other.batch_execute(lock_theirs).await.unwrap();
    let mut plan = Plan {
        payments: vec![(TENANT, ours.serial)],
        ..Plan::default()
    };
    plan.normalise();
    writer.load(plan).await.unwrap();
    let waiting = tokio::spawn(async move {
        let lock_ours = "SELECT 1 FROM payments WHERE serial = 10 FOR UPDATE; COMMIT";
        other.batch_execute(lock_ours).await
    });
    becomes_true(&url, "EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)").await;
    let change = || Changes {
        payments: vec![paid(theirs.clone())],
        ..Changes::default()
    };
    let lost = writer.commit(change()).await;
    assert!(matches!(lost, Err(StoreError::Conflict(_))), "{lost:?}");
    waiting.await.unwrap().unwrap();
    writer.load(Plan::default()).await.unwrap();
    writer.commit(change()).await.unwrap();
}

async fn becomes_true(url: &str, condition: &str) {
    let (looker, started) = (session(url).await, Instant::now());
    let sql = format!("SELECT {condition}");
    while !looker.query_one(&sql, &[]).await.unwrap().get::<_, bool>(0) {
        assert!(started.elapsed() < SOON, "never: {condition}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_engine_tries_again_what_could_not_be_serialised() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    // What a sequence has counted is not taken back.
    let fail_twice = "CREATE SEQUENCE tries;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('tries') <= 2 THEN
                RAISE EXCEPTION 'as told' USING ERRCODE = '40001';
            END IF; RETURN NEW; END $$;
        CREATE TRIGGER failing BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION fail()";
    session(&url).await.batch_execute(fail_twice).await.unwrap();
    let (engine, queue) = Engine::new(clock());
    tokio::spawn(queue.serve(store.writer().await.unwrap()));
    let of = payment(10, "A");
    let payment = Box::new(of.clone());
    let began = engine
        .run(BeginPayment {
            payment,
            code: None,
        })
        .await
        .unwrap();
    assert!(matches!(began, Began::New(None)));
    assert!(engine.takes_writes());
    assert_eq!(read_again(&store.reader(), &of).await, Some(of));
}

#[tokio::test]
async fn a_lock_that_somebody_keeps_is_waited_for_a_few_seconds() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let mut writer = store.writer().await.unwrap();
    let of = payment(10, "A");
    record(&mut writer, &of).await.unwrap();
    let keeper = session(&url).await;
    keeper
        .batch_execute("BEGIN; LOCK TABLE payments")
        .await
        .unwrap();
    let started = Instant::now();
    let next = payment(11, "B");
    let down = record(&mut writer, &next).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    let down = store.reader().payment_of_any(of.serial).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    keeper.batch_execute("ROLLBACK").await.unwrap();
    record(&mut writer, &next).await.unwrap();
}

#[tokio::test]
async fn a_server_without_a_free_connection_is_told_and_used_again() {
    let cluster = TestCluster::start_with("-c max_connections=8 -c max_wal_senders=0").unwrap();
    let store = store_at(&cluster.url).await;
    let of = payment(10, "A");
    record(&mut store.writer().await.unwrap(), &of)
        .await
        .unwrap();
    let mut taken = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&cluster.url, NoTls).await {
        tokio::spawn(connection);
        taken.push(client);
    }
    let reader = store.reader();
    let full = reader.payment_of_any(of.serial).await;
    let Err(StoreError::Down(text)) = full else {
        panic!("{full:?}");
    };
    assert!(text.contains("53300"), "{text}");
    let full = PostgresStore::connect(&cluster.url, clock()).await.err();
    assert!(matches!(full, Some(StoreError::Down(_))), "{full:?}");
    drop(taken);
    assert_eq!(read_again(&reader, &of).await, Some(of));
}

#[tokio::test]
async fn a_standby_takes_no_writes_and_is_used_once_it_is_promoted() {
    let mut cluster = TestCluster::start().unwrap();
    let store = store_at(&cluster.url).await;
    let (mut writer, reader) = (store.writer().await.unwrap(), store.reader());
    let (before, after) = (payment(10, "A"), payment(11, "B"));
    record(&mut writer, &before).await.unwrap();
    cluster.demote().unwrap();
    let refused = PostgresStore::connect(&cluster.url, clock()).await.err();
    let Some(StoreError::Down(text)) = refused else {
        panic!("{refused:?}");
    };
    assert!(text.contains("takes no writes"), "{text}");
    // A standby may lag behind: what it lacks may have been acknowledged.
    let down = reader.payment_of_any(before.serial).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    let down = writer.load(claiming([&after])).await;
    assert!(matches!(down, Err(StoreError::Down(_))), "{down:?}");
    cluster.promote().unwrap();
    record_again(&mut writer, &after).await;
    for of in [before, after] {
        assert_eq!(read_again(&reader, &of).await, Some(of));
    }
}

#[tokio::test]
async fn a_database_that_is_set_to_read_only_takes_no_writes() {
    let url = testing::database().unwrap();
    let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET
        default_transaction_read_only = on', current_database()); END $$";
    session(&url).await.batch_execute(read_only).await.unwrap();
    let refused = PostgresStore::connect(&url, clock()).await.err();
    let Some(StoreError::Down(text)) = refused else {
        panic!("{refused:?}");
    };
    assert!(text.contains("default_transaction_read_only"), "{text}");
}
