//! The end of a term: uses that are left are written off.

use crate::{
    command::Command,
    ids::{Serial, TenantId},
    loyalty::document::Document,
    money::Fen,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId, ChangeKind, Part, Remarks, Verdict},
        code::CodeRange,
        postings::{face_of, of_change},
        span::{Activation, Span, Stage},
        ticket::{Terms, VoucherTicketNo},
    },
};

/// Writes off what the codes of a span have left, if its term is over. Uses that open payments
/// hold stay until those are decided. Answers whether there was anything to do.
#[derive(Clone, Debug)]
pub struct ExpireSpan {
    /// Whose.
    pub tenant: TenantId,
    /// The span, as it was found.
    pub range: CodeRange,
    /// The ticket type of its codes.
    pub ticket: VoucherTicketNo,
    /// What they are good for.
    pub terms: Terms,
    /// The gateway's number of it.
    pub serial: Serial,
}

impl Command for ExpireSpan {
    type Reply = bool;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        // What lies beside it may have been written off before.
        plan.voucher.ranges.push(self.range.with_neighbours());
        plan.voucher.sums.push(self.range);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<bool, Inconsistent> {
        let spans = rows.voucher.spans_in(self.tenant, &self.range)?;
        // Cut or changed since it was found: the next pass finds what is there then.
        let is_due = |it: &Span| it.range == self.range && it.due_at().is_some_and(|at| at <= now);
        if !spans.iter().all(is_due) {
            return Ok(false);
        }
        let part = self.part(rows)?;
        let change = self.change(part, now);
        rows.voucher.change(self.tenant, &self.range, expired)?;
        of_change(&change).into_iter().for_each(|it| rows.post(it));
        rows.loyalty
            .put_document(Document::Change(Box::new(change)));
        Ok(true)
    }
}

impl ExpireSpan {
    fn part(&self, rows: &Rows) -> Result<Part, Inconsistent> {
        let wrong = Inconsistent(self.serial);
        let sum = rows.voucher.sum_in(&self.range)?;
        let issued = self.range.len() * i64::from(self.terms.uses);
        let left = issued - sum.used - sum.reserved;
        Ok(Part {
            serial: self.serial,
            ticket: self.ticket,
            uses_from_stock: 0,
            uses_from_active: left,
            face: face_of(&self.terms, left).ok_or(wrong)?,
        })
    }

    fn change(&self, part: Part, now: UnixMs) -> Change {
        Change {
            tenant: self.tenant,
            id: ChangeId::of_house(ChangeKind::Expire, self.serial),
            kind: ChangeKind::Expire,
            serial: self.serial,
            partner: None,
            operator: None,
            number: self.serial.to_string(),
            content: 0,
            at: now,
            total: Fen::ZERO,
            remarks: Remarks::default(),
            ranges: vec![self.range],
            verdict: Verdict::Done(vec![part]),
        }
    }
}

fn expired(span: Span) -> Span {
    match span.stage {
        Stage::Active(activation) => Span {
            stage: Stage::Active(Activation {
                expired: true,
                ..activation
            }),
            ..span
        },
        Stage::InStock | Stage::Void(_) => span,
    }
}
