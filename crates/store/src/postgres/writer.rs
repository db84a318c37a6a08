//! The writer: one connection, one transaction at a time, two round trips each.
//!
//! When the answer to a COMMIT is lost, nobody knows whether the batch was recorded, and running
//! it again could charge twice. So each commit writes its number into the writer's own row, and
//! a new connection reads that row instead of guessing.

use super::{
    Doubts, PostgresStore, admin, changes,
    link::{Fate, Link, Mark, answered},
    load::{self, Open},
    opening::Opening,
    session::Step,
};
use crate::{
    contract::{AdminOp, AdminReply, StoreError, Writer},
    engine::Clock,
};
use domain::{
    ids::TenantId,
    rows::{Changes, Plan, Rows},
};
use std::{sync::Arc, time::Duration};
use tokio_postgres::{Config, Row};

/// How long a lost answer to a COMMIT is looked for. Whoever waits is told then that nobody knows,
/// and reads later what became of it.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait between two attempts at that.
const RESOLVE_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Runs transactions on a PostgreSQL connection of its own, and connects again when it is lost.
pub struct PostgresWriter {
    config: Arc<Config>,
    clock: Clock,
    /// Taken out while in use: a future that is dropped half-way takes the connection, and with
    /// it the open transaction, along.
    link: Option<Link>,
    /// Makes the next one.
    opening: Opening<Link>,
    /// Set between load and commit.
    open: Option<Open>,
    /// A commit of which nobody knows what became of it.
    unknown: Option<Mark>,
    doubts: Doubts,
}

impl PostgresWriter {
    pub(super) async fn connect(store: &PostgresStore) -> Result<Self, StoreError> {
        let link = Link::open(&store.config).await?;
        Ok(Self {
            config: Arc::clone(&store.config),
            clock: Clock::clone(&store.clock),
            link: Some(link),
            opening: Opening::default(),
            open: None,
            unknown: None,
            doubts: store.doubts.clone(),
        })
    }

    /// The connection with no transaction open on it; a new one if the last was lost.
    pub(super) async fn idle_link(&mut self) -> Result<Link, StoreError> {
        let abandoned = self.open.take().is_some();
        let link = match self.link.take() {
            Some(link) if !abandoned && !link.session.is_closed() => Ok(link),
            _ => self.new_link().await,
        }?;
        self.settle_doubt(&link).await?;
        Ok(link)
    }

    /// Finds out at last what became of the commit that was told as unknown. Nothing is written
    /// before: from then on it is there or will never be.
    async fn settle_doubt(&mut self, link: &Link) -> Result<(), StoreError> {
        let Some(mark) = self.unknown else {
            return Ok(());
        };
        let was_recorded = link.was_recorded(mark, &self.clock).await?;
        tracing::warn!(?mark, was_recorded, "what became of a commit is known now");
        self.unknown = None;
        self.doubts.remove();
        Ok(())
    }

    /// An attempt that ended unseen may have left a connection that was lost since.
    async fn new_link(&mut self) -> Result<Link, StoreError> {
        let open = || {
            let config = Arc::clone(&self.config);
            async move { Link::open(&config).await }
        };
        let link = self.opening.take(open).await?;
        if !link.session.is_closed() {
            return Ok(link);
        }
        self.opening.take(open).await
    }

    /// Ends the transaction on `link` with `steps`; returns the rows each answered, or
    /// `None` when the commit stands but its answer was lost. With a
    /// `tenant` whose rows it changed, the commit is marked on that tenant's shard.
    pub(super) async fn conclude(
        &mut self,
        mut link: Link,
        first: Option<&str>,
        mut steps: Vec<Step>,
        tenant: Option<TenantId>,
    ) -> Result<Option<Vec<Vec<Row>>>, StoreError> {
        let wanted = steps.len();
        let mark = tenant.map(|tenant| link.next_mark(tenant));
        steps.extend(mark.map(|mark| link.mark(mark, &self.clock)));
        let fate = link.conclude(first, &steps).await;
        match fate {
            Fate::Committed(mut rows) => {
                rows.truncate(wanted);
                self.link = Some(link);
                Ok(Some(rows))
            }
            Fate::TakenBack(error) => {
                self.link = Some(link).filter(|link| !link.session.is_closed());
                Err(error)
            }
            Fate::Unclear(why) => {
                drop(link);
                self.resolve(mark, &why).await.map(|()| None)
            }
        }
    }

    /// Finds out whether a commit was recorded whose answer was lost.
    async fn resolve(&mut self, mark: Option<Mark>, why: &str) -> Result<(), StoreError> {
        let Some(mark) = mark else {
            return Err(StoreError::Down(why.to_owned()));
        };
        tracing::warn!(
            why,
            ?mark,
            "the answer to a commit was lost; looking for its mark"
        );
        let found = tokio::time::timeout(RESOLVE_TIMEOUT, self.look_up(mark)).await;
        match found {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Down(why.to_owned())),
            Err(_) => {
                self.unknown = Some(mark);
                self.doubts.add();
                Err(StoreError::Unknown(why.to_owned()))
            }
        }
    }

    async fn look_up(&mut self, mark: Mark) -> bool {
        let mut pause = Duration::from_millis(20);
        loop {
            match self.ask(mark).await {
                Ok(recorded) => return recorded,
                Err(error) => tracing::warn!(%error, "the mark cannot be read yet"),
            }
            tokio::time::sleep(pause).await;
            pause = RESOLVE_PAUSE_MAX.min(pause * 2);
        }
    }

    async fn ask(&mut self, mark: Mark) -> Result<bool, StoreError> {
        let link = Link::open(&self.config).await?;
        let recorded = link.was_recorded(mark, &self.clock).await?;
        self.link = Some(link);
        Ok(recorded)
    }
}

impl Writer for PostgresWriter {
    async fn load(&mut self, plan: Plan<'_>) -> Result<Rows, StoreError> {
        let link = self.idle_link().await?;
        let loaded = answered(load::load(&link, &plan)).await;
        match loaded {
            Ok(Ok((rows, open))) => {
                self.link = Some(link);
                self.open = Some(open);
                Ok(rows)
            }
            Ok(Err(error)) => {
                self.link = if link.rollback().await {
                    Some(link)
                } else {
                    None
                };
                Err(error)
            }
            Err(silent) => Err(silent),
        }
    }

    async fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let (Some(link), Some(open)) = (self.link.take(), self.open.take()) else {
            return Err(StoreError::Down("no transaction is open".to_owned()));
        };
        let (steps, tenant) = changes::steps(&link, &changes, &open)?;
        self.conclude(link, None, steps, tenant).await.map(drop)
    }

    async fn abandon(&mut self) {
        self.open = None;
        if let Some(link) = self.link.take()
            && link.rollback().await
        {
            self.link = Some(link);
        }
    }

    async fn admin(&mut self, op: &AdminOp) -> Result<AdminReply, StoreError> {
        admin::run(self, op).await
    }
}
