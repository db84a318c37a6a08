//! The undoing of a redemption that has not come.

use super::Command;
use crate::{
    payment::{End, Payment, PaymentState},
    rows::{Claim, Inconsistent, PaymentRef, Plan, Rows},
    time::UnixMs,
};

/// Records a tombstone for a redemption whose undoing came first, unless its merchant serial was
/// used before: the serial is claimed, so that the redemption finds it taken when it comes.
#[derive(Debug)]
pub struct BarRedemption {
    /// The tombstone: a payment through no channel, open, that names no code.
    pub tombstone: Box<Payment>,
}

/// The answer to [`BarRedemption`].
#[derive(Debug, PartialEq, Eq)]
pub enum Barred {
    /// Nothing will ever be redeemed under the serial, since now.
    Now,
    /// The merchant serial names this payment already.
    Exists(Box<Payment>),
}

impl Command for BarRedemption {
    type Reply = Barred;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.claims.push(Claim {
            payment: &self.tombstone,
            code: None,
        });
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Barred, Inconsistent> {
        let Payment {
            tenant,
            serial,
            key,
            ..
        } = *self.tombstone;
        if !rows.was_claimed(serial) {
            let earlier = rows.payment(PaymentRef::Key(tenant, key));
            let earlier = earlier.ok_or(Inconsistent(serial))?;
            return Ok(Barred::Exists(Box::new(earlier.clone())));
        }
        rows.begin(serial);
        let mut tombstone = (*self.tombstone).clone();
        tombstone.state = PaymentState::Ended {
            end: End::Cancelled,
            at: now,
            paid: None,
        };
        rows.put_payment(tombstone);
        Ok(Barred::Now)
    }
}
