//! Codes from elsewhere: all of a file, or nothing.

use super::{FIRST_CODE, rows, stock};
use crate::support::shop::Shop;
use std::fs;

const IMPORT: [&str; 10] = [
    "voucher",
    "import",
    "--partner",
    "1504",
    "--activity",
    "500706",
    "--ticket",
    "500811",
    "--file",
    "codes.csv",
];

/// Two boxes, packed unevenly.
fn lines() -> Vec<String> {
    let row = |carton, package, reel, code: u32| {
        format!("XBOX{carton:04},BPKG{package:04},REEL{reel:04},{code:019}=gHN3981K")
    };
    let mut lines: Vec<String> = (0..7).map(|it| row(1, 1, 1, it)).collect();
    lines.push(row(1, 1, 2, 7));
    lines.push(row(1, 2, 3, 8));
    lines.extend((9..5_000).map(|it| row(2, 3, 4, it)));
    lines
}

fn write(shop: &Shop, lines: &[String]) {
    let text = format!("boxId,pkgId,reelId,code\n{}\n", lines.join("\n"));
    fs::write(shop.path("codes.csv"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_whole_or_not_at_all() {
    let shop = Shop::open().await;
    let count = async || {
        let listed = shop.operate(&["voucher", "list", "--json"]).await.well();
        listed.json().as_array().unwrap().len()
    };
    let mut with_ours = lines();
    let last = with_ours.last_mut().unwrap();
    *last = last.replace("0000000000000004999=gHN3981K", FIRST_CODE);
    write(&shop, &with_ours);
    let refused = shop.operate(&IMPORT).await;
    assert!(
        refused.code == 1 && refused.err.contains("line 5001"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains(FIRST_CODE), "{}", refused.err);
    let mut wrong = lines();
    wrong[3] = wrong[2].clone();
    write(&shop, &wrong);
    let refused = shop.operate(&IMPORT).await;
    assert!(
        refused.code == 1 && refused.err.contains("line 5"),
        "{}",
        refused.err
    );
    assert_eq!(count().await, 4, "the demo's");

    write(&shop, &lines());
    let done = shop.operate(&IMPORT).await.well();
    assert!(done.out.contains("5000 codes in 2 boxes"), "{}", done.out);
    let again = shop.operate(&IMPORT).await;
    assert!(
        again.code == 1 && again.err.contains("exists"),
        "{}",
        again.err
    );
    assert_eq!(count().await, 6);
    assert_eq!(stock(&shop, "XBOX0001").await["counts"]["in_stock"], 9);
    let reel = shop
        .operate(&["voucher", "show", "REEL0001", "--json"])
        .await
        .well()
        .json();
    assert_eq!(reel["counts"]["in_stock"], 7);
    shop.call("voucher activate BPKG0001").await.well();
    let info = shop
        .call("voucher info 0000000000000000007=gHN3981K")
        .await
        .well();
    assert!(
        info.out.contains("REEL0002") && info.out.contains("03 active"),
        "{}",
        info.out
    );
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_exported_is_imported_by_another_gateway() {
    let (one, other) = (Shop::open().await, Shop::open().await);
    let issue = [
        "voucher",
        "issue",
        "--partner",
        "1504",
        "--activity",
        "500706",
        "--ticket",
        "500811",
        "--packages",
        "1",
        "--reels",
        "2",
        "--codes",
        "3",
        "--out",
        "codes.csv",
    ];
    one.operate(&issue).await.well();
    fs::copy(one.path("codes.csv"), other.path("codes.csv")).unwrap();
    other.operate(&IMPORT).await.well();
    let carton = rows(&one, "codes.csv")[0][0].clone();
    assert_eq!(stock(&other, &carton).await["counts"]["in_stock"], 6);
}
