//! Delivers notifications to merchants, at least once, without letting a slow receiver delay
//! another's.

use crate::{app::Gateway, inbound::opengateway::notify, outbound::Sender};
use domain::{
    command::{ClaimNotifications, RecordDelivery},
    ids::MerchantNo,
    notification::{Delivery, Notification, Topic},
    rows::PaymentRef,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use store::StoreError;

/// How many deliveries run at the same time for one merchant. What is over is due again when its
/// claim ends, so other merchants come first.
const AT_ONCE_MAX_PER_MERCHANT: usize = 64;
/// How many notifications one pass takes at most.
const PASS_MAX: u32 = 256;

/// The worker.
pub struct Deliverer {
    gateway: Arc<Gateway>,
    sender: Sender,
    running: Mutex<HashMap<MerchantNo, usize>>,
}

impl Deliverer {
    /// A worker for `gateway` that posts with `sender`.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, sender: Sender) -> Self {
        Self {
            gateway,
            sender,
            running: Mutex::default(),
        }
    }

    /// Claims what is due and starts on it; says how many it claimed.
    pub async fn run_once(self: &Arc<Self>) -> usize {
        let claimed = self.claim().await;
        for notification in &claimed {
            if self.enter(notification.merchant) {
                let (worker, notification) = (Arc::clone(self), *notification);
                tokio::spawn(async move { worker.deliver(notification).await });
            }
        }
        claimed.len()
    }

    async fn claim(&self) -> Vec<Notification> {
        let now = self.gateway.now();
        let due = match self.gateway.reader.due_notifications(now, PASS_MAX).await {
            Ok(due) if !due.is_empty() => due,
            Ok(_) => return Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "notifications cannot be looked for");
                return Vec::new();
            }
        };
        let claimed = self.gateway.run(ClaimNotifications { subjects: due }).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "notifications cannot be claimed");
            Vec::new()
        })
    }

    /// Takes a place for `merchant`; false when all are taken.
    fn enter(&self, merchant: MerchantNo) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(merchant).or_default();
        let free = *count < AT_ONCE_MAX_PER_MERCHANT;
        *count += usize::from(free);
        free
    }

    fn leave(&self, merchant: MerchantNo) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&merchant) {
            *count -= 1;
            if *count == 0 {
                running.remove(&merchant);
            }
        }
    }

    async fn deliver(&self, notification: Notification) {
        let acknowledged = match self.posting(notification).await {
            Ok(Some(posting)) => self.post(notification, posting).await,
            // The merchant is gone or its key does not open: it counts as an attempt.
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "a notification cannot be read; its claim runs out");
                self.leave(notification.merchant);
                return;
            }
        };
        let record = RecordDelivery {
            tenant: notification.tenant,
            subject: notification.subject,
            acknowledged,
        };
        match self.gateway.run(record).await {
            Ok(after) => log(&after),
            Err(error) => tracing::warn!(%error, "a delivery cannot be recorded; it is repeated"),
        }
        self.leave(notification.merchant);
    }

    async fn posting(
        &self,
        notification: Notification,
    ) -> Result<Option<notify::Posting>, StoreError> {
        let gateway = &*self.gateway;
        let (tenant, subject, now) = (notification.tenant, notification.subject, gateway.now());
        let account = gateway.directory.find_by_no(tenant, notification.merchant);
        let Some(account) = account else {
            return Ok(None);
        };
        Ok(match notification.topic {
            Topic::PaymentPaid => {
                let by = PaymentRef::Serial(tenant, subject);
                let payment = gateway.reader.payment(by).await?;
                payment.and_then(|it| notify::payment_paid(gateway, &account, &it, now))
            }
            Topic::RechargeEnded => {
                let recharge = gateway.reader.recharge(tenant, subject).await?;
                recharge.and_then(|it| notify::recharge_ended(gateway, &account, &it, now))
            }
        })
    }

    async fn post(&self, notification: Notification, posting: notify::Posting) -> bool {
        let notify::Posting {
            url,
            content_type,
            body,
        } = posting;
        let attempt = self.sender.post(&url, content_type, body).await;
        let subject = notification.subject;
        tracing::debug!(%subject, outcome = ?attempt.summary, took = ?attempt.took, "notified");
        let acknowledged = if attempt.acknowledged { "yes" } else { "no" };
        metrics::counter!("onetill_notifications_total", "acknowledged" => acknowledged)
            .increment(1);
        attempt.acknowledged
    }
}

fn log(after: &Notification) {
    if let Delivery::Dead(_) = after.delivery {
        let (subject, attempts) = (after.subject, after.attempts);
        tracing::warn!(
            %subject,
            attempts,
            "a notification was given up; `onetill order renotify` sends it again"
        );
    }
}
