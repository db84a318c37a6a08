//! Who is let in.

use super::desk::{Desk, PARTNER, Stock, TOKEN, put_partner, read, stocked};
use crate::support::house::House;
use domain::voucher::partner::PartnerSettings;
use serde_json::json;

const BOX: &str = "X22169-3141157-33475";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_without_a_token_of_a_partner() {
    let house = House::open().await;
    stocked(&house, &Stock::of(2, 0)).await;
    for desk in [
        Desk::without_token(&house),
        Desk::new(&house, "wrong"),
        Desk::new(&house, ""),
    ] {
        for (action, code) in [
            ("activeVoucher", "A03"),
            ("reelActiveVoucher", "A03"),
            ("delVoucher", "V02"),
            ("reelDelVoucher", "V02"),
            ("queryVerifyInfo", "H02"),
            ("queryVoucher", "P01"),
            ("activeResultQuery", "R03"),
            ("queryCodeTrace", "02"),
        ] {
            let body = json!({"traceNo": "1", "requestId": "1", "qrcode": BOX, "totalAmount": 1});
            let reply = desk.ask(action, body).await.expect(code);
            assert_eq!(reply.http, 401, "{action}");
            assert!(!reply.json.to_string().contains("demo"), "{}", reply.json);
        }
    }
    Desk::new(&house, TOKEN)
        .look(&[BOX.to_owned()])
        .await
        .expect("H00");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_codes_is_not_looked_up_any_more() {
    let house = House::open().await;
    stocked(&house, &Stock::of(2, 0)).await;
    let desk = Desk::new(&house, TOKEN);
    let guesses: Vec<String> = (0..200)
        .map(|it| format!("1001901070{it:09}-M4DEDSfV"))
        .collect();
    desk.look(&guesses).await.expect("H01");
    let body = json!({"traceNo": "q", "qrcode": BOX}).to_string();
    let reply = desk
        .send("/ebuyweb-posp/api/queryVerifyInfo", body.as_bytes())
        .await;
    assert_eq!(reply.status, 429);
    assert_eq!(read(&reply).code(), "H02");
    house.advance_s(2).await;
    desk.look(&[BOX.to_owned()]).await.expect("H00");
    let asks_too_often = PartnerSettings {
        requests_per_s: Some(1),
        ..PartnerSettings::default()
    };
    put_partner(&house, PARTNER, TOKEN, asks_too_often, Vec::new()).await;
    desk.look(&[BOX.to_owned()]).await.expect("H00");
    let query = json!({"traceNo": "q", "originalTraceNo": "1"});
    let limited = desk.ask("activeResultQuery", query).await;
    assert_eq!(limited.http, 429);
    limited.expect("R01");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_may_be_bound_to_the_days_date_and_to_so_many_codes() {
    let house = House::open().await;
    stocked(&house, &Stock::of(2, 0)).await;
    let settings = PartnerSettings {
        dated_trace_no: true,
        codes_per_day: Some(7),
        ..PartnerSettings::default()
    };
    put_partner(&house, PARTNER, TOKEN, settings, Vec::new()).await;
    let desk = Desk::new(&house, TOKEN);
    let reel = |at| [super::desk::reel(BOX, at)];
    let refused = desk.activate("20261121-1", &reel(0)).await.expect("A03");
    assert!(refused.desc().contains("traceNo"), "{}", refused.desc());
    desk.activate("20261122-1", &reel(0)).await.expect("A00");
    desk.activate("20261122-2", &reel(1)).await.expect("A03");
    house.advance_s(86_400).await;
    desk.activate("20261122-1", &reel(0)).await.expect("A00");
    desk.activate("20261123-3", &reel(1)).await.expect("A00");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_that_lead_nowhere_are_not_found() {
    let house = House::open().await;
    let desk = Desk::new(&house, TOKEN);
    for path in [
        "/ebuyweb-posp/api/noSuch",
        "/ebuyweb-posp/api/",
        "/b2b/code/activeVoucher",
    ] {
        assert_eq!(desk.send(path, b"{}").await.status, 404, "{path}");
    }
    house.end().await;
}
