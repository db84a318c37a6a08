//! Holds a gateway to what it told a merchant.

use super::{
    fleet::{Ledger, Look},
    sale::{How, Sale, Told},
    till::Till,
    top_up::TopUp,
};
use crate::support::process::Client;
use domain::{
    payment::{Payment, PaymentState, PaymentStatus},
    recharge::{Recharge, RechargeState},
    refund::{Origin, Refund, RefundState},
};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    net::SocketAddr,
};

/// What merchants were told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Sales asked for.
    pub sales: usize,
    /// Payments and orders answered SUCCESS.
    pub begun: usize,
    /// Known to the merchant as paid.
    pub paid: usize,
    /// Refunds answered SUCCESS.
    pub refunded: usize,
    /// Cancellations answered SUCCESS.
    pub cancelled: usize,
    /// Top-ups answered SUCCESS.
    pub topped_up: usize,
    /// Requests without an answer.
    pub unanswered: usize,
}

impl Counts {
    /// Adds what a sale's merchant was told.
    pub fn add(&mut self, sale: &Sale) {
        let refunds = &sale.refunds;
        self.sales += 1;
        self.begun += usize::from(sale.told == Told::Done);
        self.paid += usize::from(sale.is_known_paid());
        self.refunded += refunds.iter().filter(|it| it.told == Told::Done).count();
        self.cancelled += usize::from(sale.cancel == Some(Told::Done));
        self.unanswered += usize::from(sale.told == Told::Nothing)
            + usize::from(sale.cancel == Some(Told::Nothing))
            + refunds.iter().filter(|it| it.told == Told::Nothing).count();
    }

    /// Adds what a top-up's merchant was told.
    pub fn add_top_up(&mut self, top_up: &TopUp) {
        self.topped_up += usize::from(top_up.told == Told::Done);
        self.unanswered += usize::from(top_up.told == Told::Nothing);
    }

    /// Everything that was answered SUCCESS.
    pub const fn acknowledged(&self) -> usize {
        self.begun + self.refunded + self.cancelled + self.topped_up
    }
}

/// What the end found.
#[derive(Clone, Copy, Debug, Default)]
pub struct End {
    /// Things answered SUCCESS that the rows have.
    pub found: usize,
    /// Payments and top-ups whose merchant was notified, as it wished.
    pub notified: usize,
    /// Those notified more than once, as the protocol allows.
    pub notified_again: usize,
}

/// Checks every sale and top-up of `till` that was asked about in its round, as its merchant
/// would through `gateway`, and as the rows have it.
///
/// # Panics
/// When something acknowledged is not there, or something is there that was refused.
pub async fn judge(
    till: &Till,
    gateway: SocketAddr,
    look: &Look,
    recharges: &HashMap<&str, &Recharge>,
) -> usize {
    let mut client = Client::new(gateway);
    let mut judged = 0;
    for (index, sale) in till.sales.iter().enumerate() {
        if sale.round != till.round {
            continue;
        }
        let reply = till.ask_state(&mut client, index).await;
        let reply = reply.expect("a restarted gateway answers");
        let state = match reply.code().as_str() {
            "SUCCESS" => Some(reply.field("STATE").parse().expect("a state")),
            "CHARGE_NONEXISTENT" => None,
            code => panic!("{code} for {sale:?}"),
        };
        check_state(sale, state);
        check_rows(sale, look).await;
        judged += 1;
    }
    for top_up in till.top_ups.iter().filter(|it| it.round == till.round) {
        check_top_up(top_up, recharges.get(&*top_up.phone).copied());
        judged += 1;
    }
    judged
}

/// STATE as the source's appendix 4 numbers it.
fn check_state(sale: &Sale, state: Option<u8>) {
    let Some(state) = state else {
        let may_be_absent = matches!(sale.told, Told::Nothing | Told::NotRecorded);
        let touched = sale.gateway_serial.is_some() || !sale.refunds.is_empty();
        assert!(may_be_absent && !touched, "lost: {sale:?}");
        return;
    };
    assert_ne!(sale.told, Told::NotRecorded, "said not recorded: {sale:?}");
    if sale.is_known_paid() {
        let kept: &[u8] = if sale.cancel.is_none() {
            &[1, 4, 5, 8, 9]
        } else {
            &[1, 2, 4, 5, 8, 9]
        };
        assert!(kept.contains(&state), "paid, now {state}: {sale:?}");
    }
    match sale.cancel {
        // 8 until the channel has finished a refund that it does later.
        Some(Told::Done) => {
            let later = state == 8 && sale.fen % 100 == 98;
            assert!(state == 2 || later, "cancelled, now {state}: {sale:?}");
        }
        Some(Told::NotRecorded) => assert_ne!(state, 2, "cancel was refused: {sale:?}"),
        // Refused because it was cancelled already, by a request that got no answer.
        Some(Told::Refused | Told::Nothing | Told::Repeat) | None => {}
    }
    let declined = sale.told == Told::Refused;
    assert!(!declined || matches!(state, 2 | 6), "{state}: {sale:?}");
}

/// Checks a sale against its rows; how many things of it were acknowledged and are there.
async fn check_rows(sale: &Sale, look: &Look) -> usize {
    let Some(payment) = look.payment(&sale.number).await else {
        return 0;
    };
    let mut found = usize::from(sale.told == Told::Done);
    assert_eq!(payment.price().get(), sale.fen, "{sale:?}");
    if let Some(serial) = &sale.gateway_serial {
        assert_eq!(payment.serial.to_string(), *serial, "{sale:?}");
    }
    if !sale.refunds.is_empty() || sale.cancel.is_some() {
        let refunds = look.reader().refunds_of(payment.tenant, payment.serial);
        found += check_refunds(sale, &payment, &refunds.await.expect("readable refunds"));
    }
    found + usize::from(sale.cancel == Some(Told::Done))
}

/// Checks the refunds of a sale; how many were acknowledged and are there.
fn check_refunds(sale: &Sale, payment: &Payment, refunds: &[Refund]) -> usize {
    let mut acknowledged = 0;
    let mut requested: HashMap<&str, &Refund> = HashMap::new();
    let mut whole = 0;
    for refund in refunds {
        match &refund.origin {
            Origin::Request {
                merchant_serial: Some(number),
                ..
            } => {
                let earlier = requested.insert(number, refund);
                assert!(earlier.is_none(), "{number} twice: {sale:?}");
            }
            Origin::Request { .. } => panic!("every till numbers its refunds: {sale:?}"),
            Origin::Cancellation | Origin::LateSuccess => whole += 1,
        }
    }
    assert!(whole <= 1, "given back in full more than once: {sale:?}");
    for back in &sale.refunds {
        let found = requested.remove(back.number.as_str());
        let moves = |it: &Refund| !matches!(it.state, RefundState::Failed(..));
        match (back.told, found) {
            (Told::Done, Some(refund)) => {
                assert_eq!(refund.price(payment).get(), back.fen, "{sale:?}");
                let kept = moves(refund) || back.may_be_refused_later();
                assert!(kept, "acknowledged, then failed: {sale:?}");
                acknowledged += 1;
            }
            (Told::Done, None) => panic!("refund {} is lost: {sale:?}", back.number),
            (Told::NotRecorded, Some(_)) => panic!("{} not recorded? {sale:?}", back.number),
            (Told::Refused, Some(refund)) => assert!(!moves(refund), "refused: {sale:?}"),
            (Told::Nothing | Told::Repeat, _) | (Told::NotRecorded | Told::Refused, None) => {}
        }
    }
    assert!(requested.is_empty(), "refunds nobody asked for: {sale:?}");
    let paid = payment.paid().expect("only paid sales are refunded");
    let back = paid.refunded.get() + paid.refunding.get();
    assert!(
        back <= payment.amount.get(),
        "more back than paid: {sale:?}"
    );
    acknowledged
}

/// Checks that everything has ended, that everything acknowledged is there, and that whoever
/// wished to be notified was.
pub async fn judge_end(
    till: &Till,
    look: &Look,
    recharges: &HashMap<&str, &Recharge>,
    acknowledged: impl Fn(&str) -> usize,
) -> End {
    let mut end = End::default();
    for sale in &till.sales {
        let Some(payment) = look.payment(&sale.number).await else {
            check_state(sale, None);
            continue;
        };
        let open = matches!(
            payment.state,
            PaymentState::Open { .. } | PaymentState::Ending(_)
        );
        assert!(!open, "still open: {sale:?}");
        if sale.cancel == Some(Told::Done) {
            assert_eq!(payment.status(), PaymentStatus::Cancelled, "{sale:?}");
        }
        let paid = sale.page_paid || sale.is_known_paid();
        assert!(!paid || payment.paid().is_some(), "paid, not so: {sale:?}");
        end.found += check_rows(sale, look).await;
        if let How::Page(Some(_)) = sale.how {
            let wanted = look.reader().notification(payment.tenant, payment.serial);
            let is_wanted = wanted.await.expect("readable notifications").is_some();
            assert!(
                is_wanted || payment.paid().is_none(),
                "paid, nothing to notify: {sale:?}"
            );
            end.heard(is_wanted, acknowledged(&sale.number), sale);
        }
    }
    for top_up in &till.top_ups {
        let recharge = recharges.get(&*top_up.phone).copied();
        end.found += check_top_up(top_up, recharge);
        if let Some(recharge) = recharge {
            assert!(recharge.is_over(), "still open: {top_up:?}");
            let done = matches!(recharge.state, RechargeState::Done(..));
            assert_eq!(done, top_up.can_be_done(), "{top_up:?} {recharge:?}");
            end.heard(top_up.is_notified, acknowledged(&top_up.phone), top_up);
        }
    }
    end
}

impl End {
    /// Notes how often the merchant heard of `what`, which must be often enough.
    fn heard(&mut self, wanted: bool, times: usize, what: &impl std::fmt::Debug) {
        if wanted {
            assert!(times > 0, "not notified: {what:?}");
            self.notified += 1;
            self.notified_again += usize::from(times > 1);
        } else {
            assert_eq!(times, 0, "notified of what nobody asked about: {what:?}");
        }
    }

    /// Adds what another till's end found.
    pub fn add(&mut self, other: Self) {
        self.found += other.found;
        self.notified += other.notified;
        self.notified_again += other.notified_again;
    }
}

/// Checks a top-up against its row; 1 when it was acknowledged and is there.
fn check_top_up(top_up: &TopUp, recharge: Option<&Recharge>) -> usize {
    let Some(recharge) = recharge else {
        let may_be_absent = matches!(top_up.told, Told::Nothing | Told::NotRecorded);
        assert!(
            may_be_absent && top_up.gateway_serial.is_none(),
            "lost: {top_up:?}"
        );
        return 0;
    };
    if let Some(serial) = &top_up.gateway_serial {
        assert_eq!(recharge.serial.to_string(), *serial, "{top_up:?}");
    }
    let failed = matches!(recharge.state, RechargeState::Failed(..));
    match top_up.told {
        Told::Done => {
            let kept = !failed || top_up.may_be_refused_later();
            assert!(kept, "acknowledged, then failed: {top_up:?}");
        }
        Told::Refused => assert!(failed, "refused, not failed: {top_up:?} {recharge:?}"),
        Told::NotRecorded => panic!("said not recorded: {top_up:?} {recharge:?}"),
        Told::Repeat => panic!("top-ups have no number to repeat: {top_up:?}"),
        Told::Nothing => {}
    }
    usize::from(top_up.told == Told::Done)
}

/// How many of a merchant's numbers stand in the rows more than once. A top-up has no number:
/// its phone, which no till uses twice, stands for it.
pub fn twice(ledger: &Ledger) -> usize {
    let sales = ledger.payments.iter();
    let sales = sales.map(|it| (it.merchant.0, &*it.merchant_serial));
    let refunds = ledger.refunds.iter().map(|it| match &it.origin {
        Origin::Request {
            merchant_serial, ..
        } => (it.payment.0, merchant_serial.as_deref().unwrap_or_default()),
        // At most one of each payment goes back in full.
        Origin::Cancellation | Origin::LateSuccess => (it.payment.0, "in full"),
    });
    let phones = ledger.recharges.iter().map(|it| &*it.phone);
    repeated(sales) + repeated(refunds) + repeated(phones)
}

fn repeated<T: Eq + Hash>(all: impl Iterator<Item = T>) -> usize {
    let mut seen = HashSet::new();
    all.map(|it| usize::from(!seen.insert(it))).sum()
}
