//! What the payer of a sandbox order needs to pay it.

use super::{
    account::Order,
    receipt::{APP_ID, md5_upper, mix},
};
use domain::{
    ids::Serial,
    payment::{Credential, Flow, WalletCall},
};

/// The credential of `order`; `None` for a payer's code, which needs none.
pub(super) fn credential(serial: Serial, order: &Order, base_url: &str) -> Option<Credential> {
    match order.flow {
        Flow::PayerCode => None,
        Flow::MerchantCode | Flow::MobileWeb => Some(Credential::Link(page(serial, base_url))),
        Flow::WalletPage => Some(Credential::Wallet(wallet_call(serial, order, false))),
        Flow::App => Some(Credential::Wallet(wallet_call(serial, order, true))),
    }
}

/// The page where the payer pays or declines.
pub(super) fn page(serial: Serial, base_url: &str) -> String {
    format!("{}/sandbox/pay/{serial}", base_url.trim_end_matches('/'))
}

fn wallet_call(serial: Serial, order: &Order, for_app: bool) -> WalletCall {
    let app_id = order.payer_app_id.as_deref().unwrap_or(APP_ID);
    let prepay_id = format!("wx{serial}{:014x}", mix(serial, 4) >> 8);
    let nonce = format!("{:016x}{:016x}", mix(serial, 5), mix(serial, 6));
    let package = format!("prepay_id={prepay_id}");
    let timestamp = order.created_at.0.to_string();
    let sign = md5_upper(&format!(
        "appId={app_id}&nonceStr={nonce}&package={package}&signType=MD5\
         &timeStamp={timestamp}&key=sandbox"
    ));
    WalletCall {
        app_id: app_id.to_owned(),
        timestamp,
        nonce,
        package,
        sign_type: "MD5".to_owned(),
        sign,
        prepay_id: for_app.then_some(prepay_id),
    }
}
