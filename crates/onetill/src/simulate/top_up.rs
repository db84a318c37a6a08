//! A top-up: the same request once or again, and what its merchant was told.

use super::counter::{Counter, Exchange, Shop};
use domain::ids::Serial;
use std::sync::Arc;
use store::gate::{Answer, TopUp};
use wire::opengateway::{
    FlowRecharge, Operation, ReturnCode, received::Received, request::FlowType,
};

/// How much, in megabytes.
const DATA_MB: u32 = 100;

/// Orders the top-up numbered `no` of `shop` a few times.
pub async fn run(no: u64, counter: Arc<Counter>, shop: Arc<Shop>) {
    let world = &counter.world;
    let tag = format!("[T{no}]");
    let timestamp = world.now().0.to_string();
    let request = FlowRecharge {
        phone_no: format!("138{no:08}"),
        flow_mb: DATA_MB,
        flow_type: FlowType::Nationwide,
        notify_url: world
            .chooses(500)
            .then(|| format!("http://shop.example/T{no}")),
    };
    let body = request.to_json();
    let call = shop
        .caller(&timestamp)
        .post(Operation::FlowRecharge, body.as_bytes());
    let signature = signature_of(&call.target).unwrap_or_default();
    for _ in 0..world.within(1..4) {
        let (answer, serial) = match counter.exchange(call.clone()).await {
            Exchange::Unsent => (Answer::NotRecorded, None),
            Exchange::Unanswered => (Answer::Nothing, None),
            Exchange::Reply(status, reply) => heard(&counter, &tag, status, reply.as_ref()),
        };
        world.log(&tag, &format!("is told {answer:?}"));
        let fact = TopUp {
            data_mb: i64::from(DATA_MB),
            answer,
            serial,
        };
        counter.told().note_top_up(shop.owner, &signature, fact);
        world.pass_ms(0..20_000).await;
    }
}

/// A top-up is known by its request's signature.
fn signature_of(target: &str) -> Option<String> {
    let query = target.split_once('?')?.1;
    let sign = query.split('&').find_map(|it| it.strip_prefix("sign="))?;
    Some(sign.to_owned())
}

fn heard(
    counter: &Counter,
    tag: &str,
    status: u16,
    reply: Option<&Received>,
) -> (Answer, Option<Serial>) {
    let code = reply.and_then(Received::code);
    let serial = reply.and_then(|it| Serial::parse(&it.field("flow.orderID")?));
    let answer = match (status, code) {
        (200, Some(ReturnCode::Success)) => Answer::Accepted,
        (200, Some(ReturnCode::Fail)) => Answer::Refused,
        (200, Some(ReturnCode::DatabaseError)) | (503, None) => Answer::NotRecorded,
        (200, Some(ReturnCode::Exception)) => Answer::Nothing,
        _ => {
            counter
                .world
                .fail(Some(tag), &format!("nobody expected {status} {code:?}"));
            Answer::Nothing
        }
    };
    (answer, serial)
}
