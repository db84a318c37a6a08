//! What every store offers of voucher codes: what rests of a code, and looking at it.

use super::{BoxFuture, StoreError};
use domain::{
    ids::{Serial, TenantId},
    time::UnixMs,
    voucher::{
        change::Change,
        code::{CodeDigest, CodeNo, CodeRange},
        code_use::{CodeEvent, CodeUse, EventLink},
        span::Span,
        stock::{Carton, Level, Unit},
    },
};

/// A code as it rests: its text sealed under the gateway's master key.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredCode {
    /// Which code.
    pub code: CodeNo,
    /// Its text, sealed.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for StoredCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredCode({:?})", self.code)
    }
}

/// Where a digest leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundCode {
    /// The digest.
    pub digest: CodeDigest,
    /// Whose code it is.
    pub tenant: TenantId,
    /// Which code.
    pub code: CodeNo,
}

/// What a printed name leads to: a code by its digest, and a unit.
pub type Named = (Option<FoundCode>, Option<Unit>);

/// Codes of a box that follow each other, with all that a tree shows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreePage {
    /// The packages they lie in, by their first codes.
    pub packages: Vec<Unit>,
    /// The reels they lie in, by their first codes.
    pub reels: Vec<Unit>,
    /// The codes, by index.
    pub codes: Vec<StoredCode>,
    /// What tills did with them, by index.
    pub uses: Vec<CodeUse>,
    /// The spans they lie in, by their first codes.
    pub spans: Vec<Span>,
}

/// What one name leads to, with all that is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The code it is the text of.
    pub code: Option<FoundCode>,
    /// The unit it is the printed name of.
    pub unit: Option<Unit>,
    /// The box of the code, or else of the unit.
    pub carton: Option<Carton>,
    /// The code alone, as a tree shows it; nothing where there is no code.
    pub page: TreePage,
    /// The change by which the code is active, if it is.
    pub activation: Option<Change>,
}

impl Sight {
    /// Whether all rows are there that others say are there.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        let is_named = self.code.is_some() || self.unit.is_some();
        let is_active = self.page.spans.first().and_then(Span::active_by).is_some();
        self.carton.is_some() == is_named && self.activation.is_some() == is_active
    }
}

/// How far a worker got with spans that are due: the time and first code of the last one.
pub type SpanMark = (UnixMs, CodeNo);

/// What an event of a code is stored under: its subject, the code, and its number there.
pub type CodeEventKey = (Serial, CodeNo, u32);

/// What `event` is stored under.
pub(crate) const fn key_of_event(event: &CodeEvent) -> CodeEventKey {
    (event.subject, event.code, event.number)
}

/// The events of `code` one behind the other, the newest first: from the one at `from` at most `limit`. That
/// which its row keeps is given, the others `find` finds.
///
/// # Errors
/// When one of them is not there. Each has the number below the last, so the walk ends.
pub(crate) fn follow_events(
    code: CodeNo,
    mut kept: Option<CodeEvent>,
    from: Option<EventLink>,
    limit: u32,
    mut find: impl FnMut(EventLink) -> Result<Option<CodeEvent>, StoreError>,
) -> Result<Vec<CodeEvent>, StoreError> {
    let (mut found, mut next) = (Vec::new(), from);
    while let Some(link) = next.filter(|_| found.len() < limit as usize) {
        let event = match kept.take_if(|it| it.link() == link) {
            Some(kept) => kept,
            None => find(link)?.ok_or_else(|| lost(code, link.number))?,
        };
        next = event.earlier();
        if next.is_none() && event.number > 0 {
            return Err(lost(code, event.number - 1));
        }
        found.push(event);
    }
    Ok(found)
}

fn lost(code: CodeNo, number: u32) -> StoreError {
    let CodeNo { carton, index } = code;
    StoreError::Corrupt(format!(
        "event {number} of code {index} of box {carton} is not there"
    ))
}

/// How much of a box is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredCounts {
    /// Codes.
    pub codes: u64,
    /// Digests that lead to them.
    pub digests: u64,
    /// Reels.
    pub reels: u64,
}

/// The part of a [`Reader`](super::Reader) that looks at voucher codes.
pub trait VoucherReader: Send + Sync + 'static {
    /// The unit of a tenant with a printed name.
    fn unit(&self, tenant: TenantId, id: String)
    -> BoxFuture<'_, Result<Option<Unit>, StoreError>>;

    /// The units of a level that share codes with a range, by their first code; those that begin
    /// behind index `after`, at most `limit`.
    fn units_in(
        &self,
        range: CodeRange,
        level: Level,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Unit>, StoreError>>;

    /// Where digests lead, in no order; those that lead nowhere are left out.
    fn codes_by_digest(
        &self,
        digests: Vec<CodeDigest>,
    ) -> BoxFuture<'_, Result<Vec<FoundCode>, StoreError>>;

    /// What names of a tenant lead to, each with the digest that it has if it is a code, in one look
    /// and in their order. Both are always looked for, so that the time taken does not tell what a
    /// name is.
    fn named(
        &self,
        tenant: TenantId,
        names: Vec<(CodeDigest, String)>,
    ) -> BoxFuture<'_, Result<Vec<Named>, StoreError>>;

    /// What a name of a tenant leads to, with the digest that it has if it is a code, and all that
    /// is told of it, in one look.
    fn sight(
        &self,
        tenant: TenantId,
        digest: CodeDigest,
        name: String,
    ) -> BoxFuture<'_, Result<Sight, StoreError>>;

    /// The codes of a range with what a tree shows of them, in one look; of each at most `limit`.
    fn tree_page(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<TreePage, StoreError>>;

    /// The codes of a range by index, at most `limit`.
    fn stored_codes(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredCode>, StoreError>>;

    /// The spans that share codes with a range, by index; those that begin behind index `after`,
    /// at most `limit`.
    fn spans(
        &self,
        range: CodeRange,
        after: Option<u32>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>>;

    /// What tills did with the codes of a range, by index, at most `limit`; codes that none has
    /// touched are left out.
    fn code_uses(
        &self,
        range: CodeRange,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>>;

    /// The events of a code, newest first, from the one at `from` or else from its newest, at most
    /// `limit`. One that is missed on the way is [`StoreError::Corrupt`].
    fn code_events(
        &self,
        code: CodeNo,
        from: Option<EventLink>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>>;

    /// Spans that are due ([`Span::due_at`]), longest due first, those behind `after`, at most
    /// `limit`.
    fn due_spans(
        &self,
        now: UnixMs,
        after: Option<SpanMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>>;
}

/// The part of a [`Snapshot`](super::Snapshot) that holds voucher codes.
pub trait VoucherSnapshot: Send {
    /// Spans of voucher codes by box and index.
    fn spans(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Span>, StoreError>>;

    /// What tills did with codes, by code.
    fn code_uses(
        &mut self,
        after: Option<CodeNo>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeUse>, StoreError>>;

    /// Events of codes by their keys, without those that codes' rows keep.
    fn code_events(
        &mut self,
        after: Option<CodeEventKey>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<CodeEvent>, StoreError>>;

    /// How many codes and how many digests of a box are stored.
    fn stored_counts(&mut self, carton: Serial) -> BoxFuture<'_, Result<StoredCounts, StoreError>>;
}
