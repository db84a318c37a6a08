//! Bringing a database to this program's schema.

use super::{error::describe, link::BEGIN, session::Session};
use crate::{contract::StoreError, engine::Clock};
use std::{collections::BTreeSet, time::Duration};
use tokio_postgres::{Config, Error, error::SqlState};

/// A step from one version of the schema to the next.
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 7] = [
    Migration {
        version: 1,
        name: "initial",
        sql: include_str!("migrations/0001_initial.sql"),
    },
    Migration {
        version: 2,
        name: "numbers first",
        sql: include_str!("migrations/0002_numbers_first.sql"),
    },
    Migration {
        version: 3,
        name: "loyalty",
        sql: include_str!("migrations/0003_loyalty.sql"),
    },
    Migration {
        version: 4,
        name: "vouchers",
        sql: include_str!("migrations/0004_vouchers.sql"),
    },
    Migration {
        version: 5,
        name: "code chains",
        sql: include_str!("migrations/0005_code_chains.sql"),
    },
    Migration {
        version: 6,
        name: "short texts",
        sql: include_str!("migrations/0006_short_texts.sql"),
    },
    Migration {
        version: 7,
        name: "kept events",
        sql: include_str!("migrations/0007_kept_events.sql"),
    },
];

/// Version 0 is no schema: its row is what migrating processes lock, one after the other.
const PREPARE: &str = "BEGIN READ WRITE;
CREATE TABLE IF NOT EXISTS schema_version (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at bigint NOT NULL
);
INSERT INTO schema_version (version, name, applied_at) VALUES (0, 'none', 0)
    ON CONFLICT DO NOTHING;
COMMIT";
/// Building an index over many rows takes long, and so does waiting for who builds it.
const PATIENCE: &str = "SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = '1min'";
/// How often two processes may get in each other's way.
const ATTEMPTS_MAX: u32 = 20;

/// Which versions of the schema a database has and lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// Applied, as `version name`.
    pub applied: Vec<String>,
    /// Not applied yet, as `version name`.
    pub pending: Vec<String>,
}

/// Tells what [`migrate`] would do.
pub(super) async fn status(config: &Config) -> Result<Migrations, StoreError> {
    let session = Session::connect(config).await?;
    let applied = versions(&session).await.map_err(|e| failed(&e))?;
    let mut migrations = Migrations::default();
    for migration in &MIGRATIONS {
        let list = if applied.contains(&migration.version) {
            &mut migrations.applied
        } else {
            &mut migrations.pending
        };
        list.push(format!("{} {}", migration.version, migration.name));
    }
    refuse_newer(&applied)?;
    Ok(migrations)
}

/// Applies what is missing, each migration in a transaction of its own. Processes that start at
/// the same time take turns. Returns how many this one applied.
pub(super) async fn migrate(config: &Config, clock: &Clock) -> Result<usize, StoreError> {
    let session = Session::connect(config).await?;
    session.execute(PATIENCE).await?;
    let mut count = 0;
    for attempt in 1..=ATTEMPTS_MAX {
        match attempt_all(&session, clock, &mut count).await {
            Ok(applied) => return refuse_newer(&applied).map(|()| count),
            Err(error) if attempt < ATTEMPTS_MAX && is_race(&error) => {
                session.execute("ROLLBACK").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(StoreError::Conflict(
        "the schema is being changed".to_owned(),
    ))
}

async fn attempt_all(
    session: &Session,
    clock: &Clock,
    count: &mut usize,
) -> Result<BTreeSet<i32>, Error> {
    if versions(session).await?.is_empty() {
        session.client.batch_execute(PREPARE).await?;
    }
    for migration in &MIGRATIONS {
        if apply(session, migration, clock).await? {
            *count += 1;
        }
    }
    versions(session).await
}

/// Applies one migration unless it was applied.
async fn apply(session: &Session, migration: &Migration, clock: &Clock) -> Result<bool, Error> {
    let client = &session.client;
    client.batch_execute(BEGIN).await?;
    let lock = "SELECT version FROM schema_version WHERE version = 0 FOR UPDATE";
    client.query(lock, &[]).await?;
    let pending = !versions(session).await?.contains(&migration.version);
    if pending {
        client.batch_execute(migration.sql).await?;
        let note = "INSERT INTO schema_version (version, name, applied_at) VALUES ($1, $2, $3)";
        let at = clock().0;
        client
            .execute(note, &[&migration.version, &migration.name, &at])
            .await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(pending)
}

/// The versions in the database, 0 among them once it was prepared.
async fn versions(session: &Session) -> Result<BTreeSet<i32>, Error> {
    let client = &session.client;
    match client
        .query("SELECT version FROM schema_version", &[])
        .await
    {
        Ok(rows) => rows.iter().map(|row| row.try_get(0)).collect(),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// Two processes that create the same thing collide in the catalogue's own unique indexes.
fn is_race(error: &Error) -> bool {
    [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ]
    .iter()
    .any(|code| error.code() == Some(code))
}

fn failed(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(_) => StoreError::Refused(format!("the schema: {}", describe(error))),
        None => StoreError::Down(describe(error)),
    }
}

fn refuse_newer(applied: &BTreeSet<i32>) -> Result<(), StoreError> {
    let known =
        |version: &&i32| **version == 0 || MIGRATIONS.iter().any(|it| it.version == **version);
    match applied.iter().find(|version| !known(version)) {
        None => Ok(()),
        Some(version) => Err(StoreError::Refused(format!(
            "the database has schema version {version}, which is newer than this program"
        ))),
    }
}
