//! Codes as they stand with the reel, package and box of each, read a page at a time: a tree of a
//! million codes takes no more memory than one of a thousand.

use super::names::Found;
use crate::app::{AppError, Gateway};
use domain::{
    ids::Serial,
    time::UnixMs,
    voucher::{
        change::{Change, ChangeId},
        code::{CodeNo, CodeRange},
        code_use::CodeUse,
        partner::PartnerNo,
        span::Span,
        status::{Standing, standing},
        stock::{Carton, Unit},
        ticket::Term,
    },
};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};
use store::contract::{StoredCode, TreePage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// How many codes are read at once. A reader who stops reading holds some pages of them.
const PAGE_CODES: u32 = 200;
/// How many trees of more than a page one partner may have on their way.
pub const TREES_MAX: usize = 32;
/// How many spans are read at once.
const PAGE_SPANS: u32 = 200;

/// Codes that follow each other, with the units they lie in.
pub struct Page {
    /// Their box.
    pub carton: Arc<Carton>,
    /// The packages they lie in, by their first codes.
    packages: Vec<Unit>,
    /// The reels they lie in, by their first codes.
    reels: Vec<Unit>,
    /// The codes, by index.
    pub codes: Vec<ShownCode>,
}

/// A code as it stands.
pub struct ShownCode {
    /// Which code.
    pub code: CodeNo,
    /// Its text.
    pub text: Zeroizing<String>,
    /// What it is good for now.
    pub standing: Standing,
    /// When it is valid, once it is active.
    pub term: Term,
}

impl Page {
    /// The package and the reel a code lies in.
    ///
    /// # Errors
    /// When the stored units do not cover it.
    pub fn units_of(&self, code: CodeNo) -> Result<(&Unit, &Unit), AppError> {
        let in_which = |units: &'_ [Unit]| {
            let next = units.partition_point(|it| it.range.first <= code.index);
            next.checked_sub(1)
                .filter(|at| units.get(*at).is_some_and(|it| it.range.contains(code)))
        };
        let package = in_which(&self.packages).and_then(|at| self.packages.get(at));
        let reel = in_which(&self.reels).and_then(|at| self.reels.get(at));
        package
            .zip(reel)
            .ok_or_else(|| missing(&self.carton, "units"))
    }
}

/// Reads a tree page by page, in issuing order.
pub struct Pages {
    gateway: Arc<Gateway>,
    /// The first page, if it is there already.
    ready: Option<Page>,
    left: VecDeque<(CodeRange, Arc<Carton>)>,
}

impl Pages {
    /// The codes that what was found holds, each once.
    #[must_use]
    pub fn of(gateway: &Arc<Gateway>, found: &[Found]) -> Self {
        let mut ranges: Vec<_> = found
            .iter()
            .map(|it| (it.range, Arc::clone(&it.carton)))
            .collect();
        ranges.sort_by_key(|(range, _)| *range);
        let mut left: VecDeque<(CodeRange, Arc<Carton>)> = VecDeque::new();
        for (range, carton) in ranges {
            match left.back_mut() {
                Some((last, _)) if last.intersect(&range).is_some() => {
                    last.last = last.last.max(range.last);
                }
                Some(_) | None => left.push_back((range, carton)),
            }
        }
        Self {
            gateway: Arc::clone(gateway),
            ready: None,
            left,
        }
    }

    /// A page that was read, and no more.
    #[must_use]
    pub fn one(gateway: &Arc<Gateway>, page: Page) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            ready: Some(page),
            left: VecDeque::new(),
        }
    }

    /// Whether there is no page any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ready.is_none() && self.left.is_empty()
    }

    /// The next page; `None` behind the last.
    ///
    /// # Errors
    /// When the store failed, or rows of a box are missing.
    pub async fn next(&mut self) -> Result<Option<Page>, AppError> {
        if let Some(page) = self.ready.take() {
            return Ok(Some(page));
        }
        let Some((range, carton)) = self.left.pop_front() else {
            return Ok(None);
        };
        let page = first_page(range);
        if let Some(rest) = behind(range, page.last) {
            self.left.push_front((rest, Arc::clone(&carton)));
        }
        let gateway = &self.gateway;
        let stored = gateway.reader.tree_page(page, PAGE_CODES).await?;
        gateway.page_as_it_stands(carton, stored).map(Some)
    }
}

/// The trees of more than a page that are on their way. Each looks at the store for page after page,
/// and holds some while its reader takes its time.
#[derive(Default)]
pub struct Trees {
    of_partner: Mutex<HashMap<PartnerNo, Arc<Semaphore>>>,
}

impl Trees {
    /// Begins another tree for a partner, which ends when what is returned is dropped; `None` where
    /// the partner has as many as it may have.
    #[must_use]
    pub fn begin(&self, partner: PartnerNo) -> Option<OwnedSemaphorePermit> {
        let mut of_partner = self
            .of_partner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let free = of_partner.entry(partner);
        let free = free.or_insert_with(|| Arc::new(Semaphore::new(TREES_MAX)));
        Arc::clone(free).try_acquire_owned().ok()
    }
}

/// What activations cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paid {
    /// In all, in fen.
    pub total_fen: i64,
    /// The gateway's number of the newest, and when that was.
    pub newest: Option<(UnixMs, Serial)>,
}

impl Paid {
    /// Adds what a change cost.
    pub(super) fn add(&mut self, change: &Change) {
        self.total_fen = self.total_fen.saturating_add(change.total.get());
        self.newest = self.newest.max(Some((change.at, change.serial)));
    }
}

impl Gateway {
    /// A page that was read, its codes opened.
    pub(super) fn page_as_it_stands(
        &self,
        carton: Arc<Carton>,
        stored: TreePage,
    ) -> Result<Page, AppError> {
        let (codes, uses) = (stored.codes, stored.uses);
        Ok(Page {
            codes: self.codes_as_they_stand(&carton, codes, &stored.spans, uses)?,
            packages: stored.packages,
            reels: stored.reels,
            carton,
        })
    }

    fn codes_as_they_stand(
        &self,
        carton: &Carton,
        stored: Vec<StoredCode>,
        spans: &[Span],
        uses: Vec<CodeUse>,
    ) -> Result<Vec<ShownCode>, AppError> {
        let uses: BTreeMap<CodeNo, CodeUse> = uses.into_iter().map(|it| (it.code, it)).collect();
        let now = self.now();
        let shown = stored.into_iter().map(|stored| {
            let code = stored.code;
            let span = span_of(spans, code).ok_or_else(|| missing(carton, "spans"))?;
            Ok(ShownCode {
                code,
                text: self.vouchers.codes.open(code, &stored.sealed)?,
                standing: standing(span, uses.get(&code), carton.terms.uses, now),
                term: span.activation().map(|it| it.term).unwrap_or_default(),
            })
        });
        shown.collect()
    }

    /// What the activations of what was found cost in all.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn paid_for(&self, found: &[Found]) -> Result<Paid, AppError> {
        let mut paid = Paid::default();
        let mut seen = HashSet::new();
        for found in found {
            let mut after = None;
            loop {
                let page = self.reader.spans(found.range, after, PAGE_SPANS).await?;
                for span in &page {
                    self.note_paid(span, &mut seen, &mut paid).await?;
                }
                match page.last() {
                    Some(last) if last.range.last < found.range.last => {
                        after = Some(last.range.first);
                    }
                    Some(_) | None => break,
                }
            }
        }
        Ok(paid)
    }

    async fn note_paid(
        &self,
        span: &Span,
        seen: &mut HashSet<ChangeId>,
        paid: &mut Paid,
    ) -> Result<(), AppError> {
        let by = span.active_by().filter(|it| seen.insert((*it).clone()));
        if let Some(by) = by
            && let Some(change) = self.change(span.tenant, by).await?
        {
            paid.add(&change);
        }
        Ok(())
    }
}

fn span_of(spans: &[Span], code: CodeNo) -> Option<&Span> {
    let next = spans.partition_point(|it| it.range.first <= code.index);
    let span = spans.get(next.checked_sub(1)?)?;
    span.range.contains(code).then_some(span)
}

fn missing(carton: &Carton, rows: &str) -> AppError {
    tracing::error!(carton = %carton.serial, rows, "rows of a box are missing");
    AppError::Unforeseen
}

/// The first page of a range.
fn first_page(range: CodeRange) -> CodeRange {
    let last = range.first.saturating_add(PAGE_CODES - 1);
    CodeRange {
        last: last.min(range.last),
        ..range
    }
}

/// What is left of a range behind a page.
fn behind(range: CodeRange, last: u32) -> Option<CodeRange> {
    let first = last.checked_add(1).filter(|it| *it <= range.last)?;
    Some(CodeRange { first, ..range })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_has_so_many_trees_and_others_have_theirs() {
        let trees = Trees::default();
        let begin = |number| trees.begin(PartnerNo(number));
        let mut running: Vec<_> = (0..TREES_MAX).map(|_| begin(1504)).collect();
        assert!(running.iter().all(Option::is_some));
        assert!(begin(1504).is_none());
        assert!(begin(1505).is_some());
        drop(running.pop());
        assert!(begin(1504).is_some());
    }
}
