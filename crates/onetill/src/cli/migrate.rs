//! `onetill migrate`: brings the store to this program's schema.

use super::{
    CommandError, Place,
    output::{self, Shape},
};
use crate::{
    app::compose::{lock, system_clock},
    config::{Config, StoreUrl},
};
use clap::Args;
use serde_json::json;
use std::{path::Path, process::ExitCode};
use store::{postgres::PostgresStore, sqlite::SqliteStore};

/// Bring the store to this program's schema.
///
/// `onetill serve` does the same at start; this is for operators who want to look first. An
/// embedded store is left alone while a gateway runs on it.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill migrate --dry-run
      show what would be done
  onetill migrate --store postgres://onetill@db/onetill")]
pub struct MigrateArgs {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Shows and applies the schema's steps.
///
/// # Errors
/// When the store cannot be reached, is in use, or is newer than this program.
pub async fn run(args: MigrateArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let config = args.place.settings.for_command()?;
    let steps = match &config.store {
        StoreUrl::Sqlite(path) => migrate_sqlite(&config, path, args.dry_run)?,
        StoreUrl::Postgres(url) => migrate_postgres(url, args.dry_run).await?,
    };
    match shape {
        Shape::Json => output::print_json(&steps.json(args.dry_run))?,
        Shape::Text => output::print(&steps.text(args.dry_run))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The schema's steps, before anything was done.
struct Steps {
    /// Taken already; an embedded store only counts them.
    applied: Vec<String>,
    /// To be taken.
    pending: Vec<String>,
    /// Why there is nothing to look at.
    absent: Option<String>,
}

fn migrate_sqlite(config: &Config, path: &Path, dry_run: bool) -> Result<Steps, CommandError> {
    let mut steps = Steps {
        applied: Vec::new(),
        pending: Vec::new(),
        absent: None,
    };
    if !path.exists() {
        steps.absent = Some(format!(
            "there is no store at {} yet; `onetill serve` begins one with the newest schema",
            path.display()
        ));
        return Ok(steps);
    }
    let store = SqliteStore::open_existing(path)?;
    let pending = store.pending_migrations()?;
    steps.pending = pending.into_iter().map(str::to_owned).collect();
    if !dry_run && !steps.pending.is_empty() {
        let locks = lock(config)?;
        store.migrate()?;
        drop(locks);
    }
    Ok(steps)
}

async fn migrate_postgres(url: &str, dry_run: bool) -> Result<Steps, CommandError> {
    let store = PostgresStore::connect(url, system_clock()).await?;
    let migrations = store.migrations().await?;
    if !dry_run && !migrations.pending.is_empty() {
        store.migrate().await?;
    }
    Ok(Steps {
        applied: migrations.applied,
        pending: migrations.pending,
        absent: None,
    })
}

impl Steps {
    fn text(&self, dry_run: bool) -> String {
        if let Some(absent) = &self.absent {
            return absent.clone();
        }
        if self.pending.is_empty() {
            return "the store has this program's schema; nothing to do".to_owned();
        }
        let word = if dry_run { "to do" } else { "done" };
        let applied = self.applied.iter().map(|step| ("applied", step));
        let pending = self.pending.iter().map(|step| (word, step));
        output::fields(&applied.chain(pending).collect::<Vec<_>>())
    }

    fn json(&self, dry_run: bool) -> serde_json::Value {
        json!({
            "exists": self.absent.is_none(),
            "applied_before": self.applied,
            "pending_before": self.pending,
            "dry_run": dry_run,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_apart() {
        let mut steps = Steps {
            applied: vec!["1 initial".to_owned()],
            pending: vec!["2 vouchers".to_owned()],
            absent: None,
        };
        assert_eq!(steps.text(true), "applied  1 initial\nto do    2 vouchers");
        assert_eq!(steps.text(false), "applied  1 initial\ndone     2 vouchers");
        steps.pending.clear();
        assert!(steps.text(false).contains("nothing to do"));
    }
}
