//! Kills between the steps of issuing: a box that was never finished can be used by nobody, and
//! goes without a trace.

use super::{ISSUE, rows, stock};
use crate::support::shop::Shop;
use domain::voucher::stock::Shape;
use onetill::admin::{
    Request, socket,
    voucher::{
        self,
        boxes::{BoxEnd, BoxKey, Contents, ExportPage, NewBox},
    },
};
use serde_json::Value;

/// How far issuing comes before the kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Opened,
    Begun,
    Filled,
    Exported,
}

async fn ask(shop: &Shop, request: voucher::Request) -> Result<Value, String> {
    let answer = socket::call(&shop.gateway.recipe.data, &Request::Voucher(request)).await;
    answer.unwrap().unwrap().map_err(|error| error.to_string())
}

/// Issues as far as `step`; answers the box's name, its number, and a code if there is one.
async fn issue(shop: &Shop, step: Step) -> (String, i64, Option<String>) {
    let opened = ask(
        shop,
        voucher::Request::OpenBox(NewBox {
            partner: 1504,
            activity: 500_706,
            ticket: 500_812,
            contents: Contents::Made(Shape {
                packages: 3,
                reels: 50,
                codes: 300,
            }),
            cards: None,
            by: "test".to_owned(),
        }),
    );
    let opened = opened.await.unwrap();
    let serial = opened["serial"].as_i64().unwrap();
    let name = opened["box"].as_str().unwrap().to_owned();
    if step == Step::Opened {
        return (name, serial, None);
    }
    loop {
        let filled = ask(shop, voucher::Request::FillBox(BoxKey { serial }))
            .await
            .unwrap();
        if step == Step::Begun || filled["done"] == filled["of"] {
            break;
        }
    }
    if step != Step::Exported {
        return (name, serial, None);
    }
    let page = voucher::Request::ExportPage(ExportPage {
        partner: 1504,
        serial,
        from: 0,
    });
    let page = ask(shop, page).await.unwrap();
    let first = page.as_str().unwrap().lines().next().unwrap();
    let code = first.split(',').nth(2).unwrap().to_owned();
    (name, serial, Some(code))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_two_steps_leaves_a_box_that_nobody_can_use() {
    let mut shop = Shop::open().await;
    for step in [Step::Opened, Step::Begun, Step::Filled, Step::Exported] {
        let (name, serial, code) = issue(&shop, step).await;
        shop.gateway.restart().await;
        assert_eq!(stock(&shop, &name).await["ready"], false, "{step:?}");
        // Who filled it is gone, and so is what it knew.
        let exported_by = Some("test".to_owned());
        let end = voucher::Request::FinishBox(BoxEnd {
            serial,
            exported_by,
        });
        assert!(ask(&shop, end).await.is_err(), "{step:?}");
        for name in code.iter().chain([&name]) {
            let info = shop.call(&format!("voucher info {name}")).await;
            assert!(
                info.code == 1 && info.out.starts_with("H01"),
                "{step:?} {}",
                info.out
            );
        }
        shop.operate(&["audit"]).await.well();
        let removed = shop.operate(&["voucher", "discard", &name]).await.well();
        assert!(removed.out.contains(&name), "{}", removed.out);
        let listed = shop.operate(&["voucher", "list", "--json"]).await.well();
        assert!(!listed.out.contains(&name), "{step:?}");
        shop.operate(&["audit"]).await.well();
    }
    let ready = shop
        .operate(&["voucher", "discard", "X22169-3141157-33475"])
        .await;
    assert!(
        ready.code == 1 && ready.err.contains("no unfinished box"),
        "{}",
        ready.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_discarded_is_filled_and_finished_no_more() {
    let shop = Shop::open().await;
    let (name, serial, _) = issue(&shop, Step::Filled).await;
    shop.operate(&["voucher", "discard", &name]).await.well();
    let fill = voucher::Request::FillBox(BoxKey { serial });
    assert!(
        ask(&shop, fill)
            .await
            .unwrap_err()
            .contains("not being filled")
    );
    let exported_by = None;
    let end = voucher::Request::FinishBox(BoxEnd {
        serial,
        exported_by,
    });
    assert!(ask(&shop, end).await.is_err());
    shop.operate(&["audit"]).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_is_finished_only_when_it_is_filled() {
    let shop = Shop::open().await;
    let (name, serial, _) = issue(&shop, Step::Begun).await;
    let exported_by = None;
    let end = voucher::Request::FinishBox(BoxEnd {
        serial,
        exported_by,
    });
    assert!(
        ask(&shop, end)
            .await
            .unwrap_err()
            .contains("not filled yet")
    );
    assert_eq!(stock(&shop, &name).await["ready"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_while_a_box_is_issued_leaves_no_file() {
    let mut shop = Shop::open().await;
    let packing = ["--packages", "2", "--reels", "100", "--codes", "400"];
    let words = [&ISSUE[..], &packing].concat();
    let command = shop.operate(&words);
    let kill = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let pid = shop.gateway.pid().to_string();
        std::process::Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
    };
    let (said, _) = tokio::join!(command, kill);
    shop.gateway.restart().await;
    if said.code == 0 {
        // It was faster than the kill.
        assert_eq!(rows(&shop, "codes.csv").len(), 80_000);
    } else {
        assert!(!shop.path("codes.csv").exists(), "{}", said.err);
        let listed = shop
            .operate(&["voucher", "list", "--json"])
            .await
            .well()
            .json();
        let boxes = listed.as_array().unwrap();
        let ready = boxes.iter().filter(|it| it["ready"] == true).count();
        assert_eq!(ready, 4, "the demo's, and no other");
    }
    shop.operate(&["audit"]).await.well();
}
