//! The sandbox in another process: what its silence, its nonsense and its answers teach.

use super::rig::{AMOUNT, START, at, order, serial};
use crate::{
    contract::{
        Channel, PayRequest, PrepareOutcome, RechargeProvider, RechargeRequest, RefundRequest,
    },
    sandbox::{ChannelEvent, NewsError, RemoteSandbox, SandboxUrl, interface},
};
use domain::{
    channel::{
        ChannelNo, Decline, FundBill, FundSource, NotSent, PayOutcome, Receipt, RechargeOutcome,
        RefundOutcome, ReverseOutcome,
    },
    command::QueryOutcome,
    ids::Serial,
    payment::{Credential, Flow, WalletCall},
    recharge::Reach,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn remote(address: SocketAddr) -> RemoteSandbox {
    RemoteSandbox::new(SandboxUrl::parse(&format!("http://{address}")).unwrap())
}

/// A server that answers its first request with `reply`, as it stands, and hangs up.
async fn says(reply: Vec<u8>) -> RemoteSandbox {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(&reply).await.unwrap();
    });
    remote(address)
}

fn reply(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

fn pay_request() -> PayRequest {
    PayRequest {
        serial: serial(1),
        channel: ChannelNo(2),
        amount: AMOUNT,
        payer_code: "130000000000000099".into(),
        subject: "tea".into(),
        operator_id: "oper01".into(),
        device_id: "dev01".into(),
        store_id: None,
        expires_at: START.plus_s(80),
    }
}

fn refund_request() -> RefundRequest {
    RefundRequest {
        refund: serial(2),
        payment: serial(1),
        channel: ChannelNo(2),
        payment_amount: AMOUNT,
        amount: AMOUNT,
        reason: None,
    }
}

fn recharge_request() -> RechargeRequest {
    RechargeRequest {
        serial: serial(3),
        phone: "13800138000".into(),
        data_mb: 100,
        reach: Reach::Provincial,
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = remote(listener.local_addr().unwrap());
    drop(listener);
    let why = NotSent::Connect;
    assert_eq!(nobody.pay(pay_request()).await, PayOutcome::NotSent(why));
    let opened = nobody.prepare(order(1, 2, Flow::MerchantCode)).await;
    assert_eq!(opened, PrepareOutcome::NotSent(why));
    let refunded = nobody.refund(refund_request()).await;
    assert_eq!(refunded, RefundOutcome::NotSent(why));
    let ordered = nobody.recharge(recharge_request()).await;
    assert_eq!(ordered, RechargeOutcome::NotSent(why));
    // What only asks has no such answer: it learned nothing.
    let asked = Channel::query(&nobody, at(1)).await;
    assert_eq!(asked, QueryOutcome::Unknown);
    assert_eq!(nobody.reverse(at(1)).await, ReverseOutcome::Unknown);
    assert_eq!(nobody.news().await.err(), Some(NewsError::Unreachable));
}

#[tokio::test]
async fn whatever_cannot_be_read_as_an_answer_is_unknown() {
    let paid = r#""Waiting""#;
    let long = format!("\"{}\"", "x".repeat(interface::MESSAGE_BYTES_MAX));
    for (what, bytes) in [
        ("hung up", Vec::new()),
        ("not HTTP", b"220 mail.example ESMTP\r\n".to_vec()),
        ("another status", reply("500 Internal Server Error", paid)),
        ("no content", reply("204 No Content", "")),
        ("moved", reply("302 Found", paid)),
        ("nothing", reply("200 OK", "")),
        ("no JSON", reply("200 OK", "<html>Waiting</html>")),
        ("more than one", reply("200 OK", r#""Waiting""Waiting""#)),
        ("no such answer", reply("200 OK", r#""PaidTwice""#)),
        ("half a receipt", reply("200 OK", r#"{"Paid":{"n":"42"}}"#)),
        ("deep", reply("200 OK", &"[".repeat(100_000))),
        ("too long", reply("200 OK", &long)),
        (
            "broken off",
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n\"Waiting\"".to_vec(),
        ),
    ] {
        let outcome = says(bytes.clone()).await.pay(pay_request()).await;
        assert_eq!(outcome, PayOutcome::Unknown, "{what}");
        let outcome = says(bytes).await.reverse(at(1)).await;
        assert_eq!(outcome, ReverseOutcome::Unknown, "{what}");
    }
    let whole = says(reply("200 OK", paid)).await.pay(pay_request()).await;
    assert_eq!(whole, PayOutcome::Waiting, "and this one can");
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(said: &[T]) {
    for it in said {
        let json = serde_json::to_vec(it).unwrap();
        assert_eq!(serde_json::from_slice::<T>(&json).unwrap(), *it);
    }
}

fn receipt() -> Receipt {
    Receipt {
        channel_serial: "42002026".into(),
        paid_at: START,
        bills: vec![FundBill {
            source: FundSource(9001),
            amount: AMOUNT,
        }],
        buyer_id: Some("o\"茶".into()),
        channel_result: Some("{\"a\":\"b\"}".into()),
    }
}

fn wallet_call() -> WalletCall {
    WalletCall {
        app_id: "a".into(),
        timestamp: "1".into(),
        nonce: "n".into(),
        package: "p=1".into(),
        sign_type: "MD5".into(),
        sign: "S".into(),
        prepay_id: Some("wx".into()),
    }
}

#[test]
fn every_answer_about_a_payment_survives_the_way() {
    let declines = [
        Decline::InsufficientFunds,
        Decline::CodeExpired,
        Decline::ByPayer,
        Decline::ByChannel,
    ];
    survives(&declines.map(PayOutcome::Declined));
    survives(&[
        PayOutcome::Paid(receipt()),
        PayOutcome::Waiting,
        PayOutcome::NotSent(NotSent::Unavailable),
        PayOutcome::Unknown,
    ]);
    survives(&[
        PrepareOutcome::Prepared(Credential::Link("http://x/y".into())),
        PrepareOutcome::Prepared(Credential::Wallet(wallet_call())),
        PrepareOutcome::Declined(Decline::ByChannel),
        PrepareOutcome::NotSent(NotSent::Connect),
        PrepareOutcome::Unknown,
    ]);
    survives(&[
        QueryOutcome::Paid(receipt()),
        QueryOutcome::Declined(Decline::ByPayer),
        QueryOutcome::Waiting,
        QueryOutcome::NotFound,
        QueryOutcome::Unknown,
    ]);
    let (serial, receipt) = (serial(1), receipt());
    let why = Decline::ByPayer;
    survives(&[
        ChannelEvent::Paid { serial, receipt },
        ChannelEvent::Declined { serial, why },
    ]);
}

#[test]
fn every_answer_about_money_going_back_or_out_survives_the_way() {
    survives(&[
        ReverseOutcome::Reversed(None),
        ReverseOutcome::Reversed(Some(receipt())),
        ReverseOutcome::Paid(receipt()),
        ReverseOutcome::Unknown,
    ]);
    survives(&[
        RefundOutcome::Done,
        RefundOutcome::Declined,
        RefundOutcome::Waiting,
        RefundOutcome::NotSent(NotSent::Write),
        RefundOutcome::Unknown,
    ]);
    survives(&[
        RechargeOutcome::Accepted("CT_1".into()),
        RechargeOutcome::Done("CT_1".into()),
        RechargeOutcome::Failed,
        RechargeOutcome::NotSent(NotSent::Secure),
        RechargeOutcome::Unknown,
    ]);
}

#[test]
fn every_request_survives_the_way() {
    // Serials are larger than what a float holds exactly.
    survives(&[serial(7), Serial(9_007_199_254_740_993), Serial(i64::MAX)]);
    survives(&[at(1)]);
    survives(&[refund_request()]);
    survives(&[recharge_request()]);
    survives(&[order(1, 34, Flow::MobileWeb)]);
    let request = serde_json::to_vec(&pay_request()).unwrap();
    assert!(serde_json::from_slice::<PayRequest>(&request).unwrap() == pay_request());
}

#[tokio::test]
async fn news_that_is_none_ends_the_news() {
    let heard = |body: &'static [u8]| async move {
        let mut bytes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
        bytes.extend_from_slice(body);
        let mut news = says(bytes).await.news().await.unwrap();
        news.next().await
    };
    let event = ChannelEvent::Declined {
        serial: Serial(5),
        why: Decline::ByPayer,
    };
    let line: &[u8] = b"\n\n{\"Declined\":{\"serial\":5,\"why\":\"ByPayer\"}}\n";
    assert_eq!(heard(line).await, Ok(event));
    assert_eq!(heard(b"").await, Err(NewsError::Ended));
    assert_eq!(
        heard(b"\n{\"Decl").await,
        Err(NewsError::Ended),
        "cut short"
    );
    assert_eq!(heard(b"{}\n").await, Err(NewsError::Unreadable));
    let endless = vec![b'x'; interface::MESSAGE_BYTES_MAX + 1].leak();
    assert_eq!(heard(endless).await, Err(NewsError::Unreadable));
    let elsewhere = says(reply("404 Not Found", "")).await;
    assert_eq!(elsewhere.news().await.err(), Some(NewsError::Status(404)));
}

#[test]
fn only_an_address_that_can_be_called_is_one() {
    for (text, kept) in [
        ("http://127.0.0.1:8780", Some("http://127.0.0.1:8780")),
        ("http://[::1]:8780/", Some("http://[::1]:8780")),
        ("http://wallet/below/", Some("http://wallet/below")),
        ("https://127.0.0.1:8780", None),
        ("127.0.0.1:8780", None),
        ("http://", None),
        ("http:///", None),
        ("http://h/?a=b", None),
        ("/path", None),
        ("", None),
    ] {
        let url = SandboxUrl::parse(text).map(|url| url.to_string());
        assert_eq!(url.as_deref(), kept, "{text}");
    }
}
