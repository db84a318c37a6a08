//! How the server runs the statements, on empty and on filled tables.

use super::fixture::store_at;
use crate::{
    contract::PaymentFilter,
    postgres::{
        link::{KEPT_PLANS, PLAN_ANEW},
        queries,
        session::{Session, read_url},
        statements,
    },
    testing,
};
use tokio_postgres::SimpleQueryMessage;

const FILL: &str = "BEGIN READ WRITE;
INSERT INTO payments (tenant, serial, merchant, claim, merchant_serial, flow, channel, amount,
    created_at, expires_at, details, state, flags, refunded, refunding)
SELECT 1, n, 7, decode(md5(n::text), 'hex'), n, 0, 2, 100, n, n, '{}', 1, 0, 0, 0
FROM generate_series(1, 20000) n;
INSERT INTO jobs SELECT 1, n, 1, n, 0 FROM generate_series(1, 20000) n;
INSERT INTO notifications SELECT 1, n, 7, 1, 0, 1, n FROM generate_series(1, 20000) n;
INSERT INTO refunds (tenant, serial, payment, merchant, origin, amount, created_at, state)
SELECT 1, n, n, 7, 1, 1, n, 0 FROM generate_series(1, 20000) n;
COMMIT";

const ANALYZE: &str = "BEGIN READ WRITE; ANALYZE; COMMIT";

type Wanted = (&'static str, String, String);

/// The writer's statements that find rows of a table, with values for their parameters.
fn writers(tenant: u8) -> Vec<Wanted> {
    let wanted = [
        ("payments", "lock_payments", "'{5,6,7}', '{}'"),
        ("payments", "lock_payments", r#"'{}', '{"\\x00"}'"#),
        (
            "payments",
            "put_payments",
            "'{5,6}', '{1,1}', '{1,1}', '{1,1}', '{0,0}', '{0,0}', '{0,0}', '{a,b}', '{a,b}'",
        ),
        ("jobs", "lock_jobs", "'{5,6,7}'"),
        ("jobs", "remove_jobs", "'{5,6,7}'"),
        ("refunds", "lock_refunds", "'{5,6,7}', '{}'"),
        ("notifications", "lock_notifications", "'{5,6,7}'"),
    ];
    let filled = |(table, name, values)| {
        let found = statements::ALL.iter().find(|(it, _)| *it == name);
        let (_, sql) = found.unwrap();
        (table, (*sql).to_owned(), format!("{tenant}, {values}"))
    };
    wanted.map(filled).to_vec()
}

/// The readers' statements that find rows of a table.
fn readers() -> Vec<Wanted> {
    let filter = PaymentFilter::default();
    let undecided = PaymentFilter {
        undecided: true,
        ..PaymentFilter::default()
    };
    let due_jobs = || queries::DUE_JOBS.to_owned();
    [
        ("jobs", due_jobs(), "500, 10, '{2}'"),
        ("payments", due_jobs(), "500, 10, '{2}'"),
        (
            "payments",
            queries::payments_by_serial(),
            "'{1,1}', '{5,6}'",
        ),
        (
            "notifications",
            queries::due_notifications(),
            "500, 10, '{1}', '{7}'",
        ),
        ("payments", queries::payment_of_any(), "5"),
        (
            "payments",
            queries::payments(&filter),
            "5000, 10, NULL, NULL",
        ),
        ("payments", queries::payments(&undecided), "50, 10, 1, NULL"),
        ("refunds", queries::refunds_of(), "1, 5"),
    ]
    .map(|(table, sql, values)| (table, sql, values.to_owned()))
    .to_vec()
}

async fn plan(session: &Session, sql: &str, values: &str) -> String {
    session
        .execute(&format!("PREPARE it AS {sql}"))
        .await
        .unwrap();
    let plan = prepared_plan(session, values).await;
    session.execute("DEALLOCATE it").await.unwrap();
    plan
}

async fn prepared_plan(session: &Session, values: &str) -> String {
    let explain = format!("EXPLAIN EXECUTE it ({values})");
    let lines = session.client.simple_query(&explain).await.unwrap();
    let line = |message: &SimpleQueryMessage| {
        let SimpleQueryMessage::Row(row) = message else {
            return None;
        };
        row.get(0).map(str::to_owned)
    };
    lines.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

async fn session() -> Session {
    let url = testing::database().unwrap();
    store_at(&url).await;
    Session::connect(&read_url(&url).unwrap()).await.unwrap()
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let session = session().await;
    for fill in ["", FILL, ANALYZE] {
        session.execute(fill).await.unwrap();
        for (table, sql, values) in writers(1).into_iter().chain(readers()) {
            let plan = plan(&session, &sql, &values).await;
            assert!(
                !plan.contains(&format!("Seq Scan on {table}")),
                "{fill}\n{sql}\n{plan}"
            );
        }
    }
}

/// The server looked at its tables when they held one tenant's rows, and another one's come now.
#[tokio::test]
async fn no_statement_reads_all_of_a_tenant_that_the_statistics_do_not_know() {
    let session = session().await;
    session.execute(FILL).await.unwrap();
    session.execute(ANALYZE).await.unwrap();
    for settings in ["", KEPT_PLANS] {
        session.execute(settings).await.unwrap();
        for (table, sql, values) in writers(2) {
            let plan = plan(&session, &sql, &values).await;
            let by_tenant = plan.contains("Index Cond: (tenant = ");
            let whole = plan.contains(&format!("Seq Scan on {table}"));
            assert!(!by_tenant && !whole, "{settings}\n{sql}\n{plan}");
        }
    }
}

#[tokio::test]
async fn a_plan_made_on_an_empty_table_reads_no_full_one_whole() {
    let (session, values) = (session().await, "1, '{5,6,7}'");
    session.execute(KEPT_PLANS).await.unwrap();
    let sql = statements::ALL
        .iter()
        .find(|(name, _)| *name == "lock_jobs");
    let prepare = format!("PREPARE it AS {}", sql.unwrap().1);
    for step in [ANALYZE, &prepare] {
        session.execute(step).await.unwrap();
    }
    let on_empty = prepared_plan(&session, values).await;
    for step in [FILL, PLAN_ANEW, "COMMIT"] {
        session.execute(step).await.unwrap();
    }
    let on_full = prepared_plan(&session, values).await;
    assert!(!on_empty.contains("Seq Scan"), "{on_empty}");
    assert!(on_full.contains("Index Cond: ((subject = ANY"), "{on_full}");
}
