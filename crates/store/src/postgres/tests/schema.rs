//! The schema, and what surrounds it.

use super::fixture::{clock, payment, record, store, store_at};
use crate::{
    contract::{Reader, StoreError},
    postgres::PostgresStore,
    testing,
};

const ALL: [&str; 7] = [
    "1 initial",
    "2 numbers first",
    "3 loyalty",
    "4 vouchers",
    "5 code chains",
    "6 short texts",
    "7 kept events",
];

#[tokio::test]
async fn processes_that_migrate_at_the_same_time_take_turns() {
    let url = testing::database().unwrap();
    let mut running = Vec::new();
    for _ in 0..6 {
        let store = PostgresStore::connect(&url, clock()).await.unwrap();
        running.push(tokio::spawn(async move { store.migrate().await }));
    }
    let mut applied = 0;
    for migrated in running {
        applied += migrated.await.unwrap().unwrap();
    }
    assert_eq!(applied, ALL.len());
}

#[tokio::test]
async fn pending_migrations_are_told_and_applied_once() {
    let url = testing::database().unwrap();
    let store = PostgresStore::connect(&url, clock()).await.unwrap();
    assert_eq!(store.migrations().await.unwrap().pending, ALL);
    assert!(matches!(store.writer().await, Err(StoreError::Refused(_))));
    assert_eq!(store.migrate().await.unwrap(), ALL.len());
    assert_eq!(store.migrations().await.unwrap().applied, ALL);
    assert_eq!(store.migrate().await.unwrap(), 0);
}

#[tokio::test]
async fn tls_is_refused_rather_than_left_out() {
    for mode in ["require", "verify-full"] {
        let url = format!("postgres://u:secret@127.0.0.1:1/d?sslmode={mode}");
        let refused = PostgresStore::connect(&url, clock()).await.err();
        let Some(StoreError::Refused(text)) = refused else {
            panic!("{refused:?}");
        };
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn careless_settings_are_refused() {
    let lines = store().await.reader().durability().await.unwrap();
    assert_eq!(
        lines,
        [
            "fsync = on",
            "full_page_writes = on",
            "synchronous_commit = on"
        ]
    );
}

#[tokio::test]
async fn a_backup_is_a_dump_that_can_be_listed() {
    let store = store().await;
    record(&mut store.writer().await.unwrap(), &payment(10, "A"))
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("copy.dump");
    store.reader().backup(to.clone()).await.unwrap();
    assert!(std::fs::read(&to).unwrap().starts_with(b"PGDMP"));
    let nowhere = dir.path().join("missing/copy.dump");
    let failed = store.reader().backup(nowhere).await;
    assert!(matches!(failed, Err(StoreError::Down(_))), "{failed:?}");
}

/// Updates of payments must stay on their page: no changing column may be indexed.
#[tokio::test]
async fn paying_a_payment_touches_no_index() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut writer = store.writer().await.unwrap();
    for n in 0..50 {
        use crate::contract::Writer;
        let of = payment(n, &n.to_string());
        record(&mut writer, &of).await.unwrap();
        writer.load(super::fixture::claiming([])).await.unwrap();
        writer.commit(super::fixture::paying(&of)).await.unwrap();
    }
    drop(writer);
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'payments'";
    for _ in 0..100 {
        let row = client.query_one(sql, &[]).await.unwrap();
        let (updates, hot): (i64, i64) = (row.get(0), row.get(1));
        if updates == 50 {
            assert!(hot >= 49, "{hot} of {updates}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the server's statistics never came");
}

/// A database as the program of the version before left it.
async fn at_version_1(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let version = "CREATE TABLE schema_version (version integer PRIMARY KEY, name text NOT NULL,
            applied_at bigint NOT NULL);
        INSERT INTO schema_version VALUES (0, 'none', 0), (1, 'initial', 0);";
    let initial = include_str!("../migrations/0001_initial.sql");
    // Subjects so small that new numbers are old ones of others.
    let posted = "INSERT INTO postings SELECT 1 + subject % 2, subject * 8 + slot,
            100000000000000001, 200000000000000007, subject, 1, subject + 5
        FROM generate_series(1, 200) subject, unnest(ARRAY[0, 1, 3]) slot";
    let all = format!("{version} {initial} {posted}");
    client.batch_execute(&all).await.unwrap();
    client
}

#[tokio::test]
async fn postings_of_eight_numbers_a_subject_are_counted_anew() {
    let url = testing::database().unwrap();
    let old = at_version_1(&url).await;
    let store = PostgresStore::connect(&url, clock()).await.unwrap();
    assert_eq!(store.migrations().await.unwrap().pending, ALL[1..]);
    assert_eq!(store.migrate().await.unwrap(), ALL.len() - 1);
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let postings = snapshot.postings(None, 1_000).await.unwrap();
    let expected = (1..=200).flat_map(|n| [0, 1, 3].map(|slot| (n * 64 + slot, n)));
    let found = postings.iter().map(|it| (it.number(), it.amount));
    assert!(found.eq(expected));
    let is_whole = |it: &domain::ledger::Posting| {
        it.tenant.0 == 1 + it.subject.0 % 2 && it.at.0 == it.subject.0 + 5
    };
    assert!(postings.iter().all(is_whole));
    // A gateway of the version before that still runs does not post by its own counting.
    let by_eight = "INSERT INTO postings (tenant, number, debit, credit, amount, unit, at)
        VALUES (1, 8, 1, 2, 1, 1, 1)";
    assert!(old.batch_execute(by_eight).await.is_err());
    // And the new table keeps the rules of the old one.
    for values in ["2, 64, 1, 2, 1, 1, 1", "1, 1, 1, 2, 0, 1, 1"] {
        let sql = format!("INSERT INTO postings VALUES ({values})");
        let refused = old.batch_execute(&sql).await.unwrap_err();
        let code = refused.code().map(|it| &it.code()[..2]);
        assert_eq!(code, Some("23"), "{values}");
    }
}
