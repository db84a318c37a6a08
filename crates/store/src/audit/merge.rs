//! One pass over eight tables at once: every row that carries the same number, number by number.

use super::{Judge, codes};
use crate::contract::{BoxFuture, CodeEventKey, Snapshot, StoreError, key_of_event};
use domain::{
    ids::Serial,
    job::Job,
    ledger::Posting,
    loyalty::{
        document::{Document, DocumentKind},
        trans::Trans,
    },
    notification::Notification,
    payment::Payment,
    recharge::Recharge,
    refund::Refund,
    voucher::{
        code::CodeNo,
        code_use::{CodeEvent, CodeUse},
        span::Span,
    },
};
use std::collections::VecDeque;

/// How many rows are asked for at once.
const PAGE_LEN: u32 = 1_000;

/// All rows that carry one number.
#[derive(Debug)]
pub(crate) struct Subject {
    pub serial: Serial,
    pub payment: Option<Payment>,
    pub refund: Option<Refund>,
    pub recharge: Option<Recharge>,
    pub trans: Option<Trans>,
    pub job: Option<Job>,
    pub notification: Option<Notification>,
    /// In the order of their movements, each at most once.
    pub postings: Vec<Posting>,
    /// What it did to voucher codes, by code and number.
    pub code_events: Vec<CodeEvent>,
}

/// A table that is read in pages.
pub(super) trait Row: Sized + Send {
    /// What its pages are ordered by.
    type Key: Copy + Send;
    /// What rows of several tables have in common.
    type Place: Copy + Ord + Send;
    fn key(&self) -> Self::Key;
    fn place(&self) -> Self::Place;
    fn page(
        snapshot: &mut dyn Snapshot,
        after: Option<Self::Key>,
    ) -> BoxFuture<'_, Result<Vec<Self>, StoreError>>;
}

macro_rules! row {
    ($row:ty, $place:ty, $key:ty, $page:ident, $key_of:expr, $place_of:expr) => {
        impl Row for $row {
            type Key = $key;
            type Place = $place;
            fn key(&self) -> $key {
                let of: fn(&$row) -> $key = $key_of;
                of(self)
            }
            fn place(&self) -> $place {
                let of: fn(&$row) -> $place = $place_of;
                of(self)
            }
            fn page(
                snapshot: &mut dyn Snapshot,
                after: Option<$key>,
            ) -> BoxFuture<'_, Result<Vec<Self>, StoreError>> {
                snapshot.$page(after, PAGE_LEN)
            }
        }
    };
}

row!(Payment, Serial, Serial, payments, |it| it.serial, |it| it
    .serial);
row!(Refund, Serial, Serial, refunds, |it| it.serial, |it| it
    .serial);
row!(Recharge, Serial, Serial, recharges, |it| it.serial, |it| it
    .serial);
row!(Trans, Serial, Serial, trans, |it| it.serial, |it| it.serial);
row!(Posting, Serial, i64, postings, Posting::number, |it| it
    .subject);
row!(Job, Serial, Serial, jobs, |it| it.subject, |it| it.subject);
row!(
    Notification,
    Serial,
    Serial,
    notifications,
    |it| it.subject,
    |it| it.subject
);
row!(Span, CodeNo, CodeNo, spans, first_of, first_of);
row!(CodeUse, CodeNo, CodeNo, code_uses, |it| it.code, |it| it
    .code);
row!(
    CodeEvent,
    Serial,
    CodeEventKey,
    code_events,
    key_of_event,
    |it| it.subject
);

fn first_of(span: &Span) -> CodeNo {
    CodeNo {
        carton: span.range.carton,
        index: span.range.first,
    }
}

/// Where all rows come from.
pub(super) struct Source<'a> {
    snapshot: &'a mut dyn Snapshot,
    progress: &'a mut (dyn FnMut(u64) + Send),
    rows_read: u64,
}

impl Source<'_> {
    async fn page<T: Row>(&mut self, after: Option<T::Key>) -> Result<VecDeque<T>, StoreError> {
        let page = T::page(self.snapshot, after).await?;
        self.has_read(page.len());
        Ok(page.into())
    }

    fn has_read(&mut self, rows: usize) {
        self.rows_read += rows as u64;
        (self.progress)(self.rows_read);
    }
}

/// The unread rest of one table.
pub(super) struct Cursor<T: Row> {
    page: VecDeque<T>,
    last: Option<T::Key>,
    ended: bool,
}

impl<T: Row> Cursor<T> {
    pub(super) const fn new() -> Self {
        Self {
            page: VecDeque::new(),
            last: None,
            ended: false,
        }
    }

    /// The place of the next row, which is not taken.
    pub(super) async fn peek(
        &mut self,
        source: &mut Source<'_>,
    ) -> Result<Option<T::Place>, StoreError> {
        if self.page.is_empty() && !self.ended {
            self.page = source.page(self.last).await?;
            self.ended = self.page.is_empty();
            self.last = self.page.back().map(Row::key).or(self.last);
        }
        Ok(self.page.front().map(Row::place))
    }

    /// Takes the next row if it is at this place.
    pub(super) async fn take(
        &mut self,
        source: &mut Source<'_>,
        place: T::Place,
    ) -> Result<Option<T>, StoreError> {
        let is_next = self.peek(source).await? == Some(place);
        Ok(self.page.pop_front_if(|_| is_next))
    }
}

/// All tables, read side by side.
pub(super) struct Merge<'a> {
    source: Source<'a>,
    payments: Cursor<Payment>,
    refunds: Cursor<Refund>,
    recharges: Cursor<Recharge>,
    trans: Cursor<Trans>,
    jobs: Cursor<Job>,
    notifications: Cursor<Notification>,
    postings: Cursor<Posting>,
    code_events: Cursor<CodeEvent>,
}

impl<'a> Merge<'a> {
    pub fn new(snapshot: &'a mut dyn Snapshot, progress: &'a mut (dyn FnMut(u64) + Send)) -> Self {
        let source = Source {
            snapshot,
            progress,
            rows_read: 0,
        };
        Self {
            source,
            payments: Cursor::new(),
            refunds: Cursor::new(),
            recharges: Cursor::new(),
            trans: Cursor::new(),
            jobs: Cursor::new(),
            notifications: Cursor::new(),
            postings: Cursor::new(),
            code_events: Cursor::new(),
        }
    }

    /// Shows each refund to `look`, without moving the merge.
    pub async fn each_refund(
        &mut self,
        mut look: impl FnMut(&Refund) + Send,
    ) -> Result<(), StoreError> {
        let mut last = None;
        loop {
            let page: VecDeque<Refund> = self.source.page(last).await?;
            let Some(end) = page.back() else {
                return Ok(());
            };
            last = Some(end.serial);
            page.iter().for_each(&mut look);
        }
    }

    /// Shows each document of a kind to `look`, without moving the merge.
    pub async fn each_document(
        &mut self,
        kind: DocumentKind,
        mut look: impl FnMut(&Document) + Send,
    ) -> Result<(), StoreError> {
        let mut last = None;
        loop {
            let page = self.source.snapshot.documents(kind, last, PAGE_LEN).await?;
            let Some(end) = page.last() else {
                return Ok(());
            };
            let end = end.key();
            last = Some((end.tenant, end.key));
            self.source.has_read(page.len());
            page.iter().for_each(&mut look);
        }
    }

    /// Shows all spans and codes to `judge`, and how much is stored of `cartons`.
    pub async fn each_code(
        &mut self,
        cartons: &[Serial],
        judge: &mut impl Judge,
    ) -> Result<(), StoreError> {
        codes::pass(&mut self.source, judge).await?;
        for carton in cartons {
            let counts = self.source.snapshot.stored_counts(*carton).await?;
            judge.stored(*carton, counts);
        }
        Ok(())
    }

    /// The rows of the next number.
    pub async fn next(&mut self) -> Result<Option<Subject>, StoreError> {
        let Some(serial) = self.lowest().await? else {
            return Ok(None);
        };
        let source = &mut self.source;
        let mut subject = Subject {
            serial,
            payment: self.payments.take(source, serial).await?,
            refund: self.refunds.take(source, serial).await?,
            recharge: self.recharges.take(source, serial).await?,
            trans: self.trans.take(source, serial).await?,
            job: self.jobs.take(source, serial).await?,
            notification: self.notifications.take(source, serial).await?,
            postings: Vec::new(),
            code_events: Vec::new(),
        };
        while let Some(posting) = self.postings.take(source, serial).await? {
            subject.postings.push(posting);
        }
        while let Some(event) = self.code_events.take(source, serial).await? {
            subject.code_events.push(event);
        }
        Ok(Some(subject))
    }

    async fn lowest(&mut self) -> Result<Option<Serial>, StoreError> {
        let source = &mut self.source;
        let heads = [
            self.payments.peek(source).await?,
            self.refunds.peek(source).await?,
            self.recharges.peek(source).await?,
            self.trans.peek(source).await?,
            self.jobs.peek(source).await?,
            self.notifications.peek(source).await?,
            self.postings.peek(source).await?,
            self.code_events.peek(source).await?,
        ];
        Ok(heads.into_iter().flatten().min())
    }
}
