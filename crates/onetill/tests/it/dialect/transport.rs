//! What requests may look like: types, Expect, escapes, sizes, paths.

use crate::support::{bodies, house::House, http};
use domain::time::UnixMs;
use std::{sync::Arc, time::Duration};
use store::{AdminOp, Engine, engine::QUEUE_LEN_MAX};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wire::opengateway::{Operation, SerialType};

const OPEN: &str = "/openGateway/openService";

#[tokio::test]
async fn any_content_type_and_any_accept_will_do() {
    let house = House::open().await;
    let headers = [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: text/xml;charset=GBK\r\nAccept: image/png\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: nonsense\r\nAccept: nonsense\r\n",
        "Content-Type:\r\nAccept-Encoding: gzip, br\r\nAccept: text/html;q=0\r\n",
    ];
    for (number, header) in headers.into_iter().enumerate() {
        for till in [house.till(), house.till().sealed()] {
            let code = format!("C{number}-{}", house.counts().await.payments);
            let body = bodies::pre_order(&code, bodies::PAYS).to_string();
            let call = till.posting(Operation::PreOrder, body.as_bytes());
            let reply = http::exchange(house.address, &http::request(&call, header)).await;
            till.read(&reply).expect("SUCCESS");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_client_that_expects_100_continue_is_told_to_go_on() {
    let house = House::open().await;
    let till = house.till();
    let body = bodies::pre_order("A", bodies::PAYS).to_string();
    let call = till.posting(Operation::PreOrder, body.as_bytes());
    let bytes = http::request(&call, "Expect: 100-continue\r\n");
    let (head, body) = bytes.split_at(bytes.len() - call.body.len());
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(head).await.unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert!(reply.contains("\"CODE\":\"SUCCESS\""), "{reply}");
    house.end().await;
}

#[tokio::test]
async fn the_signatures_colon_may_be_escaped_or_not() {
    let house = House::open().await;
    let till = house.till();
    for (code, colon) in [("A", ":"), ("B", "%3A"), ("C", "%3a")] {
        let body = bodies::pre_order(code, bodies::PAYS).to_string();
        let mut call = till.posting(Operation::PreOrder, body.as_bytes());
        let (head, tail) = call.target.split_once("sign=").unwrap();
        call.target = format!("{head}sign={}", tail.replacen(':', colon, 1));
        assert!(call.target.contains(colon));
        till.ask(&call).await.expect("SUCCESS");
    }
    house.end().await;
}

#[tokio::test]
async fn what_never_reached_the_dialect_is_an_http_error() {
    let house = House::open().await;
    let big = vec![b' '; 256 * 1024 + 1];
    let limit = vec![b' '; 256 * 1024];
    let rows = [
        (http::get("/"), 404),
        (http::get("/openGateway/"), 404),
        (http::get(&format!("{OPEN}/")), 404),
        (http::post(&format!("{OPEN}/preorder"), "{}"), 404),
        (http::post(&format!("{OPEN}/preOrder/x"), "{}"), 404),
        (http::post("/opengateway/openService/preOrder", "{}"), 404),
        (http::get(&format!("{OPEN}/query/A")), 404),
        (http::get(&format!("{OPEN}/query//0010000001")), 404),
        (
            http::post("/openGateway/platService/flowRecharge/", "{}"),
            404,
        ),
        (http::post("/openGateway/platService/preOrder", "{}"), 404),
        (http::get(&format!("{OPEN}/preOrder")), 405),
        (http::get(&format!("{OPEN}/order")), 405),
        (http::get(&format!("{OPEN}/refund")), 405),
        (http::post(&format!("{OPEN}/query/A/0010000001"), ""), 405),
        (
            http::post(&format!("{OPEN}/cancelTrade/A/0010000001"), ""),
            405,
        ),
        (
            http::get("/openGateway/platService/flowRecharge/0010000001"),
            405,
        ),
        (http::post(&format!("{OPEN}/preOrder"), big), 413),
        (http::post(&format!("{OPEN}/preOrder"), limit), 200),
    ];
    for (call, status) in rows {
        let reply = http::send(house.address, &call).await;
        assert_eq!(reply.status, status, "{} {}", call.method, call.target);
    }
    house.end().await;
}

#[tokio::test]
async fn a_serial_with_signs_of_its_own_is_found_escaped_in_the_path() {
    let house = House::open().await;
    let till = house.till();
    for code in [
        "a/b", "a?b&c=d", "编号1", "100%", "a+b", "..", "a%20b", "{D38-20}",
    ] {
        till.pay(code, bodies::PAYS).await.expect("SUCCESS");
        let found = till.query(code).await.expect("SUCCESS");
        assert_eq!(found.get("CHARGE_CODE"), code);
        till.cancel(code).await.expect("SUCCESS");
    }
    till.pay("x/y", bodies::PAYS).await.expect("SUCCESS");
    let mut raw = till.call(|it| it.query("x/y", SerialType::Merchant, true));
    raw.target = raw.target.replace("x%2fy", "x/y").replace("x%2Fy", "x/y");
    assert!(raw.target.contains("/x/y/"), "{}", raw.target);
    till.ask(&raw).await.expect("SUCCESS");
    house.end().await;
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let house = House::open().await;
    let till = house.till();
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    for number in 0..3 {
        let body = bodies::pre_order(&format!("K{number}"), bodies::PAYS).to_string();
        let call = till.posting(Operation::PreOrder, body.as_bytes());
        let bytes = http::request(&call, "");
        let text = String::from_utf8(bytes)
            .unwrap()
            .replace("Connection: close\r\n", "");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        while !reply.ends_with(b"}}") {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.unwrap();
            assert_ne!(count, 0, "closed too early");
            reply.extend_from_slice(&chunk[..count]);
        }
        assert!(String::from_utf8(reply).unwrap().contains("SUCCESS"));
    }
    drop(stream);
    house.end().await;
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let house = House::open().await;
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let reply = http::send(house.address, &http::get(path)).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    house.end().await;
}

#[tokio::test]
async fn an_overloaded_gateway_refuses_at_once_with_503() {
    let (keep, kept) = std::sync::mpsc::channel();
    let rig = move |gateway: &mut onetill::app::Gateway| {
        let (engine, queue) = Engine::new(Arc::clone(&gateway.clock));
        gateway.engine = engine;
        keep.send(queue).unwrap();
    };
    let house = House::setup().rig(rig).open().await;
    // The queue is there, but nobody serves it.
    let queue = kept.recv().unwrap();
    for _ in 0..QUEUE_LEN_MAX {
        let op = AdminOp::RenewNode {
            node: 0,
            owner: 0,
            until: UnixMs(0),
        };
        // Queued at the first poll, and never answered.
        let waited = tokio::time::timeout(Duration::ZERO, house.gateway().engine.admin(op));
        drop(waited.await);
    }
    let till = house.till();
    let body = bodies::pre_order("A", bodies::PAYS).to_string();
    let call = till.posting(Operation::PreOrder, body.as_bytes());
    assert_eq!(till.send(&call).await.status, 503);
    assert_eq!(till.query("A").await.code(), "CHARGE_NONEXISTENT");
    drop(queue);
    house.end().await;
}
