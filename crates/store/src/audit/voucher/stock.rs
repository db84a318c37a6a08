//! Boxes, and the postings of boxes and changes.

use super::{are, posted};
use crate::{
    audit::{
        merge::Subject,
        report::{AuditReport, Rule},
    },
    contract::StoredCounts,
};
use domain::{
    ids::{Serial, TenantId},
    ledger::Posting,
    loyalty::card::TicketCode,
    money::Fen,
    voucher::{
        change::{Change, ChangeId, ChangeKind, Part, Remarks, Verdict},
        code::CodeRange,
        partner::PartnerNo,
        postings::{issue, of_change},
        stock::Carton,
        ticket::{Terms, VoucherTicketNo},
    },
};
use std::collections::BTreeMap;

/// What all codes of a box have in common.
#[derive(Clone, Copy)]
pub(super) struct Common {
    pub tenant: TenantId,
    pub ticket: VoucherTicketNo,
    pub terms: Terms,
    pub range: CodeRange,
    pub ready: bool,
    /// As far as the box says how it is packed.
    reels: Option<u64>,
}

/// Boxes, and whatever of boxes and changes must be posted and was not seen yet.
#[derive(Default)]
pub(super) struct Stock {
    cartons: BTreeMap<Serial, Common>,
    sources: BTreeMap<Serial, Source>,
}

/// What has postings.
enum Source {
    Carton(Box<Posting>),
    /// A box that is not ready: nothing is posted.
    Unfinished(TenantId),
    Part(Box<PartOf>),
}

/// A change, as far as the postings of one part of it go.
struct PartOf {
    tenant: TenantId,
    kind: ChangeKind,
    partner: Option<PartnerNo>,
    part: Part,
}

impl Source {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Carton(posting) => posting.tenant,
            Self::Unfinished(tenant) => *tenant,
            Self::Part(it) => it.tenant,
        }
    }

    fn postings(&self) -> Vec<Posting> {
        match self {
            Self::Carton(posting) => vec![**posting],
            Self::Unfinished(_) => Vec::new(),
            Self::Part(it) => of_change(&it.change()),
        }
    }
}

impl PartOf {
    /// A change that makes the same postings.
    fn change(&self) -> Change {
        Change {
            tenant: self.tenant,
            id: ChangeId::from_stored(String::new()),
            kind: self.kind,
            serial: self.part.serial,
            partner: self.partner,
            operator: None,
            number: String::new(),
            content: 0,
            at: domain::time::UnixMs(0),
            total: Fen::ZERO,
            remarks: Remarks::default(),
            ranges: Vec::new(),
            verdict: Verdict::Done(vec![self.part]),
        }
    }
}

impl Stock {
    pub fn add_carton(&mut self, carton: &Carton, report: &mut AuditReport) {
        let shape = carton.shape.filter(|_| carton.ready);
        let common = Common {
            tenant: carton.tenant,
            ticket: carton.ticket,
            terms: carton.terms,
            range: carton.range(),
            ready: carton.ready,
            reels: shape.map(|it| u64::from(it.packages) * u64::from(it.reels)),
        };
        self.cartons.insert(carton.serial, common);
        let source = if carton.ready {
            Source::Carton(Box::new(issue(carton)))
        } else {
            Source::Unfinished(carton.tenant)
        };
        self.add(carton.serial, source, report);
    }

    pub fn add_change(&mut self, change: &Change, report: &mut AuditReport) {
        let parts: &[Part] = match &change.verdict {
            Verdict::Done(parts) => parts,
            Verdict::Conflict(_)
            | Verdict::Unknown(_)
            | Verdict::Duplicate(..)
            | Verdict::TooMany => &[],
        };
        for part in parts {
            let of = PartOf {
                tenant: change.tenant,
                kind: change.kind,
                partner: change.partner,
                part: *part,
            };
            let source = Source::Part(Box::new(of));
            // Freezing, above all, moves nothing.
            if !source.postings().is_empty() {
                self.add(part.serial, source, report);
            }
        }
    }

    fn add(&mut self, serial: Serial, source: Source, report: &mut AuditReport) {
        if self.sources.insert(serial, source).is_some() {
            let found = "shared by two boxes or changes of codes".to_owned();
            report.add(Rule::OneSubject, format!("number {serial}"), found);
        }
    }

    pub fn owner(&self, serial: Serial) -> Option<TenantId> {
        self.sources.get(&serial).map(Source::tenant)
    }

    pub fn carton(&self, serial: Serial) -> Option<&Common> {
        self.cartons.get(&serial)
    }

    /// Whether a ticket's code is one of a box that is ready, and is good for what that says.
    pub fn agrees(&self, tenant: TenantId, ticket: &TicketCode, face: Fen) -> bool {
        let carton = self.carton(ticket.code.carton);
        carton.is_some_and(|it| {
            it.ready
                && it.tenant == tenant
                && it.range.contains(ticket.code)
                && (it.ticket, it.terms.uses) == (ticket.ticket, ticket.uses)
                && it.terms.face_value == face
        })
    }

    /// All boxes that are ready.
    pub fn ready(&self) -> impl Iterator<Item = &Common> {
        self.cartons.values().filter(|it| it.ready)
    }

    /// Checks the postings of a box or change, which is not looked for any more.
    pub fn check(&mut self, subject: &Subject, report: &mut AuditReport) {
        let Some(source) = self.sources.remove(&subject.serial) else {
            return;
        };
        let posted: Vec<Posting> = posted(subject).collect();
        let expected = source.postings();
        if !are(&posted, expected.clone()) {
            let found = format!("posted {posted:?}, expected {expected:?}");
            report.add(Rule::StockPosting, name(subject.serial), found);
        }
    }

    pub fn check_stored(&self, carton: Serial, counts: StoredCounts, report: &mut AuditReport) {
        let Some(common) = self.carton(carton).filter(|it| it.ready) else {
            return;
        };
        let codes = common.range.len().unsigned_abs();
        let is_whole = counts.codes == codes
            && counts.digests == codes
            && common.reels.is_none_or(|it| counts.reels == it);
        if !is_whole {
            let found = format!("{counts:?} of {codes} codes, {:?} reels", common.reels);
            report.add(Rule::CartonStock, format!("box {carton}"), found);
        }
    }

    /// What is left was not posted.
    pub fn finish(self, report: &mut AuditReport) {
        for (serial, source) in self.sources {
            let expected = source.postings();
            if !expected.is_empty() {
                let found = format!("posted nothing, expected {expected:?}");
                report.add(Rule::StockPosting, name(serial), found);
            }
        }
    }
}

fn name(serial: Serial) -> String {
    format!("box or change {serial}")
}
