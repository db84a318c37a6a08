//! The demo data, exactly, also after a load that broke off.

use super::FIRST_CODE;
use crate::support::{
    process::{Recipe, bare},
    shop::Shop,
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

async fn codes(shop: &Shop) -> Vec<Value> {
    let listed = shop
        .operate(&["voucher", "list", "--demo", "--json"])
        .await
        .well();
    listed.json().as_array().unwrap().clone()
}

/// How many codes of a box there are, and the texts of those that are active.
fn of_box<'a>(codes: &'a [Value], name: &str) -> (usize, Vec<&'a str>) {
    let own: Vec<&Value> = codes.iter().filter(|it| it["box"] == name).collect();
    let active = own.iter().filter(|it| it["status"] == "Active");
    (
        own.len(),
        active.map(|it| it["code"].as_str().unwrap()).collect(),
    )
}

async fn is_exact(shop: &Shop) {
    let codes = codes(shop).await;
    assert_eq!(codes[0]["code"], FIRST_CODE);
    assert_eq!(codes[0]["reel"], "R112102F-0000242-2585");
    let (count, active) = of_box(&codes, "X22169-3141157-33475");
    assert_eq!((count, active.len()), (20, 2));
    assert_eq!(codes[15]["status"], "Active", "the last reel's first two");
    assert_eq!(codes[16]["status"], "Active");
    assert_eq!(
        (&codes[15]["ticket"], &codes[15]["uses_left"]),
        (&json!(500_811), &json!(2))
    );
    let (count, active) = of_box(&codes, "X22169-3141157-33476");
    assert_eq!((count, active.len()), (10, 2));
    assert_eq!(codes[20]["status"], "Active");
    let segment = |bin: &str| {
        let own = codes.iter().filter(|it| it["bin"] == bin);
        let numbers: Vec<u64> = own.map(|it| it["segment"].as_u64().unwrap()).collect();
        (
            numbers.first().copied(),
            numbers.last().copied(),
            numbers.len(),
        )
    };
    assert_eq!(segment("7020"), (Some(41), Some(60), 20));
    assert_eq!(segment("731018"), (Some(1), Some(100), 100));
    let partners = shop
        .operate(&["partner", "list", "--json"])
        .await
        .well()
        .json();
    let told = |at: usize| {
        let it = &partners[at];
        let tokens = it["tokens"].as_array().unwrap().len();
        (
            &it["partner"],
            &it["merchant_id"],
            &it["settings"]["skip_signature"],
            tokens,
        )
    };
    assert_eq!(told(0), (&json!(1504), &json!("10001"), &json!(true), 1));
    assert_eq!(told(1), (&json!(1505), &json!("10002"), &json!(false), 1));
    assert_eq!(partners.as_array().unwrap().len(), 2);
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_is_loaded_once() {
    let mut shop = Shop::open().await;
    is_exact(&shop).await;
    let before = codes(&shop).await;
    // What is done with it since stays done.
    shop.call(&format!(
        "voucher void {}",
        before[15]["code"].as_str().unwrap()
    ))
    .await
    .well();
    shop.gateway.restart().await;
    let after = codes(&shop).await;
    assert_eq!(after.len(), before.len());
    assert_eq!(after[15]["status"], "Void");
    for name in ["demo-partner-1505.key.pem", "demo-partner-1505.pub.pem"] {
        let path = shop.gateway.recipe.data.join(name);
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let printed = fs::read_to_string(shop.gateway.recipe.printed()).unwrap();
    assert!(printed.contains(&format!(
        "call voucher activate --url {} {FIRST_CODE}",
        shop.url()
    )));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_broke_off_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = Recipe::demo(dir.path(), "gateway");
    for wait_ms in (10..250).step_by(20) {
        let mut command = bare(env!("CARGO_BIN_EXE_onetill").as_ref());
        let address = recipe.address.to_string();
        command
            .args(["serve", "--demo", "--listen", &address, "--data"])
            .arg(&recipe.data);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let shop = Shop::of(dir, recipe).await;
    is_exact(&shop).await;
}
