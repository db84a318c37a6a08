//! A box, from the printer's file to its use in a payment.

use super::{ISSUE, rows, stock};
use crate::support::{process::all_files, shop::Shop};
use serde_json::json;
use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt};

const PACKING: [&str; 6] = ["--packages", "2", "--reels", "3", "--codes", "4"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_is_issued_activated_and_redeemed_beside_a_gateway() {
    let shop = Shop::open().await;
    let issued = shop.operate(&[&ISSUE[..], &PACKING].concat()).await.well();
    assert!(
        issued.out.contains("24 codes are in stock"),
        "{}",
        issued.out
    );
    let mode = fs::metadata(shop.path("codes.csv"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let rows = rows(&shop, "codes.csv");
    let distinct = |column: usize| {
        let cells = rows.iter().map(|it| it[column].as_str());
        cells.collect::<HashSet<_>>().len()
    };
    assert_eq!([0, 1, 2, 3].map(distinct), [1, 2, 6, 24]);

    let [carton, _, reel, code] = &rows[0];
    let active = shop
        .call(&format!("voucher activate {reel} --total 80"))
        .await
        .well();
    assert!(active.out.starts_with("A00"), "{}", active.out);
    let pay = format!("pay --amount 30 --code 284214903060794755 --voucher {code}");
    shop.call(&pay).await.well();
    let trace = shop.call(&format!("voucher trace {code}")).await.well();
    let words = ["activated", "used"].map(|it| trace.out.find(it));
    assert!(words[0].is_some() && words[0] < words[1], "{}", trace.out);
    let counts = &stock(&shop, carton).await["counts"];
    assert_eq!(
        (&counts["in_stock"], &counts["active"], &counts["used_up"]),
        (&json!(20), &json!(3), &json!(1))
    );
    let shown = shop
        .operate(&["voucher", "show", "--code", code])
        .await
        .well();
    assert!(
        shown.out.starts_with("status      used up"),
        "{}",
        shown.out
    );
    shop.operate(&["audit"]).await.well();
    nothing_tells_codes(&shop, &rows);
}

/// Neither what is stored nor what is logged holds a code.
fn nothing_tells_codes(shop: &Shop, rows: &[[String; 4]]) {
    let secrets: Vec<&str> = rows.iter().map(|it| it[3].as_str()).collect();
    let mut looked_at = 0;
    for (path, bytes) in all_files(shop.dir.path()) {
        if path.ends_with("codes.csv") {
            continue;
        }
        looked_at += 1;
        let holds = |secret: &&&str| {
            let secret = secret.as_bytes();
            bytes.windows(secret.len()).any(|it| it == secret)
        };
        assert!(secrets.iter().find(holds).is_none(), "{}", path.display());
    }
    assert!(looked_at > 2, "the store and the log at least");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_is_issued_without_a_gateway_and_exported_again_with_a_reason() {
    let mut shop = Shop::open().await;
    assert!(shop.gateway.terminate().await.success());
    let issue = [&ISSUE[..], &PACKING, &["--bin", "7020", "--first", "101"]].concat();
    shop.operate(&issue).await.well();
    let first = fs::read_to_string(shop.path("codes.csv")).unwrap();
    let carton = rows(&shop, "codes.csv")[0][0].clone();
    let shown = stock(&shop, &carton).await;
    assert_eq!(
        (
            &shown["bin"],
            &shown["first_segment"],
            &shown["counts"]["in_stock"]
        ),
        (&json!("7020"), &json!(101), &json!(24))
    );
    // Card numbers are one box's.
    let words = [&issue[..8], &["--out", "other.csv"], &issue[10..]].concat();
    let other = shop.operate(&words).await;
    assert!(
        other.code == 1 && other.err.contains(&carton),
        "{}",
        other.err
    );
    assert!(!shop.path("other.csv").exists());

    let export = ["voucher", "export", &carton, "--out", "again.csv"];
    let refused = shop.operate(&export).await;
    assert!(refused.err.contains("--again"), "{}", refused.err);
    assert!(!shop.path("again.csv").exists());
    let again = ["--again", "--reason", "the printer broke", "--by", "li"];
    shop.operate(&[&export[..], &again].concat()).await.well();
    assert_eq!(fs::read_to_string(shop.path("again.csv")).unwrap(), first);
    shop.operate(&["voucher", "receive", &carton, "--by", "wang"])
        .await
        .well();
    let log = shop
        .operate(&["voucher", "custody", &carton, "--json"])
        .await
        .well();
    let log = log.json();
    let acts: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["act"].clone())
        .collect();
    assert_eq!(acts, ["Issued", "Exported", "Exported", "Received"]);
    assert_eq!(log[2]["by"], "li: the printer broke");
    assert_eq!(log[3]["by"], "wang");
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_codes_are_in_the_way_and_a_package_is_counted() {
    let shop = Shop::open().await;
    shop.operate(&[&ISSUE[..], &PACKING].concat()).await.well();
    let rows = rows(&shop, "codes.csv");
    let [carton, package, reel, _] = &rows[0];
    let freeze = ["voucher", "freeze", reel, "--reason", "lost"];
    let frozen = shop.operate(&freeze).await.well();
    assert!(frozen.out.contains("4 codes"), "{}", frozen.out);
    let shown = shop
        .operate(&["voucher", "show", package, "--json"])
        .await
        .well()
        .json();
    assert_eq!(
        (&shown["counts"]["frozen"], &shown["counts"]["in_stock"]),
        (&json!(4), &json!(8))
    );
    let units = shown["units"].as_array().unwrap();
    assert_eq!(units.len(), 3);
    assert_eq!(
        (&units[0]["name"], &units[0]["counts"]["frozen"]),
        (&json!(reel), &json!(4))
    );
    let tried = ["voucher", "activate", "--dry-run", carton];
    let refused = shop.operate(&tried).await;
    assert!(
        refused.code == 1 && refused.out.contains("frozen"),
        "{}",
        refused.out
    );
    let nobody = shop.operate(&["voucher", "freeze", "X00000-0000000-00000", "--reason", "x"]);
    assert!(nobody.await.err.contains("nothing was changed"));
    let unfreeze = ["voucher", "unfreeze", reel, "--reason", "found"];
    shop.operate(&unfreeze).await.well();
    shop.operate(&tried).await.well();
    let counts = &stock(&shop, carton).await["counts"];
    assert_eq!(counts["in_stock"], 24, "nothing was activated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_do_leaves_neither_box_nor_file() {
    let shop = Shop::open().await;
    let count = async || {
        let listed = shop.operate(&["voucher", "list", "--json"]).await.well();
        listed.json().as_array().unwrap().len()
    };
    let before = count().await;
    let with = |name: &'static str, value: &'static str| {
        let mut words = [&ISSUE[..], &PACKING].concat();
        let at = words.iter().position(|it| *it == name).unwrap();
        words[at + 1] = value;
        words
    };
    for (words, why) in [
        (with("--partner", "1599"), "no partner 1599"),
        (with("--activity", "1"), "no activity 1"),
        (with("--ticket", "1"), "no ticket 1"),
        (with("--codes", "0"), "1 to 10000000 codes"),
        (with("--codes", "10000000"), "1 to 10000000 codes"),
    ] {
        let refused = shop.operate(&words).await;
        assert!(
            refused.code == 1 && refused.err.contains(why),
            "{}",
            refused.err
        );
        assert!(!shop.path("codes.csv").exists());
    }
    fs::write(shop.path("codes.csv"), "mine").unwrap();
    let there = shop.operate(&[&ISSUE[..], &PACKING].concat()).await;
    assert!(
        there.code == 1 && there.err.contains("is there already"),
        "{}",
        there.err
    );
    assert_eq!(count().await, before);
}
