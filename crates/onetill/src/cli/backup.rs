//! `onetill backup`: copies the store while it is in use.

use super::{
    CommandError, Place,
    admin_client::open_reader,
    audit,
    output::{self, Shape},
};
use crate::{
    config::{Config, StoreUrl},
    vault::{MASTER_KEY_FILE, MASTER_KEY_VARIABLE},
};
use clap::Args;
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Copy the store while it is in use.
///
/// An embedded store becomes one SQLite file; a PostgreSQL database is dumped by pg_dump in its
/// own format. Neither holds the master key, without which merchants' keys do not open.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill backup /mnt/backup/onetill-20261122.db --verify
      and audit the copy
  onetill backup night.dump --store postgres://onetill@db/onetill
      pg_restore reads it

To restore an embedded store while no gateway runs: remove onetill.db, onetill.db-wal and
onetill.db-shm, put the copy there as onetill.db, and beside it the master.key that belongs to it.")]
pub struct BackupArgs {
    /// The file to make
    file: PathBuf,
    /// Audit the copy (embedded stores only)
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    place: Place,
}

/// Makes the copy.
///
/// # Errors
/// When the file exists, the store cannot be read, or the copy is not sound.
pub async fn run(args: BackupArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let config = args.place.settings.for_command()?;
    check_free(&args.file)?;
    if args.verify && matches!(config.store, StoreUrl::Postgres(_)) {
        let text = "a dump cannot be audited; pg_restore it to a database of its own and run \
                    `onetill audit --store` on that";
        return Err(text.into());
    }
    let reader = open_reader(&config.store).await?;
    let progress = output::spinner("copying {elapsed}");
    let copied = reader.backup(args.file.clone()).await;
    progress.finish_and_clear();
    copied?;
    make_private(&args.file)?;
    let verified = if args.verify {
        verify(&args.file).await?;
        true
    } else {
        false
    };
    let bytes = fs::metadata(&args.file)?.len();
    match shape {
        Shape::Json => output::print_json(&json!({
            "file": args.file.display().to_string(),
            "bytes": bytes,
            "verified": verified,
        }))?,
        Shape::Text => output::print(&text(&args.file, bytes, verified))?,
    }
    output::note(&key_reminder(&config));
    Ok(ExitCode::SUCCESS)
}

fn check_free(file: &Path) -> Result<(), CommandError> {
    let name = file.display();
    let absolute = std::path::absolute(file)?;
    if absolute.exists() {
        Err(format!("{name} exists; choose another name").into())
    } else if !absolute.parent().is_some_and(Path::is_dir) {
        Err(format!("the directory of {name} does not exist; make it first").into())
    } else {
        Ok(())
    }
}

/// Payments are nobody else's business.
fn make_private(file: &Path) -> std::io::Result<()> {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

/// Opens the copy and audits it.
async fn verify(file: &Path) -> Result<(), CommandError> {
    let reader = open_reader(&StoreUrl::Sqlite(file.to_owned())).await?;
    let (report, _) = audit::prove(&reader).await?;
    if report.is_clean() {
        return Ok(());
    }
    Err(format!(
        "{} is copied, but {} rules are broken in it; run `onetill audit` on the store",
        file.display(),
        report.violations_len
    )
    .into())
}

fn text(file: &Path, bytes: u64, verified: bool) -> String {
    let done = format!("{}  {}", file.display(), output::size(bytes));
    if verified {
        format!("{done}, audited: every rule holds")
    } else {
        done
    }
}

fn key_reminder(config: &Config) -> String {
    if std::env::var_os(MASTER_KEY_VARIABLE).is_some() {
        return format!(
            "Keep the master key ({MASTER_KEY_VARIABLE}) too, in another place: without it the \
             copy's keys do not open."
        );
    }
    format!(
        "Keep {} too, in another place: without it the copy's keys do not open.",
        config.data.join(MASTER_KEY_FILE).display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_made() {
        let shown = text(Path::new("a.db"), 2_048, true);
        assert_eq!(shown, "a.db  2.0 KiB, audited: every rule holds");
        assert_eq!(text(Path::new("a.db"), 5, false), "a.db  5 bytes");
    }

    #[test]
    fn an_existing_file_is_left_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(check_free(file.path()).is_err());
        assert!(check_free(Path::new("/no such directory/a.db")).is_err());
        assert!(check_free(Path::new("no such file.db")).is_ok());
    }
}
