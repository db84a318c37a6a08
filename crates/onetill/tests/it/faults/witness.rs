//! The pretended wallet's own books, against the gateways'. They agree to the fen or the test
//! fails: the wallet is never killed, and written to its end before it is asked.

use super::fleet::Ledger;
use channels::{
    RechargeProvider,
    sandbox::{Journal, Memory, Record, Sandbox, SandboxConfig},
};
use domain::{
    channel::RechargeOutcome,
    ids::Serial,
    money::Fen,
    payment::Payment,
    recharge::{Recharge, RechargeState},
    refund::{Refund, RefundState},
};
use onetill::app::compose::system_clock;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// A wallet remembers its last 200,000 payments and 10,000 top-ups: so many of the newest are
/// compared, far more than a run adds between two comparisons.
const PAYMENTS_COMPARED_MAX: usize = 150_000;
const TOP_UPS_COMPARED_MAX: usize = 8_000;

/// How many payments both books have, and refunds and top-ups that both have done.
#[derive(Debug, Default)]
pub struct Agreement {
    /// Payments that the wallet heard of.
    pub payments: usize,
    /// Refunds that were made.
    pub refunds: usize,
    /// Top-ups that were done.
    pub top_ups: usize,
}

/// The books of a wallet that has ended.
pub struct Wallet {
    sandbox: Sandbox,
    payments: BTreeSet<Serial>,
    top_ups: BTreeSet<Serial>,
}

impl Wallet {
    /// Opens the wallet of the data directory `data`.
    pub fn open(data: &Path) -> Self {
        let journal = Journal::open(data).expect("a journal");
        let (mut payments, mut top_ups) = (BTreeSet::new(), BTreeSet::new());
        let recalled = journal.recall(&mut |record| {
            match record {
                Record::Payment(serial, _) => payments.insert(serial),
                Record::TopUp(serial, _) => top_ups.insert(serial),
            };
        });
        recalled.expect("a readable journal");
        let sandbox = Sandbox::new(system_clock(), SandboxConfig::default(), Arc::new(journal));
        Self {
            sandbox: sandbox.expect("a wallet"),
            payments,
            top_ups,
        }
    }

    /// Compares the payments, refunds and top-ups of the gateways with the wallet's.
    pub async fn agrees_with(&self, ledger: &Ledger) -> Agreement {
        let mut agreement = Agreement::default();
        self.knows_nothing_else(ledger);
        let mut done: BTreeMap<Serial, Vec<(Serial, Fen)>> = BTreeMap::new();
        for refund in ledger.refunds.iter().filter(|it| is_done(it)) {
            let refunds = done.entry(refund.payment).or_default();
            refunds.push((refund.serial, refund.amount));
        }
        let payments = newest(&ledger.payments, PAYMENTS_COMPARED_MAX);
        for payment in payments {
            let refunds = done.remove(&payment.serial).unwrap_or_default();
            agreement.refunds += refunds.len();
            agreement.payments += usize::from(self.payments.contains(&payment.serial));
            self.same_money(payment);
            self.same_refunds(payment, refunds);
        }
        let first = payments.first().map(|it| it.serial);
        done.retain(|payment, _| first.is_some_and(|first| *payment >= first));
        assert!(done.is_empty(), "refunds of no payment: {done:?}");
        for recharge in newest(&ledger.recharges, TOP_UPS_COMPARED_MAX) {
            agreement.top_ups += usize::from(self.same_top_up(recharge).await);
        }
        agreement
    }

    /// Nobody was charged, and no phone topped up, without a record.
    fn knows_nothing_else(&self, ledger: &Ledger) {
        let payments: BTreeSet<_> = ledger.payments.iter().map(|it| it.serial).collect();
        let unknown: Vec<_> = self.payments.difference(&payments).collect();
        assert!(unknown.is_empty(), "no record of payments {unknown:?}");
        let recharges: BTreeSet<_> = ledger.recharges.iter().map(|it| it.serial).collect();
        let unknown: Vec<_> = self.top_ups.difference(&recharges).collect();
        assert!(unknown.is_empty(), "no record of top-ups {unknown:?}");
    }

    fn same_money(&self, payment: &Payment) {
        let booked = payment.paid().map_or((Fen::ZERO, Fen::ZERO), |paid| {
            assert_eq!(paid.refunding, Fen::ZERO, "still on its way: {payment:?}");
            (payment.amount, paid.refunded)
        });
        let held = self.sandbox.held(payment.serial);
        let held = held.map_or((Fen::ZERO, Fen::ZERO), |it| (it.charged, it.given_back));
        assert_eq!(booked, held, "charged and given back, of {payment:?}");
    }

    fn same_refunds(&self, payment: &Payment, mut booked: Vec<(Serial, Fen)>) {
        let mut made = self.sandbox.refunds(payment.serial);
        booked.sort_unstable();
        made.sort_unstable();
        assert_eq!(booked, made, "refunds of {payment:?}");
    }

    /// Whether it was done, which both must say.
    async fn same_top_up(&self, recharge: &Recharge) -> bool {
        let told = RechargeProvider::query(&self.sandbox, recharge.serial).await;
        match (&recharge.state, &told) {
            (RechargeState::Done(number, _), RechargeOutcome::Done(same)) => {
                assert_eq!(number, same, "{recharge:?}");
                true
            }
            (RechargeState::Failed(None, _), RechargeOutcome::Failed) => false,
            (state, told) => panic!("{state:?} here, {told:?} there: {recharge:?}"),
        }
    }
}

fn newest<T>(all: &[T], count_max: usize) -> &[T] {
    &all[all.len().saturating_sub(count_max)..]
}

fn is_done(refund: &Refund) -> bool {
    match refund.state {
        RefundState::Done(_) => true,
        RefundState::Failed(..) => false,
        RefundState::InProgress => panic!("still in progress: {refund:?}"),
    }
}
