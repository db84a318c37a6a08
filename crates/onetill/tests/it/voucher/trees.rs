//! Trees of more codes than one page, in pieces.

use super::desk::{Desk, PARTNER, Stock, TOKEN, code, issue, package, read, reel, stocked, tenant};
use crate::support::house::House;
use domain::voucher::stock::Shape;
use onetill::app::voucher::tree::TREES_MAX;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_tree_comes_whole_and_in_order() {
    let house = House::open().await;
    let large = Stock {
        id: "X00001-0000002-00003",
        shape: Shape {
            packages: 3,
            reels: 7,
            codes: 101,
        },
        ..Stock::of(2, 0)
    };
    stocked(&house, &large).await;
    issue(house.gateway(), tenant(&house).await, &Stock::of(1, 500)).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[code(large.id, 1_000)])
        .await
        .expect("A00");
    let body = json!({"traceNo": "q", "qrcode": large.id}).to_string();
    let reply = desk
        .send("/ebuyweb-posp/api/queryVoucher", body.as_bytes())
        .await;
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    let found = read(&reply).expect("P00");
    assert!(
        found.json.get("voucherBox").is_none(),
        "packages stand on top"
    );
    assert_eq!(found.json["voucherPkg"].as_array().unwrap().len(), 3);
    let codes = found.codes();
    let expected: Vec<String> = (0..3 * 7 * 101).map(|at| code(large.id, at)).collect();
    assert_eq!(
        codes.iter().map(|it| it.0.clone()).collect::<Vec<_>>(),
        expected
    );
    let active: Vec<_> = codes
        .iter()
        .filter(|it| it.1 == "03")
        .map(|it| it.0.clone())
        .collect();
    assert_eq!(active, [code(large.id, 1_000)]);
    // Named twice, in two boxes, out of order: each code once.
    let names = [
        code("X22169-3141157-33475", 3),
        package(large.id, 1),
        code(large.id, 800),
        "X22169-3141157-33475".to_owned(),
    ];
    let both = desk.look(&names).await.expect("H00");
    assert_eq!(both.codes().len(), 7 * 101 + 20);
    assert_eq!(both.json["voucherBox"].as_array().unwrap().len(), 2);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_with_many_trees_on_their_way_gets_no_further_one() {
    let house = House::open().await;
    let large = Stock {
        shape: Shape {
            packages: 2,
            reels: 2,
            codes: 100,
        },
        ..Stock::of(2, 0)
    };
    stocked(&house, &large).await;
    let desk = Desk::new(&house, TOKEN);
    let trees = &house.gateway().vouchers.trees;
    let others: Vec<_> = (0..TREES_MAX).map(|_| trees.begin(PARTNER)).collect();
    let body = json!({"traceNo": "q", "qrcode": large.id}).to_string();
    let path = "/ebuyweb-posp/api/queryVoucher";
    let refused = desk.send(path, body.as_bytes()).await;
    assert_eq!(refused.status, 429);
    assert_eq!(read(&refused).code(), "P01");
    // What fits into one page is answered.
    let few = desk.look(&[reel(large.id, 3)]).await.expect("H00");
    assert_eq!(few.codes().len(), 100);
    drop(others);
    let whole = desk.send(path, body.as_bytes()).await;
    assert_eq!(read(&whole).expect("P00").codes().len(), 400);
    house.end().await;
}
