//! A writer's connection, and how a transaction on it is brought to an end that is known.

use super::{
    error::{classify, describe, leaves_commit_unknown},
    loyalty,
    session::{Param, Pipelined, Session, Step, pipeline},
    statements::Statements,
    voucher,
};
use crate::{contract::StoreError, engine::Clock};
use domain::ids::TenantId;
use std::{
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};
use tokio_postgres::{Config, Row};

/// Opens a transaction that may write: see the session's settings.
pub(super) const BEGIN: &str = "BEGIN READ WRITE";
/// How long the server may take to answer one round trip. Above its own `statement_timeout`.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// For statements that are planned once for many runs, for any values: planning took a fifth of the
/// server's time. Each finds its rows by keys, in one way whatever is asked for. Only a table that is
/// empty, or was when the server last looked, would be read whole, and the plan for that be kept: a
/// table of jobs that come and go is such a table again after each vacuum.
pub(super) const KEPT_PLANS: &str =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";
/// A plan that was right for an empty table may be wrong for a full one. The server plans anew by
/// itself when it has looked at a table's size again, about once a minute: a filling table does not wait.
pub(super) const PLAN_ANEW: &str = "BEGIN READ WRITE; DISCARD PLANS";
/// How many batches are run by the same plans.
const BATCHES_A_PLAN: i64 = 128;

/// What the server answers, if it does so in time.
pub(super) async fn answered<T>(work: impl Future<Output = T>) -> Result<T, StoreError> {
    answered_within(ANSWER_TIMEOUT, work).await
}

/// As [`answered`], in another time.
pub(super) async fn answered_within<T>(
    timeout: Duration,
    work: impl Future<Output = T>,
) -> Result<T, StoreError> {
    // On the heap: what is nested in each other here outgrows a thread's stack.
    let answer = tokio::time::timeout(timeout, Box::pin(work)).await;
    answer.map_err(|_| StoreError::Down("PostgreSQL does not answer".to_owned()))
}

/// A writer's connection with its prepared statements.
pub(super) struct Link {
    pub(super) session: Session,
    pub(super) statements: Statements,
    pub(super) loyalty: loyalty::Statements,
    pub(super) voucher: voucher::Statements,
    /// Random, made anew with each connection: the row that marks its commits.
    writer: i64,
    /// The number of the last batch it tried to commit.
    batch: i64,
}

/// A commit as it is marked in the store, to be looked up there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    tenant: i64,
    writer: i64,
    batch: i64,
}

/// How a transaction ended.
pub(super) enum Fate {
    /// On disk; with the rows each step answered.
    Committed(Vec<Vec<Row>>),
    /// Nothing was recorded.
    TakenBack(StoreError),
    /// The answer was lost on the way.
    Unclear(String),
}

impl Link {
    /// Connects and prepares the statements.
    pub(super) async fn open(config: &Config) -> Result<Self, StoreError> {
        let session = Session::connect(config).await?;
        answered(session.execute(KEPT_PLANS)).await??;
        let statements = answered(Statements::prepare(&session)).await??;
        let loyalty = answered(loyalty::Statements::prepare(&session)).await??;
        let voucher = answered(voucher::Statements::prepare(&session)).await??;
        // The keys of a `RandomState` come from the operating system.
        let writer = RandomState::new().build_hasher().finish().cast_signed();
        Ok(Self {
            session,
            statements,
            loyalty,
            voucher,
            writer,
            batch: 0,
        })
    }

    /// What opens the next transaction.
    pub(super) const fn begin(&self) -> &'static str {
        if self.batch % BATCHES_A_PLAN == 0 {
            PLAN_ANEW
        } else {
            BEGIN
        }
    }

    /// The mark of the next commit.
    pub(super) const fn next_mark(&mut self, tenant: TenantId) -> Mark {
        self.batch += 1;
        Mark {
            tenant: tenant.0,
            writer: self.writer,
            batch: self.batch,
        }
    }

    /// The step that writes a mark, the last before COMMIT.
    pub(super) fn mark(&self, mark: Mark, clock: &Clock) -> Step {
        let values: [i64; 4] = [mark.tenant, mark.writer, mark.batch, clock().0];
        Step::new(&self.statements.mark, boxed(values))
    }

    /// Sends `first`, the steps and COMMIT together, and says how that ended.
    pub(super) async fn conclude(&self, first: Option<&str>, steps: &[Step]) -> Fate {
        let sent = pipeline(&self.session.client, first, steps, Some("COMMIT"));
        match answered(sent).await {
            Ok(pipelined) => judge(pipelined, usize::from(first.is_some())),
            Err(_) => Fate::Unclear("COMMIT was not answered in time".to_owned()),
        }
    }

    /// Takes the open transaction back. False when the connection is of no more use.
    pub(super) async fn rollback(&self) -> bool {
        let result = answered(self.session.execute("ROLLBACK")).await;
        matches!(result, Ok(Ok(())))
    }

    /// Whether the commit of an earlier connection was recorded. Waits for a transaction that
    /// is still ending, and bars one that has not come to its mark yet: its COMMIT may still lie
    /// in the server's receive buffer.
    pub(super) async fn was_recorded(&self, mark: Mark, clock: &Clock) -> Result<bool, StoreError> {
        let values: [i64; 3] = [mark.tenant, mark.writer, clock().0];
        let fence = Step::new(&self.statements.fence, boxed(values));
        match self.conclude(Some(BEGIN), &[fence]).await {
            Fate::Committed(rows) => {
                let row = rows.first().and_then(|rows| rows.first());
                let row = row.ok_or_else(|| StoreError::Corrupt("no mark".to_owned()))?;
                Ok(super::columns::get::<i64>(row, 0)? == mark.batch)
            }
            Fate::TakenBack(error) => Err(error),
            Fate::Unclear(text) => Err(StoreError::Down(text)),
        }
    }
}

fn boxed<const N: usize>(values: [i64; N]) -> Vec<Param> {
    values.into_iter().map(|it| Box::new(it) as Param).collect()
}

/// The answers to the steps of a pipeline that starts with `leading` answers of no interest.
fn judge(pipelined: Pipelined, leading: usize) -> Fate {
    let mut answers = pipelined.answers;
    let commit = if pipelined.all_sent {
        answers.pop()
    } else {
        None
    };
    let mut rows = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Ok(found) => rows.push(found),
            // COMMIT after a failed statement can only roll back.
            Err(error) if error.as_db_error().is_some() || commit.is_none() => {
                return Fate::TakenBack(classify(&error));
            }
            Err(error) => return Fate::Unclear(describe(&error)),
        }
    }
    match commit {
        Some(Ok(_)) => Fate::Committed(rows.into_iter().skip(leading).collect()),
        Some(Err(error)) if leaves_commit_unknown(&error) => Fate::Unclear(describe(&error)),
        Some(Err(error)) => Fate::TakenBack(classify(&error)),
        None => Fate::TakenBack(StoreError::Down("COMMIT was not sent".to_owned())),
    }
}
