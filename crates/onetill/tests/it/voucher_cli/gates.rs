//! Codes redeemed by a gate and held by a card, and the partner's side of it, on both stores.

use super::{FIRST_CODE, ISSUE, rows, stock};
use crate::support::shop::{Said, Shop};
use onetill::admin::loyalty::demo::CARD;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_redeemed_at_a_gate_and_with_a_card() {
    by_gate_and_card(Shop::open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_redeemed_at_a_gate_and_with_a_card_on_postgres() {
    by_gate_and_card(Shop::on_postgres().await).await;
}

fn says(said: &Said, words: &[&str]) {
    for word in words {
        assert!(said.out.contains(word), "{word}: {}{}", said.out, said.err);
    }
}

async fn by_gate_and_card(shop: Shop) {
    let redeem = format!("voucher redeem {FIRST_CODE} --serial G1 --shop museum --terminal gate-1");
    let early = shop.call(&redeem).await;
    assert_eq!(
        (early.code, early.out.trim()),
        (1, "the code is not active yet")
    );
    let activate = format!("voucher activate {FIRST_CODE}");
    shop.call(&activate).await.well();
    let redeemed = shop.call(&redeem).await.well();
    says(&redeemed, &["redeemed", "G1", "0.00 yuan", "1 of 2"]);
    let again = shop.call(&redeem).await.well();
    assert_eq!(again.out, redeemed.out);

    let ticket = |verb| {
        let words = ["member", "ticket", verb, CARD, "--code", FIRST_CODE];
        [&words[..], &["--tenant", "demo"]].concat()
    };
    let held = shop.operate(&ticket("add")).await.well();
    says(&held, &["500811", "exchange", "X22169-3141157-33475"]);
    assert!(!held.out.contains(FIRST_CODE), "{}", held.out);
    let shown = shop.operate(&["member", "show", CARD, "--tenant", "demo"]);
    says(&shown.await.well(), &["uses left", "500811"]);
    shop.call("checkin").await.well();
    let use_it = format!("redeem --card {CARD} --ticket 500811");
    shop.call(&use_it).await.well();
    let info = format!("voucher info {FIRST_CODE}");
    says(&shop.call(&info).await.well(), &["04 used up"]);
    assert_eq!(shop.call(&use_it).await.code, 1, "both uses are gone");
    let undone = shop.call("voucher undo G1").await.well();
    says(&undone, &["the use is back"]);
    says(&shop.call(&info).await.well(), &["03 active"]);
    shop.call(&use_it).await.well();
    shop.call("reverse").await.well();
    says(&shop.call(&info).await.well(), &["03 active"]);
    let trace = format!("voucher trace {FIRST_CODE}");
    let trace = shop.call(&trace).await.well();
    says(&trace, &["museum", "gate-1", "20141111", "000001/"]);
    let gone = shop.operate(&ticket("remove")).await.well();
    says(&gone, &["the card holds no codes"]);
    assert_eq!(shop.call("voucher undo nothing").await.code, 1);
    shop.operate(&["audit"]).await.well();
}

/// Stock and partners as operators keep them, over a database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_keep_stock_and_partners_on_postgres() {
    let mut shop = Shop::on_postgres().await;
    let box_ = [
        &ISSUE[..],
        &["--packages", "1", "--reels", "2", "--codes", "5"],
    ]
    .concat();
    shop.operate(&box_).await.well();
    let codes = rows(&shop, "codes.csv");
    assert_eq!(codes.len(), 10);
    let [name, .., code] = &codes[0];
    assert_eq!(stock(&shop, name).await["codes"], 10);
    let made = ["partner", "token", "1504", "--json"];
    let token = shop.operate(&made).await.well().json();
    let token = token["token"].as_str().unwrap().to_owned();
    let activate = format!("voucher activate {name} --partner-token {token}");
    shop.call(&activate).await.well();
    let freeze = ["voucher", "freeze", name, "--reason", "lost"];
    shop.operate(&freeze).await.well();
    let redeem = format!("voucher redeem {code}");
    let frozen = shop.call(&redeem).await;
    assert_eq!((frozen.code, frozen.out.trim()), (1, "the code is frozen"));
    // Without a gateway the commands open the database themselves.
    assert!(shop.gateway.terminate().await.success());
    shop.operate(&["partner", "block", "1504"]).await.well();
    let shown = ["partner", "show", "1504", "--json"];
    let shown = shop.operate(&shown).await.well().json();
    assert_eq!(shown["blocked"], true);
    shop.operate(&["audit"]).await.well();
}
