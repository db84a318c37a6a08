//! What a use of a code writes, and events of codes from one version of the schema to the next.

use super::fixture::{clock, store_at};
use crate::{
    audit::{self, audit},
    contract::{Reader, Writer},
    postgres::PostgresStore,
    testing,
};
use domain::{
    ids::{Serial, TenantId},
    rows::{Changes, Plan},
    time::UnixMs,
    voucher::{
        code::CodeNo,
        code_use::{CodeAct, CodeEvent, CodeUse, Scene},
        rows::VoucherChanges,
    },
};
use std::time::Duration;

/// Makes of a new database one as the program left it that knew the first four versions.
const BEFORE_CHAINS: &str = "BEGIN READ WRITE;
    ALTER TABLE code_uses DROP COLUMN last, DROP COLUMN act, DROP COLUMN at, DROP COLUMN before;
    ALTER TABLE code_uses ADD COLUMN busy boolean NOT NULL DEFAULT false;
    UPDATE code_uses SET busy = used > 0 OR reserved > 0;
    CREATE INDEX code_uses_busy ON code_uses (carton, idx) WHERE busy;
    UPDATE code_events SET body = '{\"tenant\":' || tenant || ',\"code\":{\"b\":' || carton || ',\"i\":' || idx
        || '},\"number\":' || number || ',\"act\":\"' || (body::json ->> 'a') || '\",\"at\":'
        || (body::json ->> 't') || ',\"subject\":' || subject || ',\"scene\":' || coalesce((body::json -> 's')::text, 'null') || '}';
    ALTER TABLE code_events DROP COLUMN subject, DROP COLUMN before;
    ALTER TABLE code_events ADD PRIMARY KEY (carton, idx, number, tenant);
    DELETE FROM schema_version WHERE version >= 5;
    COMMIT";

/// Beside this thread: what it waits for may be a connection that this thread closes.
async fn execute(url: &str, sql: impl Into<String>) {
    let (url, sql) = (url.to_owned(), sql.into());
    let run = tokio::task::spawn_blocking(move || testing::execute(&url, &sql));
    run.await.unwrap().unwrap();
}

async fn stored(store: &PostgresStore) -> (Vec<CodeUse>, Vec<CodeEvent>) {
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let uses = snapshot.code_uses(None, 1_000).await.unwrap();
    (uses, snapshot.code_events(None, 1_000).await.unwrap())
}

#[tokio::test]
async fn events_of_the_time_before_chains_are_chained() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    audit::tests::voucher::record(&mut store.writer().await.unwrap()).await;
    let (uses, events) = stored(&store).await;
    execute(&url, BEFORE_CHAINS).await;
    for (event, body) in audit::tests::voucher::kept_texts(&uses) {
        let CodeEvent { code, number, .. } = event;
        let (carton, index, tenant) = (code.carton.0, code.index, event.tenant.0);
        let columns = "(tenant, carton, idx, number, body)";
        let values = format!("({tenant}, {carton}, {index}, {number}, '{body}')");
        execute(
            &url,
            format!("INSERT INTO code_events {columns} VALUES {values}"),
        )
        .await;
    }
    let before = audit::tests::voucher::all_recorded(uses, events);
    assert!(before.1.iter().any(|it| it.before.is_some()));
    let store = PostgresStore::connect(&url, clock()).await.unwrap();
    assert_eq!(store.migrate().await, Ok(3));
    assert_eq!(stored(&store).await, before);
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let report = audit(snapshot.as_mut(), &mut |_| {}).await.unwrap();
    assert_eq!(report.violations, []);
}

/// Whatever a till calls itself.
#[tokio::test]
async fn an_old_event_keeps_its_texts() {
    let url = testing::database().unwrap();
    store_at(&url).await;
    execute(&url, BEFORE_CHAINS).await;
    let body = r#"{"tenant":1,"code":{"b":7,"i":5},"number":#,"act":"Used","at":4,"subject":@,"scene":{"s":"\u0000\"}","t":"\u5976}"}}"#;
    let first = Serial(20_779_000_000_000_001);
    let bodies = [(0, first.0), (1, 9)].map(|(number, subject)| {
        let body = body.replace('#', &number.to_string());
        format!(
            "(1, 7, 5, {number}, '{}')",
            body.replace('@', &subject.to_string())
        )
    });
    let rows = format!(
        "BEGIN READ WRITE;
        INSERT INTO code_events (tenant, carton, idx, number, body) VALUES {};
        INSERT INTO code_uses (tenant, carton, idx, busy, used, reserved, events, newest)
            VALUES (1, 7, 5, true, 2, 0, 2, 9);
        COMMIT",
        bodies.join(", ")
    );
    testing::execute(&url, &rows).unwrap();
    let (uses, events) = stored(&store_at(&url).await).await;
    let chain: Vec<_> = events.iter().map(|it| (it.subject.0, it.before)).collect();
    assert_eq!(chain, [(9, Some(first)), (first.0, None)]);
    assert_eq!((uses[0].last, uses[0].events), (Some(Serial(9)), 2));
    for event in events {
        let Scene {
            store, terminal, ..
        } = event.scene.unwrap();
        assert_eq!((&*store, &*terminal), ("\0\"}", "\u{5976}}"));
    }
}

/// A batch that holds or spends a use of each of these codes.
async fn write(writer: &mut impl Writer, voucher: VoucherChanges) {
    writer.load(Plan::default()).await.unwrap();
    let changes = Changes {
        voucher,
        ..Changes::default()
    };
    writer.commit(changes).await.unwrap();
}

/// The second row of a code must stay on the first one's page.
#[tokio::test]
async fn spending_a_held_use_touches_no_index() {
    const BATCHES: i64 = 40;
    const CODES: u32 = 25;
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let mut writer = store.writer().await.unwrap();
    let held = |batch: i64, n: u32| CodeUse {
        reserved: 1,
        newest: Some(Serial(batch)),
        ..CodeUse::untouched(
            TenantId(1),
            CodeNo {
                carton: Serial(7),
                // Spread over the whole box.
                index: (u32::try_from(batch).unwrap() * CODES + n).wrapping_mul(2_654_435_761),
            },
        )
    };
    // Uses are held in one batch and spent three batches later.
    for batch in 0..BATCHES + 3 {
        let mut changes = VoucherChanges::default();
        let codes = |is_wanted| 0..if is_wanted { CODES } else { 0 };
        let added = codes(batch < BATCHES).map(|n| held(batch, n));
        changes.uses_added = added.collect();
        for n in codes(batch >= 3) {
            let mut code_use = held(batch - 3, n);
            code_use.reserved = 0;
            code_use.used = 1;
            let (at, subject) = (UnixMs(batch), Serial(batch));
            assert_eq!(code_use.keep(CodeAct::Used, at, subject), None);
            changes.uses.push(code_use);
        }
        write(&mut writer, changes).await;
    }
    drop(writer);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let all = BATCHES * i64::from(CODES);
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables \
         WHERE relname = 'code_uses'";
    for _ in 0..100 {
        let row = client.query_one(sql, &[]).await.unwrap();
        let (updates, hot): (i64, i64) = (row.get(0), row.get(1));
        if updates == all {
            // A page may be full while somebody else's old snapshot keeps it from being pruned.
            assert!(hot >= all * 9 / 10, "{hot} of {updates}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server's statistics never came");
}
