//! `onetill call voucher` as a partner.

use super::FIRST_CODE;
use crate::support::shop::Shop;
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_activates_asks_and_voids() {
    let shop = Shop::open().await;
    let reel = "R112102F-0000242-2585";
    let activate = format!("voucher activate {reel} --total 30 --trace-no 20261122T1 --shop 88001");
    let active = shop.call(&activate).await.well();
    assert!(active.out.starts_with("A00"), "{}", active.out);
    let again = shop.call(&activate).await.well();
    assert!(again.out.starts_with("A00"), "{}", again.out);
    let result = shop.call("voucher result 20261122T1 --boxes").await.well();
    assert!(
        result.out.starts_with("R00") && result.out.contains("03 active"),
        "{}",
        result.out
    );
    assert!(
        result.out.contains("X22169-3141157-33475"),
        "{}",
        result.out
    );
    let info = shop
        .call(&format!("voucher info {FIRST_CODE}"))
        .await
        .well();
    assert!(
        info.out.starts_with("H00") && info.out.contains("30.00 yuan"),
        "{}",
        info.out
    );
    let trace = shop
        .call(&format!("voucher trace {FIRST_CODE}"))
        .await
        .well();
    assert!(trace.out.contains("shopNo=88001"), "{}", trace.out);
    let twice = shop.call(&format!("voucher activate {reel}")).await;
    assert!(
        twice.code == 1 && twice.out.starts_with("A02"),
        "{}",
        twice.out
    );
    let void = shop.call(&format!("voucher void {reel}")).await.well();
    assert!(void.out.starts_with("V00"), "{}", void.out);
    let query = shop
        .call(&format!("voucher query {reel} --json"))
        .await
        .well();
    assert_eq!(query.json()["returnCode"], "P00");
    let unknown = shop.call("voucher info R999999F-0000001-0001").await;
    assert!(
        unknown.code == 1 && unknown.out.starts_with("H01"),
        "{}",
        unknown.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_good_token_lets_in() {
    let shop = Shop::open().await;
    let info = "voucher info X22169-3141157-33475";
    let wrong = shop
        .call(&format!("{info} --partner-token demo-partner-token-3"))
        .await;
    assert!(
        wrong.code == 1 && wrong.out.starts_with("H02"),
        "{}{}",
        wrong.out,
        wrong.err
    );
    assert_eq!(shop.call(&format!("{info} --no-token")).await.code, 1);
    // Another partner's stock is nobody's.
    let other = shop
        .call(&format!("{info} --partner-token demo-partner-token-2"))
        .await;
    assert!(
        other.code == 1 && other.out.starts_with("H01"),
        "{}",
        other.out
    );
    let bind = ["partner", "bind-address", "1504", "127.0.0.1"];
    shop.operate(&bind).await.well();
    shop.call(&format!("{info} --no-token")).await.well();
    let shared = shop
        .operate(&["partner", "bind-address", "1505", "127.0.0.0/8"])
        .await;
    assert!(
        shared.code == 1 && shared.err.contains("partner 1504"),
        "{}",
        shared.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_activated_with_a_signature_or_where_allowed_without() {
    let shop = Shop::open().await;
    let segment = "--type voucher --bin 7020 --list-price 20 --price 18";
    let skip = format!(
        "voucher part-no --partner 1504 --merchant-id 10001 {segment} --from 41 --to 45 --skip \
         --order T1"
    );
    let created = shop.call(&skip).await.well();
    assert!(created.out.starts_with("100"), "{}", created.out);
    let done = shop.call(&skip).await.well();
    assert!(done.out.starts_with("81"), "{}", done.out);

    let signer = "voucher part-no --partner 1505 --merchant-id 10002";
    let unsigned = format!("{signer} {segment} --from 41 --to 45 --skip");
    assert!(shop.call(&unsigned).await.out.starts_with("401"));
    let cards = [
        "voucher",
        "issue",
        "--partner",
        "1505",
        "--activity",
        "500706",
        "--ticket",
        "500812",
        "--packages",
        "1",
        "--reels",
        "1",
        "--codes",
        "5",
        "--bin",
        "7020",
        "--first",
        "901",
        "--out",
        "cards.csv",
    ];
    shop.operate(&cards).await.well();
    let data = shop.gateway.recipe.data.display();
    let keys = format!(
        "--sign-key {data}/demo-partner-1505.key.pem --server-key {data}/demo-reply-1505.pub.pem"
    );
    let signed = format!("{signer} {segment} --from 901 --to 905 {keys}");
    let created = shop.call(&signed).await.well();
    assert!(created.out.starts_with("100"), "{}", created.out);
    // A reply of somebody else's is not believed.
    let other = fs::read_to_string(format!("{data}/demo-partner-1505.pub.pem")).unwrap();
    fs::write(shop.path("other.pem"), other).unwrap();
    let keys = format!("--sign-key {data}/demo-partner-1505.key.pem --server-key other.pem");
    let signed = format!("{signer} {segment} --from 901 --to 905 {keys}");
    let refused = shop.call(&signed).await;
    assert!(
        refused.code == 1 && refused.err.contains("signature"),
        "{}",
        refused.err
    );
}
