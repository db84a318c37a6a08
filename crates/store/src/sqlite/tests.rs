//! The schema, from one version to the next.

mod vouchers;

use super::*;
use crate::contract::Reader;
use domain::ledger::Posting;
use rusqlite::StatementStatus;

/// A file as a program left it that knew the first `steps` steps only.
fn file_of(path: &Path, steps: usize) -> Connection {
    let connection = Connection::open(path).unwrap();
    configure(&connection, WRITER_CACHE_KIB).unwrap();
    for (_, sql) in &MIGRATIONS[..steps] {
        connection.execute_batch(sql).unwrap();
    }
    connection
        .pragma_update(None, "user_version", i64::try_from(steps).unwrap())
        .unwrap();
    connection
}

/// Subjects so small that new numbers are old ones of others.
const POSTED_BY_EIGHT: &str = "WITH RECURSIVE subject (n) AS (
        SELECT 1 UNION ALL SELECT n + 1 FROM subject WHERE n < 200),
    slot (n) AS (VALUES (0), (1), (3))
    INSERT INTO postings SELECT 7, subject.n * 8 + slot.n, 100000000000000001,
        200000000000000007, subject.n, 1, subject.n + 5 FROM subject, slot";

#[tokio::test]
async fn postings_of_eight_numbers_a_subject_are_counted_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    file_of(&path, 2).execute_batch(POSTED_BY_EIGHT).unwrap();
    let store = SqliteStore::open_existing(&path).unwrap();
    assert_eq!(
        store.pending_migrations(),
        Ok(vec![
            "0003_loyalty",
            "0004_vouchers",
            "0005_trans_keys",
            "0006_code_chains",
            "0007_code_use_log",
            "0008_late_logs",
            "0009_running_parts",
            "0010_short_texts",
            "0011_digest_leads",
            "0012_kept_events",
            "0013_short_use_log"
        ])
    );
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.pending_migrations(), Ok(Vec::new()));
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let postings = snapshot.postings(None, 1_000).await.unwrap();
    let expected = (1..=200).flat_map(|n| [0, 1, 3].map(|slot| (n * 64 + slot, n)));
    let found = postings.iter().map(|it| (it.number(), it.amount));
    assert!(found.eq(expected));
    assert!(postings.iter().all(|it| it.at.0 == it.subject.0 + 5));
    assert!(postings.iter().all(|it| it.tenant.0 == 7));
}

#[tokio::test]
async fn the_new_table_of_postings_keeps_the_rules_of_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    file_of(&path, 2).execute_batch(POSTED_BY_EIGHT).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let connection = store.connect_to_write().unwrap();
    for values in [
        "1, 64, 1, 2, 1, 1, 1",
        "1, 1, 1, 2, 0, 1, 1",
        "1, 1, 2, 2, 1, 1, 1",
    ] {
        let sql = format!("INSERT INTO postings VALUES ({values})");
        let refused = connection.execute(&sql, []).map_err(from_sqlite);
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{values}");
    }
    let sound: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
    let read = Posting::read_number(64).map(|(subject, _)| subject.0);
    assert_eq!(read, Some(1));
}

/// Each statement finds its rows by an index, in their order.
#[test]
fn no_look_at_cards_or_events_reads_or_sorts_a_whole_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("a.db")).unwrap();
    let connection = store.connect_to_write().unwrap();
    let listing = "SELECT body FROM cards WHERE (tenant, key) > (1, '') AND tenant <= 2 \
         ORDER BY tenant, key LIMIT 10";
    let due = "SELECT body FROM cards WHERE due_at <= 5 ORDER BY due_at, tenant, key LIMIT 10";
    let place = "SELECT serial FROM trans_keys WHERE tenant = 1 AND kind = 0 AND value = 2";
    let newer = "SELECT serial FROM trans \
         WHERE serial > (SELECT serial FROM trans_keys_settled) AND tenant = 1 AND place = 2";
    let batch = "SELECT value, serial FROM trans_keys \
         WHERE tenant = 1 AND kind = 0 AND value >= 2 AND value <= 3 ORDER BY value LIMIT 10";
    let card = "SELECT body FROM cards WHERE tenant = 1 AND key = '2'";
    for sql in [listing, due, place, newer, batch, card] {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = connection.prepare(&explain).unwrap();
        let lines = statement
            .query_map([], |row| row.get::<_, String>(3))
            .unwrap();
        let plan: Vec<String> = lines.map(Result::unwrap).collect();
        let plan = plan.join("; ");
        assert!(
            plan.contains("SEARCH") && !plan.contains("TEMP B-TREE"),
            "{sql}: {plan}"
        );
    }
}

#[tokio::test]
async fn refunds_of_the_time_before_vouchers_give_none_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let refunded = "INSERT INTO refunds (tenant, serial, payment, merchant, origin, amount, \
         created_at, state) VALUES (1, 5, 4, 7, 1, 300, 9, 0)";
    file_of(&path, 3).execute_batch(refunded).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let refunds = snapshot.refunds(None, 9).await.unwrap();
    assert_eq!(refunds.len(), 1);
    assert!(!refunds[0].voucher_back);
}

#[test]
fn a_limit_that_changes_has_no_statement_prepared_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("new.db")).unwrap();
    let connection = store.connect_to_read().unwrap();
    let mut statement = connection
        .prepare("SELECT subject FROM jobs LIMIT ?1")
        .unwrap();
    for limit in 1..9 {
        assert!(!statement.exists([limit]).unwrap());
    }
    assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
}

/// What a look at the 4,000th of 5,000 neighbours takes, in steps of SQLite's machine.
fn steps(table: &str, row: &str, condition: &str, values: impl rusqlite::Params) -> i32 {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("new.db")).unwrap();
    let sql = format!(
        "WITH RECURSIVE neighbour (n) AS (
            SELECT 0 UNION ALL SELECT n + 1 FROM neighbour WHERE n < 4999)
        INSERT INTO {table} SELECT {row} FROM neighbour"
    );
    store
        .connect_to_write()
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let connection = store.connect_to_read().unwrap();
    let sql = format!("SELECT first FROM {table} WHERE {condition}");
    let mut statement = connection.prepare(&sql).unwrap();
    let found = statement.query_map(values, |row| row.get::<_, i64>(0));
    let found: Vec<i64> = found.unwrap().map(Result::unwrap).collect();
    assert_eq!(found, [4_000]);
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn a_look_into_a_box_does_not_begin_at_its_first_reel() {
    let row = "1, 'R' || n, 3, 7, n, n, NULL";
    let steps = steps(
        "voucher_units",
        row,
        stock::UNITS_IN,
        (7, 3, 4_000, 4_000, -1, 9),
    );
    assert!(steps < 200, "{steps} steps");
}

#[test]
fn a_look_into_a_box_does_not_begin_at_its_first_span() {
    let condition = voucher_reader::SPANS_BEHIND;
    let steps = steps(
        "voucher_spans",
        "7, n, n, 1, NULL, ''",
        condition,
        (7, 4_000, 4_000, -1, 9),
    );
    assert!(steps < 200, "{steps} steps");
}

#[tokio::test]
async fn a_backup_is_a_store_and_leaves_the_reader_reading_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("a.db")).unwrap();
    let (reader, copy) = (store.reader(), dir.path().join("b.db"));
    reader.backup(copy.clone()).await.unwrap();
    let opened = SqliteStore::open_existing(&copy).unwrap();
    assert_eq!(opened.pending_migrations(), Ok(Vec::new()));
    assert_eq!(opened.reader().tenants().await, Ok(Vec::new()));
    assert!(reader.backup(copy).await.is_err());
    let write = reader.look(|it| it.execute("DELETE FROM jobs", []).map_err(from_sqlite));
    assert!(write.is_err());
}
