//! activeByPartNo: segments of card numbers, signatures, progress.

use super::desk::{
    Answer, Desk, OTHER_TOKEN, PARTNER, Stock, TOKEN, code, put_partner, read, stocked,
};
use crate::support::house::House;
use domain::voucher::{partner::PartnerSettings, stock::Cards};
use serde_json::{Value, json};

const BOX: &str = "X22169-3141157-33475";
const PATH: &str = "/b2b/code/activeByPartNo";

async fn open() -> House {
    let house = House::open().await;
    let cards = Cards {
        bin: "7020".to_owned(),
        first: 41,
    };
    let stock = Stock {
        cards: Some(cards),
        ..Stock::of(1, 2_000)
    };
    stocked(&house, &stock).await;
    let settings = PartnerSettings {
        skip_signature: true,
        ..PartnerSettings::default()
    };
    put_partner(&house, PARTNER, TOKEN, settings, Vec::new()).await;
    house
}

/// The source's example.
fn sample(order: &str, start: &str, end: &str) -> Value {
    json!({
        "ver": 2,
        "partnerId": 1504,
        "sign": "skip",
        "merchantId": 10001,
        "partnerOrderId": order,
        "type": 2,
        "bin": "7020",
        "startCardSe": start,
        "endCardSe": end,
        "sellingPrice": "10000",
        "costPrice": "8888",
        "number": 14
    })
}

async fn ask(desk: &Desk<'_>, body: &Value) -> Answer {
    let reply = desk.send(PATH, body.to_string().as_bytes()).await;
    assert_eq!(reply.status, 200);
    read(&reply)
}

fn status(answer: &Answer) -> i64 {
    assert_eq!(answer.json["ver"], 2, "{}", answer.json);
    answer.json["statusCode"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_activated_once_and_then_done() {
    let house = open().await;
    let desk = Desk::new(&house, TOKEN);
    let order = "2040132213w9181w0q77awwwd8";
    let created = ask(&desk, &sample(order, "0000041", "0000045")).await;
    assert_eq!(status(&created), 100, "{}", created.json);
    assert_eq!(created.json["createTime"], "20261122075000");
    house.advance_s(60).await;
    let again = ask(&desk, &sample(order, "0000046", "0000047")).await;
    assert_eq!(status(&again), 81, "whatever the segment says");
    assert_eq!(again.json["createTime"], "20261122075000");
    let found = desk.look(&[code(BOX, 4), code(BOX, 5)]).await.expect("H00");
    let statuses: Vec<_> = found.codes().into_iter().map(|it| it.1).collect();
    assert_eq!(statuses, ["03", "01"]);
    let detail = &found.json["voucherBox"][0]["voucherPkg"][0]["voucherReel"][0]["codeDetail"][0];
    assert_eq!(detail["validStart"], "20261122075000");
    assert_eq!(detail["validEnd"], "20291122075000", "three years");
    assert_eq!(found.json["paidAmount"], 5 * 8_888);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_codes_and_leave_the_order_number_free() {
    let house = open().await;
    let desk = Desk::new(&house, TOKEN);
    ask(&desk, &sample("first", "0000041", "0000041")).await;
    for (start, end, code) in [
        ("0000040", "0000041", 404),
        ("0000041", "0000061", 404),
        ("0000041", "0000045", 409),
        ("0000042", "0000041", 400),
    ] {
        let refused = ask(&desk, &sample("second", start, end)).await;
        assert_eq!(status(&refused), code, "{start} {end}: {}", refused.json);
    }
    for (field, value) in [
        ("merchantId", json!("10002")),
        ("codeType", json!("4")),
        ("valid_end", json!("2026-11-22 07:49:59")),
        ("costPrice", json!("10001")),
        ("ver", json!(3)),
    ] {
        let mut body = sample("second", "0000042", "0000043");
        body[field] = value;
        let refused = ask(&desk, &body).await;
        assert_eq!(status(&refused), 400, "{field}: {}", refused.json);
        let message = refused.json["message"].as_str().unwrap();
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(
        status(&ask(&desk, &sample("second", "0000042", "0000043")).await),
        100
    );
    house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skip_needs_the_profile_and_the_partners_own_token() {
    let house = open().await;
    let body = sample("1", "0000041", "0000041");
    for desk in [Desk::without_token(&house), Desk::new(&house, OTHER_TOKEN)] {
        assert_eq!(status(&ask(&desk, &body).await), 401);
    }
    let mut unsigned = body.clone();
    unsigned.as_object_mut().unwrap().remove("sign");
    let mut stranger = body.clone();
    stranger["partnerId"] = json!(9);
    let mut forged = body.clone();
    forged["sign"] = json!("AAAA");
    let desk = Desk::new(&house, TOKEN);
    for body in [unsigned, stranger, forged] {
        assert_eq!(status(&ask(&desk, &body).await), 401, "{body}");
    }
    put_partner(
        &house,
        PARTNER,
        TOKEN,
        PartnerSettings::default(),
        Vec::new(),
    )
    .await;
    assert_eq!(status(&ask(&desk, &body).await), 401);
    let found = desk.look(&[BOX.to_owned()]).await;
    assert_eq!(found.statuses(), ["01"]);
    house.end().await;
}
