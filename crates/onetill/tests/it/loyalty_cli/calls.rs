//! `onetill call` as a terminal: what README shows, and what goes wrong.

use super::Shop;
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

const CARD: &str = "9999999999025288";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_sells_reverses_takes_back_and_settles() {
    let shop = Shop::open().await;
    let before = shop.call(&format!("card {CARD}")).await;
    assert_eq!(before.code, 1);
    assert!(
        before.err.contains("onetill call checkin"),
        "{}",
        before.err
    );
    shop.call("checkin").await.well();
    let sale = format!("consume --card {CARD} --cash 12.50 --points 1.00 --json");
    let sold = shop.call(&sale).await.well();
    let again = shop.call("repeat --json").await.well();
    assert_eq!(again.json(), sold.json(), "the stored answer");
    assert_eq!(sold.json()["pointBalance"], json!(912.5));
    shop.call("reverse").await.well();
    let card = shop.call(&format!("card {CARD} --json")).await.well();
    assert_eq!(card.json()["pointBalance"], json!(1000));

    shop.call(&format!("consume --card {CARD} --cash 3 --voucher 1:2"))
        .await
        .well();
    shop.call("void").await.well();
    shop.call(&format!("redeem --card {CARD} --ticket 1:2 --ticket 2"))
        .await
        .well();
    shop.call(&format!("consume --card {CARD} --cash 20"))
        .await
        .well();
    shop.call("return").await.well();
    shop.call("return-void").await.well();
    let journal = shop.call("journal --json").await.well().json();
    assert_eq!(journal["entries"].as_array().map(Vec::len), Some(6));
    assert_eq!(journal["totals"]["ticketDebitAmount"], "122");
    let settled = shop.call("settle").await.well();
    assert!(settled.out.contains("ss  (balanced"), "{}", settled.out);
    let late = shop.call(&format!("consume --card {CARD} --cash 1")).await;
    assert!(late.err.contains("not checked in"), "{}", late.err);

    // What it remembers is for its owner alone.
    let file = fs::read_dir(shop.path("state/onetill/tills")).unwrap();
    let file = file.map(|it| it.unwrap().path());
    for path in file {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pins_and_macs_are_made_under_the_working_keys() {
    let shop = Shop::open().await;
    shop.call("checkin --terminal 20141112").await.well();
    let sale = "consume --terminal 20141112 --card 9999999999025320 --points 5";
    let bare = shop.call(sale).await;
    assert!(bare.out.contains("--ask-pin"), "{}", bare.out);
    let wrong = shop.call(&format!("{sale} --pin 654321")).await;
    assert!(wrong.out.starts_with("55"), "{}", wrong.out);
    fs::write(shop.path("pin"), "123456\n").unwrap();
    shop.call(&format!("{sale} --pin-file pin")).await.well();
    let unsigned = shop.call(&format!("{sale} --pin 123456 --no-mac")).await;
    assert!(unsigned.out.starts_with("A0"), "{}", unsigned.out);
    shop.call("settle --terminal 20141112").await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_activated_with_the_code_that_the_operator_sees() {
    let shop = Shop::open().await;
    shop.call("checkin").await.well();
    shop.call("code 13900000000").await.well();
    let sent = shop
        .operate(&["terminal", "sms", "--json"])
        .await
        .well()
        .json();
    let code = sent[0]["code"].as_str().expect("a code").to_owned();
    let activate = "activate --card 9999999999025296 --mobile 13900000000 --code";
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = shop.call(&format!("{activate} {wrong}")).await;
    assert!(refused.out.starts_with("05"), "{}", refused.out);
    shop.call(&format!("{activate} {code}")).await.well();
    let settled = shop.call("settle --json").await.well();
    assert_eq!(settled.json()["settleFlag"], "ss");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_without_answer_stands_in_the_way() {
    let mut shop = Shop::open().await;
    shop.call("checkin").await.well();
    shop.gateway.kill9();
    // Nothing was sent: the terminal is as it was.
    let unsent = shop.call(&format!("consume --card {CARD} --cash 1")).await;
    assert!(unsent.err.contains("Nothing was sent"), "{}", unsent.err);
    let journal = shop.call("journal --json").await.well().json();
    assert_eq!(
        (&journal["unanswered"], &journal["nextTraceNo"]),
        (&json!(null), &json!("000001"))
    );
}
