//! Orders that the payer pays on a page.

use super::rig::{AMOUNT, Rig, order, serial};
use crate::{
    contract::{Channel, PrepareOutcome},
    sandbox::{ActResult, ChannelEvent, PayerAction, SandboxState},
};
use domain::{
    channel::{Decline, ReverseOutcome},
    command::QueryOutcome,
    payment::{Credential, Flow},
};

async fn opened(flow: Flow) -> Rig {
    let rig = Rig::new();
    let outcome = rig.sandbox.prepare(order(1, 2, flow)).await;
    assert!(matches!(outcome, PrepareOutcome::Prepared(_)));
    rig
}

fn state(rig: &Rig) -> SandboxState {
    rig.sandbox.order(serial(1)).unwrap().state
}

#[tokio::test(start_paused = true)]
async fn links_lead_to_the_page_of_the_order() {
    for flow in [Flow::MerchantCode, Flow::MobileWeb] {
        let outcome = Rig::new().sandbox.prepare(order(1, 34, flow)).await;
        let page = format!("https://till.example/sandbox/pay/{}", serial(1));
        assert_eq!(outcome, PrepareOutcome::Prepared(Credential::Link(page)));
    }
}

#[tokio::test(start_paused = true)]
async fn wallets_are_called_with_signed_parameters() {
    for (flow, for_app) in [(Flow::WalletPage, false), (Flow::App, true)] {
        let rig = Rig::new();
        let outcome = rig.sandbox.prepare(order(1, 2, flow)).await;
        rig.advance_ms(5);
        let again = rig.sandbox.prepare(order(1, 2, flow)).await;
        assert_eq!(outcome, again, "the same order, the same credential");
        let PrepareOutcome::Prepared(Credential::Wallet(call)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(call.timestamp, "1795276800000");
        assert_eq!(call.sign_type, "MD5");
        assert_eq!(call.sign.len(), 32);
        assert_eq!(call.sign, call.sign.to_uppercase());
        assert!(call.package.starts_with("prepay_id=wx"));
        assert_eq!(call.prepay_id.is_some(), for_app);
        assert_eq!(call.package.len(), "prepay_id=".len() + 36);
    }
}

#[tokio::test(start_paused = true)]
async fn a_payers_code_cannot_be_prepared() {
    let outcome = Rig::new()
        .sandbox
        .prepare(order(1, 2, Flow::PayerCode))
        .await;
    assert_eq!(outcome, PrepareOutcome::Declined(Decline::ByChannel));
}

#[tokio::test(start_paused = true)]
async fn paying_on_the_page_pays_and_tells() {
    let rig = opened(Flow::MerchantCode).await;
    let mut events = rig.sandbox.events();
    assert_eq!(rig.query(1).await, QueryOutcome::Waiting);
    let shown = rig.sandbox.order(serial(1)).unwrap();
    assert_eq!((shown.amount, shown.subject.as_str()), (AMOUNT, "tea"));
    let done = rig.sandbox.act(serial(1), PayerAction::Pay);
    assert!(matches!(&done, ActResult::Done(order) if order.state == SandboxState::Paid));
    let QueryOutcome::Paid(receipt) = rig.query(1).await else {
        panic!("not paid");
    };
    assert!(receipt.channel_result.is_some());
    let told = ChannelEvent::Paid {
        serial: serial(1),
        receipt,
    };
    assert_eq!(events.try_recv().unwrap(), told);
    for action in [PayerAction::Pay, PayerAction::Decline] {
        let again = rig.sandbox.act(serial(1), action);
        assert!(matches!(again, ActResult::Already(_)));
    }
    assert!(events.try_recv().is_err(), "told once");
    assert_eq!(rig.held(1), Some((1_000, 0)));
}

#[tokio::test(start_paused = true)]
async fn declining_on_the_page_is_final() {
    let rig = opened(Flow::MerchantCode).await;
    let mut events = rig.sandbox.events();
    let done = rig.sandbox.act(serial(1), PayerAction::Decline);
    assert!(matches!(done, ActResult::Done(_)));
    let declined = QueryOutcome::Declined(Decline::ByPayer);
    assert_eq!(rig.query(1).await, declined);
    let told = ChannelEvent::Declined {
        serial: serial(1),
        why: Decline::ByPayer,
    };
    assert_eq!(events.try_recv().unwrap(), told);
    let late = rig.sandbox.act(serial(1), PayerAction::Pay);
    assert!(matches!(late, ActResult::Already(_)));
    assert_eq!(rig.held(1), Some((0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_reversed_order_is_closed_to_its_payer() {
    let rig = opened(Flow::MerchantCode).await;
    assert_eq!(rig.reverse(1).await, ReverseOutcome::Reversed(None));
    assert_eq!(
        rig.sandbox.act(serial(1), PayerAction::Pay),
        ActResult::Closed
    );
    assert_eq!(state(&rig), SandboxState::Closed);
    let again = rig.sandbox.prepare(order(1, 2, Flow::MerchantCode)).await;
    assert_eq!(again, PrepareOutcome::Declined(Decline::ByChannel));
}

#[tokio::test(start_paused = true)]
async fn an_order_closes_when_it_expires() {
    let rig = opened(Flow::MerchantCode).await;
    rig.advance_ms(7_199_999);
    assert_eq!(state(&rig), SandboxState::Unpaid);
    rig.advance_ms(1);
    assert_eq!(
        rig.sandbox.act(serial(1), PayerAction::Pay),
        ActResult::Closed
    );
    let closed = QueryOutcome::Declined(Decline::ByChannel);
    assert_eq!(rig.query(1).await, closed);
}

#[tokio::test(start_paused = true)]
async fn a_paid_order_that_is_reversed_is_given_back() {
    let rig = opened(Flow::App).await;
    rig.sandbox.act(serial(1), PayerAction::Pay);
    let undone = rig.reverse(1).await;
    assert!(matches!(undone, ReverseOutcome::Reversed(Some(_))));
    assert_eq!(state(&rig), SandboxState::Returned);
    assert_eq!(
        rig.sandbox.act(serial(1), PayerAction::Pay),
        ActResult::Closed
    );
}

#[tokio::test(start_paused = true)]
async fn pages_exist_only_for_orders() {
    let rig = Rig::new();
    rig.pay(1, "03").await;
    for n in [1, 2] {
        assert_eq!(rig.sandbox.order(serial(n)), None);
        let result = rig.sandbox.act(serial(n), PayerAction::Pay);
        assert_eq!(result, ActResult::Unknown);
    }
}
