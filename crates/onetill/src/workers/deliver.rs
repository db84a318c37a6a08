//! Delivers notifications to merchants, at least once, without letting a slow receiver delay
//! another's.

use crate::{app::Gateway, inbound::opengateway::notify, outbound::Post};
use domain::{
    command::{ClaimNotifications, RecordDelivery},
    ids::MerchantNo,
    notification::{Delivery, Notification, Topic},
    rows::PaymentRef,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many deliveries run at the same time for one merchant. What is over is due again when its
/// claim ends, so other merchants come first.
const AT_ONCE_MAX_PER_MERCHANT: usize = 64;
/// How many deliveries run at the same time for all merchants. Each holds a connection.
const AT_ONCE_MAX: u32 = 1024;
/// How many notifications one pass takes at most.
const PASS_MAX: usize = 256;

/// The worker.
pub struct Deliverer {
    gateway: Arc<Gateway>,
    sender: Box<dyn Post>,
    running: Arc<Running>,
}

/// The deliveries that run.
struct Running {
    places: Arc<Semaphore>,
    merchants: Mutex<HashMap<MerchantNo, usize>>,
}

/// One delivery's place; gives it back when dropped, so that a panic does not keep it.
struct Place {
    running: Arc<Running>,
    merchant: MerchantNo,
    _global: OwnedSemaphorePermit,
}

impl Deliverer {
    /// A worker for `gateway` that posts with `sender`.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, sender: impl Post) -> Self {
        Self {
            gateway,
            sender: Box::new(sender),
            running: Arc::new(Running::new()),
        }
    }

    /// Claims what is due and starts on it; says how many it claimed.
    pub async fn run_once(self: &Arc<Self>) -> usize {
        let places = self.running.places.available_permits().min(PASS_MAX);
        let claimed = self.claim(places).await;
        for notification in &claimed {
            if let Some(place) = Running::enter(&self.running, notification.merchant).await {
                let (worker, notification) = (Arc::clone(self), *notification);
                tokio::spawn(async move {
                    worker.deliver(notification).await;
                    drop(place);
                });
            }
        }
        claimed.len()
    }

    /// Completes once no delivery runs any more; the caller starts nothing new.
    pub async fn idle(&self) {
        self.running.idle().await;
    }

    async fn claim(&self, places: usize) -> Vec<Notification> {
        let limit = u32::try_from(places).unwrap_or(u32::MAX);
        let now = self.gateway.now();
        let due = match self.gateway.reader.due_notifications(now, limit).await {
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

    async fn deliver(&self, notification: Notification) {
        let acknowledged = match self.posting(notification).await {
            Ok(Some(posting)) => self.post(notification, posting).await,
            // The merchant is gone or its key does not open: it counts as an attempt.
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "a notification cannot be read; its claim runs out");
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

impl Running {
    fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE_MAX as usize)),
            merchants: Mutex::default(),
        }
    }

    /// Takes a place for `merchant`; `None` when all of the merchant's are taken.
    async fn enter(this: &Arc<Self>, merchant: MerchantNo) -> Option<Place> {
        let global = Arc::clone(&this.places).acquire_owned().await.ok()?;
        let mut merchants = this.merchants();
        let count = merchants.entry(merchant).or_default();
        if *count >= AT_ONCE_MAX_PER_MERCHANT {
            return None;
        }
        *count += 1;
        Some(Place {
            running: Arc::clone(this),
            merchant,
            _global: global,
        })
    }

    async fn idle(&self) {
        // Refused only when closed, which nobody does.
        let _ = self.places.acquire_many(AT_ONCE_MAX).await;
    }

    fn merchants(&self) -> MutexGuard<'_, HashMap<MerchantNo, usize>> {
        // Nothing panics between two changes that belong together.
        self.merchants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut merchants = self.running.merchants();
        if let Some(count) = merchants.get_mut(&self.merchant) {
            *count -= 1;
            if *count == 0 {
                merchants.remove(&self.merchant);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SHOP: MerchantNo = MerchantNo(1);

    #[tokio::test]
    async fn one_merchant_does_not_take_the_places_of_another() {
        let running = Arc::new(Running::new());
        let mut held = Vec::new();
        for _ in 0..AT_ONCE_MAX_PER_MERCHANT {
            held.push(Running::enter(&running, SHOP).await.unwrap());
        }
        assert!(Running::enter(&running, SHOP).await.is_none());
        assert!(Running::enter(&running, MerchantNo(2)).await.is_some());
        held.pop();
        assert!(Running::enter(&running, SHOP).await.is_some());
    }

    #[tokio::test]
    async fn a_panic_gives_the_place_back() {
        let running = Arc::new(Running::new());
        let place = Running::enter(&running, SHOP).await.unwrap();
        let task = tokio::spawn(async move {
            let _place = place;
            panic!("on purpose");
        });
        assert!(task.await.unwrap_err().is_panic());
        assert!(running.merchants().is_empty());
        assert_eq!(running.places.available_permits(), AT_ONCE_MAX as usize);
    }

    #[tokio::test]
    async fn idle_waits_for_the_last_delivery() {
        let running = Arc::new(Running::new());
        let place = Running::enter(&running, SHOP).await.unwrap();
        let brief = Duration::from_millis(20);
        assert!(tokio::time::timeout(brief, running.idle()).await.is_err());
        drop(place);
        running.idle().await;
    }
}
