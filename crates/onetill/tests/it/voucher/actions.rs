//! Every action, the shapes of its samples, repetitions and refusals.

use super::desk::{Desk, OTHER_TOKEN, Stock, TOKEN, code, package, reel, stocked};
use crate::support::house::{House, Rows};
use serde_json::json;

on_both_stores!(
    a_reel_is_activated_found_used_up_to_nothing_and_voided,
    a_change_is_all_or_nothing,
    the_same_message_is_answered_as_it_was,
    a_partner_sees_only_its_own,
);

const BOX: &str = "X22169-3141157-33475";

async fn open(rows: Rows) -> House {
    let house = House::setup().rows(rows).open().await;
    stocked(&house, &Stock::of(2, 0)).await;
    house
}

async fn a_reel_is_activated_found_used_up_to_nothing_and_voided(rows: Rows) {
    let house = open(rows).await;
    let desk = Desk::new(&house, TOKEN);
    let name = reel(BOX, 1);
    let reply = desk
        .activate("990000009100010101732123", std::slice::from_ref(&name))
        .await
        .expect("A00");
    assert_eq!(reply.json["traceNo"], "990000009100010101732123");
    assert_eq!(reply.json["returnDesc"], "SUCCESS");
    assert_eq!(reply.json["transDate"], "20261122075000");
    let order_no = reply.json["orderNo"].as_str().unwrap().to_owned();
    assert_eq!(order_no.len(), 20);

    let query =
        json!({"traceNo": "q1", "originalTraceNo": "990000009100010101732123", "businessType": 12});
    let result = desk.ask("activeResultQuery", query).await.expect("R00");
    assert_eq!(result.json["orderNo"], order_no.as_str());
    let codes: Vec<_> = (5..10)
        .map(|at| (code(BOX, at), "03".to_owned(), 2))
        .collect();
    assert_eq!(result.codes(), codes);

    let found = desk.look(&[code(BOX, 7)]).await.expect("H00");
    assert_eq!(found.codes(), codes[2..3], "just its path");
    let of_box = &found.json["voucherBox"][0];
    assert_eq!(of_box["boxId"], BOX);
    assert_eq!(of_box["voucherPkg"][0]["pkgId"], package(BOX, 0).as_str());
    assert_eq!(
        of_box["voucherPkg"][0]["voucherReel"][0]["reelId"],
        name.as_str()
    );
    let detail = &of_box["voucherPkg"][0]["voucherReel"][0]["codeDetail"][0];
    for (member, value) in [
        ("createTime", json!("20261122075000")),
        ("createDate", json!("20261122")),
        ("saleChannelOrderId", json!(format!("{:032x}", 5))),
        ("activityId", json!(500_706)),
        ("ticketId", json!(500_811)),
        ("faceValue", json!("0.0")),
        ("validStart", json!("00000000000000")),
        ("validEnd", json!("00000000000000")),
        ("statusDesc", json!("已激活")),
    ] {
        assert_eq!(detail[member], value, "{member}");
    }
    assert_eq!(found.json["paidAmount"], 3000);
    assert_eq!(found.json["printDetail"]["content"], "00||");
    assert_eq!(found.json["orderNo"], order_no.as_str());

    desk.void("99000009100010109", std::slice::from_ref(&name))
        .await
        .expect("V00");
    let gone = desk.look(&[name]).await.expect("H00");
    assert_eq!(gone.statuses(), ["05"]);
    let trace = desk.trace(&code(BOX, 7)).await;
    let kinds = trace.json["returnData"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["1", "4"]);
    assert_eq!(trace.json["requestId"], "1754016596841");
    house.end().await;
}

async fn a_change_is_all_or_nothing(rows: Rows) {
    let house = open(rows).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[code(BOX, 3)]).await.expect("A00");
    let refused = desk
        .activate("2", &[reel(BOX, 1), reel(BOX, 0)])
        .await
        .expect("A02");
    assert!(refused.desc().contains(&reel(BOX, 0)), "{}", refused.desc());
    assert!(refused.json.get("orderNo").is_none());
    let statuses = desk.look(&[BOX.to_owned()]).await.statuses();
    assert_eq!(statuses, ["01", "03", "01"], "nothing but the first");
    for (trace, names, code_of, said) in [
        (
            "3",
            vec![reel(BOX, 2), "R112102F-0000242-2585".to_owned()],
            "A03",
            "R112102F",
        ),
        (
            "4",
            vec![reel(BOX, 2), code(BOX, 11)],
            "A03",
            &*code(BOX, 11),
        ),
        (
            "5",
            vec![package(BOX, 1), package(BOX, 1)],
            "A03",
            &*package(BOX, 1),
        ),
    ] {
        let refused = desk.activate(trace, &names).await.expect(code_of);
        assert!(refused.desc().contains(said), "{}", refused.desc());
    }
    desk.void("1", &[code(BOX, 3)]).await.expect("V00");
    desk.void("2", &[reel(BOX, 0)]).await.expect("V01");
    desk.void("3", &[BOX.to_owned()]).await.expect("V01");
    desk.void("4", &["R112102F-0000242-2585".to_owned()])
        .await
        .expect("V02");
    desk.activate("6", &[code(BOX, 3)]).await.expect("A02");
    desk.activate("7", &[package(BOX, 1)]).await.expect("A00");
    for (trace, code) in [("2", "R02"), ("7", "R00"), ("no such", "R03")] {
        let query = json!({"traceNo": "q", "originalTraceNo": trace});
        desk.ask("activeResultQuery", query).await.expect(code);
    }
    house.end().await;
}

async fn the_same_message_is_answered_as_it_was(rows: Rows) {
    let house = open(rows).await;
    let desk = Desk::new(&house, TOKEN);
    let names = [reel(BOX, 0)];
    let first = desk.activate("1", &names).await.expect("A00");
    let refused = desk.activate("2", &names).await.expect("A02");
    house.advance_s(90).await;
    assert_eq!(desk.activate("1", &names).await.json, first.json);
    desk.void("1", &names).await.expect("V00");
    assert_eq!(
        desk.activate("2", &names).await.json,
        refused.json,
        "though the codes are void by now"
    );
    let other = desk.activate("1", &[reel(BOX, 1)]).await.expect("A03");
    assert!(other.desc().contains("traceNo"), "{}", other.desc());
    // Its twin has numbers of the same kind.
    let twin =
        json!({"traceNo": "1", "qrcode": reel(BOX, 0), "totalAmount": 3000, "businessType": 12});
    desk.ask("reelActiveVoucher", twin).await.expect("A03");
    house.end().await;
}

async fn a_partner_sees_only_its_own(rows: Rows) {
    let house = open(rows).await;
    let other = Desk::new(&house, OTHER_TOKEN);
    let unknown = "R112102F-0000242-2585".to_owned();
    for name in [BOX.to_owned(), reel(BOX, 0), code(BOX, 0), unknown.clone()] {
        let names = [name.clone()];
        other.activate("1", &names).await.expect("A03");
        other.void(&format!("v{name}"), &names).await.expect("V02");
        other.look(&names).await.expect("H01");
        other.trace(&name).await.expect("01");
    }
    let statuses = Desk::new(&house, TOKEN)
        .look(&[BOX.to_owned()])
        .await
        .statuses();
    assert_eq!(statuses, ["01"]);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_fields_are_named_in_the_actions_own_code() {
    let house = open(Rows::Sqlite).await;
    let desk = Desk::new(&house, TOKEN);
    let many = vec![code(BOX, 1); 1_001].join(",");
    for (action, body, code, field) in [
        (
            "activeVoucher",
            json!({"qrcode": "12345678", "totalAmount": 1}),
            "A03",
            "traceNo",
        ),
        (
            "activeVoucher",
            json!({"traceNo": "1", "totalAmount": 1}),
            "A03",
            "qrcode",
        ),
        (
            "activeVoucher",
            json!({"traceNo": "1", "qrcode": "12345678"}),
            "A03",
            "totalAmount",
        ),
        (
            "activeVoucher",
            json!({"traceNo": "1", "qrcode": many, "totalAmount": 1}),
            "A03",
            "qrcode",
        ),
        (
            "activeVoucher",
            json!({"traceNo": "1", "qrcode": "12345678", "totalAmount": "1e9999"}),
            "A03",
            "totalAmount",
        ),
        (
            "delVoucher",
            json!({"traceNo": "1", "qrcode": "a b"}),
            "V02",
            "qrcode",
        ),
        (
            "queryVerifyInfo",
            json!({"traceNo": "1", "qrcode": ",,"}),
            "H02",
            "qrcode",
        ),
        (
            "queryCodeTrace",
            json!({"qrcode": "12345678"}),
            "02",
            "requestId",
        ),
    ] {
        let reply = desk.ask(action, body).await.expect(code);
        assert_eq!(reply.http, 200);
        assert!(reply.desc().contains(field), "{action}: {}", reply.desc());
    }
    house.end().await;
}
