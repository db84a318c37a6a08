//! Delivers notifications to merchants, at least once, without letting a slow receiver delay
//! another's.

use super::{
    Pass,
    places::{Place, Places},
};
use crate::{app::Gateway, inbound::opengateway::notify, outbound::Post};
use domain::{
    command::{ClaimNotifications, RecordDelivery},
    ids::{MerchantNo, Serial, TenantId},
    notification::{Delivery, Notification, Topic},
    payment::Payment,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::StoreError;

/// Whom a notification goes to.
type Merchant = (TenantId, MerchantNo);
/// What a notification tells of.
type Subject = (TenantId, Serial);

/// How many deliveries run at the same time for one merchant.
const AT_ONCE_MAX_PER_MERCHANT: usize = 64;
/// How many deliveries run at the same time for all merchants. Each holds a connection.
const AT_ONCE_MAX: usize = 1024;
/// How many notifications one look at the store finds at most.
const LOOK_MAX: usize = 256;
/// How long is waited at least between two looks while more is due than there are places: long
/// enough that each finds work for several, since each costs a commit.
const BREATH: Duration = Duration::from_millis(2);

/// The worker.
pub struct Deliverer {
    gateway: Arc<Gateway>,
    sender: Box<dyn Post>,
    places: Arc<Places<Merchant>>,
    /// The last pass left notifications that are due, for want of places.
    is_short: AtomicBool,
}

impl Deliverer {
    /// A worker for `gateway` that posts with `sender`.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, sender: impl Post) -> Self {
        Self {
            gateway,
            sender: Box::new(sender),
            places: Places::new(AT_ONCE_MAX),
            is_short: AtomicBool::new(false),
        }
    }

    /// Claims what is due and starts on it; says how many it claimed. What is owed to a merchant
    /// that has no place left is passed over, unclaimed, so that it goes out as soon as there is
    /// one, and others come first.
    pub async fn run_once(self: &Arc<Self>) -> usize {
        let mut full = self.places.full(|_| AT_ONCE_MAX_PER_MERCHANT);
        let mut claimed = 0;
        loop {
            let due = self.due(&full).await;
            let before = full.len();
            let entered = self.enter(&due, &mut full);
            claimed += self.start(entered).await;
            // Each round leaves out more merchants, so it ends.
            let none_free = self.places.free() == 0;
            if full.len() == before || none_free {
                let is_short = none_free || !full.is_empty();
                self.is_short.store(is_short, Ordering::Relaxed);
                return claimed;
            }
        }
    }

    /// Completes once no delivery runs any more; the caller starts nothing new.
    pub async fn idle(&self) {
        self.places.idle().await;
    }

    async fn due(&self, except: &[Merchant]) -> Vec<Notification> {
        let limit = self.places.free().min(LOOK_MAX);
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let (reader, now) = (&self.gateway.reader, self.gateway.now());
        let due = reader.due_notifications(now, limit, except.to_vec());
        due.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "notifications cannot be looked for");
            Vec::new()
        })
    }

    /// Takes places for what is due. Whom there is none for is added to `full`.
    fn enter(
        &self,
        due: &[Notification],
        full: &mut Vec<Merchant>,
    ) -> BTreeMap<Subject, Place<Merchant>> {
        let mut entered = BTreeMap::new();
        for it in due {
            let merchant = (it.tenant, it.merchant);
            match self.places.enter(merchant, AT_ONCE_MAX_PER_MERCHANT) {
                Some(place) => drop(entered.insert((it.tenant, it.subject), place)),
                None if full.contains(&merchant) => {}
                None => full.push(merchant),
            }
        }
        entered
    }

    async fn claim(&self, entered: &BTreeMap<Subject, Place<Merchant>>) -> Vec<Notification> {
        if entered.is_empty() {
            return Vec::new();
        }
        let subjects = entered.keys().copied().collect();
        let claimed = self.gateway.run(ClaimNotifications { subjects }).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, "notifications cannot be claimed");
            Vec::new()
        })
    }

    /// Claims what has a place and starts on it; says how many it started.
    async fn start(self: &Arc<Self>, mut entered: BTreeMap<Subject, Place<Merchant>>) -> usize {
        let claimed = self.claim(&entered).await;
        let mut payments = match self.payments(&claimed).await {
            Ok(payments) => payments,
            Err(error) => {
                tracing::warn!(%error, "notifications cannot be read; their claims run out");
                return 0;
            }
        };
        for notification in &claimed {
            let subject = (notification.tenant, notification.subject);
            let payment = payments.remove(&subject);
            let (worker, notification) = (Arc::clone(self), *notification);
            let place = entered.remove(&subject);
            tokio::spawn(async move {
                worker.deliver(notification, payment).await;
                drop(place);
            });
        }
        claimed.len()
    }

    /// The payments that `claimed` tell of, read together.
    async fn payments(
        &self,
        claimed: &[Notification],
    ) -> Result<BTreeMap<Subject, Payment>, StoreError> {
        let paid = claimed.iter().filter(|it| it.topic == Topic::PaymentPaid);
        let serials: Vec<_> = paid.map(|it| (it.tenant, it.subject)).collect();
        if serials.is_empty() {
            return Ok(BTreeMap::new());
        }
        let payments = self.gateway.reader.payments_by_serial(serials).await?;
        let named = payments.into_iter().map(|it| ((it.tenant, it.serial), it));
        Ok(named.collect())
    }

    async fn deliver(&self, notification: Notification, payment: Option<Payment>) {
        let acknowledged = match self.posting(notification, payment).await {
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
        payment: Option<Payment>,
    ) -> Result<Option<notify::Posting>, StoreError> {
        let gateway = &*self.gateway;
        let (tenant, subject, now) = (notification.tenant, notification.subject, gateway.now());
        let account = gateway.directory.find_by_no(tenant, notification.merchant);
        let Some(account) = account else {
            return Ok(None);
        };
        Ok(match notification.topic {
            Topic::PaymentPaid => {
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

impl Pass for Deliverer {
    async fn pass(self: Arc<Self>) -> usize {
        self.run_once().await
    }

    async fn woken(&self) {
        let owed = self.gateway.owed.notified();
        if !self.is_short.load(Ordering::Relaxed) {
            return owed.await;
        }
        tokio::select! {
            // Always in this order: a simulated run follows from its seed alone.
            biased;
            () = owed => {}
            () = self.places.freed() => {}
        }
        tokio::time::sleep(BREATH).await;
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
