//! Partners, ticket types and activities as an operator sets them up.

use crate::{
    command::Command,
    loyalty::document::{Document, DocumentKey},
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
    voucher::{
        partner::{HISTORY_MAX, Partner, PartnerEntry},
        ticket::{Activity, VoucherTicket},
    },
};

/// Adds or changes a partner; answers whether it was done. What it activated today stays counted.
#[derive(Clone, Debug)]
pub struct PutPartner {
    /// The partner as it is to be.
    pub partner: Partner,
    /// When the partner was changed last as the operator saw it; `None` to add it. Another
    /// operator's change since then is not overwritten.
    pub seen_at: Option<UnixMs>,
    /// What to note of it.
    pub entry: PartnerEntry,
}

impl Command for PutPartner {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::partner(self.partner.tenant, self.partner.number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<bool, Inconsistent> {
        let there = rows
            .loyalty
            .partner(self.partner.tenant, self.partner.number);
        if there.map(|it| it.updated_at) != self.seen_at {
            return Ok(false);
        }
        let mut history = there.map_or_else(Vec::new, |it| it.history.clone());
        history.push(self.entry.clone());
        let too_many = history.len().saturating_sub(HISTORY_MAX);
        history.drain(..too_many);
        let partner = Partner {
            activated: there.map_or_else(Default::default, |it| it.activated),
            history,
            // Later than what was seen, whatever the clock says.
            updated_at: now.max(self.seen_at.map_or(now, |it| it.plus_ms(1))),
            ..self.partner.clone()
        };
        rows.loyalty
            .put_document(Document::Partner(Box::new(partner)));
        Ok(true)
    }
}

/// Adds or changes a ticket type. Codes that were issued keep their terms.
#[derive(Clone, Debug)]
pub struct PutVoucherTicket {
    /// The ticket type.
    pub ticket: VoucherTicket,
}

impl Command for PutVoucherTicket {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::voucher_ticket(self.ticket.tenant, self.ticket.number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        let ticket = VoucherTicket {
            updated_at: now,
            ..self.ticket.clone()
        };
        rows.loyalty
            .put_document(Document::VoucherTicket(Box::new(ticket)));
        Ok(())
    }
}

/// Adds or changes an activity. Boxes that were issued keep its names.
#[derive(Clone, Debug)]
pub struct PutActivity {
    /// The activity.
    pub activity: Activity,
}

impl Command for PutActivity {
    type Reply = ();

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let key = DocumentKey::activity(self.activity.tenant, self.activity.number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        let activity = Activity {
            updated_at: now,
            ..self.activity.clone()
        };
        rows.loyalty
            .put_document(Document::Activity(Box::new(activity)));
        Ok(())
    }
}
