//! The demo data: fixed, so that anyone's script can rely on it. Its keys are public.

use super::{
    AdminError, loyalty,
    merchants::{self, NewMerchant},
    voucher,
};
use crate::app::Gateway;
use domain::merchant::MerchantSettings;
use std::sync::Arc;
use store::AdminOp;

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

/// Loads the demo's merchants if the store has none, or goes on where an earlier load was broken
/// off; says whether it did.
///
/// # Errors
/// When the store failed.
pub async fn load_merchants(gateway: &Arc<Gateway>) -> Result<bool, AdminError> {
    let known = gateway.reader.merchants().await?;
    if !Part::Merchants
        .is_to_be_loaded(gateway, known.is_empty())
        .await?
    {
        return Ok(false);
    }
    for merchant in merchants() {
        if !known.iter().any(|it| it.code == merchant.code) {
            merchants::add(gateway, merchant).await?;
        }
    }
    Part::Merchants.is_loaded(gateway).await?;
    Ok(true)
}

/// A part of the demo data.
#[derive(Clone, Copy, Debug)]
pub(in crate::admin) enum Part {
    /// The merchants.
    Merchants,
    /// Stores, terminals and cards.
    Cards,
}

/// What is noted of a part: written once, and never changed.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Begun,
    Ended,
}

impl Part {
    /// Whether the part is to be loaded: where there is nothing of its kind yet, and where a load of
    /// it was broken off. What an operator has set up is left alone.
    pub(in crate::admin) async fn is_to_be_loaded(
        self,
        gateway: &Gateway,
        is_empty: bool,
    ) -> Result<bool, AdminError> {
        if self.has(gateway, Mark::Ended).await? {
            return Ok(false);
        }
        if is_empty {
            self.put(gateway, Mark::Begun).await?;
            return Ok(true);
        }
        self.has(gateway, Mark::Begun).await
    }

    /// Notes that all of the part is there.
    pub(in crate::admin) async fn is_loaded(self, gateway: &Gateway) -> Result<(), AdminError> {
        self.put(gateway, Mark::Ended).await
    }

    const fn name(self, mark: Mark) -> &'static str {
        match (self, mark) {
            (Self::Merchants, Mark::Begun) => "demo/merchants/begun",
            (Self::Merchants, Mark::Ended) => "demo/merchants/ended",
            (Self::Cards, Mark::Begun) => "demo/cards/begun",
            (Self::Cards, Mark::Ended) => "demo/cards/ended",
        }
    }

    async fn has(self, gateway: &Gateway, mark: Mark) -> Result<bool, AdminError> {
        let found = gateway.reader.values(self.name(mark).to_owned(), 1).await?;
        Ok(!found.is_empty())
    }

    async fn put(self, gateway: &Gateway, mark: Mark) -> Result<(), AdminError> {
        let note = AdminOp::PutIfAbsent {
            name: self.name(mark).to_owned(),
            value: b"1".to_vec(),
        };
        gateway.engine.admin(note).await?;
        Ok(())
    }
}

fn merchants() -> [NewMerchant; 2] {
    // The source documents queries without a signature; the demo lets them through.
    let settings = MerchantSettings {
        require_query_sign: false,
        ..MerchantSettings::default()
    };
    let demo = NewMerchant {
        code: MERCHANT.to_owned(),
        tenant: "demo".to_owned(),
        name: "演示商户 Demo Shop".to_owned(),
        key: KEY.to_owned(),
        channels: None,
        settings: settings.clone(),
    };
    let other = NewMerchant {
        code: OTHER_MERCHANT.to_owned(),
        tenant: "other".to_owned(),
        name: "另一商户 Other Shop".to_owned(),
        key: OTHER_KEY.to_owned(),
        channels: Some(vec![1, 2]),
        settings,
    };
    [demo, other]
}
