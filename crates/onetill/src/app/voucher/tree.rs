//! Boxes, packages, reels and codes as they stand, read a page at a time: a tree of a million codes
//! takes no more memory than one of a thousand.

use super::names::Found;
use crate::app::{AppError, Gateway};
use domain::{
    time::UnixMs,
    voucher::{
        code::{CodeNo, CodeRange},
        code_use::CodeUse,
        span::{Span, Stage},
        status::{Standing, standing},
        stock::{Carton, Level, Unit},
        ticket::Term,
    },
};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// How many codes are read at once.
const PAGE_CODES: u32 = 500;
/// How many spans or units are read at once.
const PAGE_ROWS: u32 = 200;

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

/// What a walk over a tree meets, from the outside in and in issuing order.
pub enum Node {
    /// A box, a package or a reel begins.
    Begin(Box<Unit>),
    /// A code of the innermost one that began.
    Code(Box<ShownCode>),
    /// The innermost one that began ends.
    End(Level),
}

/// Takes what a walk meets; an error ends the walk.
pub trait Visit: Send {
    /// Takes a node of the tree that `carton` is.
    ///
    /// # Errors
    /// When nobody wants more.
    fn node(
        &mut self,
        carton: &Carton,
        node: Node,
    ) -> impl Future<Output = Result<(), AppError>> + Send;
}

impl Gateway {
    /// Walks over what was found: its box, the packages and reels that hold a part of it, and its
    /// codes. What stands beside it in them is left out.
    ///
    /// # Errors
    /// When the store failed, or `visit` wants no more.
    pub async fn walk(&self, found: &Found, visit: &mut impl Visit) -> Result<(), AppError> {
        let carton = &*found.carton;
        let whole = carton.range();
        let units = self.units_in(whole, Level::Carton, None).await?;
        let Some(unit) = units.into_iter().next() else {
            return Err(missing(carton));
        };
        visit.node(carton, Node::Begin(Box::new(unit))).await?;
        let mut after = None;
        loop {
            let page = self.units_in(found.range, Level::Package, after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.range.first);
            for package in page {
                self.walk_package(found, package, visit).await?;
            }
        }
        visit.node(carton, Node::End(Level::Carton)).await
    }

    async fn walk_package(
        &self,
        found: &Found,
        package: Unit,
        visit: &mut impl Visit,
    ) -> Result<(), AppError> {
        let carton = &*found.carton;
        let Some(range) = package.range.intersect(&found.range) else {
            return Ok(());
        };
        visit.node(carton, Node::Begin(Box::new(package))).await?;
        let mut after = None;
        loop {
            let page = self.units_in(range, Level::Reel, after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.range.first);
            for reel in page {
                self.walk_reel(found, reel, visit).await?;
            }
        }
        visit.node(carton, Node::End(Level::Package)).await
    }

    async fn walk_reel(
        &self,
        found: &Found,
        reel: Unit,
        visit: &mut impl Visit,
    ) -> Result<(), AppError> {
        let carton = &*found.carton;
        let Some(range) = reel.range.intersect(&found.range) else {
            return Ok(());
        };
        visit.node(carton, Node::Begin(Box::new(reel))).await?;
        let mut rest = Some(range);
        while let Some(range) = rest {
            let page = page_of(range);
            for code in self.codes_as_they_stand(carton, page).await? {
                visit.node(carton, Node::Code(Box::new(code))).await?;
            }
            rest = behind(range, page.last);
        }
        visit.node(carton, Node::End(Level::Reel)).await
    }

    async fn units_in(
        &self,
        range: CodeRange,
        level: Level,
        after: Option<u32>,
    ) -> Result<Vec<Unit>, AppError> {
        let units = self.reader.units_in(range, level, after, PAGE_ROWS);
        Ok(units.await?)
    }

    async fn codes_as_they_stand(
        &self,
        carton: &Carton,
        range: CodeRange,
    ) -> Result<Vec<ShownCode>, AppError> {
        let stored = self.reader.stored_codes(range, PAGE_CODES).await?;
        let uses = self.reader.code_uses(range, PAGE_CODES).await?;
        let uses: BTreeMap<CodeNo, CodeUse> = uses.into_iter().map(|it| (it.code, it)).collect();
        let spans = self.spans_of(range).await?;
        let now = self.now();
        let mut codes = Vec::with_capacity(stored.len());
        for stored in stored {
            let code = stored.code;
            let span = spans.iter().find(|it| it.range.contains(code));
            let span = span.ok_or_else(|| missing(carton))?;
            codes.push(ShownCode {
                code,
                text: self.vouchers.codes.open(code, &stored.sealed)?,
                standing: standing(span, uses.get(&code), carton.terms.uses, now),
                term: span.activation().map(|it| it.term).unwrap_or_default(),
            });
        }
        Ok(codes)
    }

    /// The spans that share codes with a range of one page.
    async fn spans_of(&self, range: CodeRange) -> Result<Vec<Span>, AppError> {
        // A page of codes has no more spans than codes.
        let spans = self.reader.spans(range, None, PAGE_CODES);
        Ok(spans.await?)
    }

    /// What the activations of what was found cost in all, and the number of the newest.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn paid_for(&self, found: &Found) -> Result<Paid, AppError> {
        let mut paid = Paid::default();
        let mut seen = std::collections::HashSet::new();
        let mut after = None;
        loop {
            let page = self.reader.spans(found.range, after, PAGE_ROWS).await?;
            let Some(last) = page.last() else {
                return Ok(paid);
            };
            after = Some(last.range.first);
            for span in page {
                let Stage::Active(activation) = &span.stage else {
                    continue;
                };
                if !seen.insert(activation.by.clone()) {
                    continue;
                }
                if let Some(change) = self.change(found.carton.tenant, &activation.by).await? {
                    paid.total_fen = paid.total_fen.saturating_add(change.total.get());
                    if paid.at <= change.at {
                        paid.at = change.at;
                        paid.number = Some(change.serial);
                    }
                }
            }
        }
    }
}

/// What activations cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paid {
    /// In all, in fen.
    pub total_fen: i64,
    /// The gateway's number of the newest.
    pub number: Option<domain::ids::Serial>,
    /// When that was.
    pub at: UnixMs,
}

fn missing(carton: &Carton) -> AppError {
    tracing::error!(carton = %carton.serial, "rows of a box are missing");
    AppError::Unforeseen
}

/// The first page of a range.
fn page_of(range: CodeRange) -> CodeRange {
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
