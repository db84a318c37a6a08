//! How the server runs the statements about voucher codes, whatever it knows of a box.

use super::{
    fixture::store_at,
    plans_of_cards::{SETTINGS, plan},
};
use crate::{
    postgres::{
        columns::serial_text,
        link::KEPT_PLANS,
        paying::paying_sql,
        session::{Session, read_url},
        sight, stock,
        voucher::{LOCK_USES, REMOVE_SPAN, SUMS, busy_sql, hold_spans_sql, spans_sql},
        voucher_reader::{due_sql, events_of_sql, spans_in_sql, uses_in_sql},
    },
    testing,
};
use domain::ids::Serial;

const ANALYZE: &str = "BEGIN READ WRITE; ANALYZE; COMMIT";

/// A box of many rows in each table.
fn fill(carton: u8) -> String {
    let rows = "FROM generate_series(1, 20000) n";
    format!(
        "BEGIN READ WRITE;
        INSERT INTO cartons SELECT 1, '{carton}-' || n, '{{}}' {rows};
        INSERT INTO voucher_spans SELECT 1, {carton}, n * 10, n * 10 + 9, n, '{{}}' {rows};
        INSERT INTO code_uses SELECT 1, {carton}, n, n % 2, 0, 1, 1, n, 0 {rows};
        INSERT INTO code_events SELECT 1, n, {carton}, n, 0, NULL, '{{}}' {rows};
        INSERT INTO voucher_codes SELECT {carton}, n, 'x' {rows};
        INSERT INTO voucher_digests
            SELECT decode(md5('{carton} ' || n), 'hex'), 1, {carton}, n {rows};
        INSERT INTO voucher_units SELECT 1, '{carton}-' || n, 3, {carton}, n, n, NULL {rows};
        INSERT INTO stock_changes SELECT 1, '{carton}-' || n, '{{}}' {rows};
        COMMIT"
    )
}

/// A statement, values for its parameters, and what its plan must look up by.
type Wanted = (String, &'static str, &'static [&'static str]);

/// About box 2.
fn writers() -> Vec<Wanted> {
    let spans: &[&str] = &["(first >= ", "(first <= "];
    vec![
        (
            paying_sql(),
            r#"1, '{"\\x00","\\x01"}'"#,
            &["(digest = ", "(key = ", "(first <= ", "(idx = "],
        ),
        (
            spans_sql("FOR UPDATE"),
            "'{2,2}', '{15,95}', '{40,96}'",
            spans,
        ),
        (
            hold_spans_sql(),
            "'{2,2}', '{15,16}'",
            &["(first <= ", "(first = "],
        ),
        (spans_sql("OFFSET 0"), "'{2}', '{15}', '{40}'", spans),
        (LOCK_USES.to_owned(), "'{2,2}', '{5,6}'", &["(idx = "]),
        (busy_sql(), "'{2,2}', '{5,60}', '{9,90}'", &["(idx >= "]),
        (
            SUMS.to_owned(),
            "'{2,2}', '{5,60}', '{9,90}'",
            &["(idx >= "],
        ),
        (REMOVE_SPAN.to_owned(), "2, 10", &["(first = "]),
    ]
}

fn readers() -> Vec<Wanted> {
    vec![
        (
            sight::SQL.clone(),
            r"1, '\x00', '2-5'",
            &[
                "(digest = ",
                "(id = ",
                "(key = (to_char",
                "(idx = ",
                "(level = '2'",
                "(level = '3'",
                "(first <= ",
                "(key = ((",
            ],
        ),
        (stock::unit_sql(), "1, '2-5'", &["(id = "]),
        (stock::units_in_sql(), "2, 3, 5, 9, -1, 9", &["(level = "]),
        (
            stock::BY_DIGEST.to_owned(),
            r#"'{"\\x00","\\x01"}'"#,
            &["(digest = "],
        ),
        (stock::STORED_CODES.to_owned(), "2, 5, 9, 9", &["(idx >= "]),
        (spans_in_sql(), "2, 15, 40, -1, 9", &["(first <= "]),
        (uses_in_sql(), "2, 5, 9, 9", &["(idx >= "]),
        (
            events_of_sql(),
            "5, 2, 5, 7, 0",
            &["(subject = ", ".before)"],
        ),
        (due_sql(), "99, 5, 2, 0, 9", &["(due_at <= "]),
    ]
}

async fn session() -> Session {
    let url = testing::database().unwrap();
    store_at(&url).await;
    Session::connect(&read_url(&url).unwrap()).await.unwrap()
}

/// Each condition is looked up in an index, and no table is read whole or sorted.
fn assert_looks_up(plan: &str, conditions: &[&str], context: &str) {
    let looked_up = plan.lines().filter(|line| line.contains("Index Cond:"));
    let looked_up: Vec<&str> = looked_up.collect();
    for condition in conditions {
        let is_used = looked_up.iter().any(|it| it.contains(condition));
        assert!(is_used, "{condition}\n{context}\n{plan}");
    }
    assert!(!plan.contains("Seq Scan on"), "{context}\n{plan}");
    // What a statement makes distinct is what was found of the rows that it names.
    let sorts_few = context.contains("SELECT DISTINCT");
    assert!(sorts_few || !plan.contains("Sort"), "{context}\n{plan}");
}

#[tokio::test]
async fn codes_are_looked_up_by_their_box_whatever_is_known_of_it() {
    let session = session().await;
    for fill in [
        String::new(),
        fill(1),
        ANALYZE.to_owned(),
        fill(2),
        ANALYZE.to_owned(),
    ] {
        session.execute(&fill).await.unwrap();
        for settings in SETTINGS {
            session.execute(settings).await.unwrap();
            for (sql, values, conditions) in writers().into_iter().chain(readers()) {
                let plan = plan(&session, &sql, values).await;
                let context = format!("{fill}\n{settings}\n{sql}");
                assert_looks_up(&plan, conditions, &context);
            }
        }
    }
}

#[tokio::test]
async fn a_box_is_found_by_its_serial_as_it_is_written() {
    let session = session().await;
    let day = 1_000_000_000_000;
    for number in [
        0,
        1,
        day - 1,
        59 * day,
        20_779 * day + 70_001,
        24_836 * day + 999_999_999_999,
    ] {
        let text = serial_text("found.carton");
        let sql = format!("SELECT {text} FROM (SELECT {number}::bigint AS carton) AS found");
        let row = session.client.query_one(&sql, &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), Serial(number).to_string());
    }
}

/// A table that is empty, and that the server knows to be so, is read whole: that costs nothing. The
/// plan must not outlive the table's being empty, and on the connections that keep plans it does.
#[tokio::test]
async fn a_plan_that_is_kept_is_right_for_a_table_that_was_empty() {
    let session = session().await;
    session.execute(ANALYZE).await.unwrap();
    let sql = sight::SQL.as_str();
    for (settings, is_right) in [(SETTINGS[1], false), (KEPT_PLANS, true)] {
        session.execute(settings).await.unwrap();
        let plan = plan(&session, sql, r"1, '\x00', '2-5'").await;
        assert_eq!(!plan.contains("Seq Scan on"), is_right, "{plan}");
    }
}
