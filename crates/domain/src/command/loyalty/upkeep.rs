//! What the workers do by the clock. Each may be done any number of times.

use super::{desk::book, provision::of_card};
use crate::{
    command::Command,
    ids::{Serial, TenantId},
    ledger::Movement,
    loyalty::{
        card::{Card, CardNo},
        document::{Document, DocumentKey},
        trans::{Effect, TicketUse, Trans, TransKind},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// Writes off the points and tickets of a card that have expired.
#[derive(Clone, Debug)]
pub struct Expire {
    /// Whose.
    pub tenant: TenantId,
    /// The card.
    pub card: CardNo,
    /// The gateway's serial of the event, if there is anything to write off.
    pub serial: Serial,
}

impl Command for Expire {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::card(self.tenant, &self.card);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        let Some(mut card) = rows.loyalty.card(self.tenant, &self.card).cloned() else {
            return Ok(());
        };
        let effect = Effect {
            points: card.take_expired(now),
            tickets: take_expired_tickets(&mut card, now),
            ..Effect::default()
        };
        if effect == Effect::default() {
            return Ok(());
        }
        let event = Trans {
            effect,
            balance: card.balance(now),
            ..of_card(&card, self.serial, TransKind::Expiry, now)
        };
        rows.loyalty.put_document(Document::Card(Box::new(card)));
        book(rows, event);
        Ok(())
    }
}

/// As many as one event can name; the rest is still due afterwards.
fn take_expired_tickets(card: &mut Card, now: UnixMs) -> Vec<TicketUse> {
    let is_over = |end: Option<UnixMs>| end.is_some_and(|end| end <= now);
    let expired = card.tickets.iter();
    let expired = expired.filter(|it| it.pieces > 0 && is_over(it.expires_at));
    let expired: Vec<TicketUse> = expired
        .take(usize::from(Movement::TICKET_LINES_MAX))
        .map(|it| it.used(it.pieces))
        .collect();
    expired.iter().for_each(|it| card.take_tickets(it));
    expired
}

/// Removes the verify codes of a mobile number once nothing of them counts any more.
#[derive(Clone, Debug)]
pub struct ForgetCodes {
    /// Whose.
    pub tenant: TenantId,
    /// The mobile number.
    pub mobile: String,
}

impl Command for ForgetCodes {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::verify_codes(self.tenant, &self.mobile);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        let codes = rows.loyalty.verify_codes(self.tenant, &self.mobile);
        if codes.is_some_and(|it| it.useless_at() <= now) {
            let key = DocumentKey::verify_codes(self.tenant, &self.mobile);
            rows.loyalty.remove_document(key);
        }
        Ok(())
    }
}
