//! How the server runs the statements, on empty and on filled tables.

use super::fixture::store_at;
use crate::{
    contract::PaymentFilter,
    postgres::{
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

/// Statements that find rows, with values for their parameters.
fn wanted() -> Vec<(&'static str, String, &'static str)> {
    let own = |name: &str| {
        let found = statements::ALL.iter().find(|(it, _)| *it == name);
        found.map(|(_, sql)| (*sql).to_owned()).unwrap()
    };
    let filter = PaymentFilter::default();
    let undecided = PaymentFilter {
        undecided: true,
        ..PaymentFilter::default()
    };
    vec![
        ("payments", own("lock_payments"), "1, '{5,6,7}', '{}'"),
        ("payments", own("lock_payments"), r#"1, '{}', '{"\\x00"}'"#),
        (
            "payments",
            own("put_payments"),
            "1, '{5,6}', '{1,1}', '{1,1}', '{1,1}', '{0,0}', \
            '{0,0}', '{0,0}', '{a,b}', '{a,b}'",
        ),
        ("jobs", own("lock_jobs"), "1, '{5,6,7}'"),
        ("jobs", own("remove_jobs"), "1, '{5,6,7}'"),
        ("refunds", own("lock_refunds"), "1, '{5,6,7}', '{}'"),
        ("notifications", own("lock_notifications"), "1, '{5,6,7}'"),
        ("jobs", queries::DUE_JOBS.to_owned(), "500, 10, '{2}'"),
        ("payments", queries::DUE_JOBS.to_owned(), "500, 10, '{2}'"),
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
}

async fn plan(session: &Session, sql: &str, values: &str) -> String {
    session
        .execute(&format!("PREPARE it AS {sql}"))
        .await
        .unwrap();
    let explain = format!("EXPLAIN EXECUTE it ({values})");
    let lines = session.client.simple_query(&explain).await.unwrap();
    session.execute("DEALLOCATE it").await.unwrap();
    let line = |message: &SimpleQueryMessage| {
        let SimpleQueryMessage::Row(row) = message else {
            return None;
        };
        row.get(0).map(str::to_owned)
    };
    lines.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let url = testing::database().unwrap();
    store_at(&url).await;
    let session = Session::connect(&read_url(&url).unwrap()).await.unwrap();
    for fill in ["", FILL, "BEGIN READ WRITE; ANALYZE; COMMIT"] {
        session.execute(fill).await.unwrap();
        for (table, sql, values) in wanted() {
            let plan = plan(&session, &sql, values).await;
            assert!(
                !plan.contains(&format!("Seq Scan on {table}")),
                "{fill}\n{sql}\n{plan}"
            );
        }
    }
}
