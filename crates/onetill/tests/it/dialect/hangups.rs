//! A client that hangs up changes nothing.

use crate::support::{
    bodies::{self, trigger},
    eventually,
    house::House,
    http,
};
use domain::payment::PaymentStatus;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use wire::opengateway::{Operation, call::Call};

/// Sends the first `bytes` of a call.
async fn begin(house: &House, call: &Call, bytes: Option<usize>) -> TcpStream {
    let request = http::request(call, "");
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let sent = &request[..bytes.unwrap_or(request.len())];
    stream.write_all(sent).await.unwrap();
    stream
}

#[tokio::test]
async fn during_pre_order_the_payment_ends_paid() {
    let house = House::open().await;
    let till = house.till();
    let body = bodies::pre_order("A", &trigger("01")).to_string();
    let call = till.posting(Operation::PreOrder, body.as_bytes());
    let stream = begin(&house, &call, None).await;
    eventually("recorded", async || house.stored("A").await).await;
    drop(stream);
    assert_eq!(till.state("A").await, "0");
    let paid = house.until("A", |it| it.status() == PaymentStatus::Paid);
    house.passing(paid).await;
    assert_eq!(house.holds_fen("A").await, 1);
    till.pay("A", bodies::PAYS).await.expect("SERIAL_REPEAT");
    house.end().await;
}

#[tokio::test]
async fn while_the_channel_is_asked_the_answer_is_recorded_all_the_same() {
    let house = House::setup()
        .options(|it| it.sandbox_latency_ms = Some(150))
        .open()
        .await;
    let till = house.till();
    till.paid("PAID", "1.00").await;
    for (operation, body) in [
        (Operation::PreOrder, bodies::pre_order("A", bodies::PAYS)),
        (Operation::Refund, bodies::refund("PAID", "0.40", "R")),
    ] {
        let before = house.counts().await;
        let call = till.posting(operation, body.to_string().as_bytes());
        let stream = begin(&house, &call, None).await;
        eventually("recorded", async || {
            (house.counts().await.jobs > before.jobs).then_some(())
        })
        .await;
        drop(stream);
        eventually("done", async || {
            (house.counts().await.postings > before.postings).then_some(())
        })
        .await;
    }
    assert_eq!(till.state("A").await, "1");
    assert_eq!(till.state("PAID").await, "4");
    house.end().await;
}

#[tokio::test]
async fn half_a_request_is_none() {
    let house = House::open().await;
    let till = house.till();
    let body = bodies::pre_order("A", bodies::PAYS).to_string();
    let call = till.posting(Operation::PreOrder, body.as_bytes());
    let whole = http::request(&call, "").len();
    for missing in [1, body.len(), body.len() + 30] {
        drop(begin(&house, &call, Some(whole - missing)).await);
    }
    till.pay("B", bodies::PAYS).await.expect("SUCCESS");
    assert_eq!(house.stored("A").await, None);
    house.end().await;
}
