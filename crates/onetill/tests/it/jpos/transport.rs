//! Paths, methods, sizes, and members that are never missing.

use super::pos::{Answer, Pos, sale};
use crate::support::{house::House, http};
use onetill::admin::loyalty::demo::{CARD, STORE, TERMINAL};
use wire::jpos::Operation;

async fn ask(house: &House, method: &'static str, target: &str, body: &str) -> Answer {
    let call = wire::opengateway::call::Call {
        method,
        target: target.to_owned(),
        body: body.as_bytes().to_vec(),
    };
    let reply = http::send(house.address, &call).await;
    let content_type = reply.header("content-type").unwrap().to_owned();
    assert_eq!(content_type, "application/json;charset=UTF-8");
    assert!(reply.header("x-request-id").is_some());
    Answer::read(&reply)
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_answered_in_the_dialect() {
    let house = House::with_cards().await;
    for (method, target, http) in [
        ("GET", "/v1/jpos/cards", 405),
        ("PUT", "/v1/jpos/trans/consume", 405),
        ("POST", "/v1/jpos/trans/nothing", 200),
        ("POST", "/v1/jpos/", 200),
        ("POST", "/v1/jpos", 200),
        ("POST", "/v2/jpos/cards", 404),
        ("POST", "/v10/jpos/trans/consume", 404),
    ] {
        let answer = ask(&house, method, target, "").await;
        assert_eq!(
            (answer.http, answer.code()),
            (http, "40"),
            "{method} {target}"
        );
        assert_eq!(answer.json["transTime"], house.now().0 / 1000);
    }
    house.end().await;
}

/// Clients read these without looking at the status.
#[tokio::test]
async fn what_clients_read_is_there_on_failure_too() {
    let house = House::with_cards().await;
    let expected: [(&str, &[&str]); 4] = [
        ("terminal/checkin", &["batchNo", "storeName", "workingKey"]),
        ("trans/consume", &["advertisement"]),
        ("tickets/consume", &["advertisement"]),
        (
            "cards",
            &[
                "vaucher", "idType", "idNo", "name", "gender", "mobileNo", "grade", "address",
                "email",
            ],
        ),
    ];
    for operation in Operation::ALL {
        let function = operation.function();
        for body in [
            "",
            "storeNo=1",
            &format!("storeNo={STORE}&terminalNo={TERMINAL}"),
        ] {
            let answer = ask(&house, "POST", &format!("/v1/jpos/{function}"), body).await;
            let is_there = |member: &str| !answer.json[member].is_null();
            assert_ne!(answer.code(), "00", "{function} {body}");
            assert!(is_there("message") && is_there("transTime"), "{function}");
            assert!(!answer.text.contains("null"), "{}", answer.text);
            for (known, members) in expected {
                let all = known != function || members.iter().all(|it| is_there(it));
                assert!(all, "{function} {body}: {}", answer.text);
            }
        }
    }
    let refused = ask(&house, "POST", "/v1/jpos/terminal/checkin", "storeNo=1").await;
    assert_eq!(refused.text_of("workingKey"), "0".repeat(48));
    house.end().await;
}

#[tokio::test]
async fn a_body_may_be_so_long_and_no_longer() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let padded = |len: usize| format!("unknown={}", "x".repeat(len - 8));
    for (function, bytes_max) in [
        ("cards", 256 * 1024),
        ("trans/settle/details", 8 * 1024 * 1024),
    ] {
        let fits = pos.post_form(function, &padded(bytes_max)).await;
        assert_eq!((fits.http, fits.code()), (200, "30"), "{function}");
        // It is refused before it is sent.
        let head = format!(
            "POST /v1/jpos/{function} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n",
            bytes_max + 1
        );
        let too_long = Answer::read(&http::exchange(house.address, head.as_bytes()).await);
        assert_eq!((too_long.http, too_long.code()), (413, "30"), "{function}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let good = pos.form(&sale("000001", CARD, "1", "1")).encode();
    for body in [
        format!("{good}&cardNo=1"),
        format!("{good}&name=%FF"),
        format!("{good}{}", "&a=1".repeat(80)),
    ] {
        let answer = pos.post_form("trans/consume", &body).await;
        assert_eq!((answer.http, answer.code()), (200, "30"), "{body}");
    }
    pos.post_form("trans/consume", &good).await.expect("00");
    house.end().await;
}

/// Numbers are numbers, and whole ones have no fraction.
#[tokio::test]
async fn amounts_are_written_as_clients_read_them() {
    let house = House::with_cards().await;
    let pos = Pos::open(&house).await;
    let bought = pos.buy("0.01", "0.55").await.expect("00");
    assert!(bought.text.contains(r#""usePoint":1,"#), "{}", bought.text);
    assert!(
        bought.text.contains(r#""persentPoint":0.55"#),
        "{}",
        bought.text
    );
    assert!(
        bought.text.contains(r#""pointBalance":999.55"#),
        "{}",
        bought.text
    );
    house.end().await;
}

/// Strangers are slowed down, and a store's own terminal behind the same address is not.
#[tokio::test]
async fn strangers_are_limited_and_terminals_are_not() {
    let setup = House::setup()
        .cards()
        .options(|it| it.failures_max = Some(5));
    let house = setup.open().await;
    let pos = Pos::open(&house).await;
    let mut last = 0;
    for _ in 0..10 {
        last = ask(&house, "POST", "/v1/jpos/cards", "storeNo=1&terminalNo=1")
            .await
            .http;
    }
    assert_eq!(last, 429);
    pos.buy("1", "1").await.expect("00");
    pos.buy("99", "1").await.expect("51");
    house.end().await;
}
