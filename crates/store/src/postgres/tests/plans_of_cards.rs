//! How the server runs the statements about cards and events, whatever it knows of their tenant.

use super::fixture::store_at;
use crate::{
    postgres::{
        loyalty,
        session::{Session, read_url},
    },
    testing,
};
use domain::loyalty::document::DocumentKind;
use tokio_postgres::SimpleQueryMessage;

const CARD: DocumentKind = DocumentKind::Card;
const ANALYZE: &str = "BEGIN READ WRITE; ANALYZE; COMMIT";
const FILL: &str = "BEGIN READ WRITE;
INSERT INTO cards SELECT 1, n, n, '{}' FROM generate_series(1, 20000) n;
INSERT INTO terminals SELECT 1, n, n, '{}' FROM generate_series(1, 20000) n;
INSERT INTO trans SELECT 1, n, n, n, '{}' FROM generate_series(1, 20000) n;
COMMIT";
/// Rows of a tenant that the statistics do not know.
const FILL_ANOTHER: &str = "BEGIN READ WRITE;
INSERT INTO cards SELECT 2, n, n, '{}' FROM generate_series(1, 20000) n;
INSERT INTO terminals SELECT 2, n, n, '{}' FROM generate_series(1, 20000) n;
INSERT INTO trans SELECT 2, -n, n, n, '{}' FROM generate_series(1, 20000) n;
COMMIT";
/// Planned for the values at hand, and once for any.
pub(super) const SETTINGS: [&str; 2] = [
    "SET plan_cache_mode = force_custom_plan",
    "SET plan_cache_mode = force_generic_plan",
];

/// A statement, values for its parameters, and what its plan must look up by.
type Wanted = (String, &'static str, &'static [&'static str]);

/// About tenant 2.
fn wanted() -> Vec<Wanted> {
    vec![
        (loyalty::lock_sql(CARD), "2, '{5,6}'", &["(key = "]),
        (
            loyalty::lock_sql(DocumentKind::Terminal),
            "2, '{5,6}'",
            &["(key = "],
        ),
        (
            loyalty::LOCK_TRANS.to_owned(),
            "2, '{}', '{5,6}', '{7}'",
            &["(serial = ", "(place = ", "(number = "],
        ),
        (loyalty::by_key_sql(CARD), "2, '5'", &["(key = "]),
        (loyalty::trans_by_sql("serial"), "2, 5", &["(serial = "]),
        (loyalty::trans_by_sql("place"), "2, 5", &["(place = "]),
        (loyalty::trans_by_sql("number"), "2, 5", &["(number = "]),
        (
            loyalty::trans_between_sql(),
            "2, 5, 500, 0, 10",
            &["(place >= "],
        ),
    ]
}

pub(super) async fn plan(session: &Session, sql: &str, values: &str) -> String {
    let prepare = format!("PREPARE it AS {sql}");
    session.execute(&prepare).await.unwrap();
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

async fn session() -> Session {
    let url = testing::database().unwrap();
    store_at(&url).await;
    Session::connect(&read_url(&url).unwrap()).await.unwrap()
}

/// Each condition is looked up in an index, and no table is read whole.
fn assert_looks_up(plan: &str, conditions: &[&str], context: &str) {
    let looked_up = plan.lines().filter(|line| line.contains("Index Cond:"));
    let looked_up: Vec<&str> = looked_up.collect();
    for condition in conditions {
        let is_used = looked_up.iter().any(|it| it.contains(condition));
        assert!(is_used, "{condition}\n{context}\n{plan}");
    }
    for table in ["cards", "terminals", "trans"] {
        let whole = plan.contains(&format!("Seq Scan on {table}"));
        assert!(!whole, "{context}\n{plan}");
    }
}

#[tokio::test]
async fn rows_are_looked_up_by_their_names_whatever_is_known_of_the_tenant() {
    let session = session().await;
    for fill in ["", FILL, ANALYZE, FILL_ANOTHER, ANALYZE] {
        session.execute(fill).await.unwrap();
        for settings in SETTINGS {
            session.execute(settings).await.unwrap();
            for (sql, values, conditions) in wanted() {
                let plan = plan(&session, &sql, values).await;
                let context = format!("{fill}\n{settings}\n{sql}");
                assert_looks_up(&plan, conditions, &context);
            }
        }
    }
}

/// Many cards are due at the same moment, and a listing has many pages.
#[tokio::test]
async fn the_first_of_many_are_not_sorted_for() {
    let session = session().await;
    for fill in [FILL, FILL_ANOTHER, ANALYZE] {
        session.execute(fill).await.unwrap();
    }
    for (sql, values, condition) in [
        (loyalty::due_sql(CARD), "50000, 10", "(due_at <= "),
        (
            loyalty::listing_sql(CARD),
            "1, '5', 2, 10",
            "ROW(tenant, key) > ",
        ),
    ] {
        let plan = plan(&session, &sql, values).await;
        assert_looks_up(&plan, &[condition], &sql);
        assert!(!plan.contains("Sort"), "{sql}\n{plan}");
    }
}
