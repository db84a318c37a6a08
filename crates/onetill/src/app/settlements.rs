//! Requests that wait for a payment to settle. Whoever settles it in this process hands it to
//! them; the worker [`settled`](crate::workers::settled) looks for what another process settled.
//! A waiting request itself asks the store nothing, so ten thousand cost little more than ten.

use domain::{
    ids::{Serial, TenantId},
    payment::Payment,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast::{self, error::RecvError};

/// A payment that is no longer open. Of several about one payment only the newest counts. They
/// are heard in the order in which requests began to wait: a watch would wake them in a random one,
/// and a simulated run must follow from its seed alone.
type News = broadcast::Sender<Arc<Payment>>;

/// Who waits for which payment.
#[derive(Default)]
pub struct Settlements {
    waiting: Mutex<Waiting>,
}

/// By payment: how many wait, and how they are told.
type Waiting = BTreeMap<(TenantId, Serial), (usize, News)>;

/// A place in the queue for one payment; leaving is by drop.
pub struct Waiter<'a> {
    settlements: &'a Settlements,
    payment: (TenantId, Serial),
    news: broadcast::Receiver<Arc<Payment>>,
}

impl Settlements {
    /// Waits for the payment `serial` of `tenant` from here on.
    #[must_use]
    pub fn watch(&self, tenant: TenantId, serial: Serial) -> Waiter<'_> {
        let mut waiting = self.waiting();
        let entry = waiting.entry((tenant, serial));
        let (count, sender) = entry.or_insert_with(|| (0, News::new(1)));
        *count += 1;
        Waiter {
            settlements: self,
            payment: (tenant, serial),
            news: sender.subscribe(),
        }
    }

    /// Hands a payment that is no longer open to whoever waits for it.
    pub fn tell(&self, payment: &Payment) {
        if let Some((_, sender)) = self.waiting().get(&(payment.tenant, payment.serial)) {
            // Nobody listens any more, now and then.
            drop(sender.send(Arc::new(payment.clone())));
        }
    }

    /// The payments that are waited for.
    pub fn waited_for(&self) -> Vec<(TenantId, Serial)> {
        self.waiting().keys().copied().collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// The payment when it was told of since the last call, or since the waiter watches.
    pub async fn told(&mut self) -> Arc<Payment> {
        loop {
            match self.news.recv().await {
                Ok(payment) => return payment,
                Err(RecvError::Lagged(_)) => {}
                // The sender stays as long as a waiter does.
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.settlements.waiting();
        if let Some((count, _)) = waiting.get_mut(&self.payment) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.payment);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        channel::ChannelNo,
        ids::{ClaimKey, MerchantNo},
        money::Fen,
        payment::{CloseReason, Details, End, Flow, PaymentState},
        time::UnixMs,
    };

    const TENANT: TenantId = TenantId(1);

    fn ending(serial: Serial) -> Payment {
        Payment {
            tenant: TENANT,
            serial,
            merchant: MerchantNo(1),
            key: ClaimKey([0; 16]),
            merchant_serial: "M".to_owned(),
            flow: Flow::PayerCode,
            channel: ChannelNo(1),
            amount: Fen::new(1),
            created_at: UnixMs(0),
            expires_at: UnixMs(1),
            details: Details::default(),
            credential: None,
            state: PaymentState::Ending(End::Closed(CloseReason::Expired)),
        }
    }

    #[tokio::test]
    async fn all_who_wait_are_told_and_nobody_else() {
        let settlements = Settlements::default();
        let mut first = settlements.watch(TENANT, Serial(1));
        let mut second = settlements.watch(TENANT, Serial(1));
        let mut other = settlements.watch(TENANT, Serial(2));
        settlements.tell(&ending(Serial(1)));
        settlements.tell(&ending(Serial(3)));
        assert_eq!(*first.told().await, ending(Serial(1)));
        assert_eq!(*second.told().await, ending(Serial(1)));
        let brief = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(brief, other.told()).await.is_err());
    }

    #[tokio::test]
    async fn whoever_leaves_is_forgotten_with_the_last() {
        let settlements = Settlements::default();
        let first = settlements.watch(TENANT, Serial(1));
        let second = settlements.watch(TENANT, Serial(1));
        drop(first);
        assert_eq!(settlements.waited_for(), [(TENANT, Serial(1))]);
        drop(second);
        assert!(settlements.waited_for().is_empty());
    }
}
