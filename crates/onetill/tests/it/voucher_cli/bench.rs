//! `onetill bench` with voucher codes.

use super::Shop;
use serde_json::Value;

/// A box of 120 codes that pay 20.00 once each; its name.
async fn issued(shop: &Shop, file: &str) -> String {
    let issue = [
        "voucher",
        "issue",
        "--partner",
        "1504",
        "--activity",
        "500706",
        "--ticket",
        "500812",
        "--packages",
        "2",
        "--reels",
        "3",
        "--codes",
        "20",
        "--out",
        file,
        "--json",
    ];
    let issued = shop.operate(&issue).await.well().json();
    issued["boxes"][0].as_str().unwrap().to_owned()
}

async fn bench(shop: &Shop, words: &[&str]) -> super::super::support::shop::Said {
    let url = shop.url();
    let all = [
        "bench",
        "--url",
        &url,
        "--json",
        "--connections",
        "3",
        "--warmup",
        "0",
    ];
    shop.run(&[&all, words].concat()).await
}

/// How often something was asked for, and answered so.
fn count(report: &Value, kind: &str, code: &str) -> u64 {
    let outcomes = report["outcomes"].as_array().unwrap().iter();
    let found = outcomes.filter(|it| it["kind"] == kind && it["code"] == code);
    found.map(|it| it["count"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_redeemed_once_and_looked_up_often() {
    let shop = Shop::open().await;
    let name = issued(&shop, "codes.csv").await;
    shop.call(&format!("voucher activate {name}")).await.well();
    let redeem = ["--mix", "redeem=1", "--codes", "codes.csv"];
    let some = [&redeem[..], &["--requests", "120"]].concat();
    let report = bench(&shop, &some).await.well().json();
    assert_eq!(count(&report, "redeem", "SUCCESS"), 120, "{report}");
    let used = shop.call(&format!("voucher info {name} --json")).await;
    assert_eq!(used.out.matches(r#""status":"04""#).count(), 120);
    let look = [
        "--mix",
        "code=1",
        "--codes",
        "codes.csv",
        "--requests",
        "200",
    ];
    let report = bench(&shop, &look).await.well().json();
    assert_eq!(count(&report, "code", "H00"), 200, "{report}");
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_needs_more_codes_than_there_are_does_not_count() {
    let shop = Shop::open().await;
    let name = issued(&shop, "codes.csv").await;
    shop.call(&format!("voucher activate {name}")).await.well();
    let words = [
        "--mix",
        "redeem=1",
        "--codes",
        "codes.csv",
        "--requests",
        "121",
    ];
    let said = bench(&shop, &words).await;
    assert_eq!(said.code, 1);
    let report = said.json();
    assert_eq!(count(&report, "redeem", "SUCCESS"), 120, "{report}");
    assert_eq!(count(&report, "redeem", "NO_CODES_LEFT"), 1, "{report}");
    let without = bench(&shop, &["--mix", "redeem=1"]).await;
    assert!(
        without.code == 1 && without.err.contains("--codes"),
        "{}",
        without.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boxes_are_activated_and_voided_beside_payments() {
    let shop = Shop::open().await;
    issued(&shop, "one.csv").await;
    issued(&shop, "other.csv").await;
    let other = std::fs::read_to_string(shop.path("other.csv")).unwrap();
    let (_, rows) = other.split_once('\n').unwrap();
    let one = std::fs::read_to_string(shop.path("one.csv")).unwrap();
    std::fs::write(shop.path("both.csv"), one + rows).unwrap();
    let words = ["--rate", "100", "--duration", "2", "--activate", "both.csv"];
    let report = bench(&shop, &words).await.well().json();
    assert_eq!(
        (&report["boxes"], &report["failures"]),
        (&2.into(), &0.into())
    );
    for change in ["activation", "void"] {
        let took = |what| report[format!("{change}_{what}_max_ms")].as_f64().unwrap();
        assert!(
            0.0 < took("accepted") && took("accepted") < took("done"),
            "{report}"
        );
    }
    let paid = ["apart", "beside_activation", "beside_void"];
    let paid = paid.map(|name| report[name]["requests"].as_u64().unwrap());
    assert!(paid.iter().all(|it| *it > 0), "{report}");
    // They are void now, and no box is activated twice.
    let again = bench(&shop, &words).await;
    assert!(
        again.code == 1 && again.err.contains("A02"),
        "{}",
        again.err
    );
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_comes_whole_unless_its_reader_stops() {
    let shop = Shop::open().await;
    let name = issued(&shop, "codes.csv").await;
    let pid = shop.gateway.pid().to_string();
    let whole = ["--tree", &name, "--pid", &pid];
    let report = bench(&shop, &whole).await.well().json();
    assert_eq!(
        (&report["readers"], &report["codes"]),
        (&3.into(), &360.into())
    );
    assert!(
        report["memory_before_mb"].as_f64().unwrap() > 1.0,
        "{report}"
    );
    let stalled = [&whole[..], &["--stall", "--duration", "0.2"]].concat();
    let report = bench(&shop, &stalled).await.well().json();
    assert!(report["took_s"].as_f64().unwrap() >= 0.2, "{report}");
    let unknown = bench(&shop, &["--tree", "X00000-0000000-00000"]).await;
    assert_eq!(unknown.code, 1, "{}", unknown.out);
}
