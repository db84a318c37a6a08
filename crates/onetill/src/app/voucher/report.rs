//! How many codes stand how: counted from spans and from the codes that tills touched, so that a
//! box of a million codes is counted in a moment.

use crate::app::{AppError, Gateway};
use domain::voucher::{
    code::CodeRange,
    code_use::CodeUse,
    span::Span,
    status::{CodeStatus, Standing, standing},
    stock::Carton,
};
use serde::Serialize;

/// How many spans, and rows of codes, are read at once.
const PAGE_ROWS: u32 = 500;

/// Codes by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Issued, not sold.
    pub in_stock: i64,
    /// May be used.
    pub active: i64,
    /// All uses are gone.
    pub used_up: i64,
    /// Never to be used again.
    pub void: i64,
    /// Their term is over, or has not begun.
    pub expired: i64,
    /// All uses that are left are held by open payments.
    pub reserved: i64,
    /// Frozen.
    pub frozen: i64,
    /// Uses that are left in all, without those that are held.
    pub uses_left: i64,
}

impl Counts {
    fn add(&mut self, standing: Standing, codes: i64) {
        let count = match standing.status {
            CodeStatus::InStock => &mut self.in_stock,
            CodeStatus::Active => &mut self.active,
            CodeStatus::UsedUp => &mut self.used_up,
            CodeStatus::Void => &mut self.void,
            CodeStatus::Expired => &mut self.expired,
            CodeStatus::Reserved => &mut self.reserved,
            CodeStatus::Frozen => &mut self.frozen,
        };
        *count += codes;
        self.uses_left += codes * i64::from(standing.uses_left);
    }
}

/// Ranges one behind the other, each with its counts.
struct Bins<'a> {
    ranges: &'a [CodeRange],
    counts: Vec<Counts>,
    uses: u32,
    now: domain::time::UnixMs,
}

impl Bins<'_> {
    /// Counts all codes of a span as if no till had touched them.
    fn add_span(&mut self, span: &Span) {
        let standing = standing(span, None, self.uses, self.now);
        let first = self.ranges.partition_point(|it| it.last < span.range.first);
        let bins = self.ranges.iter().zip(&mut self.counts).skip(first);
        for (range, counts) in bins {
            match range.intersect(&span.range) {
                Some(shared) => counts.add(standing, shared.len()),
                None => return,
            }
        }
    }

    /// Counts a code of a span that a till touched where it really stands.
    fn correct(&mut self, span: &Span, code_use: &CodeUse) {
        let at = self
            .ranges
            .partition_point(|it| it.last < code_use.code.index);
        let holds = self
            .ranges
            .get(at)
            .is_some_and(|it| it.contains(code_use.code));
        let counts = self.counts.get_mut(at).filter(|_| holds);
        if let Some(counts) = counts {
            counts.add(standing(span, None, self.uses, self.now), -1);
            counts.add(standing(span, Some(code_use), self.uses, self.now), 1);
        }
    }
}

impl Gateway {
    /// How the codes of each of `ranges` stand, which lie in one box, one behind the other.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn count_codes(
        &self,
        carton: &Carton,
        ranges: &[CodeRange],
    ) -> Result<Vec<Counts>, AppError> {
        let mut bins = Bins {
            ranges,
            counts: vec![Counts::default(); ranges.len()],
            uses: carton.terms.uses,
            now: self.now(),
        };
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return Ok(bins.counts);
        };
        let all = CodeRange {
            last: last.last,
            ..*first
        };
        let mut after = None;
        loop {
            let spans = self.reader.spans(all, after, PAGE_ROWS).await?;
            let Some(last) = spans.last() else {
                return Ok(bins.counts);
            };
            after = Some(last.range.first);
            spans.iter().for_each(|it| bins.add_span(it));
            self.correct_codes(&spans, &all, &mut bins).await?;
        }
    }

    /// Corrects the counts of the codes of these spans that tills touched.
    async fn correct_codes(
        &self,
        spans: &[Span],
        all: &CodeRange,
        bins: &mut Bins<'_>,
    ) -> Result<(), AppError> {
        let covered = spans.first().zip(spans.last()).and_then(|(first, last)| {
            let covered = CodeRange {
                last: last.range.last,
                ..first.range
            };
            covered.intersect(all)
        });
        let mut left = covered;
        while let Some(range) = left {
            let uses = self.reader.code_uses(range, PAGE_ROWS).await?;
            for code_use in &uses {
                let index = code_use.code.index;
                let at = spans.partition_point(|it| it.range.last < index);
                if let Some(span) = spans.get(at) {
                    bins.correct(span, code_use);
                }
            }
            left = uses.last().and_then(|last| {
                let first = last.code.index.checked_add(1)?;
                (first <= range.last).then_some(CodeRange { first, ..range })
            });
        }
        Ok(())
    }
}
