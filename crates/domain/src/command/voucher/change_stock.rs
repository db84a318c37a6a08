//! Ranges of codes become active, void, frozen or free: all of them, or none.

use crate::{
    command::Command,
    ids::Serial,
    loyalty::document::{Document, DocumentKey},
    money::Fen,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
    voucher::{
        change::{CONFLICTS_MAX, Change, ChangeKind, Conflict, Conflicts, Obstacle, Part, Verdict},
        code::CodeRange,
        partner::Partner,
        postings::{face_of, of_change},
        span::{Activation, Span, Stage, Voiding},
        ticket::{Term, Terms, VoucherTicketNo},
    },
};
use std::collections::BTreeMap;

/// Changes ranges of codes, or records why none was changed.
#[derive(Clone, Debug)]
pub struct ChangeStock {
    /// What is asked for. Its ranges and its verdict are this command's to fill in.
    pub change: Change,
    /// Which codes, as found.
    pub request: Request,
    /// A number for the postings of each ticket type, as many as there may be.
    pub part_serials: Vec<Serial>,
    /// The day it is for the caller, since 1970-01-01.
    pub day: i64,
    /// Changes nothing and records nothing: only says what would become of it.
    pub dry_run: bool,
    /// A change that is refused leaves no record, so that its number stays free.
    pub forget_refusal: bool,
}

/// What the names in a request lead to.
#[derive(Clone, Debug)]
pub enum Request {
    /// Stock of the caller's, one a name, in the order of the request.
    Found(Vec<Target>),
    /// The places of names, from 0, that lead nowhere.
    Unknown(Vec<u32>),
}

/// Codes of one box, and what they are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which codes.
    pub range: CodeRange,
    /// Their ticket type.
    pub ticket: VoucherTicketNo,
    /// What they are good for.
    pub terms: Terms,
    /// When they will be valid, if they are activated.
    pub term: Term,
}

/// The answer to [`ChangeStock`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeReply {
    /// Decided now.
    New(Box<Change>),
    /// The same request as this earlier one.
    Repeat(Box<Change>),
    /// The number is that of this other change.
    Other(Box<Change>),
}

impl Command for ChangeStock {
    type Reply = ChangeReply;
    const BEGINS: bool = true;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let Change {
            tenant,
            id,
            partner,
            ..
        } = &self.change;
        let key = DocumentKey::change(*tenant, id);
        plan.loyalty.documents.push(key);
        let partner = partner.map(|it| DocumentKey::partner(*tenant, it));
        plan.loyalty.documents.extend(partner);
        for target in self.targets() {
            plan.voucher.ranges.push(self.affected(&target.range));
            if self.change.kind == ChangeKind::Void {
                plan.voucher.busy.push(target.range);
            }
        }
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<ChangeReply, Inconsistent> {
        let Change { tenant, id, .. } = &self.change;
        if let Some(earlier) = rows.loyalty.change(*tenant, id) {
            let same = earlier.content == self.change.content && earlier.kind == self.change.kind;
            let earlier = Box::new(earlier.clone());
            return Ok(if same {
                ChangeReply::Repeat(earlier)
            } else {
                ChangeReply::Other(earlier)
            });
        }
        let verdict = self.judge(rows, now)?;
        let change = Change {
            at: now,
            ranges: self.targets().iter().map(|it| it.range).collect(),
            verdict,
            ..self.change.clone()
        };
        if !self.dry_run {
            self.record(rows, &change)?;
        }
        Ok(ChangeReply::New(Box::new(change)))
    }
}

impl ChangeStock {
    fn targets(&self) -> &[Target] {
        match &self.request {
            Request::Found(targets) => targets,
            Request::Unknown(_) => &[],
        }
    }

    /// The codes of a target, and its neighbours where they may become one with it: codes that
    /// became active or void name the change that made them so, which only its own targets share.
    const fn affected(&self, range: &CodeRange) -> CodeRange {
        match self.change.kind {
            ChangeKind::Freeze | ChangeKind::Unfreeze => range.with_neighbours(),
            ChangeKind::Activate
            | ChangeKind::ActivateSegment
            | ChangeKind::Void
            | ChangeKind::Expire => *range,
        }
    }

    /// Whether the books can follow: a partner owes for what is sold and gets back what is void, and
    /// terms end by [`super::ExpireSpan`].
    const fn can_be_booked(&self) -> bool {
        match self.change.kind {
            ChangeKind::Activate | ChangeKind::ActivateSegment | ChangeKind::Void => {
                self.change.partner.is_some()
            }
            ChangeKind::Freeze | ChangeKind::Unfreeze => true,
            ChangeKind::Expire => false,
        }
    }

    fn judge(&self, rows: &Rows, now: UnixMs) -> Result<Verdict, Inconsistent> {
        // A dry run books nothing, so an operator may ask whether a partner could activate.
        if !self.dry_run && !self.can_be_booked() {
            return Err(Inconsistent(self.change.serial));
        }
        let targets = match &self.request {
            Request::Found(targets) => targets,
            Request::Unknown(places) => return Ok(Verdict::Unknown(places.clone())),
        };
        if let Some((one, other)) = overlap(targets) {
            return Ok(Verdict::Duplicate(one, other));
        }
        let mut conflicts = Conflicts::default();
        for target in targets {
            self.look_for_conflicts(rows, &target.range, now, &mut conflicts)?;
        }
        if !conflicts.first.is_empty() {
            return Ok(Verdict::Conflict(conflicts));
        }
        if self
            .partner_today(rows)
            .is_some_and(|it| it.is_over_limit())
        {
            return Ok(Verdict::TooMany);
        }
        self.parts(rows, targets).map(Verdict::Done)
    }

    /// The partner with these codes counted, if it is limited in how many it activates.
    fn partner_today(&self, rows: &Rows) -> Option<Partner> {
        match self.change.kind {
            ChangeKind::Activate | ChangeKind::ActivateSegment => {}
            ChangeKind::Void | ChangeKind::Freeze | ChangeKind::Unfreeze | ChangeKind::Expire => {
                return None;
            }
        }
        let partner = rows
            .loyalty
            .partner(self.change.tenant, self.change.partner?)?;
        partner.settings.codes_per_day?;
        let codes: i64 = self.targets().iter().map(|it| it.range.len()).sum();
        let mut partner = partner.clone();
        partner.activated = partner.activated.plus(self.day, codes);
        Some(partner)
    }

    fn look_for_conflicts(
        &self,
        rows: &Rows,
        range: &CodeRange,
        now: UnixMs,
        conflicts: &mut Conflicts,
    ) -> Result<(), Inconsistent> {
        for span in rows.voucher.spans_in(self.change.tenant, range)? {
            let within = span.range.intersect(range);
            let why = obstacle(self.change.kind, &span, now);
            if let (Some(range), Some(why)) = (within, why) {
                conflicts.add(Conflict { range, why });
            }
        }
        if self.change.kind == ChangeKind::Void {
            let (busy, more) = rows.voucher.busy_in(range);
            let why = Obstacle::InUse;
            if busy.is_empty() && more {
                // Those that were loaded are free again since this batch began; others are not.
                conflicts.add(Conflict { range: *range, why });
            }
            busy.iter().for_each(|it| {
                conflicts.add(Conflict {
                    range: it.range(),
                    why,
                });
            });
            conflicts.more |= more;
        }
        Ok(())
    }

    /// What is done to the codes of each ticket type.
    fn parts(&self, rows: &Rows, targets: &[Target]) -> Result<Vec<Part>, Inconsistent> {
        let mut parts: BTreeMap<VoucherTicketNo, Part> = BTreeMap::new();
        for target in targets {
            let left = parts.len();
            let serial = self.part_serials.get(left).copied();
            let part = match parts.entry(target.ticket) {
                std::collections::btree_map::Entry::Occupied(it) => it.into_mut(),
                std::collections::btree_map::Entry::Vacant(it) => {
                    let serial = serial.ok_or(Inconsistent(self.change.serial))?;
                    it.insert(Part::empty(serial, target.ticket))
                }
            };
            for span in rows.voucher.spans_in(self.change.tenant, &target.range)? {
                self.count(part, &span, target)?;
            }
        }
        Ok(parts.into_values().collect())
    }

    fn count(&self, part: &mut Part, span: &Span, target: &Target) -> Result<(), Inconsistent> {
        let wrong = Inconsistent(self.change.serial);
        let Some(range) = span.range.intersect(&target.range) else {
            return Ok(());
        };
        let uses = range.len() * i64::from(target.terms.uses);
        let face = face_of(&target.terms, uses).ok_or(wrong)?;
        let becomes_owed = match (self.change.kind, &span.stage) {
            (ChangeKind::Activate | ChangeKind::ActivateSegment, Stage::InStock) => {
                part.uses_from_stock += uses;
                true
            }
            (ChangeKind::Void, Stage::InStock) => {
                part.uses_from_stock += uses;
                false
            }
            (ChangeKind::Void, Stage::Active(_)) => {
                part.uses_from_active += uses;
                true
            }
            (ChangeKind::Freeze | ChangeKind::Unfreeze | ChangeKind::Expire, _)
            | (_, Stage::Active(_) | Stage::Void(_)) => false,
        };
        if becomes_owed {
            part.face = part.face.checked_add(face).ok_or(wrong)?;
        }
        Ok(())
    }

    fn record(&self, rows: &mut Rows, change: &Change) -> Result<(), Inconsistent> {
        let done = matches!(change.verdict, Verdict::Done(_));
        if done {
            for target in self.targets() {
                let become_it = |span| becomes(span, change, target.term);
                rows.voucher
                    .change(change.tenant, &target.range, become_it)?;
            }
            let counted = self.partner_today(rows);
            let counted = counted.map(|it| Document::Partner(Box::new(it)));
            counted
                .into_iter()
                .for_each(|it| rows.loyalty.put_document(it));
            of_change(change).into_iter().for_each(|it| rows.post(it));
        }
        if done || !self.forget_refusal {
            let document = Document::Change(Box::new(change.clone()));
            rows.loyalty.put_document(document);
        }
        Ok(())
    }
}

impl Part {
    const fn empty(serial: Serial, ticket: VoucherTicketNo) -> Self {
        Self {
            serial,
            ticket,
            uses_from_stock: 0,
            uses_from_active: 0,
            face: Fen::ZERO,
        }
    }
}

impl Conflicts {
    fn add(&mut self, conflict: Conflict) {
        if self.first.len() < CONFLICTS_MAX {
            self.first.push(conflict);
        } else {
            self.more = true;
        }
    }
}

/// The places of two targets that share codes.
fn overlap(targets: &[Target]) -> Option<(u32, u32)> {
    let mut places: Vec<(CodeRange, usize)> = targets
        .iter()
        .enumerate()
        .map(|(place, it)| (it.range, place))
        .collect();
    places.sort_unstable();
    let shares = places.windows(2).find_map(|pair| match pair {
        [(one, place), (other, next)] => one.intersect(other).map(|_| (*place, *next)),
        _ => None,
    });
    let (one, other) = shares?;
    let (first, second) = (one.min(other), one.max(other));
    Some((u32::try_from(first).ok()?, u32::try_from(second).ok()?))
}

/// Why codes of `span` cannot be changed so.
fn obstacle(kind: ChangeKind, span: &Span, now: UnixMs) -> Option<Obstacle> {
    match (kind, &span.stage) {
        (ChangeKind::Freeze | ChangeKind::Unfreeze, _) => None,
        (_, Stage::Void(_)) => Some(Obstacle::Void),
        _ if span.frozen => Some(Obstacle::Frozen),
        (ChangeKind::Activate | ChangeKind::ActivateSegment, Stage::Active(_)) => {
            Some(Obstacle::Active)
        }
        (ChangeKind::Void, Stage::Active(it)) if it.expired || it.term.is_over(now) => {
            Some(Obstacle::Expired)
        }
        (
            ChangeKind::Activate
            | ChangeKind::ActivateSegment
            | ChangeKind::Void
            | ChangeKind::Expire,
            Stage::InStock | Stage::Active(_),
        ) => None,
    }
}

fn becomes(span: Span, change: &Change, term: Term) -> Span {
    let (by, at) = (change.id.clone(), change.at);
    match change.kind {
        ChangeKind::Activate | ChangeKind::ActivateSegment => Span {
            stage: Stage::Active(Activation {
                by,
                at,
                term,
                expired: false,
            }),
            ..span
        },
        ChangeKind::Void => Span {
            stage: Stage::Void(Voiding {
                by,
                at,
                was: span.activation().cloned(),
            }),
            ..span
        },
        ChangeKind::Freeze => Span {
            frozen: true,
            ..span
        },
        ChangeKind::Unfreeze => Span {
            frozen: false,
            ..span
        },
        ChangeKind::Expire => span,
    }
}
