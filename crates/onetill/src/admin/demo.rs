//! The demo data: fixed, so that anyone's script can rely on it. Its keys are public.

use super::{AdminError, loyalty, merchants, voucher};
use crate::app::Gateway;
use domain::merchant::MerchantSettings;
use std::sync::Arc;

/// The merchant that has everything.
pub const MERCHANT: &str = "0010000001";
/// Its key.
pub const KEY: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
/// The merchant of another tenant, with two channels and nothing else.
pub const OTHER_MERCHANT: &str = "0010000002";
/// Its key.
pub const OTHER_KEY: &str = "VUTSRQPONMLKJIHGFEDCBA9876543210";

/// Loads the demo data of all dialects where the store has none; says whether it did.
///
/// # Errors
/// When the store failed.
pub async fn load(gateway: &Arc<Gateway>) -> Result<bool, AdminError> {
    let merchants = load_merchants(gateway).await?;
    let cards = loyalty::demo::load(gateway).await?;
    let vouchers = voucher::demo::load(gateway).await?;
    Ok(merchants || cards || vouchers)
}

/// Loads the demo's merchants if the store has none; says whether it did.
///
/// # Errors
/// When the store failed.
pub async fn load_merchants(gateway: &Arc<Gateway>) -> Result<bool, AdminError> {
    if !gateway.reader.merchants().await?.is_empty() {
        return Ok(false);
    }
    // The source documents queries without a signature; the demo lets them through.
    let settings = MerchantSettings {
        require_query_sign: false,
        ..MerchantSettings::default()
    };
    let demo = merchants::NewMerchant {
        code: MERCHANT.to_owned(),
        tenant: "demo".to_owned(),
        name: "演示商户 Demo Shop".to_owned(),
        key: KEY.to_owned(),
        channels: None,
        settings: settings.clone(),
    };
    let other = merchants::NewMerchant {
        code: OTHER_MERCHANT.to_owned(),
        tenant: "other".to_owned(),
        name: "另一商户 Other Shop".to_owned(),
        key: OTHER_KEY.to_owned(),
        channels: Some(vec![1, 2]),
        settings,
    };
    merchants::add(gateway, demo).await?;
    merchants::add(gateway, other).await?;
    Ok(true)
}
