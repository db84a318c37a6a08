//! The pretended wallet's own books, against the gateway's.

use super::{fleet::Look, sale::Sale};
use channels::sandbox::{Journal, Memory, Record, Sandbox, SandboxConfig};
use domain::{
    ids::Serial,
    payment::{Payment, PaymentState},
    refund::RefundState,
    time::UnixMs,
};
use onetill::app::compose::system_clock;
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a wallet may forget when the process that plays it is killed: it writes every 20 ms.
const FORGETS: Duration = Duration::from_millis(300);

/// When a gateway was killed, on this test's clock and on the gateway's.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    instant: Instant,
    at: UnixMs,
}

impl Kill {
    /// A kill just now.
    pub fn now() -> Self {
        Self {
            instant: Instant::now(),
            at: system_clock()(),
        }
    }
}

/// How the books compare.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Payments that both books have, with the same money in them.
    pub equal: usize,
    /// Payments that differ because the wallet forgot its last moments at a kill.
    pub forgotten: usize,
}

/// The wallet of a gateway that has ended.
pub struct Wallet {
    sandbox: Sandbox,
    serials: BTreeSet<Serial>,
}

impl Wallet {
    /// Opens the wallet of the data directory `data`.
    pub fn open(data: &Path) -> Self {
        let journal = Journal::open(&data.join("sandbox")).expect("a journal");
        let mut serials = BTreeSet::new();
        let recalled = journal.recall(&mut |record| {
            if let Record::Payment(serial, _) = record {
                serials.insert(serial);
            }
        });
        recalled.expect("a readable journal");
        let sandbox = Sandbox::new(system_clock(), SandboxConfig::default(), Arc::new(journal));
        Self {
            sandbox: sandbox.expect("a wallet"),
            serials,
        }
    }

    /// What the wallet still holds of the payment `serial`, in fen.
    fn holds(&self, serial: Serial) -> i64 {
        let held = self.sandbox.held(serial);
        held.map_or(0, |it| it.charged.get() - it.given_back.get())
    }

    /// Checks that no customer was charged for a payment that the gateway has no record of.
    pub async fn charged_nobody_unrecorded(&self, look: &Look) {
        for serial in &self.serials {
            let payment = look.reader().payment_of_any(*serial).await;
            let known = payment.expect("a readable store").is_some();
            assert!(known || self.holds(*serial) == 0, "{serial} has no record");
        }
    }

    /// Compares each sale's money. Only what was touched just before a kill may differ.
    pub async fn compare(&self, sales: &[&Sale], kills: &[Kill], look: &Look) -> Comparison {
        let mut comparison = Comparison::default();
        let mut charges: HashMap<Serial, &Sale> = HashMap::new();
        for sale in sales {
            let Some(payment) = look.payment(&sale.number).await else {
                continue;
            };
            let booked = match &payment.state {
                PaymentState::Paid(paid)
                | PaymentState::Ended {
                    paid: Some(paid), ..
                } => payment.amount.get() - paid.refunded.get() - paid.refunding.get(),
                PaymentState::Ended { paid: None, .. } => 0,
                PaymentState::Open { .. } | PaymentState::Ending(_) => {
                    panic!("still open: {sale:?}")
                }
            };
            let held = self.holds(payment.serial);
            let may_differ = was_touched_before_a_kill(sale, kills)
                || look.changed_before_a_kill(&payment, kills).await;
            assert!(
                booked == held || may_differ,
                "booked {booked}, the wallet holds {held}: {sale:?}"
            );
            let counter = if booked == held {
                &mut comparison.equal
            } else {
                &mut comparison.forgotten
            };
            *counter += 1;
            let earlier = charges.insert(payment.serial, sale);
            assert!(
                earlier.is_none(),
                "one serial, two sales: {sale:?} {earlier:?}"
            );
        }
        comparison
    }
}

fn was_touched_before_a_kill(sale: &Sale, kills: &[Kill]) -> bool {
    sale.touched.iter().any(|touched| {
        kills.iter().any(|kill| {
            let before = kill.instant.checked_duration_since(*touched);
            before.is_some_and(|it| it < FORGETS)
        })
    })
}

impl Look {
    /// Whether a worker learned of the payment's money, or moved it, just before a kill.
    async fn changed_before_a_kill(&self, payment: &Payment, kills: &[Kill]) -> bool {
        let refunds = self.reader().refunds_of(payment.tenant, payment.serial);
        let refunds = refunds.await.expect("readable refunds");
        let ends = refunds.iter().filter_map(|refund| match refund.state {
            RefundState::Done(at) | RefundState::Failed(at, _) => Some(at),
            RefundState::InProgress => None,
        });
        let paid_at = payment.paid().map(|it| it.receipt.paid_at);
        let mut changes = ends.chain(paid_at).chain(payment.settled_at());
        let forgets_ms = i64::try_from(FORGETS.as_millis()).expect("a short time");
        changes.any(|at| {
            let before_ms = kills.iter().map(|kill| kill.at.since_ms(at));
            before_ms
                .into_iter()
                .any(|ms| (0..forgets_ms).contains(&ms))
        })
    }
}
