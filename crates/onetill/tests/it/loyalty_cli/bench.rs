//! `onetill simulate roster` and `onetill bench` with a mix of member terminals.

use super::Shop;
use serde_json::Value;

async fn shop_with_a_roster() -> Shop {
    let shop = Shop::open().await;
    let add = [
        "simulate",
        "roster",
        "roster",
        "--terminals",
        "9",
        "--cards",
        "20",
    ];
    shop.operate(&add).await.well();
    shop
}

async fn bench(shop: &Shop, words: &[&str]) -> Value {
    let url = shop.url();
    let all = [
        "bench",
        "--url",
        &url,
        "--json",
        "--roster",
        "roster",
        "--connections",
        "3",
        "--warmup",
        "0",
    ];
    shop.run(&[&all, words].concat()).await.well().json()
}

fn count(report: &Value, kind: &str) -> u64 {
    let outcomes = report["outcomes"].as_array().unwrap().iter();
    let of_kind = outcomes.filter(|it| it["kind"] == kind && it["right"] == true);
    of_kind.map(|it| it["count"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_queries_and_settlements_are_measured_and_balance() {
    let shop = shop_with_a_roster().await;
    let words = ["--mix", "consume=6,card=2,settle=1", "--requests", "150"];
    let report = bench(&shop, &words).await;
    let counts = ["consume", "card", "settle"].map(|kind| count(&report, kind));
    assert!(counts.iter().all(|it| *it > 0), "{report}");
    // Whoever settled checked in again, unless it was the last thing it did.
    assert!(count(&report, "checkin") <= counts[2], "{report}");
    assert_eq!(
        (&report["failures"], &report["unbalanced"]),
        (&0.into(), &0.into())
    );
    // The batches are closed: the next run begins its own.
    let report = bench(&shop, &["--mix", "consume=1", "--requests", "10"]).await;
    assert_eq!(count(&report, "consume"), 10, "{report}");
    let work = shop.operate(&["terminal", "work", "--json"]).await.well();
    assert_eq!(work.json(), Value::Array(Vec::new()));
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_batches_are_settled_beside_the_others() {
    let shop = shop_with_a_roster().await;
    let words = [
        "--mix",
        "consume=1",
        "--rate",
        "100",
        "--settle",
        "30",
        "--duration",
        "2",
    ];
    let report = bench(&shop, &words).await;
    for figure in ["settle_max_ms", "journal_max_ms"] {
        assert!(report[figure].as_f64().unwrap() > 0.0, "{report}");
    }
    let asked = ["apart", "beside_settle", "beside_journal"];
    let asked = asked.map(|name| report[name]["requests"].as_u64().unwrap());
    assert!(asked.iter().sum::<u64>() > 0, "{report}");
    assert_eq!(
        (&report["failures"], &report["unbalanced"]),
        (&0.into(), &0.into())
    );
    // One sale was forgotten in half of the six batches, and found.
    let work = shop.operate(&["terminal", "work", "--json"]).await.well();
    assert_eq!(work.json().as_array().map(Vec::len), Some(3));
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_terminals_are_told_with_what_helps() {
    let shop = Shop::open().await;
    let url = shop.url();
    let words = ["bench", "--url", &url, "--mix", "consume=1"];
    let told = shop.run(&words).await;
    assert_eq!(told.code, 1);
    for word in ["64 terminals", "simulate roster"] {
        assert!(told.err.contains(word), "{}", told.err);
    }
    let more = ["--connections", "2", "--requests", "20", "--json"];
    let two = [&words[..], &more].concat();
    let report = shop.run(&two).await.well().json();
    assert_eq!(count(&report, "consume"), 20, "{report}");
}
