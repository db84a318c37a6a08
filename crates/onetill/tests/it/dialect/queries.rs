//! What a query shows, and to whom.

use crate::support::{bodies, house::House, till::Till};
use wire::opengateway::{Operation, SerialType, call::Call};

fn unsigned(till: &Till<'_>, code: &str, kind: SerialType) -> Call {
    till.call(|it| it.query(code, kind, false))
}

#[tokio::test]
async fn unsigned_queries_by_serial_are_allowed_in_the_demo() {
    let house = House::open().await;
    let till = house.till();
    let serial = till.paid("A", "1.00").await;
    for (code, kind) in [("A", SerialType::Merchant), (&*serial, SerialType::Gateway)] {
        let found = till
            .ask(&unsigned(&till, code, kind))
            .await
            .expect("SUCCESS");
        assert_eq!(found.get("CHARGE_DOWN_CODE"), serial);
    }
    let bare = Call {
        target: "/openGateway/openService/query/A/0010000001?_type=json".to_owned(),
        ..unsigned(&till, "A", SerialType::Merchant)
    };
    till.ask(&bare).await.expect("SUCCESS");
    let by_voucher = unsigned(&till, "915346596237", SerialType::VerifyCode);
    till.ask(&by_voucher).await.expect("INVALID_SIGN");
    let mut wrong = till.call(|it| it.query("B", SerialType::Merchant, true));
    wrong.target = wrong.target.replace("/B/", "/A/");
    till.ask(&wrong).await.expect("INVALID_SIGN");
    house.end().await;
}

#[tokio::test]
async fn where_signatures_are_required_info_says_how_to_allow_others() {
    let house = House::open().await;
    let till = house.till();
    house
        .set_merchant(|it| it.require_query_sign = Some(true))
        .await;
    let serial = till.paid("A", "1.00").await;
    for (code, kind) in [("A", SerialType::Merchant), (&*serial, SerialType::Gateway)] {
        let answer = till.ask(&unsigned(&till, code, kind)).await;
        assert!(
            answer.info().contains("--require-query-sign=false"),
            "{}",
            answer.info()
        );
        answer.expect("INVALID_SIGN");
        let signed = till.call(|it| it.query(code, kind, true));
        till.ask(&signed).await.expect("SUCCESS");
    }
    house.end().await;
}

#[tokio::test]
async fn guessing_without_a_signature_runs_dry_and_holds_up_nobody_who_signs() {
    let house = House::setup()
        .options(|it| it.failures_max = Some(5))
        .open()
        .await;
    let till = house.till();
    till.paid("A", "1.00").await;
    for _ in 0..5 {
        till.ask(&unsigned(&till, "GUESS", SerialType::Merchant))
            .await
            .expect("CHARGE_NONEXISTENT");
    }
    for _ in 0..3 {
        let reply = till
            .send(&unsigned(&till, "GUESS", SerialType::Merchant))
            .await;
        assert_eq!(reply.status, 429);
    }
    let right = till.send(&unsigned(&till, "A", SerialType::Merchant)).await;
    assert_eq!(
        right.status, 429,
        "or a guesser would know a hit from a miss"
    );
    let wrong = Till::new(&house, &till.busi_code, "another key that is wrong");
    let call = wrong.call(|it| it.query("A", SerialType::Merchant, true));
    assert_eq!(
        wrong.send(&call).await.status,
        429,
        "one budget for all failures"
    );
    till.query("A").await.expect("SUCCESS");
    till.query("MISS").await.expect("CHARGE_NONEXISTENT");
    till.pay("B", bodies::PAYS).await.expect("SUCCESS");
    house.advance_s(1).await;
    till.ask(&unsigned(&till, "GUESS", SerialType::Merchant))
        .await
        .expect("CHARGE_NONEXISTENT");
    let reply = till
        .send(&unsigned(&till, "GUESS", SerialType::Merchant))
        .await;
    assert_eq!(reply.status, 429, "one a second comes back");
    house.end().await;
}

#[tokio::test]
async fn the_kind_of_serial_is_the_one_asked_for() {
    let house = House::open().await;
    let till = house.till();
    let serial = till.paid("A", "1.00").await;
    let ask = async |code: &str, kind| {
        till.ask(&till.call(|it| it.query(code, kind, true)))
            .await
            .code()
    };
    assert_eq!(ask("A", SerialType::Merchant).await, "SUCCESS");
    assert_eq!(ask(&serial, SerialType::Gateway).await, "SUCCESS");
    assert_eq!(ask("A", SerialType::Gateway).await, "CHARGE_NONEXISTENT");
    assert_eq!(
        ask(&serial, SerialType::Merchant).await,
        "CHARGE_NONEXISTENT"
    );
    assert_eq!(
        ask("20261122999999999999", SerialType::Gateway).await,
        "CHARGE_NONEXISTENT"
    );
    assert_eq!(ask("A", SerialType::VerifyCode).await, "CHARGE_NONEXISTENT");
    house.end().await;
}

#[tokio::test]
async fn times_are_in_the_gateways_zone() {
    for (zone, time, serial_date) in [
        (None, "2026-11-22 07:50:00", "20261122"),
        (Some("UTC"), "2026-11-21 23:50:00", "20261121"),
        (Some("America/New_York"), "2026-11-21 18:50:00", "20261121"),
    ] {
        let house = House::setup()
            .options(|it| it.zone = zone.map(str::to_owned))
            .open()
            .await;
        let till = house.till();
        let serial = till.paid("A", "1.00").await;
        assert!(serial.starts_with(serial_date), "{serial}");
        let found = till.query("A").await;
        assert_eq!(found.get("BEGIN_TIME"), time);
        assert_eq!(found.get("END_TIME"), time);
        house.end().await;
    }
}

#[tokio::test]
async fn an_unpaid_order_is_found_so_that_clients_go_on_asking() {
    let house = House::open().await;
    let till = house.till();
    till.order("A").await.expect("SUCCESS");
    for till in [till.clone(), till.xml(), till.sealed()] {
        let found = till.query("A").await.expect("SUCCESS");
        assert_eq!(found.get("STATE"), "0");
        assert_eq!(found.get("AMT"), "10");
        assert_eq!(found.get("realAMT"), "0.1");
        assert_eq!(found.field("CHARGE_THIRD_CODE"), None);
    }
    house.end().await;
}

#[tokio::test]
async fn old_signatures_are_refused_where_the_merchant_wants_it() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    let old = till.call(|it| it.query("A", SerialType::Merchant, true));
    house.advance_s(3_600).await;
    till.ask(&old).await.expect("SUCCESS");
    house
        .set_merchant(|it| it.signature_max_age_s = Some(60))
        .await;
    let refused = till.ask(&old).await;
    assert!(refused.info().contains("过期"), "{}", refused.info());
    refused.expect("INVALID_SIGN");
    till.query("A").await.expect("SUCCESS");
    let seconds = (house.now().0 / 1_000).to_string();
    for (timestamp, code) in [
        (&*seconds, "SUCCESS"),
        ("1795304000", "INVALID_SIGN"),
        ("1995304000", "INVALID_SIGN"),
        ("0", "INVALID_SIGN"),
        ("17953050000001", "INVALID_SIGN"),
    ] {
        let sign = wire::opengateway::sign::sign(&till.key, timestamp, b"A");
        let mut call = unsigned(&till, "A", SerialType::Merchant);
        call.target = format!("{}&sign={sign}", call.target);
        assert_eq!(till.ask(&call).await.code(), code, "{timestamp}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_merchant_is_held_to_its_rate() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    house.set_merchant(|it| it.requests_per_s = Some(3)).await;
    let call = till.call(|it| it.query("A", SerialType::Merchant, true));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(till.send(&call).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let other = house.other_till();
    other.query("A").await.expect("CHARGE_NONEXISTENT");
    house.advance_s(1).await;
    till.query("A").await.expect("SUCCESS");
    let body = bodies::pre_order("B", bodies::PAYS).to_string();
    let pay = till.posting(Operation::PreOrder, body.as_bytes());
    assert_eq!(till.send(&pay).await.status, 200);
    house.end().await;
}
