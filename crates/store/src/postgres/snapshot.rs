//! A consistent view of all rows, in one long transaction on a connection of its own.

use super::{
    columns::{Stored, get, read_all},
    error::classify,
    link::answered,
    loyalty,
    pool::Params,
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
use tokio_postgres::Config;

/// The view is taken by the first statement, not by BEGIN. Whoever reads pages may think longer
/// between two of them than a payment may.
const OPEN: &str = "SET idle_in_transaction_session_timeout = '10min';
SET statement_timeout = '5min';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT 1";

/// All rows as they were when it was opened.
pub(super) struct PostgresSnapshot {
    pub(super) session: Session,
    payments: Place,
    refunds: Place,
    recharges: Place,
    trans: Place,
    postings: Place,
    jobs: Place,
    notifications: Place,
}

/// Where the reading of a table stands: number and tenant of the last row given out. Tenants hold
/// the same number only where something is wrong, and that is what an audit is after.
#[derive(Default)]
struct Place(Option<(i64, i64)>);

impl PostgresSnapshot {
    pub(super) async fn open(config: &Config) -> Result<Self, StoreError> {
        let session = Session::connect(config).await?;
        answered(session.execute(OPEN)).await??;
        Ok(Self {
            session,
            payments: Place::default(),
            refunds: Place::default(),
            recharges: Place::default(),
            trans: Place::default(),
            postings: Place::default(),
            jobs: Place::default(),
            notifications: Place::default(),
        })
    }
}

impl Place {
    /// The rows that follow the one given out last, or those above `after` if that was another.
    async fn page<T: Stored>(
        &mut self,
        session: &Session,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<T>, StoreError> {
        let (columns, table, key) = (T::COLUMNS, T::TABLE, T::KEY);
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE ({key}, tenant) > ($1, $2) \
            ORDER BY {key}, tenant LIMIT $3"
        );
        let last = self.0.filter(|(number, _)| Some(*number) == after);
        let (number, tenant) = last.unwrap_or((after.unwrap_or(i64::MIN), i64::MAX));
        let params: Params<'_> = &[&number, &tenant, &i64::from(limit)];
        let rows = session.client.query(&sql, params).await;
        let rows = rows.map_err(|error| classify(&error))?;
        if let Some(row) = rows.last() {
            self.0 = Some((get(row, 1)?, get(row, 0)?));
        }
        read_all(&rows)
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
