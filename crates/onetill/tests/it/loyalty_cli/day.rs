//! `onetill simulate till`: a day agrees, and a difference is named.

use super::Shop;
use serde_json::Value;

fn is_clean(report: &Value) -> bool {
    report["agrees"] == true
        && report["disagreements"]
            .as_array()
            .is_some_and(Vec::is_empty)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_lost_answers_agrees_and_a_planted_difference_is_named() {
    let shop = Shop::open().await;
    let url = shop.url();
    let words = [
        "simulate",
        "till",
        "--url",
        &url,
        "--json",
        "--transactions",
        "80",
    ];
    let day = shop
        .run(&[&words[..], &["--jams", "25"]].concat())
        .await
        .well()
        .json();
    assert!(is_clean(&day), "{day}");
    assert_eq!(
        (&day["balanced"], &day["cards_compared"]),
        (&2.into(), &2.into())
    );
    let count = |name: &str| day[name].as_u64().unwrap();
    assert!(
        count("reversed") > 0 && count("answers_lost") > 0 && count("late") > 0,
        "{day}"
    );
    let planted = shop
        .run(&[&words[..], &["--plant-difference"]].concat())
        .await
        .well()
        .json();
    assert_eq!(
        (&planted["planted"]["found"], &planted["balanced"]),
        (&true.into(), &1.into())
    );
    let work = shop
        .operate(&["terminal", "work", "--json"])
        .await
        .well()
        .json();
    let matters = work.as_array().unwrap().iter().map(|it| &it["matter"]);
    assert_eq!(
        matters
            .filter(|it| *it == "settled with differences")
            .count(),
        1,
        "{work}"
    );
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_of_ones_own_play_too() {
    let shop = Shop::open().await;
    let store = [
        "store",
        "add",
        "88001",
        "--tenant",
        "demo",
        "--network",
        "127.0.0.1",
    ];
    shop.operate(&store).await.well();
    let add = [
        "terminal",
        "add",
        "88001/100",
        "--count",
        "5",
        "--make-key",
        "--mac",
        "--json",
    ];
    let added = shop.operate(&add).await.well();
    std::fs::write(shop.path("terminals.json"), &added.out).unwrap();
    let cards: String = (0..4).map(|it| format!("888800000000000{it}\n")).collect();
    std::fs::write(shop.path("cards.csv"), format!("card\n{cards}")).unwrap();
    shop.operate(&["member", "import", "cards.csv", "--tenant", "demo"])
        .await
        .well();
    let url = shop.url();
    let words = [
        "simulate",
        "till",
        "--url",
        &url,
        "--json",
        "--transactions",
        "20",
        "--terminals-file",
        "terminals.json",
        "--cards-file",
        "cards.csv",
    ];
    let day = shop.run(&words).await.well().json();
    assert!(is_clean(&day), "{day}");
    assert_eq!(
        (&day["terminals"], &day["balanced"]),
        (&5.into(), &5.into())
    );
}
