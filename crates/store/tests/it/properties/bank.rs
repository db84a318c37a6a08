//! A channel and a top-up provider with books of their own: what truly happened, whatever of it
//! is heard.

use crate::samples::receipt;
use domain::{
    channel::{
        Decline, FundBill, NotSent, PayOutcome, Receipt, RechargeOutcome, RefundOutcome,
        ReverseOutcome,
    },
    command::QueryOutcome,
    ids::Serial,
    job::CONFIRM_AFTER_MS,
    money::Fen,
    payment::Payment,
    refund::{Origin, Refund},
    time::UnixMs,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Luck {
    /// Done at once, and heard of.
    Good,
    /// Done, but the answer is lost.
    Lost,
    /// Not done yet.
    Slow,
    /// Refused.
    Refused,
    /// The call did not get through.
    NotSent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    Waiting,
    Charged,
    Refused,
    /// Undone before anything was charged.
    Undone(UnixMs),
    /// Charged and given back in one.
    Reversed,
}

#[derive(Default)]
pub struct Bank {
    charges: BTreeMap<Serial, Charge>,
    charge_calls: BTreeMap<Serial, u32>,
    /// Each refund the bank has heard of; whether the money went back, once that is decided.
    refunds: BTreeMap<Serial, Option<bool>>,
    given_back: BTreeMap<Serial, i64>,
    /// Charged too long ago to be reversed.
    irreversible: BTreeSet<Serial>,
    top_ups: BTreeMap<Serial, Option<bool>>,
}

fn receipt_of(payment: &Payment) -> Receipt {
    let bills = receipt().bills.into_iter().map(|bill| FundBill {
        amount: payment.amount,
        ..bill
    });
    Receipt {
        channel_serial: format!("C{}", payment.serial),
        bills: bills.collect(),
        ..receipt()
    }
}

impl Bank {
    /// What the bank holds of a payment: what it charged less what it gave back.
    pub fn holds(&self, payment: &Payment) -> i64 {
        let charged = match self.charges.get(&payment.serial) {
            Some(Charge::Charged) => payment.amount.get(),
            Some(Charge::Waiting | Charge::Refused | Charge::Undone(_) | Charge::Reversed)
            | None => 0,
        };
        charged - self.given_back.get(&payment.serial).copied().unwrap_or(0)
    }

    pub fn was_asked_to_charge(&self, serial: Serial) -> bool {
        self.charge_calls.contains_key(&serial)
    }

    /// A charge may come in shortly after the payment was undone: the bank did not know it then.
    pub fn charge(&mut self, payment: &Payment, luck: Luck, now: UnixMs) -> PayOutcome {
        *self.charge_calls.entry(payment.serial).or_default() += 1;
        if luck == Luck::NotSent {
            return PayOutcome::NotSent(NotSent::Connect);
        }
        let may_charge = match self.charges.get(&payment.serial) {
            None => true,
            Some(Charge::Undone(at)) => now.since_ms(*at) < CONFIRM_AFTER_MS,
            Some(Charge::Waiting | Charge::Charged | Charge::Refused | Charge::Reversed) => false,
        };
        if !may_charge {
            return PayOutcome::Declined(Decline::ByChannel);
        }
        let (charge, outcome) = match luck {
            Luck::Good => (Charge::Charged, PayOutcome::Paid(receipt_of(payment))),
            Luck::Lost | Luck::NotSent => (Charge::Charged, PayOutcome::Unknown),
            Luck::Slow => (Charge::Waiting, PayOutcome::Waiting),
            Luck::Refused => (
                Charge::Refused,
                PayOutcome::Declined(Decline::InsufficientFunds),
            ),
        };
        // What was undone once waits for nobody any more.
        let was_undone = self.charges.contains_key(&payment.serial);
        if was_undone && charge != Charge::Charged {
            return PayOutcome::Declined(Decline::ByChannel);
        }
        self.charges.insert(payment.serial, charge);
        outcome
    }

    /// The payer decides, if the bank waits for that.
    pub fn payer_acts(&mut self, serial: Serial, pays: bool) {
        if let Some(charge @ Charge::Waiting) = self.charges.get_mut(&serial) {
            *charge = if pays {
                Charge::Charged
            } else {
                Charge::Refused
            };
        }
    }

    pub fn query(&self, payment: &Payment, luck: Luck) -> QueryOutcome {
        if luck == Luck::Lost {
            return QueryOutcome::Unknown;
        }
        match self.charges.get(&payment.serial) {
            None | Some(Charge::Undone(_)) => QueryOutcome::NotFound,
            Some(Charge::Waiting) => QueryOutcome::Waiting,
            Some(Charge::Charged) => QueryOutcome::Paid(receipt_of(payment)),
            Some(Charge::Refused | Charge::Reversed) => QueryOutcome::Declined(Decline::ByPayer),
        }
    }

    pub fn reverse(&mut self, payment: &Payment, luck: Luck, now: UnixMs) -> ReverseOutcome {
        let charge = self.charges.get(&payment.serial).copied();
        let outcome = match (charge, luck) {
            (_, Luck::NotSent) => return ReverseOutcome::Unknown,
            (Some(Charge::Charged), _) if self.irreversible.contains(&payment.serial) => {
                ReverseOutcome::Paid(receipt_of(payment))
            }
            (Some(Charge::Charged), Luck::Slow | Luck::Refused) => {
                self.irreversible.insert(payment.serial);
                ReverseOutcome::Paid(receipt_of(payment))
            }
            (Some(Charge::Charged | Charge::Reversed), _) => {
                self.charges.insert(payment.serial, Charge::Reversed);
                ReverseOutcome::Reversed(Some(receipt_of(payment)))
            }
            (None | Some(Charge::Waiting), _) => {
                self.charges.insert(payment.serial, Charge::Undone(now));
                ReverseOutcome::Reversed(None)
            }
            (Some(Charge::Undone(_) | Charge::Refused), _) => ReverseOutcome::Reversed(None),
        };
        if luck == Luck::Lost {
            ReverseOutcome::Unknown
        } else {
            outcome
        }
    }

    pub fn refund(&mut self, payment: &Payment, refund: &Refund, luck: Luck) -> RefundOutcome {
        if luck == Luck::NotSent && !self.refunds.contains_key(&refund.serial) {
            return RefundOutcome::NotSent(NotSent::Connect);
        }
        let was_reversed = self.charges.get(&payment.serial) == Some(&Charge::Reversed);
        let decided = self.refunds.entry(refund.serial).or_default();
        if was_reversed {
            // An old "paid" was heard after two reversals crossed: the money is back already,
            // and a channel says so.
            *decided = Some(true);
        } else if decided.is_none() {
            *decided = match luck {
                Luck::Good | Luck::Lost => Some(true),
                Luck::Refused if refund.origin != Origin::LateSuccess => Some(false),
                Luck::Refused | Luck::Slow | Luck::NotSent => None,
            };
            if *decided == Some(true) {
                *self.given_back.entry(payment.serial).or_default() += refund.amount.get();
            }
        }
        match (*decided, luck) {
            (_, Luck::Lost | Luck::NotSent) => RefundOutcome::Unknown,
            (Some(true), _) => RefundOutcome::Done,
            (Some(false), _) | (None, Luck::Refused) => RefundOutcome::Declined,
            (None, _) => RefundOutcome::Waiting,
        }
    }

    pub fn top_up(&mut self, serial: Serial, luck: Luck) -> RechargeOutcome {
        if luck == Luck::NotSent && !self.top_ups.contains_key(&serial) {
            return RechargeOutcome::NotSent(NotSent::Connect);
        }
        let done = self.top_ups.entry(serial).or_default();
        *done = done.or(match luck {
            Luck::Good | Luck::Lost => Some(true),
            Luck::Refused => Some(false),
            Luck::Slow | Luck::NotSent => None,
        });
        let number = format!("N{serial}");
        match (*done, luck) {
            (_, Luck::Lost | Luck::NotSent) => RechargeOutcome::Unknown,
            (Some(true), _) => RechargeOutcome::Done(number),
            (Some(false), _) => RechargeOutcome::Failed,
            (None, _) => RechargeOutcome::Accepted(number),
        }
    }

    /// What no history may break: nothing is charged twice, nothing given back beyond that.
    pub fn assert_sane(&self, payments: &BTreeMap<Serial, Payment>) {
        for payment in payments.values() {
            let holds = self.holds(payment);
            assert!(
                holds >= 0,
                "the bank gave back {} too much: {payment:?}",
                -holds
            );
            let calls = self.charge_calls.get(&payment.serial).copied();
            assert!(calls.unwrap_or(0) <= 1, "charged twice: {payment:?}");
        }
    }

    /// Whether the money of this top-up was delivered.
    pub fn delivered(&self, serial: Serial) -> bool {
        self.top_ups.get(&serial) == Some(&Some(true))
    }
}

/// A share of an amount, at least one fen, possibly more than all of it.
pub fn share(amount: Fen, percent: u8) -> Fen {
    Fen::new((amount.get() * i64::from(percent) / 100).max(1))
}
