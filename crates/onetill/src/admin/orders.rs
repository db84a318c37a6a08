//! Payments for operators: listing, looking, deciding, notifying again.

use super::AdminError;
use crate::app::{
    Gateway,
    contradictions::{self, Note},
    pay::{payment_key, payment_serial},
};
use domain::{
    command::{CancelReply, DecideReply, Renotify},
    ids::{Serial, TenantId},
    notification::{Delivery, Notification},
    payment::{Payment, PaymentStatus},
    refund::{Origin, Refund, RefundState},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::contract::PaymentFilter;

/// Which payments to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderFilter {
    /// Only this merchant's, by code.
    pub merchant: Option<String>,
    /// Only those that are open or wait for an operator.
    pub undecided: bool,
    /// Only those that wait for an operator.
    pub cancel_requested: bool,
    /// At most this many.
    pub limit: Option<u32>,
    /// Older than this gateway serial: where the previous page ended.
    pub before: Option<String>,
}

/// How an operator names a payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderName {
    /// The gateway's 20-digit serial, or with `merchant` the merchant's own serial.
    pub serial: String,
    /// The merchant's code.
    pub merchant: Option<String>,
}

/// Payments, newest first.
///
/// # Errors
/// When the filter names what is not there, or the store failed.
pub async fn list(gateway: &Arc<Gateway>, filter: OrderFilter) -> Result<Value, AdminError> {
    let account = match &filter.merchant {
        Some(code) => Some(find_merchant(gateway, code)?),
        None => None,
    };
    let before = filter.before.as_deref().map(|text| {
        Serial::parse(text)
            .ok_or_else(|| AdminError::new(format!("{text} is not a 20-digit gateway serial")))
    });
    let limit = filter.limit.unwrap_or(PAGE).min(PAGE_MAX);
    let filter = PaymentFilter {
        tenant: account.as_ref().map(|it| it.merchant.tenant),
        merchant: account.as_ref().map(|it| it.merchant.no),
        undecided: filter.undecided,
        cancel_requested: filter.cancel_requested,
        before: before.transpose()?,
    };
    let payments = gateway.reader.payments(filter, limit).await?;
    Ok(payments
        .iter()
        .map(|payment| summary(gateway, payment))
        .collect())
}

/// How many payments a page shows unless asked otherwise, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 1_000;

/// One payment with its refunds and its notification.
///
/// # Errors
/// When there is no such payment, or the store failed.
pub async fn show(gateway: &Arc<Gateway>, name: &OrderName) -> Result<Value, AdminError> {
    let payment = find(gateway, name).await?;
    let (tenant, serial) = (payment.tenant, payment.serial);
    let refunds = gateway.reader.refunds_of(tenant, serial).await?;
    let notification = gateway.reader.notification(tenant, serial).await?;
    let mut shown = summary(gateway, &payment);
    if let Some(fields) = shown.as_object_mut() {
        let refunds = refunds
            .iter()
            .map(|refund| show_refund(gateway, refund))
            .collect();
        fields.insert("refunds".to_owned(), refunds);
        let notification = notification.map(|it| show_notification(gateway, &it));
        fields.insert(
            "notification".to_owned(),
            notification.unwrap_or(Value::Null),
        );
        fields.insert("subject".to_owned(), payment.details.subject.clone().into());
        fields.insert(
            "operator".to_owned(),
            payment.details.operator_id.clone().into(),
        );
        fields.insert(
            "device".to_owned(),
            payment.details.device_id.clone().into(),
        );
        let notes = contradictions::notes(&*gateway.reader, Some(serial), PAGE).await?;
        let notes = notes.iter().map(|it| show_contradiction(gateway, it));
        fields.insert("contradictions".to_owned(), notes.collect());
        let settled = payment.settled_at().map(|at| gateway.wire_time(at));
        fields.insert("settled_at".to_owned(), settled.into());
    }
    Ok(shown)
}

/// Decides on a requested cancellation.
///
/// # Errors
/// When there is no such payment, nothing was requested, or the store failed.
pub async fn decide(
    gateway: &Arc<Gateway>,
    name: &OrderName,
    approve: bool,
) -> Result<Value, AdminError> {
    let payment = find(gateway, name).await?;
    let payment = match gateway.decide_cancel(&payment, approve).await? {
        DecideReply::NotRequested(status) => {
            return Err(AdminError::new(format!(
                "no cancellation is waiting for a decision: the payment is {}",
                status_text(status)
            )));
        }
        DecideReply::Rejected(payment)
        | DecideReply::Approved(
            CancelReply::Reverse(payment)
            | CancelReply::Refund(payment, _)
            | CancelReply::Requested(payment),
        ) => payment,
        DecideReply::Approved(
            CancelReply::NotFound | CancelReply::AlreadyCancelled | CancelReply::Refused(_),
        ) => Box::new(payment),
    };
    Ok(summary(gateway, &payment))
}

/// Sends a payment's notification again, from the first attempt on.
///
/// # Errors
/// When there is no such payment or it never had a notification.
pub async fn renotify(gateway: &Arc<Gateway>, name: &OrderName) -> Result<Value, AdminError> {
    let (tenant, subject) = find_subject(gateway, name).await?;
    match gateway.run(Renotify { tenant, subject }).await? {
        Some(notification) => Ok(show_notification(gateway, &notification)),
        None => Err(AdminError::new(
            "there is no notification: the order is not paid, or named no NODIFY_URL",
        )),
    }
}

/// Notifications that were given up, newest first.
///
/// # Errors
/// When the store failed.
pub async fn dead_notifications(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let dead = gateway.reader.dead_notifications(PAGE_MAX).await?;
    Ok(dead
        .iter()
        .map(|it| show_notification(gateway, it))
        .collect())
}

fn find_merchant(
    gateway: &Gateway,
    code: &str,
) -> Result<Arc<crate::app::directory::Account>, AdminError> {
    gateway.directory.find(code).ok_or_else(|| {
        AdminError::new(format!(
            "there is no merchant {code}; see `onetill merchant list`"
        ))
    })
}

async fn find(gateway: &Gateway, name: &OrderName) -> Result<Payment, AdminError> {
    let found = match &name.merchant {
        Some(code) => {
            let account = find_merchant(gateway, code)?;
            let by_key = gateway
                .reader
                .payment(payment_key(&account, &name.serial))
                .await?;
            match (by_key, Serial::parse(&name.serial)) {
                (None, Some(serial)) => {
                    gateway
                        .reader
                        .payment(payment_serial(&account, serial))
                        .await?
                }
                (found, _) => found,
            }
        }
        None => {
            let serial = Serial::parse(&name.serial).ok_or_else(|| {
                AdminError::new(format!(
                    "{} is not a 20-digit gateway serial; for the merchant's own serial add \
                     --merchant CODE",
                    name.serial
                ))
            })?;
            gateway.reader.payment_of_any(serial).await?
        }
    };
    found.ok_or_else(|| AdminError::new(format!("there is no payment {}", name.serial)))
}

/// The payment or top-up that `name` names, as its notification knows it.
async fn find_subject(
    gateway: &Gateway,
    name: &OrderName,
) -> Result<(TenantId, Serial), AdminError> {
    let missing = match find(gateway, name).await {
        Ok(payment) => return Ok((payment.tenant, payment.serial)),
        Err(missing) => missing,
    };
    let Some(serial) = Serial::parse(&name.serial) else {
        return Err(missing);
    };
    for tenant in gateway.reader.tenants().await? {
        if gateway.reader.recharge(tenant.id, serial).await?.is_some() {
            return Ok((tenant.id, serial));
        }
    }
    Err(missing)
}

fn summary(gateway: &Gateway, payment: &Payment) -> Value {
    let account = gateway
        .directory
        .find_by_no(payment.tenant, payment.merchant);
    let paid = payment.paid();
    json!({
        "gateway_serial": payment.serial.to_string(),
        "merchant": account.map(|it| it.merchant.code.clone()),
        "merchant_serial": payment.merchant_serial,
        "status": status_text(payment.status()),
        "amount_yuan": payment.amount.to_string(),
        "channel": payment.channel.0,
        "created_at": gateway.wire_time(payment.created_at),
        "channel_serial": paid.map(|it| it.receipt.channel_serial.clone()),
        "refunded_yuan": paid.map(|it| it.refunded.to_string()),
        "refunding_yuan": paid.map(|it| it.refunding.to_string()),
    })
}

fn show_refund(gateway: &Gateway, refund: &Refund) -> Value {
    let (origin, number) = match &refund.origin {
        Origin::Request {
            merchant_serial, ..
        } => ("request", merchant_serial.clone()),
        Origin::Cancellation => ("cancellation", None),
        Origin::LateSuccess => ("late success", None),
    };
    let state = match refund.state {
        RefundState::InProgress => "in progress",
        RefundState::Done(_) => "done",
        RefundState::Failed(..) => "failed",
    };
    json!({
        "gateway_serial": refund.serial.to_string(),
        "merchant_serial": number,
        "origin": origin,
        "amount_yuan": refund.amount.to_string(),
        "state": state,
        "created_at": gateway.wire_time(refund.created_at),
    })
}

fn show_contradiction(gateway: &Gateway, note: &Note) -> Value {
    json!({
        "at": gateway.wire_time(UnixMs(note.at_ms)),
        "said": note.said,
    })
}

fn show_notification(gateway: &Gateway, notification: &Notification) -> Value {
    let (state, at) = match notification.delivery {
        Delivery::Due(at) => ("due", at),
        Delivery::Delivered(at) => ("delivered", at),
        Delivery::Dead(at) => ("dead", at),
    };
    json!({
        "gateway_serial": notification.subject.to_string(),
        "state": state,
        "at": gateway.wire_time(at),
        "attempts": notification.attempts,
    })
}

/// A payment's status for operators.
#[must_use]
pub const fn status_text(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Unpaid => "unpaid",
        PaymentStatus::Paid => "paid",
        PaymentStatus::Cancelled => "cancelled",
        PaymentStatus::CancelRequested => "cancel requested",
        PaymentStatus::PartlyRefunded => "partly refunded",
        PaymentStatus::Refunded => "refunded",
        PaymentStatus::Closed => "closed",
        PaymentStatus::Refunding => "refunding",
        PaymentStatus::RefundFailed => "refund failed",
    }
}
