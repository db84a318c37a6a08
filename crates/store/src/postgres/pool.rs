//! The readers' connections: a few, shared by all, made when they are first needed. There are two
//! pools of them, see [`Plans`].
//!
//! A connection that does not answer is taken out of use with all others, since they lead to the
//! same server, and new ones are made by one task. So a reader waits for an answer or for a
//! connection, each for a few seconds at most, and never behind another reader.

use super::{
    error::ends_connection,
    link::{KEPT_PLANS, answered_within},
    opening::Opening,
    session::Session,
};
use crate::contract::StoreError;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_postgres::{Config, Error, Row, Statement, types::ToSql};

/// How many connections a pool shares. Requests are pipelined, so one carries many at a time.
pub(super) const CONNECTIONS: usize = 4;
/// The server gives up a statement before its reader does, and the connection stays well.
const SETTINGS: &str = "SET statement_timeout = '5s'";
/// How long a reader waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What the server does about plans on a pool's connections.
#[derive(Clone, Copy)]
pub(super) enum Plans {
    /// It plans each time, for the values at hand.
    Anew,
    /// It plans a statement once on each connection: looking up a few rows by their keys takes less
    /// time than planning that.
    Kept,
}

/// The connections.
pub(super) struct Pool {
    config: Arc<Config>,
    plans: Plans,
    links: Mutex<Vec<Arc<ReadLink>>>,
    turn: AtomicUsize,
    opening: Arc<tokio::sync::Mutex<Opening<ReadLink>>>,
}

/// A connection, and the statements that were prepared on it.
pub(super) struct ReadLink {
    session: Session,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl ReadLink {
    async fn open(config: Arc<Config>, plans: Plans) -> Result<Self, StoreError> {
        let session = Session::connect(&config).await?;
        let settings = match plans {
            Plans::Anew => SETTINGS.to_owned(),
            Plans::Kept => format!("{SETTINGS}; {KEPT_PLANS}"),
        };
        answered_within(ANSWER_TIMEOUT, session.execute(&settings)).await??;
        Ok(Self {
            session,
            prepared: Mutex::default(),
        })
    }

    async fn rows(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let known = lock(&self.prepared).get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.session.client.prepare(sql).await?;
                lock(&self.prepared).insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        self.session.client.query(&statement, params).await
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether nothing more can be asked on the connection that this error came from.
fn breaks_connection(error: &Error) -> bool {
    error.as_db_error().is_none_or(ends_connection)
}

impl Pool {
    pub(super) fn new(config: Arc<Config>, plans: Plans) -> Self {
        Self {
            config,
            plans,
            links: Mutex::default(),
            turn: AtomicUsize::new(0),
            opening: Arc::default(),
        }
    }

    pub(super) const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Asks on the next connection in turn. `None` when it broke on the way: reading may be
    /// repeated, on another one.
    pub(super) async fn ask(
        self: &Arc<Self>,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Option<Result<Vec<Row>, Error>>, StoreError> {
        let link = self.link().await?;
        let Ok(answer) = answered_within(ANSWER_TIMEOUT, link.rows(sql, params)).await else {
            lock(&self.links).clear();
            return Err(StoreError::Down("PostgreSQL does not answer".to_owned()));
        };
        if answer.as_ref().is_err_and(breaks_connection) {
            lock(&self.links).retain(|it| !Arc::ptr_eq(it, &link));
            return Ok(None);
        }
        Ok(Some(answer))
    }

    async fn link(self: &Arc<Self>) -> Result<Arc<ReadLink>, StoreError> {
        match self.live() {
            (Some(link), CONNECTIONS..) => Ok(link),
            (Some(link), _) => {
                self.grow();
                Ok(link)
            }
            (None, _) => self.open().await,
        }
    }

    /// The next connection that is well, and how many there are.
    fn live(&self) -> (Option<Arc<ReadLink>>, usize) {
        let mut links = lock(&self.links);
        links.retain(|link| !link.session.is_closed());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (links.get(turn % links.len().max(1)).cloned(), links.len())
    }

    async fn open(&self) -> Result<Arc<ReadLink>, StoreError> {
        let mut opening = self.opening.lock().await;
        // Somebody else may have waited for the same attempt.
        match self.live() {
            (Some(link), _) => Ok(link),
            (None, _) => self.add(&mut opening).await,
        }
    }

    async fn add(&self, opening: &mut Opening<ReadLink>) -> Result<Arc<ReadLink>, StoreError> {
        let open = || ReadLink::open(Arc::clone(&self.config), self.plans);
        let link = Arc::new(opening.take(open).await?);
        lock(&self.links).push(Arc::clone(&link));
        Ok(link)
    }

    /// Makes one more connection in the background, unless one is being made.
    fn grow(self: &Arc<Self>) {
        let Ok(mut opening) = Arc::clone(&self.opening).try_lock_owned() else {
            return;
        };
        if opening.failed_lately() {
            return;
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = pool.add(&mut opening).await {
                tracing::warn!(%error, "readers have fewer connections than they may");
            }
        });
    }
}
