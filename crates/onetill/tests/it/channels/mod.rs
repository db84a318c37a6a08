//! Channels at their worst: what the till is told, what the books say, and that it ends.
//!
//! | module | proves |
//! |---|---|
//! | [`unanswered`] | calls that hang, answers nobody can read, panics: unknown, never failed |
//! | [`repeated`] | the same news twice, and news that comes late |
//! | [`contradicting`] | words against the books: they stay, and an operator finds out |
//! | [`fairness`] | a dead wallet that delays nobody else, and requests that wait |

mod contradicting;
mod fairness;
mod repeated;
mod unanswered;

use crate::support::{
    bodies::{self, with},
    house::House,
    till::{Answer, Till},
    wallet::Wallet,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use wire::opengateway::Operation;

/// The number the wallet of a test is served under: `CHANNEL_TYPE` 2.
const CHANNEL: u8 = 2;
/// When a call that hangs is given up, in real time: payments wait for 10 s on the house's clock.
const CALL_TIMEOUT: Duration = Duration::from_millis(50);

/// A gateway that waits for payers' codes for 10 s, with `wallet` behind one of its channels.
async fn house_with(wallet: &Arc<Wallet>, call_timeout: Duration) -> House {
    house_waiting(10, wallet, call_timeout).await
}

/// As [`house_with`], waiting for payers' codes for `window_s`.
async fn house_waiting(window_s: u32, wallet: &Arc<Wallet>, call_timeout: Duration) -> House {
    let wallet = Arc::clone(wallet);
    House::setup()
        .options(move |it| it.window_s = Some(window_s))
        .rig(move |gateway| wallet.serve(gateway, CHANNEL, call_timeout))
        .open()
        .await
}

/// preOrder of 0.01 yuan at the wallet.
async fn pay(till: &Till<'_>, charge_code: &str) -> Answer {
    let body = with(
        bodies::pre_order(charge_code, bodies::PAYS),
        "CHANNEL_TYPE",
        CHANNEL,
    );
    till.post(Operation::PreOrder, &body).await
}

/// Lets the work end, proves the books, and stops. The sandbox knows nothing of the wallet, so its
/// books are not compared.
async fn end(mut house: House) {
    house.drain().await;
    let report = house.audit().await;
    assert!(report.is_clean(), "{:#?}", report.violations);
    assert_eq!(report.counts.jobs, 0);
    house.close().await;
}

/// What an operator is shown of a payment.
async fn shown(house: &House, charge_code: &str) -> Value {
    let order = onetill::admin::Request::ShowOrder(House::named(charge_code));
    house.admin(order).await.unwrap()
}

/// What the channel said against the books, as an operator is shown it.
async fn contradictions(house: &House, charge_code: &str) -> Vec<String> {
    let shown = shown(house, charge_code).await;
    let notes = shown["contradictions"].as_array().unwrap();
    let said = notes
        .iter()
        .map(|it| it["said"].as_str().unwrap().to_owned());
    said.collect()
}
