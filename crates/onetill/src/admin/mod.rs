//! Provisioning and operators' decisions: one list of requests, carried out by the running
//! gateway when there is one (over [`socket`]), else by the command line itself on the opened
//! store. Never two writers.

pub mod demo;
pub mod loyalty;
pub mod merchants;
pub mod orders;
pub mod socket;
pub mod voucher;

use crate::app::{AppError, Gateway};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Adds a merchant.
    AddMerchant(merchants::NewMerchant),
    /// Adds merchants, or none of them if one does not do.
    AddMerchants {
        /// The merchants.
        merchants: Vec<merchants::NewMerchant>,
    },
    /// Changes a merchant.
    SetMerchant(merchants::MerchantChange),
    /// All merchants, without keys.
    ListMerchants,
    /// Payments, newest first.
    ListOrders(orders::OrderFilter),
    /// One payment with its refunds and its notification.
    ShowOrder(orders::OrderName),
    /// Decides on a requested cancellation.
    DecideOrder {
        /// The payment.
        order: orders::OrderName,
        /// Cancel it, or leave it as it was.
        approve: bool,
    },
    /// Sends a payment's or top-up's notification again.
    Renotify(orders::OrderName),
    /// Notifications that were given up.
    DeadNotifications,
    /// Stores, terminals, cards and programs.
    Loyalty(loyalty::Request),
    /// Partners, voucher stock and codes.
    Voucher(voucher::Request),
}

/// Why a request was not carried out; the text is for the operator and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct AdminError(pub String);

impl AdminError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<AppError> for AdminError {
    fn from(error: AppError) -> Self {
        Self(match error {
            AppError::Overloaded => "the gateway is overloaded; try again".to_owned(),
            AppError::StoreDown => "the store is down; nothing was changed".to_owned(),
            AppError::OutcomeUnknown => {
                "the outcome is not known; look with `onetill order show`".to_owned()
            }
            other @ (AppError::NoContract | AppError::Unavailable | AppError::Unforeseen) => {
                format!("{other}; see the gateway's log")
            }
        })
    }
}

impl From<store::StoreError> for AdminError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Refused(text) => Self(text),
            other @ (store::StoreError::Down(_)
            | store::StoreError::Full(_)
            | store::StoreError::Conflict(_)
            | store::StoreError::Unknown(_)
            | store::StoreError::Corrupt(_)) => Self(other.to_string()),
        }
    }
}

impl From<store::EngineError> for AdminError {
    fn from(error: store::EngineError) -> Self {
        match error {
            store::EngineError::Store(error) => error.into(),
            other @ (store::EngineError::QueueFull | store::EngineError::Stopped) => {
                Self(other.to_string())
            }
        }
    }
}

/// Carries out `request`.
///
/// # Errors
/// When it names what is not there, is not allowed now, or the store failed.
pub async fn handle(gateway: &Arc<Gateway>, request: Request) -> Result<Value, AdminError> {
    match request {
        Request::AddMerchant(new) => merchants::add(gateway, new).await,
        Request::AddMerchants { merchants } => merchants::add_all(gateway, merchants).await,
        Request::SetMerchant(change) => merchants::set(gateway, change).await,
        Request::ListMerchants => merchants::list(gateway).await,
        Request::ListOrders(filter) => orders::list(gateway, filter).await,
        Request::ShowOrder(name) => orders::show(gateway, &name).await,
        Request::DecideOrder { order, approve } => orders::decide(gateway, &order, approve).await,
        Request::Renotify(name) => orders::renotify(gateway, &name).await,
        Request::DeadNotifications => orders::dead_notifications(gateway).await,
        Request::Loyalty(request) => loyalty::handle(gateway, request).await,
        Request::Voucher(request) => voucher::handle(gateway, request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::merchant::MerchantSettings;

    #[test]
    fn every_request_survives_the_socket() {
        let name = || orders::OrderName {
            serial: "S1".to_owned(),
            merchant: None,
        };
        let new = merchants::NewMerchant {
            code: "M1".to_owned(),
            tenant: "t".to_owned(),
            name: "n".to_owned(),
            key: "0123456789abcdef".to_owned(),
            channels: None,
            settings: MerchantSettings::default(),
        };
        let merchants = vec![new.clone()];
        for request in [
            Request::AddMerchant(new),
            Request::AddMerchants { merchants },
            Request::SetMerchant(merchants::MerchantChange::default()),
            Request::ListMerchants,
            Request::ListOrders(orders::OrderFilter::default()),
            Request::ShowOrder(name()),
            Request::DecideOrder {
                order: name(),
                approve: true,
            },
            Request::Renotify(name()),
            Request::DeadNotifications,
            Request::Loyalty(loyalty::Request::ListStores),
            Request::Voucher(voucher::Request::ListPartners),
            Request::Loyalty(loyalty::Request::ShowProgram {
                tenant: "t".to_owned(),
            }),
        ] {
            let sent = serde_json::to_value(&request).unwrap();
            let received: Request = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(&received).unwrap(), sent);
        }
    }
}
