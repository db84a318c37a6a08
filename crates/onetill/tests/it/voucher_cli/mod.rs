//! Dialect 3 from the command line, against a demo gateway in a process of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`bench`] | `onetill bench` with codes |
//! | [`calls`] | `onetill call voucher` as a partner |
//! | [`demo`] | the demo data, exactly, also after a load that broke off |
//! | [`exports`] | exports that break off, and what is left of them |
//! | [`imports`] | codes from elsewhere: all of a file, or nothing |
//! | [`gates`] | codes redeemed by a gate and held by a card, on both stores |
//! | [`issuing`] | a box, from the printer's file to its use in a payment |
//! | [`partners`] | tokens, keys, networks and rules |
//! | [`unfinished`] | kills between the steps of issuing |

mod bench;
mod calls;
mod demo;
mod exports;
mod gates;
mod imports;
mod issuing;
mod partners;
mod unfinished;

use crate::support::shop::Shop;
use serde_json::Value;
use std::fs;

/// The first code of the demo's first box.
const FIRST_CODE: &str = "1001901070000000258-M4DEDSfV";

/// What makes a box of the demo's partner, with `codes.csv` behind it.
const ISSUE: [&str; 10] = [
    "voucher",
    "issue",
    "--partner",
    "1504",
    "--activity",
    "500706",
    "--ticket",
    "500812",
    "--out",
    "codes.csv",
];

/// The rows of a file of codes, without its header.
fn rows(shop: &Shop, name: &str) -> Vec<[String; 4]> {
    let text = fs::read_to_string(shop.path(name)).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("boxId,pkgId,reelId,code"));
    let cells = lines.map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    cells.map(|it| it.try_into().unwrap()).collect()
}

/// The box of this name as `voucher list` shows it.
async fn stock(shop: &Shop, name: &str) -> Value {
    let listed = shop.operate(&["voucher", "list", "--json"]).await.well();
    let boxes = listed.json();
    let found = boxes
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["box"] == name);
    found.unwrap_or_else(|| panic!("{name}: {boxes}")).clone()
}
