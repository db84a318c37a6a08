//! The schema, and what surrounds it.

use super::fixture::{clock, payment, record, store, store_at};
use crate::{
    contract::{Reader, StoreError},
    postgres::PostgresStore,
    testing,
};

const ALL: [&str; 3] = ["1 initial", "2 numbers first", "3 loyalty"];

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
