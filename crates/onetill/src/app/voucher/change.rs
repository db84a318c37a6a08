//! Activation, voiding and freezing of what names lead to.

use super::{names::Found, partners::KnownPartner};
use crate::app::{AppError, Gateway, loyalty::documents};
use domain::{
    command::voucher::{ChangeReply, ChangeStock, Request, Target},
    ids::{Serial, TenantId},
    loyalty::document::DocumentKey,
    money::Fen,
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId, ChangeKind, Remarks, Verdict},
        ticket::Term,
    },
};
use std::collections::BTreeSet;

/// What a partner wants done.
#[derive(Clone, Debug)]
pub struct NewChange {
    /// What.
    pub kind: ChangeKind,
    /// The partner's own number of it.
    pub number: String,
    /// Digest of what was asked.
    pub content: u128,
    /// What the partner paid in all.
    pub total: Fen,
    /// What it wants kept.
    pub remarks: Remarks,
    /// When the codes are valid, where the partner says so; else by their ticket type.
    pub term: Option<Term>,
    /// A refusal leaves no record.
    pub forget_refusal: bool,
}

/// What an operator wants done.
#[derive(Clone, Debug)]
pub struct OperatorChange {
    /// Whose codes.
    pub tenant: TenantId,
    /// What.
    pub kind: ChangeKind,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Only says what would become of it.
    pub dry_run: bool,
}

impl Gateway {
    /// Changes what was found: all of it, or nothing. `found` is what each name of the request
    /// leads to, `None` where it leads nowhere.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn change_stock(
        &self,
        partner: &KnownPartner,
        new: NewChange,
        found: &[Option<Found>],
    ) -> Result<ChangeReply, AppError> {
        let now = self.now();
        let zone = self.zone();
        let request = request(found, |it| {
            new.term
                .unwrap_or_else(|| it.carton.terms.validity.term(zone, now))
        });
        let command = ChangeStock {
            change: self.draft(partner, new.clone(), now)?,
            part_serials: self.part_serials(found)?,
            request,
            day: zone.day(now),
            dry_run: false,
            forget_refusal: new.forget_refusal,
        };
        self.run(command).await
    }

    /// Changes what an operator named; `dry_run` only says what would become of it.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn change_by_operator(
        &self,
        new: OperatorChange,
        found: &[Option<Found>],
    ) -> Result<Change, AppError> {
        let (zone, now) = (self.zone(), self.now());
        let serial = self.next_serial()?;
        let change = Change {
            tenant: new.tenant,
            id: ChangeId::of_house(new.kind, serial),
            kind: new.kind,
            serial,
            partner: None,
            operator: Some(new.by),
            number: serial.to_string(),
            content: 0,
            at: now,
            total: Fen::ZERO,
            remarks: Remarks {
                reason: new.reason,
                ..Remarks::default()
            },
            ranges: Vec::new(),
            verdict: Verdict::Unknown(Vec::new()),
        };
        let command = ChangeStock {
            change,
            part_serials: self.part_serials(found)?,
            request: request(found, |it| it.carton.terms.validity.term(zone, now)),
            day: zone.day(now),
            dry_run: new.dry_run,
            forget_refusal: true,
        };
        Ok(match self.run(command).await? {
            ChangeReply::New(it) | ChangeReply::Repeat(it) | ChangeReply::Other(it) => *it,
        })
    }

    fn draft(
        &self,
        partner: &KnownPartner,
        new: NewChange,
        now: UnixMs,
    ) -> Result<Change, AppError> {
        let partner = &partner.partner;
        Ok(Change {
            tenant: partner.tenant,
            id: ChangeId::of_partner(partner.number, new.kind, &new.number),
            kind: new.kind,
            serial: self.next_serial()?,
            partner: Some(partner.number),
            operator: None,
            number: new.number,
            content: new.content,
            at: now,
            total: new.total,
            remarks: new.remarks,
            ranges: Vec::new(),
            verdict: Verdict::Unknown(Vec::new()),
        })
    }

    /// A number for each ticket type among what was found.
    fn part_serials(&self, found: &[Option<Found>]) -> Result<Vec<Serial>, AppError> {
        let found = found.iter().flatten();
        let tickets: BTreeSet<_> = found.map(|it| it.carton.ticket).collect();
        tickets.iter().map(|_| self.next_serial()).collect()
    }

    /// A change that was recorded under a partner's own number.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn recorded_change(
        &self,
        partner: &KnownPartner,
        kind: ChangeKind,
        number: &str,
    ) -> Result<Option<Change>, AppError> {
        let id = ChangeId::of_partner(partner.partner.number, kind, number);
        self.change(partner.partner.tenant, &id).await
    }

    /// A recorded change.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn change(
        &self,
        tenant: TenantId,
        id: &ChangeId,
    ) -> Result<Option<Change>, AppError> {
        let key = DocumentKey::change(tenant, id);
        let found = self.reader.document(key).await?;
        Ok(found.and_then(documents::change))
    }
}

fn request(found: &[Option<Found>], term: impl Fn(&Found) -> Term) -> Request {
    let places = found.iter().zip(0_u32..);
    let unknown: Vec<u32> = places
        .filter(|(it, _)| it.is_none())
        .map(|(_, place)| place)
        .collect();
    if !unknown.is_empty() {
        return Request::Unknown(unknown);
    }
    let targets = found.iter().flatten().map(|it| Target {
        range: it.range,
        ticket: it.carton.ticket,
        terms: it.carton.terms,
        term: term(it),
    });
    Request::Found(targets.collect())
}
