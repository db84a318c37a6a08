//! Codes and their events, from one version of the schema to the next.

use super::*;
use crate::{
    audit::{self, audit},
    contract::VoucherReader,
    flat::{FlatCodeEvent, FlatUse},
};
use domain::voucher::{
    code::CodeDigest,
    code_use::{CodeEvent, CodeUse},
};

/// Makes of a new file one as the program left it that knew the first five steps.
const BEFORE_CHAINS: &str = "
    CREATE TABLE old_uses (carton INTEGER NOT NULL, idx INTEGER NOT NULL, tenant INTEGER NOT NULL,
        busy INTEGER NOT NULL, used INTEGER NOT NULL, reserved INTEGER NOT NULL,
        events INTEGER NOT NULL, newest INTEGER, PRIMARY KEY (carton, idx)) STRICT, WITHOUT ROWID;
    CREATE TABLE old_events (carton INTEGER NOT NULL, idx INTEGER NOT NULL, number INTEGER NOT NULL,
        tenant INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (carton, idx, number))
        STRICT, WITHOUT ROWID;
    INSERT INTO old_events SELECT carton, idx, number, tenant, json_object('tenant', tenant,
        'code', json_object('b', carton, 'i', idx), 'number', number, 'act', body ->> '$.a',
        'at', body ->> '$.t', 'subject', subject, 'scene', body -> '$.s') FROM code_events;
    DROP TABLE code_uses;
    DROP TABLE code_use_log;
    DROP TABLE code_events;
    DROP TABLE document_log;
    CREATE TABLE old_digests (digest BLOB NOT NULL, tenant INTEGER NOT NULL, carton INTEGER NOT NULL,
        idx INTEGER NOT NULL, PRIMARY KEY (digest)) STRICT, WITHOUT ROWID;
    INSERT INTO old_digests SELECT unhex(printf('%016X', CASE WHEN lead < 0 THEN lead & 9223372036854775807
        ELSE lead | (-9223372036854775807 - 1) END) || hex(rest)), tenant, carton, idx
        FROM voucher_digests JOIN digest_boxes USING (box)
        UNION ALL SELECT digest, tenant, carton, idx FROM voucher_digests_apart JOIN digest_boxes USING (box);
    DROP TABLE voucher_digests;
    DROP TABLE voucher_digests_apart;
    DROP TABLE digest_boxes;
    ALTER TABLE old_digests RENAME TO voucher_digests;
    CREATE INDEX voucher_digests_carton ON voucher_digests (carton);
    ALTER TABLE old_uses RENAME TO code_uses;
    ALTER TABLE old_events RENAME TO code_events;
    CREATE INDEX code_uses_busy ON code_uses (carton, idx) WHERE busy;
    PRAGMA user_version = 5;";

async fn stored(store: &SqliteStore) -> (Vec<CodeUse>, Vec<CodeEvent>) {
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let uses = snapshot.code_uses(None, 1_000).await.unwrap();
    (uses, snapshot.code_events(None, 1_000).await.unwrap())
}

async fn assert_clean(store: &SqliteStore) {
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let report = audit(snapshot.as_mut(), &mut |_| {}).await.unwrap();
    assert_eq!(report.violations, []);
}

#[tokio::test]
async fn events_of_the_time_before_chains_are_chained() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let store = SqliteStore::open(&path).unwrap();
    audit::tests::voucher::record(&mut store.writer().unwrap()).await;
    let (uses, events) = stored(&store).await;
    drop(store);
    let old = Connection::open(&path).unwrap();
    old.execute_batch(BEFORE_CHAINS).unwrap();
    for (event, body) in audit::tests::voucher::kept_texts(&uses) {
        let it = FlatCodeEvent::of(&event).unwrap();
        let sql = "INSERT INTO code_events VALUES (?1, ?2, ?3, ?4, ?5)";
        old.execute(sql, (it.carton, it.idx, it.number, it.tenant, body))
            .unwrap();
    }
    let before = audit::tests::voucher::all_recorded(uses, events);
    assert!(before.1.iter().any(|it| it.before.is_some()));
    for it in before.0.iter().map(FlatUse::of) {
        let busy = it.used > 0 || it.reserved > 0;
        let sql = "INSERT INTO code_uses VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let counts = (it.used, it.reserved, it.events, it.newest);
        let (used, reserved, events, newest) = counts;
        let values = (
            it.carton, it.idx, it.tenant, busy, used, reserved, events, newest,
        );
        old.execute(sql, values).unwrap();
    }
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(stored(&store).await, before);
    assert_clean(&store).await;
}

/// Whatever a till calls itself.
#[tokio::test]
async fn an_old_event_keeps_its_texts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let body = |number: i64, subject: i64| {
        format!(
            r#"{{"tenant":1,"code":{{"b":7,"i":5}},"number":{number},"act":"Used","at":4,"subject":{subject},"scene":{{"s":"\u0000\"}}","t":"\u5976}}"}}}}"#
        )
    };
    let old = file_of(&path, 5);
    for (number, subject) in [(0, 20_779_000_000_000_001), (1, 9)] {
        let sql = "INSERT INTO code_events VALUES (7, 5, ?1, 1, ?2)";
        old.execute(sql, (number, body(number, subject))).unwrap();
    }
    let row = "INSERT INTO code_uses VALUES (7, 5, 1, 1, 2, 0, 2, 9)";
    old.execute_batch(row).unwrap();
    drop(old);
    let (uses, events) = stored(&SqliteStore::open(&path).unwrap()).await;
    let chain: Vec<_> = events.iter().map(|it| (it.subject.0, it.before)).collect();
    let first = domain::ids::Serial(20_779_000_000_000_001);
    assert_eq!(chain, [(9, Some(first)), (first.0, None)]);
    assert_eq!(
        (uses[0].last, uses[0].events),
        (Some(domain::ids::Serial(9)), 2)
    );
    for event in events {
        let scene = event.scene.unwrap();
        assert_eq!((&*scene.store, &*scene.terminal), ("\0\"}", "\u{5976}}"));
    }
}

/// Digests were found by all of their bytes.
#[tokio::test]
async fn old_digests_are_found_by_their_leads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let old = file_of(&path, 10);
    let leads = [
        0,
        1,
        0x0123_4567_89AB_CDEF,
        1 << 63,
        (1 << 63) - 1,
        u64::MAX,
    ];
    let digests = leads.map(|it| u128::from(it) << 64);
    let digests = [digests, digests.map(|it| it | 0xFEDC_BA98_7654_3210)].concat();
    let digests = || digests.iter().map(|it| CodeDigest(it.to_be_bytes()));
    for (index, digest) in digests().enumerate() {
        let sql = "INSERT INTO voucher_digests VALUES (?1, 1, 7, ?2)";
        old.execute(sql, (digest.0, i64::try_from(index).unwrap()))
            .unwrap();
    }
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    for (index, digest) in (0..).zip(digests()) {
        let found = store.reader().codes_by_digest(vec![digest]).await.unwrap();
        let codes: Vec<_> = found.iter().map(|it| it.code.index).collect();
        assert_eq!(codes, [index]);
    }
    let connection = store.connect_to_read().unwrap();
    for (table, rows) in [
        ("voucher_digests", leads.len()),
        ("voucher_digests_apart", leads.len()),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE box = 1");
        let count: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(count), Ok(rows), "{table}");
    }
    // In the order of the digests, so that they are stored fastest.
    let sql = "SELECT idx FROM voucher_digests ORDER BY lead";
    let mut statement = connection.prepare(sql).unwrap();
    let order = statement.query_map([], |row| row.get(0)).unwrap();
    let order: Vec<i64> = order.map(Result::unwrap).collect();
    assert_eq!(order, [0, 1, 2, 4, 3, 5]);
}

/// A log of the time when each change was a row.
#[tokio::test]
async fn an_old_log_of_codes_is_read_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let old = file_of(&path, 7);
    old.execute_batch(
        "INSERT INTO code_uses VALUES (7, 5, 1, 0, 1, 0, 9, NULL);
         INSERT INTO code_use_log VALUES (40, 7, 5, 1, 0, 1, 0, 9, NULL), (41, 7, 6, 1, 2, 1, 3, NULL, 8),
             (42, 7, 5, 1, 1, 0, 1, 9, 9);",
    )
    .unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    let (beside, _) = stored(&store).await;
    let writer = store.writer().unwrap();
    let (uses, _) = stored(&store).await;
    assert_eq!(uses, beside);
    let flat = uses.iter().map(FlatUse::of);
    let flat: Vec<_> = flat
        .map(|it| (it.idx, it.used, it.reserved, it.events, it.newest, it.last))
        .collect();
    let serials = [(5, 1, 0, 1, Some(9), Some(9)), (6, 2, 1, 3, None, Some(8))];
    assert_eq!(flat, serials);
    drop(writer);
}

/// A history whose rows of codes are partly in the table and partly in the log.
async fn history(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).unwrap();
    let mut writer = store.writer().unwrap();
    writer.indexes.uses.late().keep_at_most(2);
    audit::tests::voucher::record(&mut writer).await;
    store
}

#[tokio::test]
async fn a_history_is_clean_while_rows_of_codes_move() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = history(&path).await;
    let connection = store.connect_to_read().unwrap();
    for table in ["code_uses", "code_use_log"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "{table}");
    }
    assert_clean(&store).await;
    // As a program beside it sees it, and the one that comes after.
    assert_clean(&SqliteStore::open_existing(&path).unwrap()).await;
    let before = stored(&store).await;
    let copy = dir.path().join("copy.db");
    store.reader().backup(copy.clone()).await.unwrap();
    drop((connection, store));
    for path in [path, copy] {
        let store = SqliteStore::open(&path).unwrap();
        let writer = store.writer().unwrap();
        assert_eq!(stored(&store).await, before);
        drop(writer);
    }
}

#[tokio::test]
async fn the_audit_finds_rows_of_codes_that_are_lost_or_stale() {
    for plant in [
        "DELETE FROM code_use_log WHERE number = (SELECT max(number) FROM code_use_log)",
        "DELETE FROM code_uses WHERE used > 0 AND SETTLED",
        "UPDATE code_uses SET used = 0 WHERE used > 0 AND SETTLED",
        "UPDATE code_uses SET last = last + 1 WHERE used > 0 AND SETTLED",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = history(&dir.path().join("a.db")).await;
        let connection = store.connect_to_write().unwrap();
        let logged = code_uses::logged(&connection).unwrap();
        let logged = logged
            .keys()
            .map(|it| format!("({}, {})", it.carton.0, it.index));
        let logged: Vec<String> = logged.collect();
        assert_ne!(logged.len(), 0);
        let settled = format!("(carton, idx) NOT IN (VALUES {})", logged.join(", "));
        let plant = plant.replace("SETTLED", &settled);
        assert_ne!(connection.execute(&plant, []), Ok(0), "{plant}");
        let mut snapshot = store.reader().snapshot().await.unwrap();
        let report = audit(snapshot.as_mut(), &mut |_| {}).await.unwrap();
        let mut rules = report.violations.iter().map(|it| it.rule);
        assert!(rules.any(|it| it == audit::Rule::CodeUses), "{plant}");
    }
}
