//! Requests that wait for a payment to settle are woken by whoever settles it in this process;
//! another process's settlements are found by looking.

use domain::ids::Serial;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Who waits for which payment.
#[derive(Default)]
pub struct Settlements {
    waiting: Mutex<HashMap<Serial, (usize, Arc<Notify>)>>,
}

/// A place in the queue for one payment; leaving is by drop.
pub struct Waiter<'a> {
    settlements: &'a Settlements,
    serial: Serial,
    notify: Arc<Notify>,
}

impl Settlements {
    /// Waits for `serial` from here on.
    #[must_use]
    pub fn watch(&self, serial: Serial) -> Waiter<'_> {
        let mut waiting = self.waiting();
        let (count, notify) = waiting.entry(serial).or_default();
        *count += 1;
        Waiter {
            settlements: self,
            serial,
            notify: Arc::clone(notify),
        }
    }

    /// Wakes whoever waits for `serial`.
    pub fn wake(&self, serial: Serial) {
        if let Some((_, notify)) = self.waiting().get(&serial) {
            notify.notify_waiters();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Serial, (usize, Arc<Notify>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// The next wake-up. Take it before looking at the payment, await it after, and none is
    /// missed in between.
    pub fn woken(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.settlements.waiting();
        if let Some((count, _)) = waiting.get_mut(&self.serial) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.serial);
            }
        }
    }
}
