//! A consistent view of all rows, in one long transaction on a connection of its own.

use super::{
    columns::{Stored, get, read_all},
    error::classify,
    link::answered,
    loyalty,
    pool::Params,
    queries::tenants_in,
    session::Session,
};
use crate::{
    contract::{BoxFuture, DocumentMark, Snapshot, StoreError},
    flat::listing,
};
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
};
use std::collections::VecDeque;
use tokio_postgres::Config;

/// The view is taken by the first statement, not by BEGIN. Whoever reads pages may think longer
/// between two of them than a payment may.
const OPEN: &str = "SET idle_in_transaction_session_timeout = '10min';
SET statement_timeout = '5min';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT 1";
/// The smallest number of rows fetched at a time from one tenant.
const CHUNK_MIN: u32 = 16;

/// All rows as they were when it was opened.
pub(super) struct PostgresSnapshot {
    session: Session,
    payments: Merge<Payment>,
    refunds: Merge<Refund>,
    recharges: Merge<Recharge>,
    trans: Merge<Trans>,
    postings: Merge<Posting>,
    jobs: Merge<Job>,
    notifications: Merge<Notification>,
}

/// Reads a table by ascending number over all tenants. Its key starts with the tenant, so each
/// tenant's rows are a lane in the right order, and the lanes are merged: a page costs what it
/// holds, however many rows or tenants there are.
struct Merge<T> {
    lanes: Option<Vec<Lane<T>>>,
    /// The last number given out: a page that starts elsewhere starts anew.
    last: Option<i64>,
}

/// The rows of one tenant that were fetched and not yet given out.
struct Lane<T> {
    tenant: i64,
    rows: VecDeque<(i64, T)>,
    /// The last number fetched.
    fetched: i64,
    exhausted: bool,
}

impl<T> Default for Merge<T> {
    fn default() -> Self {
        Self {
            lanes: None,
            last: None,
        }
    }
}

impl PostgresSnapshot {
    pub(super) async fn open(config: &Config) -> Result<Self, StoreError> {
        let session = Session::connect(config).await?;
        answered(session.execute(OPEN)).await??;
        Ok(Self {
            session,
            payments: Merge::default(),
            refunds: Merge::default(),
            recharges: Merge::default(),
            trans: Merge::default(),
            postings: Merge::default(),
            jobs: Merge::default(),
            notifications: Merge::default(),
        })
    }
}

impl<T: Stored> Merge<T> {
    async fn page(
        &mut self,
        session: &Session,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<T>, StoreError> {
        if self.lanes.is_none() || self.last != after {
            self.lanes = Some(lanes(session, after.unwrap_or(i64::MIN)).await?);
            self.last = after;
        }
        let lanes = self.lanes.get_or_insert_default();
        let share = limit / u32::try_from(lanes.len()).unwrap_or(u32::MAX).max(1);
        let chunk = share.max(CHUNK_MIN);
        let mut page = Vec::new();
        while page.len() < limit as usize {
            let Some((number, row)) = next(session, lanes, chunk).await? else {
                break;
            };
            self.last = Some(number);
            page.push(row);
        }
        Ok(page)
    }
}

/// A lane for each tenant that has rows, starting after a number.
async fn lanes<T: Stored>(session: &Session, after: i64) -> Result<Vec<Lane<T>>, StoreError> {
    let sql = format!("{} SELECT held FROM holders", tenants_in(T::TABLE));
    let rows = session.client.query(&sql, &[]).await;
    let lane = |row| {
        Ok(Lane {
            tenant: get(row, 0)?,
            rows: VecDeque::new(),
            fetched: after,
            exhausted: false,
        })
    };
    rows.map_err(|e| classify(&e))?.iter().map(lane).collect()
}

/// The row with the lowest number of all lanes.
async fn next<T: Stored>(
    session: &Session,
    lanes: &mut [Lane<T>],
    chunk: u32,
) -> Result<Option<(i64, T)>, StoreError> {
    for lane in lanes.iter_mut() {
        if lane.rows.is_empty() && !lane.exhausted {
            lane.fetch(session, chunk).await?;
        }
    }
    let front = |lane: &&mut Lane<T>| lane.rows.front().map_or(i64::MAX, |(number, _)| *number);
    let lane = lanes.iter_mut().min_by_key(front);
    Ok(lane.and_then(|lane| lane.rows.pop_front()))
}

impl<T: Stored> Lane<T> {
    async fn fetch(&mut self, session: &Session, chunk: u32) -> Result<(), StoreError> {
        let (columns, table, key) = (T::COLUMNS, T::TABLE, T::KEY);
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE tenant = $1 AND {key} > $2 ORDER BY {key} LIMIT $3"
        );
        let client = &session.client;
        let rows = client
            .query(&sql, &[&self.tenant, &self.fetched, &i64::from(chunk)])
            .await;
        let rows = rows.map_err(|error| classify(&error))?;
        self.exhausted = rows.len() < chunk as usize;
        for (row, read) in rows.iter().zip(read_all(&rows)?) {
            self.fetched = get(row, 1)?;
            self.rows.push_back((self.fetched, read));
        }
        Ok(())
    }
}

impl Snapshot for PostgresSnapshot {
    fn payments(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Payment>, StoreError>> {
        let after = after.map(|it| it.0);
        Box::pin(self.payments.page(&self.session, after, limit))
    }

    fn refunds(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Refund>, StoreError>> {
        let after = after.map(|it| it.0);
        Box::pin(self.refunds.page(&self.session, after, limit))
    }

    fn recharges(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Recharge>, StoreError>> {
        let after = after.map(|it| it.0);
        Box::pin(self.recharges.page(&self.session, after, limit))
    }

    fn trans(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Trans>, StoreError>> {
        let after = after.map(|it| it.0);
        Box::pin(self.trans.page(&self.session, after, limit))
    }

    fn documents(
        &mut self,
        kind: DocumentKind,
        after: Option<DocumentMark>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Document>, StoreError>> {
        Box::pin(async move {
            let (from, key, last) = listing(None, after);
            let sql = loyalty::listing_sql(kind);
            let limit = i64::from(limit);
            let params: Params<'_> = &[&from, &key, &last, &limit];
            let rows = self.session.client.query(&sql, params).await;
            let rows = rows.map_err(|error| classify(&error))?;
            rows.iter()
                .map(|row| loyalty::read_document(kind, row))
                .collect()
        })
    }

    fn postings(
        &mut self,
        after: Option<i64>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Posting>, StoreError>> {
        Box::pin(self.postings.page(&self.session, after, limit))
    }

    fn jobs(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Job>, StoreError>> {
        let after = after.map(|it| it.0);
        Box::pin(self.jobs.page(&self.session, after, limit))
    }

    fn notifications(
        &mut self,
        after: Option<Serial>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Notification>, StoreError>> {
        let after = after.map(|it| it.0);
        Box::pin(self.notifications.page(&self.session, after, limit))
    }
}
