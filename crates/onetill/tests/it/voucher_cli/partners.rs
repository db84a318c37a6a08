//! Tokens, keys, networks and rules of partners, beside a gateway and without one.

use crate::support::{process::all_files, shop::Shop};
use serde_json::json;
use std::{fs, path::PathBuf};
use wire::voucher::VerifyingKey;

const ADD: [&str; 9] = [
    "partner",
    "add",
    "1600",
    "--tenant",
    "demo",
    "--merchant-id",
    "10600",
    "--name",
    "礼品店",
];

async fn token(shop: &Shop, more: &[&str]) -> String {
    let words = [&["partner", "token", "1600", "--json"], more].concat();
    let made = shop.operate(&words).await.well().json();
    made["token"].as_str().unwrap().to_owned()
}

/// Whether a token lets in: then nothing is known of what is another partner's.
async fn lets_in(shop: &Shop, token: &str) -> bool {
    let info = format!("voucher info X22169-3141157-33475 --partner-token {token}");
    let said = shop.call(&info).await;
    match said.out.get(..3) {
        Some("H01") => true,
        Some("H02") => false,
        _ => panic!("{}{}", said.out, said.err),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_made_overlap_and_are_taken_away() {
    let shop = Shop::open().await;
    shop.operate(&ADD).await.well();
    let again = shop.operate(&ADD).await;
    assert!(
        again.code == 1 && again.err.contains("partner set"),
        "{}",
        again.err
    );
    let first = token(&shop, &[]).await;
    assert_eq!(first.len(), 64, "256 bits");
    assert!(lets_in(&shop, &first).await);
    let second = token(&shop, &["--overlap", "24h"]).await;
    assert!(lets_in(&shop, &first).await && lets_in(&shop, &second).await);
    let third = token(&shop, &[]).await;
    assert!(!lets_in(&shop, &first).await && !lets_in(&shop, &second).await);
    assert!(lets_in(&shop, &third).await);
    shop.operate(&["partner", "block", "1600"]).await.well();
    assert!(!lets_in(&shop, &third).await);
    shop.operate(&["partner", "unblock", "1600"]).await.well();
    assert!(lets_in(&shop, &third).await);
    shop.operate(&["partner", "token", "1600", "--revoke"])
        .await
        .well();
    assert!(!lets_in(&shop, &third).await);
    let shown = shop.operate(&["partner", "show", "1600"]).await.well();
    for secret in [&first, &second, &third] {
        assert!(!shown.out.contains(secret.as_str()));
        for (path, bytes) in all_files(shop.dir.path()) {
            let secret = secret.as_bytes();
            let holds = bytes.windows(secret.len()).any(|it| it == secret);
            assert!(!holds, "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_keys_are_changed_without_a_gateway_and_remembered() {
    let mut shop = Shop::open().await;
    assert!(shop.gateway.terminate().await.success());
    shop.operate(&ADD).await.well();
    let set = [
        "partner",
        "set",
        "1600",
        "--codes-per-day",
        "100",
        "--skip-signature",
        "--english",
        "--by",
        "li",
    ];
    shop.operate(&set).await.well();
    let fewer = [
        "partner",
        "set",
        "1600",
        "--codes-per-day",
        "none",
        "--skip-signature=false",
    ];
    shop.operate(&fewer).await.well();
    let nothing = shop.operate(&["partner", "set", "1600"]).await;
    assert!(
        nothing.code == 1 && nothing.err.contains("what is to change"),
        "{}",
        nothing.err
    );
    let private = set_keys(&shop).await;
    let shown = shop
        .operate(&["partner", "show", "1600", "--json"])
        .await
        .well();
    let pem = fs::read_to_string(&private).unwrap();
    assert!(!shown.out.contains(pem.lines().nth(1).unwrap()));
    let shown = shown.json();
    let settings = &shown["settings"];
    assert_eq!(
        (
            &settings["codes_per_day"],
            &settings["skip_signature"],
            &settings["english"]
        ),
        (&json!(null), &json!(false), &json!(true))
    );
    let history = shown["history"].as_array().unwrap();
    let what: Vec<_> = history
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    assert_eq!(what[0], "added");
    assert!(what[1].contains("codes-per-day 100") && what[1].contains("skip-signature true"));
    assert_eq!((history[1]["by"].as_str(), what.len()), (Some("li"), 4));
    assert!(what[3].contains("a new reply key"), "{}", what[3]);
}

/// Gives the partner the demo's keys, and tries one that does not do; where the private one lies.
async fn set_keys(shop: &Shop) -> PathBuf {
    let data = &shop.gateway.recipe.data;
    let public = data.join("demo-partner-1505.pub.pem");
    let private = data.join("demo-partner-1505.key.pem");
    let (public, file) = (public.to_str().unwrap(), private.to_str().unwrap());
    let key = [
        "partner",
        "key",
        "1600",
        "--file",
        public,
        "--reply-key",
        file,
    ];
    shop.operate(&key).await.well();
    let wrong = shop
        .operate(&["partner", "key", "1600", "--file", file])
        .await;
    assert!(
        wrong.code == 1 && wrong.err.contains("openssl genpkey"),
        "{}",
        wrong.err
    );
    let reply_key = ["partner", "key", "1600", "--show-reply-key"];
    let reply_key = shop.operate(&reply_key).await.well();
    assert_eq!(
        reply_key.out.trim(),
        fs::read_to_string(public).unwrap().trim()
    );
    private
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_key_is_made_here_and_only_its_public_half_is_shown() {
    let shop = Shop::open().await;
    let made = ["partner", "key", "1504", "--generate"];
    let made = shop.operate(&made).await.well();
    let key = VerifyingKey::from_pem(&made.out).unwrap();
    assert_eq!(made.out.matches("-----BEGIN ").count(), 1);
    let shown = ["partner", "key", "1504", "--show-reply-key"];
    assert_eq!(shop.operate(&shown).await.well().out, made.out);
    // Another one each time.
    let again = ["partner", "key", "1504", "--generate"];
    let again = shop.operate(&again).await.well();
    let other = VerifyingKey::from_pem(&again.out).unwrap();
    assert_ne!(other.spki_der(), key.spki_der());
    let nobody = shop
        .operate(&["partner", "key", "1599", "--generate"])
        .await;
    assert_eq!((nobody.code, &*nobody.out), (1, ""));
}
