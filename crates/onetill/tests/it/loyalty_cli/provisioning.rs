//! Stores, terminals, cards and programs, beside a running gateway and without one.

use super::Shop;
use onetill::admin::voucher::demo::FIRST_CODE;
use serde_json::json;
use std::fs;

const TMK: &str = "CA5D92598DCA48CE8A4C76361A9269E9";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_set_up_blocked_and_let_go_on() {
    let shop = Shop::open().await;
    let add = [
        "store",
        "add",
        "88001",
        "--tenant",
        "demo",
        "--name",
        "街角店",
    ];
    shop.operate(&add).await.well();
    let again = shop.operate(&add).await;
    assert!(
        again.code == 1 && again.err.contains("onetill store set"),
        "{}",
        again.err
    );
    shop.operate(&["store", "set", "88001", "--network", "127.0.0.1"])
        .await
        .well();
    let bare = shop.operate(&["terminal", "add", "88001/7"]).await.well();
    assert!(bare.out.contains("inject-key"), "{}", bare.out);
    fs::write(shop.path("one"), "0123456789ABCDEFFEDCBA9876543210").unwrap();
    fs::write(shop.path("other"), "CB7ED73E046185217490CCAE6CC65BF9").unwrap();
    let parts = ["--part-file", "one", "--part-file", "other", "--check"];
    let inject = ["terminal", "inject-key", "88001/7"];
    let wrong = shop
        .operate(&[&inject[..], &parts, &["000000"]].concat())
        .await;
    assert!(
        wrong.code == 1 && wrong.err.contains("check value"),
        "{}",
        wrong.err
    );
    let kcv = shop
        .run(&["terminal", "keytool", "kcv", "--key", TMK, "--json"])
        .await
        .well();
    let kcv = kcv.json()["check_value"].as_str().unwrap().to_owned();
    shop.operate(&[&inject[..], &parts, &[&kcv]].concat())
        .await
        .well();

    at_work(&shop, &kcv).await;
}

/// The terminal checks in, is blocked and let go on, and has to send MACs.
async fn at_work(shop: &Shop, kcv: &str) {
    fs::write(shop.path("tmk"), TMK).unwrap();
    let own = "--store 88001 --terminal 7";
    let checked_in = shop
        .call(&format!("checkin {own} --tmk-file tmk"))
        .await
        .well();
    assert!(checked_in.out.contains("街角店"), "{}", checked_in.out);
    shop.operate(&["terminal", "block", "88001/7"]).await.well();
    let card = format!("card 9999999999025288 {own}");
    assert!(shop.call(&card).await.out.starts_with("58"));
    shop.operate(&["terminal", "unblock", "88001/7"])
        .await
        .well();
    shop.call(&card).await.well();
    shop.operate(&["terminal", "set", "88001/7", "--mac"])
        .await
        .well();
    assert!(
        shop.call(&format!("{card} --no-mac"))
            .await
            .out
            .starts_with("A0")
    );
    let shown = shop
        .operate(&["terminal", "show", "88001/7", "--json"])
        .await
        .well()
        .json();
    assert_eq!(
        (&shown["batch"], &shown["profile"]["mac_required"]),
        (&json!("000001"), &json!(true))
    );
    assert_eq!(shown["master_key_check"], kcv);
    let listed = shop.operate(&["terminal", "list"]).await.well();
    assert!(
        listed.out.contains("88001/7") && listed.out.contains("/20141112"),
        "{}",
        listed.out
    );
}

/// What is exported is imported as it was: points lot by lot, vouchers and tickets too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_imported_as_it_was() {
    let shop = Shop::open().await;
    // A lot of its own, from a purchase; a voucher used up; names that need care.
    shop.call("checkin").await.well();
    shop.call("consume --card 9999999999025288 --cash 12.34 --voucher 2:1")
        .await
        .well();
    let add = [
        "member",
        "add",
        "8800000000000001",
        "--tenant",
        "demo",
        "--name",
        " 王, \"五\" ",
        "--printed-expiry",
        "4912",
        "--expires",
        "2030-12-31",
        "--points",
        "7.5",
        "--points-expire",
        "2030-06-30",
        "--voucher",
        "9:0.50:3:a;b\\c:d@e",
        "--ticket",
        "9:02:1:1",
    ];
    shop.operate(&add).await.well();
    let export = ["member", "export", "--tenant", "demo"];
    let exported = shop.operate(&export).await.well().out;
    assert!(exported.contains(",12.34@"), "{exported}");
    fs::write(shop.path("members.csv"), &exported).unwrap();
    // A store of its own, without a gateway.
    let other = shop.path("other");
    let other = ["--data", other.to_str().unwrap()];
    let elsewhere = async |args: &[&str]| shop.run(&[args, &other].concat()).await.well();
    elsewhere(&["store", "add", "1", "--tenant", "demo"]).await;
    let import = ["member", "import", "members.csv", "--tenant", "demo"];
    let said = elsewhere(&import).await.out;
    assert!(said.contains("6 cards are added"), "{said}");
    assert_eq!(elsewhere(&export).await.out, exported);
    elsewhere(&["audit"]).await;
}

/// Codes are told by where they lie, and found by it again; their texts are not in the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_codes_are_exported_by_where_they_lie() {
    let shop = Shop::open().await;
    let (held, copy) = ("9999999999025288", "8800000000000001");
    let activate = format!("voucher activate {FIRST_CODE}");
    shop.call(&activate).await.well();
    let hold = [
        "member", "ticket", "add", held, "--code", FIRST_CODE, "--kind", "exchange", "--tenant",
        "demo",
    ];
    shop.operate(&hold).await.well();
    let export = ["member", "export", "--tenant", "demo"];
    let exported = shop.operate(&export).await.well().out;
    assert!(!exported.contains(FIRST_CODE), "{exported}");
    let (header, rows) = exported.split_once('\n').unwrap();
    let row = rows.lines().find(|it| it.starts_with(held)).unwrap();
    let show = ["member", "show", held, "--tenant", "demo", "--json"];
    let shown = shop.operate(&show).await.well().json();
    let place = shown["codes"][0]["box"].as_str().unwrap();
    assert!(row.contains(&format!(",{place}:0:02,")), "{row}");
    // Another card as this one was.
    let row = row.replace(held, copy);
    fs::write(shop.path("members.csv"), format!("{header}\n{row}\n")).unwrap();
    let import = ["member", "import", "members.csv", "--tenant", "demo"];
    shop.operate(&import).await.well();
    let again = shop.operate(&export).await.well().out;
    assert!(again.lines().any(|it| it == row), "{again}");
    let show = ["member", "show", copy, "--tenant", "demo", "--json"];
    let copied = shop.operate(&show).await.well().json();
    assert_eq!(copied["codes"], shown["codes"]);
    // A store without the box adds nothing of it.
    let other = shop.path("other");
    let other = ["--data", other.to_str().unwrap()];
    let store = ["store", "add", "1", "--tenant", "demo"];
    shop.run(&[&store[..], &other].concat()).await.well();
    let refused = shop.run(&[&import[..], &other].concat()).await;
    assert!(
        refused.code == 1 && refused.err.contains("codes: no box"),
        "{}",
        refused.err
    );
    shop.operate(&["audit"]).await.well();
}

/// What an operator has looked at is off the list, and stays in the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_taken_off_the_list() {
    let shop = Shop::open().await;
    assert!(
        shop.operate(&["terminal", "work"])
            .await
            .well()
            .out
            .contains("nothing waits")
    );
    shop.call("checkin").await.well();
    shop.call("consume --card 9999999999025288 --cash 1")
        .await
        .well();
    let day = [
        "simulate",
        "till",
        "--transactions",
        "1",
        "--jams",
        "0",
        "--terminals",
        "1",
    ];
    let url = shop.url();
    // It finds an open batch with another's message, and closes it with differences.
    shop.run(&[&day[..], &["--url", &url]].concat()).await;
    let work = ["terminal", "work", "--json"];
    let waiting = shop.operate(&work).await.well().json();
    assert_eq!(
        waiting[0]["terminal"], "102100099990001/20141111",
        "{waiting}"
    );
    assert_eq!(waiting[0]["done"], json!(null));
    let item = waiting[0]["transaction"].as_str().unwrap();
    let done = [
        "terminal",
        "work",
        "done",
        item,
        "--by",
        "Li",
        "--note",
        "counted again",
    ];
    let said = shop.operate(&done).await.well().out;
    assert!(
        said.contains("Li") && said.contains("counted again"),
        "{said}"
    );
    assert_eq!(shop.operate(&work).await.well().json(), json!([]));
    // Whoever was first stays who did it.
    let again = ["terminal", "work", "done", item, "--by", "Wang"];
    shop.operate(&again).await.well();
    let history = shop
        .operate(&["terminal", "work", "history"])
        .await
        .well()
        .out;
    assert!(
        history.contains("Li") && !history.contains("Wang"),
        "{history}"
    );
    let unknown = ["terminal", "work", "done", "20260101000000000000"];
    let unknown = shop.operate(&unknown).await;
    assert!(
        unknown.code == 1 && unknown.err.contains("no item"),
        "{}",
        unknown.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_imported_once_exported_and_changed() {
    let shop = Shop::open().await;
    let rows: String = (0..2_500)
        .map(|it| format!("77{it:014},会员 {it},1380000{:04},{it}.50\n", it % 10_000))
        .collect();
    fs::write(
        shop.path("members.csv"),
        format!("card,name,mobile,points\n{rows}"),
    )
    .unwrap();
    let import = [
        "member",
        "import",
        "members.csv",
        "--tenant",
        "demo",
        "--json",
    ];
    let first = shop.operate(&import).await.well().json();
    assert_eq!(
        (&first["added"], &first["existing"]),
        (&json!(2500), &json!(0))
    );
    let second = shop.operate(&import).await.well().json();
    assert_eq!(
        (&second["added"], &second["existing"]),
        (&json!(0), &json!(2500))
    );
    let exported = shop
        .operate(&["member", "export", "--tenant", "demo"])
        .await
        .well();
    // The demo's five, and these.
    assert_eq!(exported.out.lines().count(), 1 + 2500 + 5);
    let row = "7700000000002499,active,会员 2499,,13800002499,,,,,0,2499.50,,,,,";
    assert!(exported.out.lines().any(|it| it == row));

    let card = "7700000000002499";
    fs::write(shop.path("pin"), "4711\n").unwrap();
    for words in [
        &["set-status", card, "lost"][..],
        &["set-grade", card, "2"],
        &["set-pin", card, "--pin-file", "pin"],
    ] {
        let words = [&["member"], words, &["--tenant", "demo"]].concat();
        shop.operate(&words).await.well();
    }
    let show = ["member", "show", card, "--tenant", "demo", "--json"];
    let shown = shop.operate(&show).await.well().json();
    let seen = (&shown["status"], &shown["grade"], &shown["has_pin"]);
    assert_eq!(seen, (&json!("Lost"), &json!(2), &json!(true)));
    shop.call("checkin").await.well();
    assert!(
        shop.call(&format!("consume --card {card} --cash 1"))
            .await
            .out
            .starts_with("41")
    );
    let nobody = shop
        .operate(&["member", "show", card, "--tenant", "nobody"])
        .await;
    assert!(nobody.err.contains("no retailer nobody"), "{}", nobody.err);
    let nameless = shop.operate(&["member", "list"]).await;
    assert!(nameless.err.contains("ONETILL_TENANT"), "{}", nameless.err);
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_changes_at_once_and_remembers_who_changed_it() {
    let shop = Shop::open().await;
    shop.call("checkin").await.well();
    let set = [
        "program",
        "set",
        "--tenant",
        "demo",
        "--earn-rate",
        "3",
        "--by",
        "Li",
    ];
    shop.operate(&set).await.well();
    let sale = "consume --card 9999999999025288 --cash 10 --json";
    let sold = shop.call(sale).await.well();
    assert_eq!(sold.json()["persentPoint"], json!(30));
    let campaign = [
        "program",
        "campaign",
        "add",
        "Double",
        "--tenant",
        "demo",
        "--from",
        "2020-01-01",
        "--until",
        "2099-12-31",
        "--multiplier",
        "2",
        "--by",
        "Wang",
    ];
    shop.operate(&campaign).await.well();
    let twice = shop.operate(&campaign).await;
    assert!(twice.err.contains("runs already"), "{}", twice.err);
    assert_eq!(
        shop.call(sale).await.well().json()["persentPoint"],
        json!(60)
    );
    let end = [
        "program", "campaign", "end", "Double", "--tenant", "demo", "--by", "Wang",
    ];
    shop.operate(&end).await.well();
    assert_eq!(
        shop.call(sale).await.well().json()["persentPoint"],
        json!(30)
    );
    let history = ["program", "history", "--tenant", "demo"];
    let history = shop.operate(&history).await.well().out;
    let changed = "Li    earn rate 1 \u{2192} 3";
    assert!(history.contains(changed), "{history}");
    let bad = shop
        .operate(&[
            "program",
            "set",
            "--tenant",
            "demo",
            "--points-per-yuan",
            "0",
        ])
        .await;
    assert!(
        bad.code == 1 && bad.err.contains("points_per_yuan"),
        "{}",
        bad.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_gateway_the_store_is_opened_and_begun() {
    let shop = Shop::open().await;
    let data = shop.path("other");
    let data = data.to_str().unwrap();
    let missing = shop.run(&["terminal", "list", "--data", data]).await;
    assert!(
        missing.code == 1 && missing.err.contains("no store"),
        "{}",
        missing.err
    );
    let add = ["store", "add", "99001", "--tenant", "acme", "--data", data];
    shop.run(&add).await.well();
    let terminal = [
        "terminal",
        "add",
        "99001/1",
        "--make-key",
        "--data",
        data,
        "--json",
    ];
    let added = shop.run(&terminal).await.well().json();
    assert_eq!(added["master_key"].as_str().map(str::len), Some(32));
    fs::write(
        shop.path("members.csv"),
        "card,points\n7700000000000001,5\n",
    )
    .unwrap();
    let import = [
        "member",
        "import",
        "members.csv",
        "--tenant",
        "acme",
        "--data",
        data,
    ];
    shop.run(&import).await.well();
    let shown = [
        "member",
        "show",
        "7700000000000001",
        "--tenant",
        "acme",
        "--data",
        data,
        "--json",
    ];
    assert_eq!(shop.run(&shown).await.well().json()["points"], "5.00");
    shop.run(&["audit", "--data", data]).await.well();
}
