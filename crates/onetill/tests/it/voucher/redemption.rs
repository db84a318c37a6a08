//! The gateway's own API: codes redeemed without a wallet.

use super::desk::{Desk, Stock, TOKEN, code, stocked};
use crate::support::{
    bodies::{self, PAYS, with},
    house::{House, Rows},
    http, together,
};
use onetill::{
    admin::demo,
    inbound::redemption::message::{MERCHANT, PATH, SIGN},
};
use serde_json::{Value, json};
use wire::opengateway::{MerchantKey, Operation, SerialType, sign};

on_both_stores!(
    a_code_is_redeemed_once_for_each_serial,
    what_was_undone_stays_undone,
    an_undoing_that_comes_first_bars_its_redemption,
    an_undoing_beside_its_redemption_always_wins,
    of_a_gate_and_a_till_one_gets_the_last_use,
);

const BOX: &str = "X22169-3141157-33475";

async fn open(rows: Rows, stock: Stock) -> House {
    let house = House::setup().rows(rows).open().await;
    stocked(&house, &stock).await;
    let desk = Desk::new(&house, TOKEN);
    desk.activate("1", &[BOX.to_owned()]).await.expect("A00");
    house
}

/// A gate that redeems codes for a merchant.
struct Gate<'a> {
    house: &'a House,
    merchant: &'static str,
    key: MerchantKey,
}

#[derive(Debug, PartialEq)]
struct Answer {
    http: u16,
    json: Value,
}

impl Answer {
    fn expect(self, http: u16, word: &str) -> Value {
        let said = self.json.get("result").or_else(|| self.json.get("error"));
        assert_eq!(
            (self.http, said),
            (http, Some(&json!(word))),
            "{}",
            self.json
        );
        self.json
    }
}

impl<'a> Gate<'a> {
    fn new(house: &'a House) -> Self {
        Self {
            house,
            merchant: demo::MERCHANT,
            key: MerchantKey::new(demo::KEY),
        }
    }

    async fn ask(&self, body: &Value) -> Answer {
        let body = body.to_string();
        let sign = sign::sign(&self.key, "1795320000", body.as_bytes());
        self.send(&body, &sign).await
    }

    async fn send(&self, body: &str, sign: &str) -> Answer {
        let headers = format!("{MERCHANT}: {}\r\n{SIGN}: {sign}\r\n", self.merchant);
        let bytes = http::request(&http::post(PATH, body), &headers);
        let reply = http::exchange(self.house.address, &bytes).await;
        let text = reply.text();
        let json = serde_json::from_str(&text).unwrap_or_else(|it| panic!("{it}: {reply:?}"));
        Answer {
            http: reply.status,
            json,
        }
    }

    async fn redeem(&self, serial: &str, at: u32) -> Answer {
        self.ask(&redeem(serial, &code(BOX, at))).await
    }

    async fn undo(&self, serial: &str) -> Answer {
        self.ask(&json!({"action": "undo", "serial": serial})).await
    }
}

fn redeem(serial: &str, code: &str) -> Value {
    json!({"action": "redeem", "serial": serial, "code": code, "shop": "museum", "terminal": "gate-1"})
}

async fn left(house: &House, at: u32) -> i64 {
    let found = Desk::new(house, TOKEN).look(&[code(BOX, at)]).await;
    found.expect("H00").codes().remove(0).2
}

async fn a_code_is_redeemed_once_for_each_serial(rows: Rows) {
    let house = open(rows, Stock::of(2, 2_000)).await;
    let gate = Gate::new(&house);
    let first = gate.redeem("G1", 0).await;
    let worth = json!({"ticket": 500_811, "name": "咖啡券", "face_value": "20.00", "uses": 2,
        "uses_left": 1});
    assert_eq!(first.json["voucher"], worth);
    assert_eq!(first.json["serial"], "G1");
    assert_eq!(first.json["gateway_serial"].as_str().unwrap().len(), 20);
    let second = gate.redeem("G2", 0).await;
    assert_eq!(second.json["voucher"]["uses_left"], 0);
    assert_eq!(gate.redeem("G1", 0).await, first, "the same again");
    assert_eq!(gate.redeem("G2", 0).await, second);
    assert_eq!(left(&house, 0).await, 0);
    gate.redeem("G3", 0).await.expect(409, "used_up");
    gate.redeem("G1", 1).await.expect(409, "serial_taken");
    gate.redeem("G3", 1).await.expect(200, "redeemed");

    let trace = Desk::new(&house, TOKEN).trace(&code(BOX, 0)).await;
    let used = &trace.json["returnData"][1];
    let field = |name: &str| used[name].as_str().unwrap().to_owned();
    assert_eq!(field("type"), "2");
    assert_eq!(
        (field("shopNo"), field("tid")),
        ("museum".to_owned(), "gate-1".to_owned())
    );
    assert_eq!(
        (field("mid"), field("swift")),
        (demo::MERCHANT.to_owned(), "G1".to_owned())
    );
    // Dialect 1 knows it as an order that a voucher paid.
    let till = house.till();
    let found = till
        .ask(&till.call(|it| it.query(&code(BOX, 0), SerialType::VerifyCode, true)))
        .await
        .expect("SUCCESS");
    assert_eq!(
        (found.get("CHARGE_CODE"), found.get("AMT")),
        ("G2".to_owned(), "2000".to_owned())
    );
    house.end().await;
}

async fn what_was_undone_stays_undone(rows: Rows) {
    let house = open(rows, Stock::of(1, 0)).await;
    let gate = Gate::new(&house);
    gate.redeem("G1", 0).await.expect(200, "redeemed");
    let undone = gate.undo("G1").await;
    assert_eq!(gate.undo("G1").await, undone);
    undone.expect(200, "undone");
    assert_eq!(left(&house, 0).await, 1);
    gate.redeem("G1", 0).await.expect(200, "undone");
    assert_eq!(left(&house, 0).await, 1, "a late repetition uses nothing");
    gate.redeem("G2", 0).await.expect(200, "redeemed");
    // A wallet's payment is none of this API's.
    let till = house.till();
    till.post(Operation::PreOrder, &bodies::pre_order("P1", PAYS))
        .await
        .expect("SUCCESS");
    gate.undo("P1").await.expect(404, "unknown_serial");
    assert_eq!(till.state("P1").await, "1");
    gate.redeem("P1", 1).await.expect(409, "serial_taken");
    let order = with(bodies::pre_order("G2", PAYS), "AMT", "3");
    till.post(Operation::PreOrder, &order)
        .await
        .expect("SERIAL_REPEAT");
    till.cancel("G2").await.expect("SUCCESS");
    gate.undo("G2").await.expect(200, "undone");
    assert_eq!(left(&house, 0).await, 1);
    house.end().await;
}

async fn an_undoing_that_comes_first_bars_its_redemption(rows: Rows) {
    let house = open(rows, Stock::of(1, 2_000)).await;
    let gate = Gate::new(&house);
    let nothing = gate.undo("G1").await;
    let barred = gate.redeem("G1", 0).await;
    assert_eq!(gate.undo("G1").await, nothing, "the same again");
    assert_eq!(gate.redeem("G1", 0).await, barred);
    nothing.expect(404, "unknown_serial");
    barred.expect(409, "undone");
    let unknown = redeem("G1", "1001901070000000258-XXXXXXXX");
    gate.ask(&unknown).await.expect(409, "undone");
    assert_eq!(left(&house, 0).await, 1);
    gate.redeem("G2", 0).await.expect(200, "redeemed");
    // The serial is gone for orders too: they are payments of the same merchant.
    let till = house.till();
    let order = with(bodies::pre_order("G1", PAYS), "AMT", "3");
    till.post(Operation::PreOrder, &order)
        .await
        .expect("SERIAL_REPEAT");
    till.cancel("G1").await.expect("AREADY_REVOKED");
    gate.redeem("G1", 1).await.expect(409, "undone");
    // A code that could not be used leaves its serial free, until it is undone.
    gate.redeem("G3", 0).await.expect(409, "used_up");
    gate.undo("G3").await.expect(404, "unknown_serial");
    gate.redeem("G3", 1).await.expect(409, "undone");
    assert_eq!(left(&house, 1).await, 1);
    house.end().await;
}

async fn an_undoing_beside_its_redemption_always_wins(rows: Rows) {
    let house = open(rows, Stock::of(1, 100)).await;
    let gate = Gate::new(&house);
    for round in 0..20_u32 {
        let serial = format!("G{round}");
        let asks = |n: u32| {
            let (gate, serial) = (&gate, &serial);
            async move {
                match (n + round) % 2 {
                    0 => gate.redeem(serial, round).await,
                    _ => gate.undo(serial).await,
                }
            }
        };
        let answers = together((0..6).map(asks)).await;
        let known = [(200, "result"), (404, "error"), (409, "error")];
        for it in &answers {
            let is_known = |(http, field): &(u16, &str)| it.http == *http && it.json[field] != "";
            assert!(known.iter().any(is_known), "{it:?}");
        }
        assert_eq!(left(&house, round).await, 1, "round {round}: {answers:?}");
        let late = gate.redeem(&serial, round).await;
        let late = (late.http, late.json["result"] == "undone");
        assert!([(200, true), (409, false)].contains(&late), "{late:?}");
        assert_eq!(left(&house, round).await, 1);
    }
    house.end().await;
}

async fn of_a_gate_and_a_till_one_gets_the_last_use(rows: Rows) {
    let house = open(rows, Stock::of(1, 100)).await;
    let (gate, till) = (Gate::new(&house), house.till());
    for round in 0..20_u32 {
        let by_gate = |at: u32| {
            let (gate, serial) = (&gate, format!("G{round}-{at}"));
            async move { gate.redeem(&serial, round).await.http == 200 }
        };
        let body = with(bodies::pre_order(&format!("P{round}"), PAYS), "AMT", "3");
        let body = with(body, "verifyCodes", code(BOX, round));
        let (gates, paid) = tokio::join!(
            together((0..3).map(by_gate)),
            till.post(Operation::PreOrder, &body)
        );
        let won = gates.iter().filter(|it| **it).count() + usize::from(paid.code() == "SUCCESS");
        assert_eq!(won, 1, "round {round}: {gates:?} {}", paid.code());
        assert_eq!(left(&house, round).await, 0);
    }
    // The same request, many at once: one use, one answer.
    let desk = Desk::new(&house, TOKEN);
    let second = Stock {
        id: "X22169-3141157-33476",
        ..Stock::of(2, 100)
    };
    super::desk::issue(house.gateway(), super::desk::tenant(&house).await, &second).await;
    desk.activate("2", &[second.id.to_owned()])
        .await
        .expect("A00");
    let text = code(second.id, 0);
    let same = (0..8).map(|_| {
        let (gate, body) = (&gate, redeem("SAME", &text));
        async move { gate.ask(&body).await }
    });
    let answers = together(same).await;
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    assert_eq!(answers[0].json["voucher"]["uses_left"], 1);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_redeems_without_a_merchants_signature() {
    let house = open(Rows::Sqlite, Stock::of(1, 2_000)).await;
    let gate = Gate::new(&house);
    let body = redeem("G1", &code(BOX, 0)).to_string();
    let right = sign::sign(&gate.key, "1795320000", body.as_bytes());
    let other = sign::sign(&gate.key, "1795320000", body.replace("G1", "G2").as_bytes());
    for sign in ["", "x", &other, &right.to_uppercase()] {
        gate.send(&body, sign).await.expect(401, "not_admitted");
    }
    let stranger = Gate {
        merchant: "nobody",
        ..Gate::new(&house)
    };
    stranger
        .send(&body, &right)
        .await
        .expect(401, "not_admitted");
    // Another retailer's merchant knows no code of this one's.
    let other = Gate {
        merchant: demo::OTHER_MERCHANT,
        key: MerchantKey::new(demo::OTHER_KEY),
        ..Gate::new(&house)
    };
    other.redeem("G1", 0).await.expect(404, "unknown_code");
    assert_eq!(left(&house, 0).await, 1);
    gate.send(&body, &right).await.expect(200, "redeemed");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_why_and_never_the_code() {
    let house = open(Rows::Sqlite, Stock::of(1, 2_000)).await;
    let gate = Gate::new(&house);
    let desk = Desk::new(&house, TOKEN);
    desk.void("v", &[code(BOX, 1)]).await.expect("V00");
    gate.redeem("A", 1).await.expect(409, "void");
    let unknown = redeem("A", "1001901070000000258-XXXXXXXX");
    gate.ask(&unknown).await.expect(404, "unknown_code");
    gate.ask(&redeem("A", BOX))
        .await
        .expect(404, "unknown_code");
    let text = code(BOX, 0);
    for (name, value) in [
        ("serial", json!("")),
        ("serial", json!("a b")),
        ("serial", json!("x".repeat(65))),
        ("terminal", json!("")),
        ("shop", json!("\u{3000}")),
        ("code", json!(7)),
        ("extra", json!("1")),
        ("action", json!("use")),
    ] {
        let mut body = redeem("A", &text);
        body[name] = value;
        let refused = gate.ask(&body).await.expect(400, "bad_request");
        assert!(!refused.to_string().contains(&text), "{refused}");
    }
    gate.redeem("A", 0).await.expect(200, "redeemed");
    house.end().await;
}
