//! Payments as the writer knows them without looking: nearly each is decided a moment after it was
//! recorded.

use domain::{
    ids::Serial,
    payment::{Payment, PaymentState},
};
use std::collections::HashMap;

/// How many payments are known without looking; when there are more, all are forgotten.
const KNOWN_MAX: usize = 4_096;

/// Open payments as they were committed last, some of them. Nobody but their writer changes them.
#[derive(Default)]
pub(super) struct OpenPayments {
    known: HashMap<Serial, Payment>,
    /// What the open transaction makes of payments; nothing of those that are open no more.
    written: Vec<(Serial, Option<Payment>)>,
}

impl OpenPayments {
    /// The payment with this serial, of whomever it is.
    pub(super) fn get(&self, serial: Serial) -> Option<&Payment> {
        self.known.get(&serial)
    }

    /// The open transaction records or overwrites a payment.
    pub(super) fn put(&mut self, payment: &Payment) {
        let is_open = matches!(payment.state, PaymentState::Open { .. });
        let known = is_open.then(|| payment.clone());
        self.written.push((payment.serial, known));
    }

    /// The open transaction is on disk.
    pub(super) fn committed(&mut self) {
        for (serial, payment) in self.written.drain(..) {
            match payment {
                Some(payment) => self.known.insert(serial, payment),
                None => self.known.remove(&serial),
            };
        }
        if self.known.len() > KNOWN_MAX {
            self.known.clear();
        }
    }

    /// The open transaction is taken back.
    pub(super) fn taken_back(&mut self) {
        self.written.clear();
    }

    /// Nobody knows what is stored.
    pub(super) fn doubt(&mut self) {
        self.written.clear();
        self.known.clear();
    }
}
