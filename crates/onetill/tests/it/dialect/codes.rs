//! Every row of the source's appendix 5: return codes, each reached over HTTP.

use crate::support::{
    bodies::{self, with},
    house::House,
    stub::{Panicking, Unreachable},
    till::Till,
};
use domain::channel::NotSent;
use onetill::admin::demo;
use std::{collections::BTreeSet, sync::Arc};
use store::Engine;
use wire::opengateway::{Operation, ReturnCode};

/// What a working gateway answers, and then what takes a fault.
const REACHED: [&str; 16] = [
    "SUCCESS",
    "FAIL",
    "ILLEGAL_PARAMETER",
    "INVALID_SIGN",
    "AMT_ERROR",
    "DATABASE_ERROR",
    "INVALID_CONTRACT",
    "UNREGISTERED_BUSI",
    "EXCEPTION",
    "CHARGE_NONEXISTENT",
    "SERVICE_UNAVAILABLE",
    "HTTP_EXCEPTION",
    "IO_EXCEPTION",
    "CREATE_SECURITY_CONNECTION_ERROR",
    "AREADY_REVOKED",
    "SERIAL_REPEAT",
];

#[test]
fn no_code_of_the_source_is_forgotten() {
    let reached: BTreeSet<_> = REACHED.into_iter().collect();
    let all = ReturnCode::ALL.iter().map(|it| it.as_str());
    assert_eq!(reached, all.collect());
}

#[tokio::test]
async fn codes_of_a_working_gateway() {
    let house = House::open().await;
    let till = house.till();
    let pre_order = async |body| till.post(Operation::PreOrder, &body).await.code();
    let body = |code: &str| bodies::pre_order(code, bodies::PAYS);
    assert_eq!(pre_order(body("A")).await, "SUCCESS");
    assert_eq!(pre_order(body("A")).await, "SERIAL_REPEAT");
    let poor = bodies::trigger("02");
    assert_eq!(pre_order(bodies::pre_order("B", &poor)).await, "FAIL");
    assert_eq!(
        pre_order(with(body("C"), "OPER_ID", "")).await,
        "ILLEGAL_PARAMETER"
    );
    assert_eq!(pre_order(with(body("C"), "AMT", "0")).await, "AMT_ERROR");
    assert_eq!(till.query("C").await.code(), "CHARGE_NONEXISTENT");
    till.cancel("A").await.expect("SUCCESS");
    till.cancel("A").await.expect("AREADY_REVOKED");
    let wrong = Till::new(&house, demo::MERCHANT, demo::OTHER_KEY);
    wrong.pay("D", bodies::PAYS).await.expect("INVALID_SIGN");
    let nobody = Till::new(&house, "0010000009", demo::KEY);
    nobody
        .pay("D", bodies::PAYS)
        .await
        .expect("UNREGISTERED_BUSI");
    let other = house.other_till();
    let card = with(
        with(body("D"), "CHANNEL_TYPE", 32),
        "BUSI_ID",
        &*other.busi_code,
    );
    let refused = other.post(Operation::PreOrder, &card).await;
    refused.expect("INVALID_CONTRACT");
    house.end().await;
}

#[tokio::test]
async fn a_suspended_merchant_has_no_contract_but_may_still_give_back() {
    let house = House::open().await;
    let till = house.till();
    till.paid("A", "1.00").await;
    house.set_merchant(|it| it.suspended = Some(true)).await;
    till.pay("B", bodies::PAYS).await.expect("INVALID_CONTRACT");
    till.order("B").await.expect("INVALID_CONTRACT");
    let flow = bodies::flow("13812345678");
    let flow = till.post(Operation::FlowRecharge, &flow).await;
    flow.expect("INVALID_CONTRACT");
    till.refund("A", "0.01", "R").await.expect("SUCCESS");
    assert_eq!(till.query("B").await.code(), "CHARGE_NONEXISTENT");
    house.end().await;
}

const NOT_SENT: [(u8, NotSent, &str); 4] = [
    (1, NotSent::Unavailable, "SERVICE_UNAVAILABLE"),
    (2, NotSent::Connect, "HTTP_EXCEPTION"),
    (3, NotSent::Secure, "CREATE_SECURITY_CONNECTION_ERROR"),
    (5, NotSent::Write, "IO_EXCEPTION"),
];

#[tokio::test]
async fn a_call_that_was_not_sent_closes_the_order_and_uses_its_serial() {
    let rig = |gateway: &mut onetill::app::Gateway| {
        for (channel, why, _) in NOT_SENT {
            Unreachable::serve(gateway, channel, why);
        }
    };
    let house = House::setup().rig(rig).open().await;
    let till = house.till();
    for (channel, _, code) in NOT_SENT {
        for (operation, body) in [
            (
                Operation::PreOrder,
                bodies::pre_order(&format!("P{channel}"), bodies::PAYS),
            ),
            (Operation::Order, bodies::order(&format!("O{channel}"))),
        ] {
            let body = with(body, "CHANNEL_TYPE", channel);
            let answer = till.post(operation, &body).await;
            assert!(answer.info().contains("未扣款"), "{}", answer.info());
            answer.expect(code);
            let serial = body["CHARGE_CODE"].as_str().unwrap();
            assert_eq!(till.state(serial).await, "6");
            till.post(operation, &body).await.expect("SERIAL_REPEAT");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_refund_that_was_not_sent_says_why_and_may_be_tried_again() {
    for (_, why, code) in NOT_SENT {
        let house = House::setup()
            .rig(move |gateway| Unreachable::refuse_refunds(gateway, 1, why))
            .open()
            .await;
        let till = house.till();
        till.paid("A", "1.00").await;
        till.refund("A", "0.30", "R1").await.expect(code);
        assert_eq!(till.state("A").await, "9");
        till.refund("A", "0.30", "R1").await.expect(code);
        till.refund("A", "1.00", "R2").await.expect(code);
        till.cancel("A").await.expect("FAIL");
        house.end().await;
    }
}

#[tokio::test]
async fn a_store_that_is_down_records_nothing_and_says_so() {
    let rig = |gateway: &mut onetill::app::Gateway| {
        // The writers of the true engine end when its last handle goes.
        gateway.engine = Engine::new(Arc::clone(&gateway.clock)).0;
    };
    let house = House::setup().rig(rig).open().await;
    let till = house.till();
    for answer in [
        till.pay("A", bodies::PAYS).await,
        till.order("A").await,
        till.refund("A", "0.01", "R").await,
        till.cancel("A").await,
        till.post(Operation::FlowRecharge, &bodies::flow("13812345678"))
            .await,
    ] {
        assert!(!answer.info().is_empty());
        answer.expect("DATABASE_ERROR");
    }
    assert_eq!(house.counts().await.payments, 0);
    house.end().await;
}

#[tokio::test]
async fn what_nobody_foresaw_is_an_exception_without_internals_and_is_finished_by_the_workers() {
    let house = House::setup()
        .options(|it| it.window_s = Some(10))
        .rig(|gateway| Panicking::serve(gateway, 1))
        .open()
        .await;
    let till = house.till();
    let answer = till.pay("A", bodies::PAYS).await;
    assert!(
        answer.info().contains("请用查询接口确认"),
        "{}",
        answer.info()
    );
    for internal in ["panic", "task", "stub", ".rs"] {
        assert!(!answer.info().contains(internal), "{}", answer.info());
    }
    answer.expect("EXCEPTION");
    assert_eq!(till.state("A").await, "0");
    house.drain().await;
    assert_eq!(till.state("A").await, "2");
    till.pay("A", bodies::PAYS).await.expect("SERIAL_REPEAT");
    house.end().await;
}
