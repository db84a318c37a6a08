//! Bytes that are no request, or one that nobody should send.

use crate::{faults::sale, support::process::Merchant};
use wire::opengateway::Operation;

const POST: &str = "POST /openGateway/openService/preOrder HTTP/1.1\r\nhost: t\r\n";

/// Every kind, by name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = heads();
    all.extend(bodies());
    all.extend(framings());
    all
}

fn get(headers: &str) -> Vec<u8> {
    format!("GET /health/live HTTP/1.1\r\nhost: t\r\n{headers}\r\n").into_bytes()
}

fn post(rest: &str) -> Vec<u8> {
    format!("{POST}{rest}").into_bytes()
}

fn heads() -> Vec<(&'static str, Vec<u8>)> {
    let long_path = "a".repeat(60_000);
    vec![
        ("nothing but noise", vec![0xA5; 100_000]),
        ("zeroes", vec![0; 100_000]),
        ("line ends", b"\r\n".repeat(50_000)),
        ("10,000 headers", get(&"x: y\r\n".repeat(10_000))),
        ("101 headers", get(&"x: y\r\n".repeat(101))),
        (
            "one header of 64 KiB",
            get(&format!("x: {}\r\n", "y".repeat(65_536))),
        ),
        (
            "one header without an end",
            get(&format!("x: {}", "y".repeat(1_000_000))),
        ),
        ("a zero in a header", get("x: a\0b\r\n")),
        ("a header without a colon", get("nonsense\r\n")),
        ("a folded header", get("x: a\r\n b\r\n")),
        (
            "a path of 60,000",
            format!("GET /{long_path} HTTP/1.1\r\n\r\n").into_bytes(),
        ),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("HTTP/9.9", b"GET / HTTP/9.9\r\n\r\n".to_vec()),
        (
            "a tunnel",
            b"CONNECT example.com:443 HTTP/1.1\r\nhost: t\r\n\r\n".to_vec(),
        ),
        (
            "a handshake of TLS",
            [&[0x16, 3, 1, 2, 0, 1][..], &[7; 500]].concat(),
        ),
    ]
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let large = " ".repeat(1_000_000);
    vec![
        (
            "a body of 1 MB",
            post(&format!("content-length: 1000000\r\n\r\n{large}")),
        ),
        (
            "a body of 9 EB",
            post("content-length: 9223372036854775807\r\n\r\n{"),
        ),
        (
            "a longer one",
            post("content-length: 99999999999999999999999\r\n\r\n{"),
        ),
        ("a negative length", post("content-length: -1\r\n\r\n{")),
        (
            "two lengths",
            post("content-length: 1\r\ncontent-length: 2\r\n\r\n{}"),
        ),
        ("a body cut off", post("content-length: 100\r\n\r\n{")),
        ("nested deeply", counted(&"{\"a\":".repeat(40_000))),
        (
            "lists in lists",
            counted(&format!("{{\"a\":{}", "[".repeat(200_000))),
        ),
        ("elements in elements", counted(&"<a>".repeat(60_000))),
        (
            "a billion laughs",
            counted("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
        ),
        (
            "40,000 members",
            counted(&format!("{{{}\"z\":1}}", "\"a\":1,".repeat(40_000))),
        ),
        (
            "40,000 elements",
            counted(&format!("<a>{}</a>", "<b/>".repeat(40_000))),
        ),
    ]
}

fn counted(body: &str) -> Vec<u8> {
    post(&format!("content-length: {}\r\n\r\n{body}", body.len()))
}

fn chunked(chunks: &str) -> Vec<u8> {
    post(&format!("transfer-encoding: chunked\r\n\r\n{chunks}"))
}

fn framings() -> Vec<(&'static str, Vec<u8>)> {
    let extension = "x".repeat(100_000);
    vec![
        ("a chunk of 16 EB", chunked("ffffffffffffffff\r\n{")),
        ("a larger chunk", chunked("fffffffffffffffffffffffff\r\n{")),
        ("a negative chunk", chunked("-1\r\n{")),
        ("a chunk of nonsense", chunked("zz\r\n{")),
        (
            "a chunk with a long tail",
            chunked(&format!("1;{extension}\r\n{{\r\n0\r\n\r\n")),
        ),
        ("300,000 chunks", chunked(&"1\r\n \r\n".repeat(300_000))),
        (
            "10,000 trailers",
            chunked(&format!(
                "1\r\n{{\r\n0\r\n{}\r\n",
                "x: y\r\n".repeat(10_000)
            )),
        ),
        (
            "an unknown coding",
            post("transfer-encoding: gzip\r\n\r\n{}"),
        ),
        ("a payment behind another request", smuggled()),
    ]
}

/// Two ways to tell the length: read the other way, the body's rest would be a signed payment.
fn smuggled() -> Vec<u8> {
    let body = sale::pre_order("SMUGGLED", 100, super::PAYS);
    let call = Merchant::demo().post(Operation::PreOrder, &body);
    let inner = crate::support::http::request(&call, "");
    let mut bytes = post(&format!(
        "content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        inner.len() + 5
    ));
    bytes.extend(inner);
    bytes
}

/// Whatever was answered, it was a refusal, and nothing broke.
pub fn assert_refused(name: &str, reply: &str) {
    let statuses: Vec<&str> = reply
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, mark)| reply.get(at + mark.len()..at + mark.len() + 3))
        .collect();
    let is_fine = |status: &&str| status.starts_with('4') || *status == "505";
    let refused = |status: &&str| is_fine(status) || reply.contains("ILLEGAL_PARAMETER");
    assert!(statuses.iter().all(refused), "{name}: {reply:.300}");
    assert!(!reply.contains("SUCCESS"), "{name}: {reply:.300}");
}
