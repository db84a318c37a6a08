//! The shared store of several gateway nodes.
//!
//! | module | holds |
//! |---|---|
//! | `session`, `opening` | one connection: settings, pipelining; making it |
//! | `link` | a writer's connection, and how its transactions end |
//! | `writer`, `load`, `changes`, `statements` | a batch: two round trips, whatever its size, and a third where vouchers pay |
//! | `loyalty` | cards, terminals and their events, and other documents |
//! | `voucher`, `paying`, `stock` | what happened to voucher codes, those that new payments name, and the codes themselves |
//! | `admin` | provisioning |
//! | `reader`, `voucher_reader`, `sight`, `pool`, `queries`, `snapshot` | looking at rows |
//! | `migrate`, `backup` | the schema, and copies |
//! | `columns`, `error` | rows and errors as the program knows them |
//!
//! Nothing here is peculiar to one server: no sequences, triggers, advisory locks or
//! notifications, and every hot statement names one tenant, so that the same schema can be
//! spread over shards.

mod admin;
mod backup;
mod changes;
mod columns;
mod error;
mod link;
mod load;
mod loyalty;
mod migrate;
mod opening;
mod paying;
mod pool;
mod queries;
mod reader;
mod session;
mod sight;
mod snapshot;
mod statements;
mod stock;
#[cfg(test)]
mod tests;
mod voucher;
mod voucher_reader;
mod writer;

pub use migrate::Migrations;
pub use reader::PostgresReader;
pub use writer::PostgresWriter;

use crate::{contract::StoreError, engine::Clock};
use link::BEGIN;
use session::{Session, read_url};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio_postgres::Config;

/// How long the marks of a writer that is gone are kept, in milliseconds.
const MARKS_KEPT_MS: i64 = 24 * 3_600_000;

/// A PostgreSQL database that holds, or is to hold, a gateway's rows.
#[derive(Clone)]
pub struct PostgresStore {
    config: Arc<Config>,
    clock: Clock,
    doubts: Doubts,
}

/// How many commits there are of which nobody knows what became of them. Their rows may appear at
/// any moment, until a writer has looked for each again and barred it if it is not there.
#[derive(Clone, Default)]
struct Doubts(Arc<AtomicUsize>);

impl Doubts {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn remove(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    fn are_there(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}

impl PostgresStore {
    /// Reads the address (`postgres://user:password@host:port/database`) and checks that the
    /// database answers and takes writes.
    ///
    /// # Errors
    /// `Refused` when the address is wrong or asks for TLS, which is not supported yet; `Down`
    /// when the database cannot be reached.
    pub async fn connect(url: &str, clock: Clock) -> Result<Self, StoreError> {
        let config = Arc::new(read_url(url)?);
        Session::connect(&config).await?;
        Ok(Self {
            config,
            clock,
            doubts: Doubts::default(),
        })
    }

    /// Brings the database to this program's schema; returns how many migrations that took.
    /// Several processes may do this at the same time.
    ///
    /// # Errors
    /// When the database cannot be reached, a migration fails, or the schema is newer.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        migrate::migrate(&self.config, &self.clock).await
    }

    /// Tells which migrations were applied and which [`PostgresStore::migrate`] would apply.
    ///
    /// # Errors
    /// When the database cannot be reached or its schema is newer than this program.
    pub async fn migrations(&self) -> Result<Migrations, StoreError> {
        migrate::status(&self.config).await
    }

    /// A writer with a connection of its own.
    ///
    /// # Errors
    /// When the database cannot be reached or has not been migrated.
    pub async fn writer(&self) -> Result<PostgresWriter, StoreError> {
        self.forget_old_marks().await?;
        PostgresWriter::connect(self).await
    }

    /// A reader. It connects when it is first used.
    #[must_use]
    pub fn reader(&self) -> PostgresReader {
        PostgresReader::new(Arc::clone(&self.config), self.doubts.clone())
    }

    /// Removes the marks of writers that have long been gone. One that only slept writes its
    /// mark anew.
    async fn forget_old_marks(&self) -> Result<(), StoreError> {
        let session = Session::connect(&self.config).await?;
        let before = (self.clock)().0.saturating_sub(MARKS_KEPT_MS);
        let delete = format!("{BEGIN}; DELETE FROM writers WHERE at < {before}; COMMIT");
        session.execute(&delete).await
    }
}

/// Connects, migrates, and hands out `writers` writers and a reader.
///
/// # Errors
/// As [`PostgresStore::connect`], [`PostgresStore::migrate`] and [`PostgresStore::writer`].
pub async fn open(
    url: &str,
    writers: usize,
    clock: Clock,
) -> Result<(Vec<PostgresWriter>, PostgresReader), StoreError> {
    let store = PostgresStore::connect(url, clock).await?;
    store.migrate().await?;
    let mut opened = Vec::with_capacity(writers);
    for _ in 0..writers {
        opened.push(store.writer().await?);
    }
    Ok((opened, store.reader()))
}
