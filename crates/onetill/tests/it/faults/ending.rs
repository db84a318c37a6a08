//! SIGTERM finishes what is in flight and leaves nothing behind.

use super::sale;
use crate::support::process::{Client, Merchant, Process, Recipe};
use domain::{ids::Serial, time::UnixMs};
use std::time::Duration;
use store::{AdminOp, AdminReply, Writer, sqlite::SqliteStore};
use tokio::net::TcpStream;
use wire::opengateway::Operation;

/// The customer confirms after 6 s.
const HESITATES: &str = "284214903060794701";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_told_to_end_answers_the_till_that_waits_and_takes_nobody_new() {
    let dir = tempfile::tempdir().unwrap();
    let mut gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    let address = gateway.recipe.address;
    let waiting = tokio::spawn(pay(gateway.client(), "G-1"));
    // Recorded, and with the sandbox: its customer has been asked.
    tokio::time::sleep(Duration::from_secs(1)).await;

    gateway.ask_to_end();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished(), "the customer has not confirmed yet");
    let refused = TcpStream::connect(address).await;
    assert!(refused.is_err(), "new connections are refused");

    assert_eq!(waiting.await.unwrap(), "SUCCESS");
    let status = gateway.ended(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{}", gateway.log_tail());
    assert!(
        !gateway.log().contains("still held by someone"),
        "{}",
        gateway.log()
    );
    assert_lease_is_given_back(&gateway).await;

    gateway.restart().await;
    let mut client = gateway.client();
    let reply = client.call(&Merchant::demo().query("G-1")).await.unwrap();
    assert_eq!(reply.field("STATE"), "1", "{}", reply.text());
    assert!(gateway.terminate().await.success());
    gateway.restart().await;
    assert!(gateway.is_ready().await, "and again, at once");
}

async fn pay(mut client: Client, number: &str) -> String {
    let body = sale::pre_order(number, 500, HESITATES);
    let call = Merchant::demo().post(Operation::PreOrder, &body);
    client.call(&call).await.expect("an answer").code()
}

/// The first node number is free at once, and serials go on after those that were issued.
async fn assert_lease_is_given_back(gateway: &Process) {
    let path = gateway.recipe.data.join("onetill.db");
    let store = SqliteStore::open(&path).unwrap();
    let now = UnixMs(jiff::Timestamp::now().as_millisecond());
    let lease = AdminOp::LeaseNode {
        now,
        // It ends as it begins, so that the next gateway finds the number free.
        until: now,
        owner: 1,
    };
    let reply = store.writer().unwrap().admin(&lease).await.unwrap();
    let AdminReply::Lease { node, issued_until } = reply else {
        panic!("no lease: {reply:?}");
    };
    assert_eq!(node, 0, "its lease was not given back");
    let reader = store.reader();
    let filter = store::contract::PaymentFilter::default();
    let payments = store::Reader::payments(&reader, filter, 1).await.unwrap();
    let last = payments.first().expect("a payment").serial;
    let after = Serial::floor(issued_until.plus_ms(1), 8 * 3600);
    assert!(after > last, "the next gateway could issue {last} again");
}
