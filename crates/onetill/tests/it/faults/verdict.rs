//! Holds a gateway to what it told a merchant.

use super::{
    fleet::Look,
    sale::{How, Sale, Told},
    till::Till,
};
use crate::support::process::Client;
use domain::{
    payment::{Payment, PaymentState, PaymentStatus},
    refund::{Origin, Refund, RefundState},
};
use std::{collections::HashMap, net::SocketAddr};

/// What was acknowledged and found again.
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
}

/// Checks every sale of `till` that was touched in its round, as its merchant would through
/// `gateway`, and as the rows have it.
///
/// # Panics
/// When something acknowledged is not there, or something is there that was refused.
pub async fn judge(till: &Till, gateway: SocketAddr, look: &Look) -> usize {
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

async fn check_rows(sale: &Sale, look: &Look) {
    let Some(payment) = look.payment(&sale.number).await else {
        return;
    };
    assert_eq!(payment.amount.get(), sale.fen, "{sale:?}");
    if let Some(serial) = &sale.gateway_serial {
        assert_eq!(payment.serial.to_string(), *serial, "{sale:?}");
    }
    if !sale.refunds.is_empty() || sale.cancel.is_some() {
        let refunds = look.reader().refunds_of(payment.tenant, payment.serial);
        check_refunds(sale, &payment, &refunds.await.expect("readable refunds"));
    }
}

fn check_refunds(sale: &Sale, payment: &Payment, refunds: &[Refund]) {
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
                assert_eq!(refund.amount.get(), back.fen, "{sale:?}");
                assert!(moves(refund), "acknowledged, then failed: {sale:?}");
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
}

/// Checks that every sale has ended, and that each paid order's merchant was notified.
pub async fn judge_end(
    till: &Till,
    look: &Look,
    acknowledged: impl Fn(&str) -> usize,
) -> (usize, usize) {
    let (mut notified, mut twice) = (0, 0);
    for sale in &till.sales {
        let Some(payment) = look.payment(&sale.number).await else {
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
        check_rows(sale, look).await;
        if sale.how == How::Page(None) || matches!(sale.how, How::PayerCode(_)) {
            continue;
        }
        let wanted = look.reader().notification(payment.tenant, payment.serial);
        let times = acknowledged(&sale.number);
        if wanted.await.expect("readable notifications").is_some() {
            assert!(times > 0, "paid and not notified: {sale:?}");
            notified += 1;
            twice += usize::from(times > 1);
        } else {
            assert!(
                payment.paid().is_none(),
                "paid, nothing to notify: {sale:?}"
            );
            assert_eq!(times, 0, "notified of what was not paid: {sale:?}");
        }
    }
    (notified, twice)
}
